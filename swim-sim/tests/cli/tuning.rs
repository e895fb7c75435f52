//! Settings are measured, and one is recommended.

use serde_json::Value;

use crate::{exits_with, stderr, stdout, swim_sim};

const QUICK: [&str; 7] =
    ["tune", "--nodes", "20", "--seeds", "0..3", "--probe-intervals", "200ms,1s"];

#[test]
fn every_choice_is_measured_and_one_recommended() {
    let output = swim_sim(&[&QUICK[..], &["--gossip-nodes", "3", "--goal", "fast"]].concat());
    exits_with(&output, 0);
    let out = stdout(&output);
    assert_eq!(out.lines().filter(|line| line.contains(" B/s")).count(), 6, "{out}");
    assert_eq!(out.lines().filter(|line| line.starts_with("> ")).count(), 1, "{out}");
    assert!(out.contains("recommended, fast: gossip_interval = "), "{out}");
    assert!(out.contains("probe_interval = \"200ms\""), "{out}");
}

#[test]
fn what_is_measured_makes_sense() {
    let more = ["--gossip-nodes", "3", "--gossip-intervals", "200ms", "--loss", "1%", "--json"];
    let output = swim_sim(&[&QUICK[..], &more].concat());
    exits_with(&output, 0);
    let json: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    let rows = json["rows"].as_array().expect("rows");
    let of = |row: usize, key: &str| rows[row][key].as_f64().expect("a number");
    // Who probes five times as often finds failures sooner, and sends more.
    assert!(of(0, "failure_everywhere_s") < of(1, "failure_everywhere_s") / 2.0, "{rows:#?}");
    assert!(of(0, "idle_bytes_per_second_per_node") > of(1, "idle_bytes_per_second_per_node"));
    for row in 0..2 {
        assert!(
            of(row, "idle_bytes_per_second_per_node") < of(row, "busy_bytes_per_second_per_node")
        );
        assert!(of(row, "failure_first_s") <= of(row, "failure_everywhere_s"));
        assert_eq!(of(row, "false_failures"), 0.0);
        assert_eq!(of(row, "delivered"), 1.0);
    }
}

#[test]
fn what_stands_on_the_wire_is_measured_too() {
    let more = ["--gossip-nodes", "3", "--gossip-intervals", "200ms", "--broadcasts", "0"];
    let idle = |wire: &[&str]| {
        let output = swim_sim(&[&QUICK[..], &more, wire, &["--json"]].concat());
        exits_with(&output, 0);
        let json: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
        // Nothing was broadcast, which is no reason to recommend nothing.
        assert!(json["recommended"].is_u64(), "{json:#}");
        assert!(json["rows"][0]["delivered"].is_null(), "{json:#}");
        json["rows"][1]["idle_bytes_per_second_per_node"].as_f64().expect("a number")
    };
    let (plain, sealed) = (idle(&[]), idle(&["--encrypted"]));
    // Two packets a second are sent, and each is longer by 24 bytes at least: a nonce, and what
    // shows that nobody changed it.
    assert!(sealed > plain + 2.0 * 24.0, "{plain} {sealed}");
    let theirs = idle(&["--dialect", "memberlist", "--encrypted"]);
    assert!((theirs - sealed).abs() > 1.0, "{theirs} {sealed}");
    let output = swim_sim(&["tune", "--dialect", "memberlst"]);
    exits_with(&output, 2);
    assert!(stderr(&output).contains("did you mean `memberlist`?"), "{}", stderr(&output));
}
