//! One story with everything that happens to members, in every variant of the wire.

use swim_interop::{cluster::Cluster, peer::Kind};

use crate::harness::{MAIN, Variant, empty, finish, mixed};

fn story(is_sealed: bool, protocol: u8, is_compressed: bool) {
    let mut cluster = mixed(3, Variant { is_sealed, protocol, is_compressed }, &[]);
    words(&mut cluster);
    metadata(&mut cluster);
    for (kind, other) in [(Kind::Go, "go"), (Kind::Swim, "swim")] {
        // Killed, and back at another port; gone, and back at another one.
        let name = format!("{other}-1");
        cluster.kill(&name);
        cluster.add(kind, &name, &["--meta=again"]);
        cluster.settle();
        cluster.leave(&name);
        cluster.add(kind, &name, &["--meta=and again"]);
        cluster.settle();
    }
    finish(cluster);
}

/// Messages, best-effort and reliable, each way; long ones, so that they are worth compressing.
fn words(cluster: &mut Cluster) {
    let long = "again and ".repeat(100);
    for (from, to) in [("go-0", "swim-2"), ("swim-0", "go-2"), ("swim-1", "swim-2")] {
        cluster.peer(from).ask(&format!("send {to} {from} {long}"));
        cluster.peer(to).wait_message(&format!("{from} {long}"));
        let longer = long.repeat(50);
        cluster.peer(from).ask(&format!("sendrel {to} surely {from} {longer}"));
        cluster.peer(to).wait_message(&format!("surely {from} {longer}"));
    }
}

/// What one kind says about itself, the other kind hears.
fn metadata(cluster: &mut Cluster) {
    for name in ["go-0", "swim-0"] {
        cluster.peer(name).ask("meta changed");
        cluster.wait(&format!("all know what {name} says"), |tables| {
            tables.values().all(|table| table[name].meta == "changed")
        });
    }
    cluster.settle();
}

/// One kind compresses what it can and the other nothing: streams of either sort arrive at both.
#[test]
#[ignore = "needs Go and HashiCorp's memberlist"]
fn compressed_by_one_kind_only() {
    for compressing in [Kind::Go, Kind::Swim] {
        let plain = Variant { is_sealed: false, is_compressed: false, ..MAIN };
        let mut cluster = empty(plain, &[]);
        for number in 0..3 {
            for (kind, name) in [(Kind::Go, "go"), (Kind::Swim, "swim")] {
                let flag = format!("--compression={}", kind == compressing);
                cluster.add(kind, &format!("{name}-{number}"), &[&flag]);
            }
        }
        cluster.settle();
        words(&mut cluster);
        finish(cluster);
    }
}

#[test]
#[ignore = "needs Go and HashiCorp's memberlist"]
fn plain() {
    story(false, 2, true);
}

#[test]
#[ignore = "needs Go and HashiCorp's memberlist"]
fn plain_and_not_compressed() {
    story(false, 2, false);
}

#[test]
#[ignore = "needs Go and HashiCorp's memberlist"]
fn sealed_and_padded() {
    story(true, 1, true);
}

#[test]
#[ignore = "needs Go and HashiCorp's memberlist"]
fn sealed_and_padded_and_not_compressed() {
    story(true, 1, false);
}

#[test]
#[ignore = "needs Go and HashiCorp's memberlist"]
fn sealed() {
    story(true, 2, true);
}

#[test]
#[ignore = "needs Go and HashiCorp's memberlist"]
fn sealed_and_not_compressed() {
    story(true, 2, false);
}

#[test]
#[ignore = "needs Go and HashiCorp's memberlist"]
fn sealed_in_the_highest_protocol() {
    story(true, 5, true);
}
