//! Streams as such: how many there may be, how long they may take, and what they must not hold.
//! (X11)

use std::{time::Duration, vec, vec::Vec};

use bytes::Bytes;

use super::{
    stage::Stage,
    words::{addr, alive, entry, name},
};
use crate::{
    error::SendError,
    event::{DeliveryError, EventKind, SendId},
    io::{StreamEvent, StreamId},
    limits::STREAMS_DIALED_MAX,
    member::State,
    reject::Reject,
    wire::{Ack, DeliveryHead, Digest, Entry, ExchangeHead, Message, Ping, Refusal},
};

const SECOND: Duration = Duration::from_secs(1);

fn head(state_len: u32) -> Message<'static> {
    Message::ExchangeHead(ExchangeHead { join: false, entries: 0, state_len })
}

fn delivery(len: u32) -> Message<'static> {
    Message::DeliveryHead(DeliveryHead { len })
}

fn results(stage: &Stage) -> Vec<(SendId, Result<(), DeliveryError>)> {
    let results = stage.events.iter().filter_map(|event| match event {
        EventKind::SendFinished { send, result } => Some((*send, *result)),
        _ => None,
    });
    results.collect()
}

// How many.

#[test]
fn x11_so_many_streams_from_one_address_and_no_more() {
    let mut stage = Stage::with(1, |_| {});
    let ids: Vec<StreamId> = (0..5).map(|_| stage.accept(1)).collect();
    assert_eq!(stage.ended(ids[4]), Some(false));
    assert_eq!(stage.node.streams.len(), 4);
    let other = stage.accept(2);
    assert_eq!(stage.ended(other), None);
    assert_eq!((stage.node.stats().streams_accepted, stage.node.stats().streams_refused), (5, 1));
    stage.stream(ids[0], StreamEvent::Failed);
    let again = stage.accept(1);
    assert_eq!(stage.ended(again), None, "one has ended");
}

#[test]
fn x11_the_port_makes_no_other_address() {
    let mut stage = Stage::new(|_| {});
    for port in 1..=10 {
        stage.accept_from((addr(1).ip(), port).into(), 1);
    }
    assert_eq!(stage.node.streams.len(), 4);
}

#[test]
fn x11_many_nodes_of_one_machine_share_its_own_address() {
    let mut stage = Stage::new(|options| {
        options.addr = "127.0.0.1:7946".parse().unwrap();
        options.streams_max = 10;
    });
    for port in 1..=20 {
        stage.accept_from(([127, 0, 0, 1], port).into(), 1);
    }
    assert_eq!(stage.node.streams.len(), 10);
}

#[test]
fn x11_so_many_streams_in_all_and_no_more() {
    let mut stage = Stage::new(|options| options.streams_max = 20);
    let ids: Vec<StreamId> = (1..=30).map(|nth| said_hello(&mut stage, nth)).collect();
    assert_eq!(stage.node.streams.len(), 20);
    assert!(ids[..20].iter().all(|&id| stage.ended(id).is_none()));
    assert!(ids[20..].iter().all(|&id| stage.ended(id) == Some(false)));
    assert_eq!((stage.node.stats().streams_accepted, stage.node.stats().streams_refused), (20, 10));
}

/// A stream from this peer, on which it has begun to tell its table.
fn said_hello(stage: &mut Stage, peer: usize) -> StreamId {
    let id = stage.accept(peer);
    if stage.ended(id).is_none() {
        stage.reply(id, &[head(1)], false);
    }
    id
}

#[test]
fn x11_where_all_are_taken_the_oldest_on_which_nothing_was_said_makes_room() {
    let mut stage = Stage::new(|options| options.streams_max = 20);
    let heard: Vec<StreamId> = (1..=10).map(|nth| said_hello(&mut stage, nth)).collect();
    let mute: Vec<StreamId> = (11..=20).map(|nth| stage.accept(nth)).collect();
    stage.run(SECOND);
    // A whole frame is a word, a part of one is none.
    let part = stage.frame(mute[0], &[head(1)], false);
    stage.stream(mute[0], StreamEvent::Chunk(&part[..part.len() - 1]));
    for nth in 0..10 {
        let newcomer = said_hello(&mut stage, 21 + nth);
        assert_eq!(stage.ended(newcomer), None);
        assert_eq!(stage.ended(mute[nth]), Some(false), "the oldest");
        assert!(mute[nth + 1..].iter().all(|&id| stage.ended(id).is_none()));
    }
    assert!(heard.iter().all(|&id| stage.ended(id).is_none()));
    assert_eq!(stage.node.streams.len(), 20);
    let late = stage.accept(31);
    assert_eq!(stage.ended(late), Some(false), "all that are there have said something");
    let stats = stage.node.stats();
    let counted = (stats.streams_accepted, stats.streams_refused, stats.streams_given_up);
    assert_eq!(counted, (30, 1, 10));
}

/// Where more come within a round trip than have room, some of them get through.
#[test]
fn x11_where_all_are_young_it_is_by_lot() {
    let mut stage = Stage::new(|options| options.streams_max = 20);
    let ids: Vec<StreamId> = (1..=100).map(|nth| stage.accept(nth)).collect();
    let open = |ids: &[StreamId]| ids.iter().filter(|&&id| stage.ended(id).is_none()).count();
    assert_eq!((open(&ids), stage.node.streams.len()), (20, 20));
    assert!(open(&ids[..80]) > 0, "not only the last");
    assert!(stage.ended(ids[99]).is_none(), "the newcomer has its turn");
}

#[test]
fn x11_who_is_refused_for_himself_makes_nobody_leave() {
    let mut stage = Stage::new(|options| options.streams_max = 4);
    let ids: Vec<StreamId> = (0..5).map(|_| stage.accept(1)).collect();
    assert!(ids[..4].iter().all(|&id| stage.ended(id).is_none()));
    assert_eq!(stage.ended(ids[4]), Some(false), "one address has its four");
}

#[test]
fn m1_so_many_streams_are_dialled_and_no_more() {
    let mut stage = Stage::with(1, |_| {});
    stage.audited = false;
    for _ in 0..STREAMS_DIALED_MAX {
        stage.call(|node, now| node.send_reliable(now, "p1", Bytes::new())).unwrap();
    }
    let busy = stage.call(|node, now| node.send_reliable(now, "p1", Bytes::new()));
    assert_eq!(busy, Err(SendError::Busy));
    assert_eq!(stage.dials().len(), STREAMS_DIALED_MAX);
}

// How long.

#[test]
fn x11_a_stream_that_stands_still_is_given_up() {
    for part in [0, 3, 20] {
        let mut stage = Stage::with(1, |_| {});
        let id = stage.accept(1);
        let frame = stage.frame(id, &[head(100)], false);
        if part > 0 {
            stage.stream(id, StreamEvent::Chunk(&frame[..part]));
        }
        stage.run(10 * SECOND - Duration::from_nanos(1));
        assert_eq!(stage.ended(id), None);
        stage.run(Duration::from_nanos(1));
        assert_eq!(stage.ended(id), Some(false), "after {part} bytes");
        assert_eq!(stage.node.stats().streams_failed, 1);
    }
}

#[test]
fn x11_a_stream_that_trickles_ends_with_its_total_time() {
    let mut stage = Stage::with(1, |_| {});
    let id = stage.accept(1);
    let begun = stage.now;
    let frame = stage.frame(id, &[head(100)], false);
    for byte in frame.iter().take(frame.len() - 1) {
        stage.run(SECOND);
        if stage.ended(id).is_some() {
            break;
        }
        stage.stream(id, StreamEvent::Chunk(&[*byte]));
    }
    stage.run(30 * SECOND);
    assert_eq!(stage.ended(id), Some(false));
    let ended = begun + 30 * SECOND;
    assert!(stage.now >= ended && stage.node.streams.is_empty());
}

#[test]
fn a_stream_that_makes_progress_lives_on() {
    let mut stage = Stage::with(1, |_| {});
    let id = stage.accept(1);
    stage.run(9 * SECOND);
    stage.reply(id, &[head(10)], false);
    stage.run(9 * SECOND);
    stage.reply(id, &[Message::StatePiece(b"12345")], false);
    stage.run(9 * SECOND);
    stage.reply(id, &[Message::StatePiece(b"67890")], true);
    assert_eq!(stage.ended(id), Some(true));
    assert!(stage.written(id).1);
}

#[test]
fn a_half_open_stream_fails_what_it_was_for() {
    let mut stage = Stage::with(1, |_| {});
    let send = stage.call(|node, now| node.send_reliable(now, "p1", "x".into())).unwrap();
    let begun = stage.now;
    while results(&stage).is_empty() {
        stage.run_to_tick();
    }
    assert_eq!(stage.now, begun + 10 * SECOND);
    assert_eq!(results(&stage), [(send, Err(DeliveryError::Unreachable))]);
    assert!(stage.node.streams.is_empty());
}

#[test]
fn p1_what_is_still_reported_of_an_ended_stream_changes_nothing() {
    let mut stage = Stage::with(1, |_| {});
    let id = stage.accept(1);
    let late = stage.frame(id, &[head(0), entry(alive(9, 1, 1), State::Alive)], true);
    stage.stream(id, StreamEvent::Failed);
    let before = stage.essence();
    stage.clear();
    for event in [
        StreamEvent::Chunk(&late),
        StreamEvent::Drained,
        StreamEvent::Connected,
        StreamEvent::Finished,
        StreamEvent::Failed,
    ] {
        stage.stream(id, event);
        stage.stream(StreamId::accepted(999), event);
    }
    assert_eq!(stage.essence(), before);
    assert!(stage.steps.is_empty() && stage.events.is_empty());
}

// What they must not hold.

#[test]
fn s9_a_stream_that_says_what_does_not_belong_is_cut_off() {
    let entry = entry(alive(9, 1, 1), State::Alive);
    let cases: [(&[Message<'_>], Reject); 14] = [
        (&[], Reject::Misplaced),
        (&[entry], Reject::Misplaced),
        (&[Message::StatePiece(b"x")], Reject::Misplaced),
        (&[Message::DeliveryPiece(b"x")], Reject::Misplaced),
        (&[Message::Delivered], Reject::Misplaced),
        (&[Message::Refused(Refusal { text: "no" })], Reject::Misplaced),
        (
            &[Message::Ack(Ack { nonce: 1, digest: Digest::default(), payload: b"" })],
            Reject::Misplaced,
        ),
        (&[head(0), head(0)], Reject::Misplaced),
        (&[head(0), delivery(0)], Reject::Misplaced),
        (&[delivery(1), head(0)], Reject::Misplaced),
        (&[head(3), Message::StatePiece(b"four")], Reject::Misplaced),
        (&[delivery(3), Message::DeliveryPiece(b"four")], Reject::Misplaced),
        (&[head(3), Message::StatePiece(b"12")], Reject::Truncated),
        (&[delivery(3), Message::DeliveryPiece(b"12")], Reject::Truncated),
    ];
    for (messages, reject) in cases {
        let mut stage = Stage::with(1, |_| {});
        let before = stage.node.stats().rejected();
        let id = stage.accept(1);
        stage.reply(id, messages, true);
        assert_eq!(stage.ended(id), Some(false), "{messages:?}");
        assert_eq!(stage.node.stats().rejected_for(reject), 1, "{messages:?}");
        assert_eq!(stage.node.stats().rejected(), before + 1);
        assert!(stage.written(id).0.is_empty() && stage.payloads().is_empty());
        assert_eq!(stage.node.stats().exchanges, 0);
    }
}

#[test]
fn s9_each_kind_of_request_holds_its_own_messages_only() {
    let claims_dead = Entry {
        state: State::Dead,
        ..match entry(alive(1, 1, 1), State::Alive) {
            Message::Entry(entry) => entry,
            _ => unreachable!(),
        }
    };
    let cases: [&[Message<'_>]; 4] = [
        &[delivery(1), Message::Entry(claims_dead), Message::DeliveryPiece(b"x")],
        &[delivery(1), Message::StatePiece(b"x")],
        &[head(1), Message::DeliveryPiece(b"x")],
        &[head(0), Message::Delivered],
    ];
    for messages in cases {
        let mut stage = Stage::with(2, |_| {});
        let id = stage.accept(2);
        stage.reply(id, messages, true);
        assert_eq!(stage.ended(id), Some(false), "{messages:?}");
        assert_eq!(stage.belief(1), "alive 1.1", "{messages:?}");
        assert!(stage.payloads().is_empty(), "{messages:?}");
    }
}

#[test]
fn x11_promises_beyond_the_limit_are_refused_before_a_byte_of_it_came() {
    let mut stage = Stage::with(1, |options| {
        options.state_len_max = 1000;
        options.message_len_max = 500;
    });
    for (messages, refused) in [
        ([head(1000)], false),
        ([head(1001)], true),
        ([head(u32::MAX)], true),
        ([delivery(500)], false),
        ([delivery(501)], true),
        ([delivery(u32::MAX)], true),
    ] {
        let id = stage.accept(1);
        stage.reply(id, &messages, false);
        assert_eq!(stage.ended(id), refused.then_some(false), "{messages:?}");
        stage.stream(id, StreamEvent::Failed);
    }
    assert_eq!(stage.node.stats().rejected_for(Reject::Oversize), 4);
}

#[test]
fn noise_is_refused_at_the_first_bytes() {
    let mut stage = Stage::with(1, |_| {});
    let id = stage.accept(1);
    stage.stream(id, StreamEvent::Chunk(b"GET / HTTP/1.1\r\n"));
    assert_eq!(stage.ended(id), Some(false));
    assert_eq!(stage.node.stats().rejected(), 1);
}

#[test]
fn a_stream_closed_without_a_byte_is_dropped_in_silence() {
    let mut stage = Stage::with(1, |_| {});
    let id = stage.accept(1);
    stage.stream(id, StreamEvent::Finished);
    assert!(stage.node.streams.is_empty() && stage.events.is_empty());
    assert_eq!(stage.node.stats().rejected(), 0);
}

// Pings and deliveries.

#[test]
fn memberlist_4_3_a_ping_on_a_stream_is_answered() {
    let mut stage = Stage::with(1, |_| {});
    let id = stage.accept(1);
    stage.reply(id, &[Message::Ping(Ping { nonce: 9, digest: Digest::default() })], true);
    let (messages, last) = stage.written(id);
    assert!(matches!(messages[..], [Message::Ack(Ack { nonce: 9, .. })]) && last);
    assert_eq!(stage.ended(id), Some(true));
}

#[test]
fn a_delivery_is_handed_over_whole_and_confirmed() {
    let mut stage = Stage::with(1, |_| {});
    let id = stage.accept(1);
    stage.reply(id, &[delivery(11), Message::DeliveryPiece(b"hello")], false);
    assert!(stage.payloads().is_empty());
    stage.reply(id, &[Message::DeliveryPiece(b" world")], true);
    assert_eq!(stage.payloads(), ["hello world"]);
    assert!(stage.events.iter().any(|e| matches!(e, EventKind::Message { reliable: true, .. })));
    assert!(
        matches!(stage.written(id), (ref messages, true) if messages[..] == [Message::Delivered])
    );
}

#[test]
fn a_delivery_of_ours_ends_with_the_receivers_word() {
    type End = fn(&mut Stage, StreamId);
    let cases: [(End, Result<(), DeliveryError>); 6] = [
        (|stage, id| stage.reply(id, &[Message::Delivered], true), Ok(())),
        (
            |stage, id| stage.reply(id, &[Message::Refused(Refusal { text: "no" })], true),
            Err(DeliveryError::Refused),
        ),
        (|stage, id| stage.stream(id, StreamEvent::Finished), Err(DeliveryError::Unconfirmed)),
        (|stage, id| stage.stream(id, StreamEvent::Failed), Err(DeliveryError::Unconfirmed)),
        (|stage, _| stage.run(10 * SECOND), Err(DeliveryError::Unconfirmed)),
        (|stage, id| stage.reply(id, &[], true), Err(DeliveryError::Unconfirmed)),
    ];
    for (nth, (end, result)) in cases.into_iter().enumerate() {
        let mut stage = Stage::with(1, |_| {});
        let send = stage.call(|node, now| node.send_reliable(now, "p1", "x".into())).unwrap();
        let (id, to) = stage.dials()[0];
        assert_eq!(to, addr(1));
        stage.stream(id, StreamEvent::Connected);
        end(&mut stage, id);
        assert_eq!(results(&stage), [(send, result)], "case {nth}");
        assert!(stage.node.streams.is_empty());
    }
}

#[test]
fn a_delivery_is_confirmed_by_the_member_it_is_for_and_nobody_else() {
    let mut stage = Stage::with(2, |_| {});
    let send = stage.call(|node, now| node.send_reliable(now, "p1", "secret".into())).unwrap();
    let (id, _) = stage.dials()[0];
    stage.stream(id, StreamEvent::Connected);
    stage.handled_by(id, 2);
    stage.reply(id, &[Message::Delivered], true);
    assert_eq!(results(&stage).len(), 1);
    assert!(results(&stage)[0].1.is_err(), "{} says so, but {send:?} was for p1", name(2));
}

#[test]
fn a_long_delivery_leaves_in_pieces_as_fast_as_it_is_taken() {
    let mut stage = Stage::with(1, |_| {});
    let payload: Vec<u8> = (0..300_000_u32).map(|i| ((i * 7919) >> 3) as u8).collect();
    stage.call(|node, now| node.send_reliable(now, "p1", payload.clone().into())).unwrap();
    let (id, _) = stage.dials()[0];
    stage.stream(id, StreamEvent::Connected);
    let mut frames = 2;
    assert_eq!(stage.steps.len(), 1 + frames);
    while !stage.written(id).1 {
        stage.stream(id, StreamEvent::Drained);
        frames += 1;
        assert_eq!(stage.steps.len(), 1 + frames, "one for each word that there is room");
    }
    let pieces = stage.written(id).0.into_iter().filter_map(|message| match message {
        Message::DeliveryPiece(piece) => Some(piece),
        _ => None,
    });
    assert_eq!(pieces.collect::<Vec<_>>().concat(), payload);
    stage.reply(id, &[Message::Delivered], true);
    assert_eq!(results(&stage)[0].1, Ok(()));
}

#[test]
fn a_delivery_longer_than_allowed_is_not_begun() {
    let mut stage = Stage::with(1, |options| options.message_len_max = 100);
    let refused = stage.call(|node, now| node.send_reliable(now, "p1", vec![0; 101].into()));
    assert_eq!(refused, Err(SendError::TooLarge { len: 101, max: 100 }));
    assert!(stage.dials().is_empty());
    assert!(stage.call(|node, now| node.send_reliable(now, "p1", vec![0; 100].into())).is_ok());
}
