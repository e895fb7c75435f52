//! When conflicts over names were last reported, so that each is reported now and then and not with
//! every packet, and so that nobody's word counts that may be about the other node of a name.
//!
//! A report is forgotten once the fight may be over. What is looked at for a packet does not grow
//! with the number of names that are fought over. (M4)

use alloc::collections::{BTreeMap, VecDeque};
use core::time::Duration;

use crate::{table::MemberIndex, time::Instant};

/// The reports of fights that may still go on.
#[derive(Debug, Default)]
pub(crate) struct Conflicts {
    reported: BTreeMap<MemberIndex, Instant>,
    /// The same in their order. Some were outdated by a member that is gone.
    order: VecDeque<(MemberIndex, Instant)>,
}

impl Conflicts {
    /// Whether the conflict over the name of `holder` is to be reported now. If so, it counts as
    /// reported. A fight that nobody hears of for `lasting` is over.
    pub(crate) fn report(&mut self, holder: MemberIndex, lasting: Duration, now: Instant) -> bool {
        let lasting = lasting.max(CONFLICT_INTERVAL);
        while let Some(&(oldest, at)) = self.order.front()
            && at + lasting <= now
        {
            self.order.pop_front();
            if self.reported.get(&oldest) == Some(&at) {
                self.reported.remove(&oldest);
            }
        }
        if self.reported.get(&holder).is_some_and(|&at| at + CONFLICT_INTERVAL > now) {
            return false;
        }
        self.reported.insert(holder, now);
        self.order.push_back((holder, now));
        true
    }

    /// Whether the name of `holder` was fought over within the last `lasting`.
    pub(crate) fn is_contested(
        &self,
        holder: MemberIndex,
        lasting: Duration,
        now: Instant,
    ) -> bool {
        let lasting = lasting.max(CONFLICT_INTERVAL);
        self.reported.get(&holder).is_some_and(|&at| at + lasting > now)
    }

    #[cfg(feature = "simulation")]
    pub(crate) fn audit_len(&self) -> usize {
        self.reported.len()
    }

    /// Forgets a member that is gone: its index may become another's.
    pub(crate) fn forget(&mut self, holder: MemberIndex) {
        self.reported.remove(&holder);
    }
}

/// A conflict over one name is reported, and its holder challenged, at most this often.
const CONFLICT_INTERVAL: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const LASTING: Duration = Duration::from_secs(8);

    fn at(seconds: u32) -> Instant {
        Instant::ORIGIN + SECOND * seconds
    }

    fn nth(n: u32) -> MemberIndex {
        MemberIndex::new(n)
    }

    #[test]
    fn each_name_is_reported_once_in_an_interval() {
        let mut conflicts = Conflicts::default();
        assert!(
            conflicts.report(nth(1), LASTING, at(0)) && conflicts.report(nth(2), LASTING, at(3))
        );
        assert!(!conflicts.report(nth(1), LASTING, at(4)));
        assert!(
            conflicts.report(nth(1), LASTING, at(5)) && !conflicts.report(nth(2), LASTING, at(7))
        );
        assert!(
            !conflicts.report(nth(1), LASTING, at(9)) && conflicts.report(nth(2), LASTING, at(9))
        );
    }

    #[test]
    fn an_index_that_became_anothers_is_reported_and_keeps_its_own_interval() {
        let mut conflicts = Conflicts::default();
        assert!(conflicts.report(nth(1), LASTING, at(0)));
        conflicts.forget(nth(1));
        assert!(conflicts.report(nth(1), LASTING, at(4)));
        assert!(
            !conflicts.report(nth(1), LASTING, at(6)),
            "the former member's report ran out, not this"
        );
        assert!(conflicts.report(nth(1), LASTING, at(9)));
    }

    #[test]
    fn a_name_is_contested_as_long_as_the_fight_may_last() {
        let mut conflicts = Conflicts::default();
        assert!(!conflicts.is_contested(nth(1), LASTING, at(0)));
        assert!(conflicts.report(nth(1), LASTING, at(0)));
        let is_contested =
            |conflicts: &Conflicts, time| conflicts.is_contested(nth(1), LASTING, time);
        assert!(is_contested(&conflicts, at(7)) && !is_contested(&conflicts, at(8)));
        assert!(conflicts.report(nth(1), LASTING, at(6)));
        assert!(is_contested(&conflicts, at(13)) && !is_contested(&conflicts, at(14)));
        conflicts.forget(nth(1));
        assert!(!is_contested(&conflicts, at(6)));
    }

    #[test]
    fn m2_m4_what_has_run_out_is_taken_from_the_front_and_not_searched_for() {
        let mut conflicts = Conflicts::default();
        for n in 1..=1_000 {
            assert!(conflicts.report(
                nth(n),
                CONFLICT_INTERVAL,
                Instant::ORIGIN + Duration::from_millis(n.into())
            ));
        }
        assert_eq!((conflicts.reported.len(), conflicts.order.len()), (1_000, 1_000));
        assert!(!conflicts.report(
            nth(1_000),
            CONFLICT_INTERVAL,
            at(5) + Duration::from_millis(10)
        ));
        assert_eq!((conflicts.reported.len(), conflicts.order.len()), (990, 990));
        assert!(conflicts.report(nth(1), CONFLICT_INTERVAL, at(60)));
        assert_eq!((conflicts.reported.len(), conflicts.order.len()), (1, 1));
    }
}
