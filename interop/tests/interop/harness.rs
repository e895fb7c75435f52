//! Mixed clusters for tests, and what must be so at their end.

use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::OnceLock,
};

use swim_interop::{
    cluster::{Cluster, Programs},
    go,
    peer::Kind,
};

/// Keys, as `serf keygen` writes them.
pub(crate) const KEYS: [&str; 2] =
    ["AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "ICEiIyQlJicoKSorLC0uLw=="];

/// How a cluster talks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variant {
    pub(crate) is_sealed: bool,
    /// The version of memberlist's protocol; envelopes are padded in version 1.
    pub(crate) protocol: u8,
    pub(crate) is_compressed: bool,
}

/// What a cluster has that nobody set up otherwise.
pub(crate) const MAIN: Variant = Variant { is_sealed: true, protocol: 2, is_compressed: true };

/// The programs, built once.
pub(crate) fn programs() -> Programs {
    static BUILT: OnceLock<Programs> = OnceLock::new();
    let build = || {
        if let Some(missing) = go::missing() {
            panic!("these tests can't run here without {missing}");
        }
        let swim = Path::new(env!("CARGO_BIN_EXE_swim-peer")).to_owned();
        Programs { go: go::build(swim.parent().unwrap()).unwrap(), swim }
    };
    BUILT.get_or_init(build).clone()
}

/// A cluster without peers.
pub(crate) fn empty(variant: Variant, flags: &[&str]) -> Cluster {
    let Variant { protocol, is_compressed, .. } = variant;
    let mut all = vec![format!("--protocol={protocol}"), format!("--compression={is_compressed}")];
    all.extend(variant.is_sealed.then(|| format!("--key={}", KEYS[0])));
    all.extend(QUICK.iter().map(|setting| format!("--set={setting}")));
    all.extend(flags.iter().map(|&flag| flag.into()));
    let cluster = Cluster::new(programs(), all);
    if protocol == 1 { cluster.with_port(free_addr().port()) } else { cluster }
}

/// An address that nobody has right now.
pub(crate) fn free_addr() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// A cluster of so many peers of each kind, `go-0`, `swim-0`, `go-1` and so on, that know each
/// other.
pub(crate) fn mixed(each: usize, variant: Variant, flags: &[&str]) -> Cluster {
    let mut cluster = empty(variant, flags);
    for number in 0..each {
        cluster.add(Kind::Go, &format!("go-{number}"), &[]);
        cluster.add(Kind::Swim, &format!("swim-{number}"), &[]);
    }
    cluster.settle();
    cluster
}

/// All agree, and nobody got anything that it could not read.
pub(crate) fn finish(cluster: Cluster) {
    finish_but_for(cluster, "nothing");
}

/// The same, but for complaints that have this word.
pub(crate) fn finish_but_for(mut cluster: Cluster, word: &str) {
    cluster.settle();
    for peer in &cluster.peers {
        let mut complaints = peer.complaints();
        complaints.retain(|complaint| !complaint.contains(word));
        assert_eq!(complaints, [""; 0], "{} complained", peer.name);
    }
}

/// Several times as fast as in a data centre, and the shortest suspicion is 1.5 s, so that a
/// machine with much else to do makes no false failures. The dead are kept for longer than any
/// test takes.
const QUICK: [&str; 13] = [
    "probe_interval=300ms",
    "probe_timeout=150ms",
    "gossip_interval=50ms",
    "gossip_nodes=3",
    "push_pull_interval=3s",
    "suspicion_mult=5",
    "suspicion_max_mult=4",
    "indirect_probes=2",
    "retransmit_mult=4",
    "gossip_to_dead=120s",
    "reap_after=120s",
    "reclaim_after=100ms",
    "stream_timeout=2s",
];
