//! Pings on streams: a member that no datagram reaches, or whose datagrams come back to nobody, is
//! still there for either kind.

use swim_interop::{
    peer::{Kind, Peer},
    proxy::Proxy,
    tape::until,
};

use crate::harness::{Variant, empty, finish, in_each_variant};

/// How many probes of each kind must be saved.
const SAVED: usize = 3;

/// More than a second and a half for the ack on a stream, on however slow a machine.
const SLOW: [&str; 2] = ["--set=probe_interval=2s", "--set=probe_timeout=400ms"];

/// Ours is reached through a proxy that takes no datagrams of Go's: neither its pings, nor its
/// acks, which it sends to where a ping says that it is from. Nobody else is there to help, so that
/// each probe, either way, needs a ping on a stream and an ack that the other kind can read.
fn saved_by_streams(variant: Variant) {
    let mut cluster = empty(variant, &SLOW).favoured();
    cluster.start(Kind::Go, "go", &[]);
    let [bind, front] = [(); 2].map(|()| cluster.fresh_addr().unwrap());
    let proxy = Proxy::start(front, bind).unwrap();
    proxy.pass_streams(bind).unwrap();
    let flags = [format!("--bind={bind}"), format!("--advertise={}", proxy.addr)];
    cluster.add(Kind::Swim, "swim", &[&flags[0], &flags[1]]);
    cluster.settle();
    proxy.block(cluster.peer("go").addr);
    for name in ["go", "swim"] {
        until(&format!("streams save probes of {name}"), || {
            let saved = saved(cluster.peer(name));
            if saved >= SAVED { Ok(()) } else { Err(saved) }
        });
    }
    assert!(proxy.dropped() >= 2 * SAVED, "{} dropped", proxy.dropped());
    for peer in &cluster.peers {
        let doubt = peer.find(0, |line| {
            let text = line["text"].as_str().unwrap_or_default();
            line["change"] == "suspected" || line["change"] == "gone" || text.contains("Suspect ")
        });
        assert_eq!(doubt, None, "{}", peer.name);
    }
    finish(cluster);
}

/// How many probes of a peer streams have saved: Go's library warns of each.
fn saved(peer: &mut Peer) -> usize {
    match peer.kind {
        Kind::Swim => {
            usize::try_from(peer.ask("stats")["saved_by_stream"].as_u64().unwrap()).unwrap()
        }
        Kind::Go => {
            let is_saved = |text: &str| text.contains("Was able to connect to");
            peer.all(|line| line["text"].as_str().is_some_and(is_saved)).len()
        }
    }
}

in_each_variant! {
    fn streams_save_probes(variant) {
        saved_by_streams(variant);
    }
}
