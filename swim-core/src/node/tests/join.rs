//! Joining: every outcome a seed can have, and how a join as a whole ends. memberlist
//! memberlist.go: `Join`.

use std::{collections::BTreeSet, time::Duration, vec, vec::Vec};

use super::{
    puppet::nth_at,
    stage::Stage,
    words::{NODE, addr, alive, entry, name},
};
use crate::{
    error::JoinError,
    event::{EventKind, JoinId, SeedOutcome},
    io::{StreamEvent, StreamId},
    limits::{JOINS_MAX, SEEDS_MAX, SEEDS_PARALLEL},
    member::State,
    name::Name,
    reject::Reject,
    stamp::Stamp,
    wire::{ExchangeHead, Message, Refusal},
};

const SECOND: Duration = Duration::from_secs(1);

/// A node that joins through these seeds, at the moment it dialled.
fn joining(seeds: &[usize]) -> (Stage, JoinId) {
    let mut stage = Stage::new(|_| {});
    let seeds: Vec<_> = seeds.iter().map(|&nth| addr(nth)).collect();
    let join = stage.call(|node, now| node.join(now, &seeds, 20 * SECOND)).unwrap();
    (stage, join)
}

/// What the seed answers: itself and these others.
fn answer(nth: usize, others: &[usize]) -> Vec<Message<'static>> {
    let entries = 1 + u32::try_from(others.len()).unwrap();
    let head = Message::ExchangeHead(ExchangeHead { join: true, entries, state_len: 0 });
    let mut answer = vec![head, entry(alive(nth, 1, 1), State::Alive)];
    answer.extend(others.iter().map(|&nth| entry(alive(nth, 1, 1), State::Alive)));
    answer
}

fn first(stage: &Stage) -> StreamId {
    stage.dials()[0].0
}

fn finished(stage: &Stage) -> Vec<(JoinId, Vec<SeedOutcome>)> {
    let finished = stage.events.iter().filter_map(|event| match event {
        EventKind::JoinFinished { join, seeds } => {
            Some((*join, seeds.iter().map(|(_, outcome)| outcome.clone()).collect()))
        }
        _ => None,
    });
    finished.collect()
}

fn joined(nth: usize) -> SeedOutcome {
    SeedOutcome::Joined { name: Name::new(name(nth)).unwrap() }
}

#[test]
fn memberlist_13_a_join_exchanges_tables_with_the_seed() {
    let (mut stage, join) = joining(&[1]);
    let (id, to) = stage.dials()[0];
    assert_eq!(to, addr(1));
    stage.stream(id, StreamEvent::Connected);
    let (messages, last) = stage.written(id);
    assert!(last);
    let head = ExchangeHead { join: true, entries: 1, state_len: 0 };
    assert_eq!(messages[0], Message::ExchangeHead(head));
    assert!(matches!(messages[1], Message::Entry(own) if own.alive.name == "n"));
    stage.reply(id, &answer(1, &[2, 3]), true);
    assert_eq!(finished(&stage), [(join, vec![joined(1)])]);
    assert_eq!(stage.seed_outcomes(), [joined(1)]);
    assert_eq!(stage.changes(), ["p1 joined", "p2 joined", "p3 joined"]);
    assert_eq!(stage.ended(id), Some(true));
    assert_eq!(stage.node.stats().exchanges, 1);
    stage.settle_and_keep();
    for nth in [2, 3] {
        assert!(stage.claims_to(nth).contains(&"alive n 5.1".into()), "L7: p{nth} learns of us");
    }
    let own = |claim: &std::string::String| claim.starts_with("alive p");
    assert!(!stage.claims_to_any().iter().any(own), "they know each other already");
}

#[test]
fn q25_seeds_are_tried_together_and_counted_once() {
    let (mut stage, join) = joining(&[1, 2, 1, NODE, 2]);
    let to: Vec<_> = stage.dials().iter().map(|(_, to)| nth_at(*to)).collect();
    assert_eq!(to, [1, 2]);
    let [(one, _), (two, _)] = stage.dials()[..] else { panic!() };
    stage.stream(two, StreamEvent::Connected);
    stage.reply(two, &answer(2, &[]), true);
    stage.stream(one, StreamEvent::Connected);
    assert!(finished(&stage).is_empty());
    stage.reply(one, &answer(1, &[]), true);
    let outcomes = vec![joined(1), joined(2), SeedOutcome::Myself];
    assert_eq!(finished(&stage), [(join, outcomes)], "in the order given");
}

#[test]
fn q25_so_many_at_a_time() {
    let seeds: Vec<usize> = (1..=20).collect();
    let (mut stage, _) = joining(&seeds);
    assert_eq!(stage.dials().len(), SEEDS_PARALLEL);
    for done in 0..20 {
        let (id, _) = stage.dials()[done];
        stage.stream(id, StreamEvent::Failed);
        assert_eq!(stage.dials().len(), 20.min(SEEDS_PARALLEL + done + 1));
    }
    let dialed: BTreeSet<_> = stage.dials().iter().map(|(_, to)| nth_at(*to)).collect();
    assert!(dialed.into_iter().eq(seeds));
    assert_eq!(finished(&stage)[0].1, vec![SeedOutcome::Unreachable; 20]);
}

#[test]
fn memberlist_13_joining_oneself_is_told_as_such() {
    let (stage, join) = joining(&[NODE]);
    assert!(stage.dials().is_empty());
    assert_eq!(finished(&stage), [(join, vec![SeedOutcome::Myself])]);
    // At another address of ours, only the answer shows who it is.
    let (mut stage, join) = joining(&[1]);
    let id = first(&stage);
    stage.stream(id, StreamEvent::Connected);
    stage.named(1, "n");
    stage.speaks_under(1, 5, 1);
    stage.reply(id, &answer(NODE, &[]), true);
    assert_eq!(finished(&stage), [(join, vec![SeedOutcome::Myself])]);
    assert_eq!(stage.node.stats().conflicts, 0);
}

#[test]
fn a_seed_that_cannot_be_reached_is_told_as_such() {
    let (mut stage, join) = joining(&[1]);
    let id = first(&stage);
    stage.stream(id, StreamEvent::Failed);
    assert_eq!(finished(&stage), [(join, vec![SeedOutcome::Unreachable])]);
    assert!(stage.node.streams.is_empty());
}

#[test]
fn l7_a_seed_that_closes_without_an_answer_is_tried_again_and_given_up() {
    for how in [StreamEvent::Finished, StreamEvent::Failed] {
        let (mut stage, join) = joining(&[1]);
        let mut tries = 0;
        while finished(&stage).is_empty() {
            let open = stage.dials();
            if open.len() > tries {
                tries += 1;
                let (id, _) = open[tries - 1];
                stage.stream(id, StreamEvent::Connected);
                stage.stream(id, how);
            } else {
                stage.run_to_tick();
            }
        }
        assert!((2..10).contains(&tries), "{tries}");
        assert_eq!(finished(&stage), [(join, vec![SeedOutcome::Closed])]);
    }
}

#[test]
fn l7_a_seed_that_was_busy_at_first_is_joined() {
    let (mut stage, join) = joining(&[1]);
    let id = first(&stage);
    stage.stream(id, StreamEvent::Connected);
    stage.stream(id, StreamEvent::Failed);
    assert!(finished(&stage).is_empty());
    stage.clear();
    stage.run(SECOND);
    let id = first(&stage);
    stage.stream(id, StreamEvent::Connected);
    stage.reply(id, &answer(1, &[]), true);
    assert_eq!(finished(&stage), [(join, vec![joined(1)])]);
}

#[test]
fn an_answer_cut_off_is_no_success() {
    let (mut stage, _) = joining(&[1]);
    let id = first(&stage);
    stage.stream(id, StreamEvent::Connected);
    stage.reply(id, &answer(1, &[2]), false);
    assert_eq!(stage.state(2), Some(State::Alive), "a frame is applied when it has come");
    stage.stream(id, StreamEvent::Finished);
    assert!(stage.node.streams.is_empty());
    assert!(!stage.seed_outcomes().contains(&joined(1)));
}

#[test]
fn an_answer_that_cannot_be_accepted_is_told_as_such() {
    let head =
        |state_len| Message::ExchangeHead(ExchangeHead { join: true, entries: 1, state_len });
    let cases: [(&[Message<'_>], Reject); 6] = [
        (&[entry(alive(1, 1, 1), State::Alive)], Reject::Misplaced),
        (&[head(0), head(0)], Reject::Misplaced),
        (&[head(1), Message::StatePiece(b"two")], Reject::Misplaced),
        (&[head(2), Message::StatePiece(b"1")], Reject::Truncated),
        (&[head(u32::MAX)], Reject::Oversize),
        (&[], Reject::Truncated),
    ];
    for (messages, reject) in cases {
        let (mut stage, join) = joining(&[1]);
        let id = first(&stage);
        stage.stream(id, StreamEvent::Connected);
        stage.reply(id, messages, true);
        assert_eq!(finished(&stage), [(join, vec![SeedOutcome::Rejected(reject)])], "{messages:?}");
        assert!(stage.node.streams.is_empty());
        assert_eq!(stage.node.stats().exchanges, 0);
    }
    let (mut stage, join) = joining(&[1]);
    let id = first(&stage);
    stage.stream(id, StreamEvent::Connected);
    stage.stream(id, StreamEvent::Chunk(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    assert!(matches!(finished(&stage)[..], [(of, ref outcomes)]
        if of == join && matches!(outcomes[..], [SeedOutcome::Rejected(_)])));
    assert_eq!(stage.ended(id), Some(false));
}

#[test]
fn a_refusal_comes_with_its_reason() {
    let (mut stage, join) = joining(&[1]);
    let id = first(&stage);
    stage.stream(id, StreamEvent::Connected);
    stage.reply(id, &[Message::Refused(Refusal { text: "we are full" })], true);
    let reason = "we are full".into();
    assert_eq!(finished(&stage), [(join, vec![SeedOutcome::Refused { reason }])]);
    assert_eq!(stage.node.counts().total(), 1);
}

#[test]
fn l7_a_join_ends_by_its_deadline() {
    for connected in [false, true] {
        let mut stage = Stage::new(|options| options.stream_timeout = 60 * SECOND);
        let begun = stage.now;
        let join = stage.call(|node, now| node.join(now, &[addr(1), addr(2)], 3 * SECOND)).unwrap();
        let [(one, _), (two, _)] = stage.dials()[..] else { panic!() };
        stage.stream(two, StreamEvent::Connected);
        stage.reply(two, &answer(2, &[]), true);
        if connected {
            stage.stream(one, StreamEvent::Connected);
        }
        while finished(&stage).is_empty() {
            stage.run_to_tick();
        }
        assert_eq!(stage.now, begun + 3 * SECOND);
        assert_eq!(finished(&stage), [(join, vec![SeedOutcome::TimedOut, joined(2)])]);
        assert_eq!(stage.ended(one), Some(false));
        stage.reply(one, &answer(1, &[7]), true);
        assert_eq!(stage.state(7), None, "what comes later is not heard");
    }
}

#[test]
fn a_seed_that_stands_still_times_out_by_itself() {
    let (mut stage, join) = joining(&[1]);
    let begun = stage.now;
    while finished(&stage).is_empty() {
        stage.run_to_tick();
    }
    assert_eq!(stage.now, begun + 10 * SECOND);
    assert_eq!(finished(&stage), [(join, vec![SeedOutcome::TimedOut])]);
    assert_eq!(stage.node.stats().streams_failed, 1);
}

#[test]
fn a_cancelled_join_keeps_what_it_has() {
    let (mut stage, join) = joining(&[1, 2]);
    let [(one, _), (two, _)] = stage.dials()[..] else { panic!() };
    stage.stream(one, StreamEvent::Connected);
    stage.reply(one, &answer(1, &[]), true);
    stage.call(|node, now| node.cancel_join(now, join));
    assert_eq!(finished(&stage), [(join, vec![joined(1), SeedOutcome::Cancelled])]);
    assert_eq!((stage.ended(two), stage.state(1)), (Some(false), Some(State::Alive)));
    stage.call(|node, now| node.cancel_join(now, join));
    assert_eq!(finished(&stage).len(), 1, "once");
}

#[test]
fn two_joins_at_a_time_end_each_by_itself() {
    let (mut stage, one) = joining(&[1]);
    let two = stage.call(|node, now| node.join(now, &[addr(1)], SECOND)).unwrap();
    assert_ne!(one, two);
    let [(first, _), (second, _)] = stage.dials()[..] else { panic!() };
    stage.stream(first, StreamEvent::Connected);
    stage.reply(first, &answer(1, &[]), true);
    assert_eq!(finished(&stage), [(one, vec![joined(1)])]);
    stage.stream(second, StreamEvent::Failed);
    assert_eq!(finished(&stage)[1], (two, vec![SeedOutcome::Unreachable]));
}

#[test]
fn a_join_that_cannot_begin_says_why_and_changes_nothing() {
    let mut stage = Stage::with(1, |_| {});
    let join =
        |stage: &mut Stage, seeds: &[_]| stage.call(|node, now| node.join(now, seeds, 60 * SECOND));
    assert_eq!(join(&mut stage, &[]), Err(JoinError::NoSeeds));
    let many = vec![addr(2); SEEDS_MAX + 1];
    let error = JoinError::TooManySeeds { len: SEEDS_MAX + 1, max: SEEDS_MAX };
    assert_eq!(join(&mut stage, &many), Err(error));
    assert!(stage.dials().is_empty() && stage.events.is_empty());
    for _ in 0..JOINS_MAX {
        join(&mut stage, &[addr(2)]).unwrap();
    }
    assert_eq!(join(&mut stage, &[addr(2)]), Err(JoinError::TooManyJoins));
    stage.call(|node, now| node.leave(now, SECOND)).unwrap();
    assert_eq!(join(&mut stage, &[addr(2)]), Err(JoinError::Leaving));
    assert_eq!(finished(&stage).len(), JOINS_MAX, "leaving cancels them");
}

#[test]
fn l9_a_join_teaches_a_restarted_node_what_it_was() {
    let (mut stage, _) = joining(&[1]);
    let id = first(&stage);
    stage.stream(id, StreamEvent::Connected);
    let mut messages = answer(1, &[]);
    messages.push(entry(alive(NODE, 5, 7), State::Dead));
    stage.reply(id, &messages, true);
    assert!(stage.node.stamp() > Stamp::new(5, 7));
    assert_eq!(stage.state(NODE), Some(State::Alive));
    stage.settle_and_keep();
    assert!(stage.claims_to(1).contains(&std::format!("alive n {}", stage.node.stamp())));
}

#[test]
fn joining_where_we_are_already_is_harmless() {
    let mut stage = Stage::with(2, |_| {});
    stage.call(|node, now| node.join(now, &[addr(1)], SECOND)).unwrap();
    let id = first(&stage);
    stage.stream(id, StreamEvent::Connected);
    stage.reply(id, &answer(1, &[2]), true);
    assert!(stage.changes().is_empty());
    assert_eq!(stage.seed_outcomes(), [joined(1)]);
}

#[test]
fn l7_a_seed_that_knew_us_as_dead_is_told_what_we_are_before_the_join_succeeds() {
    let (mut stage, join) = joining(&[1]);
    let id = first(&stage);
    stage.stream(id, StreamEvent::Connected);
    let head = Message::ExchangeHead(ExchangeHead { join: true, entries: 2, state_len: 0 });
    let others = [entry(alive(1, 1, 1), State::Alive), entry(alive(NODE, 5, 1), State::Dead)];
    stage.reply(id, &[head, others[0], others[1]], true);
    assert_eq!(finished(&stage), [], "all that it has heard of us is outdated");
    let (again, to) = stage.dials()[1];
    assert_eq!(to, addr(1));
    stage.stream(again, StreamEvent::Connected);
    let (messages, _) = stage.written(again);
    assert!(matches!(messages[1], Message::Entry(own) if own.stamp == Stamp::new(5, 2)));
    stage.reply(again, &answer(1, &[]), true);
    assert_eq!(finished(&stage), [(join, vec![joined(1)])]);
}
