//! Large clusters, and clusters in trouble: what the project promises of them, in numbers.

use std::time::Duration;

use swim_core::{MemberChange, Node};
use swim_sim::World;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_thousand_agree_through_a_crash_and_a_join() {
    let mut world: World<Node> = World::acquainted(1_000, 1, |_, _| {});
    world.run(5 * SECOND);
    world.crash(500);
    // A suspicion lasts 12 s at least among so many; see the experiment ra2.
    let found = world.run_until(30 * SECOND, World::is_settled).expect("all notice");
    assert!(found < 25 * SECOND, "{found:?}");
    assert_eq!(world.tally.changes(MemberChange::Failed), 999, "once each, and nobody else");
    world.start(1_000, |_| {});
    world.join(1_000, &[0]);
    let took = world.run_until(10 * SECOND, World::is_settled).expect("all meet the newcomer");
    assert!(took < 2 * SECOND, "{took:?}");
    assert!(world.agree(), "{}", world.disagreements());
}

#[test]
fn who_joins_a_thousand_knows_all_within_a_second() {
    for seed in 1..=3 {
        let mut world: World<Node> = World::acquainted(1_000, seed, |_, _| {});
        world.run(5 * SECOND);
        world.start(1_000, |_| {});
        world.join(1_000, &[7]);
        let knows_all = |world: &World| world.node(1_000).counts().alive == 1_001;
        let took = world.run_until(SECOND, knows_all);
        assert!(took.is_some(), "seed {seed}: {:?}", world.node(1_000).counts());
    }
}

#[test]
fn a_thousand_started_at_once_know_each_other_within_ten_seconds() {
    let mut world: World<Node> = World::new(1);
    for id in 0..1_000 {
        world.start(id, |_| {});
    }
    for id in 1..1_000 {
        world.join(id, &[0]);
    }
    let took = world.run_until(10 * SECOND, World::is_settled);
    assert!(took.is_some(), "{}", world.disagreements());
    world.run(2 * SECOND);
    assert!(world.agree(), "{}", world.disagreements());
}

#[test]
fn l3_thirty_percent_of_all_packets_may_be_lost() {
    for loss in [0.2, 0.3] {
        let mut world: World<Node> = World::acquainted(100, 1, |_, _| {});
        world.network.link.loss = loss;
        world.run(300 * SECOND);
        assert_eq!(world.tally.changes(MemberChange::Failed), 0, "at {loss}");
        let bytes = world.tally.packet_bytes_sent + world.tally.stream_bytes_sent;
        let each = bytes / 100 / 300;
        assert!(each <= 2_500, "at {loss}: {each} bytes a second and node");
    }
}

#[test]
fn lifeguard_members_that_hardly_run_are_not_failed_and_fail_nobody() {
    for seed in 1..=3 {
        let mut world: World<Node> = World::acquainted(128, seed, |_, _| {});
        world.run(15 * SECOND);
        for id in 0..16 {
            world.starve(id, Duration::from_millis(100), 8 * SECOND, 120 * SECOND);
        }
        world.run(180 * SECOND);
        assert_eq!(world.tally.changes(MemberChange::Failed), 0, "seed {seed}");
        assert!(world.agree(), "{}", world.disagreements());
    }
}
