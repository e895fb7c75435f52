//! A cluster that starts all at once, everybody joining the same node, is complete everywhere soon.

use std::time::Duration;

use crate::support::{SECOND, Watch, World, preset, tally::Tally};
use swim_core::{MemberChange, Profile};

const PROFILES: [Profile; 2] = [Profile::Lan, Profile::Local];

#[test]
fn thirty_started_at_once() {
    twenty_starts(30);
}

/// More join at once than node 0 takes streams: those that are turned away must try again.
#[test]
fn three_hundred_started_at_once() {
    twenty_starts(300);
}

/// All must be there within two seconds; half of that is kept for worse networks.
fn twenty_starts(n: usize) {
    for profile in PROFILES {
        let mut spans = Tally::default();
        for seed in 1..=20 {
            let took = start(profile, n, 0, seed);
            assert!(took <= SECOND, "{profile} seed {seed}: {took:?}");
            spans.push(took);
        }
        println!("{profile}, {n} members: {spans}");
    }
}

#[test]
fn three_thousand_started_at_once_with_lan_settings() {
    start_large(Profile::Lan);
}

#[test]
#[ignore = "takes as long again; the lan settings run always"]
fn three_thousand_started_at_once_with_local_settings() {
    start_large(Profile::Local);
}

fn start_large(profile: Profile) {
    let n = 3_000;
    let mut world = World::new(1);
    world.watch = Watch::Counts;
    world.start_all(n, preset(profile));
    let took = world.run_until(60 * SECOND, "all to know all", World::is_settled);
    report(profile, &world, 1, took);
    assert!(took <= 2 * SECOND, "{profile}: {took:?}");
    assert_eq!(world.count(MemberChange::Failed), 0);
    assert_eq!(world.count(MemberChange::Joined), (n * n) as u64, "each is met once");
}

#[test]
fn with_five_percent_loss_the_holes_are_found_by_the_next_probes() {
    for profile in PROFILES {
        for seed in 1..=5 {
            let took = start(profile, 30, 50, seed);
            assert!(took <= 5 * SECOND, "{profile} seed {seed}: {took:?}");
        }
    }
}

/// Starts a cluster; returns how long it took until all knew all.
fn start(profile: Profile, n: usize, loss: u64, seed: u64) -> Duration {
    let mut world = World::new(seed);
    world.watch = Watch::Counts;
    world.network.loss = loss;
    world.start_all(n, preset(profile));
    let took = world.run_until(60 * SECOND, "all to know all", World::agree);
    report(profile, &world, seed, took);
    world.run(if seed <= 2 { 30 * SECOND } else { SECOND });
    assert!(world.agree(), "{}", world.disagreements());
    assert_eq!(world.count(MemberChange::Failed), 0);
    assert_eq!(world.count(MemberChange::Joined), (n * n) as u64, "each is met once");
    took
}

fn report(profile: Profile, world: &World, seed: u64, took: Duration) {
    let n = world.hosts.len();
    let per_node = |count: u64| count / n as u64;
    println!(
        "{profile}, {n} members, {}% loss, seed {seed}: complete after {} ms; per node {} packets, \
         {} bytes, {} stream bytes; {} repairs",
        world.network.loss / 10,
        took.as_millis(),
        per_node(world.network.packets),
        per_node(world.network.bytes),
        per_node(world.network.stream_bytes),
        world.sum(|stats| stats.repairs),
    );
}
