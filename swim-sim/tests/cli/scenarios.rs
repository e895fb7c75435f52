//! The example scenarios: documentation that runs.

use std::fs;

use serde_json::Value;
use swim_sim::scenario::verbs::{ACTIONS, ASSERTIONS};

use crate::{exits_with, root, stdout, swim_sim, written};

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

/// The simulator's checks know no other dialect than the native one by themselves.
#[test]
fn o1_what_must_always_hold_holds_in_memberlists_dialect() {
    let path = "swim-sim/scenarios/memberlist-loss.toml";
    let output = swim_sim(&["run", path, "--seeds", "0..40", "--json"]);
    exits_with(&output, 0);
    let json: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!(json["checked_after_every_step"], true);
}

#[test]
fn the_guide_is_true() {
    let path = root().join("swim-sim/README.md");
    let guide = fs::read_to_string(path).expect("there is a guide");
    for verb in ACTIONS.iter().chain(ASSERTIONS) {
        let row = guide.lines().find(|line| line.starts_with(&format!("| `{}` |", verb.name)));
        let row = row.unwrap_or_else(|| panic!("the guide lacks `{}`", verb.name));
        let is_link = row.contains("as in `[network]`");
        for field in verb.fields.iter().filter(|field| !is_link || field.name == "from") {
            let named = row.contains(&format!("`{}`", field.name));
            assert!(named || field.name == "from", "{}: {}", verb.name, field.name);
        }
    }
    let example = guide.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next());
    let path = written("guide.toml", example.expect("the guide has an example"));
    exits_with(&swim_sim(&["run", &path, "--seeds", "0..20"]), 0);
}
