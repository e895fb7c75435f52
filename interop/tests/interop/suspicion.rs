//! Members that stand still for a moment: suspected by the others, and back before anybody says
//! that they failed.

use swim_interop::{cluster::Cluster, peer::Kind, tape::until};

use crate::harness::{MAIN, finish, mixed};

fn stands_still(name: &str) {
    let mut cluster = mixed(3, MAIN, &[]);
    let before = cluster.peer(name).members()[name].incarnation;
    let peer = cluster.take(name);
    peer.pause();
    for kind in [Kind::Go, Kind::Swim] {
        see_suspect(&mut cluster, kind, name);
    }
    peer.resume();
    cluster.peers.push(peer);
    cluster.settle();
    let after = cluster.peer(name).members()[name].incarnation;
    assert!(after > before, "{name} refuted nothing: {before}, {after}");
    let is_gone = |line: &serde_json::Value| line["change"] == "gone";
    for peer in &cluster.peers {
        assert_eq!(peer.find(0, is_gone), None, "{}", peer.name);
    }
    finish(cluster);
}

/// Waits until one peer of this kind suspects `name`.
fn see_suspect(cluster: &mut Cluster, kind: Kind, name: &str) {
    until(&format!("{kind:?} suspects {name}"), || {
        let mut peers = cluster.peers.iter_mut().filter(|peer| peer.kind == kind);
        let is_seen = peers.any(|peer| peer.members()[name].state == "suspect");
        is_seen.then_some(()).ok_or("nobody does")
    });
}

#[test]
#[ignore = "needs Go and HashiCorp's memberlist"]
fn go_is_suspected_and_refutes() {
    stands_still("go-1");
}

#[test]
#[ignore = "needs Go and HashiCorp's memberlist"]
fn swim_is_suspected_and_refutes() {
    stands_still("swim-1");
}
