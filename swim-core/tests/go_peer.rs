//! A Go node as a puppet: what it says are bytes that Go's own codec wrote, and what our node
//! answers is looked at as bytes.

use std::{net::SocketAddr, time::Duration};

use swim_core::{
    Bytes, DeliveryError, Dialect, Event, EventKind, Input, Instant, MemberChange,
    MemberlistOptions, Node, Options, Output, Reject, State, StreamEvent, StreamId,
};

/// Our node, and what it has put out.
struct Stage {
    node: Node,
    now: Instant,
    packets: Vec<(SocketAddr, Bytes)>,
    writes: Vec<u8>,
    closed: bool,
    dialed: Option<StreamId>,
    events: Vec<EventKind>,
}

/// Where the Go node `node-a` is.
fn go() -> SocketAddr {
    SocketAddr::from(([10, 1, 2, 3], 7946))
}

/// Its table: itself, and the words `us` of its application.
const PUSH_PULL: &str = "0683a44a6f696ec3a54e6f64657301ac5573657253746174654c656e0287a441646472a40\
a010203ab496e636172\
     6e6174696f6e01a44d657461c0a44e616d65a66e6f64652d61a4506f7274cd1f0aa5537461746500a356736ea601\
     05020000007573";

/// Its ping of `node-b`, number 42.
const PING: &str = "0085a44e6f6465a66e6f64652d62a55365714e6f2aaa536f7572636541646472a40a010203aa53\
6f757263654e6f\
     6465a66e6f64652d61aa536f75726365506f7274cd1f0a";

impl Stage {
    fn new() -> Self {
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
    fn joined() -> Self {
        let mut stage = Self::new();
        stage.stream(PUSH_PULL);
        stage.writes.clear();
        stage.packets.clear();
        stage
    }

    /// The Go node opens a stream and says this, in pieces.
    fn stream(&mut self, hex: &str) {
        let id = StreamId::accepted(self.now.as_nanos());
        let from = SocketAddr::from(([10, 1, 2, 3], 40_000));
        self.handle(Input::Stream { id, event: StreamEvent::Accepted { from } });
        for chunk in bytes(hex).chunks(10) {
            self.handle(Input::Stream { id, event: StreamEvent::Chunk(chunk) });
        }
    }

    fn packet(&mut self, from: SocketAddr, hex: &str) {
        self.packets.clear();
        self.handle(Input::Packet { from, data: &bytes(hex) });
    }

    fn run(&mut self, span: Duration) {
        let end = self.now + span;
        while self.now < end {
            self.now = self.now + Duration::from_millis(10);
            self.handle(Input::Tick);
        }
    }

    fn handle(&mut self, input: Input<'_>) {
        self.node.handle(self.now, input);
        self.drain();
    }

    fn drain(&mut self) {
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
    fn sent(&self) -> Vec<String> {
        let to_go = self.packets.iter().filter(|(to, _)| *to == go());
        to_go.map(|(_, data)| hex(data)).collect()
    }

    fn has_sent(&self, hex: &str) -> bool {
        self.sent().iter().any(|sent| sent.contains(hex))
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("two digits");
    (0..hex.len()).step_by(2).map(byte).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The claim that `node-b` is alive, under this incarnation.
fn own_claim(incarnation: u8) -> String {
    format!(
        "0486a441646472a40a010204ab496e6361726e6174696f6e{incarnation:02x}a44d657461c0a44e6f6465\
         a66e\
         6f64652d62a4506f7274cd1f0aa356736ea6010502000000"
    )
}

/// The claim that a node with a name of six letters is alive, at an address given in hex.
fn alive(node: &str, ip: &str, incarnation: &str, vsn: &str) -> String {
    let node = hex(node.as_bytes());
    format!(
        "0486a441646472a4{ip}ab496e6361726e6174696f6e{incarnation}a44d657461c0a44e6f6465a6{node}\
         a4506f7274cd1f0aa356736ea6{vsn}"
    )
}

/// A table of one line: a node with a name of six letters, in a state.
fn table_of(node: &str, ip: &str, incarnation: &str, state: u8) -> String {
    let node = hex(node.as_bytes());
    format!(
        "0683a44a6f696ec2a54e6f64657301ac5573657253746174654c656e0087a441646472a4{ip}ab496e63617\
         26e6174696f6e{incarnation}a44d657461c0a44e616d65a6{node}a4506f7274cd1f0aa55374617465\
         {state:02x}a356736ea6{VSN}"
    )
}

/// The versions that every node of memberlist announces.
const VSN: &str = "010502000000";

/// Somebody's verdict about `node-b`, of kind 3 (suspect) or 5 (dead).
fn verdict(kind: u8, from: &str, incarnation: &str) -> String {
    let from = hex(from.as_bytes());
    format!(
        "{kind:02x}83a446726f6da6{from}ab496e6361726e6174696f6e{incarnation}a44e6f6465a66e6f6465\
         2d62"
    )
}

#[test]
fn it_joins_and_gets_our_table() {
    let mut stage = Stage::new();
    stage.stream(PUSH_PULL);
    let member = stage.node.member("node-a").expect("it is in");
    assert_eq!((member.addr, member.state), (go(), State::Alive));
    assert_eq!((member.versions.protocol.max, member.stamp.incarnation.0), (5, 1));
    assert!(stage.closed);
    let table = hex(&stage.writes);
    assert!(
        table.starts_with("0683a44a6f696ec3a54e6f64657302ac5573657253746174654c656e00"),
        "{table}"
    );
    let ours = "a44e616d65a66e6f64652d62a4506f7274cd1f0aa5537461746500a356736ea6010502000000";
    assert!(table.contains(ours) && table.contains("a441646472a40a010204"), "{table}");
    let is_state = |kind: &EventKind| match kind {
        EventKind::RemoteState { state, join, .. } => *join && &state[..] == b"us",
        _ => false,
    };
    assert!(stage.events.iter().any(is_state));
}

#[test]
fn its_pings_are_answered_with_its_number() {
    let mut stage = Stage::joined();
    stage.packet(go(), PING);
    assert!(stage.has_sent("0282a75061796c6f6164c0a55365714e6f2a"), "{:?}", stage.sent());
    // With what the application attaches.
    stage.node.set_ack_payload(Bytes::from_static(b"hi")).expect("short");
    stage.packet(go(), PING);
    assert!(stage.has_sent("0282a75061796c6f6164a26869a55365714e6f2a"), "{:?}", stage.sent());
    // Not if another is meant.
    stage.packet(go(), "0082a44e6f6465a162a55365714e6fcd012c");
    assert_eq!(stage.node.stats().rejected_for(Reject::NotForUs), 1);
    assert!(!stage.has_sent("cd012c"));
    // Over a stream too.
    stage.stream(PING);
    assert_eq!(
        hex(&stage.writes),
        "0282a75061796c6f6164c0a55365714e6f2a",
        "as Go, without a payload"
    );
}

/// The answer goes to where the ping came from, whatever address stands in it.
#[test]
fn o4_a_stranger_is_answered_where_it_is() {
    let mut stage = Stage::new();
    let stranger = SocketAddr::from(([10, 9, 9, 9], 1_234));
    stage.packet(stranger, PING);
    let answers: Vec<_> = stage.packets.iter().map(|(to, data)| (*to, hex(data))).collect();
    assert_eq!(answers, [(stranger, "0282a75061796c6f6164c0a55365714e6f2a".to_owned())]);
}

/// A member that sends from another address than it listens at is answered there; but its acks
/// count from where it was asked only.
#[test]
fn a_member_is_answered_at_its_other_address_and_probed_at_its_own() {
    let mut stage = Stage::joined();
    let other = SocketAddr::from(([10, 1, 2, 9], 40_000));
    stage.packet(other, PING);
    let answers: Vec<_> = stage.packets.iter().map(|(to, data)| (*to, hex(data))).collect();
    assert_eq!(answers, [(other, "0282a75061796c6f6164c0a55365714e6f2a".to_owned())]);
    let seq = until_pinged(&mut stage);
    stage.packet(other, &format!("0282a75061796c6f6164c0a55365714e6f{seq}"));
    assert_eq!(stage.node.stats().probes_acked, 0);
    assert_eq!(stage.node.stats().acks_unexpected, 1);
}

/// Who announces version 3 is pinged over a stream when it does not answer, and nobody below.
#[test]
fn stream_pings_are_for_those_that_know_them() {
    for (vsn, is_dialed) in [("010302000000", true), ("010202000000", false)] {
        let mut stage = Stage::new();
        stage.stream(&PUSH_PULL.replace(VSN, vsn));
        stage.dialed = None;
        let seq = until_pinged(&mut stage);
        stage.run(Duration::from_millis(900));
        assert_eq!(stage.dialed.is_some(), is_dialed, "{vsn}");
        let Some(id) = stage.dialed else { continue };
        stage.writes.clear();
        stage.handle(Input::Stream { id, event: StreamEvent::Connected });
        let ping = format!("0085a44e6f6465a66e6f64652d61a55365714e6f{seq}");
        assert!(hex(&stage.writes).starts_with(&ping), "{}", hex(&stage.writes));
        let ack = bytes(&format!("0282a75061796c6f6164c0a55365714e6f{seq}"));
        stage.handle(Input::Stream { id, event: StreamEvent::Chunk(&ack) });
        assert_eq!(stage.node.stats().probes_saved_by_stream, 1);
    }
}

/// Waits for a ping of `node-a`, and returns its number as bytes.
fn until_pinged(stage: &mut Stage) -> String {
    for _ in 0..200 {
        stage.packets.clear();
        stage.run(Duration::from_millis(10));
        if let Some(seq) = seq_of_ping(stage, "node-a") {
            return seq;
        }
    }
    panic!("no ping within two seconds")
}

#[test]
fn it_is_probed_and_its_ack_counts() {
    let mut stage = Stage::joined();
    stage.run(Duration::from_secs(1));
    let ping = stage.sent().into_iter().find(|sent| sent.contains("0085a44e6f6465a66e6f64652d61"));
    let ping = ping.expect("a ping of node-a by name");
    let at = ping.find("a55365714e6f").expect("its number") + 12;
    let seq = if &ping[at..at + 2] == "ce" { &ping[at..at + 10] } else { &ping[at..at + 6] };
    assert!(ping.contains("aa536f7572636541646472a40a010204aa536f757263654e6f6465a66e6f64652d62"));
    let acked = stage.node.stats().probes_acked;
    let ack = format!("0282a75061796c6f6164c0a55365714e6f{seq}");
    let elsewhere = SocketAddr::from(([10, 1, 2, 9], 7946));
    stage.packet(elsewhere, &ack);
    assert_eq!(stage.node.stats().probes_acked, acked, "not from elsewhere");
    assert_eq!(stage.node.stats().acks_unexpected, 1);
    stage.packet(go(), &ack);
    assert_eq!(stage.node.stats().probes_acked, acked + 1);
    assert_eq!(stage.node.stats().acks_unexpected, 1);
    stage.packet(go(), &ack);
    assert_eq!(stage.node.stats().acks_unexpected, 2, "nobody waits for it any more");
}

/// The number in a ping of `node`, as bytes, if one was sent to the Go node.
fn seq_of_ping(stage: &Stage, node: &str) -> Option<String> {
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

/// Its address is all by which a sender is known: who only claims to be there, too, must not hide
/// the one that is.
#[test]
fn a_second_name_at_its_address_hides_nobody() {
    let mut stage = Stage::joined();
    stage.packet(go(), &alive("node-x", "0a010203", "01", VSN));
    let mut acked = [false; 2];
    for _ in 0..40 {
        stage.packets.clear();
        stage.run(Duration::from_millis(500));
        for (node, acked) in ["node-a", "node-x"].iter().zip(&mut acked) {
            if let Some(seq) = seq_of_ping(&stage, node) {
                let before = stage.node.stats().probes_acked;
                stage.packet(go(), &format!("0282a75061796c6f6164c0a55365714e6f{seq}"));
                *acked |= stage.node.stats().probes_acked > before;
            }
        }
    }
    assert_eq!(acked, [true; 2], "whichever was asked, is who answers from there");
    let name = |stage: &Stage| stage.node.member_at(go()).expect("somebody").name.to_string();
    assert_eq!(name(&stage), "node-a", "who was there first");
    let left = |node: &str| {
        let node = hex(node.as_bytes());
        format!("0583a446726f6da6{node}ab496e6361726e6174696f6e7fa44e6f6465a6{node}")
    };
    stage.packet(go(), &left("node-a"));
    assert_eq!(name(&stage), "node-x", "who lives");
    stage.packet(go(), &alive("node-a", "0a010203", "cc80", VSN));
    assert_eq!(name(&stage), "node-x");
    stage.packet(go(), &left("node-x"));
    assert_eq!(name(&stage), "node-a");
}

#[test]
fn what_it_says_of_us_is_refuted() {
    let mut stage = Stage::joined();
    stage.packet(go(), &verdict(3, "node-a", "01"));
    stage.run(Duration::from_secs(1));
    assert_eq!(stage.node.stamp().incarnation.0, 2);
    assert!(stage.has_sent(&own_claim(2)), "{:?}", stage.sent());
    // By one who is not known where it is, too: packets don't say who sends them.
    let elsewhere = SocketAddr::from(([10, 1, 2, 9], 7946));
    stage.packet(elsewhere, &verdict(5, "node-c", "7f"));
    assert_eq!(stage.node.stamp().incarnation.0, 128);
    stage.packet(go(), &verdict(5, "node-b", "cc80"));
    assert_eq!(stage.node.stamp().incarnation.0, 129, "that we left is no more true");
}

#[test]
fn o3_what_cannot_be_outbid_raises_an_alarm_once_and_wraps_nothing() {
    let mut stage = Stage::joined();
    stage.packet(go(), &verdict(3, "node-a", "ce7ffffffe"));
    assert_eq!(stage.node.stamp().incarnation.0, (1 << 31) - 1, "the highest there is");
    for incarnation in ["ce7fffffff", "ceffffffff", "ceffffffff", "ce80000000"] {
        stage.packet(go(), &verdict(5, "node-a", incarnation));
        assert_eq!(stage.node.stamp().incarnation.0, (1 << 31) - 1);
    }
    assert_eq!(stage.node.stats().rejected_for(Reject::Implausible), 4);
    let alarms = stage.events.iter().filter(|kind| matches!(kind, EventKind::Unbeatable { .. }));
    assert_eq!(alarms.count(), 2);
    assert_eq!(stage.node.stats().unbeatable, 4);
    assert_eq!(stage.node.local().state, State::Alive);
    // Of others it is not believed either.
    let alive = "0486a441646472a40a010203ab496e6361726e6174696f6ece80000000a44d657461c0a44e6f6465\
     a66e\
                 6f64652d61a4506f7274cd1f0aa356736ea6010502000000";
    stage.packet(go(), alive);
    assert_eq!(stage.node.member("node-a").map(|member| member.stamp.incarnation.0), Some(1));
}

/// A line of its table that is not of a living member says nothing but that.
#[test]
fn who_is_not_alive_in_its_table_is_not_made_alive_by_it() {
    let mut stage = Stage::joined();
    for state in 1..=3 {
        stage.stream(&table_of("node-c", "0a010205", "01", state));
        assert_eq!(stage.node.member("node-c"), None, "nobody is met as {state}");
    }
    stage.stream(&table_of("node-c", "0a010205", "00", 0));
    assert_eq!(stage.node.member("node-c"), None, "no node says 0");
    assert_eq!(stage.node.stats().rejected_for(Reject::Implausible), 1);
    stage.stream(&table_of("node-c", "0a010205", "01", 0));
    let member = stage.node.member("node-c").expect("it is in");
    // In doubt, and under a later incarnation; where it is, only a living one's line can say.
    stage.stream(&table_of("node-c", "0a010207", "05", 2));
    let doubted = stage.node.member("node-c").expect("it is in");
    assert_eq!((doubted.state, doubted.addr), (State::Suspect, member.addr));
    assert_eq!(doubted.stamp.incarnation.0, 5);
    assert_eq!(stage.node.stats().conflicts, 0);
    stage.stream(&table_of("node-c", "0a010205", "05", 3));
    assert_eq!(stage.node.member("node-c").map(|member| member.state), Some(State::Left));
    // The name is free, but not for one that is gone.
    stage.events.clear();
    for state in 1..=3 {
        stage.stream(&table_of("node-c", "0a010207", "05", state));
    }
    let member = stage.node.member("node-c").expect("it is known");
    assert_eq!((member.state, member.addr), (State::Left, doubted.addr));
    assert!(stage.events.iter().all(|kind| !matches!(kind, EventKind::Member { .. })));
}

/// Of others as of us: what nobody can have is refused, and that is counted.
#[test]
fn an_implausible_line_of_a_table_is_counted_whoever_it_is_about() {
    let mut stage = Stage::joined();
    for (nth, node) in ["node-a", "node-b"].into_iter().enumerate() {
        stage.stream(&table_of(node, "0a010203", "ce80000000", 2));
        let stats = stage.node.stats();
        assert_eq!(stats.rejected_for(Reject::Implausible), nth as u64 + 1, "{node}");
        assert_eq!(stats.unbeatable, nth as u64, "only what is said of us can't be outbid by us");
    }
    assert_eq!(stage.node.member("node-a").map(|member| member.state), Some(State::Alive));
}

/// Who has not heard of the leave yet finds out by gossip, not by suspecting a node that is there.
#[test]
fn after_a_leave_its_pings_are_answered_and_nothing_else_is() {
    let mut stage = Stage::joined();
    stage.node.set_ack_payload(Bytes::from_static(b"hi")).expect("short");
    stage.node.leave(stage.now, Duration::from_secs(5)).expect("it runs");
    stage.run(Duration::from_secs(60));
    let is_over = |kind: &EventKind| matches!(kind, EventKind::LeaveFinished { .. });
    assert!(stage.node.has_left() && stage.events.iter().any(is_over));
    stage.packet(go(), PING);
    assert_eq!(stage.sent(), ["0282a75061796c6f6164c0a55365714e6f2a"], "and without a payload");
    stage.events.clear();
    for packet in [verdict(3, "node-a", "01"), own_claim(9), "08786f".into()] {
        stage.packet(go(), &packet);
        assert!(stage.packets.is_empty() && stage.events.is_empty(), "{packet}");
    }
    stage.stream(&table_of("node-c", "0a010205", "01", 0));
    assert!(stage.node.member("node-c").is_none() && stage.events.is_empty());
    let before = stage.packets.len();
    stage.run(Duration::from_secs(10));
    assert_eq!(stage.packets.len(), before, "it says nothing by itself");
}

#[test]
fn it_leaves_and_returns() {
    let mut stage = Stage::joined();
    let left = "0583a446726f6da66e6f64652d61ab496e6361726e6174696f6e01a44e6f6465a66e6f64652d61";
    stage.packet(go(), left);
    assert_eq!(stage.node.member("node-a").map(|member| member.state), Some(State::Left));
    let alive = |incarnation: &str, meta: &str| {
        format!(
            "0486a441646472a40a010203ab496e6361726e617469\
             6f6e{incarnation}a44d657461{meta}a44e6f6465\
             a66e6f64652d61a4506f7274cd1f0aa356736ea6010502000000"
        )
    };
    stage.packet(go(), &alive("01", "c0"));
    assert_eq!(stage.node.member("node-a").map(|member| member.state), Some(State::Left));
    stage.packet(go(), &alive("ccc8", "a16d"));
    let member = stage.node.member("node-a").expect("it is back");
    assert_eq!((member.state, &member.meta[..]), (State::Alive, &b"m"[..]));
    let changes = stage.events.iter().filter_map(|kind| match kind {
        EventKind::Member { change, member } if member.name.as_str() == "node-a" => Some(*change),
        _ => None,
    });
    let word: Vec<MemberChange> = changes.collect();
    assert_eq!(word, [MemberChange::Joined, MemberChange::Left, MemberChange::Joined]);
}

/// Go compares addresses as bytes: one that came in sixteen is told on so, and used in four.
#[test]
fn an_address_of_four_bytes_in_sixteen_is_quoted_as_it_came() {
    let mut stage = Stage::joined();
    let mapped = "a441646472b000000000000000000000ffff0a010205";
    let alive = format!(
        "0486{mapped}ab496e6361726e6174696f6e01a44d657461c0a44e6f6465a66e6f64652d63a4506f7274cd1f0a\
         a356736ea6010502000000"
    );
    stage.packet(go(), &alive);
    let member = stage.node.member("node-c").expect("it is in");
    assert_eq!(member.addr, SocketAddr::from(([10, 1, 2, 5], 7946)));
    stage.run(Duration::from_secs(2));
    let to_c = stage.packets.iter().filter(|(to, _)| *to == member.addr).count();
    assert!(to_c > 0, "it is probed where it is");
    stage.writes.clear();
    stage.stream(PUSH_PULL);
    assert!(hex(&stage.writes).contains(mapped), "{}", hex(&stage.writes));
    // Again in the other form: the same address, no conflict.
    stage.packet(go(), &alive.replace(mapped, "a441646472a40a010205"));
    assert_eq!(stage.node.stats().conflicts, 0);
}

/// What `node-b` was in the table of others before ours came, in sixteen bytes.
#[test]
fn it_takes_the_form_of_its_address_from_who_was_here_before() {
    let four = "a441646472a40a010204";
    let sixteen = "a441646472b000000000000000000000ffff0a010204";
    let table = |incarnation: &str, state| {
        table_of("node-b", "0a010204", incarnation, state).replace(four, sixteen)
    };
    let claim = own_claim(5).replace(four, sixteen);
    // Alive, suspect, dead in a table, alive in a packet, under a higher incarnation or our own.
    for (said, next) in [("05", 6), ("01", 2)] {
        for state in 0..=2 {
            let mut stage = Stage::new();
            stage.stream(&table(said, state));
            assert_eq!(stage.node.stamp().incarnation.0, next, "{said} {state}");
            assert!(hex(&stage.writes).contains(sixteen), "{}", hex(&stage.writes));
            assert!(!hex(&stage.writes).contains(four));
            stage.stream(PUSH_PULL);
            stage.run(Duration::from_secs(1));
            let expected = own_claim(next as u8).replace(four, sixteen);
            assert!(stage.has_sent(&expected), "{:?}", stage.sent());
            assert_eq!(stage.node.stats().conflicts, 0);
        }
    }
    let mut stage = Stage::joined();
    stage.packet(go(), &claim);
    stage.run(Duration::from_secs(1));
    assert!(stage.has_sent(&own_claim(6).replace(four, sixteen)), "{:?}", stage.sent());
    // What is older than our own word, or of another address, changes nothing.
    stage.packet(go(), &own_claim(5));
    stage.stream(&table_of("node-b", "0a010204", "05", 2));
    stage.stream(&table_of("node-b", "0a010205", "09", 2));
    stage.packet(go(), &verdict(3, "node-a", "09"));
    stage.run(Duration::from_secs(1));
    assert!(stage.has_sent(&own_claim(10).replace(four, sixteen)), "{:?}", stage.sent());
    // And back, if that is what others hold.
    stage.packet(go(), &own_claim(11));
    stage.run(Duration::from_secs(1));
    assert!(stage.has_sent(&own_claim(12)), "{:?}", stage.sent());
    let member = stage.node.local();
    assert_eq!(member.addr, SocketAddr::from(([10, 1, 2, 4], 7946)));
}

#[test]
fn it_asks_for_help_and_is_helped() {
    let mut stage = Stage::joined();
    let alive_c = "0486a441646472a40a010205ab496e6361726e6174696f6e01a44d657461c0a44e6f6465a66e6f\
     6465\
                   2d63a4506f7274cd1f0aa356736ea6010502000000";
    stage.packet(go(), alive_c);
    let target = SocketAddr::from(([10, 1, 2, 5], 7946));
    let request = |ip: &str| {
        format!(
            "0188a44e61636bc3a44e6f6465a66e6f64652d63a4506f7274cd1f0aa55365714e6f2aaa536f757263654\
             16464\
             72a40a010203aa536f757263654e6f6465a66e6f64652d61aa536f75726365506f7274cd1f0aa65461726\
             76574\
             a4{ip}"
        )
    };
    stage.packet(go(), &request("0a010205"));
    let (_, ping) = stage.packets.iter().find(|(to, _)| *to == target).expect("it is asked");
    let ping = hex(ping);
    let at = ping.find("a55365714e6f").expect("its number") + 12;
    let seq = ping[at..at + 10].to_owned();
    stage.packet(target, &format!("0282a75061796c6f6164c0a55365714e6f{seq}"));
    assert!(stage.has_sent("0282a75061796c6f6164c0a55365714e6f2a"), "{:?}", stage.sent());
    // Where nobody of that name is known to be, nothing is sent; the nack comes at once.
    stage.packet(go(), &request("0a090909"));
    assert!(stage.packets.iter().all(|(to, _)| *to == go()), "{:?}", stage.packets);
    assert!(stage.has_sent("0b81a55365714e6f2a"), "{:?}", stage.sent());
    // From a stranger it is no request at all.
    let before = stage.packets.len();
    stage.handle(Input::Packet {
        from: ([10, 9, 9, 9], 1).into(),
        data: &bytes(&request("0a010205")),
    });
    assert_eq!(stage.packets.len(), before);
    assert_eq!(stage.node.stats().rejected_for(Reject::Stranger), 1);
}

/// A peer of version 4 is asked for nacks, and one of version 3 is not, nor is it waited for.
#[test]
fn nacks_are_for_those_that_know_them() {
    for (vsn, nack) in [("010402000000", "c3"), ("010302000000", "c2")] {
        let mut stage = Stage::new();
        stage.stream(&PUSH_PULL.replace(VSN, vsn));
        stage.packet(go(), &alive("node-c", "0a010205", "01", VSN));
        let asks = format!("0188a44e61636b{nack}");
        for _ in 0..60 {
            stage.packets.clear();
            stage.run(Duration::from_millis(200));
            if let Some(seq) = seq_of_ping(&stage, "node-a") {
                stage.packet(go(), &format!("0282a75061796c6f6164c0a55365714e6f{seq}"));
            }
            if stage.has_sent(&asks) {
                break;
            }
        }
        assert!(stage.has_sent("a44e61636b"), "it is asked for help: {vsn}");
        assert!(stage.has_sent(&asks), "{vsn}");
    }
    // What the requester wants holds the other way round.
    let mut stage = Stage::joined();
    let request = |nack: &str| {
        format!(
            "0188a44e61636b{nack}a44e6f6465a66e6f64652d63a4506f7274cd1f0aa55365714e6f2aaa536f7572\
             636541646472a40a010203aa536f757263654e6f6465a66e6f64652d61aa536f75726365506f7274cd1f0a\
             a6546172676574a40a090909"
        )
    };
    stage.packet(go(), &request("c2"));
    assert!(!stage.has_sent("0b81a55365714e6f2a"), "{:?}", stage.sent());
    stage.packet(go(), &request("c3"));
    assert!(stage.has_sent("0b81a55365714e6f2a"), "{:?}", stage.sent());
    assert_eq!(stage.node.stats().relays_refused, 2);
}

/// Who asks for help for nobody in particular must not think less of itself for it.
#[test]
fn a_nack_is_due_also_where_no_target_is_named() {
    let mut stage = Stage::joined();
    for (nack, is_sent) in [("c3", true), ("c2", false)] {
        stage.packet(
            go(),
            &format!("0184a44e61636b{nack}a4506f7274cd1f0aa55365714e6f2aa6546172676574a40a010209"),
        );
        assert_eq!(stage.has_sent("0b81a55365714e6f2a"), is_sent);
    }
    assert_eq!(stage.node.stats().relays_refused, 2);
}

#[test]
fn a_reliable_message_is_done_when_its_last_byte_went_out() {
    let finished = |stage: &mut Stage| -> Vec<_> {
        let is_over = |kind: &EventKind| match kind {
            EventKind::SendFinished { result, .. } => Some(*result),
            _ => None,
        };
        let all = stage.events.iter().filter_map(is_over).collect();
        stage.events.clear();
        all
    };
    // What the driver says after the bytes were handed to it, and what has come of the message.
    let ends: [(&[StreamEvent<'_>], _); 4] = [
        (&[StreamEvent::Drained], Ok(())),
        (&[StreamEvent::Finished, StreamEvent::Drained], Ok(())),
        (&[StreamEvent::Failed], Err(DeliveryError::Unconfirmed)),
        (&[StreamEvent::Finished, StreamEvent::Failed], Err(DeliveryError::Unconfirmed)),
    ];
    let mut stage = Stage::joined();
    for (events, result) in ends {
        (stage.writes, stage.closed) = (Vec::new(), false);
        stage.node.send_reliable(stage.now, "node-a", "hi".into()).expect("it is a member");
        stage.drain();
        let id = stage.dialed.expect("a stream of ours");
        stage.handle(Input::Stream { id, event: StreamEvent::Connected });
        assert_eq!(hex(&stage.writes), "0881aa557365724d73674c656e026869");
        for &event in events {
            assert_eq!((finished(&mut stage), stage.closed), (vec![], false), "{event:?}");
            stage.handle(Input::Stream { id, event });
        }
        assert_eq!((finished(&mut stage), stage.closed), (vec![result], result.is_ok()));
    }
    // A reader that takes nothing.
    stage.node.send_reliable(stage.now, "node-a", "hi".into()).expect("it is a member");
    stage.drain();
    let id = stage.dialed.expect("a stream of ours");
    stage.handle(Input::Stream { id, event: StreamEvent::Connected });
    stage.run(Duration::from_secs(11));
    assert_eq!(finished(&mut stage), [Err(DeliveryError::Unconfirmed)]);
}

#[test]
fn its_messages_reach_the_application() {
    let mut stage = Stage::joined();
    stage.packet(go(), "086869");
    stage.stream("0881aa557365724d73674c656e026869");
    let messages: Vec<_> = stage
        .events
        .iter()
        .filter_map(|kind| match kind {
            EventKind::Message { from, payload, reliable, .. } => {
                Some((from.as_str(), &payload[..], *reliable))
            }
            _ => None,
        })
        .collect();
    assert_eq!(messages, [("node-a", &b"hi"[..], false), ("10.1.2.3:40000", b"hi", true)]);
    assert!(stage.writes.is_empty() && stage.closed, "nobody waits for an answer");
    // Go tells its application nothing of an empty one.
    stage.events.clear();
    stage.stream("0881aa557365724d73674c656e00");
    let words = stage.events.iter().filter_map(|kind| match kind {
        EventKind::Message { payload, reliable, .. } => Some((payload.len(), *reliable)),
        _ => None,
    });
    assert_eq!(words.collect::<Vec<_>>(), [(0, true)]);
}

/// CRCs go to those that are known to check them, and only to those.
#[test]
fn checksums_go_to_those_that_know_them() {
    let mut stage = Stage::joined();
    stage.packet(go(), PING);
    assert!(stage.sent().iter().all(|sent| sent.starts_with("0c")), "{:?}", stage.sent());
    let mut stage = Stage::new();
    stage.stream(&PUSH_PULL.replace("a6010502000000", "a6010402000000"));
    stage.packet(go(), PING);
    assert!(!stage.sent().is_empty());
    assert!(stage.sent().iter().all(|sent| !sent.starts_with("0c")), "{:?}", stage.sent());
}

#[test]
fn who_claims_a_name_from_where_it_is_makes_a_conflict() {
    // The claim that `node-a` is alive elsewhere, under the incarnation it has where it is.
    let claim = "0486a441646472a40a010209ab496e6361726e6174696f6e01a44d657461c0a44e6f6465a66e6f6465\
                 2d61a4506f7274cd1f0aa356736ea6010502000000";
    let mut stage = Stage::joined();
    let is_conflict = |kind: &&EventKind| matches!(kind, EventKind::Conflict { .. });
    stage.packet(SocketAddr::from(([10, 1, 2, 8], 7946)), claim);
    assert_eq!(stage.events.iter().find(is_conflict), None, "others may tell what is outdated");
    let elsewhere = SocketAddr::from(([10, 1, 2, 9], 7946));
    stage.packet(elsewhere, claim);
    let Some(EventKind::Conflict { holder, other_addr, .. }) =
        stage.events.iter().find(is_conflict)
    else {
        panic!("{:?}", stage.events)
    };
    assert_eq!((holder.addr, *other_addr), (go(), elsewhere));
}
