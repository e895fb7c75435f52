//! What machines want done.

use std::net::SocketAddr;

use bytes::Bytes;
use swim_core::{Instant, Output};

use crate::{
    machine::Machine,
    network::{HostId, Link},
    step::Moment,
};

use super::{Due, World};

impl<M: Machine> World<M> {
    /// Carries out what a machine wants done, and tells those who watch.
    pub(super) fn drain(&mut self, id: HostId, moment: &Moment) {
        self.begin_moment();
        self.end_moment(id, moment);
    }

    /// Nothing of this moment happened yet.
    pub(super) fn begin_moment(&mut self) {
        self.events.clear();
        self.node_events.clear();
        self.sent.clear();
        self.written.clear();
        self.dialed.clear();
    }

    /// Carries out what is left to be done of this moment, and tells those who watch.
    pub(super) fn end_moment(&mut self, id: HostId, moment: &Moment) {
        while let Some(output) =
            self.hosts[id].process.as_mut().and_then(|process| process.machine.poll_output())
        {
            self.carry_out(id, output);
        }
        if !self.node_events.is_empty() && self.is_turn(id) {
            self.recount();
        } else {
            self.settle(id);
        }
        self.show(id, moment);
    }

    /// What the machine on a host told its application in the last moment.
    #[must_use]
    pub fn last_events(&self) -> &[M::Event] {
        &self.events
    }

    pub(super) fn carry_out(&mut self, id: HostId, output: Output<M::Event>) {
        if let Some(trace) = &mut self.trace {
            trace.output(self.now, id, &output);
        }
        match output {
            Output::SendPacket { to, data } => self.send(id, to, data),
            Output::Dial { id: stream, to } => self.dial(id, stream, to),
            Output::Write { id: stream, data } => self.write(id, stream, data),
            Output::Close { id: stream } => self.close(id, stream),
            Output::Abort { id: stream } => self.abort(id, stream),
            Output::ScheduleTimer { at, .. } => self.schedule(id, at),
            Output::Event(event) => {
                if let Some(event) = M::node_event(&event) {
                    self.node_events.push(event.clone());
                }
                self.events.push(event);
            }
        }
    }

    /// The machine wants to be woken then, by its own clock.
    fn schedule(&mut self, id: HostId, at: Instant) {
        let host = &mut self.hosts[id];
        let Some(process) = &mut host.process else { return };
        let at = host.clock.world(at).max(self.now);
        process.timer = Some(at);
        // An earlier wake-up that waits already will see what the machine wants by then.
        if process.wake.is_none_or(|wake| wake > at) {
            process.wake = Some(at);
            self.queue.push(at, Due::Wake { to: id, run: host.starts });
        }
    }

    fn send(&mut self, id: HostId, to: SocketAddr, data: Bytes) {
        self.tally.packets_sent += 1;
        self.tally.packet_bytes_sent += data.len() as u64;
        if !self.checkers.is_empty() {
            self.sent.push((to, data.clone()));
        }
        let Some(leaves_at) = self.leaves_at(id, data.len()) else {
            self.tally.packets_overflown += 1;
            return;
        };
        let Some(to) = self.at(to) else {
            self.tally.packets_unheard += 1;
            return;
        };
        let from = self.hosts[id].addr;
        self.replay(id, to, &data);
        let fate = self.network.fate(self.now, id, to, data.len());
        self.tally.fates.count(&fate);
        if self.is_running(to) {
            let is_slow = self.network.link(id, to).latency != Link::LAN.latency;
            self.tally.fates.feel(&fate, is_slow);
        }
        let double = fate.second.map(|span| (span, data.clone()));
        if let Some(span) = fate.first {
            let data = damage(data, fate.flipped, fate.truncated);
            self.queue.push(leaves_at + span, Due::Packet { to, from, data });
        }
        if let Some((span, data)) = double {
            self.queue.push(leaves_at + span, Due::Packet { to, from, data });
        }
    }

    /// When a packet leaves a host's card; `None` if there is no room for it.
    fn leaves_at(&mut self, id: HostId, len: usize) -> Option<Instant> {
        let now = self.now;
        let bandwidth = self.network.ends(id).bandwidth;
        let card = &mut self.hosts[id].card;
        if bandwidth == 0 {
            return Some(now.max(card.held_until));
        }
        let waits = card.sent_until.saturating_since(now);
        let queued = waits.as_nanos() * u128::from(bandwidth) / 1_000_000_000;
        if card.send_queue_max > 0 && queued + len as u128 > u128::from(card.send_queue_max) {
            return None;
        }
        let takes = (len as u64).saturating_mul(1_000_000_000) / bandwidth;
        card.sent_until = card.sent_until.max(now) + std::time::Duration::from_nanos(takes);
        Some(card.sent_until.max(card.held_until))
    }
}

/// What is left of a packet that was damaged on its way.
fn damage(data: Bytes, flipped: Option<u64>, truncated: Option<usize>) -> Bytes {
    if flipped.is_none() && truncated.is_none() {
        return data;
    }
    let mut damaged = data.to_vec();
    if let Some(bit) = flipped {
        damaged[bit as usize / 8] ^= 1 << (bit % 8);
    }
    if let Some(len) = truncated {
        damaged.truncate(len);
    }
    damaged.into()
}
