//! L8: a member that leaves is never reported as failed, anywhere, and its leave ends by its
//! deadline.

use crate::support::{self, Id, MINUTE, SECOND, Watch, World, preset, tally::Tally};
use swim_core::{EventKind, MemberChange, Profile, State};

#[test]
fn twenty_leave_one_after_the_other() {
    for profile in [Profile::Lan, Profile::Local] {
        for (n, loss, seed) in [(30, 0, 1), (30, 0, 2), (30, 50, 1), (300, 0, 1), (300, 50, 1)] {
            let mut world = World::acquainted(n, seed, preset(profile));
            world.network.loss = loss;
            world.run(5 * SECOND);
            let mut spans = Tally::default();
            for id in 0..20 {
                let start = world.now;
                world.leave(id);
                world.run_until(5 * SECOND, "the leave to finish", |w| w.node(id).has_left());
                world.crash(id);
                world.run_until(10 * SECOND, "all to know", World::is_settled);
                spans.push(world.now.saturating_since(start));
                world.run(SECOND / 10);
            }
            println!("{profile}, {n} members, {}% loss: known everywhere {spans}", loss / 10);
            only_left(&mut world, 20);
            if loss == 0 {
                assert!(spans.max() <= 2 * SECOND, "{profile} {n}: {spans}");
            }
        }
    }
}

#[test]
fn twenty_leave_at_once() {
    for profile in [Profile::Lan, Profile::Local] {
        for (n, loss, seed) in [(30, 0, 1), (30, 50, 2), (300, 0, 1)] {
            let mut world = World::acquainted(n, seed, preset(profile));
            world.network.loss = loss;
            world.run(5 * SECOND);
            for id in 0..20 {
                world.leave(id);
            }
            let all_left = |w: &World| (0..20).all(|id| w.node(id).has_left());
            world.run_until(6 * SECOND, "the leaves to finish", all_left);
            for id in 0..20 {
                world.crash(id);
            }
            let took = world.run_until(10 * SECOND, "all to know", World::is_settled);
            println!("{profile}, {n} members, {}% loss: known everywhere {took:?}", loss / 10);
            only_left(&mut world, 20);
        }
    }
}

/// Everybody that is still here saw them all leave, and nobody fail.
fn only_left(world: &mut World, leavers: u64) {
    world.run(MINUTE);
    let observers = world.running().len() as u64;
    assert_eq!(world.count(MemberChange::Failed), 0);
    assert_eq!(world.count(MemberChange::Left), leavers * observers);
    assert_eq!(world.count(MemberChange::Joined), observers * (observers + leavers));
}

#[test]
fn l8_a_leave_gets_through_thirty_percent_loss() {
    for seed in 1..=5 {
        let mut world = World::cluster(12, seed, |_| {});
        world.network.loss = 300;
        world.leave(3);
        world.run_until(6 * SECOND, "the leave to finish", |w| w.node(3).has_left());
        world.crash(3);
        world.run_until(MINUTE, "all to know", |w| everybody_sees(w, 3, State::Left));
        for id in world.running() {
            assert!(!world.changes(id, 3).contains(&MemberChange::Failed), "at {id}, seed {seed}");
        }
        world.check_mirrors();
    }
}

/// Cut off from everybody, a leave can't be told; it ends at its deadline all the same.
#[test]
fn l8_a_leave_that_reaches_nobody_ends_by_its_deadline() {
    let mut world = World::cluster(5, 1, |_| {});
    world.network.partition(&[2], &[0, 1, 3, 4]);
    world.leave(2);
    let took = world.run_until(6 * SECOND, "the leave to give up", |w| w.node(2).has_left());
    assert!(took <= 5 * SECOND, "{took:?}");
    assert_eq!(finished(&world, 2), Some((0, 4)), "nobody confirmed");
}

#[test]
fn a_lone_node_leaves_at_once() {
    let mut world = World::new(1);
    world.start(0, |_| {});
    world.leave(0);
    assert!(world.node(0).has_left());
    assert_eq!(finished(&world, 0), Some((0, 0)));
}

/// S7: a node that has left sends nothing, whatever comes in, until it joins again.
#[test]
fn s7_a_node_that_has_left_is_silent() {
    let mut world = World::cluster(6, 1, |_| {});
    world.leave(2);
    world.run_until(SECOND, "the leave to finish", |w| w.node(2).has_left());
    world.run(SECOND);
    world.capture = Some(Vec::new());
    let streams = world.node(2).stats().streams_dialed;
    world.run(5 * MINUTE);
    let sent = world.capture.take().expect("switched on");
    assert!(sent.iter().all(|(from, ..)| *from != 2), "it sent packets");
    assert_eq!(world.node(2).stats().streams_dialed, streams);
    let told = sent.iter().filter(|(_, to, _)| *to == support::addr(2)).count();
    assert_eq!(told, 0, "nobody bothers it either");
}

fn everybody_sees(world: &World, subject: Id, state: State) -> bool {
    world.running().iter().all(|&id| world.view(id, subject) == Some(state))
}

/// How many confirmed a leave, of how many members.
fn finished(world: &World, id: Id) -> Option<(usize, usize)> {
    world.host(id).events.iter().find_map(|event| match event.kind {
        EventKind::LeaveFinished { confirmed, members, .. } => Some((confirmed, members)),
        _ => None,
    })
}

/// The watch that large worlds need counts leaves as this one does.
#[test]
fn counting_worlds_see_leaves_too() {
    let mut world = World::new(3);
    world.watch = Watch::Counts;
    world.start_all(5, |_| {});
    world.run_until(5 * SECOND, "all to know all", World::agree);
    world.leave(1);
    world.run(SECOND);
    assert_eq!(world.count(MemberChange::Left), 5, "itself included");
}
