//! Agents that don't belong to the cluster stay outside, and both sides know why.

use std::{thread, time::Duration};

use crate::harness::{Agent, KEY, LONG, cluster, machine, wait_complete};

const OTHER_KEY: &str = "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=";

#[test]
fn a_wrong_key_stays_outside_and_both_sides_say_so_once() {
    stays_outside(
        &["--encrypt", OTHER_KEY, "--label", "ours"],
        "a key that this node does not have",
    );
}

#[test]
fn no_key_stays_outside_and_both_sides_say_so_once() {
    stays_outside(&["--label", "ours"], "no key");
}

#[test]
fn a_wrong_label_stays_outside_and_both_sides_say_so_once() {
    stays_outside(&["--encrypt", KEY, "--label", "theirs"], "another label");
}

fn stays_outside(args: &[&str], why: &str) {
    let _machine = machine();
    let mut agents = cluster(2, &["--encrypt", KEY, "--label", "ours"]);
    wait_complete(&agents, LONG);
    let seed = agents[0].addr.clone();
    let mut stranger = Agent::start("stranger", &[args, &["--join", &seed]].concat());
    stranger.wait_log("not joined yet", LONG);
    agents[0].wait_log(&format!("refused what was sent to this node: the sender has {why}"), LONG);
    thread::sleep(Duration::from_secs(5)); // Several more tries.

    assert_eq!(stranger.logged("not joined yet"), 1);
    assert_eq!(stranger.logged("joined the cluster"), 0);
    assert_eq!(stranger.members().len(), 1);
    assert_eq!(agents[0].logged("refused what was sent"), 1);
    assert!(agents[0].counter("rejected") > 1, "it tried again and was refused again");
    for agent in &mut agents {
        assert_eq!(agent.members().len(), 2, "as seen by {}", agent.name);
        assert_eq!(agent.nodes_of("member-join").len(), 2);
    }
}
