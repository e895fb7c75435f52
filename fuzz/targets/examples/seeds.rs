//! Writes the inputs that fuzzing begins with into the corpora: packets and streams of a small
//! world and of memberlist's own nodes, short scripts, and the scenarios.
//!
//! ```text
//! cargo run -p swim-fuzz-targets --example seeds
//! ```

use std::{
    cell::RefCell,
    collections::BTreeSet,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    rc::Rc,
    time::Duration,
};

use bytes::Bytes;
use etherparse::PacketBuilder;
use swim_core::{Dialect, Input, Instant, MemberlistOptions, Node, Options, Output, StreamEvent};
use swim_fuzz_targets::{CUTS, Mood, kinds, real_answer};
use swim_sim::{Step, World, addr, check::Checker, name};

fn main() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
    let root = corpora.join("../..");
    for (dialect, packets, streams) in [
        (Dialect::Native, "native_packet", "native_stream"),
        (
            Dialect::Memberlist(MemberlistOptions::default()),
            "memberlist_packet",
            "memberlist_stream",
        ),
    ] {
        // As they are, and with the checksum put right, which is what their changes need.
        let choice = if dialect == Dialect::Native { 0x84 } else { 0x04 };
        let says = |packet: &Bytes| kinds(packets, &[&[choice], &packet[..]].concat());
        for (nth, packet) in choose(recorded(dialect), PACKETS, says).iter().enumerate() {
            put(&corpora.join(packets), &format!("world-{nth:02}"), &[&[choice], &packet[..]]);
        }
        for (nth, stream) in written(dialect).iter().enumerate() {
            let head = [choice, 7, 1, 0, 90];
            put(&corpora.join(streams), &format!("world-{nth:02}"), &[&head, stream]);
        }
        for choice in [choice & 0x80, 0x01] {
            answered(streams, choice, &corpora.join(streams));
        }
        let frames = choose(recorded(dialect), FRAMES, |_| BTreeSet::new());
        let capture = captured(&frames, &written(dialect));
        put(&corpora.join("capture"), &format!("world-{choice:02x}"), &[&capture]);
    }
    golden(&root.join("swim-core/tests/golden/memberlist"), &corpora);
    texts(&root.join("swim-sim/scenarios"), &corpora.join("text"));
    scripts(&corpora);
}

/// How many packets of a world are kept.
const PACKETS: usize = 16;

/// How many packets are in a capture.
const FRAMES: usize = 4;

/// Notes what is sent to the first host.
#[derive(Default)]
struct Ear(Rc<RefCell<Vec<Bytes>>>);

impl Checker for Ear {
    fn id(&self) -> &'static str {
        "ear"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        let heard = step.sent.iter().filter(|(to, _)| *to == addr(0));
        self.0.borrow_mut().extend(heard.map(|(_, data)| data.clone()));
        Ok(())
    }

    fn looks(&self) -> u64 {
        self.0.borrow().len() as u64
    }
}

/// What the first host of a small world is sent while others come, speak, leave and crash.
fn recorded(dialect: Dialect) -> Vec<Bytes> {
    let heard = Rc::new(RefCell::new(Vec::new()));
    let mut world: World<Node> = World::new(1);
    world.watch(Box::new(Ear(Rc::clone(&heard))));
    for id in 0..5 {
        world.start(id, |options| options.dialect = dialect);
        if id > 0 {
            world.join(id, &[0]);
        }
    }
    world.run(3 * SECOND);
    world.update(1);
    world.shout(2);
    world.run(SECOND);
    world.leave(3);
    world.crash(4);
    world.call(1, |node, now| node.send_best_effort(now, &name(0), b"to you")).expect("it fits");
    // What nobody hears is told later, and what few hear is asked for.
    for loss in [1.0, 0.0] {
        world.network.link.loss = loss;
        (0..5).for_each(|_| assert!(world.shout(2)));
        world.run(SECOND / 2);
    }
    world.network.link.loss = 0.3;
    for _ in 0..20 {
        world.shout(2);
        world.run(SECOND);
    }
    heard.take()
}

/// Each that says something new, and then those of different lengths, evenly.
fn choose(
    packets: Vec<Bytes>,
    most: usize,
    says: impl Fn(&Bytes) -> BTreeSet<&'static str>,
) -> Vec<Bytes> {
    let (mut said, mut lens) = (BTreeSet::new(), BTreeSet::new());
    let says_more = |packet: &Bytes| {
        let before = said.len();
        said.extend(says(packet));
        said.len() > before
    };
    let (mut chosen, others): (Vec<_>, Vec<_>) = packets.into_iter().partition(says_more);
    let mut others: Vec<_> = others.into_iter().filter(|it| lens.insert(it.len())).collect();
    others.sort_by_key(Bytes::len);
    let places = most.saturating_sub(chosen.len()).max(1);
    let step = others.len().div_ceil(places).max(1);
    chosen.extend(others.into_iter().step_by(step));
    chosen
}

/// What a node writes on streams: to join, to deliver, and to ping.
fn written(dialect: Dialect) -> Vec<Vec<u8>> {
    let mut node = node(1, dialect);
    node.set_local_state("what is ours".into()).expect("it fits");
    let mut streams = Vec::new();
    node.join(BEGINNING, &[addr(0)], SECOND).expect("a new node may join");
    streams.extend(dialed(&mut node, BEGINNING));
    let mut other = self::node(0, dialect);
    other.join(BEGINNING, &[addr(1)], SECOND).expect("a new node may join");
    let request = dialed(&mut other, BEGINNING).concat();
    let id = swim_core::StreamId::accepted(1);
    for event in [StreamEvent::Accepted { from: addr(0) }, StreamEvent::Chunk(&request)] {
        node.handle(BEGINNING, Input::Stream { id, event });
    }
    let delivery = Bytes::from_static(b"something that must arrive");
    node.send_reliable(BEGINNING, &name(0), delivery).expect("it knows the other");
    streams.extend(dialed(&mut node, BEGINNING));
    node.join(BEGINNING, &[addr(2)], SECOND).expect("it may join again");
    streams.extend(dialed(&mut node, BEGINNING));
    // Nobody answers its packets.
    let pings = |streams: &[Vec<u8>]| streams.iter().any(|it| says_ping(dialect, it));
    for nth in 1..100 {
        let now = BEGINNING + nth * SECOND / 10;
        node.handle(now, Input::Tick);
        streams.extend(dialed(&mut node, now).into_iter().filter(|it| says_ping(dialect, it)));
        if pings(&streams) {
            break;
        }
    }
    streams
}

/// What real peers answer, to each errand and in each mood: as it is, and sealed.
fn answered(target: &str, choice: u8, corpus: &Path) {
    for (mood, how) in [(Mood::Usual, "usual"), (Mood::Anew, "anew"), (Mood::Averse, "averse")] {
        for (errand, what) in [(0x20, "exchange"), (0x40, "delivery"), (0x60, "ping")] {
            let answer = real_answer(target, choice | errand, mood);
            let (head, name) =
                ([choice | errand, 7, 1, 0, 90], format!("{what}-{how}-{choice:02x}"));
            // A mood that makes no difference to an answer has none of its own.
            let is_new =
                mood == Mood::Usual || answer != real_answer(target, choice | errand, Mood::Usual);
            if is_new && !answer.is_empty() {
                put(corpus, &name, &[&head, &answer]);
            }
        }
    }
}

/// Whether a stream begins with a ping.
fn says_ping(dialect: Dialect, stream: &[u8]) -> bool {
    let target = if dialect == Dialect::Native { "native_stream" } else { "memberlist_stream" };
    kinds(target, &[&[0x84, 7, 1, 0, 90], stream].concat()).contains("ping")
}

/// What a node writes on each stream that it dials.
fn dialed(node: &mut Node, now: Instant) -> Vec<Vec<u8>> {
    let mut streams: Vec<(swim_core::StreamId, Vec<u8>)> = Vec::new();
    while let Some(output) = node.poll_output() {
        match output {
            Output::Dial { id, .. } => {
                streams.push((id, Vec::new()));
                node.handle(now, Input::Stream { id, event: StreamEvent::Connected });
            }
            Output::Write { id, data } => {
                node.handle(now, Input::Stream { id, event: StreamEvent::Drained });
                let stream = streams.iter_mut().find(|(of, _)| *of == id);
                stream.into_iter().for_each(|(_, bytes)| bytes.extend(&data));
            }
            _ => {}
        }
    }
    streams.into_iter().map(|(_, bytes)| bytes).collect()
}

fn node(id: usize, dialect: Dialect) -> Node {
    let here: SocketAddr = addr(id);
    let mut options = Options::local(name(id), here);
    options.dialect = dialect;
    Node::new(options.build().expect("these options are valid"), [id as u8; 32], BEGINNING)
}

/// What memberlist's own nodes said, where it is plain.
fn golden(dir: &Path, corpora: &Path) {
    let mut seen = BTreeSet::new();
    for run in ["ml060-plain", "ml060-label", "serf094-plain", "serf094-plain-nocompress"] {
        let text = fs::read_to_string(dir.join(format!("{run}.txt"))).expect("it can be read");
        let mut place = "";
        for (nth, line) in text.lines().enumerate() {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            if word != "hex" {
                place = if word == "=" { place } else { word };
                continue;
            }
            let bytes = unhex(rest);
            // One of each sort is enough: runs repeat themselves.
            if bytes.len() > 2048 || !seen.insert((place.to_owned(), bytes.len() / 24)) {
                continue;
            }
            let name = format!("{run}-{nth:03}");
            if place == "packet" {
                put(&corpora.join("memberlist_packet"), &name, &[&[4], &bytes]);
            } else {
                let head = [4, 7, 1, 0, 90];
                assert_eq!(head.len(), 1 + CUTS);
                put(&corpora.join("memberlist_stream"), &name, &[&head, &bytes]);
            }
        }
    }
}

fn unhex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.map(|pair| byte(pair).expect("golden files hold digits")).collect()
}

/// A capture of packets and streams, the second half of a stream before its first.
fn captured(packets: &[Bytes], streams: &[Vec<u8>]) -> Vec<u8> {
    const RAW_IP: u32 = 101;
    let ip = || PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64);
    let mut frames = Vec::new();
    for data in packets {
        let mut frame = Vec::new();
        ip().udp(7946, 7946).write(&mut frame, data).expect("a packet fits");
        frames.push(frame);
    }
    for (port, bytes) in (50_000..).zip(streams) {
        let (head, tail) = bytes.split_at(bytes.len() / 2);
        let begin = ip().tcp(port, 7946, 99, 1000).syn();
        let rest = ip().tcp(port, 7946, 100 + head.len() as u32, 1000).ack(1);
        let first = ip().tcp(port, 7946, 100, 1000).ack(1);
        for (builder, payload) in [(begin, &[][..]), (rest, tail), (first, head)] {
            let mut frame = Vec::new();
            builder.write(&mut frame, payload).expect("a segment fits");
            frames.push(frame);
        }
    }
    let head = [0xA1B2_C3D4, 0x0004_0002, 0, 0, 65_535, RAW_IP];
    let mut file: Vec<u8> = head.iter().flat_map(|number| number.to_le_bytes()).collect();
    for (second, frame) in (1_800_000_000..).zip(frames) {
        let len = frame.len() as u32;
        file.extend([second, 0, len, len].iter().flat_map(|number| number.to_le_bytes()));
        file.extend(frame);
    }
    file
}

fn texts(scenarios: &Path, corpus: &Path) {
    for entry in fs::read_dir(scenarios).expect("there are scenarios") {
        let path: PathBuf = entry.expect("a directory can be read").path();
        let text = fs::read(&path).expect("a scenario can be read");
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        put(corpus, &format!("scenario-{name}"), &[&text]);
    }
    let plan = swim_sim::explore::Plan::draw(3, Default::default(), &Default::default());
    let mut plan = plan;
    plan.actions.truncate(6);
    put(corpus, "plan", &[plan.to_json().as_bytes()]);
    for (name, text) in [
        ("key", "c2l4dGVlbiBvZiBieXRlcw=="),
        ("cidr", "10.0.0.0/8"),
        ("span", "1m 2s 3ms"),
        ("setting", "probe_interval = 1500ms"),
        ("setting-fine", "stream_timeout=1s 2us 3ns"),
        ("setting-never", "reclaim_after=never"),
        ("name", "node-1.example"),
        ("profile", "lan"),
        ("keyring-file", r#"["c2l4dGVlbiBvZiBieXRlcw==","EBESExQVFhcYGRobHB0eHw=="]"#),
        ("commands", "broadcast hi\nmeta a b\nkeys add c2l4dGVlbiBvZiBieXRlcw==\nmembers\nleave\n"),
        ("arguments", "agent\n--node\na\n--bind=127.0.0.1:0\n--join\nb:1\n--set\nreap_after=1h"),
        ("arguments-decode", "decode\n--dialect\nmemberlist\n--key\nc2l4dGVlbiBvZiBieXRlcw==\n-"),
    ] {
        put(corpus, name, &[text.as_bytes()]);
    }
}

/// Scripts that let the usual happen, for the fuzzer to make the unusual of.
fn scripts(corpora: &Path) {
    // Deliver all that the peers say on streams, then ticks and packets both ways.
    let begin: Vec<u8> = [10, 0].repeat(6);
    let round: Vec<u8> = [0, 7, 8, 0, 8, 1, 8, 2, 3, 0, 3, 1, 3, 2].to_vec();
    let rounds = round.repeat(12);
    let speak =
        [9, 1, 0, 3, b'a', b'b', b'c', 9, 0, 0, 1, b'm', 9, 4, 1, 0, 15, 0, 1, 2, b'x', b'y'];
    let leave = [9, 6, 0, 0];
    let silence = [2, 255].repeat(8);
    let changed = [5, 12, 1, 1, 0, 5, 40, 255, 1, 1];
    // The two streams that were dialed last: connected, heard, and answered in up to two pieces.
    let dialed: Vec<u8> = [0, 1, 3, 2, 1, 3, 8, 9, 11, 10, 9, 11].map(|how| [11, how, 0]).concat();
    let join = [9, 7, 0, 0];
    let deliver = [9, 3, 1, 2, b'h', b'i'];
    let wait = [0; 4];
    let one_wrong = [11, 0, 0, 11, 1, 0, 11, 7, 2, 40, 1];
    for old in [0, 0x80] {
        for guard in 0..3 {
            let node = corpora.join("node");
            let head = [old | guard];
            let name = |what: &str| format!("{what}-{old:02x}-{guard}");
            put(&node, &name("talk"), &[&head, &begin, &rounds, &speak, &rounds, &leave, &round]);
            put(&node, &name("fail"), &[&head, &begin, &round, &silence, &round, &silence]);
            put(&node, &name("lie"), &[&head, &begin, &round, &changed, &rounds, &changed]);
            let ask = [&join[..], &dialed, &dialed, &deliver, &dialed, &dialed, &begin].concat();
            let ping = [&wait[..], &dialed].concat().repeat(6);
            let wrong = [&join[..], &one_wrong, &deliver, &one_wrong].concat();
            let told = [&[15, 0, 2, 2, b'x', b'y'][..], &begin].concat();
            put(&node, &name("ask"), &[&head, &begin, &ask, &told, &ping, &rounds, &wrong]);
        }
    }
    answers_in_scripts(&corpora.join("node"));
    cluster_scripts(&corpora.join("cluster"));
    let parts: [(&str, u8, &[u8]); 11] = [
        ("nack", 5, &[1; 8]),
        ("ping", 1, &[7; 21]),
        ("suspect", 7, b"\x02p1\x01\x01\x02p2"),
        ("dead", 8, b"\x02p1\x01\x01\x02p2"),
        ("left", 9, b"\x02p1\x01\x01\x00"),
        ("broadcast", 10, b"\x02p1\x01\x01\x03\x03abc"),
        ("direct", 12, b"\x04more"),
        ("exchange-head", 0x80 | 32, &[1, 5, 6]),
        ("state-piece", 0x80 | 34, b"\x04more"),
        ("delivery-head", 0x80 | 35, &[7]),
        ("refused", 0x80 | 38, b"\x02no"),
    ];
    for (name, kind, part) in parts {
        // The same, another first byte, and a first number that is one byte longer than it must be.
        let first = part[0];
        let overlong = [first | 0x80, 0];
        for (how, piece) in [("same", &[first][..]), ("other", &[3]), ("long", &overlong)] {
            let head = [kind, 0, 1, piece.len() as u8];
            put(&corpora.join("one_encoding"), &format!("{name}-{how}"), &[&head, piece, part]);
        }
    }
}

/// The same for three nodes.
fn cluster_scripts(corpus: &Path) {
    let calm = [4, 60, 0, 1, 0, 5, 60, 1, 0, 0, 4, 90, 2, 0, 0];
    for (name, script) in [
        ("crash", [&[1][..], &calm, &[0, 255, 2, 0, 0, 4, 250, 1, 0, 0, 1, 200, 2, 0, 0]].concat()),
        ("leave", [&[2][..], &calm, &[2, 200, 1, 0, 0, 3, 200, 1, 0, 0, 4, 99, 1, 0, 0]].concat()),
        ("cut", [&[3][..], &calm, &[8, 255, 1, 0, 0, 4, 250, 1, 0, 0, 9, 255, 0, 0, 0]].concat()),
        (
            "loss",
            [&[4][..], &calm, &[10, 255, 0, 0, 200, 6, 250, 1, 0, 90, 5, 255, 0, 0, 0]].concat(),
        ),
        ("remove", [&[5][..], &calm, &[0, 255, 2, 0, 0, 0, 255, 2, 0, 0, 13, 9, 0, 2, 0]].concat()),
        (
            "jump",
            [&[6][..], &calm, &[14, 255, 2, 0, 101, 14, 90, 1, 0, 200, 15, 99, 0, 0, 9]].concat(),
        ),
        (
            "recorded",
            [
                &[0x81][..],
                &calm,
                &[0xe0, 250, 0, 0, 64, 0xe1, 50, 1, 0, 7, 0xe4, 200, 2, 1, 9, 3, 250, 2, 0, 0],
                &[0xe2, 99, 0, 1, 0, 0xe3, 250, 1, 0, 0, 0xe1, 50, 1, 0, 200, 0xe2, 99, 1, 2, 30],
            ]
            .concat(),
        ),
        (
            "forged",
            [
                &[0x82][..],
                &calm,
                &[0xe5, 60, 1, 0, 2, 0xe6, 60, 2, 0, 1, 0xe7, 20, 0, 1, 5, 2, 250, 2, 0, 0],
                &[0xe5, 60, 0, 1, 1, 0, 250, 1, 0, 0, 0xe6, 250, 0, 2, 4, 1, 250, 1, 0, 0],
            ]
            .concat(),
        ),
        ("insider", [&[0x83][..], &calm, &lies()].concat()),
        ("insider-memberlist", [&[0xa3][..], &calm, &lies()].concat()),
    ] {
        put(corpus, name, &[&script]);
    }
}

/// One of each kind of those that are told with the key, in a packet and in a table, and at last
/// the name of one that is gone.
fn lies() -> Vec<u8> {
    /// The next incarnation, and the next life but two incarnations.
    const NEAR: [u8; 2] = [3, 3 * 8];
    let told = |what: u8| {
        let (host, from, about) = (what % 3, (what % 3 + 1) % 3, (what % 3 + 2) % 3);
        [what, 90, host, from, NEAR[usize::from(what >> 3 & 1)] + about]
    };
    let one_by_one: Vec<u8> = (0xf0..=0xff).flat_map(told).collect();
    let gone = [0, 20, 2, 0, 0, 0xf2, 255, 0, 1, NEAR[0] + 2];
    let wait = [9, 255, 0, 0, 0].repeat(3);
    let name = [0xf6, 200, 0, 1, NEAR[1] + 2, 1, 250, 2, 0, 0];
    [&one_by_one[..], &gone, &wait, &name].concat()
}

/// Whatever real peers answer, said by the script itself, so that any of it can be changed.
fn answers_in_scripts(corpus: &Path) {
    let begin: Vec<u8> = [10, 0].repeat(6);
    let (join, deliver, wait) = ([9, 7, 0, 0], [9, 3, 1, 2, b'h', b'i'], [0; 4]);
    for (mood, how) in [(Mood::Usual, "usual"), (Mood::Anew, "anew"), (Mood::Averse, "averse")] {
        let mut script = [&[0][..], &begin].concat();
        for (what, asks) in [(0x20, &join[..]), (0x40, &deliver), (0x60, &wait)] {
            let answer = real_answer("native_stream", what, mood);
            script.extend([asks, &[11, 0, 0]].concat());
            for piece in answer.chunks(255) {
                script.extend([11, 6, piece.len() as u8]);
                script.extend(piece);
            }
        }
        put(corpus, &format!("answer-{how}"), &[&script]);
    }
}

fn put(dir: &Path, name: &str, pieces: &[&[u8]]) {
    fs::create_dir_all(dir).expect("a corpus can be made");
    let mut bytes = pieces.concat();
    bytes.truncate(INPUT_LEN_MAX);
    fs::write(dir.join(name), bytes).expect("an input can be written");
}

/// The longest input, in bytes.
const INPUT_LEN_MAX: usize = 4096;

const SECOND: Duration = Duration::from_secs(1);

const BEGINNING: Instant = Instant::from_millis(1_000);
