//! Another key, while all runs; and clusters on their way from plaintext to a key.

use std::{thread, time::Duration};

use swim_interop::peer::Kind;

use crate::harness::{KEYS, MAIN, Variant, finish, mixed};

#[test]
#[ignore = "needs Go and HashiCorp's memberlist"]
fn keys_are_rotated() {
    for protocol in [1, 2] {
        let mut cluster = mixed(2, Variant { protocol, ..MAIN }, &[]);
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
            for name in ["go-0", "swim-0"] {
                cluster.peer(name).ask(&format!("meta {command}"));
                cluster.wait(&format!("after {command:?} all hear {name}"), |tables| {
                    tables.values().all(|table| table[name].meta == command)
                });
            }
        }
        // With the old key for nothing but the flag that all share, a newcomer is not let in.
        let key = format!("--key={}", KEYS[1]);
        let new = Variant { is_sealed: false, protocol, ..MAIN };
        let seed = format!("--join={}", cluster.peers[0].addr);
        let mut newcomers = crate::harness::empty(new, &[&key, &seed]);
        newcomers.start(Kind::Go, "go-new", &[]);
        newcomers.start(Kind::Swim, "swim-new", &[]);
        cluster.peers.append(&mut newcomers.peers);
        finish(cluster);
    }
}

#[test]
#[ignore = "needs Go and HashiCorp's memberlist"]
fn a_cluster_on_its_way_to_a_key() {
    // First all get the key, but speak plainly and take both; then they seal; then they insist.
    let plain = ["--verify-incoming=false", "--verify-outgoing=false"];
    let sealing = ["--verify-incoming=false", "--verify-outgoing=true"];
    let mut cluster = mixed(1, MAIN, &plain);
    let seed = format!("--join={}", cluster.peers[0].addr);
    let mut others = crate::harness::empty(MAIN, &[&seed, sealing[0], sealing[1]]);
    others.start(Kind::Go, "go-new", &[]);
    others.start(Kind::Swim, "swim-new", &[]);
    cluster.peers.append(&mut others.peers);
    finish(cluster);
}
