//! Many seeds at once.

use std::{
    num::NonZero,
    ops::Range,
    panic,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use super::{
    class::Mask, counters::Counters, excuses::is_excused, limits::Limits, plan::Plan, run::run,
    verdict::Verdict,
};

/// Many runs.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// The seeds.
    pub seeds: Range<u64>,
    /// What is switched off.
    pub mask: Mask,
    /// How large the runs may be.
    pub limits: Limits,
    /// On how many threads they run; 0: one for each processor.
    pub threads: usize,
}

/// How far a campaign is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// How many runs are done.
    pub done: usize,
    /// How many there are.
    pub all: usize,
    /// The run that was done last.
    pub verdict: &'a Verdict,
}

/// What came of a campaign.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What came of each run, in the order of the seeds.
    pub verdicts: Vec<Verdict>,
    /// What all of them exercised.
    pub counters: Counters,
    /// What none of them exercised although it should have been.
    pub missing: Vec<String>,
    /// What none of them exercised because what is switched off makes it impossible.
    pub excused: Vec<String>,
}

impl Campaign {
    /// All seeds of a range, nothing switched off, with the usual limits, on all processors.
    #[must_use]
    pub fn new(seeds: Range<u64>) -> Self {
        Self { seeds, mask: Mask::default(), limits: Limits::default(), threads: 0 }
    }

    /// Runs all seeds. `on_done` is told of each run when it is done, from whatever thread did it
    /// and in no order; what is returned depends on nothing but the campaign.
    ///
    /// # Panics
    ///
    /// If `on_done` does.
    #[must_use]
    pub fn run(&self, on_done: &(dyn Fn(&Progress<'_>) + Sync)) -> Outcome {
        let seeds: Vec<u64> = self.seeds.clone().collect();
        let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let verdicts = Mutex::new(vec![None; seeds.len()]);
        let work = || {
            loop {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some(&seed) = seeds.get(place) else { return };
                let verdict = run(&Plan::draw(seed, self.mask, &self.limits), None);
                let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                on_done(&Progress { done, all: seeds.len(), verdict: &verdict });
                verdicts.lock().expect("nobody panics with it")[place] = Some(verdict);
            }
        };
        let threads = match self.threads {
            0 => thread::available_parallelism().map_or(1, NonZero::get),
            threads => threads,
        };
        thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            for worker in workers {
                if let Err(panicked) = worker.join() {
                    panic::resume_unwind(panicked);
                }
            }
        });
        let verdicts = verdicts.into_inner().expect("nobody panicked with it");
        Outcome::of(verdicts.into_iter().flatten().collect(), self.mask)
    }
}

impl Outcome {
    fn of(verdicts: Vec<Verdict>, mask: Mask) -> Self {
        let mut counters = Counters::default();
        for verdict in &verdicts {
            counters.merge(&verdict.counters);
        }
        let is_long = verdicts.len() >= LONG;
        let unseen = if is_long { counters.missing() } else { Vec::new() };
        let (excused, missing) = unseen.into_iter().partition(|name| is_excused(name, mask));
        Self { verdicts, counters, missing, excused }
    }

    /// Whether every run held, and the campaign, if it was long enough, exercised all it should.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.failures().next().is_none() && self.missing.is_empty()
    }

    /// The runs that failed, in the order of their seeds.
    pub fn failures(&self) -> impl Iterator<Item = &Verdict> {
        self.verdicts.iter().filter(|verdict| !verdict.is_ok())
    }

    /// How long so many in a thousand of the runs took at most to agree after everything was
    /// mended: 500 is the median.
    #[must_use]
    pub fn convergence(&self, permille: usize) -> Duration {
        let mut spans: Vec<Duration> =
            self.verdicts.iter().filter_map(|verdict| verdict.converged_in).collect();
        spans.sort_unstable();
        let rank = (spans.len() * permille).div_ceil(1_000);
        spans.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }
}

/// From so many runs on, a campaign must have exercised everything.
pub const LONG: usize = 256;
