//! Indirect probes: a member that one cannot reach is reached by another of the other kind, or the
//! other one says that it can't reach it either.

use swim_interop::{cluster::Cluster, peer::Kind, proxy::Proxy, tape::until};

use crate::harness::{PLAIN, Variant, empty, finish_but_for, in_each_variant, nobody_complained};

/// How many probes need help before a test believes in it.
const HELPED: u64 = 3;

/// How many are asked in each of them.
const ASKED: u64 = 2;

/// The target asks for help too, from where it is not known to be, and gets none (G13). And the
/// proxy has nothing for streams.
const THROUGH_THE_PROXY: [&str; 2] = ["Stranger", "with target failed"];

/// Go's library draws whom to ask, and gives up after some draws: with one helper among three, in
/// one probe of forty; with three among five, never.
const HELPERS: [&str; 3] = ["helps-0", "helps-1", "helps-2"];

/// `asks` can't send to `target`, and those who help can. All probe it, but only through the proxy.
fn cut_off(variant: Variant, asks: Kind, helps: Kind) -> (Cluster, Proxy) {
    // More than a second and a half for an answer by way of a helper, on however slow a machine.
    let asked = format!("--set=indirect_probes={ASKED}");
    let slow = ["--set=probe_interval=2s", "--set=probe_timeout=400ms", &asked];
    let mut cluster = empty(variant, &slow).favoured();
    cluster.start(asks, "asks", &[]);
    for name in HELPERS {
        cluster.add(helps, name, &[]);
    }
    let [bind, front] = [(); 2].map(|()| cluster.fresh_addr().unwrap());
    let proxy = Proxy::start(front, bind).unwrap();
    let flags = [format!("--bind={bind}"), format!("--advertise={}", proxy.addr)];
    cluster.add(Kind::Swim, "target", &[&flags[0], &flags[1]]);
    cluster.settle();
    proxy.block(cluster.peer("asks").addr);
    (cluster, proxy)
}

fn is_never_suspected(cluster: &mut Cluster, proxy: &Proxy) {
    assert!(proxy.dropped() as u64 >= HELPED, "{} dropped", proxy.dropped());
    let complaint = cluster.peer("asks").find(0, |line| {
        let text = line["text"].as_str().unwrap_or_default();
        line["name"] == "target" && (line["change"] == "suspected" || line["change"] == "gone")
            || text.contains("Suspect target has failed")
    });
    assert_eq!(complaint, None);
}

fn saved_by_go(variant: Variant) {
    let (mut cluster, proxy) = cut_off(variant, Kind::Swim, Kind::Go);
    until("Go saves probes", || {
        let stats = cluster.peer("asks").ask("stats");
        if stats["saved_by_relay"].as_u64() >= Some(HELPED) { Ok(()) } else { Err(stats) }
    });
    is_never_suspected(&mut cluster, &proxy);
    finish_but_for(cluster, &THROUGH_THE_PROXY);
}

fn saved_for_go(variant: Variant) {
    let (mut cluster, proxy) = cut_off(variant, Kind::Go, Kind::Swim);
    until("probes of Go are relayed", || {
        let mut relayed = |name| cluster.peer(name).ask("stats")["relayed"].as_u64().unwrap();
        let relayed = HELPERS.map(&mut relayed).iter().sum::<u64>();
        if relayed > ASKED * (HELPED - 1) { Ok(()) } else { Err(relayed) }
    });
    is_never_suspected(&mut cluster, &proxy);
    finish_but_for(cluster, &THROUGH_THE_PROXY);
}

/// Nobody reaches `target`, which stands still, and those who are asked for help say so: `asks` is
/// as well as before. Whoever hears nothing of them counts that against itself.
/// (Lifeguard, LHA-Probe)
fn nacks_keep_well(asks: Kind, helps: Kind) {
    let patient =
        ["--set=suspicion_mult=20", "--set=probe_interval=2s", "--set=probe_timeout=400ms"];
    let mut cluster = empty(PLAIN, &patient).favoured();
    cluster.start(asks, "asks", &[]);
    for name in HELPERS {
        cluster.add(helps, name, &[]);
    }
    cluster.add(helps, "target", &[]);
    cluster.settle();
    cluster.peer("target").pause();
    // On a slow machine a nack may come too late for a probe; without any, none would do.
    let mut seen = 0;
    until("a probe has failed and said nothing of its prober", || {
        let peer = cluster.peer("asks");
        let is_failed = |text: &str| text.contains("Suspect target has failed");
        let failed = peer.all(|line| line["text"].as_str().is_some_and(is_failed)).len() as u64;
        // Nacks of a second one come once the first one is over.
        let nacked = peer.ask("stats")["nacks"].as_u64();
        let over = nacked.map_or(failed, |nacks| nacks.saturating_sub(1) / ASKED);
        let is_another = over > seen;
        seen = over;
        let stats = peer.ask("stats");
        if is_another && stats["health"] == 0 { Ok(()) } else { Err(stats) }
    });
    // Whoever exchanges tables with one that stands still waits in vain.
    nobody_complained(&cluster, &["Push/Pull with target failed"]);
}

#[test]
#[ignore = "needs Go and HashiCorp's memberlist"]
fn nacks_of_go_keep_ours_well() {
    nacks_keep_well(Kind::Swim, Kind::Go);
}

#[test]
#[ignore = "needs Go and HashiCorp's memberlist"]
fn nacks_of_ours_keep_go_well() {
    nacks_keep_well(Kind::Go, Kind::Swim);
}

in_each_variant! {
    fn go_helps(variant) {
        saved_by_go(variant);
    }

    fn go_is_helped(variant) {
        saved_for_go(variant);
    }
}
