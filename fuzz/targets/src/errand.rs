//! A node that dialed a peer and asked it something: only to such a one an answer means anything.
//! And what real peers answer, for the fuzzer to begin with.

use std::net::SocketAddr;

use swim_core::{Event, Input, Instant, Life, Node, Output, StreamEvent, StreamId};
use swim_sim::{addr, name};

use crate::cluster_of::{BEGINNING, Cluster, FREE_STREAM, JOIN_TIMEOUT, PEERS, drain, introduce};

/// What a node dials for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errand {
    /// To exchange tables.
    Exchange,
    /// To deliver a message.
    Delivery,
    /// To see whether one that does not answer packets answers at all.
    Ping,
}

/// How the peer finds itself that is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// It knows others, and has something to say.
    Usual,
    /// It started anew, unheard.
    Anew,
    /// Somebody else goes by the name of the one who asks.
    Averse,
}

/// Node 0, which asked.
pub(crate) struct Asked {
    pub(crate) node: Node,
    pub(crate) now: Instant,
    pub(crate) id: StreamId,
    /// Where the stream leads.
    to: SocketAddr,
    /// All it wrote.
    pub(crate) request: Vec<u8>,
}

impl Asked {
    /// Node 0 of a cluster, which accepted a stream from there.
    pub(crate) fn accepted(cluster: Cluster, from: usize) -> Self {
        let (mut node, now, to) = (cluster.acquainted(), BEGINNING, addr(from));
        let id = StreamId::accepted(FREE_STREAM);
        node.handle(now, Input::Stream { id, event: StreamEvent::Accepted { from: to } });
        drain(&mut node);
        Self { node, now, id, to, request: Vec::new() }
    }

    /// Node 0 of a cluster, once it has asked the peer with this number; nothing if it never asks
    /// such a thing.
    pub(crate) fn new(cluster: Cluster, errand: Errand, of: usize) -> Option<Self> {
        let mut node = cluster.acquainted();
        node.set_local_state("what is ours".into()).expect("it is short");
        let mut now = BEGINNING;
        match errand {
            // What was never seen may be asked, too.
            Errand::Exchange => {
                let seed = addr(1 + of % (PEERS + 1));
                node.join(now, &[seed], JOIN_TIMEOUT).expect("it runs");
            }
            Errand::Delivery => {
                let to = name(1 + of % PEERS);
                node.send_reliable(now, &to, "a delivery".into()).expect("it knows the peer");
            }
            // Nobody answers its packets.
            Errand::Ping => {}
        }
        for _ in 0..TICKS_MAX {
            if let Some((id, to)) = dialed(&drain(&mut node)) {
                let request = connect(&mut node, now, id);
                return Some(Self { node, now, id, to, request });
            }
            now = node.audit().next_due?.0;
            node.handle(now, Input::Tick);
        }
        None
    }
}

/// The stream that was dialed last, and where it leads.
pub(crate) fn dialed(outputs: &[Output<Event>]) -> Option<(StreamId, SocketAddr)> {
    outputs.iter().rev().find_map(|output| match output {
        Output::Dial { id, to } => Some((*id, *to)),
        _ => None,
    })
}

/// Lets a node speak on a stream that it dialed, until it has said all.
pub(crate) fn connect(node: &mut Node, now: Instant, id: StreamId) -> Vec<u8> {
    let mut said = Vec::new();
    let mut event = StreamEvent::Connected;
    loop {
        node.handle(now, Input::Stream { id, event });
        let more = written(&drain(node), id);
        if more.is_empty() {
            return said;
        }
        said.extend(more);
        event = StreamEvent::Drained;
    }
}

/// What was written on a stream.
fn written(outputs: &[Output<Event>], on: StreamId) -> Vec<u8> {
    let pieces = outputs.iter().filter_map(|output| match output {
        Output::Write { id, data } if *id == on => Some(&data[..]),
        _ => None,
    });
    pieces.collect::<Vec<_>>().concat()
}

/// What a real peer answers to such an errand, and then, if it is to be asked again, to that.
pub(crate) fn answered(cluster: Cluster, errand: Errand, of: usize, mood: Mood) -> Vec<u8> {
    let Some(mut asked) = Asked::new(cluster, errand, of) else { return Vec::new() };
    let (id, now) = (asked.id, asked.now);
    let Some(mut peer) = peer(cluster, asked.to, mood) else { return Vec::new() };
    let answer = ask(&mut peer, now, FREE_STREAM, &asked.request);
    asked.node.handle(now, Input::Stream { id, event: StreamEvent::Chunk(&answer) });
    let Some((again, _)) = dialed(&drain(&mut asked.node)) else { return answer };
    let request = connect(&mut asked.node, now, again);
    [answer, ask(&mut peer, now, FREE_STREAM + 1, &request)].concat()
}

/// The peer at this address.
fn peer(cluster: Cluster, at: SocketAddr, mood: Mood) -> Option<Node> {
    let id = (1..=PEERS).find(|&id| addr(id) == at)?;
    let life = if mood == Mood::Anew { Life(2) } else { Life(1) };
    let mut peer = cluster.node_with(id, |options| options.life = life);
    peer.set_local_state("what is theirs".into()).expect("it is short");
    let mut other = match mood {
        Mood::Averse => cluster.node_with(0, |options| options.addr = addr(PEERS + 2)),
        Mood::Usual | Mood::Anew => cluster.node(PEERS + 2),
    };
    introduce(&mut peer, &mut other, 0);
    drain(&mut peer);
    Some(peer)
}

/// What a peer says to a request.
fn ask(peer: &mut Node, now: Instant, nth: u64, request: &[u8]) -> Vec<u8> {
    let id = StreamId::accepted(nth);
    let (mut said, from) = (Vec::new(), addr(0));
    for event in [StreamEvent::Accepted { from }, StreamEvent::Chunk(request)] {
        peer.handle(now, Input::Stream { id, event });
        said.extend(written(&drain(peer), id));
    }
    said
}

/// A stream is dialed within so many ticks, or never.
const TICKS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use swim_core::{EventKind, Stats};

    use super::*;
    use crate::mend;

    /// What node 0 has counted and told once a peer answered it.
    fn after(choice: u8, errand: Errand, mood: Mood) -> (Stats, Vec<EventKind>) {
        let cluster = Cluster::native(choice);
        let answer = answered(cluster, errand, 0, mood);
        let mut asked = Asked::new(cluster, errand, 0).expect("it asks");
        let before = asked.node.stats().exchanges;
        let mut told = Vec::new();
        for half in mend::halves(&answer) {
            let (id, now) = (asked.id, asked.now);
            asked.node.handle(now, Input::Stream { id, event: StreamEvent::Chunk(half) });
            let outputs = drain(&mut asked.node);
            if let Some((again, _)) = dialed(&outputs) {
                asked.id = again;
                connect(&mut asked.node, now, again);
            }
            told.extend(outputs.into_iter().filter_map(|output| match output {
                Output::Event(event) => Some(event.kind),
                _ => None,
            }));
        }
        let mut stats = asked.node.stats().clone();
        stats.exchanges -= before;
        (stats, told)
    }

    #[test]
    fn answers_are_taken_plain_sealed_and_asked_for_again() {
        for (choice, mood) in
            [(0, Mood::Usual), (1, Mood::Usual), (2, Mood::Usual), (0, Mood::Anew)]
        {
            let (stats, told) = after(choice, Errand::Exchange, mood);
            assert_eq!((stats.exchanges, stats.rejected()), (1, 0), "{choice} {told:?}");
            let (stats, told) = after(choice, Errand::Delivery, mood);
            let is_done =
                |kind: &EventKind| matches!(kind, EventKind::SendFinished { result: Ok(()), .. });
            assert!(told.iter().any(is_done), "{choice} {told:?}");
            assert_eq!(stats.rejected(), 0, "{choice}");
            let (stats, told) = after(choice, Errand::Ping, mood);
            assert_eq!(stats.probes_saved_by_stream, 1, "{choice} {told:?}");
        }
        let (stats, _) = after(0, Errand::Exchange, Mood::Averse);
        assert_eq!((stats.exchanges, stats.exchanges_failed), (0, 1));
    }
}
