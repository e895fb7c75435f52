//! A member that crashed and is back at once, at the same address, but asks nobody to join: the
//! others go on as if nothing had happened, and only an exchange of tables tells it of them.

use swim_interop::peer::Kind;

use crate::harness::{Variant, finish_but_for, in_each_variant, mixed};

fn comes_back_empty(variant: Variant, kind: Kind, name: &str) {
    let mut cluster = mixed(3, variant, &[]);
    let old = cluster.take(name);
    let bind = format!("--bind={}", old.addr);
    drop(old);
    let peer = cluster.start(kind, name, &[&bind]);
    // It was told nothing at the start; that others come by themselves is what is tested.
    assert_eq!(peer.find(0, |line| line["event"] == "joined"), None);
    cluster.settle();
    // It says of itself what it said at its first start, and hears that it is known as more.
    finish_but_for(cluster, &["Refuting an alive message"]);
}

in_each_variant! {
    fn go_learns_the_members_from_exchanges(variant) {
        comes_back_empty(variant, Kind::Go, "go-1");
    }

    fn swim_learns_the_members_from_exchanges(variant) {
        comes_back_empty(variant, Kind::Swim, "swim-1");
    }
}
