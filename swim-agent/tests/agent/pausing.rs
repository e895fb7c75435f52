//! A process that is stopped for less than the suspicion time has not failed.

use std::thread;

use rustix::process::Signal;
use swim_tokio::Profile;

use crate::{
    bounds,
    harness::{KEY, LONG, cluster, comes_true, machine, wait_complete},
};

#[test]
fn a_short_stop_fails_nobody() {
    let _machine = machine();
    let suspicion = bounds::suspicion_min(Profile::Local, 5);
    let mut agents = cluster(5, &["--profile", "local", "--encrypt", KEY]);
    wait_complete(&agents, LONG);

    agents[2].signal(Signal::STOP);
    thread::sleep(suspicion * 9 / 10);
    agents[2].signal(Signal::CONT);
    // Whoever suspects it, or is suspected by it, would have given up by then.
    thread::sleep(suspicion * 2);

    for agent in &mut agents {
        assert_eq!(agent.nodes_of("member-failed"), [""; 0], "as seen by {}", agent.name);
        comes_true("all are alive", || agent.members().values().all(|state| state == "alive"));
    }
}
