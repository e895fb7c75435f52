//! One thing after the other.

use std::time::Duration;

use bytes::Bytes;
use swim_core::{Input, Instant, StreamEvent};

use crate::{
    check::Violation,
    host::{Arrival, Piece},
    machine::Machine,
    network::HostId,
    step::Moment,
};

use super::{Due, World};

impl<M: Machine> World<M> {
    /// Lets so much time go by.
    pub fn run(&mut self, span: Duration) {
        self.run_to(self.now + span);
    }

    /// Lets time go by until then.
    pub fn run_to(&mut self, end: Instant) {
        while self.violation.is_none() && self.queue.next_at().is_some_and(|at| at <= end) {
            self.step();
        }
        self.now = self.now.max(end);
    }

    /// Lets time go by until `done`, which is asked after every step (in large worlds: every few).
    /// Returns how long that took, or `None` if it was not so within `limit`, or if a checker
    /// found something.
    pub fn run_until(
        &mut self,
        limit: Duration,
        mut done: impl FnMut(&Self) -> bool,
    ) -> Option<Duration> {
        let start = self.now;
        let stride = 1 + self.hosts.len() as u64 / HOSTS_PER_LOOK;
        let mut steps = 0_u64;
        while !(steps.is_multiple_of(stride) && done(self)) {
            let next = self.queue.next_at().filter(|&at| at <= start + limit);
            if next.is_none() || self.violation.is_some() {
                self.now = self.now.max(start + limit);
                return done(self).then(|| self.now.saturating_since(start));
            }
            self.step();
            steps += 1;
        }
        Some(self.now.saturating_since(start))
    }

    /// When the next thing happens, if anything does.
    #[must_use]
    pub fn next_at(&self) -> Option<Instant> {
        self.queue.next_at()
    }

    /// Lets the next thing happen; returns whether there was one.
    pub fn step(&mut self) -> bool {
        let Some((at, due)) = self.queue.pop() else { return false };
        self.now = self.now.max(at);
        self.tally.steps += 1;
        match due {
            Due::Packet { to, from, data } => self.arrive(to, Arrival::Packet { from, data }),
            Due::Wake { to, run } => self.wake(to, run),
            Due::Serve { to, run } => self.serve(to, run),
            Due::Pump { connection, side, serial } => self.pump(connection, side, serial),
            Due::Unreachable { to, run, stream } => {
                self.arrive_stream(to, run, stream, Piece::Failed);
            }
            Due::Starve { host } => self.starve_again(host),
        }
        true
    }

    /// Something reached a host: it is handled now, or waits its turn.
    pub(super) fn arrive(&mut self, id: HostId, arrival: Arrival) {
        let now = self.now;
        let host = &mut self.hosts[id];
        if host.card.held_until > now
            && let Arrival::Packet { from, data } = arrival
        {
            self.tally.waits.held += u64::from(host.is_running());
            self.queue.push(host.card.held_until, Due::Packet { to: id, from, data });
            return;
        }
        let Some(process) = &mut host.process else {
            self.tally.packets_unheard += 1;
            return;
        };
        let is_free = host.cpu.frozen_until <= now && host.cpu.free_at <= now;
        if is_free && process.inbox.is_empty() {
            self.handle(id, arrival);
            return;
        }
        let is_packet = matches!(arrival, Arrival::Packet { .. });
        if is_packet && host.cpu.inbox_max > 0 && process.inbox.len() >= host.cpu.inbox_max {
            self.tally.packets_overflown += 1;
            return;
        }
        match (host.cpu.frozen_until > now, host.cpu.starved) {
            (false, _) => self.tally.waits.busy += 1,
            (true, None) => self.tally.waits.frozen += 1,
            (true, Some(_)) => self.tally.waits.starved += 1,
        }
        process.inbox.push_back(arrival);
        if !process.is_serving {
            process.is_serving = true;
            let at = host.cpu.free_at.max(host.cpu.frozen_until).max(now);
            self.queue.push(at, Due::Serve { to: id, run: host.starts });
        }
    }

    /// The host has time for the next thing that waits.
    fn serve(&mut self, id: HostId, run: u32) {
        let host = &mut self.hosts[id];
        let Some(process) = host.process.as_mut().filter(|_| host.starts == run) else { return };
        let free_at = host.cpu.free_at.max(host.cpu.frozen_until);
        if free_at > self.now {
            self.queue.push(free_at, Due::Serve { to: id, run });
            return;
        }
        if let Some(arrival) = process.inbox.pop_front() {
            self.handle(id, arrival);
        }
        let host = &mut self.hosts[id];
        let Some(process) = host.process.as_mut().filter(|_| host.starts == run) else { return };
        if !process.inbox.is_empty() {
            let at = host.cpu.free_at.max(self.now);
            self.queue.push(at, Due::Serve { to: id, run });
            return;
        }
        process.is_serving = false;
        if process.is_catching_up {
            // Frozen: what waits comes first, and then the timers that are due.
            process.is_catching_up = false;
            if process.timer.is_some_and(|at| at <= self.now) {
                self.tick(id);
            }
        }
    }

    /// Hands a machine what arrived.
    fn handle(&mut self, id: HostId, arrival: Arrival) {
        let now = self.now;
        let host = &mut self.hosts[id];
        let local = host.clock.local(now);
        let flaw = match &arrival {
            Arrival::Stream { id: stream, .. } => self.flaw_of(id, *stream),
            Arrival::Packet { .. } => None,
        };
        let host = &mut self.hosts[id];
        let Some(process) = &mut host.process else { return };
        let cost = host.cpu.receive_cost;
        if !cost.is_zero() {
            host.cpu.free_at = now + cost;
        }
        let moment = match arrival {
            Arrival::Packet { from, data } => {
                self.tally.packets_handled += 1;
                if let Some(trace) = &mut self.trace {
                    trace.packet_in(now, id, from, &data);
                }
                process.machine.handle(local, Input::Packet { from, data: &data });
                Moment::Packet { from, data }
            }
            Arrival::Stream { id: stream, what } => {
                // A stream that this process ended needs no more news.
                let is_unreachable = matches!(what, Piece::Failed);
                if !is_unreachable && !process.streams.contains_key(&stream) {
                    return;
                }
                if let (Piece::Chunk(data), Some(end)) = (&what, process.streams.get(&stream)) {
                    let of = (end.serial, 1 - end.side);
                    self.replays.note(of, (id, host.starts), data.len());
                }
                if matches!(what, Piece::Failed) {
                    process.streams.remove(&stream);
                }
                let event = event(&what);
                if let Some(trace) = &mut self.trace {
                    trace.stream_in(now, id, stream, &event);
                }
                process.machine.handle(local, Input::Stream { id: stream, event });
                Moment::Stream { flaw }
            }
        };
        self.drain(id, &moment);
    }

    /// A machine wanted to be woken about now.
    fn wake(&mut self, id: HostId, run: u32) {
        let host = &mut self.hosts[id];
        let Some(process) = host.process.as_mut().filter(|_| host.starts == run) else { return };
        if process.wake.is_none_or(|wake| wake > self.now) {
            return; // Another wake-up took its place.
        }
        process.wake = None;
        if host.cpu.frozen_until > self.now {
            let until = host.cpu.frozen_until;
            match host.cpu.starved {
                None => self.tally.waits.frozen += 1,
                Some(_) => self.tally.waits.starved += 1,
            }
            process.is_catching_up = true;
            if !process.is_serving {
                process.is_serving = true;
                self.queue.push(until, Due::Serve { to: id, run });
            }
            return;
        }
        if process.is_catching_up && !process.inbox.is_empty() {
            return; // `serve` looks at the timer once it is through.
        }
        match process.timer {
            Some(at) if at <= self.now => self.tick(id),
            Some(at) => {
                process.wake = Some(at);
                self.queue.push(at, Due::Wake { to: id, run });
            }
            None => {}
        }
    }

    /// Tells a machine that its time has come.
    fn tick(&mut self, id: HostId) {
        let now = self.now;
        let host = &mut self.hosts[id];
        let local = host.clock.local(now);
        let Some(process) = &mut host.process else { return };
        process.timer = None;
        process.wakes = if process.wakes.0 == now { (now, process.wakes.1 + 1) } else { (now, 1) };
        if process.wakes.1 > WAKES_MAX {
            let what = format!("the node was woken {WAKES_MAX} times and does not let time go on");
            self.violation.get_or_insert(Violation { at: now, host: id, checker: "P5", what });
            return;
        }
        if let Some(trace) = &mut self.trace {
            trace.tick(now, id);
        }
        process.machine.handle(local, Input::Tick);
        self.drain(id, &Moment::Tick);
    }
}

fn event(piece: &Piece) -> StreamEvent<'_> {
    match piece {
        Piece::Accepted { from } => StreamEvent::Accepted { from: *from },
        Piece::Connected => StreamEvent::Connected,
        Piece::Chunk(data) => StreamEvent::Chunk(as_slice(data)),
        Piece::Drained => StreamEvent::Drained,
        Piece::Finished => StreamEvent::Finished,
        Piece::Failed => StreamEvent::Failed,
    }
}

fn as_slice(data: &Bytes) -> &[u8] {
    data
}

/// Time may stand still for a few wake-ups of a host, never for good. (P5)
const WAKES_MAX: u32 = 64;

/// For every so many hosts, `run_until` looks a step later, so that its looking costs little.
const HOSTS_PER_LOOK: u64 = 16;
