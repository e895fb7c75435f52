//! Packets that nobody sent, or sent long ago: somebody on the way keeps what passes and sends it
//! again, to whom it was meant for or to anybody else. (A1)

use bytes::Bytes;
use swim_core::{Node, StreamId};

use crate::{
    chance::{Chance, Purpose, mix, place, unit},
    host::End,
    machine::Machine,
    network::HostId,
};

use super::{Due, World};

impl<M: Machine> World<M> {
    /// Keeps a packet that is sent, and perhaps sends another one again.
    pub(super) fn replay(&mut self, from: HostId, to: HostId, data: &Bytes) {
        if !self.replays.is_wanted {
            return;
        }
        let way = (from as u64) << 32 | to as u64;
        let word = mix(mix(self.seed, Purpose::Replay as u64), mix(way, self.now.as_nanos()));
        let replays = &mut self.replays;
        let kept = (self.hosts[from].addr, data.clone());
        if replays.kept.len() < KEPT_MAX {
            replays.kept.push(kept);
        } else {
            // Old ones are kept as well as new ones.
            replays.kept[place(mix(word, 1), KEPT_MAX)] = kept;
        }
        if unit(word) >= replays.share {
            return;
        }
        let (source, data) = replays.kept[place(mix(word, 2), replays.kept.len())].clone();
        let is_astray = mix(word, 3).is_multiple_of(4);
        let to = if is_astray { place(mix(word, 4), self.hosts.len()) } else { to };
        self.tally.replays += u64::from(self.is_running(to));
        self.queue.push(self.now, Due::Packet { to, from: source, data });
    }

    /// Keeps a piece of what a process says on a stream to a host, if anybody wants to. What
    /// answers is bound to what it answers, and for nobody by itself.
    pub(super) fn record(
        &mut self,
        (id, stream): (HostId, StreamId),
        to: HostId,
        end: End,
        piece: &Bytes,
    ) {
        let dialer = self.hosts[id].machine().map(Machine::node).filter(|_| end.side == 0);
        let addr = self.hosts[to].addr;
        let whom = || {
            let known = dialer.into_iter().flat_map(Node::members);
            let there = known.filter(|member| member.addr == addr);
            let there = there.map(|member| (member.name, member.stamp.life));
            // Who knows nobody there yet has been told who there is.
            let told = dialer.and_then(|dialer| dialer.audit_recipient(stream));
            there.chain(told).collect()
        };
        self.replays.keep_piece((end.serial, end.side), piece, whom);
    }

    /// From now on, somebody on the way keeps what passes.
    pub fn keep_packets(&mut self) {
        self.replays.is_wanted = true;
    }

    /// A packet that was kept.
    pub(super) fn recorded(&self, word: u64) -> Option<Bytes> {
        let kept = &self.replays.kept;
        (!kept.is_empty()).then(|| kept[place(word, kept.len())].1.clone())
    }

    /// Bytes that no member sent reach a host now.
    pub(super) fn throw(&mut self, id: HostId, from: HostId, word: u64, len: usize) {
        let mut luck = Chance::of(self.seed, Purpose::Replay, word);
        let mut data: Vec<u8> = (0..len).map(|_| luck.word() as u8).collect();
        // Some begin as a packet does.
        let kept = &self.replays.kept;
        if luck.hits(0.5) && !kept.is_empty() {
            let (_, packet) = &kept[luck.below(kept.len() as u64) as usize];
            let whole = luck.below(packet.len().min(len) as u64 + 1) as usize;
            data[..whole].copy_from_slice(&packet[..whole]);
        }
        let from = self.addr_of(from);
        self.queue.push(self.now, Due::Packet { to: id, from, data: data.into() });
    }
}

/// How many packets are kept: about two minutes of a small cluster.
const KEPT_MAX: usize = 8_192;
