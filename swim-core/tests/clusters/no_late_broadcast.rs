//! Broadcasts reach everybody soon: there is no tail of nodes that hear the news seconds later.
//!
//! Twenty broadcasts a second from random members, long enough that luck alone would leave holes:
//! where each node passes a broadcast on to k others, about one member in e^k hears it from nobody.
//! What gossip leaves open must be found and filled.

use std::time::Duration;

use crate::support::{MILLISECOND, SECOND, World, network::Chance, preset};
use swim_core::{MemberChange, Profile};

const SHOUTS: usize = 200;

#[test]
fn thirty_members_with_lan_settings() {
    none_is_late(Profile::Lan, 30, &[1, 2, 3]);
}

#[test]
fn thirty_members_with_local_settings() {
    none_is_late(Profile::Local, 30, &[1, 2, 3]);
}

#[test]
fn three_hundred_members_with_lan_settings() {
    none_is_late(Profile::Lan, 300, &[1]);
}

#[test]
fn three_hundred_members_with_local_settings() {
    none_is_late(Profile::Local, 300, &[1]);
}

/// A packet lost is a hole that only a comparison finds. Each node compares itself with the member
/// it probes once per probe interval, and both ping and ack must get through; five in a row fail
/// one time in a hundred thousand.
#[test]
fn with_five_percent_loss_everything_still_arrives() {
    for profile in [Profile::Lan, Profile::Local] {
        for (n, seeds) in [(30, &[1, 2, 3][..]), (300, &[1])] {
            for &seed in seeds {
                let world = shouting(profile, n, 50, seed);
                let bound = 5 * SECOND;
                assert!(world.arrivals.max() <= bound, "{profile} {n} seed {seed}");
            }
        }
    }
}

fn none_is_late(profile: Profile, n: usize, seeds: &[u64]) {
    for &seed in seeds {
        let world = shouting(profile, n, 0, seed);
        let late = world.arrivals.later_than(SECOND);
        assert_eq!(late, 0, "{profile} {n} seed {seed}: {}", world.arrivals);
        let most = world.arrivals.permille(999);
        assert!(most <= 250 * MILLISECOND, "{profile} {n} seed {seed}: {}", world.arrivals);
    }
}

/// A cluster in which broadcasts were sent and all have arrived everywhere, once.
fn shouting(profile: Profile, n: usize, loss: u64, seed: u64) -> World {
    let mut world = World::acquainted(n, seed, preset(profile));
    world.network.loss = loss;
    world.run(10 * SECOND);
    let (packets, bytes) = (world.network.packets, world.network.bytes);
    let mut chance = Chance::new(seed);
    let gap = 50 * MILLISECOND;
    for _ in 0..SHOUTS {
        world.shout(chance.below(n as u64) as usize);
        world.run(gap);
    }
    let span = (gap * SHOUTS as u32).as_secs_f64() * n as f64;
    let packets = (world.network.packets - packets) as f64 / span;
    let bytes = (world.network.bytes - bytes) as f64 / span;
    world.run(10 * SECOND);
    println!(
        "{profile}, {n} members, {}% loss, seed {seed}: {}; {} later than 1 s; {packets:.1} \
         packets and {bytes:.0} bytes per node and second; {} repairs",
        loss / 10,
        world.arrivals,
        world.arrivals.later_than(SECOND),
        world.sum(|stats| stats.broadcast_repairs),
    );
    assert_eq!(world.arrivals.len(), SHOUTS * (n - 1), "everybody hears everything once");
    assert_eq!(world.count(MemberChange::Failed), 0);
    world
}

/// One broadcast in a quiet cluster travels at the speed of the network first.
#[test]
fn a_single_broadcast_is_there_at_once() {
    let mut world = World::acquainted(30, 9, preset(Profile::Lan));
    world.run(10 * SECOND);
    for id in 0..30 {
        world.shout(id);
        world.run(5 * SECOND);
    }
    println!("single broadcasts: {}", world.arrivals);
    assert_eq!(world.arrivals.len(), 30 * 29);
    assert!(world.arrivals.permille(900) < Duration::from_millis(250), "{}", world.arrivals);
    assert!(world.arrivals.max() <= SECOND, "{}", world.arrivals);
}
