//! An experiment as such, how much of it is run, and on how many threads.

use std::{
    fmt,
    ops::RangeInclusive,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use super::outcome::Outcome;

/// Something published that can be measured again.
#[derive(Clone, Copy, Debug)]
pub struct Experiment {
    /// Its name on the command line.
    pub id: &'static str,
    /// What it is about.
    pub title: &'static str,
    /// Where it was published.
    pub source: &'static str,
    /// What is measured.
    pub measures: &'static str,
    /// Runs the reference model.
    pub run: fn(&Plan) -> Outcome,
}

/// How much of an experiment is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// About a minute on two cores: fewer seeds and fewer cells.
    Quick,
    /// As published.
    Full,
}

/// The order to run an experiment.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How much of it.
    pub scale: Scale,
    /// Which seeds, instead of those that the experiment and the scale would choose.
    pub seeds: Option<RangeInclusive<u64>>,
    /// How many threads work. The results do not depend on it.
    pub threads: usize,
    /// Told after each job how many of how many are done. An experiment has several batches.
    pub watch: Option<Watch>,
}

/// Somebody who wants to know how far a batch of jobs is.
#[derive(Clone)]
pub struct Watch(pub Arc<dyn Fn(usize, usize) + Send + Sync>);

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}

impl Plan {
    /// A plan of this scale on one thread.
    #[must_use]
    pub const fn new(scale: Scale) -> Self {
        Self { scale, seeds: None, threads: 1, watch: None }
    }

    /// Whether this is the short version.
    #[must_use]
    pub fn is_quick(&self) -> bool {
        self.scale == Scale::Quick
    }

    /// One of two, by scale.
    pub fn choose<T>(&self, quick: T, full: T) -> T {
        if self.is_quick() { quick } else { full }
    }

    /// The seeds: those given, or 1 to `quick`, or 1 to `full`.
    #[must_use]
    pub fn seeds(&self, quick: u64, full: u64) -> RangeInclusive<u64> {
        self.seeds.clone().unwrap_or(1..=self.choose(quick, full))
    }

    /// The same for people: which seeds are run, of how many.
    #[must_use]
    pub fn said(&self, quick: u64, full: u64) -> String {
        let seeds = self.seeds(quick, full);
        let (first, end) = (*seeds.start(), seeds.end() + 1);
        if self.is_quick() && quick < full {
            let all = full + 1;
            format!("{first}..{end} of 1..{all} (all with --seeds 1..{all})")
        } else {
            format!("{first}..{end}")
        }
    }

    /// Does the jobs on the threads of this plan and returns what came of each, in the order of the
    /// jobs. (D1: the order in which threads finish is nobody's business.)
    pub fn spread<J: Sync, R: Send>(&self, jobs: &[J], work: impl Fn(&J) -> R + Sync) -> Vec<R> {
        let next = AtomicUsize::new(0);
        let done = Mutex::new(Vec::with_capacity(jobs.len()));
        let finished = AtomicUsize::new(0);
        let toil = || {
            let mut mine = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(job) = jobs.get(number) else { break };
                mine.push((number, work(job)));
                let finished = finished.fetch_add(1, Ordering::Relaxed) + 1;
                if let Some(Watch(watch)) = &self.watch {
                    watch(finished, jobs.len());
                }
            }
            done.lock().unwrap_or_else(PoisonError::into_inner).append(&mut mine);
        };
        thread::scope(|scope| {
            for _ in 1..self.threads.clamp(1, jobs.len().max(1)) {
                scope.spawn(toil);
            }
            toil();
        });
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_unstable_by_key(|&(number, _)| number);
        done.into_iter().map(|(_, result)| result).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_the_order_of_jobs() {
        let jobs: Vec<u64> = (0..1_000).collect();
        let plan = Plan { threads: 7, ..Plan::new(Scale::Quick) };
        assert_eq!(
            plan.spread(&jobs, |job| job * 2),
            Plan::new(Scale::Full).spread(&jobs, |job| job * 2)
        );
        assert!(plan.spread(&[], |job: &u64| *job).is_empty());
    }

    #[test]
    fn who_watches_sees_every_job() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let watched = Arc::clone(&seen);
        let watch = Watch(Arc::new(move |done, all| watched.lock().unwrap().push((done, all))));
        let plan = Plan { watch: Some(watch), ..Plan::new(Scale::Quick) };
        plan.spread(&[1, 2, 3], |job| job * 2);
        assert_eq!(*seen.lock().unwrap(), [(1, 3), (2, 3), (3, 3)]);
    }

    #[test]
    fn a_sample_says_that_it_is_one() {
        let plan = |scale, seeds| Plan { seeds, ..Plan::new(scale) };
        assert_eq!(plan(Scale::Quick, None).said(1, 10), "1..2 of 1..11 (all with --seeds 1..11)");
        assert_eq!(plan(Scale::Full, None).said(1, 10), "1..11");
        assert_eq!(plan(Scale::Full, Some(3..=3)).said(1, 10), "3..4");
    }

    #[test]
    fn given_seeds_win() {
        let mut plan = Plan::new(Scale::Quick);
        assert_eq!(plan.seeds(2, 10), 1..=2);
        plan.seeds = Some(5..=6);
        assert_eq!(plan.seeds(2, 10), 5..=6);
    }
}
