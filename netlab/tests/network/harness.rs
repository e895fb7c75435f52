//! Clusters for tests, and how long things may take in them.

use std::time::Duration;

use swim_core::Options;
use swim_netlab::{Account, Cluster, Setup, clock::wait, missing};
use swim_sim::{
    network::HostId,
    scenario::{no_false_failure, settings},
};

/// A cluster whose nodes all know each other, with these settings beside [`QUICK`].
pub(crate) fn cluster(hosts: usize, settings: &[&str]) -> Cluster {
    started(setup(hosts, settings))
}

/// The same, from a setup.
pub(crate) fn started(setup: Setup) -> Cluster {
    let limit = settled(&setup.options(), setup.hosts);
    let mut cluster = Cluster::new(setup).unwrap();
    cluster.start_all().unwrap();
    cluster.wait_agreement(limit).unwrap();
    cluster
}

/// What a cluster of so many hosts consists of.
pub(crate) fn setup(hosts: usize, given: &[&str]) -> Setup {
    needs_lab();
    let settings = QUICK.iter().chain(given).map(|text| settings::parse(text).unwrap());
    Setup { settings: settings.collect(), ..Setup::lan(hosts).unwrap() }
}

/// Says loudly what the machine lacks.
pub(crate) fn needs_lab() {
    if let Some(missing) = missing() {
        panic!("these tests can't run here: {missing}");
    }
}

/// Judges a cluster, and ends it.
pub(crate) fn finish(mut cluster: Cluster, except: &[HostId]) -> Account {
    judge(&mut cluster, except)
}

/// All events make sense and give the members; the nodes agree in the end; and nobody was called
/// failed who was well, but for some of whom it does not matter.
pub(crate) fn judge(cluster: &mut Cluster, except: &[HostId]) -> Account {
    let limit = settled(&cluster.setup().options(), cluster.setup().hosts);
    cluster.wait_agreement(limit).unwrap();
    let account = Account::of(cluster);
    assert_eq!(account.faults, [""; 0]);
    let running = cluster.running().len();
    assert!(account.lists >= running, "{} lists", account.lists);
    // Of each other at least; lists are asked for as often as agreement takes.
    assert!(account.events >= running * (running - 1), "{} events", account.events);
    let whole = (Duration::ZERO, Duration::MAX);
    let (is_met, found) = no_false_failure(&account.record, whole, except);
    assert!(is_met, "{found}");
    account
}

/// Waits until each of some has said `event` about each of others, since a time of day.
pub(crate) fn wait_all_told(
    cluster: &mut Cluster,
    (observers, subjects): (&[HostId], &[HostId]),
    event: &str,
    since: Duration,
) {
    let limit = detection(&cluster.setup().options(), cluster.setup().hosts);
    for &subject in subjects {
        cluster.wait_told(observers, event, (subject, since), limit).unwrap();
    }
}

/// Waits until a node has counted so many.
pub(crate) fn wait_counted(cluster: &mut Cluster, host: HostId, counter: &str, least: u64) {
    let limit = detection(&cluster.setup().options(), cluster.setup().hosts);
    let node = cluster.node(host).unwrap();
    let counted = wait(limit, || (node.count(counter).unwrap() >= least).then_some(()));
    assert!(counted.is_some(), "not {least} {counter}: {}", node.story());
}

/// How long a failure may take to be known everywhere: until a probe meets it, and then the longest
/// suspicion, each probe stretched by bad health; and as much again, for the machine.
pub(crate) fn detection(options: &Options, hosts: usize) -> Duration {
    let hosts = u32::try_from(hosts).unwrap();
    let probes = options.probe_interval * 2 * hosts;
    (probes + suspicion_min(options, hosts) * options.suspicion_max_mult) * 2 + SLACK
}

/// How long a cluster may take to agree once nothing is wrong any more.
pub(crate) fn settled(options: &Options, hosts: usize) -> Duration {
    detection(options, hosts) + 2 * options.push_pull_interval.max(options.reconnect_interval)
}

/// The shortest time that a suspect has to say that it lives. Lifeguard, LHA-Suspicion.
#[expect(
    clippy::disallowed_methods,
    reason = "a limit for a test; its last bit is nobody's concern"
)]
pub(crate) fn suspicion_min(options: &Options, hosts: u32) -> Duration {
    let scale = f64::from(hosts).log10().max(1.0);
    let scale = (scale * 1_000.0) as u32;
    options.probe_interval * options.suspicion_mult * scale / 1_000
}

/// What makes failures be found and forgotten soon even by those who are alone with their
/// suspicion, and partitions heal soon.
pub(crate) const SOON: [&str; 5] = [
    "suspicion_max_mult=2",
    "reap_after=3s",
    "gossip_to_dead=2s",
    "reconnect_interval=1s",
    "stream_timeout=1s",
];

/// Twice as fast as in a data centre, and forgetting sooner: a test has not all day.
const QUICK: [&str; 4] = [
    "probe_interval=500ms",
    "probe_timeout=250ms",
    "push_pull_interval=10s",
    "reconnect_interval=5s",
];

/// The machine may have much else to do.
const SLACK: Duration = Duration::from_secs(20);
