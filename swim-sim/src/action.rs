//! What may be done to a world, as data: for scenarios, for random faults, and for making a failing
//! run smaller.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    malice::{Assault, Flood, Forger, Lie},
    network::{HostId, Latency, Link},
    span,
};

/// One thing done to a world. An action that makes no sense at its time (a crash of what does not
/// run) does nothing, so that leaving one out of a list leaves the others valid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do", deny_unknown_fields)]
pub enum Action {
    /// A process starts and joins these hosts.
    Start {
        /// Where.
        host: HostId,
        /// Whom it asks; none: it waits to be asked.
        seeds: Vec<HostId>,
        /// Whether it forgot in which lives it ran before: it begins with a small one.
        #[serde(default)]
        forgetful: bool,
    },
    /// A process ends without a word.
    Crash {
        /// Where.
        host: HostId,
    },
    /// A node leaves; its process stays.
    Leave {
        /// Which.
        host: HostId,
    },
    /// A node joins others, also after it left.
    Join {
        /// Which.
        host: HostId,
        /// Whom it asks.
        seeds: Vec<HostId>,
    },
    /// An operator on `host` declares the node of `subject` gone.
    Remove {
        /// Where.
        host: HostId,
        /// Whose node.
        subject: HostId,
    },
    /// A node changes its metadata.
    Update {
        /// Which.
        host: HostId,
    },
    /// A node broadcasts something.
    Broadcast {
        /// Which.
        host: HostId,
    },
    /// Nothing runs on a host for a while; what arrives waits.
    Freeze {
        /// Where.
        host: HostId,
        /// For how long.
        #[serde(with = "span")]
        span: Duration,
    },
    /// All that a host sends, and all sent to it, comes only when this is over.
    Hold {
        /// Where.
        host: HostId,
        /// For how long.
        #[serde(with = "span")]
        span: Duration,
    },
    /// A host gets the processor for a moment now and then.
    Starve {
        /// Where.
        host: HostId,
        /// For how long at a time.
        #[serde(with = "span")]
        runs: Duration,
        /// For how long not, in between.
        #[serde(with = "span")]
        stands: Duration,
        /// For how long in all.
        #[serde(with = "span")]
        span: Duration,
    },
    /// A host needs so long for every packet.
    Slow {
        /// Where.
        host: HostId,
        /// How long.
        #[serde(with = "span")]
        cost: Duration,
    },
    /// A host's clock runs fast, or slow if negative.
    Drift {
        /// Where.
        host: HostId,
        /// By how many parts in a million.
        ppm: i64,
    },
    /// A host's clock jumps, forward unless `back` says otherwise. To a node, time that goes back
    /// stands still until it is later than ever before. (P7)
    Jump {
        /// Where.
        host: HostId,
        /// By how much.
        #[serde(with = "span")]
        span: Duration,
        /// Whether it jumps back.
        #[serde(default)]
        back: bool,
    },
    /// The clock on the wall that a host dates its packets and its lives with is set to a later
    /// time, or to an earlier one. What its timers go by stays as it is.
    SetClock {
        /// Where.
        host: HostId,
        /// By how much.
        #[serde(with = "span")]
        span: Duration,
        /// Whether it is set back.
        #[serde(default)]
        back: bool,
    },
    /// Hosts reach only those of their own group; those that no group names are one more.
    Partition {
        /// The groups.
        groups: Vec<Vec<HostId>>,
    },
    /// Nothing passes from any of the first to any of the others. The way back stays open.
    Cut {
        /// From whom.
        from: Vec<HostId>,
        /// To whom.
        to: Vec<HostId>,
    },
    /// The same, but streams do pass.
    CutPackets {
        /// From whom.
        from: Vec<HostId>,
        /// To whom.
        to: Vec<HostId>,
    },
    /// What is sent from one to the other comes only when this is over.
    Clog {
        /// From whom.
        from: HostId,
        /// To whom.
        to: HostId,
        /// For how long.
        #[serde(with = "span")]
        span: Duration,
    },
    /// Cuts, partitions and clogs end.
    Mend,
    /// Everything that is wrong with the network ends.
    Heal,
    /// All links change their character.
    Links {
        /// What is to change.
        #[serde(flatten)]
        change: LinkChange,
    },
    /// One direction between two hosts gets a character of its own.
    Link {
        /// From whom.
        from: HostId,
        /// To whom.
        to: HostId,
        /// What is different there.
        #[serde(flatten)]
        change: LinkChange,
    },
    /// A host's own side of its links.
    Ends {
        /// Which host.
        host: HostId,
        /// The share of what it sends that is lost.
        #[serde(default)]
        loss_sent: f64,
        /// The share of what is sent to it that is lost.
        #[serde(default)]
        loss_received: f64,
        /// How many bytes leave it a second; 0 for any number.
        #[serde(default)]
        bandwidth: u64,
        /// How many bytes may wait to be sent; 0 for any number.
        #[serde(default)]
        send_queue_max: u64,
    },
    /// Someone sends packets again that were sent before, each to whom it was meant for or to
    /// anybody else. (A1)
    Replays {
        /// How many for each packet that is sent, 0 to 1; 0 ends it.
        share: f64,
    },
    /// Bytes that no member sent reach a host, from the address of another.
    Garbage {
        /// Where.
        host: HostId,
        /// In whose name.
        from: HostId,
        /// Decides what stands in them.
        word: u64,
        /// How many.
        len: usize,
    },
    /// The application sends something of this length.
    Send {
        /// Where.
        host: HostId,
        /// To whose node, if it is for one.
        to: HostId,
        /// How.
        way: Way,
        /// How many bytes.
        len: usize,
    },
    /// The application asks for all that it must be refused.
    Misuse {
        /// Where.
        host: HostId,
    },
    /// A step of a rotation of the cluster's keys, on one host. A host on which nothing runs has
    /// taken it when something starts there, if whoever runs the world keeps its rings.
    Rotate {
        /// Where.
        host: HostId,
        /// Which key: every number is one.
        key: u8,
        /// What to do with it.
        step: Rotation,
    },
    /// Somebody sends a host something that nobody in the cluster wrote.
    Forge {
        /// To whom.
        host: HostId,
        /// In whose name.
        from: HostId,
        /// What it says.
        lie: Lie,
        /// Who writes it.
        by: Forger,
        /// From whose address it comes, if not from where that name belongs: the answer goes
        /// there. (X6)
        #[serde(default, skip_serializing_if = "Option::is_none")]
        victim: Option<HostId>,
    },
    /// Somebody opens streams to a host who does not belong to the cluster. (A0, A1)
    Assault {
        /// To whom.
        host: HostId,
        /// What comes over them.
        #[serde(flatten)]
        assault: Assault,
    },
    /// Somebody sends a host many packets at once.
    Flood {
        /// To whom.
        host: HostId,
        /// In whose name, and from whose address.
        from: HostId,
        /// Which.
        flood: Flood,
    },
    /// A process starts that does not belong to the cluster.
    Intrude {
        /// Where.
        host: HostId,
        /// What is wrong with it.
        fault: Intruder,
        /// Whom it asks.
        seeds: Vec<HostId>,
    },
}

/// How an application sends something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// In a packet to one member.
    Packet,
    /// Over a stream to one member.
    Stream,
    /// As a ping of one member.
    Ping,
    /// As a broadcast.
    Broadcast,
    /// As metadata.
    Meta,
    /// With every exchange of tables.
    State,
    /// With every answer to a ping.
    Ack,
}

/// A step of a rotation of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rotation {
    /// It is accepted from now on.
    Add,
    /// It seals from now on.
    Use,
    /// It is refused from now on.
    Remove,
}

/// Why a process does not belong to the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Intruder {
    /// It bears the label of another cluster.
    Label,
    /// It seals nothing in a sealed cluster, or something in an open one.
    Plaintext,
    /// It has another key.
    Key,
    /// It has an address that nobody allows.
    Source,
    /// It bears the name of another host's node.
    Name {
        /// Whose.
        of: HostId,
    },
}

/// What is to change about a link.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LinkChange {
    /// The shortest and the longest delay.
    pub latency: Option<(Span, Span)>,
    /// The share of packets lost.
    pub loss: Option<f64>,
    /// The share of packets that come twice.
    pub duplicates: Option<f64>,
    /// The share of packets that come late.
    pub reordered: Option<f64>,
    /// By how much at most.
    pub reordered_by: Option<Span>,
    /// The share of packets with a flipped bit.
    pub flipped: Option<f64>,
    /// The share of packets that lose their end.
    pub truncated: Option<f64>,
    /// The longest packet that passes.
    pub mtu: Option<usize>,
    /// The share of pieces of streams at which they break.
    pub stream_resets: Option<f64>,
    /// The share of pieces of streams after which nothing comes.
    pub stream_stalls: Option<f64>,
}

/// A span that can stand in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(#[serde(with = "span")] pub Duration);

/// An action and its time after the start of the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timed {
    /// When.
    #[serde(with = "span")]
    pub at: Duration,
    /// What.
    #[serde(flatten)]
    pub action: Action,
}

impl LinkChange {
    /// The link with this changed.
    #[must_use]
    pub fn apply(&self, link: Link) -> Link {
        let latency = |(least, most): (Span, Span)| Latency::Uniform(least.0, most.0.max(least.0));
        Link {
            latency: self.latency.map_or(link.latency, latency),
            loss: self.loss.unwrap_or(link.loss),
            duplicates: self.duplicates.unwrap_or(link.duplicates),
            reordered: self.reordered.unwrap_or(link.reordered),
            reordered_by: self.reordered_by.map_or(link.reordered_by, |span| span.0),
            flipped: self.flipped.unwrap_or(link.flipped),
            truncated: self.truncated.unwrap_or(link.truncated),
            mtu: self.mtu.unwrap_or(link.mtu),
            stream_resets: self.stream_resets.unwrap_or(link.stream_resets),
            stream_stalls: self.stream_stalls.unwrap_or(link.stream_stalls),
        }
    }
}
