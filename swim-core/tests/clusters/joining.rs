//! L7: a join ends with success or an error by its deadline; success means that both sides know
//! each other, and soon everybody does.

use crate::support::{self, Id, MINUTE, SECOND, World};
use swim_core::{EventKind, JoinError, SeedOutcome, State};

#[test]
fn l7_success_means_that_both_know_each_other() {
    let mut world = World::cluster(10, 1, |_| {});
    for id in 10..30 {
        world.start(id, |_| {});
        world.join(id, &[id % 10, (id + 3) % 10]);
        world.run_until(SECOND, "the join to finish", |w| is_finished(w, id));
        let is_joined = world.seed_outcomes(id).iter().all(SeedOutcome::is_joined);
        assert!(is_joined, "{:?}", world.seed_outcomes(id));
        for seed in [id % 10, (id + 3) % 10] {
            assert_eq!(world.view(id, seed), Some(State::Alive));
            assert_eq!(world.view(seed, id), Some(State::Alive));
        }
        world.run_until(2 * SECOND, "all to know the newcomer", World::agree);
    }
    world.check_mirrors();
}

#[test]
fn l7_a_seed_that_nobody_is_at_is_unreachable() {
    let mut world = World::cluster(3, 1, |_| {});
    world.start(3, |_| {});
    world.join(3, &[99, 1]);
    world.run(11 * SECOND);
    assert!(is_finished(&world, 3));
    assert!(outcomes(&world, 3)[0].1 == SeedOutcome::Unreachable, "{:?}", outcomes(&world, 3));
    assert!(outcomes(&world, 3)[1].1.is_joined());
    assert!(world.agree());
}

/// A seed behind a black hole costs no more than the join's own time, and does not keep the others.
#[test]
fn l7_a_black_hole_ends_at_the_deadline() {
    let mut world = World::cluster(3, 1, |_| {});
    world.start(3, |_| {});
    world.network.partition(&[3], &[0]);
    world.join(3, &[0, 1]);
    world.run(SECOND);
    assert_eq!(world.view(3, 1), Some(State::Alive), "the other seed has joined meanwhile");
    let took = world.run_until(11 * SECOND, "the join to end", |w| is_finished(w, 3));
    assert!(took <= 10 * SECOND);
    let outcome = &outcomes(&world, 3)[0].1;
    let is_late = matches!(outcome, SeedOutcome::TimedOut | SeedOutcome::Unreachable);
    assert!(is_late, "{outcome:?}");
}

/// The seed crashes in the middle of the exchange.
#[test]
fn l7_a_seed_that_dies_meanwhile() {
    for steps in 0..8 {
        let mut world = World::cluster(3, 1, |_| {});
        world.run(SECOND);
        world.start(3, |_| {});
        world.join(3, &[0]);
        (0..steps).for_each(|_| assert!(world.step()));
        world.crash(0);
        world.run_until(11 * SECOND, "the join to end", |w| is_finished(w, 3));
    }
}

/// Two clusters become one through a single join.
#[test]
fn l7_two_clusters_become_one() {
    for seed in 1..=5 {
        let mut world = World::new(seed);
        (0..20).for_each(|id| world.start(id, |_| {}));
        (1..10).for_each(|id| world.join(id, &[0]));
        (11..20).for_each(|id| world.join(id, &[10]));
        world.run(MINUTE);
        world.join(13, &[7]);
        world.run_until(5 * SECOND, "all to know all", World::agree);
        world.check_mirrors();
    }
}

/// Everybody starts alone and joins everybody, all at once.
#[test]
fn l7_all_join_all() {
    let mut world = World::new(1);
    (0..20).for_each(|id| world.start(id, |_| {}));
    let all: Vec<Id> = (0..20).collect();
    all.iter().for_each(|&id| world.join(id, &all));
    world.run_until(2 * SECOND, "all to know all", World::agree);
    world.run(MINUTE);
    assert!(all.iter().all(|&id| is_finished(&world, id)));
    world.check_mirrors();
}

/// What the caller gets wrong is an error at once, and changes nothing.
#[test]
fn what_is_no_join() {
    let mut world = World::cluster(2, 1, |_| {});
    let empty = world.call(0, |node, now| node.join(now, &[], SECOND));
    assert_eq!(empty, Err(JoinError::NoSeeds));
    let seeds: Vec<_> = (0..1_025).map(support::addr).collect();
    let many = world.call(0, |node, now| node.join(now, &seeds, SECOND));
    assert_eq!(many, Err(JoinError::TooManySeeds { len: 1_025, max: 1_024 }));
    world.network.partition(&[0], &[1]);
    world.leave(0);
    let leaving = world.call(0, |node, now| node.join(now, &seeds[1..2], SECOND));
    assert_eq!(leaving, Err(JoinError::Leaving));
}

/// A cancelled join ends at once.
#[test]
fn a_join_can_be_cancelled() {
    let mut world = World::cluster(2, 1, |_| {});
    world.start(2, |_| {});
    world.network.partition(&[2], &[0, 1]);
    let seeds = [support::addr(0)];
    let join = world.call(2, |node, now| node.join(now, &seeds, MINUTE)).expect("may join");
    world.run(SECOND);
    world.call(2, |node, now| node.cancel_join(now, join));
    assert_eq!(outcomes(&world, 2), [(seeds[0], SeedOutcome::Cancelled)]);
    world.network.heal();
    world.run(MINUTE);
    assert_eq!(world.node(2).counts().total(), 1);
}

fn is_finished(world: &World, id: Id) -> bool {
    let is_end = |kind: &EventKind| matches!(kind, EventKind::JoinFinished { .. });
    world.host(id).events.iter().any(|event| is_end(&event.kind))
}

/// The outcomes that the end of the join lists.
fn outcomes(world: &World, id: Id) -> Vec<(std::net::SocketAddr, SeedOutcome)> {
    let mut ends = world.host(id).events.iter().filter_map(|event| match &event.kind {
        EventKind::JoinFinished { seeds, .. } => Some(seeds.clone()),
        _ => None,
    });
    ends.next().expect("a finished join")
}
