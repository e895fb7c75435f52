//! A run of a scenario.

use std::time::Duration;

use swim_core::{Instant, Node, Options};

use crate::{
    action::Action,
    check::Violation,
    host,
    network::{HostId, Link},
    record::{Record, Recorder},
    trace::Trace,
    world::{self, World},
};

use super::{
    judge::{Judge, Verdict},
    plan::{Beginning, Scenario},
};

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its luck.
    pub seed: u64,
    /// What became of each expectation, in the order of the file.
    pub verdicts: Vec<Verdict>,
    /// What a checker found.
    pub violation: Option<Violation>,
    /// What happened.
    pub record: Record,
    /// How many things happened.
    pub steps: u64,
    /// The digest of all that happened, if a trace was kept.
    pub digest: Option<u64>,
    /// Why the trace could not be written to its end.
    pub trace_error: Option<String>,
}

impl Outcome {
    /// Whether everything became as expected.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        self.violation.is_none() && self.verdicts.iter().all(|verdict| verdict.is_met)
    }
}

impl Scenario {
    /// Runs it. `prepare` sees the world before anything happens: it may add checkers and a trace.
    /// `progress` is told now and then how much virtual time has gone by.
    #[must_use]
    pub fn run(
        &self,
        seed: u64,
        prepare: &mut dyn FnMut(&mut World),
        progress: &mut dyn FnMut(Duration),
    ) -> Outcome {
        // All have a clock on the wall, as real ones do, and at first all of them agree.
        let options_at = |now: Instant| {
            move |_: HostId, options: &mut Options| {
                self.set(options);
                options.unix_time = Some(host::unix_time(now));
            }
        };
        let mut world: World<Node> = match self.begin {
            Beginning::Acquainted => {
                World::acquainted(self.nodes, seed, options_at(world::BEGINNING))
            }
            Beginning::Cold | Beginning::Empty => World::new(seed),
        };
        world.network.link = self.network.apply(Link::LAN);
        prepare(&mut world);
        let mut recorder = Recorder::new(&mut world, &self.title, self.length);
        let began = world.now;
        if self.begin == Beginning::Cold {
            for host in 0..self.nodes {
                let seeds = (0..SEEDS.min(self.nodes)).filter(|seed| *seed != host).collect();
                let start = Action::Start { host, seeds, forgetful: false };
                let options = options_at(world.now);
                recorder.act(&mut world, &start, &options);
            }
        }
        let mut judge = Judge::new(&self.expected);
        let mut actions = self.actions.iter().peekable();
        loop {
            let now = recorder.time(&world);
            while let Some(timed) = actions.next_if(|timed| timed.at <= now) {
                let options = options_at(world.now);
                if recorder.act(&mut world, &timed.action, &options) {
                    judge.done(&world, now, &timed.action);
                }
            }
            judge.look(&world, recorder.record(), now);
            progress(now);
            if now >= self.length || world.violation().is_some() {
                break;
            }
            let glance = if judge.is_waiting(now) { recorder.slice() } else { GLANCE };
            let next_action = actions.peek().map(|timed| timed.at);
            let next = [Some(now + glance), next_action, judge.next_deadline(now)];
            let next = next.into_iter().flatten().min().unwrap_or(self.length);
            recorder.run_to(&mut world, next.min(self.length));
        }
        let verdicts = judge.finish(&world, recorder.record(), began);
        let record = recorder.finish(&mut world);
        let violation = world.violation().cloned();
        let steps = world.tally.steps;
        let digest = world.trace.as_ref().map(Trace::digest);
        let written = world.trace.as_mut().map_or(Ok(()), Trace::finish);
        let trace_error = written.err().map(|error| error.to_string());
        Outcome { seed, verdicts, violation, record, steps, digest, trace_error }
    }
}

/// Through how many nodes the others join in a cold start.
const SEEDS: usize = 3;

/// How often progress is told of when nothing is awaited.
const GLANCE: Duration = Duration::from_millis(500);
