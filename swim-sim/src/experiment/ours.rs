//! Our core in the Lifeguard paper's anomalies: real nodes in a world, with the settings we ship.
//!
//! A core without tasks cannot hang in one of them, so there is no TASK flavour here. Members,
//! subjects, times and counters are those of the reference model.

use std::time::Duration;

use swim_core::{EventKind, Instant, MemberChange, Node, Options};

use crate::{
    chance::{Chance, Purpose, mix},
    history::History,
    host,
    network::HostId,
    reference::memberlist::{Anomaly, Flavour, Report, Starvation, Tally},
    world::World,
};

/// Our core in one flavour.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ours {
    /// What a block does.
    pub(super) flavour: Flavour,
    /// Lifeguard's alpha and beta, where they are not those that we ship.
    pub(super) suspicion: Option<(u32, u32)>,
}

impl Ours {
    /// As shipped.
    pub(super) const fn shipped(flavour: Flavour) -> Self {
        Self { flavour, suspicion: None }
    }

    /// LG1: one block, until all see all healthy or 120 s have passed.
    pub(super) fn threshold(&self, anomaly: Anomaly, seed: u64) -> Report {
        let mut trial = Trial::of(*self, anomaly, seed);
        let blocked = Duration::from_nanos(anomaly.blocked);
        trial.block(blocked);
        trial.world.run(blocked);
        let left = END.saturating_sub(trial.elapsed());
        trial.world.run_until(left, World::is_settled);
        trial.report()
    }

    /// LG2: block after block, until the first end of a block at or after 120 s.
    pub(super) fn interval(&self, anomaly: Anomaly, seed: u64) -> Report {
        let mut trial = Trial::of(*self, anomaly, seed);
        let blocked = Duration::from_nanos(anomaly.blocked);
        loop {
            trial.block(blocked);
            trial.world.run(blocked);
            if trial.elapsed() >= END {
                return trial.report();
            }
            trial.world.run(Duration::from_nanos(anomaly.free));
        }
    }

    /// LG4: members that get little of the processor.
    pub(super) fn starved(&self, starvation: Starvation, seed: u64) -> Report {
        let Starvation { subjects, runs, stands, span, .. } = starvation;
        let [runs, stands, span] = [runs, stands, span].map(Duration::from_nanos);
        let salt = subjects as u64;
        let mut trial = Trial::start(*self, (STARVED_AMONG, subjects), seed, salt);
        let mut luck = Chance::of(seed, Purpose::Faults, salt);
        let period = runs + stands;
        let mut begins: Vec<(Duration, HostId)> =
            trial.subjects.iter().map(|&id| (luck.span(period), id)).collect();
        begins.sort_unstable();
        for (at, id) in begins {
            trial.world.run_to(trial.started + CALM + at);
            trial.world.starve(id, runs, stands, span);
        }
        while trial.elapsed() < CALM + span {
            for &id in &trial.subjects {
                let cost = luck.below(starvation.cost.1 - starvation.cost.0 + 1);
                let cost = Duration::from_nanos(starvation.cost.0 + cost);
                trial.world.host_mut(id).cpu.receive_cost = cost;
            }
            trial.world.run(period);
        }
        trial.report()
    }

    fn set(&self, options: &mut Options) {
        if let Some((alpha, beta)) = self.suspicion {
            options.suspicion_mult = alpha;
            options.suspicion_max_mult = beta;
        }
    }
}

/// A world under way.
struct Trial {
    world: World<Node>,
    flavour: Flavour,
    subjects: Vec<HostId>,
    started: Instant,
}

impl Trial {
    /// A cluster of so many, so many of them subjects, after its calm.
    fn start(ours: Ours, (members, subjects): (usize, usize), seed: u64, salt: u64) -> Self {
        let mut world = World::acquainted(members, mix(seed, salt), |_, own| ours.set(own));
        for id in 0..members {
            world.host_mut(id).cpu.receive_cost = HANDLING;
        }
        world.history = Some(History::default());
        let started = world.now;
        world.run(CALM);
        let mut subjects = Chance::of(seed, Purpose::Subjects, salt).sample(subjects, members);
        subjects.sort_unstable();
        Self { world, flavour: ours.flavour, subjects, started }
    }

    /// A cluster for blocks in lock step.
    fn of(ours: Ours, anomaly: Anomaly, seed: u64) -> Self {
        let salt = mix(mix(anomaly.blocked, anomaly.free), anomaly.subjects as u64);
        Self::start(ours, (MEMBERS, anomaly.subjects), seed, salt)
    }

    /// Blocks the subjects in lock step for so long.
    fn block(&mut self, span: Duration) {
        for &id in &self.subjects {
            match self.flavour {
                Flavour::Hold => self.world.hold(id, span),
                Flavour::Stall | Flavour::Task => self.world.freeze(id, span),
            }
        }
    }

    fn elapsed(&self) -> Duration {
        self.world.now.saturating_since(self.started)
    }

    fn report(&self) -> Report {
        let counted = &self.world.tally;
        let mut report = Report {
            tally: Tally {
                datagrams: counted.packets_sent,
                bytes: counted.packet_bytes_sent,
                stream_bytes: counted.stream_bytes_sent,
                ..Tally::default()
            },
            seconds: self.elapsed().as_secs_f64(),
            first: Vec::new(),
            full: Vec::new(),
        };
        let history = self.world.history.as_ref().expect("it was kept from the start");
        assert_eq!(history.dropped, 0, "every event is counted");
        let members = self.world.hosts().len();
        let healthy = members - self.subjects.len();
        let mut is_found = vec![false; members];
        let mut raised: Vec<Vec<HostId>> = vec![Vec::new(); members];
        for entry in history.entries() {
            let EventKind::Member { change: MemberChange::Failed, member } = &entry.event.kind
            else {
                continue;
            };
            let subject = host::host_at(member.addr).expect("all are where their numbers say");
            if !self.subjects.contains(&subject) {
                let is_healthy = !self.subjects.contains(&entry.host);
                report.tally.false_positives += 1;
                report.tally.healthy_false_positives += u64::from(is_healthy);
                continue;
            }
            let since = entry.at.saturating_since(self.started + CALM).as_secs_f64();
            if !std::mem::replace(&mut is_found[subject], true) {
                report.first.push(since);
            }
            let raised = &mut raised[subject];
            if !self.subjects.contains(&entry.host) && !raised.contains(&entry.host) {
                raised.push(entry.host);
                if raised.len() == healthy {
                    report.full.push(since);
                }
            }
        }
        report
    }
}

/// How many members there are in LG1 to LG3.
const MEMBERS: usize = 128;
/// And in LG4.
const STARVED_AMONG: usize = 100;
/// Time before the fault.
const CALM: Duration = Duration::from_secs(15);
/// When runs end.
const END: Duration = Duration::from_secs(120);
/// What handling a packet takes.
const HANDLING: Duration = Duration::from_micros(50);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::memberlist::{Configuration, MILLISECOND, Rules, interval};

    fn blocks(subjects: usize, blocked: u64, free: u64) -> Anomaly {
        Anomaly { subjects, blocked: blocked * MILLISECOND, free: free * MILLISECOND }
    }

    #[test]
    fn lg1_a_block_is_detected_at_once_everywhere() {
        for flavour in [Flavour::Hold, Flavour::Stall] {
            let report = Ours::shipped(flavour).threshold(blocks(8, 32_768, 0), 1);
            assert_eq!((report.first.len(), report.full.len()), (8, 8), "{flavour:?}");
            let pairs = report.first.iter().zip(&report.full);
            assert!(pairs.clone().all(|(first, full)| full - first < 1.0), "{report:?}");
            assert!(pairs.clone().all(|(first, _)| (8.4..17.0).contains(first)), "{report:?}");
        }
    }

    #[test]
    fn lg2_a_frozen_process_fails_nobody() {
        for (subjects, blocked, free) in [(32, 8_192, 16), (12, 32_768, 1)] {
            let tally =
                Ours::shipped(Flavour::Stall).interval(blocks(subjects, blocked, free), 1).tally;
            assert_eq!(tally.false_positives, 0, "C={subjects} D={blocked} I={free}");
        }
    }

    #[test]
    fn lg2_a_slow_link_makes_us_fail_few() {
        let anomaly = blocks(12, 8_192, 256);
        assert_eq!(Ours::shipped(Flavour::Hold).interval(anomaly, 1).tally.false_positives, 0);
        // Blocks of 16 s still do harm: more than we want, far less than in SWIM.
        let anomaly = blocks(12, 16_384, 256);
        let ours = Ours::shipped(Flavour::Hold).interval(anomaly, 1).tally;
        let rules = Rules::new(Configuration::Swim, 128).in_flavour(Flavour::Hold);
        let swim = interval(&rules, anomaly, 1).tally;
        assert!(ours.false_positives * 40 < swim.false_positives, "{ours:?} {swim:?}");
        assert!(ours.healthy_false_positives * 40 < swim.healthy_false_positives, "{ours:?}");
    }

    #[test]
    fn lg4_who_gets_little_of_the_processor_is_not_failed_and_fails_nobody() {
        let starvation = Starvation { subjects: 16, ..Starvation::PUBLISHED };
        let report = Ours::shipped(Flavour::Stall).starved(starvation, 1);
        assert_eq!((report.tally.false_positives, report.first.len()), (0, 0));
        assert!(report.seconds >= 315.0, "{}", report.seconds);
    }
}
