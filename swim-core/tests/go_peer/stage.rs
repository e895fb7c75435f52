//! Our node on a stage, the bytes that a Go node says to it, and what it answers.

use std::{net::SocketAddr, time::Duration};

use swim_core::{
    Bytes, Dialect, Event, EventKind, Input, Instant, MemberlistOptions, Node, Options, Output,
    StreamEvent, StreamId,
};

/// Our node, and what it has put out.
pub(crate) struct Stage {
    pub(crate) node: Node,
    pub(crate) now: Instant,
    pub(crate) packets: Vec<(SocketAddr, Bytes)>,
    pub(crate) writes: Vec<u8>,
    pub(crate) closed: bool,
    pub(crate) dialed: Option<StreamId>,
    pub(crate) events: Vec<EventKind>,
}

/// Where the Go node `node-a` is.
pub(crate) fn go() -> SocketAddr {
    SocketAddr::from(([10, 1, 2, 3], 7946))
}

/// Its table: itself, and the words `us` of its application.
pub(crate) const PUSH_PULL: &str = "\
     0683a44a6f696ec3a54e6f64657301ac5573657253746174654c656e0287a441646472a40\
a010203ab496e636172\
     6e6174696f6e01a44d657461c0a44e616d65a66e6f64652d61a4506f7274cd1f0aa5537461746500a356736ea601\
     05020000007573";

/// Its ping of `node-b`, number 42.
pub(crate) const PING: &str = "\
     0085a44e6f6465a66e6f64652d62a55365714e6f2aaa536f7572636541646472a40a010203aa53\
6f757263654e6f\
     6465a66e6f64652d61aa536f75726365506f7274cd1f0a";

impl Stage {
    pub(crate) fn new() -> Self {
        let addr = SocketAddr::from(([10, 1, 2, 4], 7946));
        let mut options = Options::lan("node-b", addr);
        let memberlist = MemberlistOptions { compression: false, ..MemberlistOptions::default() };
        options.dialect = Dialect::Memberlist(memberlist);
        let now = Instant::from_millis(1_000);
        let node = Node::new(options.build().expect("valid options"), [3; 32], now);
        let mut stage = Self {
            node,
            now,
            packets: Vec::new(),
            writes: Vec::new(),
            closed: false,
            dialed: None,
            events: Vec::new(),
        };
        stage.drain();
        stage
    }

    /// The Go node has joined through ours.
    pub(crate) fn joined() -> Self {
        let mut stage = Self::new();
        stage.stream(PUSH_PULL);
        stage.writes.clear();
        stage.packets.clear();
        stage
    }

    /// The Go node opens a stream and says this, in pieces.
    pub(crate) fn stream(&mut self, hex: &str) {
        let id = StreamId::accepted(self.now.as_nanos());
        let from = SocketAddr::from(([10, 1, 2, 3], 40_000));
        self.handle(Input::Stream { id, event: StreamEvent::Accepted { from } });
        for chunk in bytes(hex).chunks(10) {
            self.handle(Input::Stream { id, event: StreamEvent::Chunk(chunk) });
        }
    }

    pub(crate) fn packet(&mut self, from: SocketAddr, hex: &str) {
        self.packets.clear();
        self.handle(Input::Packet { from, data: &bytes(hex) });
    }

    pub(crate) fn run(&mut self, span: Duration) {
        let end = self.now + span;
        while self.now < end {
            self.now = self.now + Duration::from_millis(10);
            self.handle(Input::Tick);
        }
    }

    pub(crate) fn handle(&mut self, input: Input<'_>) {
        self.node.handle(self.now, input);
        self.drain();
    }

    pub(crate) fn drain(&mut self) {
        while let Some(output) = self.node.poll_output() {
            match output {
                Output::SendPacket { to, data } => self.packets.push((to, data)),
                Output::Write { data, .. } => self.writes.extend_from_slice(&data),
                Output::Close { .. } => self.closed = true,
                Output::Event(Event { kind, .. }) => self.events.push(kind),
                Output::Dial { id, .. } => self.dialed = Some(id),
                Output::Abort { .. } | Output::ScheduleTimer { .. } => {}
            }
        }
    }

    /// What was sent to the Go node, in hex.
    pub(crate) fn sent(&self) -> Vec<String> {
        let to_go = self.packets.iter().filter(|(to, _)| *to == go());
        to_go.map(|(_, data)| hex(data)).collect()
    }

    pub(crate) fn has_sent(&self, hex: &str) -> bool {
        self.sent().iter().any(|sent| sent.contains(hex))
    }
}

pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("two digits");
    (0..hex.len()).step_by(2).map(byte).collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The claim that `node-b` is alive, under this incarnation.
pub(crate) fn own_claim(incarnation: u8) -> String {
    format!(
        "0486a441646472a40a010204ab496e6361726e6174696f6e{incarnation:02x}a44d657461c0a44e6f6465\
         a66e\
         6f64652d62a4506f7274cd1f0aa356736ea6010502000000"
    )
}

/// The claim that a node with a name of six letters is alive, at an address given in hex.
pub(crate) fn alive(node: &str, ip: &str, incarnation: &str, vsn: &str) -> String {
    let node = hex(node.as_bytes());
    format!(
        "0486a441646472a4{ip}ab496e6361726e6174696f6e{incarnation}a44d657461c0a44e6f6465a6{node}\
         a4506f7274cd1f0aa356736ea6{vsn}"
    )
}

/// A table of one line: a node with a name of six letters, in a state.
pub(crate) fn table_of(node: &str, ip: &str, incarnation: &str, state: u8) -> String {
    let node = hex(node.as_bytes());
    format!(
        "0683a44a6f696ec2a54e6f64657301ac5573657253746174654c656e0087a441646472a4{ip}ab496e63617\
         26e6174696f6e{incarnation}a44d657461c0a44e616d65a6{node}a4506f7274cd1f0aa55374617465\
         {state:02x}a356736ea6{VSN}"
    )
}

/// The versions that every node of memberlist announces.
pub(crate) const VSN: &str = "010502000000";

/// Somebody's verdict about `node-b`, of kind 3 (suspect) or 5 (dead).
pub(crate) fn verdict(kind: u8, from: &str, incarnation: &str) -> String {
    let from = hex(from.as_bytes());
    format!(
        "{kind:02x}83a446726f6da6{from}ab496e6361726e6174696f6e{incarnation}a44e6f6465a66e6f6465\
         2d62"
    )
}

/// The number in a ping of `node`, as bytes, if one was sent to the Go node.
pub(crate) fn seq_of_ping(stage: &Stage, node: &str) -> Option<String> {
    let ping = format!("0085a44e6f6465a6{}", hex(node.as_bytes()));
    let sent = stage.sent().into_iter().find(|sent| sent.contains(&ping))?;
    let at = sent.find(&ping).expect("it is in there");
    let at = at + sent[at..].find("a55365714e6f").expect("its number") + 12;
    let len = match &sent[at..at + 2] {
        "ce" => 10,
        "cd" => 6,
        "cc" => 4,
        _ => 2,
    };
    Some(sent[at..at + len].to_owned())
}
