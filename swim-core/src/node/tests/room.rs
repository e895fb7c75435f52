//! Who has to go where streams hold as much as they may, and that they never hold more. (M1, X11)

use std::{vec, vec::Vec};

use super::{
    memberlist::Old,
    stage::Stage,
    words::{NODE, addr, name},
};
use crate::{
    event::Event,
    io::{Input, Output, StreamEvent, StreamId},
    keyring::{Key, Keyring},
    reject::Reject,
    stream::Stream,
    wire::{DeliveryHead, ExchangeHead, Message, Wire},
};

const LONGEST: usize = 160_000;
const PIECE: &[u8] = &[7; 16_000];
/// The most that may be called little where two of the longest have room.
const LITTLE: usize = 20_000;

fn stage() -> Stage {
    Stage::with(5, |options| {
        options.state_len_max = LONGEST;
        options.message_len_max = LONGEST;
    })
}

/// A peer begins to send a state of the longest length.
fn begins(stage: &mut Stage, peer: usize) -> StreamId {
    let id = stage.accept(peer);
    let state_len = LONGEST as u32;
    let head = Message::ExchangeHead(ExchangeHead { join: false, entries: 0, state_len });
    stage.reply(id, &[head], false);
    id
}

fn stalls(stage: &mut Stage, peer: usize) -> StreamId {
    let id = begins(stage, peer);
    for _ in 1..LONGEST / PIECE.len() {
        stage.reply(id, &[Message::StatePiece(PIECE)], false);
    }
    stage.reply(id, &[Message::StatePiece(&PIECE[1..])], false);
    id
}

fn counted(stage: &Stage) -> (u64, u64) {
    (stage.node.stats().streams_given_up, stage.node.stats().rejected_for(Reject::NoRoom))
}

fn held(streams: &mut dyn Iterator<Item = &Stream>) -> usize {
    streams.map(Stream::held).sum()
}

#[test]
fn x11_who_sends_the_largest_states_keeps_no_little_one_out() {
    let mut stage = stage();
    let large = [1, 2].map(|peer| stalls(&mut stage, peer));
    let failed = stage.node.stats().exchanges_failed;
    for (nth, message) in [(3, true), (4, false)] {
        let id = stage.accept(nth);
        let len = LITTLE as u32;
        let (head, piece): (_, fn(&'static [u8]) -> Message<'static>) = if message {
            (Message::DeliveryHead(DeliveryHead { len }), |piece| Message::DeliveryPiece(piece))
        } else {
            let head = ExchangeHead { join: true, entries: 0, state_len: len };
            (Message::ExchangeHead(head), |piece| Message::StatePiece(piece))
        };
        let rest = &PIECE[..LITTLE - PIECE.len()];
        stage.reply(id, &[head, piece(PIECE), piece(rest)], true);
        assert_eq!(stage.ended(id), Some(true), "it was answered");
    }
    assert_eq!(counted(&stage), (1, 0), "one leaves room for many");
    assert_eq!(large.map(|id| stage.ended(id)), [Some(false), None], "the older one");
    assert_eq!(stage.node.stats().exchanges_failed, failed + 1);
}

/// Otherwise many of them at once would end each other, and none would come as a whole.
#[test]
fn x11_large_states_make_no_room_for_each_other() {
    let mut stage = stage();
    let ids = [1, 2, 3].map(|peer| begins(&mut stage, peer));
    for nth in 1..=LONGEST / PIECE.len() {
        for id in ids {
            if stage.ended(id).is_none() {
                let is_last = nth == LONGEST / PIECE.len();
                stage.reply(id, &[Message::StatePiece(PIECE)], is_last);
            }
        }
    }
    assert_eq!(ids.map(|id| stage.ended(id)), [Some(true), Some(true), Some(false)]);
    assert_eq!(counted(&stage), (0, 1), "whoever came last to where there is no room");
}

/// One place of three is for what the node asked for, and that is given up for nobody.
#[test]
fn m1_streams_never_hold_more_than_they_may() {
    let mut stage = stage();
    let asked = stage.call(|node, now| node.join(now, &[addr(5)], core::time::Duration::MAX));
    asked.unwrap();
    let (asked, _) = stage.dials()[0];
    stage.stream(asked, StreamEvent::Connected);
    let head = ExchangeHead { join: true, entries: 0, state_len: LONGEST as u32 };
    stage.reply(asked, &[Message::ExchangeHead(head)], false);
    for nth in 0..2 * LONGEST / PIECE.len() {
        if nth < LONGEST / PIECE.len() {
            stage.reply(asked, &[Message::StatePiece(PIECE)], false);
        }
        stalls(&mut stage, 1 + nth % 4);
        let all = held(&mut stage.node.streams.values());
        assert!(all <= 3 * LONGEST, "{all}");
    }
    assert_eq!(stage.ended(asked), None);
    assert!(counted(&stage).0 > 0);
}

/// A node that needs a key, and who has none.
fn keyed() -> Old {
    Old::new(|options| options.keyring = Some(Keyring::new(Key::generate([1; 32]))))
}

/// Somebody announces an envelope of 20 MiB and sends so much of it.
fn sends(old: &mut Old, from: usize, len: usize) -> StreamId {
    let id = StreamId::accepted(from as u64);
    old.handle(Input::Stream { id, event: StreamEvent::Accepted { from: addr(from) } });
    let envelope = [&b"\x0a\x01\x40\0\0"[..], &vec![7; len - 5]].concat();
    old.handle(Input::Stream { id, event: StreamEvent::Chunk(&envelope) });
    id
}

fn aborted(old: &Old) -> Vec<StreamId> {
    let aborted = old.outputs.iter().filter_map(|output: &Output<Event>| match output {
        Output::Abort { id } => Some(*id),
        _ => None,
    });
    aborted.collect()
}

const MIB: usize = 1 << 20;

#[test]
fn x11_who_has_no_key_keeps_no_table_out_by_long_messages() {
    let mut old = keyed();
    let room = Wire::room(&old.node.config);
    let lens = [20 * MIB, 20 * MIB, room.all - room.longest - 40 * MIB];
    let ids = [2, 3, 4].map(|from| sends(&mut old, from, lens[from - 2]));
    assert_eq!(held(&mut old.node.streams.values()), room.all - room.longest, "all is full");
    old.outputs.clear();
    for nth in 10..20 {
        assert_eq!(old.table(nth), [name(NODE)]);
    }
    let stats = old.node.stats();
    assert_eq!((stats.streams_given_up, stats.rejected_for(Reject::NoRoom)), (1, 0));
    let is_open = |id| old.node.streams.contains_key(&id);
    assert_eq!(ids.map(is_open), [false, true, true], "the oldest of the longest");
}

#[test]
fn x11_who_would_hold_the_most_makes_nobody_leave() {
    let mut old = keyed();
    (2..6).for_each(|from| {
        sends(&mut old, from, 11 * MIB - 100_000);
    });
    assert_eq!(aborted(&old), []);
    let longest = sends(&mut old, 7, 11 * MIB);
    assert_eq!(aborted(&old), [longest]);
    let stats = old.node.stats();
    assert_eq!((stats.streams_given_up, stats.rejected_for(Reject::NoRoom)), (0, 1));
    sends(&mut old, 8, 10 * MIB);
    assert_eq!(aborted(&old), [longest, StreamId::accepted(2)]);
}

/// M1: what comes in memberlist's dialect is there as a whole before any of it is handed on.
#[test]
fn m1_all_streams_together_hold_only_so_much() {
    let mut old = keyed();
    let room = Wire::room(&old.node.config);
    for from in 2..30 {
        sends(&mut old, from, (1 + from * 7 % 20) * MIB);
        let all = held(&mut old.node.streams.values());
        assert!(all <= room.all - room.longest, "{all}");
    }
    // Of one address no more than the longest, and that makes nobody else leave.
    let (given_up, open) = (old.node.stats().streams_given_up, old.node.streams.len());
    sends(&mut old, 40, MIB);
    let id = StreamId::accepted(41);
    let from = addr(40);
    old.handle(Input::Stream { id, event: StreamEvent::Accepted { from } });
    let rest = vec![10; 20 * MIB];
    old.handle(Input::Stream { id, event: StreamEvent::Chunk(&rest) });
    assert!(!old.node.streams.contains_key(&id));
    assert!(
        old.node.streams.len() <= open + 1 && old.node.stats().streams_given_up <= given_up + 1
    );
}
