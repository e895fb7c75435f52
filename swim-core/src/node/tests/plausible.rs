//! Lives and incarnations that no correct node can have: refused by everybody alike, so that
//! whatever is believed can be outbid. (X7)

use std::{format, time::Duration};

use super::{
    stage::Stage,
    words::{NODE, alive, has_left, is_alive, is_dead, is_suspect},
};
use crate::{
    event::EventKind,
    limits::{LIFE_AHEAD_MILLIS, LIFE_JUMP_MAX},
    reject::Reject,
    stamp::{INCARNATION_MAX, LIFE_MAX, Life, Stamp},
    wire::{Alive, Claim, Message},
};

const WALL: Duration = Duration::from_secs(1_700_000_000);
const NOW: u64 = 1_700_000_000_000;

/// A node that knows what time it is, and p1 and p2 in lives of today.
fn with_clock() -> Stage {
    let mut stage = Stage::new(|options| {
        options.unix_time = Some(WALL);
        options.life = Life(NOW - 5);
    });
    stage.say(1, &[is_alive(1, NOW, 1), is_alive(2, NOW, 1)]);
    stage.speaks_under(1, NOW, 1);
    stage.speaks_under(2, NOW, 1);
    stage.settle();
    stage
}

fn implausible(stage: &Stage) -> u64 {
    stage.node.stats().rejected_for(Reject::Implausible)
}

#[test]
fn x7_with_a_clock_no_life_may_begin_long_after_now() {
    let mut stage = with_clock();
    let edge = NOW
        + stage.now.saturating_since(crate::Instant::from_millis(1_000_000)).as_millis() as u64
        + LIFE_AHEAD_MILLIS;
    for (nth, claim) in [
        (1, is_alive(1, edge + 1, 1)),
        (1, is_suspect(1, (edge + 1, 1), 2)),
        (1, is_dead(1, (edge + 1, 1), 2)),
        (1, has_left(1, edge + 1, 1)),
        (9, is_alive(9, edge + 1, 1)),
    ] {
        let (before, refused) = (stage.belief(nth), implausible(&stage));
        stage.say(2, &[claim]);
        assert_eq!((stage.belief(nth), implausible(&stage)), (before, refused + 1), "{claim:?}");
    }
    assert!(stage.changes().is_empty() && stage.node.claims.is_empty());
    stage.say(2, &[is_alive(1, edge, 1), is_alive(9, edge, 1)]);
    assert_eq!(stage.belief(1), format!("alive {edge}.1"));
    assert_eq!(stage.belief(9), format!("alive {edge}.1"));
}

#[test]
fn x7_without_a_clock_no_life_may_jump_far() {
    let mut stage = Stage::with(3, |_| {});
    let edge = 1 + LIFE_JUMP_MAX;
    for claim in [
        is_alive(1, edge + 1, 1),
        is_suspect(1, (edge + 1, 1), 2),
        is_dead(1, (edge + 1, 1), 2),
        has_left(1, edge + 1, 1),
    ] {
        stage.say(2, &[claim]);
        assert_eq!(stage.belief(1), "alive 1.1", "{claim:?}");
    }
    assert_eq!(implausible(&stage), 4);
    stage.say(2, &[is_alive(1, edge, 1)]);
    assert_eq!(stage.belief(1), format!("alive {edge}.1"));
    stage.say(2, &[is_alive(9, LIFE_MAX, 1)]);
    assert_eq!(stage.belief(9), format!("alive {LIFE_MAX}.1"), "of newcomers nothing is known");
}

#[test]
fn x7_a_senders_own_stamp_must_be_plausible_too() {
    let mut stage = with_clock();
    stage.speaks_under(1, NOW + 10 * LIFE_AHEAD_MILLIS, 1);
    stage.say(1, &[Message::Direct(b"from the future")]);
    assert_eq!(stage.belief(1), format!("alive {NOW}.1"));
}

#[test]
fn x7_when_the_clock_is_set_the_bound_follows() {
    let mut stage = with_clock();
    let later = NOW + 1_000 * LIFE_AHEAD_MILLIS;
    stage.say(2, &[is_alive(1, later, 1)]);
    assert_eq!(stage.belief(1), format!("alive {NOW}.1"));
    stage.call(|node, now| node.set_unix_time(now, Duration::from_millis(later)));
    stage.wall = Some(u32::try_from(later / 1000).unwrap());
    stage.say(2, &[is_alive(1, later, 1)]);
    assert_eq!(stage.belief(1), format!("alive {later}.1"));
    stage.call(|node, now| node.set_unix_time(now, WALL));
    stage.wall = Some(u32::try_from(NOW / 1000).unwrap());
    stage.say(2, &[is_suspect(1, (later, 1), 2)]);
    assert_eq!(stage.belief(1), format!("suspect {later}.1"), "what is known stays plausible");
}

#[test]
fn x7_numbers_beyond_the_range_spoil_the_whole_packet() {
    let (life, incarnation) = (LIFE_MAX + 1, INCARNATION_MAX + 1);
    for (l, i) in [(life, 1), (1, incarnation), (u64::MAX, u64::MAX)] {
        let mut stage = Stage::with(2, |_| {});
        let before = stage.essence();
        for claim in
            [is_alive(9, l, i), is_suspect(1, (l, i), 2), is_dead(1, (l, i), 2), has_left(1, l, i)]
        {
            stage.say(2, &[is_dead(1, (1, 1), 2), claim]);
            assert_eq!(stage.essence(), before, "S9: {claim:?}");
        }
        assert_eq!(implausible(&stage), 4);
    }
}

/// The node is said to say of itself what it does not.
fn poison(life: u64, incarnation: u64) -> Message<'static> {
    let said = alive(NODE, life, incarnation);
    Message::Claim(Claim::Alive(Alive { meta: b"never said", ..said }))
}

#[test]
fn x7_whatever_is_said_of_us_is_ignored_or_outbid_by_what_others_accept() {
    for clock in [false, true] {
        let own = if clock { NOW - 5 } else { 5 };
        let ahead = if clock { LIFE_AHEAD_MILLIS } else { LIFE_JUMP_MAX };
        for life in [own, own + 1, own + ahead - 1, own + ahead, own + 2 * ahead, LIFE_MAX] {
            for incarnation in [0, 1, INCARNATION_MAX - 1, INCARNATION_MAX] {
                for kind in 0..4 {
                    if kind == 3 && life == own + ahead && incarnation == INCARNATION_MAX {
                        continue; // The very last that is believed can't be outbid.
                    }
                    let mut stage = if clock { with_clock() } else { Stage::with(2, |_| {}) };
                    let before = stage.node.stamp();
                    let accused = (life, incarnation);
                    stage.say(
                        1,
                        &[match kind {
                            0 => is_suspect(NODE, accused, 1),
                            1 => is_dead(NODE, accused, 1),
                            3 => poison(life, incarnation),
                            _ => has_left(NODE, life, incarnation),
                        }],
                    );
                    let own = stage.node.stamp();
                    assert!(own >= before && own.is_plausible());
                    if implausible(&stage) == 0 {
                        let left = kind == 2;
                        assert!(own > Stamp::new(life, incarnation) || !left && own == before);
                        assert!(kind != 3 || own > Stamp::new(life, incarnation));
                        assert!(!left || own.life.0 > life, "a goodbye takes a new life to outbid");
                    } else {
                        assert_eq!(own, before);
                    }
                    stage.check_accepted_by_a_peer();
                }
            }
        }
    }
}

#[test]
fn x7_at_the_top_of_the_incarnations_the_life_is_raised_and_told() {
    let mut stage = Stage::with(2, |_| {});
    stage.say(1, &[is_suspect(NODE, (5, INCARNATION_MAX), 1)]);
    assert_eq!(stage.belief(NODE), "alive 6.1");
    let raised = EventKind::LifeRaised { stamp: Stamp::new(6, 1) };
    assert!(stage.events.contains(&raised));
    assert_eq!(stage.claims_to(2), ["alive n 6.1"]);
}

#[test]
fn x7_an_update_at_the_top_of_the_incarnations_takes_a_new_life() {
    let mut stage = Stage::with(2, |options| options.unix_time = Some(WALL));
    stage.say(1, &[is_suspect(NODE, (5, INCARNATION_MAX - 1), 1)]);
    assert_eq!(stage.node.stamp(), Stamp::new(5, INCARNATION_MAX));
    let stamp = stage.call(|node, now| node.update_meta(now, "new".into()));
    assert_eq!(stamp, Ok(Stamp::new(6, 1)));
    assert_eq!(stage.node.local().meta.as_bytes(), b"new");
}

#[test]
fn x7_at_the_very_top_the_node_goes_on_speaking_and_nothing_wraps() {
    for own in [LIFE_MAX - 2, LIFE_MAX - 1] {
        let mut stage = Stage::new(|options| options.life = Life(own));
        stage.introduce(1);
        for step in 0..6 {
            let stamp = stage.node.stamp();
            stage.say(
                1,
                &[match step % 3 {
                    0 => has_left(NODE, stamp.life.0, stamp.incarnation.0),
                    1 => is_suspect(NODE, (stamp.life.0, INCARNATION_MAX), 1),
                    _ => is_dead(NODE, (LIFE_MAX, INCARNATION_MAX), 1),
                }],
            );
            assert!(stage.node.stamp().is_plausible(), "{}", stage.node.stamp());
            assert!(stage.node.stamp() >= stamp);
        }
        let refused = stage.node.stats().rejected_for(Reject::Implausible);
        stage.clear();
        stage.call(|node, now| node.send_best_effort(now, "p1", b"still here")).unwrap();
        assert_eq!(stage.sent.len(), 1, "after {refused} refusals");
    }
}

#[test]
fn x7_members_at_the_top_are_members_like_others() {
    let mut stage = Stage::with(2, |_| {});
    stage.say(2, &[is_alive(1, 1, INCARNATION_MAX)]);
    assert_eq!(stage.belief(1), format!("alive 1.{INCARNATION_MAX}"));
    stage.fail(1, (1, INCARNATION_MAX), 2);
    assert_eq!(stage.belief(1), format!("dead 1.{INCARNATION_MAX}"));
    stage.say(1, &[is_alive(1, 2, 1)]);
    assert_eq!(stage.belief(1), "alive 2.1", "it raised its life");
}

#[test]
fn s5_one_stamp_says_one_thing_whoever_speaks_it() {
    let mut stage = Stage::with(2, |_| {});
    let says = |meta: &'static [u8]| Message::Claim(Claim::Alive(Alive { meta, ..alive(1, 1, 2) }));
    stage.say(1, &[says(b"first")]);
    stage.say(2, &[says(b"second")]);
    assert_eq!(stage.node.member("p1").unwrap().meta.as_bytes(), b"first");
    assert_eq!(stage.changes(), ["p1 updated"]);
}
