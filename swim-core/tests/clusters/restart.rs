//! L9: nodes restart at any time, in any order, all at once, and everyone is alive everywhere soon,
//! although claims about former lives still go around. A life outranks all rumours about the ones
//! before it.

use std::time::Duration;

use crate::support::{Id, MILLISECOND, MINUTE, SECOND, World, network::Chance};
use swim_core::{Life, MemberChange, Options, SeedOutcome, State};

const SIZE: usize = 10;
const SOON: Duration = Duration::from_secs(3);

#[test]
fn l9_all_at_once() {
    for seed in 1..=5 {
        let mut world = World::cluster(SIZE, seed, |_| {});
        world.run(5 * SECOND);
        for id in 0..SIZE {
            world.crash(id);
        }
        for id in 0..SIZE {
            world.start(id, |_| {});
        }
        for id in 1..SIZE {
            world.join(id, &[0]);
        }
        all_are_welcome(&mut world, SOON);
        assert_eq!(world.count(MemberChange::Failed), 0);
    }
}

/// One after the other, each before anybody noticed that it was gone.
#[test]
fn l9_one_after_the_other() {
    for pause in [10 * MILLISECOND, 500 * MILLISECOND, 3 * SECOND] {
        let mut world = World::cluster(SIZE, 1, |_| {});
        for id in 0..SIZE {
            world.crash(id);
            world.run(pause);
            restart(&mut world, id, |_| {});
            all_are_welcome(&mut world, SOON);
        }
        assert_eq!(world.count(MemberChange::Failed), 0, "{pause:?} is too short to be missed");
    }
}

/// Each comes back while the news of its death still makes its rounds.
#[test]
fn l9_while_its_death_is_told() {
    for seed in 1..=5 {
        let mut world = World::cluster(SIZE, seed, |_| {});
        for id in 0..SIZE {
            world.crash(id);
            let failed = world.count(MemberChange::Failed);
            let noticed = |w: &World| w.count(MemberChange::Failed) > failed;
            world.run_until(MINUTE, "somebody to notice", noticed);
            restart(&mut world, id, |_| {});
            all_are_welcome(&mut world, SOON);
        }
    }
}

/// At any time: a few crash and come back at random, and then all live.
#[test]
fn l9_at_any_time() {
    for seed in 1..=10 {
        let mut chance = Chance::new(seed);
        let mut world = World::cluster(SIZE, seed, |_| {});
        for _ in 0..40 {
            let id = chance.below(SIZE as u64) as Id;
            if world.is_running(id) {
                world.crash(id);
            } else {
                restart(&mut world, id, |_| {});
            }
            world.run(chance.span(8 * SECOND));
        }
        for id in 0..SIZE {
            if !world.is_running(id) {
                restart(&mut world, id, |_| {});
            }
        }
        all_are_welcome(&mut world, MINUTE);
    }
}

/// The clock went back between the lives, or there is none: the newer life has the smaller number,
/// or the same. The node learns from the first table that it must outbid itself.
#[test]
fn l9_with_an_older_life_or_the_same() {
    for (life, wait) in [(500, 0), (500, 20), (1_000, 0), (1_000, 20), (1_000, 90), (1, 90)] {
        let mut world = World::cluster(SIZE, 1, |_| {});
        world.call(4, |node, now| node.update_meta(now, "old".into())).expect("may update");
        world.run(SECOND);
        world.crash(4);
        world.run(wait * SECOND);
        restart(&mut world, 4, |options| {
            options.life = Life(life);
            options.meta = "new".into();
        });
        all_are_welcome(&mut world, SOON);
        let meta = world.member(7, 4).expect("a member").meta;
        assert_eq!(meta.as_bytes(), b"new", "life {life} after {wait} s");
    }
}

/// It left, and comes back with the life it left in.
#[test]
fn l9_after_a_leave_with_the_same_life() {
    for wait in [0, 20, 90] {
        let mut world = World::cluster(SIZE, 1, |_| {});
        world.leave(4);
        world.run(SECOND);
        world.crash(4);
        world.run(wait * SECOND);
        restart(&mut world, 4, |options| options.life = Life(1_000));
        all_are_welcome(&mut world, SOON);
        assert_eq!(world.count(MemberChange::Failed), 0);
    }
}

/// All at once, all with older lives.
#[test]
fn l9_all_at_once_with_older_lives() {
    let mut world = World::cluster(SIZE, 1, |_| {});
    for id in 0..SIZE {
        world.crash(id);
        world.run(300 * MILLISECOND);
        restart(&mut world, id, |options| options.life = Life(900));
    }
    all_are_welcome(&mut world, MINUTE);
}

/// It moved: same name, another address. While the old address counts as alive, the name is taken;
/// once that one has failed, it is free.
#[test]
fn l9_at_a_new_address() {
    let moved = |options: &mut Options| options.addr = "10.9.9.9:7946".parse().expect("valid");
    let mut world = World::cluster(SIZE, 1, |_| {});
    world.crash(4);
    world.start(4, moved);
    world.join(4, &[0]);
    world.run(SECOND);
    let refused = |outcome: &SeedOutcome| matches!(outcome, SeedOutcome::Refused { .. });
    assert!(world.seed_outcomes(4).iter().all(refused), "{:?}", world.seed_outcomes(4));
    let is_dead = |w: &World| w.view(0, 4) == Some(State::Dead);
    world.run_until(MINUTE, "the old address to fail", is_dead);
    world.join(4, &[0]);
    all_are_welcome(&mut world, SOON);
    assert_eq!(world.member(7, 4).expect("a member").addr, world.host(4).addr);
}

/// It said goodbye first, so that nobody has to find out; but its name is kept for a few probe
/// intervals, lest somebody else has said it. Its one join waits for that.
#[test]
fn l9_at_a_new_address_after_a_leave() {
    for (seed, pause) in (1..=10).flat_map(|seed| [(seed, MILLISECOND), (seed, SECOND)]) {
        let mut world = World::cluster(SIZE, seed, |_| {});
        world.leave(4);
        world.run(pause);
        world.crash(4);
        world.start(4, |options| options.addr = "10.9.9.9:7946".parse().expect("valid"));
        world.join(4, &[0, 1, 2]);
        let is_in = |w: &World| w.member(0, 4).is_some_and(|it| it.addr == w.host(4).addr);
        world.run_until(5 * SECOND, "the name to be free", is_in);
        all_are_welcome(&mut world, SOON);
        let (heard, outcomes) = (pause == SECOND, world.seed_outcomes(4));
        let joined = outcomes.iter().filter(|outcome| outcome.is_joined()).count();
        assert!(joined == 3 || joined > 0 && !heard, "{outcomes:?}");
        assert_eq!(world.count(MemberChange::Failed), 0);
    }
}

/// Starts a node again, joining all that run.
fn restart(world: &mut World, id: Id, change: impl FnOnce(&mut Options)) {
    let seeds: Vec<Id> = world.running();
    world.start(id, change);
    if !seeds.is_empty() {
        world.join(id, &seeds);
    }
}

fn all_are_welcome(world: &mut World, limit: Duration) {
    world.run_until(limit, "all to know all", World::agree);
    world.check_mirrors();
    world.run(SECOND);
    assert!(world.agree(), "{}", world.disagreements());
}
