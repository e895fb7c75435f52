//! The life of a small cluster: joining, failing, leaving, coming back.

use std::time::Duration;

use crate::support::{World, name};
use swim_core::{EventKind, MemberChange, SeedOutcome, State};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn two_nodes_join_and_know_each_other() {
    let mut world = World::new(1);
    world.start(0, |_| {});
    world.start(1, |_| {});
    world.join(1, &[0]);
    let took = world.run_until(SECOND, "both to know both", World::agree);
    assert!(took < Duration::from_millis(10), "took {took:?}");
    let joined = world.host(1).events.iter().any(|event| {
        matches!(&event.kind, EventKind::Seed { outcome: SeedOutcome::Joined { name }, .. }
            if *name == "n0")
    });
    assert!(joined);
    world.check_mirrors();
}

#[test]
fn a_joiner_knows_the_whole_cluster_from_its_first_exchange() {
    let mut world = World::cluster(20, 2, |_| {});
    world.start(20, |_| {});
    world.join(20, &[7]);
    world.run_until(SECOND, "the joiner to know all", |w| w.node(20).counts().live() == 21);
    assert_eq!(world.node(20).stats().exchanges, 1);
    world.run_until(SECOND, "all to know the joiner", World::agree);
    world.check_mirrors();
}

#[test]
fn a_crash_is_noticed_by_all_and_blamed_on_nobody_else() {
    let mut world = World::cluster(8, 3, |_| {});
    world.crash(3);
    world.run_until(30 * SECOND, "all to notice", World::agree);
    world.run(60 * SECOND);
    for id in world.running() {
        let expected = [
            MemberChange::Joined,
            MemberChange::Suspected,
            MemberChange::Failed,
            MemberChange::Reaped,
        ];
        assert_eq!(world.changes(id, 3), expected, "at {id}");
    }
    assert_eq!(world.count(MemberChange::Failed), 7);
    world.check_mirrors();
}

#[test]
fn a_leave_is_no_failure_and_is_confirmed() {
    let mut world = World::cluster(8, 4, |_| {});
    world.leave(3);
    world.run_until(SECOND, "the leave to finish", |w| w.node(3).has_left());
    let finished = world.host(3).events.iter().find_map(|event| match event.kind {
        EventKind::LeaveFinished { confirmed, told, members } => Some((confirmed, told, members)),
        _ => None,
    });
    let (confirmed, told, members) = finished.expect("a finished leave");
    assert!(confirmed >= 3 && told >= 3 && members == 7);
    world.crash(3);
    world.run(20 * SECOND);
    for id in world.running() {
        assert_eq!(world.changes(id, 3), [MemberChange::Joined, MemberChange::Left], "at {id}");
        assert_eq!(world.view(id, 3), Some(State::Left));
    }
    world.check_mirrors();
}

#[test]
fn l9_a_restarted_node_is_a_member_again_at_once() {
    let mut world = World::cluster(8, 5, |_| {});
    world.crash(3);
    world.run_until(30 * SECOND, "all to notice", World::agree);
    world.start(3, |_| {});
    world.join(3, &[0]);
    let took = world.run_until(SECOND, "all to welcome it", World::agree);
    assert!(took < Duration::from_millis(500), "took {took:?}");
    world.check_mirrors();
}

#[test]
fn a_node_that_left_can_join_again() {
    let mut world = World::cluster(5, 6, |_| {});
    let life = world.node(2).stamp().life;
    world.leave(2);
    world.run_until(SECOND, "the leave to finish", |w| w.node(2).has_left());
    world.run(SECOND);
    world.join(2, &[0]);
    assert!(world.node(2).stamp().life > life);
    world.run_until(SECOND, "all to welcome it", World::agree);
    world.run(30 * SECOND);
    assert!(world.agree());
    world.check_mirrors();
}

#[test]
fn joining_oneself_is_seen_for_what_it_is() {
    let mut world = World::new(7);
    world.start(0, |_| {});
    world.join(0, &[0]);
    let outcome = world.host(0).events.iter().find_map(|event| match &event.kind {
        EventKind::JoinFinished { seeds, .. } => Some(seeds.clone()),
        _ => None,
    });
    assert_eq!(outcome.expect("a finished join")[0].1, SeedOutcome::Myself);
}

#[test]
fn an_update_reaches_everybody() {
    let mut world = World::cluster(12, 8, |_| {});
    world.call(4, |node, now| node.update_meta(now, "role=web".into())).expect("may update");
    world.run_until(SECOND, "all to know", World::agree);
    for id in world.running() {
        let member = world.member(id, 4).expect("a member");
        assert_eq!(member.meta.as_bytes(), b"role=web", "{} at {id}", name(4));
    }
    world.check_mirrors();
}
