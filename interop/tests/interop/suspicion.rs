//! Members that stand still for a moment: suspected by the others, and back before anybody says
//! that they failed.

use swim_interop::{cluster::Cluster, peer::Kind, tape::until};

use crate::harness::{Variant, finish_but_for, in_each_variant, mixed};

/// Streams to a peer that stands still are taken by its machine, and nobody reads them in time.
const UNANSWERED: [&str; 3] = ["i/o timeout", "connection reset by peer", "broken pipe"];

/// Nobody is dead within six seconds, in which whoever stood still has long gone on, and in which
/// all others have had their turn on however slow a machine.
const PATIENT: &str = "--set=suspicion_mult=20";

fn stands_still(variant: Variant, name: &str) {
    let mut cluster = mixed(3, variant, &[PATIENT]);
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
    finish_but_for(cluster, &UNANSWERED);
}

/// Waits until one peer of this kind suspects `name`.
fn see_suspect(cluster: &mut Cluster, kind: Kind, name: &str) {
    until(&format!("{kind:?} suspects {name}"), || {
        let mut peers = cluster.peers.iter_mut().filter(|peer| peer.kind == kind);
        let is_seen = peers.any(|peer| peer.members()[name].state == "suspect");
        is_seen.then_some(()).ok_or("nobody does")
    });
}

in_each_variant! {
    fn go_is_suspected_and_refutes(variant) {
        stands_still(variant, "go-1");
    }

    fn swim_is_suspected_and_refutes(variant) {
        stands_still(variant, "swim-1");
    }
}
