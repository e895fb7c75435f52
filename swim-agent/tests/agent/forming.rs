//! Five agents find each other, list each other, and take little memory for it.

use std::{collections::BTreeMap, net::TcpListener, process::Stdio, time::Duration};

use crate::{
    harness::{Agent, KEY, LONG, Reaper, cluster, file, machine, swim, wait_complete},
    tape::time_of_day,
};

const OLD_KEY: &str = "AAECAwQFBgcICQoLDA0ODw==";

#[test]
fn five_agents_all_list_all_within_five_seconds() {
    let _machine = machine();
    for profile in ["lan", "local"] {
        let began = time_of_day();
        let mut agents = cluster(5, &["--profile", profile, "--encrypt", KEY]);
        let took = wait_complete(&agents, LONG).saturating_sub(began);
        assert!(took < Duration::from_secs(5), "{profile}: complete after {took:?}");
        let expected: BTreeMap<_, _> =
            agents.iter().map(|agent| (agent.name.clone(), "alive".to_owned())).collect();
        for agent in &mut agents {
            assert_eq!(agent.members(), expected, "as seen by {}", agent.name);
            assert_eq!(agent.nodes_of("member-join").len(), 5, "nobody joins twice");
        }
        for agent in &agents[1..] {
            agent.wait_log("joined the cluster", LONG);
            assert_eq!(agent.logged("joined the cluster"), 1);
        }
    }
}

#[test]
fn keys_come_from_a_file_or_the_environment_too() {
    let _machine = machine();
    let ring = |name, keys: [&str; 2]| {
        let path = file(name, &format!("{keys:?}"), 0o600);
        path.to_str().unwrap().to_owned()
    };
    let (one, other) = (ring("one.json", [KEY, OLD_KEY]), ring("other.json", [OLD_KEY, KEY]));
    let seed = Agent::start("a", &["--keyring", &one]);
    // Seals with another key of the ring: all of them open.
    let by_file = Agent::start("b", &["--keyring", &other, "--join", &seed.addr]);
    let mut by_environment =
        swim(&["agent", "--node", "c", "--bind", "127.0.0.1:0", "--join", &seed.addr]);
    by_environment.env("SWIM_ENCRYPT", KEY).stdout(Stdio::null()).stderr(Stdio::null());
    let by_environment = Reaper(by_environment.spawn().unwrap());
    for node in ["b", "c"] {
        seed.wait_event(0, "member-join", node, LONG);
    }
    drop((by_file, by_environment));
}

#[test]
fn seeds_are_tried_until_one_is_there() {
    let _machine = machine();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let free = free.to_string();
    let early = Agent::start("early", &["--join", &free, "--join", "no-such-host.invalid"]);
    early.wait_log("not joined yet", LONG);
    let late = Agent::launch("late", &["--bind", &free]).started();
    early.wait_log("joined the cluster", LONG);
    assert_eq!(early.logged("not joined yet"), 1);
    late.wait_event(0, "member-join", "early", LONG);
}

#[test]
fn a_seed_may_be_the_node_itself() {
    let _machine = machine();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let free = free.to_string();
    let alone = Agent::launch("alone", &["--bind", &free, "--join", &free]).started();
    alone.wait_log("only this node itself", LONG);
    assert_eq!(alone.logged("joined the cluster"), 0);
    let other = Agent::start("other", &["--join", &free]);
    alone.wait_event(0, "member-join", "other", LONG);
    drop(other);
}

#[test]
fn an_agent_takes_less_than_four_mebibytes() {
    let _machine = machine();
    let agents = cluster(5, &["--profile", "local", "--encrypt", KEY]);
    wait_complete(&agents, LONG);
    for agent in &agents {
        let resident = agent.resident();
        println!("{}: {resident} KiB resident", agent.name);
        // The promise is for release builds; others carry more code around, some 200 KiB over it.
        let limit = if cfg!(debug_assertions) { 5 << 10 } else { 4 << 10 };
        assert!(resident < limit, "{resident} KiB");
    }
}
