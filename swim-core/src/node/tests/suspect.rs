//! What an accusation does to a member. memberlist state.go: `suspectNode`.

use std::time::Duration;

use super::{
    stage::Stage,
    words::{NODE, has_left, is_alive, is_suspect},
};

const GOSSIP: Duration = Duration::from_millis(200);

#[test]
fn memberlist_7_2_step_1_nobody_is_suspected_whom_nobody_introduced() {
    let mut stage = Stage::with(2, |_| {});
    stage.say(1, &[is_suspect(9, (1, 1), 1)]);
    assert_eq!(stage.state(9), None);
    assert_eq!(stage.node.stats().claims_unknown, 1);
    assert!(stage.events.is_empty() && stage.node.claims.is_empty());
}

#[test]
fn memberlist_7_2_step_2_an_old_accusation_is_void() {
    let mut stage = Stage::with(2, |_| {});
    stage.say(1, &[is_alive(1, 2, 3)]);
    stage.settle();
    for stamp in [(2, 2), (1, 9)] {
        stage.say(2, &[is_suspect(1, stamp, 2)]);
        assert_eq!(stage.belief(1), "alive 2.3");
    }
    assert!(stage.changes().is_empty() && stage.node.claims.is_empty());
    assert_eq!(stage.node.stats().suspicions, 0);
}

#[test]
fn memberlist_7_2_step_3_a_confirmation_is_passed_on_under_its_own_accuser() {
    let mut stage = Stage::with(5, |_| {});
    stage.say(2, &[is_suspect(1, (1, 1), 2)]);
    stage.settle();
    stage.say(3, &[is_suspect(1, (1, 1), 3)]);
    stage.settle_and_keep();
    assert!(stage.claims_to(5).contains(&"suspect p1 1.1 by p3".into()));
    assert!(stage.changes().is_empty(), "it was suspected before");
    assert_eq!(stage.node.stats().suspicions, 1);
}

#[test]
fn memberlist_7_2_step_3_who_confirms_twice_is_not_passed_on() {
    let mut stage = Stage::with(5, |_| {});
    stage.say(2, &[is_suspect(1, (1, 1), 2)]);
    stage.settle();
    stage.say(3, &[is_suspect(1, (1, 1), 2)]);
    assert!(stage.node.claims.is_empty(), "the first accuser is no confirmation");
    stage.say(3, &[is_suspect(1, (1, 1), 3)]);
    stage.settle();
    stage.say(4, &[is_suspect(1, (1, 1), 3)]);
    assert!(stage.node.claims.is_empty(), "and nobody confirms twice");
}

#[test]
fn memberlist_7_2_step_4_the_dead_and_the_gone_are_not_suspected() {
    let mut stage = Stage::with(3, |_| {});
    stage.fail(1, (1, 1), 3);
    stage.say(3, &[has_left(2, 1, 1)]);
    stage.settle();
    let suspicions = stage.node.stats().suspicions;
    stage.say(3, &[is_suspect(1, (1, 1), 3), is_suspect(2, (1, 1), 3)]);
    assert_eq!((stage.belief(1), stage.belief(2)), ("dead 1.1".into(), "left 1.1".into()));
    assert_eq!(stage.node.stats().suspicions, suspicions);
    assert!(stage.changes().is_empty() && stage.node.claims.is_empty());
}

#[test]
fn memberlist_7_2_step_5_an_accusation_of_us_is_refuted() {
    let mut stage = Stage::with(2, |_| {});
    stage.say(1, &[is_suspect(NODE, (5, 1), 1)]);
    assert_eq!(stage.belief(NODE), "alive 5.2");
    assert_eq!(stage.node.stats().suspicions, 0);
    assert!(stage.changes().is_empty());
}

#[test]
fn memberlist_7_2_step_6_a_member_is_suspected_once_and_all_are_told() {
    let mut stage = Stage::with(4, |_| {});
    let since = stage.now;
    stage.say(2, &[is_suspect(1, (1, 1), 2)]);
    assert_eq!(stage.changes(), ["p1 suspected"]);
    let member = stage.node.member("p1").unwrap();
    assert_eq!((member.stamp.incarnation.0, member.since), (1, since));
    assert_eq!(stage.node.stats().suspicions, 1);
    stage.run(GOSSIP);
    for nth in [1, 3, 4] {
        assert!(stage.claims_to(nth).contains(&"suspect p1 1.1 by p2".into()), "p{nth}");
    }
}

#[test]
fn memberlist_7_2_a_suspect_is_still_a_member() {
    let mut stage = Stage::with(3, |_| {});
    stage.say(2, &[is_suspect(1, (1, 1), 2)]);
    assert_eq!(stage.node.counts().live(), 4);
    assert_eq!(stage.call(|node, now| node.send_best_effort(now, "p1", b"hello")), Ok(()));
}

#[test]
fn q5_an_accusation_of_a_higher_incarnation_is_kept_and_timed_anew() {
    let mut stage = Stage::with(3, |_| {});
    stage.say(2, &[is_suspect(1, (1, 1), 2)]);
    let first = stage.timer;
    stage.run(Duration::from_secs(60));
    stage.say(2, &[is_suspect(1, (1, 50), 2)]);
    assert_eq!(stage.belief(1), "suspect 1.50");
    assert!(stage.node.timers.next() >= first, "the suspicion of what is now known");
    stage.say(1, &[is_alive(1, 1, 2)]);
    assert_eq!(stage.belief(1), "suspect 1.50", "an older claim does not refute it");
    stage.say(1, &[is_alive(1, 1, 51)]);
    assert_eq!(stage.belief(1), "alive 1.51");
}

#[test]
fn s6_a_newer_accusation_of_the_dead_means_that_they_lived() {
    let mut stage = Stage::with(3, |_| {});
    stage.fail(1, (1, 1), 2);
    stage.say(2, &[is_suspect(1, (1, 2), 2)]);
    assert_eq!(stage.belief(1), "suspect 1.2");
    assert_eq!(stage.changes(), ["p1 failed", "p1 joined", "p1 suspected"]);
}

#[test]
fn who_still_tells_that_a_suspect_lives_is_told_of_the_suspicion() {
    let mut stage = Stage::with(3, |_| {});
    stage.say(2, &[is_alive(1, 1, 2)]);
    stage.say(2, &[is_suspect(1, (1, 2), 2)]);
    stage.clear();
    stage.say(3, &[is_alive(1, 1, 2)]);
    stage.settle_and_keep();
    assert!(stage.claims_to(3).contains(&"suspect p1 1.2 by p2".into()), "p3 does not know it");
}
