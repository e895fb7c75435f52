//! L2: a crashed member is alive nowhere after Tdetect, and nobody else is blamed for it.

use std::time::Duration;

use crate::support::{self, Id, MINUTE, SECOND, World, preset, tally::Tally};
use swim_core::{MemberChange, Options, Profile};

#[test]
fn l2_a_crash_is_known_everywhere_in_time() {
    for profile in [Profile::Lan, Profile::Local] {
        for (n, loss, seeds) in [(3, 0, 20), (10, 0, 20), (10, 100, 20), (50, 0, 10), (128, 50, 4)]
        {
            let (mut first, mut last) = (Tally::default(), Tally::default());
            for seed in 1..=seeds {
                let (one, all) = crash(profile, n, loss, seed);
                first.push(one);
                last.push(all);
            }
            println!("{profile}, {n} members, {}% loss: first {first}", loss / 10);
            println!("{profile}, {n} members, {}% loss: all   {last}", loss / 10);
            assert!(last.max() <= detected_within(profile, n), "{profile} {n}: {last}");
        }
    }
}

/// Half of the cluster is gone at once: the rest finds out, and keeps its own.
#[test]
fn l2_half_of_all_crash_at_once() {
    for (n, seed) in [(8, 1), (8, 2), (50, 1), (128, 1)] {
        let mut world = World::acquainted(n, seed, preset(Profile::Lan));
        world.run(5 * SECOND);
        (0..n / 2).for_each(|id| world.crash(id));
        let within = detected_within(Profile::Lan, n);
        let took = world.run_until(within, "the rest to find out", World::is_settled);
        println!("{} of {n}: known everywhere after {took:?}", n / 2);
        let survivors = world.running().len() as u64;
        assert_eq!(world.count(MemberChange::Failed), survivors * (n as u64 / 2));
        world.run(MINUTE);
        assert!(world.is_settled(), "and nobody else");
    }
}

/// All but one are gone: there is nobody to confirm anything.
#[test]
fn l2_the_last_one_finds_out() {
    let mut world = World::cluster(10, 1, |_| {});
    (1..10).for_each(|id| world.crash(id));
    world.run_until(4 * MINUTE, "the last one to find out", World::agree);
    world.check_mirrors();
}

/// S7: an operator declares a dead member gone, for all to see, and a live one never.
#[test]
fn s7_only_the_dead_can_be_removed() {
    let mut world = World::cluster(6, 1, |_| {});
    let remove =
        |world: &mut World, id: Id| world.call(0, |node, now| node.remove(now, &support::name(id)));
    assert_eq!(remove(&mut world, 3), Err(swim_core::RemoveError::Alive));
    assert_eq!(remove(&mut world, 99), Err(swim_core::RemoveError::UnknownMember));
    world.crash(3);
    world.run_until(MINUTE, "all to notice", World::agree);
    assert_eq!(remove(&mut world, 3), Ok(()));
    world.run(5 * SECOND);
    for id in world.running() {
        let changes = world.changes(id, 3);
        assert!(changes.ends_with(&[MemberChange::Failed, MemberChange::Left]), "at {id}");
    }
    world.start(3, |_| {});
    world.join(3, &[1]);
    world.run_until(SECOND, "a new life to be welcome", World::agree);
    world.check_mirrors();
}

/// Crashes a member; returns when the first and when all others had failed it.
fn crash(profile: Profile, n: usize, loss: u64, seed: u64) -> (Duration, Duration) {
    let mut world = World::acquainted(n, seed, preset(profile));
    world.network.loss = loss;
    world.run(5 * SECOND + SECOND * (seed as u32) / 7);
    let start = world.now;
    world.crash(n / 2);
    world.run_until(10 * MINUTE, "one to notice", |w| w.count(MemberChange::Failed) > 0);
    let first = world.now.saturating_since(start);
    let all = n as u64 - 1;
    world.run_until(10 * MINUTE, "all to notice", |w| w.count(MemberChange::Failed) == all);
    let last = world.now.saturating_since(start);
    world.run(30 * SECOND);
    assert_eq!(world.count(MemberChange::Failed), all, "nobody else is failed");
    (first, last)
}

/// Invariants, section 0: Tdetect = (2m - 1) P A + Smax + D, without the last resort of push/pull
/// and with good health (A = 1): nobody is sick here.
fn detected_within(profile: Profile, n: usize) -> Duration {
    let mut options = Options::lan("x", support::addr(0));
    preset(profile)(&mut options);
    let log10_rounded_up = n.ilog10() + 1;
    let least = options.probe_interval * options.suspicion_mult * log10_rounded_up;
    let rounds = n.next_power_of_two().ilog2();
    options.probe_interval * (2 * n as u32 - 3)
        + least * options.suspicion_max_mult
        + options.gossip_interval * 4 * rounds
}
