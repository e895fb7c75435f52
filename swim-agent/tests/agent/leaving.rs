//! Signals: the first one leaves, the second one does not wait, and a leave is never a failure.

use std::{
    io::{self, Read, Write},
    process::Stdio,
    thread,
    time::Duration,
};

use rustix::{
    io::ioctl_fionbio,
    process::{Pid, Signal, kill_process},
};
use swim_tokio::Profile;

use crate::{
    bounds,
    harness::{Agent, KEY, LONG, Reaper, cluster, machine, swim, wait_complete},
};

#[test]
fn leaving_is_announced_and_never_a_failure() {
    let _machine = machine();
    let mut agents = cluster(5, &["--profile", "local", "--encrypt", KEY]);
    wait_complete(&agents, LONG);

    for signal in [Signal::TERM, Signal::INT] {
        let mut leaver = agents.pop().unwrap();
        leaver.signal(signal);
        let status = leaver.exit(Duration::from_secs(10));
        assert_eq!(status.code(), Some(0), "{signal:?}: {status}");
        leaver.wait_event(0, "member-leave", &leaver.name, LONG);
        assert_eq!(leaver.logged("nobody has confirmed it"), 0);
        for agent in &agents {
            agent.wait_event(0, "member-leave", &leaver.name, LONG);
        }
    }
    let mut leaver = agents.pop().unwrap();
    leaver.ask("leave");
    assert_eq!(leaver.exit(Duration::from_secs(10)).code(), Some(0));

    // Long enough for a probe to fail and its suspicion to run out.
    thread::sleep(bounds::suspicion_min(Profile::Local, 5) + Duration::from_secs(2));
    for agent in &agents {
        assert_eq!(agent.nodes_of("member-leave"), ["n4", "n3", "n2"], "seen by {}", agent.name);
        assert_eq!(agent.nodes_of("member-failed"), [""; 0], "seen by {}", agent.name);
    }
}

#[test]
fn a_lone_agent_leaves_at_once() {
    let _machine = machine();
    let mut agents = cluster(1, &[]);
    agents[0].signal(Signal::INT);
    assert_eq!(agents[0].exit(Duration::from_secs(3)).code(), Some(0));
    agents[0].wait_event(0, "member-leave", "n0", LONG);
    assert_eq!(agents[0].logged("nobody has confirmed it"), 0, "there was nobody");
}

#[test]
fn a_second_signal_does_not_wait_for_the_leave() {
    let _machine = machine();
    let mut agents = cluster(2, &[]);
    wait_complete(&agents, LONG);
    // Nobody is there to confirm the leave, so it takes as long as it may.
    agents[0].signal(Signal::STOP);
    agents[1].signal(Signal::TERM);
    agents[1].wait_log("leaving", LONG);
    agents[1].signal(Signal::INT);
    let status = agents[1].exit(LONG);
    assert_eq!(status.code(), Some(1), "it waited for the leave");
    agents[1].wait_log("exiting without having left", LONG);
    assert_eq!(agents[1].nodes_of("member-leave"), [""; 0]);
}

#[test]
fn who_is_told_twice_still_says_why_it_has_not_left() {
    let _machine = machine();
    let peer = Agent::start("peer", &[]);
    let (mut log, mut full) = io::pipe().unwrap();
    ioctl_fionbio(&full, true).unwrap();
    while full.write(b"\n").is_ok() {}
    ioctl_fionbio(&full, false).unwrap();
    let args = ["agent", "--node", "told", "--bind", "127.0.0.1:0", "--join", &peer.addr];
    let mut command = swim(&args);
    let mut told = Reaper(command.stdout(Stdio::null()).stderr(full).spawn().unwrap());
    drop(command); // It has the other end of the log, too.
    peer.wait_event(0, "member-join", "told", LONG);
    peer.signal(Signal::STOP);
    for signal in [Signal::TERM, Signal::INT] {
        kill_process(Pid::from_child(&told.0), signal).unwrap();
    }
    thread::sleep(Duration::from_millis(100)); // The log can be written now, and not before.
    let mut text = String::new();
    log.read_to_string(&mut text).unwrap();
    assert_eq!(told.0.wait().unwrap().code(), Some(1));
    assert!(text.contains("exiting without having left"), "{text}");
}

#[test]
fn a_leave_that_nobody_hears_ends_too() {
    let _machine = machine();
    let mut agents = cluster(2, &[]);
    wait_complete(&agents, LONG);
    agents[0].signal(Signal::STOP);
    agents[1].signal(Signal::TERM);
    assert_eq!(agents[1].exit(Duration::from_secs(10)).code(), Some(0));
    agents[1].wait_log("nobody has confirmed it", LONG);
    agents[1].wait_event(0, "member-leave", "n1", LONG);
}

#[test]
fn a_hangup_without_a_terminal_is_ignored() {
    let _machine = machine();
    let mut agents = cluster(1, &[]);
    agents[0].signal(Signal::HUP);
    agents[0].wait_log("SIGHUP ignored", LONG);
    assert!(agents[0].is_running());
}
