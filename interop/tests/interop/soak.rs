//! A mixed cluster in which next to nothing happens, for a long time, with the timings of Go's own
//! preset: nobody is held for failed, nobody says what another can't read, and nobody has anything
//! left to say in the end.
//!
//! ```text
//! cargo test -p swim-interop -- --ignored soak
//! ```

use std::{fmt::Write, thread, time::Duration};

use serde_json::Value;
use swim_interop::{
    cluster::Cluster,
    peer::{Kind, Peer},
};

use crate::harness::{KEYS, finish, programs};

/// Peers of each kind.
const EACH: usize = 5;

/// How long nothing happens.
const MINUTES: u64 = 10;

#[test]
#[ignore = "needs Go and HashiCorp's memberlist, and takes ten minutes"]
fn soak() {
    let mut cluster = Cluster::new(programs(), vec![format!("--key={}", KEYS[0])]);
    for number in 0..EACH {
        cluster.add(Kind::Go, &format!("go-{number}"), &[]);
        cluster.add(Kind::Swim, &format!("swim-{number}"), &[]);
    }
    cluster.settle();
    let marks: Vec<_> = cluster.peers.iter().map(Peer::mark).collect();
    for minute in 0..MINUTES {
        thread::sleep(Duration::from_secs(60));
        for (peer, mark) in cluster.peers.iter().zip(&marks) {
            let gone = peer.find(*mark, |line| line["change"] == "gone");
            if let Some(gone) = gone {
                let name = gone["name"].as_str().unwrap_or_default();
                panic!("{} in minute {minute}: {gone}\n{}", peer.name, story(&cluster, name));
            }
            let pings = peer.find(*mark, |line| line["event"] == "ping");
            assert!(pings.is_some(), "{} probes nobody", peer.name);
        }
        let name = ["go-0", "swim-0"][usize::from(minute % 2 == 1)];
        cluster.peer(name).ask(&format!("meta minute-{minute}"));
        cluster.peer(name).ask(&format!("broadcast minute-{minute}"));
        cluster.settle();
        cluster.drain();
        let sent = usize::try_from(minute / 2 + 1).unwrap();
        cluster.peer(name).wait_for(sent, "broadcasts are sent", |line| line["event"] == "sent");
    }
    for peer in &mut cluster.peers {
        let health = peer.ask("stats")["health"].clone();
        assert_eq!(health, 0, "{} had trouble lately", peer.name);
    }
    finish(cluster);
}

/// All that was said of somebody, and all that somebody logged.
fn story(cluster: &Cluster, name: &str) -> String {
    let mut story = String::new();
    for peer in &cluster.peers {
        let about = |line: &Value| {
            let is_said = line["event"] == "member" && line["name"] == name;
            is_said || line["event"] == "log" || line["event"] == "info"
        };
        for line in peer.all(about) {
            let _ = writeln!(story, "{}: {line}", peer.name);
        }
    }
    story
}
