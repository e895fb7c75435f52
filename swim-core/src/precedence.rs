//! Which of two claims about one member wins.
//!
//! The order is: life, then incarnation, then Alive < Suspect < Dead. Left stands apart: within a
//! life nothing comes after it, whatever the incarnation (S7), so that a member that said goodbye
//! is not called back by a rumour. Where nobody has a life, a higher incarnation is all by which
//! one that comes back can be told, and Left is but the last of its incarnation. Taking the larger
//! of two claims is commutative, associative and idempotent (S8), and what is stored never goes
//! down (S1).

use core::cmp::Ordering;

use crate::{
    member::State,
    stamp::{Life, Stamp},
};

/// A claim reduced to what decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Belief {
    pub(crate) stamp: Stamp,
    pub(crate) state: State,
}

impl Belief {
    pub(crate) const fn new(stamp: Stamp, state: State) -> Self {
        Self { stamp, state }
    }

    /// What is believed after hearing `news`; `None` if that changes nothing.
    pub(crate) fn hearing(self, news: Self) -> Option<Self> {
        let merged = self.merge(news);
        (merged != self).then_some(merged)
    }

    fn merge(self, other: Self) -> Self {
        match self.stamp.life.cmp(&other.stamp.life) {
            Ordering::Less => return other,
            Ordering::Greater => return self,
            Ordering::Equal => {}
        }
        let has_life = self.stamp.life != Life::NONE;
        if has_life && (self.state == State::Left || other.state == State::Left) {
            // The higher incarnation is kept as evidence, the state is final.
            return Self::new(self.stamp.max(other.stamp), State::Left);
        }
        if (self.stamp, self.state) >= (other.stamp, other.state) { self } else { other }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::stamp::{INCARNATION_MAX, LIFE_MAX};

    fn belief(life: u64, incarnation: u64, state: State) -> Belief {
        Belief::new(Stamp::new(life, incarnation), state)
    }

    fn any_belief() -> impl Strategy<Value = Belief> {
        let state = prop_oneof![
            Just(State::Alive),
            Just(State::Suspect),
            Just(State::Dead),
            Just(State::Left)
        ];
        (0..4_u64, 0..4_u64, state).prop_map(|(l, i, s)| belief(l, i, s))
    }

    #[test]
    fn swim_4_2_precedence() {
        use State::{Alive, Dead, Left, Suspect};
        // stored, heard, then.
        let table = [
            ((1, 1, Alive), (1, 1, Alive), None),
            ((1, 1, Alive), (1, 2, Alive), Some((1, 2, Alive))),
            ((1, 2, Alive), (1, 1, Suspect), None),
            ((1, 1, Alive), (1, 1, Suspect), Some((1, 1, Suspect))),
            ((1, 1, Alive), (1, 5, Suspect), Some((1, 5, Suspect))),
            ((1, 1, Suspect), (1, 1, Alive), None),
            ((1, 1, Suspect), (1, 2, Alive), Some((1, 2, Alive))),
            ((1, 1, Suspect), (1, 5, Suspect), Some((1, 5, Suspect))),
            ((1, 2, Suspect), (1, 1, Dead), None),
            ((1, 1, Suspect), (1, 1, Dead), Some((1, 1, Dead))),
            ((1, 1, Dead), (1, 1, Alive), None),
            ((1, 1, Dead), (1, 1, Suspect), None),
            ((1, 1, Dead), (1, 10, Dead), Some((1, 10, Dead))),
            ((1, 10, Dead), (1, 2, Alive), None),
            ((1, 1, Dead), (1, 2, Alive), Some((1, 2, Alive))),
            ((1, 1, Dead), (1, 1, Left), Some((1, 1, Left))),
            ((1, 5, Alive), (1, 1, Left), Some((1, 5, Left))),
            ((1, 1, Left), (1, 9, Alive), Some((1, 9, Left))),
            ((1, 9, Left), (1, 1, Dead), None),
            ((1, 9, Left), (2, 1, Alive), Some((2, 1, Alive))),
            ((2, 1, Alive), (1, 9, Left), None),
            ((2, 1, Alive), (1, 9, Dead), None),
            // Without lives.
            ((0, 1, Left), (0, 1, Dead), None),
            ((0, 5, Alive), (0, 1, Left), None),
            ((0, 5, Dead), (0, 5, Left), Some((0, 5, Left))),
            ((0, 1, Left), (0, 2, Alive), Some((0, 2, Alive))),
            ((0, 1, Left), (0, 3, Dead), Some((0, 3, Dead))),
        ];
        for ((l, i, s), (hl, hi, hs), then) in table {
            let then = then.map(|(l, i, s)| belief(l, i, s));
            let heard = belief(hl, hi, hs);
            assert_eq!(belief(l, i, s).hearing(heard), then, "{l}.{i} {s} hears {heard:?}");
        }
    }

    proptest! {
        #[test]
        fn s8_merging_is_a_semilattice(a in any_belief(), b in any_belief(), c in any_belief()) {
            prop_assert_eq!(a.merge(b), b.merge(a));
            prop_assert_eq!(a.merge(b).merge(c), a.merge(b.merge(c)));
            prop_assert_eq!(a.merge(a), a);
            prop_assert_eq!(a.merge(b).merge(b), a.merge(b));
        }

        #[test]
        fn s1_the_stored_stamp_and_rank_never_go_down(a in any_belief(), b in any_belief()) {
            let merged = a.merge(b);
            prop_assert!(merged.stamp >= a.stamp);
            prop_assert!(merged.stamp > a.stamp || merged.state >= a.state);
        }
    }

    /// All beliefs of a small domain with the extremes in it.
    fn domain() -> Vec<Belief> {
        let lives = [0, 1, LIFE_MAX - 1, LIFE_MAX, u64::MAX];
        let incarnations = [0, 1, INCARNATION_MAX, u64::MAX];
        let states = [State::Alive, State::Suspect, State::Dead, State::Left];
        let stamps = lives.iter().flat_map(|&life| incarnations.map(|it| (life, it)));
        stamps.flat_map(|(life, it)| states.map(|state| belief(life, it, state))).collect()
    }

    /// Whether `b` stands where `a` and `b` were heard.
    fn is_at_most(a: Belief, b: Belief) -> bool {
        a.merge(b) == b
    }

    /// All triples of the domain: merging is a join, so that its order is one, and what stands is
    /// the least that is above both. (S1, S8)
    #[test]
    fn c3_s8_merging_is_a_join_and_its_order_is_one() {
        let all = domain();
        for &a in &all {
            assert!(is_at_most(a, a));
            for &b in &all {
                let ab = a.merge(b);
                assert_eq!(ab, b.merge(a));
                assert!(is_at_most(a, ab) && is_at_most(b, ab));
                assert!(!(is_at_most(a, b) && is_at_most(b, a)) || a == b);
                for &c in &all {
                    assert_eq!(ab.merge(c), a.merge(b.merge(c)), "{a:?} {b:?} {c:?}");
                    assert!(!(is_at_most(a, b) && is_at_most(b, c)) || is_at_most(a, c));
                    assert!(!(is_at_most(a, c) && is_at_most(b, c)) || is_at_most(ab, c));
                }
            }
        }
    }

    /// Of any two one stands, but for a member that left: then its end stands, with the higher
    /// incarnation as evidence. (S7)
    #[test]
    fn c3_s7_the_order_is_total_but_for_those_that_left() {
        let (mut ordered, mut joined) = (0, 0);
        for (a, b) in domain().iter().flat_map(|&a| domain().into_iter().map(move |b| (a, b))) {
            if is_at_most(a, b) || is_at_most(b, a) {
                ordered += 1;
                continue;
            }
            joined += 1;
            assert!(a.stamp.life == b.stamp.life && a.stamp.life != Life::NONE);
            assert!((a.state == State::Left) != (b.state == State::Left), "{a:?} {b:?}");
            assert_eq!(a.merge(b), Belief::new(a.stamp.max(b.stamp), State::Left));
        }
        assert_eq!(ordered + joined, 80 * 80);
        // Of each life but none: an end, and what is not and has a higher incarnation.
        assert_eq!(joined, 4 * 2 * 3 * (3 + 2 + 1));
    }
}
