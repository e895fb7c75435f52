//! Agents that speak memberlist's dialect: the same life, in other bytes.

use std::time::Duration;

use rustix::process::Signal;
use swim_tokio::Profile;

use crate::{
    bounds,
    harness::{Agent, KEY, LONG, cluster, cluster_on_one_port, machine, wait_complete},
};

const MEMBERLIST: [&str; 4] = ["--dialect", "memberlist", "--profile", "local"];

#[test]
fn agents_join_talk_fail_and_leave_in_memberlists_dialect() {
    let _machine = machine();
    type Start = fn(usize, &[&str]) -> Vec<Agent>;
    // Protocol 1 believes no port that it is told.
    let ways: [(Start, &[&str]); 4] = [
        (cluster, &["--label", "blue", "--encrypt", KEY]),
        (cluster_on_one_port, &["--protocol", "1", "--encrypt", KEY, "--compression", "off"]),
        (cluster, &["--protocol", "5", "--encrypt", KEY, "--compression", "off"]),
        (cluster, &["--application", "2,5,5"]),
    ];
    for (start, way) in ways {
        let mut agents = start(3, &[&MEMBERLIST[..], way].concat());
        wait_complete(&agents, LONG);
        agents[0].wait_log("dialect=memberlist", LONG);

        let told = agents[0].ask("meta dc=1").pop().unwrap();
        assert_eq!(told["ok"], true, "{told}");
        let is_told = |line: &serde_json::Value| {
            line["event"] == "member-update" && line["node"] == "n0" && line["meta"] == "dc=1"
        };
        agents[1].wait("the metadata", LONG, |lines| lines.iter().any(is_told).then_some(()));
        agents[0].ask("broadcast two words");
        // It has no word for who began a broadcast.
        let is_sent = |line: &serde_json::Value| line["payload"] == "two words";
        agents[1].wait("the broadcast", LONG, |lines| lines.iter().any(is_sent).then_some(()));

        agents[2].kill();
        let bound = bounds::detection(Profile::Local, 3);
        for agent in &agents[..2] {
            agent.wait_event(0, "member-failed", "n2", bound);
        }
        agents[1].signal(Signal::TERM);
        let status = agents[1].exit(Duration::from_secs(6));
        assert_eq!(status.code(), Some(0), "{status}");
        agents[0].wait_event(0, "member-leave", "n1", LONG);
        assert_eq!(agents[0].nodes_of("member-failed"), ["n2"]);
        assert_eq!(agents[0].logged("refused what was sent"), 0);
    }
}

#[test]
fn keys_change_in_memberlists_dialect_too() {
    let _machine = machine();
    const NEXT: &str = "AAECAwQFBgcICQoLDA0ODw==";
    let mut agents = cluster(2, &[&MEMBERLIST[..], &["--encrypt", KEY]].concat());
    wait_complete(&agents, LONG);
    for step in ["add", "use"] {
        for agent in &mut agents {
            let added = agent.ask(&format!("keys {step} {NEXT}")).pop().unwrap();
            assert_eq!(added["ok"], true, "{added}");
        }
    }
    for agent in &mut agents {
        let removed = agent.ask(&format!("keys remove {KEY}")).pop().unwrap();
        assert_eq!(removed["ok"], true, "{removed}");
    }
    let join = ["--encrypt", NEXT, "--join", &agents[0].addr];
    let newcomer = Agent::start("new", &[&MEMBERLIST[..], &join].concat());
    for agent in &agents {
        agent.wait_event(0, "member-join", "new", LONG);
        assert_eq!(agent.nodes_of("member-failed"), [""; 0]);
    }
    drop(newcomer);
}

#[test]
fn the_two_dialects_refuse_each_other_and_say_so() {
    let _machine = machine();
    let native = Agent::start("native", &["--profile", "local"]);
    let other = Agent::start("other", &[&MEMBERLIST[..], &["--join", &native.addr]].concat());
    // What begins a stream there, is a length here that no frame can have.
    native.wait_log("refused what was sent to this node reason=oversize", LONG);
    other.wait_log("not joined yet", LONG);
    assert_eq!(native.nodes_of("member-join"), ["native"]);
}
