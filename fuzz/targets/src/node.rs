//! Bytes as a script of what happens to one node: packets and streams of real peers, changed,
//! again, out of order or never; ticks, early and late; commands. After each step the node is as it
//! must be.

use std::time::Duration;

use bytes::Bytes;
use swim_core::{Input, StreamEvent, StreamId};
use swim_sim::{addr, name};

use crate::{
    cluster_of::{Cluster, JOIN_TIMEOUT, PEERS},
    kinds::Kinds,
    mend,
    play::{KEPT_MAX, Piece, Play},
    script::Script,
};

/// A script for one node among real peers. The first byte says what they speak.
///
/// # Panics
///
/// When something doesn't hold.
pub fn node(data: &[u8]) {
    played(data);
}

/// The kinds of the messages that a node was given on streams: those it accepted, and those it
/// dialed.
pub(crate) fn heard(data: &[u8]) -> [Kinds; 2] {
    let mut heard = [Kinds::new(), Kinds::new()];
    for (id, line) in &played(data).lines {
        heard[usize::from(!id.is_accepted())].extend(line.kinds());
    }
    heard
}

fn played(data: &[u8]) -> Play {
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
    play
}

impl Play {
    fn step(&mut self, script: &mut Script<'_>) {
        match script.below(16) {
            0 => self.tick(),
            1 => self.pass(Duration::from_millis(u64::from(script.byte()))),
            2 => self.pass(Duration::from_millis(200 * u64::from(script.byte()))),
            3 | 4 => self.deliver(script.below(256), |_, bytes| bytes),
            5 => {
                let (change, mended) = (Change::read(script), script.byte());
                self.deliver(script.below(256), |play, bytes| {
                    let bytes = change.of(&bytes);
                    if mended & 1 == 1 { play.mended(&bytes) } else { bytes }
                });
            }
            6 => {
                let (from, len) = (script.below(PEERS + 2), script.below(256));
                let bytes = self.mended(script.piece(len));
                self.packet(addr(from), &bytes);
            }
            7 => self.reach_peers(),
            8 => self.tick_peer(script.below(PEERS)),
            9 => self.command(script),
            10 => self.stream_piece(script.below(256)),
            11 => self.dialed_event(script),
            12 => self.join(script.below(PEERS)),
            13 => {
                let len = script.below(256);
                let piece = Piece::Made(Bytes::copy_from_slice(script.piece(len)));
                let id = StreamId::accepted(self.accepted.saturating_sub(1));
                self.pieces.push((id, piece));
            }
            14 => self.accepted_ends(script.byte()),
            _ => self.peer_command(script),
        }
    }

    /// A packet to the node arrives: any of those that were ever sent and are still remembered.
    fn deliver(&mut self, nth: usize, change: impl FnOnce(&Self, Bytes) -> Bytes) {
        let own = self.node.local().addr;
        let mut to_node = self.packets.iter().rev().filter(|(_, to, _)| *to == own);
        let Some((from, _, data)) = to_node.nth(nth % KEPT_MAX).cloned() else { return };
        let data = change(self, data);
        self.packet(from, &data);
    }

    fn mended(&self, bytes: &[u8]) -> Bytes {
        if self.cluster.has_checksums() {
            mend::packet(bytes, self.cluster.label().as_str()).into()
        } else {
            Bytes::copy_from_slice(bytes)
        }
    }

    /// A piece of a stream reaches the node, in order or not.
    fn stream_piece(&mut self, nth: usize) {
        if self.pieces.is_empty() {
            return;
        }
        let (id, piece) = self.pieces.remove(nth % self.pieces.len());
        match piece {
            Piece::Accepted(from) => {
                self.feed(Input::Stream { id, event: StreamEvent::Accepted { from } });
            }
            Piece::Chunk(bytes) => self.chunk(id, &bytes),
            Piece::Made(bytes) => self.made(id, &bytes),
        }
    }

    /// What a script says comes on a stream, mended.
    fn made(&mut self, id: StreamId, bytes: &[u8]) {
        let Some(line) = self.lines.get(&id) else { return };
        let bytes = line.mended(bytes);
        self.chunk(id, &bytes);
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

    /// Something happens on a stream that the node dialed, the latest first. What its peer answers
    /// comes as it was said, or changed, or is made up.
    fn dialed_event(&mut self, script: &mut Script<'_>) {
        let how = script.byte();
        let len = script.below(256);
        let bytes = script.piece(len);
        let dialed: Vec<_> = self.lines.keys().filter(|id| !id.is_accepted()).copied().collect();
        let nth = usize::from(how >> 3) % dialed.len().max(1);
        let Some(&id) = dialed.iter().rev().nth(nth) else { return };
        let event = match how & 7 {
            0 => StreamEvent::Connected,
            1 => return self.reach_dialed(id),
            2 => StreamEvent::Drained,
            3 => {
                if let Some(Piece::Chunk(answer)) = self.next_piece(id) {
                    self.chunk(id, &answer);
                }
                return;
            }
            4 => StreamEvent::Finished,
            5 => StreamEvent::Failed,
            6 => return self.made(id, bytes),
            _ => {
                if let Some(Piece::Chunk(answer)) = self.next_piece(id) {
                    self.made(id, &Change::read(&mut Script::new(bytes)).of(&answer));
                }
                return;
            }
        };
        self.feed(Input::Stream { id, event });
    }

    /// The first piece that waits to be delivered on a stream.
    fn next_piece(&mut self, on: StreamId) -> Option<Piece> {
        let at = self.pieces.iter().position(|(id, _)| *id == on)?;
        Some(self.pieces.remove(at).1)
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

/// One byte that is another than it was.
struct Change {
    at: usize,
    by: u8,
}

impl Change {
    fn read(script: &mut Script<'_>) -> Self {
        let (at, by) = (usize::from(script.byte()), script.byte());
        Self { at, by }
    }

    fn of(&self, bytes: &[u8]) -> Bytes {
        let mut bytes = bytes.to_vec();
        let len = bytes.len().max(1);
        if let Some(byte) = bytes.get_mut(self.at % len) {
            *byte ^= self.by;
        }
        bytes.into()
    }
}

/// Steps of one script at most.
const STEPS_MAX: usize = 256;

/// The bit of the first byte that chooses memberlist's dialect.
const OLD_DIALECT: u8 = 0x80;
