//! A cluster that starts all at once, everybody joining the same node, is complete everywhere soon.

mod support;

use std::time::Duration;

use support::{SECOND, Watch, World, preset};
use swim_core::{MemberChange, Profile};

const PROFILES: [Profile; 2] = [Profile::Lan, Profile::Local];

#[test]
fn thirty_started_at_once() {
    for profile in PROFILES {
        for seed in 1..=5 {
            let took = start(profile, 30, 0, seed);
            assert!(took <= 2 * SECOND, "{profile} seed {seed}: {took:?}");
        }
    }
}

/// More join at once than node 0 takes streams: those that are turned away must try again.
#[test]
fn three_hundred_started_at_once() {
    for profile in PROFILES {
        for seed in 1..=2 {
            let took = start(profile, 300, 0, seed);
            assert!(took <= 2 * SECOND, "{profile} seed {seed}: {took:?}");
        }
    }
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
    let per_node = |count: u64| count / n as u64;
    println!(
        "{profile}, {n} members, {}% loss, seed {seed}: complete after {} ms; per node {} packets, \
         {} bytes, {} stream bytes; {} repairs",
        loss / 10,
        took.as_millis(),
        per_node(world.network.packets),
        per_node(world.network.bytes),
        per_node(world.network.stream_bytes),
        world.sum(|stats| stats.repairs),
    );
    world.run(30 * SECOND);
    assert!(world.agree(), "{}", world.disagreements());
    assert_eq!(world.count(MemberChange::Failed), 0);
    assert_eq!(world.count(MemberChange::Joined), (n * n) as u64, "each is met once");
    took
}
