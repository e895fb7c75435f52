//! An agent that has no descriptors left goes on, says so, and takes streams again once there are
//! some.

use std::{net::TcpStream, thread, time::Duration};

use crate::{
    harness::{Agent, KEY, LONG, cluster, machine, wait_complete},
    tape::now,
};

#[test]
#[ignore = "takes a minute; the checks run it beside others"]
fn who_has_no_descriptors_waits_for_them_and_does_not_spin() {
    let _machine = machine();
    let mut agents = cluster(3, &["--profile", "local", "--encrypt", KEY]);
    wait_complete(&agents, LONG);
    let seed = agents[0].addr.clone();

    agents[0].limit_files(0); // It keeps what it has.
    let knocking: Vec<_> = (0..8).map(|_| TcpStream::connect(&seed).unwrap()).collect();
    agents[0].wait_log("accepting a stream failed", LONG);
    let (began, used) = (now(), agents[0].processor());
    let failed = agents[0].counter("accepts_failed");
    thread::sleep(Duration::from_secs(15));
    let failed = agents[0].counter("accepts_failed") - failed;
    let (took, used) = (now() - began, agents[0].processor() - used);
    // At first after 5 ms, and twice as long each time, up to a second.
    assert!(failed >= 1 && failed <= 9 + took.as_secs(), "{failed} attempts in {took:?}");
    assert!(used < took / 5, "{used:?} on the processor in {took:?}");
    let told = agents[0].logged("accepting a stream failed") as u64;
    assert!(told <= 2 + took.as_secs() / 10, "told {told} times in {took:?}");

    agents[0].limit_files(1_024);
    drop(knocking);
    let late = Agent::start("late", &["--profile", "local", "--encrypt", KEY, "--join", &seed]);
    late.wait_log("joined the cluster", LONG);
    for agent in &mut agents {
        assert_eq!(agent.nodes_of("member-failed"), [""; 0], "as seen by {}", agent.name);
    }
}
