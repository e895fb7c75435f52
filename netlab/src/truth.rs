//! What was really so, and when: what beliefs are held against.

use std::time::Duration;

use swim_core::Life;
use swim_sim::network::HostId;

/// What was true of hosts, processes and the network, by the time of day.
#[derive(Clone, Debug, Default)]
pub struct Truth {
    runs: Spells<HostId>,
    frozen: Spells<HostId>,
    offline: Spells<HostId>,
    /// Processes that listen at an address that their host has no more.
    stranded: Spells<HostId>,
    /// Pairs of hosts that reached each other neither straight nor by helpers, the smaller first.
    parted: Spells<(HostId, HostId)>,
}

/// Spans of time in which something was so.
#[derive(Clone, Debug)]
struct Spells<K>(Vec<(K, Duration, Option<Duration>)>);

impl Truth {
    /// A process starts.
    pub fn start(&mut self, host: HostId, at: Duration) {
        self.runs.set(host, true, at);
    }

    /// A process ends, or its node leaves.
    pub fn end(&mut self, host: HostId, at: Duration) {
        self.runs.set(host, false, at);
        self.frozen.set(host, false, at);
        self.stranded.set(host, false, at);
    }

    /// A process that runs loses the address at which it listens, for as long as it runs.
    pub fn strand(&mut self, host: HostId, at: Duration) {
        self.stranded.set(host, self.is_running(host), at);
    }

    /// A process is stopped, or goes on.
    pub fn freeze(&mut self, host: HostId, is_frozen: bool, at: Duration) {
        self.frozen.set(host, is_frozen, at);
    }

    /// A host loses its connection, or has it again.
    pub fn take_offline(&mut self, host: HostId, is_offline: bool, at: Duration) {
        self.offline.set(host, is_offline, at);
    }

    /// Two hosts reach each other, straight or by helpers, or don't.
    pub fn part(&mut self, one: HostId, other: HostId, are_parted: bool, at: Duration) {
        self.parted.set((one.min(other), one.max(other)), are_parted, at);
    }

    /// Whether a process runs on a host now.
    #[must_use]
    pub fn is_running(&self, host: HostId) -> bool {
        self.runs.0.iter().any(|(key, _, until)| *key == host && until.is_none())
    }

    /// Whether it was wrong to say then that the node on `subject` failed: it ran in that life, was
    /// awake, and could reach `observer` and be reached. `life_of` gives the lives of its runs.
    ///
    /// There is no grace after a mend, a thaw or a loss: who mends while suspicions run may see one
    /// of them run out before it is refuted, and that counts.
    #[must_use]
    pub fn was_well(
        &self,
        (observer, subject): (HostId, HostId),
        life: Life,
        at: Duration,
        life_of: impl Fn(usize) -> Option<Life>,
    ) -> bool {
        let mut runs = self.runs.0.iter().filter(|(key, ..)| *key == subject).enumerate();
        let ran = runs.any(|(run, spell)| is_in(spell, at) && life_of(run) == Some(life));
        let pair = (observer.min(subject), observer.max(subject));
        let is_cut_off = |host| self.offline.hold(host, at) || self.stranded.hold(host, at);
        ran && !self.frozen.hold(subject, at)
            && !is_cut_off(subject)
            && !is_cut_off(observer)
            && !self.parted.hold(pair, at)
    }
}

impl<K: Copy + PartialEq> Spells<K> {
    fn set(&mut self, key: K, is_so: bool, at: Duration) {
        let open = self.0.iter_mut().find(|(it, _, until)| *it == key && until.is_none());
        match (open, is_so) {
            (None, true) => self.0.push((key, at, None)),
            (Some((.., until)), false) => *until = Some(at),
            (None, false) | (Some(_), true) => {}
        }
    }

    fn hold(&self, key: K, at: Duration) -> bool {
        self.0.iter().any(|spell| spell.0 == key && is_in(spell, at))
    }
}

impl<K> Default for Spells<K> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

fn is_in<K>((_, from, until): &(K, Duration, Option<Duration>), at: Duration) -> bool {
    *from <= at && until.is_none_or(|until| at <= until)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_those_are_well_who_run_wake_and_are_reached() {
        let at = Duration::from_secs;
        let mut truth = Truth::default();
        truth.start(1, at(10));
        truth.freeze(1, true, at(20));
        truth.freeze(1, false, at(21));
        truth.part(2, 1, true, at(30));
        truth.part(1, 2, false, at(31));
        truth.take_offline(3, true, at(40));
        truth.strand(1, at(48));
        truth.end(1, at(50));
        truth.start(1, at(60));
        let lives = |run: usize| Some(Life(run as u64 + 1));
        let well =
            |observer, life, time| truth.was_well((observer, 1), Life(life), at(time), lives);
        assert!(!well(0, 1, 9) && well(0, 1, 15));
        assert!(!well(0, 1, 20) && well(0, 1, 25));
        assert!(!well(2, 1, 30) && well(0, 1, 30) && well(2, 1, 35));
        assert!(!well(3, 1, 45) && well(0, 1, 45));
        assert!(!well(0, 1, 49) && !well(0, 1, 55) && !well(0, 1, 65) && well(0, 2, 65));
    }
}
