//! The clusters that bytes are thrown at: how their nodes are set up, and nodes that know each
//! other.

use std::time::Duration;

use bytes::Bytes;
use swim_core::{
    Dialect, Input, Instant, Key, Keyring, Label, MemberlistOptions, Node, Options, Output,
    StreamEvent, StreamId, inspect::Inspector,
};
use swim_sim::{addr, name};

/// When everything begins: late enough that something may be older.
pub(crate) const BEGINNING: Instant = Instant::from_millis(100_000);

/// The members that a node knows beside itself.
pub(crate) const PEERS: usize = 3;

/// How the bytes of a cluster are guarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    Plain,
    Keyed,
    Labelled,
}

/// How the nodes of one cluster are set up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cluster {
    pub(crate) dialect: Dialect,
    pub(crate) guard: Guard,
}

impl Cluster {
    /// The native cluster that a number chooses.
    pub(crate) fn native(choice: u8) -> Self {
        Self { dialect: Dialect::Native, guard: guard(choice) }
    }

    /// The cluster of memberlist's dialect that a number chooses.
    pub(crate) fn memberlist(choice: u8) -> Self {
        let dialect = Dialect::Memberlist(MemberlistOptions::default());
        Self { dialect, guard: guard(choice) }
    }

    pub(crate) fn label(self) -> Label {
        let text = if self.guard == Guard::Labelled { LABEL } else { "" };
        Label::new(text).expect("it is short")
    }

    pub(crate) fn keyring(self) -> Option<Keyring> {
        let key = || Key::new(KEY).expect("sixteen bytes");
        (self.guard == Guard::Keyed).then(|| Keyring::new(key()))
    }

    /// Whether what its members say has checksums, which can be put right. A seal can't.
    pub(crate) fn has_checksums(self) -> bool {
        self.dialect == Dialect::Native && self.guard != Guard::Keyed
    }

    /// Whether a packet that was changed on its way is told from one that was not: memberlist's
    /// has a checksum only where all who are known take part in that.
    pub(crate) fn shows_changes(self) -> bool {
        self.dialect == Dialect::Native || self.guard == Guard::Keyed
    }

    pub(crate) fn inspector(self) -> Inspector {
        Inspector::new(self.dialect, &self.label(), self.keyring())
    }

    /// A node of this cluster that knows nobody.
    pub(crate) fn node(self, id: usize) -> Node {
        self.node_with(id, |_| {})
    }

    /// The same, set up in another way.
    pub(crate) fn node_with(self, id: usize, change: impl FnOnce(&mut Options)) -> Node {
        let mut options = Options::local(name(id), addr(id));
        options.dialect = self.dialect;
        options.label = self.label().as_str().into();
        options.keyring = self.keyring();
        change(&mut options);
        let config = options.build().expect("these options are valid");
        Node::new(config, [id as u8 + 1; 32], BEGINNING)
    }

    /// Node 0 of this cluster, which knows [`PEERS`] others and has said all it has to say.
    pub(crate) fn acquainted(self) -> Node {
        let mut node = self.node(0);
        for id in 1..=PEERS {
            introduce(&mut node, &mut self.node(id), id as u64);
        }
        assert_eq!(node.counts().alive, 1 + PEERS, "all are known");
        drain(&mut node);
        node
    }
}

/// Takes all outputs from a node.
pub(crate) fn drain(node: &mut Node) -> Vec<Output<swim_core::Event>> {
    std::iter::from_fn(|| node.poll_output()).collect()
}

/// A number that no stream has that [`introduce`] opens.
pub(crate) const FREE_STREAM: u64 = 1_000;

/// Lets `node` learn what `peer` says about itself, over a stream that ends before the answer.
/// Where packets name who they are for, it asks again once it was told who is there.
pub(crate) fn introduce(node: &mut Node, peer: &mut Node, nth: u64) {
    peer.join(BEGINNING, &[node.local().addr], JOIN_TIMEOUT).expect("a new node may join");
    for id in [StreamId::accepted(2 * nth), StreamId::accepted(2 * nth + 1)] {
        let (dialed, asked) = request(peer);
        drain(node); // What it had to say to others.
        let from = peer.local().addr;
        node.handle(BEGINNING, Input::Stream { id, event: StreamEvent::Accepted { from } });
        for data in asked {
            let event = StreamEvent::Chunk(&data);
            node.handle(BEGINNING, Input::Stream { id, event });
        }
        if node.member(&peer.local().name).is_some() {
            node.handle(BEGINNING, Input::Stream { id, event: StreamEvent::Failed });
            return;
        }
        for output in drain(node) {
            if let (Output::Write { data, .. }, Some(id)) = (output, dialed) {
                let event = StreamEvent::Chunk(&data);
                peer.handle(BEGINNING, Input::Stream { id, event });
            }
        }
    }
}

/// What a node writes on the stream that it dials, before it has an answer.
fn request(node: &mut Node) -> (Option<StreamId>, Vec<Bytes>) {
    let (mut dialed, mut written) = (None, Vec::new());
    while let Some(output) = node.poll_output() {
        match output {
            Output::Dial { id, .. } => {
                dialed = Some(id);
                node.handle(BEGINNING, Input::Stream { id, event: StreamEvent::Connected });
            }
            Output::Write { id, data } => {
                node.handle(BEGINNING, Input::Stream { id, event: StreamEvent::Drained });
                written.push(data);
            }
            _ => {}
        }
    }
    (dialed, written)
}

fn guard(choice: u8) -> Guard {
    match choice % 3 {
        0 => Guard::Plain,
        1 => Guard::Keyed,
        _ => Guard::Labelled,
    }
}

pub(crate) const JOIN_TIMEOUT: Duration = Duration::from_secs(10);

const LABEL: &str = "fuzzed";

const KEY: &[u8; 16] = b"sixteen of bytes";
