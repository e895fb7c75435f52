//! L11, X9: two nodes of one name: both go on running, both are told, the holder keeps the name,
//! and a vote shuts nobody down.

use crate::support::{Id, MINUTE, SECOND, World, addr, name};
use swim_core::{EventKind, Life, MemberChange, Options, SeedOutcome, State};

const HOLDER: Id = 3;
const OTHER: Id = 8;

fn same_name(life: u64) -> impl Fn(&mut Options) {
    move |options| {
        options.name = name(HOLDER);
        options.life = Life(life);
    }
}

/// Whether its life is younger or older: a name is not won by claiming more loudly.
#[test]
fn l11_a_newcomer_does_not_get_a_name_that_is_taken() {
    for life in [10, 1_000, 900_000] {
        let mut world = World::cluster(6, 1, |_| {});
        world.start(OTHER, same_name(life));
        world.join(OTHER, &[0]);
        world.run(5 * SECOND);
        let outcomes = world.seed_outcomes(OTHER);
        let is_refused = matches!(&outcomes[..], [SeedOutcome::Refused { reason }]
            if reason.contains(&name(HOLDER)));
        assert!(is_refused, "life {life}: {outcomes:?}");
        for _ in 0..10 {
            world.join(OTHER, &[0, 1, 2, 4, 5]);
            world.run(10 * SECOND);
        }
        holder_is_untouched(&world, &[0, 1, 2, 3, 4, 5]);
        assert!(conflicts(&world, HOLDER) > 0, "the holder is told");
        assert!(conflicts(&world, OTHER) > 0, "the newcomer is told");
        assert_eq!(world.node(OTHER).counts().total(), 1, "it has learnt nobody");
    }
}

/// The newcomer asks the holder itself.
#[test]
fn l11_a_newcomer_that_asks_the_holder() {
    let mut world = World::cluster(6, 1, |_| {});
    world.start(OTHER, same_name(900_000));
    world.join(OTHER, &[HOLDER]);
    world.run(MINUTE);
    holder_is_untouched(&world, &[0, 1, 2, 3, 4, 5]);
    let outcomes = world.seed_outcomes(OTHER);
    assert!(outcomes.iter().all(|outcome| !outcome.is_joined()), "{outcomes:?}");
}

/// Two clusters that each have one become one cluster: each half keeps its own, and all four that
/// matter are told.
#[test]
fn l11_two_clusters_with_one_name_each() {
    let mut world = World::new(1);
    (0..OTHER).for_each(|id| world.start(id, |_| {}));
    world.start(OTHER, same_name(5_000));
    [1, 2, HOLDER].into_iter().for_each(|id| world.join(id, &[0]));
    [5, 6, 7, OTHER].into_iter().for_each(|id| world.join(id, &[4]));
    world.run(MINUTE);
    world.join(6, &[2]);
    world.run(5 * MINUTE);
    for (id, holder) in [(0, HOLDER), (1, HOLDER), (2, HOLDER), (5, OTHER), (6, OTHER)] {
        let member = world.member(id, HOLDER).expect("a member");
        assert_eq!((member.state, member.addr), (State::Alive, addr(holder)), "at {id}");
    }
    for id in [HOLDER, OTHER] {
        assert!(conflicts(&world, id) > 0, "{id} is not told");
        assert!(world.node(id).counts().live() >= 4, "{id} is still a member");
    }
    assert_eq!(world.count(MemberChange::Failed), 0);
    let at_once = conflicts(&world, 2);
    world.run(10 * MINUTE);
    let per_minute = (conflicts(&world, 2) - at_once) / 10;
    assert!(per_minute <= 12, "{per_minute} conflicts reported per minute");
}

/// Once the holder is gone, its name is free.
#[test]
fn x9_the_name_is_free_once_its_holder_failed() {
    let mut world = World::cluster(6, 1, |_| {});
    world.start(OTHER, same_name(2_000));
    world.crash(HOLDER);
    world.run_until(MINUTE, "the holder to fail", |w| w.view(0, HOLDER) == Some(State::Dead));
    world.join(OTHER, &[0]);
    world.run_until(5 * SECOND, "all to know all", World::agree);
    assert_eq!(world.member(5, HOLDER).expect("a member").addr, addr(OTHER));
    world.check_mirrors();
}

/// With no reclaiming, it is free only once the dead holder is forgotten.
#[test]
fn x9_without_reclaiming_the_name_is_free_once_its_holder_is_reaped() {
    let hold = |options: &mut Options| options.reclaim_after = None;
    let mut world = World::cluster(6, 1, hold);
    world.start(OTHER, same_name(2_000));
    world.crash(HOLDER);
    world.run_until(MINUTE, "the holder to fail", |w| w.view(0, HOLDER) == Some(State::Dead));
    world.join(OTHER, &[0]);
    world.run(SECOND);
    assert_eq!(world.view(0, HOLDER), Some(State::Dead));
    world.run(MINUTE);
    assert_eq!(world.view(0, HOLDER), None);
    world.join(OTHER, &[0]);
    world.run_until(5 * SECOND, "all to know all", World::agree);
}

fn holder_is_untouched(world: &World, members: &[Id]) {
    for &id in members {
        let member = world.member(id, HOLDER).expect("a member");
        assert_eq!((member.state, member.addr), (State::Alive, addr(HOLDER)), "at {id}");
        let changes = world.changes(id, HOLDER);
        assert_eq!(changes, [MemberChange::Joined], "at {id}");
    }
}

fn conflicts(world: &World, id: Id) -> usize {
    let is_conflict = |kind: &EventKind| matches!(kind, EventKind::Conflict { .. });
    world.host(id).events.iter().filter(|event| is_conflict(&event.kind)).count()
}
