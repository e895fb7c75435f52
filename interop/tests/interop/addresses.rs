//! Clusters at addresses of IPv6; and nodes of Go's that found out their own address, of IPv4, and
//! announce it in sixteen bytes.

use swim_interop::{
    peer::{Kind, Peer},
    tape::until,
};

use crate::harness::{PLAIN, SEALED, Variant, fill, finish, finish_but_for, on_hosts, placeless};

fn at_ipv6(variant: Variant) {
    let mut cluster = placeless(variant, &[]).on_ipv6();
    fill(&mut cluster, 2);
    for (from, to) in [("go-0", "swim-1"), ("swim-0", "go-1")] {
        cluster.peer(from).ask(&format!("send {to} hello-from-{from}"));
        cluster.peer(to).wait_message(&format!("hello-from-{from}"));
        cluster.peer(from).ask(&format!("sendrel {to} surely-from-{from}"));
        cluster.peer(to).wait_message(&format!("surely-from-{from}"));
    }
    for (kind, name) in [(Kind::Go, "go-1"), (Kind::Swim, "swim-1")] {
        assert!(cluster.peer(name).addr.is_ipv6());
        cluster.kill(name);
        cluster.add(kind, name, &[]);
        cluster.settle();
        cluster.leave(name);
        cluster.add(kind, name, &[]);
        cluster.settle();
    }
    finish(cluster);
}

#[test]
#[ignore = "needs Go and HashiCorp's memberlist"]
fn members_come_and_go_at_ipv6_plain() {
    at_ipv6(PLAIN);
}

#[test]
#[ignore = "needs Go and HashiCorp's memberlist"]
fn members_come_and_go_at_ipv6_sealed() {
    at_ipv6(SEALED);
}

/// Go's node listens at every address of its host, says in sixteen bytes which it is, and is
/// succeeded by one of ours and then by one of its own kind, at the same address and under the same
/// name. Whoever compares addresses as bytes takes one for another until ours has heard how it is
/// written, and not after. (G28)
#[test]
#[ignore = "needs Go and HashiCorp's memberlist, root, ip and nft"]
fn who_found_its_address_out_is_succeeded() {
    let mut cluster = on_hosts(5, SEALED, &[]);
    cluster.add(Kind::Go, "go-0", &[]);
    cluster.add(Kind::Swim, "swim-0", &[]);
    cluster.add(Kind::Go, "moves", &[EVERYWHERE]);
    cluster.settle();
    let (host, addr) = (cluster.peer("moves").number, cluster.peer("moves").addr);
    let seed = format!("--join={}", cluster.peer("go-0").addr);
    let own = format!("--bind={addr}");
    for (kind, bind) in [(Kind::Swim, own.as_str()), (Kind::Go, EVERYWHERE)] {
        drop(cluster.take("moves"));
        cluster.start_on(host, kind, "moves", &[bind, &seed]);
        assert_eq!(cluster.peer("moves").addr, addr);
        cluster.settle();
        let marks: Vec<_> = cluster.peers.iter().map(Peer::mark).collect();
        let word = format!("{kind:?}-is-here");
        cluster.peer("moves").ask(&format!("meta {word}"));
        cluster
            .wait("all hear it", |tables| tables.values().all(|table| table["moves"].meta == word));
        for (peer, mark) in cluster.peers.iter().zip(marks) {
            let conflict = peer.find(mark, |line| line["event"] == "conflict");
            assert_eq!(conflict, None, "{} while {kind:?} is there", peer.name);
        }
    }
    let words = ["Conflicting address", "Refuting an alive message"];
    finish_but_for(cluster, &words);
}

/// Where Go's node listens for both families at once, it says that it is at `::`, where nobody
/// finds it. Ours does not take that from anybody. (G18)
#[test]
#[ignore = "needs Go and HashiCorp's memberlist, root, ip and nft"]
fn who_is_at_no_address_is_not_taken() {
    let mut cluster = on_hosts(3, SEALED, &[]);
    cluster.add(Kind::Go, "go-0", &[]);
    cluster.add(Kind::Swim, "swim-0", &[]);
    cluster.settle();
    let seed = format!("--join={}", cluster.peer("swim-0").addr);
    let nowhere = cluster.start(Kind::Go, "nowhere", &["--bind=[::]:7946", &seed]);
    assert!(nowhere.addr.ip().is_unspecified());
    let ours = cluster.peer("swim-0");
    until("ours refuses its address", || {
        let stats = ours.ask("stats");
        if stats["rejected"]["address"].as_u64() > Some(0) { Ok(()) } else { Err(stats) }
    });
    assert!(!ours.members().contains_key("nowhere"));
}

/// What Go's node is told that is to find out its own address.
const EVERYWHERE: &str = "--bind=0.0.0.0:7946";
