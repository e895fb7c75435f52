//! D2: what happens in a run is the same on every machine, and stays the same until somebody
//! changes it on purpose.
//!
//! `digests.txt` holds the digest of all that happens in some runs, one a line: the seed and the
//! digest. Whoever changes what nodes or worlds do, changes them, and renews the file:
//!
//! ```text
//! RENEW_DIGESTS=1 cargo test -p swim-sim --test digests
//! ```
//!
//! Digests that change where nothing of the kind was meant to (another target, compiler or version
//! of a dependency) are what this test is there to find.

use std::{collections::BTreeSet, fmt::Write as _, path::Path, time::Duration};

use swim_sim::explore::{self, Class, Limits, Mask, Plan};

const LIMITS: Limits = Limits { nodes_min: 3, nodes_max: 8, chaos_max: Duration::from_secs(30) };

/// The first seeds, as many as it takes for every kind of fault to take part.
const SEEDS: u64 = 40;

#[test]
fn d2_digests_are_those_on_every_machine() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/digests.txt");
    let mut found = String::from("# See digests.rs: seed, and digest of all that happened.\n");
    for seed in 0..SEEDS {
        let verdict = explore::replay(seed, Mask::default(), &LIMITS);
        assert!(verdict.is_ok(), "seed {seed}: {:?}", verdict.failure);
        let digest = verdict.digest.expect("it was traced");
        writeln!(found, "{seed} {digest:016x}").expect("a string takes all");
    }
    #[expect(clippy::disallowed_methods, reason = "who renews them says so on purpose")]
    let renews = std::env::var_os("RENEW_DIGESTS").is_some();
    if renews {
        std::fs::write(&path, found).expect("the file can be written");
        return;
    }
    let pinned = std::fs::read_to_string(&path).expect("the file is there");
    let different: Vec<(&str, &str)> =
        pinned.lines().zip(found.lines()).filter(|(pinned, found)| pinned != found).collect();
    assert!(different.is_empty(), "pinned and found: {different:#?}");
    assert_eq!(pinned.lines().count(), found.lines().count(), "some runs are not pinned");
}

#[test]
fn every_kind_of_fault_is_part_of_a_pinned_run() {
    let drawn: BTreeSet<String> =
        (0..SEEDS).flat_map(|seed| Plan::draw(seed, Mask::default(), &LIMITS).classes).collect();
    let missing: Vec<_> = Class::ALL.iter().filter(|c| !drawn.contains(c.name())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
