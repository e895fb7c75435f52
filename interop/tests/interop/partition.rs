//! The network falls apart between the two kinds of peers, and each half has news; then it is
//! mended, and both halves hold the same.

use swim_interop::{
    cluster::Cluster,
    peer::{Kind, Row},
    tape::until,
};

use crate::harness::{Variant, fill, finish_but_for, in_each_variant, on_hosts};

/// Peers of each kind at the start, and hosts for those and for one more of each kind.
const EACH: usize = 3;
const HOSTS: usize = 2 * (EACH + 1);

/// Nobody notices anything by probes, so that only gossip and exchanges carry news.
const STILL: [&str; 1] = ["--set=probe_interval=1h"];

/// What Go's library says of streams to somebody beyond the cut, or to somebody who has left there,
/// and of itself once it hears that it was taken for dead.
const UNREACHED: [&str; 3] = ["i/o timeout", "connection refused", "Refuting a dead message"];

in_each_variant! { hosts:
    fn news_beyond_a_partition_comes_with_exchanges(variant) {
        exchanged(variant);
    }

    fn halves_that_buried_each_other_find_together(variant) {
        found(variant);
    }
}

/// Nobody misses anybody, so that nobody says again what it is. All that gossip has to say is said
/// while nobody beyond the cut hears it: only tables that are exchanged afterwards have it.
fn exchanged(variant: Variant) {
    let mut cluster = halves(variant, &STILL);
    cut(&mut cluster);
    news(&mut cluster);
    let gone = ["go-2", "swim-2"].map(|name| {
        let mut peer = cluster.take(name);
        peer.ask("leave");
        wait_half(&mut cluster, peer.kind, |table| table[name].state == "left");
        peer
    });
    cluster.drain();
    for peer in &mut cluster.peers {
        let (name, table) = (peer.name.clone(), peer.members());
        let other = if peer.kind == Kind::Go { "swim" } else { "go" };
        let row = |which| table.get(&format!("{other}-{which}"));
        assert_eq!(row("0").unwrap().meta, "", "{name}");
        assert_eq!(row("2").unwrap().state, "alive", "{name}");
        assert_eq!(row("new"), None, "{name}");
    }
    for peer in gone {
        cluster.bury(peer, "left");
    }
    cluster.change_network(swim_netlab::Faults::mend);
    agree(cluster);
}

/// The halves take each other for dead, which is all the same to those that live.
fn found(variant: Variant) {
    let mut cluster = halves(variant, &[]);
    cut(&mut cluster);
    for (kind, other) in [(Kind::Go, "swim"), (Kind::Swim, "go")] {
        wait_half(&mut cluster, kind, |table| {
            (0..EACH).all(|number| table[&format!("{other}-{number}")].state == "dead")
        });
    }
    news(&mut cluster);
    cluster.drain();
    cluster.change_network(swim_netlab::Faults::mend);
    agree(cluster);
}

fn halves(variant: Variant, flags: &[&str]) -> Cluster {
    let mut cluster = on_hosts(HOSTS, variant, flags);
    fill(&mut cluster, EACH);
    cluster
}

/// Between all that are of one kind and all that are of the other: they were started in turn.
fn cut(cluster: &mut Cluster) {
    let (go, swim) = (0..HOSTS).partition(|host| host % 2 == 0);
    cluster.change_network(|faults| faults.partition(&[go, swim]));
}

/// In each half one says something new of itself, and somebody joins.
fn news(cluster: &mut Cluster) {
    for (kind, half) in [(Kind::Go, "go"), (Kind::Swim, "swim")] {
        let first = format!("{half}-0");
        cluster.peer(&first).ask("meta news");
        let new = format!("{half}-new");
        let seed = format!("--join={}", cluster.peer(&first).addr);
        cluster.start(kind, &new, &[&seed]);
        wait_half(cluster, kind, |table| {
            table.get(&first).is_some_and(|row| row.meta == "news") && table.contains_key(&new)
        });
    }
}

fn wait_half(
    cluster: &mut Cluster,
    kind: Kind,
    is_so: impl Fn(&std::collections::BTreeMap<String, Row>) -> bool,
) {
    until(&format!("{kind:?} has news"), || {
        let mut half = cluster.peers.iter_mut().filter(|peer| peer.kind == kind);
        half.find_map(|peer| Some(peer.members()).filter(|table| !is_so(table)))
            .map_or(Ok(()), |table| Err(format!("{table:#?}")))
    });
}

fn agree(mut cluster: Cluster) {
    cluster.settle();
    for peer in &mut cluster.peers {
        let table = peer.members();
        for name in ["go-0", "swim-0"] {
            assert_eq!(table[name].meta, "news", "{}", peer.name);
        }
    }
    finish_but_for(cluster, &UNREACHED);
}
