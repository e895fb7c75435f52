//! Commands on stdin, as scripts use them.

use crate::harness::{LONG, cluster, machine, wait_complete};

#[test]
fn commands_are_answered_one_by_one() {
    let _machine = machine();
    let mut agents = cluster(2, &["--profile", "local"]);
    wait_complete(&agents, LONG);
    let agent = &mut agents[0];

    agent.tell("");
    let refused = agent.ask("unknown command").pop().unwrap();
    assert_eq!(refused["ok"], false);
    assert!(refused["error"].as_str().unwrap().contains("there are broadcast TEXT"), "{refused}");

    let long = agent.ask(&format!("broadcast {}", "x".repeat(20_000))).pop().unwrap();
    assert_eq!(long["ok"], false);
    assert!(long["error"].as_str().unwrap().contains("too long"), "{long}");

    let sent = agent.ask("broadcast two words").pop().unwrap();
    assert_eq!(sent["ok"], true, "{sent}");
    assert_eq!(agent.members().len(), 2);
    assert_eq!(agent.counter("broadcasts_sent"), 1);
    agents[1].wait_event(0, "user", "n0", LONG);
    assert_eq!(agents[0].nodes_of("user"), [""; 0], "nobody hears himself");

    agents[0].hang_up();
    agents[1].ask("broadcast still there?");
    agents[0].wait_event(0, "user", "n1", LONG);
    assert!(agents[0].is_running());
}
