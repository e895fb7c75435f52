//! Seeds that once found something, with what it was. They run with the usual limits and nothing
//! masked. A change of what is drawn makes other runs of them, so that what was found is also kept
//! as a test of its own or as a plan.

use swim_sim::explore::{self, Limits, Mask};

const FOUND: &[(u64, &str)] = &[
    (103, "a node that forgot its lives did not outbid what its former self had said"),
    (11, "P7: confirmations that had waited made a node that woke fail three members at once"),
    (18, "P5: a comparison of views was due in the very moment of the tick before"),
    (687, "X9: helpers vouched for an impostor that had died, as they knew the real one"),
    (259, "X9: the same, found while an impostor had come by another way"),
    (121, "P7: suspicions with little time left ran out as soon as a node woke"),
];

#[test]
fn what_was_found_stays_mended() {
    for (seed, what) in FOUND {
        let verdict = explore::run_seed(*seed, Mask::default(), &Limits::default(), None);
        let line = explore::command(*seed, Mask::default(), &Limits::default());
        assert!(verdict.is_ok(), "{what}: {:?}\n{line}", verdict.failure);
    }
}
