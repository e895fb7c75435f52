//! What can be done in a scenario: every action with its fields. Parser, `swim-sim list` and tests
//! read this table, so that none of them can know an action that the others do not.

/// An action, or an assertion, as it is written.
#[derive(Clone, Copy, Debug)]
pub struct Verb {
    /// Its name.
    pub name: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// What may be said about it.
    pub fields: &'static [Field],
}

/// Something that may be said about an action.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its key.
    pub name: &'static str,
    /// What its value looks like.
    pub kind: Kind,
    /// Whether it may be left out.
    pub is_optional: bool,
    /// What it says, in one line.
    pub about: &'static str,
}

/// What a value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One host or several; the action is done on each.
    EachHost,
    /// One host.
    Host,
    /// Hosts.
    Hosts,
    /// A list of groups of hosts.
    Groups,
    /// A span of time.
    Span,
    /// A span of time, or a list of the shortest and the longest.
    Spans,
    /// A share of all.
    Share,
    /// A whole number, not negative.
    Count,
    /// A whole number.
    Whole,
    /// Bytes a second.
    Rate,
    /// `true` or `false`.
    Flag,
    /// A state that a node may believe another to be in.
    Belief,
    /// The name of a dialect.
    Dialect,
    /// Words.
    Text,
}

impl Kind {
    /// What a value looks like, for people.
    #[must_use]
    pub const fn example(self) -> &'static str {
        match self {
            Self::EachHost | Self::Hosts => "3, \"0-9\", [1, 5] or \"all\"",
            Self::Host => "3",
            Self::Groups => "[\"0-4\", \"5-9\"]",
            Self::Span => "\"200ms\"",
            Self::Spans => "\"5ms\" or [\"5ms\", \"20ms\"]",
            Self::Share => "\"5%\" or 0.05",
            Self::Count => "3",
            Self::Whole => "-3",
            Self::Rate => "\"2 KB/s\" or 2000",
            Self::Flag => "true or false",
            Self::Dialect => "\"native\" or \"memberlist\"",
            Self::Text => "\"a name\"",
            Self::Belief => "\"alive\", \"suspect\", \"dead\", \"left\" or \"unknown\"",
        }
    }
}

/// A field that must be there.
pub(crate) const fn needs(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { name, kind, is_optional: false, about }
}

/// A field that may be left out.
pub(crate) const fn may(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { name, kind, is_optional: true, about }
}

const fn verb(name: &'static str, about: &'static str, fields: &'static [Field]) -> Verb {
    Verb { name, about, fields }
}

/// The one action that is two: a scenario takes it apart.
pub(crate) const RESTART: &str = "restart";

/// Every action.
pub const ACTIONS: &[Verb] = &[
    verb(
        "start",
        "A process starts and joins.",
        &[
            needs("host", Kind::EachHost, "where"),
            may("seeds", Kind::Hosts, "whom it asks [default: \"0-2\"]"),
            may("forgetful", Kind::Flag, "it does not know in which lives it ran before"),
        ],
    ),
    verb("crash", "A process ends without a word.", &[needs("host", Kind::EachHost, "where")]),
    verb(
        RESTART,
        "A process ends without a word and starts anew.",
        &[
            needs("host", Kind::EachHost, "where"),
            may("down", Kind::Span, "for how long it is away [default: \"1s\"]"),
            may("seeds", Kind::Hosts, "whom it asks [default: \"0-2\"]"),
            may("forgetful", Kind::Flag, "it does not know in which lives it ran before"),
        ],
    ),
    verb(
        "leave",
        "A node says goodbye; its process stays.",
        &[needs("host", Kind::EachHost, "which")],
    ),
    verb(
        "join",
        "A node joins others, also after it left.",
        &[
            needs("host", Kind::EachHost, "which"),
            may("seeds", Kind::Hosts, "whom it asks [default: \"0-2\"]"),
        ],
    ),
    verb(
        "remove",
        "An operator declares a dead node gone.",
        &[
            needs("host", Kind::EachHost, "on which node the operator sits"),
            needs("subject", Kind::Host, "whose node is gone"),
        ],
    ),
    verb("update", "A node changes its metadata.", &[needs("host", Kind::EachHost, "which")]),
    verb("broadcast", "A node broadcasts something.", &[needs("host", Kind::EachHost, "which")]),
    verb(
        "freeze",
        "Nothing runs on a host for a while; what arrives waits.",
        &[needs("host", Kind::EachHost, "where"), needs("span", Kind::Span, "for how long")],
    ),
    verb(
        "hold",
        "What a host sends, and what is sent to it, comes only afterwards.",
        &[needs("host", Kind::EachHost, "where"), needs("span", Kind::Span, "for how long")],
    ),
    verb(
        "starve",
        "A host gets the processor for a moment now and then.",
        &[
            needs("host", Kind::EachHost, "where"),
            needs("runs", Kind::Span, "for how long at a time"),
            needs("stands", Kind::Span, "for how long not, in between"),
            needs("span", Kind::Span, "for how long in all"),
        ],
    ),
    verb(
        "slow",
        "A host needs so long for every packet.",
        &[needs("host", Kind::EachHost, "where"), needs("cost", Kind::Span, "how long")],
    ),
    verb(
        "drift",
        "A host's clock runs fast, or slow if negative.",
        &[
            needs("host", Kind::EachHost, "where"),
            needs("ppm", Kind::Whole, "by how many parts in a million"),
        ],
    ),
    verb(
        "jump",
        "A host's clock jumps, forward or back.",
        &[
            needs("host", Kind::EachHost, "where"),
            needs("span", Kind::Span, "by how much"),
            may("back", Kind::Flag, "it jumps back; timers wait until it is as late as before"),
        ],
    ),
    verb(
        "set-clock",
        "A host's clock on the wall is set, if it has one; its timers don't notice.",
        &[
            needs("host", Kind::EachHost, "where"),
            needs("span", Kind::Span, "by how much it is set forward"),
            may("back", Kind::Flag, "it is set back by so much"),
        ],
    ),
    verb(
        "partition",
        "Hosts reach only those of their own group; the unnamed are one more.",
        &[needs("groups", Kind::Groups, "the groups")],
    ),
    verb(
        "cut",
        "Nothing passes from the first to the others. The way back stays open.",
        &[needs("from", Kind::Hosts, "from whom"), needs("to", Kind::Hosts, "to whom")],
    ),
    verb(
        "cut-packets",
        "The same, but streams do pass.",
        &[needs("from", Kind::Hosts, "from whom"), needs("to", Kind::Hosts, "to whom")],
    ),
    verb(
        "clog",
        "What is sent from one to the other comes only afterwards.",
        &[
            needs("from", Kind::Host, "from whom"),
            needs("to", Kind::Host, "to whom"),
            needs("span", Kind::Span, "for how long"),
        ],
    ),
    verb(
        "replays",
        "Packets that were sent before are sent again, from anywhere to anywhere.",
        &[needs("share", Kind::Share, "how many for each packet that is sent; 0 ends it")],
    ),
    verb(
        "garbage",
        "Bytes that no member sent reach a host, from the address of another.",
        &[
            needs("host", Kind::EachHost, "where"),
            needs("from", Kind::Host, "in whose name"),
            needs("word", Kind::Count, "decides what stands in them"),
            needs("len", Kind::Count, "how many"),
        ],
    ),
    verb("mend", "Cuts, partitions and clogs end.", &[]),
    verb("heal", "Everything that is wrong with the network ends.", &[]),
    verb("links", "All links change their character.", LINK),
    verb("link", "One direction between two hosts gets a character of its own.", ONE_LINK),
    verb(
        "ends",
        "A host's own side of its links.",
        &[
            needs("host", Kind::EachHost, "which"),
            may("loss_sent", Kind::Share, "how much of what it sends is lost"),
            may("loss_received", Kind::Share, "how much of what is sent to it is lost"),
            may("bandwidth", Kind::Count, "how many bytes leave it a second; 0 for any number"),
            may("send_queue_max", Kind::Count, "how many bytes may wait; 0 for any number"),
        ],
    ),
];

const LATENCY: Field = may("latency", Kind::Spans, "how long a packet takes");
const LOSS: Field = may("loss", Kind::Share, "the share of packets lost");
const DUPLICATES: Field = may("duplicates", Kind::Share, "the share of packets that come twice");
const REORDERED: Field = may("reordered", Kind::Share, "the share of packets that come late");
const REORDERED_BY: Field = may("reordered_by", Kind::Span, "by how much at most");
const FLIPPED: Field = may("flipped", Kind::Share, "the share of packets with a flipped bit");
const TRUNCATED: Field = may("truncated", Kind::Share, "the share of packets cut short");
const MTU: Field = may("mtu", Kind::Count, "the longest packet that passes, in bytes");
const RESETS: Field =
    may("stream_resets", Kind::Share, "the share of pieces at which streams break");
const STALLS: Field =
    may("stream_stalls", Kind::Share, "the share of pieces after which all stops");

/// What can be said about a link.
pub const LINK: &[Field] =
    &[LATENCY, LOSS, DUPLICATES, REORDERED, REORDERED_BY, FLIPPED, TRUNCATED, MTU, RESETS, STALLS];

/// What can be said about what stands on the wire.
pub const WIRE: &[Field] = &[
    may("dialect", Kind::Dialect, "whose bytes all nodes speak"),
    may("encrypted", Kind::Flag, "whether they are sealed, with a key that is made up"),
    may("label", Kind::Text, "the label of the cluster"),
];

const ONE_LINK: &[Field] = &[
    needs("from", Kind::Host, "from whom"),
    needs("to", Kind::Host, "to whom"),
    LATENCY,
    LOSS,
    DUPLICATES,
    REORDERED,
    REORDERED_BY,
    FLIPPED,
    TRUNCATED,
    MTU,
    RESETS,
    STALLS,
];

/// What can be said about any action, beside its own fields.
pub const WHEN: &[Field] = &[
    needs("at", Kind::Span, "when, after the start of the run"),
    may("every", Kind::Span, "how long until it is done again; needs `times`"),
    may("times", Kind::Count, "how often it is done [default: 1]"),
    may("spread", Kind::Span, "how much later on each further host [default: \"0s\"]"),
];

/// Every assertion.
pub const ASSERTIONS: &[Verb] = &[
    verb(
        "agree",
        "All nodes that take part know each other, and nobody else, as alive.",
        &[
            may("among", Kind::Hosts, "only what these believe of each other [default: all]"),
            may("at", Kind::Span, "from when on one looks [default: \"0s\"]"),
            needs("within", Kind::Span, "how soon after that it must be so"),
        ],
    ),
    verb(
        "no-false-failure",
        "Nobody is declared failed who runs, is awake and can be reached.",
        &[
            may("from", Kind::Span, "from when on one looks [default: \"0s\"]"),
            may("until", Kind::Span, "until when [default: the end]"),
            may("except", Kind::Hosts, "about whom it does not matter"),
        ],
    ),
    verb(
        "failed-somewhere",
        "Somebody knows that these failed.",
        &[
            needs("hosts", Kind::Hosts, "who failed"),
            needs("at", Kind::Span, "from when on one looks"),
            needs("within", Kind::Span, "how soon after that it must be so"),
        ],
    ),
    verb(
        "failed-everywhere",
        "All nodes that take part know that these failed.",
        &[
            needs("hosts", Kind::Hosts, "who failed"),
            needs("at", Kind::Span, "from when on one looks"),
            needs("within", Kind::Span, "how soon after that it must be so"),
        ],
    ),
    verb(
        "left-not-failed",
        "All know that these left, and nobody ever called them failed.",
        &[
            needs("hosts", Kind::Hosts, "who left"),
            needs("at", Kind::Span, "from when on one looks"),
            needs("within", Kind::Span, "how soon after that it must be so"),
        ],
    ),
    verb(
        "believed",
        "Some nodes believe others to be in a state.",
        &[
            needs("hosts", Kind::Hosts, "who is in it"),
            needs("as", Kind::Belief, "which state"),
            may("by", Kind::Hosts, "who believes it [default: all that take part]"),
            needs("at", Kind::Span, "from when on one looks"),
            needs("within", Kind::Span, "how soon after that it must be so"),
        ],
    ),
    verb(
        "broadcasts-delivered",
        "Broadcasts reach all nodes that took part and still do.",
        &[
            needs("within", Kind::Span, "how soon after they were sent"),
            may("share", Kind::Share, "how many of all deliveries are enough [default: \"100%\"]"),
        ],
    ),
    verb(
        "traffic",
        "Nodes send no more than so much, on average.",
        &[
            needs("per_node_at_most", Kind::Rate, "packets and streams of one node"),
            may("from", Kind::Span, "from when on one measures [default: \"0s\"]"),
            may("until", Kind::Span, "until when [default: the end]"),
        ],
    ),
];
