//! What goes wrong on hosts.

use std::time::Duration;

use swim_core::Instant;

use crate::{host::Starved, machine::Machine, network::HostId, step::Moment};

use super::{Due, World};

impl<M: Machine> World<M> {
    /// The process on a host ends without a word, but for its streams, which break. What it lived
    /// last is on the host's disk.
    ///
    /// # Panics
    ///
    /// If nothing runs there.
    pub fn crash(&mut self, id: HostId) {
        self.begin_moment();
        self.show(id, &Moment::Crashed);
        let process = self.hosts[id].process.take().expect("crashed where something runs");
        let lived = process.machine.node().stamp().life;
        self.hosts[id].life = self.hosts[id].life.max(lived);
        self.break_streams(process);
        self.recount();
    }

    /// Freezes a host as SIGSTOP does, or as a hypervisor that takes the processor away: nothing
    /// runs. What arrives waits; afterwards it is handled first, then the timers that are due.
    /// (Experiments: STALL.)
    pub fn freeze(&mut self, id: HostId, span: Duration) {
        let until = self.now + span;
        let cpu = &mut self.hosts[id].cpu;
        cpu.frozen_until = cpu.frozen_until.max(until);
        // Timers that come due meanwhile are looked at in the end, after what arrived.
        if let Some(process) = &mut self.hosts[id].process {
            process.is_catching_up = true;
            if !process.is_serving {
                process.is_serving = true;
                self.queue.push(until, Due::Serve { to: id, run: self.hosts[id].starts });
            }
        }
    }

    /// Holds what a host sends and what is sent to it, while all it does goes on. (Experiments:
    /// HOLD.)
    pub fn hold(&mut self, id: HostId, span: Duration) {
        let card = &mut self.hosts[id].card;
        card.held_until = card.held_until.max(self.now + span);
    }

    /// Gives a host the processor for `runs` at a time, with `stands` in between, for so long.
    pub fn starve(&mut self, id: HostId, runs: Duration, stands: Duration, span: Duration) {
        let until = self.now + span;
        self.hosts[id].cpu.starved = Some(Starved { runs, stands, until });
        self.queue.push(self.now, Due::Starve { host: id });
    }

    /// The host is as it was before anything was done to its processor, card or clock, as far as
    /// that can be undone: a jump of the clock forward stays, and after one back it shows again
    /// what it showed at most.
    pub fn relieve(&mut self, id: HostId) {
        let now = self.now;
        let host = &mut self.hosts[id];
        host.cpu.starved = None;
        host.cpu.receive_cost = Duration::ZERO;
        host.clock.set_drift(now, 0);
        host.clock.catch_up(now);
        self.reschedule(id);
    }

    /// Makes a host's clock run fast (slow, if negative) by so many parts in a billion.
    pub fn drift(&mut self, id: HostId, parts_per_billion: i64) {
        let now = self.now;
        self.hosts[id].clock.set_drift(now, parts_per_billion);
        self.reschedule(id);
    }

    /// Makes a host's clock jump forward.
    pub fn jump(&mut self, id: HostId, by: Duration) {
        let now = self.now;
        self.hosts[id].clock.jump(now, by);
        self.reschedule(id);
    }

    /// Makes a host's clock jump back: its node is told a time that was already.
    pub fn jump_back(&mut self, id: HostId, by: Duration) {
        let now = self.now;
        self.hosts[id].clock.jump_back(now, by);
        self.tally.clocks_back += 1;
        self.reschedule(id);
    }

    /// Sets the clock on the wall of a host, which leaves its timers alone. Returns whether its
    /// node has one.
    pub fn set_clock(&mut self, id: HostId, by: Duration, back: bool) -> bool {
        let Some(time) = self.node(id).audit_unix_time() else { return false };
        let time = if back { time.saturating_sub(by) } else { time.saturating_add(by) };
        self.call(id, |machine, now| machine.node_mut().set_unix_time(now, time));
        self.tally.walls_back += u64::from(back);
        true
    }

    /// The next piece of a starved host's life.
    pub(super) fn starve_again(&mut self, id: HostId) {
        let Some(starved) = self.hosts[id].cpu.starved else { return };
        if self.now >= starved.until {
            self.hosts[id].cpu.starved = None;
            return;
        }
        let stands = starved.stands.min(starved.until.saturating_since(self.now));
        self.freeze(id, stands);
        let next: Instant = self.now + starved.stands + starved.runs;
        self.queue.push(next, Due::Starve { host: id });
    }

    /// A changed clock changes when a machine is to be woken.
    fn reschedule(&mut self, id: HostId) {
        let now = self.now;
        let host = &mut self.hosts[id];
        if let Some(process) = &mut host.process {
            // The machine knows what it waits for; a wake-up too early does nothing.
            process.timer = Some(now);
            process.wake = Some(now);
            self.queue.push(now, Due::Wake { to: id, run: host.starts });
        }
    }
}
