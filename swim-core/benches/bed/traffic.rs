//! Packets, made by the nodes that would send them.
//!
//! A node is what its options make it, so a node that is to be heard of is built when it is needed,
//! introduces itself over a stream to whoever carries the news, and is dropped. The carrier then
//! says it to the subject in a packet.

use std::time::Duration;

use swim_core::{Bytes, Input, Instant, Node};

use super::nodes::{
    self, START, SUBJECT, exchange, extra, name, node, options, packet_from, packets_from,
};

/// How many claims a full packet of news has.
pub const NEWS: usize = 30;

/// One member as it says that it is after `updates` changes of mind.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    pub number: usize,
    pub updates: usize,
}

/// A node that knows the subject and has nothing to say.
pub fn acquaintance(number: usize, sealed: bool) -> Node {
    let mut peer = extra(number, sealed);
    meet_subject(&mut peer, sealed);
    peer
}

/// A ping to the subject, with all the news that its sender has.
pub fn ping(from: &mut Node) -> Bytes {
    from.ping(START, &name(SUBJECT)).expect("the subject can be pinged");
    packet_from(from)
}

/// A ping to the subject from `carrier`, with a claim for each word.
pub fn ping_with(carrier: usize, words: &[Word]) -> Bytes {
    let mut carrier = acquaintance(carrier, false);
    for &word in words {
        introduce(word, &mut carrier);
    }
    ping(&mut carrier)
}

/// A packet of gossip to the subject from `carrier`, with a claim for each word and nothing else.
pub fn gossip_with(carrier: usize, words: &[Word]) -> Bytes {
    const INTERVAL: Duration = Duration::from_secs(1);
    let mut options = options(carrier, false);
    options.probe_interval = Duration::from_secs(3_600);
    options.push_pull_interval = Duration::ZERO;
    options.gossip_interval = INTERVAL;
    options.gossip_nodes = swim_core::limits::GOSSIP_NODES_MAX;
    options.retransmit_mult = 16; // Enough to tell everybody.
    let mut carrier = node(options);
    meet_subject(&mut carrier, false);
    // The first news leaves at once, alone; what comes then waits for the next rounds, which tell
    // everybody once.
    introduce(Word { number: nodes::NUMBERS, updates: 0 }, &mut carrier);
    for &word in words {
        introduce(word, &mut carrier);
    }
    nodes::drain(&mut carrier);
    let mut now = START;
    loop {
        now = now + INTERVAL;
        carrier.handle(now, Input::Tick);
        let packets = packets_from(&mut carrier);
        assert!(!packets.is_empty(), "the rounds go on until everybody is told");
        if let Some((_, data)) = packets.into_iter().find(|&(to, _)| to == SUBJECT) {
            return data;
        }
    }
}

/// Makes `listener` know all these members.
pub fn introduce_all(numbers: &[usize], listener: &mut Node) {
    let sealed = listener.keyring().is_some();
    for chunk in numbers.chunks(NEWS) {
        // By a carrier, so that the listener, whose table is large, answers but rarely.
        let (&carrier, rest) = chunk.split_first().expect("no empty chunks");
        let mut carrier = extra(carrier, sealed);
        for &number in rest {
            nodes::tell(&mut extra(number, sealed), &mut carrier);
        }
        nodes::tell(&mut carrier, listener);
    }
}

/// The words of members as they are at first.
pub fn first_words(numbers: &[usize]) -> Vec<Word> {
    numbers.iter().map(|&number| Word { number, updates: 0 }).collect()
}

/// Hands the subject a packet from the node with this number.
pub fn hand(subject: &mut Node, now: Instant, from: usize, data: &[u8]) {
    subject.handle(now, Input::Packet { from: nodes::addr(from), data });
}

fn meet_subject(peer: &mut Node, sealed: bool) {
    // The subject's double: as far as the peer can tell, the subject.
    exchange(&mut extra(SUBJECT, sealed), peer);
}

fn introduce(word: Word, to: &mut Node) {
    let mut member = extra(word.number, to.keyring().is_some());
    // There and back: what it says in the end is always the same, but for its stamp.
    for _ in 0..word.updates {
        for meta in [&b"x"[..], b""] {
            let meta = Bytes::from_static(meta);
            member.update_meta(START, meta).expect("a running node may change its mind");
        }
    }
    nodes::tell(&mut member, to);
}
