//! A join under way.

use alloc::vec::Vec;
use core::{net::SocketAddr, time::Duration};

use crate::{
    event::SeedOutcome, heap, io::StreamId, limits::JOINS_MAX, stamp::Stamp, time::Instant,
};

/// A seed that closes the stream without an answer is tried again this often in all: it may be busy
/// with other joiners. A seed of another cluster closes too, so there must be an end to it. So must
/// there be where each answer outbids us anew.
const TRIES_MAX: u32 = 6;
/// The pause before the second try; it doubles with each.
const PAUSE: Duration = Duration::from_millis(50);

/// The seeds of a join and how far each is.
#[derive(Debug)]
pub(crate) struct Join {
    pub(crate) deadline: Instant,
    /// What its timer is set to: the deadline, or the next try before it.
    pub(crate) wake_at: Instant,
    pub(crate) seeds: Vec<Seed>,
}

/// One seed.
#[derive(Debug)]
pub(crate) struct Seed {
    pub(crate) addr: SocketAddr,
    pub(crate) outcome: Option<SeedOutcome>,
    progress: Progress,
}

/// Where an unfinished seed stands.
#[derive(Debug)]
enum Progress {
    /// It is tried at this time, or as soon after it as there is room.
    Waits { at: Instant, tries: u32 },
    /// It is being tried, and told of us under this stamp.
    Runs { stream: Option<StreamId>, tries: u32, said: Stamp },
}

impl Join {
    /// What all joins under way take on the heap at most, but for their seeds.
    pub(crate) const fn heap_max() -> u64 {
        heap::btree(JOINS_MAX as u64, size_of::<(u64, Self)>())
    }

    /// A join of these seeds, each counted once.
    pub(crate) fn new(addrs: &[SocketAddr], deadline: Instant, now: Instant) -> Self {
        let mut seeds: Vec<Seed> = Vec::with_capacity(addrs.len());
        for &addr in addrs {
            if !seeds.iter().any(|seed| seed.addr == addr) {
                let progress = Progress::Waits { at: now, tries: 0 };
                seeds.push(Seed { addr, outcome: None, progress });
            }
        }
        Self { deadline, wake_at: deadline, seeds }
    }

    /// Whether every seed was dealt with.
    pub(crate) fn is_over(&self) -> bool {
        self.seeds.iter().all(|seed| seed.outcome.is_some())
    }

    /// Takes the next seed that is due, if fewer than `parallel` are being tried. It is told of us
    /// under the stamp `said`.
    pub(crate) fn begin_next(
        &mut self,
        parallel: usize,
        said: Stamp,
        now: Instant,
    ) -> Option<(usize, SocketAddr)> {
        if self.running() >= parallel {
            return None;
        }
        let mut seeds = self.seeds.iter_mut().enumerate();
        seeds.find_map(|(place, seed)| match seed.progress {
            Progress::Waits { at, tries } if seed.outcome.is_none() && at <= now => {
                seed.progress = Progress::Runs { stream: None, tries: tries + 1, said };
                Some((place, seed.addr))
            }
            Progress::Waits { .. } | Progress::Runs { .. } => None,
        })
    }

    /// Notes the stream that a seed is tried on.
    pub(crate) fn set_stream(&mut self, seed: usize, id: StreamId) {
        if let Progress::Runs { stream, .. } = &mut self.seeds[seed].progress {
            *stream = Some(id);
        }
    }

    /// The stream that a seed is tried on.
    pub(crate) fn take_stream(&mut self, seed: usize) -> Option<StreamId> {
        match &mut self.seeds[seed].progress {
            Progress::Runs { stream, .. } => stream.take(),
            Progress::Waits { .. } => None,
        }
    }

    /// Puts a seed off that closed without an answer, unless that was its last try. `stretch` is a
    /// random share, in 256ths, that keeps many joiners from coming back together.
    pub(crate) fn put_off(&mut self, seed: usize, now: Instant, stretch: u32) -> bool {
        let Progress::Runs { tries, .. } = self.seeds[seed].progress else { return false };
        if tries >= TRIES_MAX {
            return false;
        }
        let pause = PAUSE * (1 << (tries - 1));
        let at = now + pause + pause * stretch / 256;
        self.seeds[seed].progress = Progress::Waits { at, tries };
        at < self.deadline
    }

    /// Asks a seed again at this time, for the first time as it were: it has said that it will
    /// take us then or a little later. False if the join is over by then.
    pub(crate) fn wait(&mut self, seed: usize, at: Instant) -> bool {
        self.seeds[seed].progress = Progress::Waits { at, tries: 0 };
        at < self.deadline
    }

    /// Asks a seed again at once if what it was told of us is not what we are any more: it knew us
    /// by a larger stamp than ours, as dead perhaps, and that was all it took in. False after its
    /// last try.
    pub(crate) fn repeat(&mut self, seed: usize, own: Stamp, now: Instant) -> bool {
        let Progress::Runs { tries, said, .. } = self.seeds[seed].progress else { return false };
        let is_due = said != own && tries < TRIES_MAX;
        if is_due {
            self.seeds[seed].progress = Progress::Waits { at: now, tries };
        }
        is_due
    }

    /// When to look at this join again.
    pub(crate) fn next_wake(&self, parallel: usize) -> Instant {
        if self.running() >= parallel {
            return self.deadline;
        }
        let waits = self.seeds.iter().filter_map(|seed| match seed.progress {
            Progress::Waits { at, .. } if seed.outcome.is_none() => Some(at),
            Progress::Waits { .. } | Progress::Runs { .. } => None,
        });
        waits.fold(self.deadline, Instant::min)
    }

    fn running(&self) -> usize {
        let is_running =
            |seed: &&Seed| seed.outcome.is_none() && matches!(seed.progress, Progress::Runs { .. });
        self.seeds.iter().filter(is_running).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: Stamp = Stamp::new(1, 1);

    fn addr(port: u16) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, 1], port))
    }

    #[test]
    fn seeds_are_tried_once_each_and_so_many_at_a_time() {
        let now = Instant::ORIGIN;
        let deadline = Instant::from_millis(10_000);
        let mut join = Join::new(&[addr(1), addr(2), addr(1), addr(3)], deadline, now);
        assert_eq!(join.begin_next(2, SAID, now), Some((0, addr(1))));
        assert_eq!(join.begin_next(2, SAID, now), Some((1, addr(2))));
        assert_eq!(join.begin_next(2, SAID, now), None);
        assert_eq!(join.next_wake(2), deadline);
        join.seeds[0].outcome = Some(SeedOutcome::Unreachable);
        assert_eq!(join.begin_next(2, SAID, now), Some((2, addr(3))));
        assert!(!join.is_over());
        join.seeds.iter_mut().for_each(|seed| seed.outcome = Some(SeedOutcome::Closed));
        assert!(join.is_over() && join.begin_next(2, SAID, now).is_none());
    }

    #[test]
    fn l7_a_busy_seed_is_tried_again_a_few_times() {
        let deadline = Instant::from_millis(10_000);
        let mut join = Join::new(&[addr(1)], deadline, Instant::ORIGIN);
        let (mut now, mut tries) = (Instant::ORIGIN, 0);
        while join.begin_next(1, SAID, now).is_some() {
            tries += 1;
            if !join.put_off(0, now, 255) {
                break;
            }
            assert_eq!(join.begin_next(1, SAID, now), None, "not at once");
            now = join.next_wake(1);
        }
        assert_eq!(tries, TRIES_MAX);
        assert!(now < Instant::from_millis(4_000));
    }

    #[test]
    fn l7_a_seed_that_was_told_something_outdated_is_told_again_a_few_times() {
        let now = Instant::ORIGIN;
        let mut join = Join::new(&[addr(1)], Instant::from_millis(10_000), now);
        let mut own = SAID;
        for tries in 1..=TRIES_MAX {
            assert!(join.begin_next(1, own, now).is_some());
            assert!(!join.repeat(0, own, now), "it knows what we are");
            own = own.refuting(own);
            assert_eq!(join.repeat(0, own, now), tries < TRIES_MAX);
        }
    }
}
