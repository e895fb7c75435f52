//! The world itself: it repeats, and it does what it is told.

use std::time::Duration;

use swim_core::{MemberChange, Node};
use swim_sim::{History, Trace, World};

const SECOND: Duration = Duration::from_secs(1);

fn eventful(seed: u64) -> World {
    eventful_with(seed, Trace::new(), None)
}

fn eventful_with(seed: u64, trace: Trace, history: Option<History>) -> World {
    let mut world: World<Node> = World::new(seed);
    (world.trace, world.history) = (Some(trace), history);
    world.network.link.loss = 0.1;
    for id in 0..8 {
        world.start(id, |_| {});
        world.join(id, &[0]);
    }
    world.run(5 * SECOND);
    world.freeze(2, 3 * SECOND);
    world.crash(5);
    world.run(20 * SECOND);
    world.start(5, |_| {});
    world.join(5, &[1, 2]);
    world.leave(3);
    world.run(20 * SECOND);
    world
}

#[test]
fn d1_one_seed_has_one_history() {
    let digest = |seed| eventful(seed).trace.map(|trace| trace.digest());
    assert_eq!(digest(1), digest(1));
    assert_ne!(digest(1), digest(2));
}

/// D4: what happens does not depend on how much of it is written down.
#[test]
fn d4_a_line_in_a_log_changes_nothing() {
    let digest = |trace: Trace, history: Option<History>| {
        let mut world = eventful_with(1, trace, history);
        world.trace.take().map(|mut trace| (trace.finish().is_ok(), trace.digest()))
    };
    let silent = digest(Trace::new(), None);
    assert_eq!(silent, digest(Trace::to(Box::new(Vec::new())), Some(History::default())));
    assert_eq!(silent.map(|(is_written, _)| is_written), Some(true));
}

#[test]
fn acquainted_nodes_have_nothing_to_tell() {
    let mut world: World<Node> = World::acquainted(50, 1, |_, _| {});
    assert!(world.agree(), "{}", world.disagreements());
    world.run(30 * SECOND);
    assert!(world.agree(), "{}", world.disagreements());
    assert_eq!(world.tally.changes(MemberChange::Suspected), 0);
}

#[test]
fn a_frozen_node_is_suspected_and_recovers() {
    let mut world: World<Node> = World::acquainted(10, 1, |_, _| {});
    world.run(5 * SECOND);
    world.freeze(4, 4 * SECOND);
    world.run(30 * SECOND);
    assert!(world.tally.changes(MemberChange::Suspected) > 0);
    assert_eq!(world.tally.changes(MemberChange::Failed), 0);
    assert!(world.agree(), "{}", world.disagreements());
}

#[test]
fn a_held_node_is_heard_afterwards() {
    let mut world: World<Node> = World::acquainted(10, 1, |_, _| {});
    world.run(5 * SECOND);
    world.hold(4, 3 * SECOND);
    world.run(30 * SECOND);
    assert!(world.agree(), "{}", world.disagreements());
}
