//! What a death notice, and a goodbye, does to a member. memberlist state.go: `deadNode`.

use std::time::Duration;

use super::{
    stage::Stage,
    words::{NODE, addr, has_left, is_alive, is_dead, is_suspect},
};
use crate::{
    member::LeaveReason,
    name::named,
    stamp::Stamp,
    wire::{Claim, Departure, Message},
};

const GOSSIP: Duration = Duration::from_millis(200);

#[test]
fn memberlist_7_3_step_1_nobody_dies_whom_nobody_introduced() {
    let mut stage = Stage::with(2, |_| {});
    stage.say(1, &[is_dead(9, (1, 1), 1), has_left(9, 1, 1)]);
    assert_eq!(stage.state(9), None);
    assert_eq!(stage.node.stats().claims_unknown, 2);
    assert!(stage.events.is_empty() && stage.node.claims.is_empty());
}

#[test]
fn memberlist_7_3_step_2_an_old_death_notice_is_void() {
    let mut stage = Stage::with(2, |_| {});
    stage.say(1, &[is_alive(1, 2, 3)]);
    stage.settle();
    for stamp in [(2, 2), (1, 9)] {
        stage.say(2, &[is_dead(1, stamp, 2)]);
        assert_eq!(stage.belief(1), "alive 2.3");
    }
    stage.say(2, &[has_left(1, 1, 9)]);
    assert_eq!(stage.belief(1), "alive 2.3", "it left in its former life");
    assert!(stage.changes().is_empty() && stage.node.claims.is_empty());
}

#[test]
fn memberlist_7_3_step_3_a_death_ends_the_suspicion() {
    for goodbye in [false, true] {
        let mut stage = Stage::with(3, |_| {});
        stage.say(2, &[is_suspect(1, (1, 1), 2)]);
        stage.let_answer();
        stage.say(2, &[if goodbye { has_left(1, 1, 1) } else { is_dead(1, (1, 1), 2) }]);
        stage.answering = true;
        stage.run(Duration::from_secs(100 * 3600));
        assert_eq!(stage.node.stats().suspicions_expired, 0);
        let deaths = stage.changes();
        let expected = if goodbye { "p1 left" } else { "p1 failed" };
        assert_eq!(deaths, ["p1 suspected", expected, "p1 reaped"]);
    }
}

#[test]
fn who_tells_of_a_death_that_is_known_is_not_told_of_it() {
    let mut stage = Stage::with(8, |options| {
        options.gossip_nodes = 1;
        options.retransmit_mult = 16;
    });
    stage.fail(1, (1, 1), 2);
    let is_told = |stage: &Stage, nth| !stage.claims_to(nth).is_empty();
    let teller = (3..=8).find(|nth| !is_told(&stage, *nth)).expect("not all are told at once");
    stage.say(teller, &[is_dead(1, (1, 1), teller)]);
    stage.settle_and_keep();
    for nth in 2..=8 {
        assert_eq!(is_told(&stage, nth), nth != 2 && nth != teller, "p{nth}, not p{teller}");
    }
}

#[test]
fn memberlist_7_3_step_4_nobody_dies_twice() {
    let mut stage = Stage::with(3, |_| {});
    stage.fail(1, (1, 1), 2);
    stage.settle();
    stage.say(3, &[is_dead(1, (1, 1), 3)]);
    assert!(stage.changes().is_empty() && stage.node.claims.is_empty());
}

#[test]
fn memberlist_7_3_step_5_a_death_notice_of_us_is_refuted() {
    let mut stage = Stage::with(2, |_| {});
    stage.say(1, &[is_dead(NODE, (5, 1), 1)]);
    assert_eq!(stage.belief(NODE), "alive 5.2");
    assert!(stage.changes().is_empty());
    assert_eq!(stage.claims_to(2), ["alive n 5.2"]);
}

#[test]
fn memberlist_7_3_step_5_who_leaves_does_not_refute() {
    let mut stage = Stage::with(2, |_| {});
    stage.call(|node, now| node.leave(now, Duration::from_secs(5))).unwrap();
    stage.say(1, &[is_dead(NODE, (5, 1), 1), is_suspect(NODE, (5, 4), 1)]);
    assert_eq!(stage.belief(NODE), "left 5.1");
    assert_eq!(stage.node.stats().refutations, 0);
}

#[test]
fn memberlist_7_3_step_6_a_death_is_told_to_all() {
    let mut stage = Stage::with(4, |_| {});
    stage.fail(1, (1, 1), 2);
    assert_eq!(stage.changes(), ["p1 failed"]);
    assert_eq!(stage.belief(1), "dead 1.1");
    assert_eq!(stage.node.counts().live(), 4);
    stage.run(GOSSIP);
    for nth in [3, 4] {
        assert!(stage.claims_to(nth).contains(&"dead p1 1.1 by p2".into()), "p{nth}");
    }
}

#[test]
fn memberlist_7_3_step_6_a_goodbye_is_no_failure() {
    let mut stage = Stage::with(4, |_| {});
    stage.say(1, &[has_left(1, 1, 1)]);
    assert_eq!(stage.changes(), ["p1 left"]);
    assert_eq!(stage.belief(1), "left 1.1");
    let reason = stage.node.member("p1").unwrap().reason;
    assert_eq!(reason, Some(LeaveReason::Graceful));
    stage.run(GOSSIP);
    assert!(stage.claims_to(3).contains(&"left p1 1.1".into()));
}

#[test]
fn s7_a_goodbye_of_a_higher_incarnation_than_known_counts() {
    let mut stage = Stage::with(2, |_| {});
    stage.say(2, &[has_left(1, 1, 6)]);
    assert_eq!(stage.belief(1), "left 1.6");
}

#[test]
fn s7_a_goodbye_of_an_older_incarnation_counts_within_its_life() {
    let mut stage = Stage::with(2, |_| {});
    stage.say(1, &[is_alive(1, 1, 5)]);
    stage.say(2, &[has_left(1, 1, 1)]);
    assert_eq!(stage.belief(1), "left 1.5");
}

#[test]
fn s7_after_a_goodbye_nothing_but_a_newer_life_revives() {
    let mut stage = Stage::with(3, |_| {});
    stage.say(1, &[has_left(1, 1, 1)]);
    stage.clear();
    stage.say(2, &[is_alive(1, 1, 7), is_suspect(1, (1, 8), 2), is_dead(1, (1, 9), 2)]);
    assert_eq!(stage.state(1), Some(crate::member::State::Left));
    assert!(stage.changes().is_empty());
    stage.say(2, &[is_alive(1, 2, 1)]);
    assert_eq!(stage.belief(1), "alive 2.1");
    assert_eq!(stage.changes(), ["p1 joined"]);
}

#[test]
fn s7_who_says_that_the_gone_live_is_told_that_they_left() {
    let mut stage = Stage::with(3, |_| {});
    stage.say(1, &[has_left(1, 1, 1)]);
    stage.settle();
    stage.say(2, &[is_alive(1, 1, 7)]);
    stage.settle_and_keep();
    assert!(stage.claims_to(2).contains(&"left p1 1.7".into()), "p2 missed the goodbye");
}

#[test]
fn memberlist_7_3_dead_then_left_keeps_the_grave_and_says_so_once() {
    let mut stage = Stage::with(3, |_| {});
    stage.fail(1, (1, 1), 2);
    stage.run(Duration::from_secs(5));
    stage.say(2, &[has_left(1, 1, 1)]);
    assert_eq!(stage.changes(), ["p1 failed", "p1 left"]);
    stage.run(Duration::from_secs(60));
    assert_eq!(stage.changes(), ["p1 failed", "p1 left", "p1 reaped"]);
}

#[test]
fn q24_a_goodbye_does_not_free_a_name_for_an_older_life_at_another_address() {
    let mut stage = Stage::lan(3, |_| {});
    stage.say(2, &[has_left(1, 1, 1)]);
    let mut other = super::words::alive(1, 1, 9);
    other.addr = addr(8);
    stage.say(2, &[Message::Claim(Claim::Alive(other))]);
    assert_eq!(stage.state(1), Some(crate::member::State::Left));
    assert_eq!(stage.node.stats().conflicts, 1);
    stage.run(Duration::from_secs(4));
    other.stamp = Stamp::new(2, 1);
    stage.say(2, &[Message::Claim(Claim::Alive(other))]);
    assert_eq!(stage.belief(1), "alive 2.1");
}

#[test]
fn the_reason_of_a_departure_is_kept_and_passed_on() {
    let mut stage = Stage::with(3, |_| {});
    let stamp = Stamp::new(1, 1);
    stage.fail(1, (1, 1), 2);
    let forced = Departure { name: named("p1"), stamp, reason: LeaveReason::Forced };
    stage.say(2, &[Message::Claim(Claim::Left(forced))]);
    assert_eq!(stage.node.member("p1").unwrap().reason, Some(LeaveReason::Forced));
    stage.settle_and_keep();
    assert!(stage.told(3).any(|message| *message == Message::Claim(Claim::Left(forced))));
}
