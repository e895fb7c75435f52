//! What a claim to be alive does to a member. memberlist state.go: `aliveNode`.

use std::{format, time::Duration};

use super::{
    stage::Stage,
    words::{addr, alive, has_left, is_alive, is_suspect},
};
use crate::{
    event::EventKind,
    reject::Reject,
    wire::{Alive, Claim, Message},
};

const GOSSIP: Duration = Duration::from_millis(200);

fn says(alive: Alive<'static>) -> Message<'static> {
    Message::Claim(Claim::Alive(alive))
}

#[test]
fn memberlist_7_1_step_1_who_leaves_takes_no_claim_about_itself() {
    let mut stage = Stage::with(2, |_| {});
    stage.call(|node, now| node.leave(now, Duration::from_secs(5))).unwrap();
    let before = stage.belief(0);
    stage.say(1, &[is_alive(0, 5, 9), is_alive(0, 7, 1)]);
    assert_eq!(stage.belief(0), before);
    assert_eq!(stage.node.stats().refutations, 0);
}

#[test]
fn memberlist_7_1_step_4_an_unknown_name_joins_and_is_passed_on() {
    let mut stage = Stage::with(2, |_| {});
    stage.say(1, &[says(Alive { meta: b"role=web", ..alive(7, 3, 4) })]);
    assert_eq!(stage.changes(), ["p7 joined"]);
    assert_eq!(stage.belief(7), "alive 3.4");
    let member = stage.node.member("p7").unwrap();
    assert_eq!((member.addr, member.meta.as_bytes()), (addr(7), &b"role=web"[..]));
    assert_eq!(stage.node.member_at(addr(7)).unwrap().name, "p7");
    stage.run(GOSSIP);
    assert_eq!(stage.claims_to(2), ["alive p7 3.4"]);
    assert!(stage.claims_to(1).is_empty(), "it said so itself");
}

#[test]
fn memberlist_7_1_step_5_another_address_does_not_take_a_live_name() {
    for doubted in [false, true] {
        let mut stage = Stage::with(3, |_| {});
        if doubted {
            stage.say(2, &[is_suspect(1, (1, 1), 2)]);
        }
        let before = stage.belief(1);
        stage.settle();
        stage.say(3, &[says(Alive { addr: addr(8), ..alive(1, 9, 9) })]);
        assert_eq!(stage.belief(1), before);
        assert_eq!(stage.node.member("p1").unwrap().addr, addr(1));
        assert!(stage.node.claims.is_empty(), "nobody is told");
        let conflicts = stage.events.iter().filter_map(|event| match event {
            EventKind::Conflict { holder, other_addr, .. } => Some((holder.addr, *other_addr)),
            _ => None,
        });
        assert_eq!(conflicts.last(), Some((addr(1), addr(8))));
    }
}

#[test]
fn memberlist_7_1_step_6_a_claim_that_is_not_newer_changes_nothing() {
    for stamp in [(1, 1), (1, 0), (0, 9)] {
        let mut stage = Stage::with(2, |_| {});
        stage.say(2, &[says(Alive { meta: b"other", ..alive(1, stamp.0, stamp.1) })]);
        assert_eq!(stage.belief(1), "alive 1.1");
        assert!(stage.node.member("p1").unwrap().meta.is_empty());
        assert!(stage.changes().is_empty() && stage.node.claims.is_empty());
        assert_eq!(stage.node.stats().claims_stale, 1);
    }
}

#[test]
fn memberlist_7_1_step_7_a_newer_claim_ends_the_suspicion() {
    let mut stage = Stage::with(3, |_| {});
    stage.say(2, &[is_suspect(1, (1, 1), 2)]);
    stage.say(1, &[is_alive(1, 1, 2)]);
    assert_eq!(stage.belief(1), "alive 1.2");
    assert_eq!(stage.changes(), ["p1 suspected", "p1 recovered"]);
    stage.answering = true;
    stage.run(Duration::from_secs(100 * 3600));
    assert_eq!(stage.node.stats().suspicions_expired, 0);
}

#[test]
fn memberlist_7_1_step_8_our_own_claim_coming_back_is_no_accusation() {
    let mut stage = Stage::with(2, |_| {});
    stage.say(1, &[is_alive(0, 5, 1)]);
    assert_eq!(stage.belief(0), "alive 5.1");
    assert_eq!(stage.node.stats().refutations, 0);
    stage.say(1, &[is_alive(0, 5, 0), is_alive(0, 4, 9)]);
    assert_eq!(stage.belief(0), "alive 5.1");
    assert_eq!(stage.node.health(), 0);
}

#[test]
fn memberlist_7_1_step_8_other_words_under_our_stamp_are_outbid() {
    for (claim, stamp) in [
        (Alive { meta: b"lie", ..alive(0, 5, 1) }, "alive 6.1"),
        (alive(0, 5, 4), "alive 6.1"),
        (alive(0, 6, 1), "alive 7.1"),
    ] {
        let mut stage = Stage::with(2, |_| {});
        stage.say(1, &[says(claim)]);
        assert_eq!(stage.belief(0), stamp);
        assert_eq!(stage.node.health(), 1);
        assert!(stage.node.local().meta.is_empty());
        stage.run(GOSSIP);
        assert_eq!(stage.claims_to(2), [format!("alive n {}", stage.node.stamp())]);
    }
}

#[test]
fn memberlist_7_1_step_9_the_newest_claim_is_stored_and_passed_on() {
    let mut stage = Stage::with(2, |_| {});
    stage.say(1, &[says(Alive { meta: b"new", ..alive(1, 1, 2) })]);
    assert_eq!(stage.belief(1), "alive 1.2");
    stage.run(GOSSIP);
    let told = stage.told(2).find_map(|message| match message {
        Message::Claim(Claim::Alive(alive)) => Some(*alive),
        _ => None,
    });
    assert_eq!(told, Some(Alive { meta: b"new", ..alive(1, 1, 2) }), "word for word");
}

#[test]
fn memberlist_7_1_step_10_events_say_what_changed() {
    let new_meta = |incarnation| says(Alive { meta: b"new", ..alive(1, 1, incarnation) });
    let cases: [(&[Message<'_>], &[&str]); 5] = [
        (&[is_alive(1, 1, 2)], &[]),
        (&[new_meta(2)], &["p1 updated"]),
        (&[is_suspect(1, (1, 1), 2), is_alive(1, 1, 2)], &["p1 suspected", "p1 recovered"]),
        (&[is_suspect(1, (1, 1), 2), new_meta(2)], &["p1 suspected", "p1 recovered", "p1 updated"]),
        (&[has_left(1, 1, 1), is_alive(1, 2, 1)], &["p1 left", "p1 joined"]),
    ];
    for (claims, changes) in cases {
        let mut stage = Stage::with(2, |_| {});
        stage.say(2, claims);
        assert_eq!(stage.changes(), changes, "{claims:?}");
    }
    for claim in [is_alive(1, 1, 2), new_meta(2)] {
        let mut stage = Stage::with(2, |_| {});
        stage.fail(1, (1, 1), 2);
        stage.say(2, &[claim]);
        assert_eq!(stage.changes(), ["p1 failed", "p1 joined"], "{claim:?}");
    }
}

#[test]
fn memberlist_7_1_other_versions_are_an_update() {
    let mut stage = Stage::with(2, |_| {});
    let mut claim = alive(1, 1, 2);
    claim.versions.application.max = 3;
    stage.say(2, &[says(claim)]);
    assert_eq!(stage.changes(), ["p1 updated"]);
    assert_eq!(stage.node.member("p1").unwrap().versions.application.max, 3);
}

#[test]
fn memberlist_7_1_a_name_comes_back_from_the_dead_at_its_own_address_with_any_newer_claim() {
    for (life, incarnation) in [(1, 2), (2, 1)] {
        let mut stage = Stage::with(2, |_| {});
        stage.fail(1, (1, 1), 2);
        stage.say(2, &[is_alive(1, 1, 1)]);
        assert_eq!(stage.belief(1), "dead 1.1", "the very claim that died");
        stage.say(2, &[is_alive(1, life, incarnation)]);
        assert_eq!(stage.belief(1), format!("alive {life}.{incarnation}"));
    }
}

#[test]
fn memberlist_7_1_e2_a_moved_member_is_updated_and_found_at_its_new_address() {
    let mut stage = Stage::with(2, |_| {});
    stage.fail(1, (1, 1), 2);
    stage.say(2, &[says(Alive { addr: addr(8), ..alive(1, 2, 1) })]);
    assert_eq!(stage.changes(), ["p1 failed", "p1 joined"]);
    assert_eq!(stage.node.member_at(addr(8)).unwrap().name, "p1");
    assert_eq!(stage.node.member_at(addr(1)), None);
}

#[test]
fn memberlist_7_1_a_claim_nobody_could_have_made_is_refused_and_counted() {
    let mut stage = Stage::with(2, |_| {});
    stage.say(2, &[is_alive(1, 2 + (1 << 20), 1)]);
    assert_eq!(stage.belief(1), "alive 1.1");
    assert_eq!(stage.node.stats().rejected_for(Reject::Implausible), 1);
}

#[test]
fn q5_evidence_of_a_higher_incarnation_raises_what_is_needed_to_return() {
    let mut stage = Stage::with(2, |_| {});
    stage.fail(1, (1, 1), 2);
    stage.fail(1, (1, 10), 2);
    assert_eq!(stage.belief(1), "dead 1.10");
    stage.say(2, &[is_alive(1, 1, 2)]);
    assert_eq!(stage.belief(1), "dead 1.10");
    stage.say(2, &[is_alive(1, 1, 11)]);
    assert_eq!(stage.belief(1), "alive 1.11");
}

#[test]
fn q7_a_refutation_replaces_what_waits_to_be_said_of_us() {
    let mut stage = Stage::with(2, |options| options.gossip_nodes = 1);
    stage.call(|node, now| node.update_meta(now, "a".into())).unwrap();
    stage.clear();
    stage.say(1, &[is_suspect(0, (5, 2), 1)]);
    stage.settle_and_keep();
    for nth in [1, 2] {
        assert_eq!(stage.claims_to(nth), ["alive n 5.3"], "p{nth}");
    }
}

#[test]
fn of_two_at_one_address_the_one_that_lives_is_found() {
    let mut stage = Stage::with(3, |_| {});
    stage.fail(1, (1, 1), 3);
    let heir = Alive { addr: addr(1), ..alive(9, 1, 1) };
    stage.say(2, &[Message::Claim(Claim::Alive(heir))]);
    stage.fail(9, (1, 1), 3);
    stage.say(2, &[is_alive(1, 1, 2)]);
    assert_eq!(stage.node.member_at(addr(1)).unwrap().name, "p1");
}
