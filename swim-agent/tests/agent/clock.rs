//! A wall clock that is set while the agent runs, forwards and back. The machine's own is left
//! alone: one agent is told a wrong time, by a library that is loaded before the system's.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use crate::harness::{Agent, KEY, LONG, cluster, comes_true, machine, swim, wait_complete};

#[test]
#[ignore = "takes a minute; the checks run it beside others"]
fn x4_a_wall_clock_that_is_set_harms_at_most_the_node_that_has_it() {
    let _machine = machine();
    let off_by = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clock-off-by");
    set(&off_by, 0);
    let args = ["--profile", "local", "--encrypt", KEY];
    let mut agents = cluster(3, &args);
    let join = ["--bind", "127.0.0.1:0", "--join", &agents[0].addr];
    let mut command = swim(&Agent::words("n3", &[&args[..], &join].concat()));
    command.env("LD_PRELOAD", library()).env("WALL_CLOCK_OFF_BY", &off_by);
    agents.push(Agent::run("n3", command).started());
    wait_complete(&agents, LONG);

    // Within the age that a sealed packet may have, nobody minds.
    for seconds in [200, -200, 0] {
        let before = agents[3].counter("clock_steps");
        set(&off_by, seconds);
        comes_true("the clock is noticed", || agents[3].counter("clock_steps") > before);
        thread::sleep(SOME_PROBES);
        for agent in &mut agents {
            assert_eq!(agent.nodes_of("member-failed"), [""; 0], "as seen by {}", agent.name);
            comes_true(&format!("all are alive, off by {seconds} s"), || agent.live() == 4);
        }
    }

    // Beyond it, whoever has that clock is cut off, and nobody else.
    for seconds in [3_600, -3_600] {
        set(&off_by, seconds);
        let is_dead = |agent: &mut Agent| {
            agent.members().get("n3").is_none_or(|state| state != "alive" && state != "suspect")
        };
        comes_true("it is cut off", || agents[..3].iter_mut().all(is_dead));
        set(&off_by, 0);
        comes_true("it is back", || agents.iter_mut().all(|agent| agent.live() == 4));
    }
    for agent in &agents[..3] {
        let failed = agent.nodes_of("member-failed");
        assert!(failed.iter().all(|node| node == "n3"), "{} failed {failed:?}", agent.name);
        agent.wait_log("the clock of the sender or of this node is wrong", LONG);
    }
}

/// Whole, whenever it is read.
fn set(off_by: &Path, seconds: i64) {
    let new = off_by.with_extension("new");
    fs::write(&new, seconds.to_string()).unwrap();
    fs::rename(new, off_by).unwrap();
}

/// Built by the program that links ours.
fn library() -> PathBuf {
    let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clock.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/agent/clock.c");
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-O1", "-o"]).args([&library, &source]);
    assert!(cc.status().unwrap().success(), "{cc:?}");
    library
}

/// Enough of them, and suspicions, for whoever is not heard to be failed.
const SOME_PROBES: Duration = Duration::from_secs(8);
