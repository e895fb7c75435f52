//! Another key, while all runs; and clusters on their way from plaintext to a key.

use std::{net::UdpSocket, thread, time::Duration};

use swim_interop::{cluster::Cluster, peer::Kind};

use crate::{
    claims::alive,
    harness::{KEYS, PLAIN, Variant, finish, finish_but_for, in_each_variant, mixed},
};

in_each_variant! { sealed:
    fn keys_are_rotated(variant) {
        rotate(variant);
    }
}

fn rotate(variant: Variant) {
    let mut cluster = mixed(3, variant, &[]);
    for command in [
        format!("key add {}", KEYS[1]),
        format!("key use {}", KEYS[1]),
        format!("key remove {}", KEYS[0]),
    ] {
        for peer in &mut cluster.peers {
            peer.ask(&command);
            // Meanwhile everybody speaks, some with the one and some with the other key.
            thread::sleep(Duration::from_millis(300));
        }
        let word = command.replace(' ', "-");
        speak(&mut cluster, &word);
    }
    change(&mut cluster, &format!("--key={}", KEYS[0]), &format!("--key={}", KEYS[1]));
    cluster.add(Kind::Go, "go-new", &[]);
    cluster.add(Kind::Swim, "swim-new", &[]);
    finish(cluster);
}

/// From plaintext to a key, as `GossipVerifyIncoming` has it: each in turn is restarted with the
/// key, but says everything plainly and takes both; then each again, and seals; then each again,
/// and insists.
#[test]
#[ignore = "needs Go and HashiCorp's memberlist"]
fn a_cluster_on_its_way_from_plaintext_to_a_key() {
    const MIXED: [&str; 2] = ["--verify-incoming=false", "--verify-outgoing=false"];
    let mut cluster = mixed(2, PLAIN, &[]);
    speak(&mut cluster, "plain");
    cluster.flags.push(format!("--key={}", KEYS[0]));
    cluster.flags.extend(MIXED.map(Into::into));
    restart_in_turn(&mut cluster, "has-a-key");
    change(&mut cluster, "--verify-outgoing=false", "--verify-outgoing=true");
    restart_in_turn(&mut cluster, "seals");
    change(&mut cluster, "--verify-incoming=false", "--verify-incoming=true");
    restart_in_turn(&mut cluster, "insists");
    // What is plain is not heard any more.
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for peer in &mut cluster.peers {
        let claim = alive("nobody", socket.local_addr().unwrap(), 1);
        socket.send_to(&claim, peer.addr).unwrap();
        peer.wait("it refuses what is plain", |line| {
            line["event"] == "log"
                && PLAINLY.iter().any(|why| line["text"].to_string().contains(why))
        });
        assert!(!peer.members().contains_key("nobody"));
    }
    finish_but_for(cluster, &PLAINLY);
}

/// What Go's nodes and ours say of a packet that is not sealed.
const PLAINLY: [&str; 2] = ["Decrypt packet failed", "reject: Version"];

/// Everybody leaves, and is back at once under the same name with the flags of now.
fn restart_in_turn(cluster: &mut Cluster, word: &str) {
    for name in ["go-0", "swim-0", "go-1", "swim-1"] {
        let kind = cluster.peer(name).kind;
        cluster.leave(name);
        cluster.add(kind, name, &[]);
        cluster.settle();
        speak(cluster, &format!("{word}-since-{name}"));
        for peer in &cluster.peers {
            let failed = peer.find(0, |line| {
                let is_failed = line["change"] == "gone" && line["state"] == "dead";
                is_failed || line["text"].as_str().is_some_and(|text| text.contains("Marking "))
            });
            assert_eq!(failed, None, "{} after {name} {word}", peer.name);
        }
    }
}

/// What the first of each kind say of themselves is heard by all.
fn speak(cluster: &mut Cluster, word: &str) {
    for name in ["go-0", "swim-0"] {
        cluster.peer(name).ask(&format!("meta {word}"));
        cluster.wait(&format!("all hear {name} say {word}"), |tables| {
            tables.values().all(|table| table[name].meta == word)
        });
    }
}

/// Whoever starts from now on is told `to` where the others were told `from`.
fn change(cluster: &mut Cluster, from: &str, to: &str) {
    let flag = cluster.flags.iter_mut().find(|flag| *flag == from);
    *flag.expect("a flag that was given") = to.into();
}
