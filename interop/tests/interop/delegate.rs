//! What applications say to each other by way of memberlist's delegates.

use std::{thread, time::Duration};

use swim_interop::{cluster::Cluster, peer::Kind, tape::until};

use crate::harness::{SEALED, empty, finish, in_each_variant, mixed};

in_each_variant! {
    fn broadcasts_are_heard_by_all(variant) {
        are_heard(mixed(3, variant, &[]));
    }
}

fn are_heard(mut cluster: Cluster) {
    for from in ["go-0", "swim-0"] {
        let text = format!("broadcast-of-{from}");
        // One goes to as many as gossip takes it to; said again and again, it reaches all.
        until(&format!("all hear {from}"), || {
            cluster.peer(from).ask(&format!("broadcast {text}"));
            thread::sleep(Duration::from_millis(500));
            let others = cluster.peers.iter().filter(|peer| peer.name != from);
            let is_deaf = |peer: &&swim_interop::peer::Peer| {
                let hears =
                    |line: &serde_json::Value| line["event"] == "message" && line["text"] == text;
                peer.find(0, hears).is_none()
            };
            let deaf: Vec<_> = others.filter(is_deaf).map(|peer| &peer.name).collect();
            if deaf.is_empty() { Ok(()) } else { Err(format!("{deaf:?} did not")) }
        });
    }
    finish(cluster);
}

#[test]
#[ignore = "needs Go and HashiCorp's memberlist"]
fn state_and_ack_payloads_arrive() {
    let mut cluster = empty(SEALED, &[]);
    for (kind, name) in [(Kind::Go, "go"), (Kind::Swim, "swim")] {
        let flags = [format!("--state=state of {name}"), format!("--ack=ack of {name}")];
        cluster.add(kind, name, &[&flags[0], &flags[1]]);
    }
    for (name, other) in [("go", "swim"), ("swim", "go")] {
        let peer = cluster.peer(name);
        for join in [true, false] {
            peer.wait("the other's state", |line| {
                let is_state = line["event"] == "state" && line["join"] == join;
                is_state && line["text"] == format!("state of {other}")
            });
        }
        peer.wait("the other's ack", |line| {
            line["event"] == "ping" && line["text"] == format!("ack of {other}")
        });
    }
    finish(cluster);
}
