//! Bytes as a script of what happens to one node: packets and streams of real peers, changed,
//! again, out of order or never; ticks, early and late; commands. After each step the node is as it
//! must be.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use swim_core::{Input, Instant, Node, Output, StreamEvent, StreamId};
use swim_sim::{addr, name};

use crate::{
    cluster_of::{BEGINNING, Cluster, JOIN_TIMEOUT, PEERS, drain},
    hold::Watch,
    mend,
    script::Script,
};

/// A script for one node among real peers. The first byte says what they speak.
///
/// # Panics
///
/// When something doesn't hold.
pub fn node(data: &[u8]) {
    let mut script = Script::new(data);
    let choice = script.byte();
    let cluster = match choice & OLD_DIALECT {
        0 => Cluster::native(choice),
        _ => Cluster::memberlist(choice),
    };
    let mut play = Play::new(cluster);
    for _ in 0..STEPS_MAX {
        if script.is_over() {
            break;
        }
        play.step(&mut script);
    }
}

/// One node that is watched, and its peers.
struct Play {
    cluster: Cluster,
    now: Instant,
    node: Node,
    watch: Watch,
    peers: Vec<Node>,
    /// Packets on their way, and those that were: where from, where to, what.
    packets: Vec<(SocketAddr, SocketAddr, Bytes)>,
    /// What streams carry to the node and from it.
    pieces: Vec<(StreamId, Piece)>,
    dialed: Vec<(StreamId, SocketAddr)>,
    accepted: u64,
}

#[derive(Clone, Debug)]
enum Piece {
    Accepted(SocketAddr),
    Chunk(Bytes),
}

impl Play {
    fn new(cluster: Cluster) -> Self {
        let mut node = cluster.node(0);
        let outputs = drain(&mut node);
        let mut play = Self {
            cluster,
            now: BEGINNING,
            watch: Watch::new(&node, &outputs),
            node,
            peers: (1..=PEERS).map(|id| cluster.node(id)).collect(),
            packets: Vec::new(),
            pieces: Vec::new(),
            dialed: Vec::new(),
            accepted: 0,
        };
        for nth in 0..PEERS {
            play.join(nth);
        }
        play
    }

    fn step(&mut self, script: &mut Script<'_>) {
        match script.below(16) {
            0 => self.tick(),
            1 => self.pass(Duration::from_millis(u64::from(script.byte()))),
            2 => self.pass(Duration::from_millis(200 * u64::from(script.byte()))),
            3 | 4 => self.deliver(script.below(256), |_, bytes| bytes),
            5 => {
                let (at, to, mended) = (script.byte(), script.byte(), script.byte());
                self.deliver(script.below(256), |play, bytes| {
                    play.changed(&bytes, usize::from(at), to, mended & 1 == 1)
                });
            }
            6 => {
                let (from, len) = (script.below(PEERS + 2), script.below(256));
                let bytes = self.mended(script.piece(len));
                self.feed(Input::Packet { from: addr(from), data: &bytes });
            }
            7 => self.reach_peers(),
            8 => self.tick_peer(script.below(PEERS)),
            9 => self.command(script),
            10 => self.stream_piece(script.below(256)),
            11 => self.dialed_event(script),
            12 => self.join(script.below(PEERS)),
            13 => {
                let len = script.below(256);
                let piece = Piece::Chunk(Bytes::copy_from_slice(script.piece(len)));
                let id = StreamId::accepted(self.accepted.saturating_sub(1));
                self.pieces.push((id, piece));
            }
            14 => self.accepted_ends(script.byte()),
            _ => self.peer_command(script),
        }
    }

    /// Something happens to the node, and it is looked at.
    fn feed(&mut self, input: Input<'_>) {
        self.node.handle(self.now, input);
        self.look();
    }

    fn look(&mut self) {
        let outputs = drain(&mut self.node);
        self.watch.see(&self.node, &outputs);
        let own = self.node.local().addr;
        for output in outputs {
            match output {
                Output::SendPacket { to, data } => self.packets.push((own, to, data)),
                Output::Dial { id, to } => self.dialed.push((id, to)),
                _ => {}
            }
        }
        self.forget();
    }

    /// What is too much is never delivered.
    fn forget(&mut self) {
        let packets = self.packets.len().saturating_sub(KEPT_MAX);
        self.packets.drain(..packets);
        let pieces = self.pieces.len().saturating_sub(KEPT_MAX);
        self.pieces.drain(..pieces);
        let dialed = self.dialed.len().saturating_sub(KEPT_MAX);
        self.dialed.drain(..dialed);
    }

    fn tick(&mut self) {
        if let Some((due, _)) = self.node.audit().next_due {
            self.now = self.now.max(due);
        }
        self.feed(Input::Tick);
        Watch::see_tick(&self.node, self.now);
    }

    fn pass(&mut self, span: Duration) {
        self.now = self.now + span;
        self.feed(Input::Tick);
        Watch::see_tick(&self.node, self.now);
    }

    /// A packet to the node arrives: any of those that were ever sent and are still remembered.
    fn deliver(&mut self, nth: usize, change: impl FnOnce(&Self, Bytes) -> Bytes) {
        let own = self.node.local().addr;
        let mut to_node = self.packets.iter().rev().filter(|(_, to, _)| *to == own);
        let Some((from, _, data)) = to_node.nth(nth % KEPT_MAX).cloned() else { return };
        let data = change(self, data);
        self.feed(Input::Packet { from, data: &data });
    }

    fn changed(&self, bytes: &[u8], at: usize, to: u8, is_mended: bool) -> Bytes {
        let mut bytes = bytes.to_vec();
        let len = bytes.len().max(1);
        if let Some(byte) = bytes.get_mut(at % len) {
            *byte ^= to;
        }
        if is_mended { self.mended(&bytes) } else { bytes.into() }
    }

    fn mended(&self, bytes: &[u8]) -> Bytes {
        if self.cluster.dialect == swim_core::Dialect::Native {
            mend::packet(bytes, self.cluster.label().as_str()).into()
        } else {
            Bytes::copy_from_slice(bytes)
        }
    }

    /// Everything that is for a peer reaches it, once.
    fn reach_peers(&mut self) {
        let own = self.node.local().addr;
        let (to_node, others) =
            std::mem::take(&mut self.packets).into_iter().partition(|(_, to, _)| *to == own);
        self.packets = to_node;
        for (from, to, data) in others {
            let peer = self.peers.iter_mut().find(|peer| peer.local().addr == to);
            if let Some(peer) = peer {
                peer.handle(self.now, Input::Packet { from, data: &data });
            }
        }
        (0..PEERS).for_each(|nth| self.drain_peer(nth));
    }

    fn tick_peer(&mut self, nth: usize) {
        self.peers[nth].handle(self.now, Input::Tick);
        self.drain_peer(nth);
    }

    /// Takes what a peer wants done. All its streams lead to the node, which never answers there.
    fn drain_peer(&mut self, nth: usize) {
        let own = self.peers[nth].local().addr;
        let mut at_node = None;
        while let Some(output) = self.peers[nth].poll_output() {
            match output {
                Output::SendPacket { to, data } => self.packets.push((own, to, data)),
                Output::Dial { id, .. } => {
                    let theirs = StreamId::accepted(self.accepted);
                    self.accepted += 1;
                    at_node = Some(theirs);
                    self.pieces.push((theirs, Piece::Accepted(own)));
                    let event = StreamEvent::Connected;
                    self.peers[nth].handle(self.now, Input::Stream { id, event });
                }
                Output::Write { id, data } => {
                    let event = StreamEvent::Drained;
                    self.peers[nth].handle(self.now, Input::Stream { id, event });
                    if let Some(theirs) = at_node {
                        self.pieces.push((theirs, Piece::Chunk(data)));
                    }
                }
                Output::Close { .. }
                | Output::Abort { .. }
                | Output::ScheduleTimer { .. }
                | Output::Event(_) => {}
            }
        }
        self.forget();
    }

    /// A peer asks the node for an exchange; what it says waits to be delivered.
    fn join(&mut self, nth: usize) {
        let seed = self.node.local().addr;
        // It may have too many under way, or be leaving: then it does not ask.
        self.peers[nth].join(self.now, &[seed], JOIN_TIMEOUT).ok();
        self.drain_peer(nth);
    }

    /// A piece of a stream reaches the node, in order or not.
    fn stream_piece(&mut self, nth: usize) {
        if self.pieces.is_empty() {
            return;
        }
        let (id, piece) = self.pieces.remove(nth % self.pieces.len());
        let event = match &piece {
            Piece::Accepted(from) => StreamEvent::Accepted { from: *from },
            Piece::Chunk(bytes) => StreamEvent::Chunk(bytes),
        };
        self.feed(Input::Stream { id, event });
    }

    fn accepted_ends(&mut self, how: u8) {
        let id = StreamId::accepted(u64::from(how >> 2) % self.accepted.max(1));
        let event = match how & 3 {
            0 => StreamEvent::Drained,
            1 => StreamEvent::Finished,
            2 => StreamEvent::Failed,
            _ => StreamEvent::Connected,
        };
        self.feed(Input::Stream { id, event });
    }

    /// Something happens on a stream that the node dialed.
    fn dialed_event(&mut self, script: &mut Script<'_>) {
        let how = script.byte();
        let len = script.below(256);
        let Some((id, _)) = self.dialed.get(usize::from(how >> 3) % self.dialed.len().max(1))
        else {
            return;
        };
        let (id, piece) = (*id, script.piece(len));
        let event = match how & 7 {
            0 | 1 => StreamEvent::Connected,
            2 | 3 => StreamEvent::Drained,
            4 => StreamEvent::Finished,
            5 => StreamEvent::Failed,
            _ => StreamEvent::Chunk(piece),
        };
        self.feed(Input::Stream { id, event });
    }

    fn command(&mut self, script: &mut Script<'_>) {
        let (what, whom) = (script.below(8), name(script.below(PEERS + 2)));
        let len = script.below(256);
        let bytes = Bytes::copy_from_slice(script.piece(len));
        let (node, now) = (&mut self.node, self.now);
        // Whether the node may do it now is for the node to say.
        match what {
            0 => drop(node.update_meta(now, bytes).ok()),
            1 => drop(node.broadcast(now, bytes).ok()),
            2 => drop(node.send_best_effort(now, &whom, &bytes).ok()),
            3 => drop(node.send_reliable(now, &whom, bytes).ok()),
            4 => drop(node.ping(now, &whom).ok()),
            5 => drop(node.remove(now, &whom).ok()),
            6 => drop(node.leave(now, JOIN_TIMEOUT).ok()),
            _ => drop(node.join(now, &[addr(1), addr(2)], JOIN_TIMEOUT).ok()),
        }
        self.look();
    }

    fn peer_command(&mut self, script: &mut Script<'_>) {
        let (nth, what) = (script.below(PEERS), script.below(5));
        let len = script.below(64);
        let bytes = Bytes::copy_from_slice(script.piece(len));
        let (peer, now) = (&mut self.peers[nth], self.now);
        let whom = self.node.name().to_string();
        match what {
            0 => drop(peer.update_meta(now, bytes).ok()),
            1 => drop(peer.broadcast(now, bytes).ok()),
            2 => drop(peer.send_reliable(now, &whom, bytes).ok()),
            3 => drop(peer.ping(now, &whom).ok()),
            _ => drop(peer.leave(now, JOIN_TIMEOUT).ok()),
        }
        self.drain_peer(nth);
    }
}

/// Steps of one script at most.
const STEPS_MAX: usize = 256;

/// Packets, pieces and streams that are remembered at most.
const KEPT_MAX: usize = 64;

/// The bit of the first byte that chooses memberlist's dialect.
const OLD_DIALECT: u8 = 0x80;
