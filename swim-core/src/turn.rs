//! In which order a table is told that is too long to be told at once: each time the next part of
//! it, and the node itself always first, which nobody else knows as well.

use crate::table::MemberIndex;

/// From where on in the table the others are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Turn {
    /// So many of them are passed over at first, and come last.
    skipped: u32,
}

impl Turn {
    /// Who has this place in the order, in a table that ends here.
    pub(crate) fn at(self, place: MemberIndex, end: MemberIndex) -> MemberIndex {
        let others = end.as_u32() - 1;
        match place.as_u32().checked_sub(1) {
            Some(nth) => MemberIndex::new(1 + turned(nth, self.skipped, others)),
            None => MemberIndex::SELF,
        }
    }

    /// The order that begins with who had this place.
    pub(crate) fn then(self, place: MemberIndex, end: MemberIndex) -> Self {
        let nth = place.as_u32().saturating_sub(1);
        Self { skipped: turned(nth, self.skipped, end.as_u32() - 1) }
    }
}

fn turned(nth: u32, skipped: u32, others: u32) -> u32 {
    // The table has at most 2^20 members: no sum wraps.
    (nth + skipped).checked_rem(others).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    #[test]
    fn each_place_is_somebody_elses_and_the_first_is_ours() {
        for end in 1..6 {
            let order = |turn: Turn| -> Vec<u32> {
                (0..end)
                    .map(|place| turn.at(MemberIndex::new(place), MemberIndex::new(end)).as_u32())
                    .collect()
            };
            let mut turn = Turn::default();
            assert_eq!(order(turn), (0..end).collect::<Vec<_>>(), "as they stand");
            for step in 0..end {
                let before = order(turn);
                turn = turn.then(MemberIndex::new(step), MemberIndex::new(end));
                let after = order(turn);
                assert_eq!(after[0], 0);
                if step > 0 {
                    assert_eq!(after[1], before[step as usize]);
                }
                let mut sorted = after;
                sorted.sort_unstable();
                assert_eq!(sorted, (0..end).collect::<Vec<_>>());
            }
        }
    }
}
