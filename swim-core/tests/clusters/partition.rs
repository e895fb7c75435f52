//! L5: a cluster that fell apart finds together again by itself, however long it lasted.
//!
//! Short: nobody is failed. Longer: both sides fail each other, and try the dead now and then.
//! Longer
//! than the dead are kept: both sides have forgotten each other but for the addresses, which they
//! try in the same way.

use std::time::Duration;

use crate::support::{Id, MINUTE, SECOND, World, tally::Tally};
use swim_core::MemberChange;

const SIZE: usize = 10;
/// How often each node tries one of those it lost.
const RECONNECT: Duration = Duration::from_secs(30);

#[test]
fn l5_three_seconds_fail_nobody() {
    for seed in 1..=5 {
        let (mut world, _) = parted(seed, &[&[0, 1, 2, 3, 4]], 3 * SECOND);
        world.run(MINUTE);
        assert_eq!(world.count(MemberChange::Failed), 0, "seed {seed}");
    }
}

#[test]
fn l5_twenty_seconds() {
    let mut spans = Tally::default();
    for seed in 1..=5 {
        for group in [&[0, 1, 2, 3, 4][..], &[7], &[0, 9]] {
            spans.push(parted(seed, &[group], 20 * SECOND).1);
        }
    }
    println!("after 20 s apart: together after {spans}");
    assert!(spans.max() <= RECONNECT + 5 * SECOND, "{spans}");
}

/// Twice as long as the dead are kept and gossiped to.
#[test]
fn l5_longer_than_the_dead_are_kept() {
    let mut spans = Tally::default();
    for seed in 1..=5 {
        for group in [&[0, 1, 2, 3, 4][..], &[7], &[0, 9]] {
            let (world, took) = parted(seed, &[group], 2 * MINUTE);
            assert!(world.count(MemberChange::Reaped) > 0, "they forgot each other");
            spans.push(took);
        }
    }
    println!("after 2 min apart: together after {spans}");
    assert!(spans.max() <= 2 * MINUTE, "{spans}");
}

#[test]
fn l5_four_pieces_for_an_hour() {
    for seed in 1..=3 {
        let (_, took) = parted(seed, &[&[0, 1], &[2, 3, 4], &[5]], 60 * MINUTE);
        println!("four pieces, after an hour: together after {took:?}");
        assert!(took <= 3 * MINUTE, "seed {seed}: {took:?}");
    }
}

/// A link that comes and goes, every few seconds for five minutes.
#[test]
fn l5_flapping() {
    for seed in 1..=3 {
        let mut world = World::cluster(SIZE, seed, |_| {});
        for _ in 0..60 {
            world.network.partition(&[0, 1, 2], &[3, 4, 5, 6, 7, 8, 9]);
            world.run(3 * SECOND);
            world.network.heal();
            world.run(2 * SECOND);
        }
        world.run_until(MINUTE, "all to know all", World::agree);
        assert_eq!(world.count(MemberChange::Failed), 0, "seed {seed}");
        world.check_mirrors();
    }
}

/// News of one side reach the other.
#[test]
fn what_changed_meanwhile_is_known_afterwards() {
    for apart in [10 * SECOND, 3 * MINUTE] {
        let mut world = World::cluster(SIZE, 7, |_| {});
        world.network.partition(&[0, 1, 2], &[3, 4, 5, 6, 7, 8, 9]);
        world.run(apart / 2);
        world.update(1);
        world.update(5);
        world.leave(6);
        world.start(10, |_| {});
        world.join(10, &[2]);
        world.run(apart / 2);
        world.crash(6);
        world.network.heal();
        world.run_until(3 * MINUTE, "all to know all", World::agree);
        for id in world.running() {
            assert!(!world.changes(id, 6).ends_with(&[MemberChange::Joined]), "at {id}");
        }
        world.check_mirrors();
    }
}

/// Cuts the groups (and the rest) apart for a while; returns the world once all know all again, and
/// how long after the cut was healed that was.
fn parted(seed: u64, groups: &[&[Id]], span: Duration) -> (World, Duration) {
    let mut world = World::cluster(SIZE, seed, |_| {});
    for group in groups {
        let others: Vec<Id> = (0..SIZE).filter(|id| !group.contains(id)).collect();
        world.network.partition(group, &others);
    }
    world.run(span);
    world.network.heal();
    let took = world.run_until(20 * MINUTE, "all to know all", World::agree);
    world.run(10 * SECOND);
    assert!(world.agree(), "{}", world.disagreements());
    world.check_mirrors();
    (world, took)
}
