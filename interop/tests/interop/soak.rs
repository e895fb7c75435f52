//! A mixed cluster in which next to nothing happens, for a long time, with the timings of Go's own
//! preset: nobody is held for failed, nobody says what another can't read, and nobody has anything
//! left to say in the end.
//!
//! ```text
//! cargo test -p swim-interop --test interop -- --ignored soak
//! ```

use std::{fmt::Write, thread, time::Duration};

use serde_json::Value;
use swim_interop::{
    cluster::Cluster,
    peer::{Kind, Peer},
    tape::until,
};

use crate::harness::{KEYS, finish, programs};

/// Peers of each kind.
const EACH: usize = 5;

/// How long nothing happens.
const MINUTES: u64 = 10;

#[test]
#[ignore = "needs Go and HashiCorp's memberlist, and takes ten minutes"]
fn soak() {
    let flags = vec![format!("--key={}", KEYS[0])];
    // Half a second's delay is a lost probe here, and the machine may have much else to do.
    let mut cluster = Cluster::new(programs(), flags).favoured();
    for number in 0..EACH {
        cluster.add(Kind::Go, &format!("go-{number}"), &[]);
        cluster.add(Kind::Swim, &format!("swim-{number}"), &[]);
    }
    cluster.settle();
    for minute in 0..MINUTES {
        let marks: Vec<_> = cluster.peers.iter().map(Peer::mark).collect();
        thread::sleep(Duration::from_secs(60));
        for (peer, mark) in cluster.peers.iter().zip(&marks) {
            // Nobody ever was, since the first one started.
            let gone = peer.find(0, |line| line["change"] == "gone");
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
        println!("minute {minute}: all {} are there", cluster.peers.len());
    }
    for peer in &mut cluster.peers {
        until(&format!("{} has no trouble", peer.name), || {
            let health = peer.ask("stats")["health"].clone();
            if health == 0 { Ok(()) } else { Err(health) }
        });
    }
    for peer in &cluster.peers {
        let doubts = peer.all(|line| {
            let is_told = |text: &str| text.contains("has failed, no acks received");
            line["change"] == "suspected" || line["text"].as_str().is_some_and(is_told)
        });
        println!("{} doubted somebody {} times", peer.name, doubts.len());
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
