//! Whatever is wrong is said in one message on stderr, with the right exit status.

use std::{fs, time::Duration};

use serde_json::Value;

use crate::{exits_with, file, stderr, stdout, swim_sim, written};

const CRASH: &str = "swim-sim/scenarios/crash.toml";

#[test]
fn wrong_command_lines_exit_with_2_and_a_remedy() {
    let cases: &[(&[&str], &str)] = &[
        (&[], "say what to do: run, "),
        (&["rn"], "did you mean `run`?"),
        (&["run"], "say which scenario"),
        (&["run", CRASH, "more"], "\"more\" is a word too many"),
        (&["run", CRASH, "--sed", "1"], "did you mean `--seed`?"),
        (&["run", CRASH, "--seed"], "--seed needs a value"),
        (&["run", CRASH, "--seed", "x"], "--seed \"x\": expected a whole number"),
        (&["run", CRASH, "--seed", "18446744073709551615"], "expected a whole number, 0 to 1844"),
        (&["run", CRASH, "--seeds", "0..99999999999"], "these are more than 10000000 seeds"),
        (&["explore", "--seeds", "9..2"], "the range runs backwards: write 2..9"),
        (&["replay", "--seeds", "0..3"], "a replay is of one run"),
        (&["run", "swim-sim"], "cannot read swim-sim: it is a folder"),
        (&["replay", "--plan", "swim-sim"], "cannot read swim-sim: it is a folder"),
        (&["run", CRASH, "--seeds", "5"], "expected a range such as 0..100"),
        (&["run", CRASH, "--seeds", "5..5"], "the range is empty"),
        (&["run", CRASH, "--seed", "1", "--seeds", "1..2"], "can't be given both"),
        (&["run", CRASH, "--seed", "1", "--seed", "2"], "--seed is given twice"),
        (&["run", CRASH, "--seeds", "0..2", "--trace", "t"], "--trace is of one run"),
        (&["run", CRASH, "--seeds", "0..2", "--columns"], "--columns is of one run"),
        (&["run", CRASH, "--set", "gossip_node=1"], "did you mean `gossip_nodes`?"),
        (&["run", CRASH, "--set", "probe_interval=1ms"], "--set: "),
        (&["run", "no-such.toml"], "cannot read no-such.toml"),
        (&["tune", "more"], "\"more\" is a word too many"),
        (&["tune", "--nodes", "1"], "--nodes \"1\": expected 2 to 5000"),
        (&["tune", "--loss", "5"], "--loss \"5\": expected a share such as 1%"),
        (&["tune", "--latency", "10"], "write 200ms"),
        (&["tune", "--goal", "cheap"], "expected one of fast, quiet, balanced"),
        (&["tune", "--gossip-nodes", "33", "--seed", "1"], "these settings can't be used: "),
        (&["replay"], "say which run: --seed N or --plan FILE"),
        (
            &["replay", "--seed", "1", "--shrink", "--json"],
            "--shrink prints a plan and nothing else",
        ),
        (&["replay", "--seed", "1", "--json", "--columns"], "can't be given both"),
        (&["replay", "--plan", "no-such.json"], "cannot read no-such.json"),
        (&["explore", "--nodes-min", "9", "--nodes-max", "8"], "--nodes-min 9 is above"),
        (&["explore", "--mask", "los"], "--mask \"los\": "),
        (&["experiment"], "say which"),
        (&["experiment", "sw99"], "there is no experiment \"sw99\""),
        (&["experiment", "sw3", "--seed", "1", "--seeds", "1..2"], "can't be given both"),
        (&["list", "actons"], "there is no topic \"actons\"; did you mean `actions`?"),
    ];
    for (args, expected) in cases {
        let output = swim_sim(args);
        exits_with(&output, 2);
        let message = stderr(&output);
        assert!(message.contains(expected), "{args:?}: {message}");
        assert_eq!(message.lines().count(), 1, "{args:?}: {message}");
    }
}

#[test]
fn a_wrong_scenario_is_named_with_file_and_line() {
    let path = written("wrong.toml", "nodes = 3\n[[do]]\nat = \"1s\"\ndo = \"crush\"\nhost = 1\n");
    let output = swim_sim(&["run", &path]);
    exits_with(&output, 2);
    assert!(stderr(&output).contains("wrong.toml:4: `do`: there is no action `crush`"));
}

#[test]
fn what_was_not_as_expected_exits_with_1_and_says_how_to_repeat_it() {
    let text = "nodes = 5\n[[do]]\nat = \"1s\"\ndo = \"crash\"\nhost = 1\n\
                [[expect]]\nthat = \"agree\"\nat = \"1s\"\nwithin = \"10ms\"\n";
    let path = written("failing.toml", text);
    let output = swim_sim(&["run", &path, "--seeds", "3..5", "--set", "gossip_nodes=2"]);
    exits_with(&output, 1);
    let out = stdout(&output);
    for expected in [
        "FAILED  all agree within 10ms after 1s",
        "expected in line 6",
        "failing.toml --set 'gossip_nodes=2' --seed 4",
        "FAILED: 2 of 2 seeds",
    ] {
        assert!(out.contains(expected), "{expected}:\n{out}");
    }
}

#[test]
fn a_run_repeats_byte_for_byte() {
    let traces = ["one.trace", "other.trace"].map(|name| {
        let path = file(name);
        let name = path.to_str().expect("a path in UTF-8");
        exits_with(&swim_sim(&["run", CRASH, "--seed", "9", "--trace", name]), 0);
        fs::read(path).expect("the trace was written")
    });
    assert!(!traces[0].is_empty());
    assert!(traces[0] == traces[1], "two processes, two histories");
}

/// D5: the line that a failure comes with draws the very run, whatever it was explored with.
#[test]
fn the_line_of_a_failure_draws_the_same_run() {
    use swim_sim::explore::{self, Class, Limits, Mask, Plan};
    let mask = Mask::default().with(Class::Loss).with(Class::StreamReset);
    let chaos_max = Duration::from_millis(12_300);
    let limits = Limits { nodes_min: 2, nodes_max: 4, chaos_max };
    let line = explore::command(17, mask, &limits).replace("'12s 300ms'", "12s300ms");
    let file = std::env::temp_dir().join(format!("swim-sim-line-{}.json", std::process::id()));
    let path = file.to_string_lossy().into_owned();
    let mut words: Vec<&str> = line.split(' ').skip(1).collect();
    words.extend(["--save", &path]);
    let output = swim_sim(&words);
    let text = fs::read_to_string(&file).expect("the plan was saved");
    fs::remove_file(&file).expect("it is ours");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(Plan::from_json(&text), Ok(Plan::draw(17, mask, &limits)));
}

/// It is the run that the exit status tells of, also with --shrink.
#[test]
fn a_replay_exits_with_0_when_the_run_holds_and_with_1_when_it_does_not() {
    use swim_sim::{
        Span,
        explore::{self, Limits, Mask, Plan},
    };
    let limits = Limits { nodes_min: 3, nodes_max: 4, chaos_max: Duration::from_secs(5) };
    let file = std::env::temp_dir().join(format!("swim-sim-exit-{}.json", std::process::id()));
    let path = file.to_string_lossy().into_owned();
    let statuses = |plan: &Plan| {
        fs::write(&file, plan.to_json()).expect("it can be written");
        let lines = [&["replay", "--plan", &path][..], &["replay", "--plan", &path, "--shrink"]];
        let outputs = lines.map(swim_sim);
        fs::remove_file(&file).expect("it is ours");
        let text = String::from_utf8_lossy(&outputs[1].stderr).into_owned();
        (outputs.map(|output| output.status.code()), text)
    };
    let plan = Plan::draw(1, Mask::default(), &limits);
    let (codes, text) = statuses(&plan);
    assert_eq!(codes, [Some(0), Some(0)]);
    assert!(text.contains("nothing to shrink"), "{text}");

    // Somewhere among a few runs, those that were parted need a moment to agree.
    let hasty = (0..SEEDS_MAX).map(|seed| {
        let plan = Plan::draw(seed, Mask::default(), &limits);
        Plan { agree_within: Some(Span(Duration::ZERO)), ..plan }
    });
    let failing = hasty.into_iter().find(|plan| !explore::run(plan, None).is_ok());
    let (codes, text) = statuses(&failing.expect("not all agree at once"));
    assert_eq!(codes, [Some(1), Some(1)], "{text}");
}

/// Among so many runs there are some of every kind.
const SEEDS_MAX: u64 = 40;

/// The digest that a replay with these arguments prints.
fn digest(args: &[&str]) -> String {
    let output = swim_sim(&[&["replay"], args].concat());
    exits_with(&output, 0);
    let out = stdout(&output);
    let line = out.lines().find(|line| line.starts_with("digest ")).map(str::to_owned);
    line.unwrap_or_else(|| panic!("no digest:\n{out}"))
}

#[test]
fn looking_at_a_drawn_run_changes_nothing() {
    let page = file("looked-at.html");
    let page = page.to_str().expect("a path in UTF-8");
    let looked_at = digest(&["--seed", "17", "--columns", "--report", page]);
    assert_eq!(digest(&["--seed", "17"]), looked_at);
}

#[test]
fn a_plan_that_was_saved_is_the_run_it_was_saved_from() {
    let plan = file("saved.json");
    let plan = plan.to_str().expect("a path in UTF-8");
    let drawn = digest(&["--seed", "17", "--save", plan]);
    assert_eq!(digest(&["--plan", plan]), drawn);
}

#[test]
fn every_run_is_a_line_of_the_trace() {
    for (command, runs) in [
        (&["explore", "--seeds", "0..3", "--nodes-max", "6"][..], 3),
        (&["experiment", "sw3", "--seeds", "1..3"], 24),
        (&["tune", "--nodes", "4", "--gossip-nodes", "2,3", "--seed", "1"], 6),
    ] {
        let path = file(&format!("{}.tsv", command[0]));
        let name = path.to_str().expect("a path in UTF-8");
        exits_with(&swim_sim(&[command, &["--trace", name]].concat()), 0);
        let lines = fs::read_to_string(&path).expect("the trace was written");
        assert_eq!(lines.lines().count(), runs, "{command:?}:\n{lines}");
        assert!(lines.lines().all(|line| line.split('\t').count() > 3), "{lines}");
    }
}

#[test]
fn what_an_experiment_missed_is_said_and_stops_who_is_strict() {
    for (args, status) in [
        (&["experiment", "sw2", "--seed", "1"][..], 0),
        (&["experiment", "sw2", "--seed", "1", "--strict"], 1),
        (&["experiment", "sw3", "--seed", "1", "--strict"], 0),
    ] {
        let output = swim_sim(args);
        exits_with(&output, status);
        let last = stdout(&output).lines().last().map(String::from).expect("it prints something");
        assert!(last.contains(" bands missed, "), "{last}");
        let is_clean = last.contains(": 0 of 6 bands missed, 0 of 6 bars missed");
        assert_eq!(is_clean, args[1] == "sw3", "{last}");
    }
}

#[test]
fn json_is_for_programs() {
    let output = swim_sim(&["run", CRASH, "--seeds", "0..2", "--json"]);
    exits_with(&output, 0);
    let json: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!(json["passed"], true);
    assert_eq!(json["nodes"], 20);
    let runs = json["runs"].as_array().expect("a list of runs");
    assert_eq!((runs[0]["seed"].as_u64(), runs[1]["seed"].as_u64()), (Some(0), Some(1)));
    for run in runs {
        assert_eq!(run["failures"].as_array().map(Vec::len), Some(19));
        assert_eq!(run["expectations"].as_array().map(Vec::len), Some(5));
        let columns = run["samples"].as_object().expect("samples");
        let lengths: Vec<_> = columns.values().map(|it| it.as_array().map(Vec::len)).collect();
        assert!(lengths.iter().all(|len| *len == lengths[0]), "{lengths:?}");
    }
}

#[test]
fn whatever_is_listed_is_listed_for_programs() {
    let listed = |args: &[&str]| {
        let output = swim_sim(args);
        exits_with(&output, 0);
        serde_json::from_str::<Value>(&stdout(&output)).expect("JSON")
    };
    let all = listed(&["list", "--json"]);
    let topics = ["actions", "assertions", "settings", "network", "experiments", "when"];
    for topic in topics {
        assert!(all[topic].as_array().is_some_and(|it| !it.is_empty()), "{topic}");
    }
    let one = listed(&["list", "experiments", "--json"]);
    assert_eq!(one["experiments"], all["experiments"]);
    assert_eq!(one.as_object().map(serde_json::Map::len), Some(1));
}

#[test]
fn a_range_of_one_seed_is_a_seed() {
    assert_eq!(digest(&["--seeds", "17..18"]), digest(&["--seed", "17"]));
}

#[test]
fn columns_show_one_event_a_line() {
    let output = swim_sim(&["run", CRASH, "--columns"]);
    exits_with(&output, 0);
    let out = stdout(&output);
    assert!(out.contains("== crash 7"), "{out}");
    assert_eq!(out.matches(" x7").count(), 19, "{out}");
    let large = written("large.toml", "nodes = 41\nlength = \"1s\"\n");
    let output = swim_sim(&["run", &large, "--columns"]);
    exits_with(&output, 2);
    assert!(stderr(&output).contains("--columns has room for 40 nodes, not for 41"));
}

#[test]
fn lists_and_help_are_printed() {
    let output = swim_sim(&["list"]);
    exits_with(&output, 0);
    let out = stdout(&output);
    for expected in ["\n  crash: ", "\n  no-false-failure: ", "\n  gossip_interval "] {
        assert!(out.contains(expected), "{expected}:\n{out}");
    }
    for args in
        [&["--help"][..], &["help", "run"], &["run", "--help"], &["tune", "-h"], &["list", "-h"]]
    {
        let output = swim_sim(args);
        exits_with(&output, 0);
        assert!(stdout(&output).contains("Examples:"), "{args:?}");
    }
}
