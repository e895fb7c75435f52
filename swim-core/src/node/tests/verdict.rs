//! When a verdict counts: once its subject could have been heard answering. (L6)

use std::time::Duration;

use super::{
    stage::Stage,
    suspicion::timeout,
    words::{NODE, is_alive, is_dead, is_suspect},
};

const NANO: Duration = Duration::from_nanos(1);

/// p1 in doubt by the word of p2.
fn doubted() -> Stage {
    let mut stage = Stage::lan(8, |_| {});
    stage.say(2, &[is_suspect(1, (1, 1), 2)]);
    stage
}

#[test]
fn l6_a_verdict_out_of_the_blue_is_an_accusation_and_told_as_one() {
    let mut stage = Stage::lan(8, |_| {});
    stage.say(2, &[is_dead(1, (1, 1), 2)]);
    assert_eq!((stage.belief(1), timeout(&stage)), ("suspect 1.1".into(), "24000".into()));
    stage.settle_and_keep();
    assert!(stage.claims_to(3).contains(&"suspect p1 1.1 by p2".into()));
    let told = stage.claims_to_any();
    assert!(told.iter().all(|claim| !claim.starts_with("dead")), "{told:?}");
    stage.say(1, &[is_alive(1, 1, 2)]);
    assert_eq!(stage.changes(), ["p1 suspected", "p1 recovered"]);
}

#[test]
fn l6_a_verdict_that_comes_with_its_accusation_confirms_it_if_a_member_came_to_it() {
    // p1 is the accused, p2 was counted, p20 is no member.
    for (judge, runs_for) in [(3, "11381"), (2, "24000"), (1, "24000"), (20, "24000")] {
        let mut stage = Stage::lan(8, |_| {});
        stage.say(2, &[is_suspect(1, (1, 1), 2), is_dead(1, (1, 1), judge)]);
        assert_eq!(stage.belief(1), "suspect 1.1", "by p{judge}");
        assert_eq!(timeout(&stage), runs_for, "by p{judge}");
        assert_eq!(stage.changes(), ["p1 suspected"]);
    }
}

#[test]
fn l6_a_verdict_counts_once_everybody_had_time_to_hear_the_answer() {
    for confirmed in [false, true] {
        let mut stage = doubted();
        let window = stage.node.dissemination_window();
        stage.run(window - NANO);
        if confirmed {
            stage.say(3, &[is_suspect(1, (1, 1), 3)]);
        }
        stage.say(2, &[is_dead(1, (1, 1), 2)]);
        assert_eq!(stage.belief(1), "suspect 1.1");
        stage.run(NANO);
        stage.say(2, &[is_dead(1, (1, 1), 2)]);
        assert_eq!(stage.belief(1), "dead 1.1", "confirmed: {confirmed}");
        assert_eq!(stage.changes(), ["p1 suspected", "p1 failed"]);
    }
}

#[test]
fn l6_after_a_pause_the_accused_have_their_time_anew() {
    let mut stage = doubted();
    stage.let_answer();
    stage.sleep(Duration::from_secs(15));
    stage.say(2, &[is_dead(1, (1, 1), 2)]);
    assert_eq!(stage.node.stats().pauses, 1);
    assert_eq!(stage.belief(1), "suspect 1.1", "the answer may wait to be heard as well");
    stage.let_answer();
    stage.say(2, &[is_dead(1, (1, 1), 2)]);
    assert_eq!(stage.belief(1), "dead 1.1");
}

#[test]
fn l6_who_was_held_for_dead_gives_the_accused_their_time_anew() {
    let mut stage = doubted();
    stage.let_answer();
    stage.say(3, &[is_dead(NODE, (5, 1), 3)]);
    stage.say(2, &[is_dead(1, (1, 1), 2)]);
    assert_eq!(stage.belief(1), "suspect 1.1");
}

#[test]
fn l6_a_verdict_of_another_stamp_than_the_doubt_is_a_doubt_of_its_own() {
    let mut stage = doubted();
    stage.let_answer();
    stage.say(2, &[is_dead(1, (1, 2), 2)]);
    // It runs from now on, though p1 was suspect before.
    assert_eq!((stage.belief(1), timeout(&stage)), ("suspect 1.2".into(), "24400".into()));
    stage.say(2, &[is_dead(1, (1, 1), 2), is_dead(1, (1, 2), 2)]);
    assert_eq!(stage.belief(1), "suspect 1.2", "it began anew");
    stage.let_answer();
    stage.say(2, &[is_dead(1, (1, 2), 2)]);
    assert_eq!(stage.belief(1), "dead 1.2");
}

#[test]
fn l6_a_refuted_doubt_does_not_speed_up_the_next_verdict() {
    let mut stage = doubted();
    stage.let_answer();
    stage.say(1, &[is_alive(1, 1, 2)]);
    stage.say(2, &[is_dead(1, (1, 1), 2)]);
    assert_eq!(stage.belief(1), "alive 1.2", "it is outdated");
    stage.say(2, &[is_dead(1, (1, 2), 2)]);
    assert_eq!(stage.belief(1), "suspect 1.2");
}

#[test]
fn l6_of_the_dead_the_same_verdict_is_no_news_and_a_newer_one_says_that_they_lived() {
    let mut stage = Stage::lan(8, |_| {});
    stage.fail(1, (1, 1), 2);
    stage.settle();
    stage.say(3, &[is_dead(1, (1, 1), 3), is_dead(1, (1, 0), 3)]);
    assert_eq!(stage.belief(1), "dead 1.1");
    assert!(stage.node.claims.is_empty());
    stage.say(3, &[is_dead(1, (1, 2), 3)]);
    assert_eq!(stage.belief(1), "suspect 1.2");
    assert_eq!(stage.changes(), ["p1 joined", "p1 suspected"]);
}
