//! Exchanges of tables: when, with whom, what is merged, and how a large table leaves. memberlist
//! state.go: `pushPull`, `mergeState`.

use std::{collections::BTreeSet, time::Duration, vec, vec::Vec};

use bytes::Bytes;

use super::{
    puppet::nth_at,
    stage::Stage,
    words::{NODE, addr, alive, entry, has_left, is_alive, is_suspect},
};
use crate::{
    config::Options,
    error::SendError,
    event::EventKind,
    io::{StreamEvent, Timer},
    member::{LeaveReason, State},
    stamp::Stamp,
    wire::{Alive, Digest, Entry, ExchangeHead, Message, Ping},
};

const SECOND: Duration = Duration::from_secs(1);

fn head(entries: u32, state_len: u32) -> Message<'static> {
    Message::ExchangeHead(ExchangeHead { join: false, entries, state_len })
}

/// A puppet asks for an exchange and says this; returns the answer.
fn exchange(stage: &mut Stage, nth: usize, entries: &[Message<'_>]) -> Vec<Message<'static>> {
    let id = stage.accept(nth);
    let mut messages = vec![head(u32::try_from(entries.len()).unwrap(), 0)];
    messages.extend_from_slice(entries);
    stage.reply(id, &messages, true);
    let (messages, last) = stage.written(id);
    assert!(last && stage.ended(id) == Some(true));
    messages
}

fn entries(messages: &[Message<'static>]) -> Vec<(&'static str, State)> {
    let entries = messages.iter().filter_map(|message| match message {
        Message::Entry(entry) => Some((entry.alive.name.as_str(), entry.state)),
        _ => None,
    });
    entries.collect()
}

fn states(stage: &Stage) -> Vec<(Bytes, bool)> {
    let states = stage.events.iter().filter_map(|event| match event {
        EventKind::RemoteState { state, join, from } if *from == "p1" => {
            Some((state.clone(), *join))
        }
        _ => None,
    });
    states.collect()
}

// When and with whom.

fn exchanging(n: usize) -> Stage {
    Stage::with(n, |options| options.push_pull_interval = 30 * SECOND)
}

#[test]
fn memberlist_12_1_a_random_member_every_interval() {
    let mut stage = exchanging(5);
    let mut partners = BTreeSet::new();
    let mut last = None;
    for _ in 0..60 {
        stage.clear();
        stage.run_until(Timer::PushPull);
        let [(id, to)] = stage.dials()[..] else { panic!("one") };
        partners.insert(nth_at(to));
        stage.stream(id, StreamEvent::Failed);
        if let Some(last) = last.replace(stage.now) {
            assert_eq!(stage.now.saturating_since(last), 30 * SECOND);
        }
    }
    assert!(partners.into_iter().eq(1..=5));
}

#[test]
fn memberlist_12_1_large_clusters_exchange_less_often() {
    for (n, factor) in [(31, 1), (32, 2), (63, 2), (64, 3), (127, 3)] {
        let mut stage = exchanging(n);
        stage.run_until(Timer::PushPull);
        let first = stage.now;
        stage.run_until(Timer::PushPull);
        let waited = stage.now.saturating_since(first);
        assert_eq!(waited, 30 * SECOND * factor, "{} members", n + 1);
    }
}

#[test]
fn memberlist_12_1_alone_or_switched_off_there_are_none() {
    let mut stage = exchanging(0);
    stage.run(100 * SECOND);
    assert!(stage.dials().is_empty());
    let mut stage = Stage::with(3, |_| {});
    stage.run(1000 * SECOND);
    assert!(stage.dials().is_empty());
}

#[test]
fn memberlist_12_1_the_first_comes_within_an_interval() {
    let stage = exchanging(0);
    let (at, _) = stage.timer.unwrap();
    assert!(at <= stage.now + 30 * SECOND);
}

#[test]
fn the_dead_and_the_forgotten_are_tried_again_so_that_a_partition_heals() {
    let mut stage = Stage::with(1, |options| {
        options.reconnect_interval = 30 * SECOND;
        options.reap_after = 100 * SECOND;
        options.remember_for = 1000 * SECOND;
    });
    stage.fail(1, (1, 1), 1);
    for (span, state, dials) in [(90, Some(State::Dead), 3), (60, None, 2), (2000, None, 32)] {
        stage.clear();
        stage.run(span * SECOND);
        assert_eq!(stage.state(1), state);
        let to: Vec<_> = stage.dials().iter().map(|(_, to)| *to).collect();
        assert!(to.iter().all(|to| *to == addr(1)) && to.len().abs_diff(dials) <= 1, "{to:?}");
    }
}

/// With LAN settings: Serf forgets and seeks the failed for 24 hours.
#[test]
fn the_failed_are_forgotten_after_30_seconds_and_sought_for_24_hours() {
    let lan = Options::lan("n", addr(0));
    assert_eq!((lan.reap_after, lan.remember_for), (30 * SECOND, 24 * 3_600 * SECOND));
    let mut stage = Stage::with(1, |options| options.reconnect_interval = lan.reconnect_interval);
    stage.fail(1, (1, 1), 1);
    stage.run(30 * SECOND - Duration::from_nanos(1));
    assert_eq!(stage.state(1), Some(State::Dead));
    stage.run(Duration::from_nanos(1));
    assert_eq!(stage.state(1), None);
    stage.run(23 * 3_600 * SECOND);
    stage.clear();
    stage.run(3_600 * SECOND);
    assert!(stage.dials().iter().any(|(_, to)| *to == addr(1)));
    stage.run(SECOND); // Remembered since it was forgotten: a day and 30 seconds in all.
    stage.clear();
    stage.run(3_600 * SECOND);
    assert!(stage.dials().is_empty());
}

#[test]
fn each_of_the_dead_has_its_turn_to_be_tried_again() {
    let mut stage = Stage::with(8, |options| {
        options.reconnect_interval = 30 * SECOND;
        options.reap_after = 100_000 * SECOND;
    });
    (1..=8).for_each(|nth| stage.fail(nth, (1, 1), 8));
    stage.clear();
    stage.run(24 * 30 * SECOND);
    let to: Vec<_> = stage.dials().iter().map(|(_, to)| *to).collect();
    assert!(to.len() >= 23, "{to:?}");
    for round in to.chunks_exact(8) {
        assert!((1..=8).all(|nth| round.contains(&addr(nth))), "{round:?}");
    }
}

#[test]
fn who_left_is_not_tried_again() {
    let mut stage = Stage::with(1, |options| options.reconnect_interval = 30 * SECOND);
    stage.say(1, &[has_left(1, 1, 1)]);
    stage.run(1000 * SECOND);
    assert!(stage.dials().is_empty());
}

// What is merged.

#[test]
fn memberlist_12_2_both_sides_tell_all_they_know() {
    let mut stage = Stage::with(4, |_| {});
    stage.fail(3, (1, 1), 1);
    stage.say(1, &[is_suspect(2, (1, 1), 1), has_left(4, 1, 1)]);
    let told = exchange(&mut stage, 1, &[]);
    let expected = [
        ("n", State::Alive),
        ("p1", State::Alive),
        ("p2", State::Suspect),
        ("p3", State::Dead),
        ("p4", State::Left),
    ];
    assert_eq!(entries(&told), expected);
    assert_eq!(told[0], head(5, 0));
}

#[test]
fn an_answer_comes_after_the_question_was_applied() {
    let mut stage = Stage::new(|_| {});
    let told = exchange(&mut stage, 1, &[entry(alive(1, 1, 1), State::Alive)]);
    assert_eq!(entries(&told), [("n", State::Alive), ("p1", State::Alive)]);
}

#[test]
fn memberlist_12_3_what_a_table_says_of_members() {
    // What is said, what is then believed of a known and of an unknown member.
    let table = [
        (State::Alive, "alive 1.3", "alive 1.3"),
        (State::Suspect, "suspect 1.3", "suspect 1.3"),
        (State::Dead, "suspect 1.3", "unknown"),
        (State::Left, "left 1.3", "unknown"),
    ];
    for (said, known, unknown) in table {
        let mut stage = Stage::with(3, |_| {});
        exchange(&mut stage, 3, &[entry(alive(1, 1, 3), said), entry(alive(8, 1, 3), said)]);
        assert_eq!(
            (stage.belief(1).as_str(), stage.belief(8).as_str()),
            (known, unknown),
            "{said}"
        );
    }
}

#[test]
fn memberlist_12_3_a_table_never_kills() {
    let mut stage = Stage::with(3, |_| {});
    for nth in [2, 3] {
        exchange(&mut stage, nth, &[entry(alive(1, 1, 1), State::Dead)]);
        assert_eq!(stage.belief(1), "suspect 1.1");
    }
}

#[test]
fn s8_the_same_table_twice_is_the_same_table_once() {
    let said = [
        entry(alive(1, 1, 2), State::Alive),
        entry(alive(2, 1, 1), State::Suspect),
        entry(alive(3, 1, 1), State::Left),
        entry(alive(9, 4, 4), State::Alive),
    ];
    let mut stage = Stage::with(3, |_| {});
    exchange(&mut stage, 1, &said);
    let members: Vec<_> = stage.node.members().collect();
    exchange(&mut stage, 1, &said);
    assert_eq!(stage.node.members().collect::<Vec<_>>(), members);
    let mut other = Stage::with(3, |_| {});
    let reversed: Vec<_> = said.into_iter().rev().collect();
    exchange(&mut other, 1, &reversed);
    for nth in [1, 2, 3, 9] {
        assert_eq!(other.belief(nth), stage.belief(nth));
    }
}

#[test]
fn s1_a_stale_table_changes_nothing() {
    let mut stage = Stage::with(3, |_| {});
    stage.say(2, &[is_alive(1, 2, 5), has_left(3, 1, 1)]);
    stage.settle();
    let members: Vec<_> = stage.node.members().collect();
    let stale = [
        entry(alive(1, 2, 4), State::Dead),
        entry(alive(2, 0, 9), State::Left),
        entry(alive(3, 1, 1), State::Alive),
        entry(alive(NODE, 4, 9), State::Dead),
    ];
    exchange(&mut stage, 2, &stale);
    assert_eq!(stage.node.members().collect::<Vec<_>>(), members);
    assert_eq!(stage.node.stats().refutations, 0);
}

#[test]
fn hearsay_of_a_newer_incarnation_raises_the_stamp_and_keeps_the_profile() {
    let mut stage = Stage::with(2, |_| {});
    let said = Entry {
        alive: alive(1, 1, 1),
        state: State::Alive,
        stamp: Stamp::new(1, 6),
        reason: LeaveReason::Graceful,
    };
    exchange(&mut stage, 2, &[Message::Entry(said)]);
    assert_eq!(stage.belief(1), "alive 1.6");
    assert!(!stage.claims_to_any().iter().any(|claim| claim == "alive p1 1.6"), "only p1 may say");
    let told = exchange(&mut stage, 2, &[]);
    let passed = told.contains(&Message::Entry(said));
    assert!(passed, "passed on as it was heard");
}

#[test]
fn x9_hearsay_of_another_of_that_name_elsewhere_raises_no_stamp() {
    let mut stage = Stage::with(2, |_| {});
    let said = Entry {
        alive: Alive { addr: addr(66), ..alive(1, 1, 5) },
        state: State::Alive,
        stamp: Stamp::new(1, 6),
        reason: LeaveReason::Graceful,
    };
    exchange(&mut stage, 2, &[Message::Entry(said)]);
    assert_eq!(stage.belief(1), "alive 1.1", "what is said elsewhere proves nothing of this one");
    assert_eq!(stage.node.member("p1").map(|member| member.addr), Some(addr(1)));
}

#[test]
fn x7_an_implausible_entry_of_a_table_is_refused() {
    for state in [State::Alive, State::Suspect, State::Dead, State::Left] {
        let mut stage = Stage::with(2, |_| {});
        let said = Entry {
            alive: alive(1, 1, 1),
            state,
            stamp: Stamp::new(1 << 40, 1),
            reason: LeaveReason::Graceful,
        };
        exchange(&mut stage, 2, &[Message::Entry(said)]);
        assert_eq!(stage.belief(1), "alive 1.1", "{state}: p1 could never refute it");
    }
}

#[test]
fn what_a_node_learns_with_its_first_exchange_is_no_news_to_the_others() {
    let mut stage = Stage::new(|_| {});
    exchange(
        &mut stage,
        1,
        &[entry(alive(1, 1, 1), State::Alive), entry(alive(2, 1, 1), State::Alive)],
    );
    stage.settle_and_keep();
    assert!(!stage.claims_to_any().iter().any(|claim| claim.starts_with("alive p")));
    exchange(&mut stage, 1, &[entry(alive(3, 1, 1), State::Alive)]);
    stage.settle_and_keep();
    assert!(stage.claims_to_any().contains(&"alive p3 1.1".into()));
}

// The application's state.

#[test]
fn local_state_goes_both_ways() {
    let mut stage = Stage::with(1, |_| {});
    stage.node.set_local_state("ours".into()).unwrap();
    let id = stage.accept(1);
    let head = Message::ExchangeHead(ExchangeHead { join: true, entries: 0, state_len: 6 });
    stage.reply(id, &[head, Message::StatePiece(b"the"), Message::StatePiece(b"irs")], true);
    assert_eq!(states(&stage), [(Bytes::from("theirs"), true)]);
    let (messages, _) = stage.written(id);
    assert!(matches!(messages[0], Message::ExchangeHead(head) if head.state_len == 4 && head.join));
    assert_eq!(messages.last(), Some(&Message::StatePiece(b"ours")));

    stage.clear();
    stage.call(|node, now| node.join(now, &[addr(1)], SECOND)).unwrap();
    let (id, _) = stage.dials()[0];
    stage.stream(id, StreamEvent::Connected);
    let (messages, _) = stage.written(id);
    assert_eq!(messages.last(), Some(&Message::StatePiece(b"ours")));
    let head = Message::ExchangeHead(ExchangeHead { join: true, entries: 0, state_len: 6 });
    stage.reply(id, &[head, Message::StatePiece(b"theirs")], true);
    assert_eq!(states(&stage), [(Bytes::from("theirs"), true)]);
}

#[test]
fn memberlist_12_3_step_4_an_empty_state_is_not_told() {
    let mut stage = Stage::with(1, |_| {});
    exchange(&mut stage, 1, &[]);
    assert!(states(&stage).is_empty());
}

#[test]
fn local_state_has_a_limit() {
    let mut stage = Stage::with(1, |options| options.state_len_max = 10);
    let refused = stage.node.set_local_state("eleven byte".into());
    assert_eq!(refused, Err(SendError::TooLarge { len: 11, max: 10 }));
    stage.node.set_local_state("ten bytes.".into()).unwrap();
    assert_eq!(exchange(&mut stage, 1, &[]).last(), Some(&Message::StatePiece(b"ten bytes.")));
}

// Repair.

#[test]
fn a_settled_difference_is_repaired_with_whoever_shows_it() {
    let mut stage = Stage::with(3, |options| options.repair = true);
    let ping = |members, settled| {
        let digest = Digest { members, broadcasts: 0, settled };
        Message::Ping(Ping { nonce: 1, digest })
    };
    stage.say(2, &[ping(1, false)]);
    assert!(stage.dials().is_empty(), "its view is still changing");
    stage.sleep(SECOND);
    stage.say(9, &[ping(1, true)]);
    assert!(stage.dials().is_empty(), "a stranger");
    let same = stage.node.table.digest();
    stage.say(2, &[ping(same, true)]);
    assert!(stage.dials().is_empty(), "the same view");
    stage.say(2, &[ping(1, true)]);
    assert_eq!(stage.dials().len(), 1);
    assert_eq!(stage.dials()[0].1, addr(2));
    stage.say(2, &[ping(1, true)]);
    assert_eq!(stage.dials().len(), 1, "once for the same difference");
}
