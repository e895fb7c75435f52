//! Nodes by number, and the streams between two of them, in memory.

use std::{
    net::SocketAddr,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use swim_core::{
    Bytes, Dialect, Input, Instant, Key, Keyring, Life, Node, Options, Output, StreamEvent,
    StreamId,
};

use super::{Dice, traffic};

/// When everything begins.
pub const START: Instant = Instant::from_millis(1_000);

/// The number of the node that is measured.
pub const SUBJECT: usize = 0;

/// The highest number a node can have, and one more.
pub const NUMBERS: usize = 100_000;

/// The wall clock at the start, which is also where lives begin.
const UNIX_TIME: Duration = Duration::from_secs(1_760_000_000);

/// What all nodes speak; the native dialect unless it was set.
pub static DIALECT: OnceLock<Dialect> = OnceLock::new();

/// The name of a node: ten characters, as in `node-12345`.
pub fn name(number: usize) -> String {
    format!("node-{number:05}")
}

/// The address of a node.
pub fn addr(number: usize) -> SocketAddr {
    let [.., a, b, c] = u32::try_from(number).expect("a small number").to_be_bytes();
    SocketAddr::from(([10, a, b, c], 7946))
}

/// The number of the node at an address.
pub fn number_at(addr: SocketAddr) -> usize {
    match addr {
        SocketAddr::V4(addr) => (addr.ip().to_bits() & 0x00FF_FFFF) as usize,
        SocketAddr::V6(_) => unreachable!("all nodes have IPv4 addresses"),
    }
}

/// How a node is set up: as in a data centre, in a cluster of any size.
pub fn options(number: usize, sealed: bool) -> Options {
    let mut options = Options::lan(name(number), addr(number));
    options.life = Life(u64::try_from(UNIX_TIME.as_millis()).expect("fits") - number as u64);
    options.unix_time = Some(UNIX_TIME);
    options.members_max = 2 * NUMBERS;
    options.dialect = DIALECT.get().copied().unwrap_or_default();
    options.keyring = sealed.then(|| Keyring::new(Key::new(&[7; 32]).expect("32 bytes")));
    options
}

/// A node with these options. No two draw the same nonces.
pub fn node(options: Options) -> Node {
    static SEEDS: AtomicU64 = AtomicU64::new(0);
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&SEEDS.fetch_add(1, Ordering::Relaxed).to_le_bytes());
    let mut node = Node::new(options.build().expect("good options"), seed, START);
    drain(&mut node);
    node
}

/// A node that others hear of or that carries news, but that does nothing of its own accord.
pub fn extra(number: usize, sealed: bool) -> Node {
    let mut options = options(number, sealed);
    options.probe_interval = Duration::from_secs(3_600);
    options.gossip_nodes = 0;
    node(options)
}

/// Takes everything that waits to go out, and forgets it.
pub fn drain(node: &mut Node) {
    while let Some(output) = node.poll_output() {
        std::hint::black_box(&output);
    }
}

/// The packets that wait to go out, with the number of who gets them. Forgets everything else.
pub fn packets_from(node: &mut Node) -> Vec<(usize, Bytes)> {
    let mut packets = Vec::new();
    while let Some(output) = node.poll_output() {
        if let Output::SendPacket { to, data } = output {
            packets.push((number_at(to), data));
        }
    }
    packets
}

/// The only packet that waits to go out.
pub fn packet_from(node: &mut Node) -> Bytes {
    let mut packets = packets_from(node);
    assert_eq!(packets.len(), 1, "exactly one packet");
    packets.remove(0).1
}

/// A node that knows `n` members, itself included: those below `n`, in a random order that `seed`
/// decides. They were all there before it came, so it has no news to pass on.
pub fn member_of(options: Options, n: usize, seed: u64) -> Node {
    let mut member = node(options);
    if n > 1 {
        let number = number_at(member.local().addr);
        let sealed = member.keyring().is_some();
        let order = Dice::new(seed).shuffled(0..n);
        let others: Vec<usize> = order.into_iter().filter(|&other| other != number).collect();
        let (&teacher, taught) = others.split_first().expect("at least one other");
        let mut teacher = extra(teacher, sealed);
        traffic::introduce_all(taught, &mut teacher);
        exchange(&mut teacher, &mut member);
    }
    assert_eq!(member.counts().alive, n);
    member
}

/// The next id for a stream that a node accepts.
pub fn accepted() -> StreamId {
    static STREAMS: AtomicU64 = AtomicU64::new(0);
    StreamId::accepted(STREAMS.fetch_add(1, Ordering::Relaxed))
}

/// Lets `dialer` join through `listener`: each knows afterwards what both knew.
pub fn exchange(dialer: &mut Node, listener: &mut Node) {
    let (out, inward, asked) = ask(dialer, listener);
    let answered = hear(listener, inward, &asked);
    hear(dialer, out, &answered);
}

/// Tells `listener` what `dialer` knows, and does not wait for the answer.
pub fn tell(dialer: &mut Node, listener: &mut Node) {
    let (_, inward, asked) = ask(dialer, listener);
    for chunk in asked {
        listener.handle(START, Input::Stream { id: inward, event: StreamEvent::Chunk(&chunk) });
        drain(listener);
    }
    listener.handle(START, Input::Stream { id: inward, event: StreamEvent::Failed });
    drain(listener);
}

/// Begins a join: both ends of its stream, and what the dialer says on it. Where there is a key,
/// the listener first says who it is, and is asked again.
pub fn ask(dialer: &mut Node, listener: &mut Node) -> (StreamId, StreamId, Vec<Bytes>) {
    let mut out = dial(dialer, listener.local().addr);
    let mut inward = accept(listener, dialer.local().addr);
    let mut asked = written(dialer, out);
    let is_native = DIALECT.get().is_none_or(|dialect| *dialect == Dialect::Native);
    if is_native && dialer.keyring().is_some() {
        for chunk in hear(listener, inward, &asked) {
            dialer.handle(START, Input::Stream { id: out, event: StreamEvent::Chunk(&chunk) });
        }
        out = connect(dialer);
        inward = accept(listener, dialer.local().addr);
        asked = written(dialer, out);
    }
    (out, inward, asked)
}

/// Begins a join, and connects its stream.
pub fn dial(node: &mut Node, to: SocketAddr) -> StreamId {
    node.join(START, &[to], Duration::from_secs(10)).expect("a join may begin");
    connect(node)
}

/// Connects the stream that a node dials.
fn connect(node: &mut Node) -> StreamId {
    let id = loop {
        match node.poll_output() {
            Some(Output::Dial { id, .. }) => break id,
            Some(_) => {}
            None => panic!("a join dials"),
        }
    };
    node.handle(START, Input::Stream { id, event: StreamEvent::Connected });
    id
}

/// Accepts a stream.
pub fn accept(node: &mut Node, from: SocketAddr) -> StreamId {
    let id = accepted();
    node.handle(START, Input::Stream { id, event: StreamEvent::Accepted { from } });
    id
}

/// All that a node writes to a stream, as fast as it can.
pub fn written(node: &mut Node, id: StreamId) -> Vec<Bytes> {
    let mut written = Vec::new();
    while let Some(output) = node.poll_output() {
        match output {
            Output::Write { id: to, data } if to == id => {
                written.push(data);
                node.handle(START, Input::Stream { id, event: StreamEvent::Drained });
            }
            _ => {}
        }
    }
    written
}

/// Hands a node the chunks of a stream; returns what it writes to it.
pub fn hear(node: &mut Node, id: StreamId, chunks: &[Bytes]) -> Vec<Bytes> {
    let mut answered = Vec::new();
    for chunk in chunks {
        node.handle(START, Input::Stream { id, event: StreamEvent::Chunk(chunk) });
        answered.append(&mut written(node, id));
    }
    answered
}
