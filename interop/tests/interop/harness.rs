//! Mixed clusters for tests, and what must be so at their end.

use std::{path::Path, sync::OnceLock};

use swim_interop::{
    agent,
    cluster::{Cluster, Programs, free_addr},
    go,
    peer::Kind,
};
use swim_netlab::Lab;

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

/// The variants in which everything is tested.
pub(crate) const PLAIN: Variant = Variant { is_sealed: false, protocol: 2, is_compressed: true };
pub(crate) const PLAIN_LOOSE: Variant = Variant { is_compressed: false, ..PLAIN };
pub(crate) const PADDED: Variant = Variant { is_sealed: true, protocol: 1, is_compressed: true };
pub(crate) const PADDED_LOOSE: Variant = Variant { is_compressed: false, ..PADDED };
pub(crate) const SEALED: Variant = Variant { is_sealed: true, protocol: 2, is_compressed: true };
pub(crate) const SEALED_LOOSE: Variant = Variant { is_compressed: false, ..SEALED };

/// Makes a test of each variant from functions that are told the variant; `hosts:` if they need
/// networks of hosts, and `sealed:` if they need a key.
macro_rules! in_each_variant {
    (sealed: $(fn $name:ident($variant:ident) $body:block)+) => { $(
        fn $name($variant: $crate::harness::Variant) $body

        mod $name {
            $crate::harness::in_each_variant!(
                @sealed $name "needs Go and HashiCorp's memberlist"
            );
        }
    )+ };
    (hosts: $($rest:tt)+) => {
        $crate::harness::in_each_variant!(
            @all "needs Go and HashiCorp's memberlist, root, ip and nft" $($rest)+
        );
    };
    (@all $needs:literal $(fn $name:ident($variant:ident) $body:block)+) => { $(
        fn $name($variant: $crate::harness::Variant) $body

        mod $name {
            $crate::harness::in_each_variant!(@test $name plain PLAIN $needs);
            $crate::harness::in_each_variant!(
                @test $name plain_and_not_compressed PLAIN_LOOSE $needs
            );
            $crate::harness::in_each_variant!(@sealed $name $needs);
        }
    )+ };
    (@sealed $name:ident $needs:literal) => {
        $crate::harness::in_each_variant!(@test $name sealed SEALED $needs);
        $crate::harness::in_each_variant!(
            @test $name sealed_and_not_compressed SEALED_LOOSE $needs
        );
        $crate::harness::in_each_variant!(@test $name padded PADDED $needs);
        $crate::harness::in_each_variant!(
            @test $name padded_and_not_compressed PADDED_LOOSE $needs
        );
    };
    (@test $name:ident $test:ident $variant:ident $needs:literal) => {
        #[test]
        #[ignore = $needs]
        fn $test() {
            super::$name($crate::harness::$variant);
        }
    };
    ($($all:tt)+) => {
        $crate::harness::in_each_variant!(@all "needs Go and HashiCorp's memberlist" $($all)+);
    };
}
pub(crate) use in_each_variant;

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

/// The same, where Serf's agents can be started, too.
pub(crate) fn programs_and_serf() -> Programs {
    if let Some(missing) = agent::missing() {
        panic!("these tests can't run here without {missing}");
    }
    programs()
}

/// A cluster without peers.
pub(crate) fn empty(variant: Variant, flags: &[&str]) -> Cluster {
    let cluster = placeless(variant, flags);
    if variant.protocol == 1 { cluster.with_port(free_addr().unwrap().port()) } else { cluster }
}

/// A cluster without peers, each of which will have a host of its own, of which there are so many.
pub(crate) fn on_hosts(hosts: usize, variant: Variant, flags: &[&str]) -> Cluster {
    placeless(variant, flags).on(lab(hosts))
}

/// So many hosts with network stacks of their own.
pub(crate) fn lab(hosts: usize) -> Lab {
    if let Some(missing) = swim_netlab::missing() {
        panic!("there are no networks of hosts here: {missing}");
    }
    Lab::new(hosts).unwrap()
}

/// A cluster without peers, which have no place yet.
pub(crate) fn placeless(variant: Variant, flags: &[&str]) -> Cluster {
    let Variant { protocol, is_compressed, .. } = variant;
    let mut all = vec![format!("--protocol={protocol}"), format!("--compression={is_compressed}")];
    all.extend(variant.is_sealed.then(|| format!("--key={}", KEYS[0])));
    all.extend(QUICK.iter().map(|setting| format!("--set={setting}")));
    all.extend(flags.iter().map(|&flag| flag.into()));
    Cluster::new(programs(), all)
}

/// A cluster of so many peers of each kind, `go-0`, `swim-0`, `go-1` and so on, that know each
/// other.
pub(crate) fn mixed(each: usize, variant: Variant, flags: &[&str]) -> Cluster {
    let mut cluster = empty(variant, flags);
    fill(&mut cluster, each);
    cluster
}

/// The same, in a cluster that has none yet.
pub(crate) fn fill(cluster: &mut Cluster, each: usize) {
    for number in 0..each {
        cluster.add(Kind::Go, &format!("go-{number}"), &[]);
        cluster.add(Kind::Swim, &format!("swim-{number}"), &[]);
    }
    cluster.settle();
}

/// All agree, and nobody complained.
pub(crate) fn finish(cluster: Cluster) {
    finish_but_for(cluster, &[]);
}

/// The same, but for complaints that have one of these words.
pub(crate) fn finish_but_for(mut cluster: Cluster, words: &[&str]) {
    cluster.settle();
    nobody_complained(&cluster, words);
}

/// Nobody complained so far, but of another's end and of what has one of these words.
pub(crate) fn nobody_complained(cluster: &Cluster, words: &[&str]) {
    for peer in &cluster.peers {
        let mut complaints = cluster.complaints(peer);
        complaints.retain(|complaint| !words.iter().any(|word| complaint.contains(word)));
        assert_eq!(complaints, [""; 0], "{} complained", peer.name);
    }
}

/// Several times as fast as in a data centre, and the shortest suspicion is 1.5 s, so that a
/// machine with much else to do makes no false failures. The dead are kept for longer than any
/// test takes, with Go's peers and with ours.
pub(crate) const QUICK: [&str; 13] = [
    "probe_interval=300ms",
    "probe_timeout=150ms",
    "gossip_interval=50ms",
    "gossip_nodes=3",
    "push_pull_interval=3s",
    "suspicion_mult=5",
    "suspicion_max_mult=4",
    "indirect_probes=2",
    "retransmit_mult=4",
    "gossip_to_dead=1h",
    "reap_after=1h",
    "reclaim_after=100ms",
    "stream_timeout=2s",
];
