//! Readers that are slow or gone harm nobody but themselves.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::Stdio,
    thread,
    time::Duration,
};

use rustix::process::Signal;
use serde_json::Value;
use swim_tokio::Profile;

use crate::{
    bounds,
    harness::{Agent, LONG, Reaper, cluster, machine, swim, wait_complete},
};

#[test]
fn every_line_is_a_json_object_with_its_place() {
    let _machine = machine();
    let mut agents = cluster(2, &["--profile", "local", "--meta", "role=\"web\""]);
    wait_complete(&agents, LONG);
    agents[1].ask("broadcast h\u{e9}llo \"world\"");
    agents[0].wait_event(0, "user", "n1", LONG);
    agents[1].signal(Signal::TERM);
    agents[0].wait_event(0, "member-leave", "n1", LONG);
    agents[0].ask("stats");
    agents[0].lines.look(|lines| {
        let mut last_seq = None;
        for line in lines {
            assert!(line.is_object(), "{line}");
            crate::harness::time_of(line);
            let Some(event) = line["event"].as_str() else { continue };
            assert!(line["node"].is_string(), "{line}");
            let seq = line["seq"].as_u64();
            assert!(seq > last_seq || last_seq.is_none(), "{line}");
            last_seq = seq;
            if event.starts_with("member-") {
                assert!(line["addr"].as_str().unwrap().parse::<std::net::SocketAddr>().is_ok());
                assert_eq!(line["meta"], "role=\"web\"");
            }
        }
        let user = lines.iter().find(|line| line["event"] == "user").unwrap();
        assert_eq!(user["payload"], "h\u{e9}llo \"world\"");
        let leave = lines.iter().find(|line| line["event"] == "member-leave").unwrap();
        assert_eq!((&leave["state"], &leave["reason"]), (&"left".into(), &"graceful".into()));
    });
}

#[test]
fn text_is_the_default_and_one_line_per_event() {
    let _machine = machine();
    let mut command = swim(&["agent", "--node", "a b", "--bind", "127.0.0.1:0"]);
    let mut child = Reaper(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(child.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let line = line.trim_end();
    assert!(line[24..].starts_with(" member-join \"a b\" 127.0.0.1:"), "{line}");
    assert!(line.contains(" state=alive "), "{line}");
}

#[test]
fn a_closed_stdout_is_no_reason_to_stop() {
    let _machine = machine();
    let seed = Agent::start("seed", &["--profile", "local"]);
    let args = ["agent", "--node", "mute", "--bind", "127.0.0.1:0", "--profile", "local"];
    let mut command = swim(&[&args[..], &["--join", &seed.addr]].concat());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut stderr = child.stderr.take().unwrap();
    let mut child = Reaper(child);
    seed.wait_event(0, "member-join", "mute", LONG);
    let more = Agent::start("more", &["--profile", "local", "--join", &seed.addr]);
    more.wait_event(0, "member-join", "mute", LONG);
    rustix::process::kill_process(rustix::process::Pid::from_child(&child.0), Signal::TERM)
        .unwrap();
    assert_eq!(child.0.wait().unwrap().code(), Some(0));
    let mut log = String::new();
    stderr.read_to_string(&mut log).unwrap();
    assert_eq!(log.matches("nobody reads stdout any more").count(), 1, "{log}");
    assert!(!log.contains("panicked"), "{log}");
    seed.wait_event(0, "member-leave", "mute", LONG);
}

/// A full disk takes neither what it prints nor what it logs, and it is a member all the same: it
/// hears of others, answers them, and leaves when it is told to.
#[cfg(target_os = "linux")]
#[test]
fn an_agent_whose_disk_is_full_stays_a_member() {
    let _machine = machine();
    let seed = Agent::start("seed", &["--profile", "local"]);
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    assert_eq!(full().write(b"x").unwrap_err().kind(), std::io::ErrorKind::StorageFull);
    let args = ["agent", "--node", "full", "--bind", "127.0.0.1:0", "--profile", "local"];
    let mut command = swim(&[&args[..], &["--log-level", "trace", "--join", &seed.addr]].concat());
    let mut child = Reaper(command.stdout(full()).stderr(full()).spawn().unwrap());
    seed.wait_event(0, "member-join", "full", LONG);
    let mut more = Agent::start("more", &["--profile", "local", "--join", &seed.addr]);
    more.wait_event(0, "member-join", "full", LONG);
    for nth in 0..100 {
        more.ask(&format!("broadcast {nth}"));
    }
    thread::sleep(bounds::suspicion_min(Profile::Local, 3) + Duration::from_secs(3));
    for agent in [&seed, &more] {
        assert_eq!(agent.nodes_of("member-failed"), [""; 0], "as seen by {}", agent.name);
    }
    assert_eq!(more.members()["full"], "alive");
    assert!(child.0.try_wait().unwrap().is_none(), "it runs");

    rustix::process::kill_process(rustix::process::Pid::from_child(&child.0), Signal::TERM)
        .unwrap();
    assert_eq!(child.0.wait().unwrap().code(), Some(0));
    seed.wait_event(0, "member-leave", "full", LONG);
}

#[test]
fn a_blocked_stdout_and_stderr_do_not_stall_the_protocol() {
    let _machine = machine();
    let seed = Agent::start("seed", &["--profile", "local"]);
    let args = ["agent", "--node", "stuck", "--bind", "127.0.0.1:0", "--profile", "local"];
    let more = ["--output", "json", "--control", "stdin", "--log-level", "trace"];
    let mut command = swim(&[&args[..], &more, &["--join", &seed.addr]].concat());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = Reaper(command.spawn().unwrap());
    let mut stdin = child.0.stdin.take().unwrap();
    seed.wait_event(0, "member-join", "stuck", LONG);

    // More than a pipe and two buffers hold.
    for _ in 0..4_000 {
        writeln!(stdin, "stats").unwrap();
    }
    thread::sleep(bounds::suspicion_min(Profile::Local, 2) + Duration::from_secs(3));
    assert_eq!(seed.nodes_of("member-failed"), [""; 0]);

    let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
    let lost = lines.find_map(|line| {
        let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
        (line["event"] == "events-lost").then(|| line["missed"].as_u64().unwrap())
    });
    assert!(lost.unwrap() > 0);
    writeln!(stdin, "members").unwrap();
    assert!(lines.any(|line| line.unwrap().contains("\"answer\":\"members\"")));
}
