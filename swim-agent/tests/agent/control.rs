//! Commands on stdin, as scripts use them.

use crate::harness::{KEY, LONG, OTHER_KEY, cluster, machine, wait_complete};

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

/// X17: whatever is done with keys, well or badly, they go by their ids: in answers, and in a log
/// that tells all.
#[test]
fn x17_keys_are_listed_by_their_ids_and_told_nowhere() {
    let _machine = machine();
    let mut agents = cluster(2, &["--profile", "local", "--encrypt", KEY, "--log-level", "trace"]);
    wait_complete(&agents, LONG);
    for agent in &mut agents {
        let first = agent.ask("keys list").pop().unwrap();
        let added = agent.ask(&format!("keys add {OTHER_KEY}")).pop().unwrap();
        let ids = [&first["ids"], &added["id"]].map(|id| id.as_str().unwrap());
        for id in ids {
            assert!(id.len() == 8 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
        }
        let both = agent.ask("keys list").pop().unwrap();
        assert_eq!(both["ids"], ids.join(" "));
    }
    for agent in &mut agents {
        assert_eq!(agent.ask(&format!("keys use {OTHER_KEY}")).pop().unwrap()["ok"], true);
        let refused = agent.ask(&format!("keys remove {OTHER_KEY}")).pop().unwrap();
        assert_eq!(refused["ok"], false, "it is in use");
        agent.tell(&format!("keys add {}", &KEY[..20]));
        agent.tell(&format!("keys {KEY}"));
        agent.tell(KEY);
        assert_eq!(agent.ask(&format!("keys remove {KEY}")).pop().unwrap()["ok"], true);
    }
    let agent = &agents[0];
    agent.lines.look(|lines| {
        let unknown = lines.iter().filter(|line| line["answer"] == "unknown");
        assert_eq!(unknown.count(), 3, "what is no command is answered too");
        lines.iter().for_each(|line| assert_tells_no_key(&line.to_string()));
    });
    agent.log.look(|lines| {
        assert!(lines.iter().any(|line| line.contains("TRACE")), "the log tells all: {lines:?}");
        lines.iter().for_each(|line| assert_tells_no_key(line));
    });
}

/// Neither key stands there, nor half of one: in base64, in hexadecimal digits, or as a list.
fn assert_tells_no_key(line: &str) {
    // The bytes of one key count up from 0, those of the other down from 255.
    let hex = ["0001020304", "fffefdfcfb"].into_iter();
    let lists = ["0, 1, 2, 3, 4", "255, 254, 253, 252"].into_iter();
    let lower = line.to_lowercase();
    for spelt in hex.chain(lists) {
        assert!(!lower.contains(spelt), "{line}");
    }
    for key in [KEY, OTHER_KEY] {
        assert!(!line.contains(&key[..10]) && !line.contains(&key[24..40]), "{line}");
    }
}
