//! Another key, while all runs; and clusters on their way from plaintext to a key.

use std::{thread, time::Duration};

use swim_interop::{cluster::Cluster, peer::Kind};

use crate::harness::{KEYS, SEALED, Variant, finish, in_each_variant, mixed};

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
        for name in ["go-0", "swim-0"] {
            cluster.peer(name).ask(&format!("meta {word}"));
            cluster.wait(&format!("after {command:?} all hear {name}"), |tables| {
                tables.values().all(|table| table[name].meta == word)
            });
        }
    }
    change(&mut cluster, &format!("--key={}", KEYS[0]), &format!("--key={}", KEYS[1]));
    cluster.add(Kind::Go, "go-new", &[]);
    cluster.add(Kind::Swim, "swim-new", &[]);
    finish(cluster);
}

#[test]
#[ignore = "needs Go and HashiCorp's memberlist"]
fn a_cluster_on_its_way_to_a_key() {
    // First all get the key, but speak plainly and take both; then they seal; then they insist.
    let mut cluster = mixed(1, SEALED, &["--verify-incoming=false", "--verify-outgoing=false"]);
    change(&mut cluster, "--verify-outgoing=false", "--verify-outgoing=true");
    cluster.add(Kind::Go, "go-seals", &[]);
    cluster.add(Kind::Swim, "swim-seals", &[]);
    cluster.settle();
    cluster.leave("go-0");
    cluster.leave("swim-0");
    change(&mut cluster, "--verify-incoming=false", "--verify-incoming=true");
    cluster.add(Kind::Go, "go-insists", &[]);
    cluster.add(Kind::Swim, "swim-insists", &[]);
    finish(cluster);
}

/// Whoever starts from now on is told `to` where the others were told `from`.
fn change(cluster: &mut Cluster, from: &str, to: &str) {
    let flag = cluster.flags.iter_mut().find(|flag| *flag == from);
    *flag.expect("a flag that was given") = to.into();
}
