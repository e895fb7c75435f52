//! L9: nodes restart at any time, in any order, all at once, and everyone is alive everywhere soon,
//! although claims about former lives still go around. A life outranks all rumours about the ones
//! before it.

use std::time::Duration;

use crate::support::{Id, MILLISECOND, MINUTE, SECOND, World, addr, network::Chance};
use swim_core::{Key, Keyring, Life, MemberChange, Options, Reject, SeedOutcome, State};

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

/// It said goodbye first, so that nobody has to wait.
#[test]
fn l9_at_a_new_address_after_a_leave() {
    let mut world = World::cluster(SIZE, 1, |_| {});
    world.leave(4);
    world.run(SECOND);
    world.crash(4);
    world.start(4, |options| options.addr = "10.9.9.9:7946".parse().expect("valid"));
    world.join(4, &[0]);
    all_are_welcome(&mut world, SOON);
    assert_eq!(world.count(MemberChange::Failed), 0);
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

/// X4: what was said to a node before it started anew is worth nothing to it, at once and after it
/// has joined; whether there are clocks or not. It may be a recording.
#[test]
fn x4_nothing_recorded_counts_at_a_node_that_started_anew() {
    for has_clock in [true, false] {
        let sealed = |options: &mut Options| {
            options.keyring = Some(Keyring::new(Key::generate([1; 32])));
            options.unix_time = has_clock.then_some(Duration::from_secs(1_800_000_000));
        };
        let mut world = World::cluster(5, 1, sealed);
        world.capture = Some(Vec::new());
        world.update(2);
        world.leave(4);
        world.run(10 * SECOND);
        world.crash(3);
        world.run(MILLISECOND);
        let recorded = world.capture.take().expect("switched on");
        let to_it = recorded.iter().filter(|(_, to, _)| *to == addr(3)).count() as u64;
        assert!(to_it > 20);

        world.start(3, sealed);
        let alone = picture(&world, 3);
        let count = |world: &World| world.node(3).stats().rejected_for(Reject::FormerLife);
        for round in 1..=3 {
            for (from, _, data) in recorded.iter().chain(recorded.iter().rev()) {
                world.inject(3, addr(*from), data);
            }
            assert_eq!(count(&world), 2 * round * to_it);
        }
        assert_eq!((picture(&world, 3), alone.len()), (alone, 1));

        world.join(3, &[0]);
        let all_are_back = |world: &World| world.agree() && world.node(3).counts().live() == 4;
        world.run_until(MINUTE, "all to know all", all_are_back);
        let together = picture(&world, 3);
        for (from, _, data) in &recorded {
            world.inject(3, addr(*from), data);
        }
        assert_eq!(picture(&world, 3), together);
    }
}

/// The table of a node, but for the times.
fn picture(world: &World, id: Id) -> Vec<String> {
    let members = world.node(id).members();
    members.map(|m| format!("{} {} {} {:?}", m.name, m.state, m.stamp, m.meta)).collect()
}
