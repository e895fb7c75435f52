//! How the dead are kept for a while, and forgotten. memberlist state.go: `resetNodes`.

use std::time::Duration;

use super::{
    stage::Stage,
    words::{NODE, addr, alive, entry, has_left, is_alive},
};
use crate::{
    io::Timer,
    member::State,
    wire::{Alive, Claim, ExchangeHead, Message},
};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn memberlist_7_5_the_dead_and_the_gone_are_forgotten_after_a_while() {
    let mut stage = Stage::with(4, |_| {});
    stage.fail(1, (1, 1), 3);
    stage.run(10 * SECOND);
    stage.say(2, &[has_left(2, 1, 1)]);
    stage.run(20 * SECOND - Duration::from_nanos(1));
    assert_eq!(stage.belief(1), "dead 1.1");
    stage.run(Duration::from_nanos(1));
    assert_eq!((stage.belief(1), stage.belief(2)), ("unknown".into(), "left 1.1".into()));
    stage.run(10 * SECOND);
    assert_eq!(stage.belief(2), "unknown");
    assert_eq!(stage.changes(), ["p1 failed", "p2 left", "p1 reaped", "p2 reaped"]);
    assert_eq!(stage.node.counts().total(), 3);
    assert_eq!(stage.node.stats().reaped, 2);
    assert_eq!(stage.node.member_at(addr(1)), None);
}

#[test]
fn memberlist_7_5_a_forgotten_name_may_return_with_any_claim_and_address() {
    let mut stage = Stage::with(3, |_| {});
    stage.say(1, &[is_alive(1, 4, 9)]);
    stage.fail(1, (4, 9), 3);
    stage.run(31 * SECOND);
    let claim = Alive { addr: addr(8), ..alive(1, 1, 1) };
    stage.say(3, &[Message::Claim(Claim::Alive(claim))]);
    assert_eq!(stage.belief(1), "alive 1.1");
    assert_eq!(stage.node.member("p1").unwrap().addr, addr(8));
}

#[test]
fn l2_a_forgotten_member_is_not_raised_by_who_still_suspects_it() {
    for (incarnation, state, expected) in [
        (9, State::Suspect, "unknown"),
        (8, State::Suspect, "unknown"),
        (10, State::Suspect, "suspect 4.10"),
        (9, State::Alive, "alive 4.9"),
    ] {
        let mut stage = Stage::with(3, |_| {});
        stage.say(1, &[is_alive(1, 4, 9)]);
        stage.fail(1, (4, 9), 3);
        stage.run(31 * SECOND);
        assert_eq!(stage.belief(1), "unknown");
        let id = stage.accept(2);
        let head = ExchangeHead { join: false, entries: 1, state_len: 0 };
        stage.reply(
            id,
            &[Message::ExchangeHead(head), entry(alive(1, 4, incarnation), state)],
            true,
        );
        assert_eq!(stage.belief(1), expected, "{state} 4.{incarnation}");
    }
}

#[test]
fn memberlist_7_5_who_came_back_is_not_forgotten() {
    let mut stage = Stage::with(3, |_| {});
    stage.fail(1, (1, 1), 3);
    stage.run(29 * SECOND);
    stage.say(1, &[is_alive(1, 1, 2)]);
    stage.run(100 * SECOND);
    assert_eq!(stage.belief(1), "alive 1.2");
}

#[test]
fn memberlist_7_5_a_second_death_is_timed_from_its_own_beginning() {
    let mut stage = Stage::with(3, |_| {});
    stage.fail(1, (1, 1), 3);
    stage.run(20 * SECOND);
    stage.say(3, &[is_alive(1, 1, 2)]);
    stage.fail(1, (1, 2), 3);
    stage.run(29 * SECOND);
    assert_eq!(stage.belief(1), "dead 1.2");
    stage.run(SECOND);
    assert_eq!(stage.belief(1), "unknown");
}

#[test]
fn p6_what_waits_to_be_said_of_a_member_is_forgotten_with_it() {
    let mut stage = Stage::with(3, |options| options.reap_after = Duration::from_millis(1));
    stage.say(3, &[is_alive(9, 1, 1)]);
    stage.fail(1, (1, 1), 3);
    stage.clear();
    stage.run(Duration::from_millis(1));
    assert_eq!(stage.belief(1), "unknown");
    stage.settle_and_keep();
    assert!(!stage.claims_to(2).contains(&"dead p1 1.1 by p3".into()));
}

#[test]
fn q9_the_node_itself_is_never_forgotten() {
    let mut stage = Stage::with(1, |_| {});
    stage.call(|node, now| node.leave(now, SECOND)).unwrap();
    stage.run(1000 * SECOND);
    assert!(stage.node.has_left());
    assert_eq!(stage.belief(NODE), "left 5.1");
}

#[test]
fn q9_nobody_dead_means_no_reaping_to_wake_up_for() {
    let mut stage = Stage::with(2, |_| {});
    stage.fail(1, (1, 1), 2);
    stage.run(31 * SECOND);
    assert_eq!(stage.belief(1), "unknown");
    assert!(stage.timer.is_none_or(|(_, why)| why != Timer::Reap));
}

#[test]
fn p3_the_suspicion_of_a_reaped_member_never_fires_at_its_successor() {
    let mut stage = Stage::with(4, |options| options.reap_after = SECOND);
    stage.fail(1, (1, 1), 2);
    stage.run(2 * SECOND);
    stage.introduce(9);
    stage.answering = true;
    stage.run(Duration::from_secs(200 * 3600));
    assert_eq!(stage.belief(9), "alive 1.1", "whoever stands in the same place of the table");
    assert_eq!(stage.node.stats().suspicions_expired, 0);
}

#[test]
fn m1_a_member_that_dies_again_and_again_has_one_grave() {
    let mut stage = Stage::with(2, |options| options.reap_after = 3600 * SECOND);
    for incarnation in 1..=2000 {
        stage.fail(1, (1, incarnation), 2);
        stage.say(2, &[is_alive(1, 1, incarnation + 1)]);
    }
    let graves = stage.node.graveyard.len();
    assert!(graves <= 2 * stage.node.counts().total(), "{graves} graves for one member");
}
