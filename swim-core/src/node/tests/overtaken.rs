//! Whoever has the key can use up the numbers that another seals with. That silences nobody: who
//! finds that what it says is taken for old goes on under other numbers. (X4)

use std::vec;

use super::{
    stage::Stage,
    words::{addr, alive, entry, is_suspect},
};
use crate::{
    io::StreamEvent,
    keyring::{Key, Keyring},
    member::State,
    reject::Reject,
    wire::{Ack, Digest, ExchangeHead, Lane, Message, Nack, Ping},
};

/// So far behind what somebody else has used up is all that a member says now.
const AHEAD: u32 = 9_000;

fn ping(nonce: u64) -> Message<'static> {
    Message::Ping(Ping { nonce, digest: Digest::default() })
}

fn stage() -> Stage {
    Stage::with(3, |options| options.keyring = Some(Keyring::new(Key::generate([3; 32]))))
}

/// A stage on which somebody speaks under the numbers that this member will come to.
fn used_up(nth: usize) -> Stage {
    let mut stage = stage();
    stage.counts_from(nth, Lane::Packets, AHEAD);
    stage.say(nth, &[ping(5)]);
    assert!(matches!(stage.told(nth).next(), Some(Message::Ack(Ack { nonce: 5, .. }))));
    stage.counts_from(nth, Lane::Packets, 100);
    stage.clear();
    stage
}

/// What seems old changes nothing, and only a question is answered, in no more bytes.
#[test]
fn x4_x6_whose_numbers_are_used_up_is_told_that_it_is_a_stranger() {
    let mut stage = used_up(1);
    for said in [vec![is_suspect(2, (1, 1), 1)], vec![Message::Nack(Nack { nonce: 4 })]] {
        stage.say(1, &said);
        assert!(stage.sent.is_empty() && stage.dials().is_empty());
    }
    let asked = stage.packet(1, &[ping(6), is_suspect(2, (1, 1), 1)]);
    stage.raw(addr(1), &asked);
    let [answer] = &stage.sent[..] else { panic!("one answer") };
    assert!(answer.data.len() <= asked.len());
    assert_eq!(answer.messages, [Message::Nack(Nack { nonce: 6 })]);
    assert_eq!(stage.state(2), Some(State::Alive));
    assert_eq!(stage.node.stats().rejected_for(Reject::Replayed), 3);
    // What was said twice lately is a recording, and not answered.
    stage.clear();
    let asked = stage.packet(2, &[ping(7)]);
    stage.raw(addr(2), &asked);
    stage.clear();
    stage.raw(addr(2), &asked);
    assert!(stage.sent.is_empty());
}

#[test]
fn x4_who_is_taken_for_old_goes_on_under_other_numbers() {
    let mut stage = stage();
    let (target, nonce) = stage.run_to_probe();
    let used_up = stage.session(Lane::Packets);
    stage.say(target, &[Message::Nack(Nack { nonce: !nonce })]);
    stage.say(target, &[ping(8)]);
    assert_eq!(stage.session(Lane::Packets), used_up, "nobody knows the number of the question");
    stage.say(target, &[Message::Nack(Nack { nonce })]);
    stage.say(target, &[ping(9)]);
    assert_ne!(stage.session(Lane::Packets), used_up);
}

/// Where both have lost their numbers, each refuses whatever the other says, but for this.
#[test]
fn x4_two_who_take_each_other_for_old_go_on_under_other_numbers() {
    let mut stage = used_up(1);
    let nonce = loop {
        let (target, nonce) = stage.run_to_probe();
        if target == 1 {
            break nonce;
        }
        stage.ack(target, nonce);
    };
    let used_up = stage.session(Lane::Packets);
    stage.say(1, &[Message::Nack(Nack { nonce })]);
    let stats = stage.node.stats();
    assert_eq!((stats.probes_failed, stats.rejected_for(Reject::Replayed)), (0, 0));
    stage.say(2, &[ping(9)]);
    assert_ne!(stage.session(Lane::Packets), used_up);
}

#[test]
fn x4_a_stream_that_is_taken_for_old_is_opened_again_under_other_numbers() {
    // As it is for who opens it.
    let mut stage = stage();
    let used_up = stage.session(Lane::Streams);
    stage.call(|node, now| node.send_reliable(now, "p1", "hello".into())).unwrap();
    let [(id, _)] = stage.dials()[..] else { panic!("one message, one stream") };
    stage.stream(id, StreamEvent::Connected);
    stage.clear();
    assert_eq!(stage.session(Lane::Streams), used_up);
    stage.reply(id, &[Message::Readdress], true);
    assert_eq!(stage.dials().len(), 1, "one stream more");
    assert_ne!(stage.session(Lane::Streams), used_up);

    // And for whom it is opened to.
    let mut is_asked_again = |from: u32| {
        stage.counts_from(2, Lane::Streams, from);
        let id = stage.accept(2);
        let head = ExchangeHead { join: false, entries: 1, state_len: 0 };
        let said = [Message::ExchangeHead(head), entry(alive(9, 1, 1), State::Alive)];
        let data = stage.frame_to(Some(stage.node.config.life), id, &said, true);
        stage.stream(id, StreamEvent::Chunk(&data));
        stage.written(id).0 == [Message::Readdress]
    };
    assert!(!is_asked_again(AHEAD));
    assert!(is_asked_again(100));
}
