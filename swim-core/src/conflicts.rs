//! When conflicts over names were last reported, so that each is reported now and then and not with
//! every packet.
//!
//! A report is forgotten once the name may be reported again. What is looked at for a packet does
//! not grow with the number of names that are fought over. (M4)

use alloc::collections::{BTreeMap, VecDeque};
use core::time::Duration;

use crate::{heap, table::MemberIndex, time::Instant};

/// The reports that are too recent to be repeated.
#[derive(Debug, Default)]
pub(crate) struct Conflicts {
    reported: BTreeMap<MemberIndex, Instant>,
    /// The same in their order. Some were outdated by a member that is gone.
    order: VecDeque<(MemberIndex, Instant)>,
}

impl Conflicts {
    /// What they take on the heap at most.
    pub(crate) const fn heap_max() -> u64 {
        let size = size_of::<(MemberIndex, Instant)>();
        let count = CONFLICTS_MAX as u64;
        heap::btree(count, size).saturating_add(heap::vec(count, size))
    }

    /// Whether the conflict over the name of `holder` is to be reported now. If so, it counts as
    /// reported.
    pub(crate) fn report(&mut self, holder: MemberIndex, now: Instant) -> bool {
        while let Some(&(oldest, at)) = self.order.front()
            && at + CONFLICT_INTERVAL <= now
        {
            self.order.pop_front();
            if self.reported.get(&oldest) == Some(&at) {
                self.reported.remove(&oldest);
            }
        }
        if self.reported.contains_key(&holder) || self.order.len() >= CONFLICTS_MAX {
            return false;
        }
        self.reported.insert(holder, now);
        self.order.push_back((holder, now));
        true
    }

    #[cfg(feature = "simulation")]
    pub(crate) fn audit_len(&self) -> usize {
        self.order.len()
    }

    /// Forgets a member that is gone: its index may become another's.
    pub(crate) fn forget(&mut self, holder: MemberIndex) {
        self.reported.remove(&holder);
    }
}

/// Conflicts reported within the interval at most: who sees a thousand of them has seen enough, and
/// whoever makes up more of them fills neither the memory nor the queue of events. (M1)
const CONFLICTS_MAX: usize = 1_024;

/// A conflict over one name is reported at most this often.
const CONFLICT_INTERVAL: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(seconds: u32) -> Instant {
        Instant::ORIGIN + SECOND * seconds
    }

    fn nth(n: u32) -> MemberIndex {
        MemberIndex::new(n)
    }

    #[test]
    fn each_name_is_reported_once_in_an_interval() {
        let mut conflicts = Conflicts::default();
        assert!(conflicts.report(nth(1), at(0)) && conflicts.report(nth(2), at(3)));
        assert!(!conflicts.report(nth(1), at(4)));
        assert!(conflicts.report(nth(1), at(5)) && !conflicts.report(nth(2), at(7)));
        assert!(!conflicts.report(nth(1), at(9)) && conflicts.report(nth(2), at(9)));
    }

    #[test]
    fn an_index_that_became_anothers_is_reported_and_keeps_its_own_interval() {
        let mut conflicts = Conflicts::default();
        assert!(conflicts.report(nth(1), at(0)));
        conflicts.forget(nth(1));
        assert!(conflicts.report(nth(1), at(4)));
        assert!(!conflicts.report(nth(1), at(6)), "the former member's report ran out, not this");
        assert!(conflicts.report(nth(1), at(9)));
    }

    #[test]
    fn m2_m4_what_has_run_out_is_taken_from_the_front_and_not_searched_for() {
        let mut conflicts = Conflicts::default();
        for n in 1..=1_000 {
            assert!(conflicts.report(nth(n), Instant::ORIGIN + Duration::from_millis(n.into())));
        }
        assert_eq!((conflicts.reported.len(), conflicts.order.len()), (1_000, 1_000));
        assert!(!conflicts.report(nth(1_000), at(5) + Duration::from_millis(10)));
        assert_eq!((conflicts.reported.len(), conflicts.order.len()), (990, 990));
        assert!(conflicts.report(nth(1), at(60)));
        assert_eq!((conflicts.reported.len(), conflicts.order.len()), (1, 1));
    }
}
