//! One node that is watched among real peers, and all that is between them. What is refused changes
//! nothing (S9), nor does what was heard before and is sealed (X4).

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use bytes::Bytes;
use swim_core::{
    Dialect, Event, Glimpse, Input, Instant, Node, Output, Reject, Stats, StreamEvent, StreamId,
};

use crate::{
    cluster_of::{BEGINNING, Cluster, Guard, JOIN_TIMEOUT, PEERS, drain},
    hold::Watch,
    line::Line,
};

/// The node, its peers, and the network.
pub(crate) struct Play {
    pub(crate) cluster: Cluster,
    pub(crate) now: Instant,
    pub(crate) node: Node,
    watch: Watch,
    pub(crate) peers: Vec<Node>,
    /// Packets on their way, and those that were: where from, where to, what.
    pub(crate) packets: Vec<(SocketAddr, SocketAddr, Bytes)>,
    /// What streams carry to the node and has not reached it yet.
    pub(crate) pieces: Vec<(StreamId, Piece)>,
    /// The streams of the node.
    pub(crate) lines: BTreeMap<StreamId, Line>,
    pub(crate) accepted: u64,
}

/// Something on its way to the node.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    Accepted(SocketAddr),
    Chunk(Bytes),
    /// What no peer said, to be mended where it comes.
    Made(Bytes),
}

impl Play {
    pub(crate) fn new(cluster: Cluster) -> Self {
        let mut node = cluster.node(0);
        let outputs = drain(&mut node);
        let mut play = Self {
            cluster,
            now: BEGINNING,
            watch: Watch::new(&mut node, &outputs),
            node,
            peers: (1..=PEERS).map(|id| cluster.node(id)).collect(),
            packets: Vec::new(),
            pieces: Vec::new(),
            lines: BTreeMap::new(),
            accepted: 0,
        };
        for nth in 0..PEERS {
            play.join(nth);
        }
        play
    }

    /// A peer asks the node for an exchange; what it says waits to be delivered.
    pub(crate) fn join(&mut self, nth: usize) {
        let seed = self.node.local().addr;
        // It may have too many under way, or be leaving: then it does not ask.
        self.peers[nth].join(self.now, &[seed], JOIN_TIMEOUT).ok();
        self.drain_peer(nth);
    }

    pub(crate) fn tick(&mut self) {
        if let Some((due, _)) = self.node.audit().next_due {
            self.now = self.now.max(due);
        }
        self.pass(Duration::ZERO);
    }

    pub(crate) fn pass(&mut self, span: Duration) {
        self.now = self.now + span;
        self.feed(Input::Tick);
        Watch::see_tick(&self.node, self.now);
    }

    /// A packet reaches the node, and once more if it is one that must not count twice.
    pub(crate) fn packet(&mut self, from: SocketAddr, data: &[u8]) {
        let (before, stats) = (self.glimpse(), self.node.stats().clone());
        let is_late = self.is_late();
        let acts = self.feed(Input::Packet { from, data });
        if is_late {
            return; // What was due was done as well.
        }
        if self.node.stats().rejected() > stats.rejected() && self.is_refused(data, &stats) {
            assert_eq!(before, self.glimpse(), "S9: a refused packet changed something");
            // Who asks a former life is told of this one.
            let is_told = self.grew(&stats, Reject::FormerLife);
            assert!(!acts || is_told, "S9: a refused packet made the node act");
        } else if self.node.stats().packets_received > stats.packets_received && self.is_sealed() {
            self.replay(from, data);
        }
    }

    /// Whether nothing of a packet counts, of which something was refused.
    fn is_refused(&self, data: &[u8], before: &Stats) -> bool {
        let said = || self.cluster.inspector().packet(data);
        match self.cluster.dialect {
            Dialect::Native => {
                self.node.stats().rejected_whole() > before.rejected_whole()
                    || !said().is_understood()
            }
            Dialect::Memberlist(_) => said().messages.is_empty(),
        }
    }

    /// Whether the node has not done yet what is due: with whatever comes it may find that it was
    /// stopped, and does that.
    fn is_late(&self) -> bool {
        self.node.audit().next_due.is_some_and(|(due, _)| due <= self.now)
    }

    fn replay(&mut self, from: SocketAddr, data: &[u8]) {
        let (before, stats) = (self.glimpse(), self.node.stats().clone());
        let acts = self.feed(Input::Packet { from, data });
        assert_eq!(before, self.glimpse(), "X4: a replay changed something");
        assert!(!acts, "X4: a replay made the node act");
        let is_refused = self.grew(&stats, Reject::Replayed) || self.node.has_left();
        assert!(is_refused, "X4: a replay was not taken for one");
    }

    /// Bytes reach the node on a stream, frame by frame.
    pub(crate) fn chunk(&mut self, id: StreamId, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let Some(line) = self.lines.get(&id) else { return };
            let (piece, behind) = rest.split_at(line.next_len(rest));
            self.piece(id, piece);
            rest = behind;
        }
    }

    /// At most one frame: if that is refused, its stream ends, and nothing else changes.
    fn piece(&mut self, id: StreamId, piece: &[u8]) {
        let before = (self.glimpse(), self.node.stats().clone());
        let is_late = self.is_late();
        self.feed(Input::Stream { id, event: StreamEvent::Chunk(piece) });
        let Some(line) = self.lines.get_mut(&id) else { return };
        let is_refused = self.node.stats().rejected() > before.1.rejected();
        let taken = if is_refused { line.taken() } else { 0 };
        line.hear(piece);
        if is_refused && !is_late && (line.taken() == taken || self.is_turned_away(&before.1)) {
            let after = self.glimpse();
            assert!(
                after.is_like_but_for_errands(&before.0),
                "S9: a refused frame changed something: {:?} is {after:?}",
                before.0
            );
        }
    }

    /// Whether something was refused that anybody else would understand.
    fn is_turned_away(&self, before: &Stats) -> bool {
        let reasons = [Reject::Stale, Reject::NotForUs, Reject::Replayed];
        reasons.into_iter().any(|reason| self.grew(before, reason))
    }

    fn glimpse(&self) -> Glimpse {
        Glimpse::of(&self.node, &self.node.audit())
    }

    fn grew(&self, before: &Stats, reject: Reject) -> bool {
        self.node.stats().rejected_for(reject) > before.rejected_for(reject)
    }

    /// Whether what the node takes must be new.
    fn is_sealed(&self) -> bool {
        self.cluster.dialect == Dialect::Native && self.cluster.guard == Guard::Keyed
    }

    /// Something happens to the node, and it is looked at; true if it acts on it.
    pub(crate) fn feed(&mut self, input: Input<'_>) -> bool {
        self.node.handle(self.now, input);
        self.look()
    }

    pub(crate) fn look(&mut self) -> bool {
        let outputs = drain(&mut self.node);
        self.watch.see(&mut self.node, &outputs);
        let is_act = |output: &Output<Event>| {
            !matches!(output, Output::Event(_) | Output::ScheduleTimer { .. })
        };
        let acts = outputs.iter().any(is_act);
        let own = self.node.local().addr;
        let mut spoken = Vec::new();
        for output in outputs {
            match output {
                Output::SendPacket { to, data } => self.packets.push((own, to, data)),
                Output::Dial { id, to } => {
                    self.lines.insert(id, Line::new(self.cluster, id, to));
                }
                Output::Write { id, data } => {
                    if let Some(line) = self.lines.get_mut(&id) {
                        line.say(data);
                        spoken.push(id);
                    }
                }
                _ => {}
            }
        }
        // Those that were dialed are reached when the script says so.
        for id in spoken.into_iter().filter(|id| id.is_accepted()) {
            self.carry(id);
        }
        self.forget();
        acts
    }

    /// What is too much is never delivered.
    fn forget(&mut self) {
        let packets = self.packets.len().saturating_sub(KEPT_MAX);
        self.packets.drain(..packets);
        let pieces = self.pieces.len().saturating_sub(KEPT_MAX);
        self.pieces.drain(..pieces);
        while self.lines.len() > KEPT_MAX {
            self.lines.pop_first();
        }
    }

    /// Everything that is for a peer reaches it, once.
    pub(crate) fn reach_peers(&mut self) {
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

    pub(crate) fn tick_peer(&mut self, nth: usize) {
        self.peers[nth].handle(self.now, Input::Tick);
        self.drain_peer(nth);
    }

    /// What the node wrote on a stream that it dialed reaches the peer that is there.
    pub(crate) fn reach_dialed(&mut self, id: StreamId) {
        let Some(line) = self.lines.get_mut(&id) else { return };
        if line.far.is_none() {
            let there = self.peers.iter().position(|peer| peer.local().addr == line.to);
            let Some(nth) = there else { return };
            let theirs = StreamId::accepted(id.number());
            line.far = Some((nth, theirs));
            let event = StreamEvent::Accepted { from: self.node.local().addr };
            self.peers[nth].handle(self.now, Input::Stream { id: theirs, event });
        }
        self.carry(id);
    }

    /// What waits on a stream reaches the peer that is there.
    fn carry(&mut self, id: StreamId) {
        let Some(line) = self.lines.get_mut(&id) else { return };
        let Some((nth, theirs)) = line.far else { return };
        for data in std::mem::take(&mut line.waiting) {
            let event = StreamEvent::Chunk(&data);
            self.peers[nth].handle(self.now, Input::Stream { id: theirs, event });
        }
        self.drain_peer(nth);
    }

    /// Takes what a peer wants done. All streams that it dials lead to the node.
    pub(crate) fn drain_peer(&mut self, nth: usize) {
        let own = self.peers[nth].local().addr;
        while let Some(output) = self.peers[nth].poll_output() {
            match output {
                Output::SendPacket { to, data } => self.packets.push((own, to, data)),
                Output::Dial { id, .. } => {
                    let theirs = StreamId::accepted(self.accepted);
                    self.accepted += 1;
                    let mut line = Line::new(self.cluster, theirs, own);
                    line.far = Some((nth, id));
                    self.lines.insert(theirs, line);
                    self.pieces.push((theirs, Piece::Accepted(own)));
                    let event = StreamEvent::Connected;
                    self.peers[nth].handle(self.now, Input::Stream { id, event });
                }
                Output::Write { id, data } => {
                    let event = StreamEvent::Drained;
                    self.peers[nth].handle(self.now, Input::Stream { id, event });
                    let here = self.lines.iter().find(|(_, line)| line.far == Some((nth, id)));
                    if let Some((&here, _)) = here {
                        self.pieces.push((here, Piece::Chunk(data)));
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
}

/// Packets, pieces and streams that are remembered at most.
pub(crate) const KEPT_MAX: usize = 64;
