//! A large table leaves as fast as its reader takes it, and costs no more memory than that.

use std::{collections::BTreeSet, time::Duration, vec, vec::Vec};

use super::{
    stage::{Stage, Step},
    words::{addr, is_alive, is_dead, is_suspect},
};
use crate::{
    event::SeedOutcome,
    io::{StreamEvent, StreamId},
    wire::{ExchangeHead, Message},
};

const SECOND: Duration = Duration::from_secs(1);

const HEAD: Message<'static> =
    Message::ExchangeHead(ExchangeHead { join: false, entries: 0, state_len: 0 });

fn crowded(n: usize) -> Stage {
    let mut stage = Stage::new(|_| {});
    stage.audited = false;
    let newcomers: Vec<usize> = (1..=n).collect();
    for chunk in newcomers.chunks(100) {
        let claims: Vec<_> = chunk.iter().map(|&nth| is_alive(nth, 1, 1)).collect();
        stage.say(1, &claims);
    }
    stage.node.set_local_state(vec![7; 200_000].into()).unwrap();
    stage.clear();
    stage
}

/// Takes frames from a stream as it says that there is room, and counts them.
fn drain(stage: &mut Stage, id: StreamId) -> usize {
    let count = |stage: &Stage| {
        let frames = stage.steps.iter();
        frames.filter(|step| matches!(step, Step::Frame { .. })).count()
    };
    assert_eq!(count(stage), 2, "so many before there is word of room");
    while !stage.written(id).1 {
        let before = count(stage);
        stage.stream(id, StreamEvent::Drained);
        assert_eq!(count(stage), before + 1, "one for each such word");
    }
    let frames = count(stage);
    stage.stream(id, StreamEvent::Drained);
    assert_eq!(count(stage), frames, "and none after the last");
    frames
}

#[test]
fn a_large_table_leaves_as_fast_as_it_is_taken() {
    let mut stage = crowded(5_000);
    let id = stage.accept(1);
    stage.reply(id, &[HEAD], true);
    let frames = drain(&mut stage, id);
    assert!((5..20).contains(&frames), "{frames}");
    let (messages, _) = stage.written(id);
    let names = messages.iter().filter_map(|message| match message {
        Message::Entry(entry) => Some(entry.alive.name),
        _ => None,
    });
    let names: BTreeSet<_> = names.collect();
    assert_eq!(names.len(), 5_001);
    let pieces = messages.iter().filter_map(|message| match message {
        Message::StatePiece(piece) => Some(piece.len()),
        _ => None,
    });
    assert_eq!(pieces.sum::<usize>(), 200_000);
    assert_eq!(stage.ended(id), Some(true));
}

#[test]
fn a_large_table_is_asked_about_as_fast_as_it_is_taken() {
    let mut stage = crowded(5_000);
    stage.call(|node, now| node.join(now, &[addr(1)], 60 * SECOND)).unwrap();
    let (id, _) = stage.dials()[0];
    stage.stream(id, StreamEvent::Connected);
    drain(&mut stage, id);
    assert_eq!(stage.ended(id), None, "the answer is still to come");
}

#[test]
fn l7_an_answer_before_the_question_went_out_whole_is_no_success() {
    let mut stage = crowded(5_000);
    stage.call(|node, now| node.join(now, &[addr(1)], 60 * SECOND)).unwrap();
    let (id, _) = stage.dials()[0];
    stage.stream(id, StreamEvent::Connected);
    stage.reply(id, &[HEAD], true);
    let joined = stage.seed_outcomes().iter().any(SeedOutcome::is_joined);
    assert!(!joined || stage.written(id).1, "the seed cannot know us yet");
}

#[test]
fn members_that_go_while_a_table_leaves_do_no_harm() {
    let mut stage = crowded(5_000);
    let id = stage.accept(1);
    stage.reply(id, &[HEAD], true);
    let doubts: Vec<_> = (2_000..2_050).map(|nth| is_suspect(nth, (1, 1), 1)).collect();
    stage.say(1, &doubts);
    stage.let_answer();
    let gone: Vec<_> = (2_000..2_050).map(|nth| is_dead(nth, (1, 1), 1)).collect();
    stage.say(1, &gone);
    for _ in 0..10 {
        stage.run(4 * SECOND);
        stage.stream(id, StreamEvent::Drained);
    }
    assert_eq!(stage.node.member("p2000"), None, "reaped meanwhile");
    assert!(stage.ended(id).is_some());
}
