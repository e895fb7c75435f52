//! Two of one name: all others hear of it and stay with the first.

use swim_interop::peer::Kind;

use crate::harness::{MAIN, finish, mixed};

fn second_of_a_name(impostor: Kind, name: &str) {
    let mut cluster = mixed(2, MAIN, &[]);
    // Not through the one whose name it has, which would not have it.
    let seed = format!("--join={}", cluster.peer("go-1").addr);
    cluster.start(impostor, name, &["--meta=the other one", &seed]);
    let other = cluster.peers.pop().unwrap();
    let other_addr = other.addr.to_string();
    for peer in &cluster.peers {
        if peer.name != name {
            peer.wait("hears of the conflict", |line| {
                line["event"] == "conflict" && line["name"] == name && line["other"] == other_addr
            });
        }
    }
    drop(other);
    finish(cluster);
}

#[test]
#[ignore = "needs Go and HashiCorp's memberlist"]
fn go_takes_a_name_of_ours() {
    second_of_a_name(Kind::Go, "swim-0");
}

#[test]
#[ignore = "needs Go and HashiCorp's memberlist"]
fn swim_takes_a_name_of_gos() {
    second_of_a_name(Kind::Swim, "go-0");
}
