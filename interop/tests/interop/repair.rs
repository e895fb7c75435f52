//! A member that crashed and is back at once, at the same address, but asks nobody to join: the
//! others go on as if nothing had happened, and only an exchange of tables tells it of them.

use swim_interop::peer::Kind;

use crate::harness::{MAIN, finish, mixed};

fn comes_back_empty(kind: Kind, name: &str) {
    let mut cluster = mixed(2, MAIN, &[]);
    let old = cluster.take(name);
    let bind = format!("--bind={}", old.addr);
    drop(old);
    let peer = cluster.start(kind, name, &[&bind]);
    // It was told nothing at the start; that others come by themselves is what is tested.
    assert_eq!(peer.find(0, |line| line["event"] == "joined"), None);
    cluster.settle();
    finish(cluster);
}

#[test]
#[ignore = "needs Go and HashiCorp's memberlist"]
fn go_learns_the_members_from_exchanges() {
    comes_back_empty(Kind::Go, "go-1");
}

#[test]
#[ignore = "needs Go and HashiCorp's memberlist"]
fn swim_learns_the_members_from_exchanges() {
    comes_back_empty(Kind::Swim, "swim-1");
}
