//! The example scenarios: documentation that runs.

use std::fs;

use crate::{exits_with, root, swim_sim};

#[test]
fn every_example_passes_with_several_seeds() {
    let folder = root().join("swim-sim/scenarios");
    let mut names: Vec<_> = fs::read_dir(folder)
        .expect("there are examples")
        .map(|entry| entry.expect("a file").file_name().into_string().expect("UTF-8"))
        .collect();
    names.sort();
    assert!(names.len() >= 8, "{names:?}");
    for name in names {
        let path = format!("swim-sim/scenarios/{name}");
        exits_with(&swim_sim(&["run", &path, "--seeds", "0..4"]), 0);
    }
}
