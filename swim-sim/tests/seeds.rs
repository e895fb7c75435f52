//! Plans that once found something: each file of `tests/plans` says what. A plan is what was drawn,
//! not the seed it was drawn from, so that it stays the same run when drawing changes; see
//! `swim-sim replay --save`.

use std::{fs, path::Path};

use swim_sim::explore::{self, Plan};

#[test]
fn what_was_found_stays_mended() {
    let plans = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans");
    let mut paths: Vec<_> = fs::read_dir(&plans)
        .expect("the plans are there")
        .map(|entry| entry.expect("an entry can be read").path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "no plan in {}", plans.display());
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).expect("a plan can be read");
        let plan = Plan::from_json(&text).unwrap_or_else(|what| panic!("{name}: {what}"));
        assert!(!plan.about.is_empty(), "{name} does not say what it found");
        let verdict = explore::run(&plan, None);
        let again = format!("swim-sim replay --plan swim-sim/tests/plans/{name}");
        assert!(verdict.is_ok(), "{}: {:?}\n{again}", plan.about, verdict.failure);
    }
}
