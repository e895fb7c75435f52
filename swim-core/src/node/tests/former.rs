//! What is for a node as it was before it started anew: recordings, and what is said by those who
//! have not heard of its new life. (X4)

use std::{format, string::String, time::Duration, vec, vec::Vec};

use super::{
    stage::{Stage, Step},
    words::{NODE, addr, alive, entry, is_alive, is_dead, is_suspect, name},
};
use crate::{
    event::{DeliveryError, EventKind, SeedOutcome},
    io::{StreamEvent, StreamId},
    keyring::{Key, Keyring},
    member::State,
    name::{Name, named},
    reject::Reject,
    stamp::{Life, Stamp},
    wire::{Ack, Broadcast, Digest, ExchangeHead, Message, Nack, Ping},
};

const SECOND: Duration = Duration::from_secs(1);
/// The life before that in which the node of a stage starts.
const FORMER: Life = Life(4);

fn ping() -> Message<'static> {
    Message::Ping(Ping { nonce: 77, digest: Digest::default() })
}

fn head() -> Message<'static> {
    Message::ExchangeHead(ExchangeHead { join: false, entries: 1, state_len: 0 })
}

/// All that the node believes.
fn beliefs(stage: &Stage) -> Vec<String> {
    stage.node.members().map(|member| format!("{member:?}")).collect()
}

#[test]
fn x4_what_was_said_to_a_former_life_changes_nothing() {
    for keyring in [None, Some(Keyring::new(Key::generate([3; 32])))] {
        let mut stage = Stage::with(3, |options| options.keyring = keyring);
        let broadcast = Broadcast {
            origin: named(name(1)),
            life: 1,
            id: 1,
            age_millis: 0,
            payload: b"told before",
        };
        let said = [
            is_alive(9, 1, 1),
            is_alive(2, 7, 7),
            is_suspect(2, (1, 1), 1),
            is_dead(2, (1, 1), 1),
            is_suspect(NODE, (5, 1), 1),
            Message::Broadcast(broadcast),
            Message::Direct(b"hello"),
            Message::Ack(Ack { nonce: 1, digest: Digest::default(), payload: b"" }),
        ];
        stage.speaks_under(1, 3, 3);
        let (before, stamp) = (beliefs(&stage), stage.node.stamp());
        for (message, count) in said.iter().zip(1..) {
            let data = stage.packet_to(FORMER, 1, &[*message]);
            stage.raw(addr(1), &data);
            assert_eq!(stage.node.stats().rejected_for(Reject::FormerLife), count);
        }
        let is_a_count = |event: &EventKind| matches!(event, EventKind::Rejected { .. });
        assert!(stage.sent.is_empty() && stage.events.iter().all(is_a_count));
        assert!(stage.steps.is_empty());
        assert!(stage.node.claims.is_empty());
        assert_eq!((beliefs(&stage), stage.node.stamp()), (before, stamp));
    }
}

#[test]
fn x4_what_was_said_before_a_leave_changes_nothing_after_it() {
    let mut stage = Stage::with(2, |_| {});
    let recorded = stage.packet(1, &[is_alive(9, 1, 1)]);
    stage.call(|node, now| node.leave(now, Duration::ZERO)).unwrap();
    stage.run(SECOND);
    stage.call(|node, now| node.join(now, &[addr(2)], SECOND)).unwrap();
    stage.raw(addr(1), &recorded);
    assert_eq!(stage.node.stats().rejected_for(Reject::FormerLife), 1);
    assert_eq!(stage.state(9), None);
    let life = stage.node.stamp().life;
    let anew = stage.packet_to(life, 1, &[is_alive(9, 1, 1)]);
    stage.raw(addr(1), &anew);
    assert_eq!(stage.node.stats().rejected_for(Reject::FormerLife), 1);
    assert_eq!(stage.state(9), Some(State::Alive));
}

#[test]
fn x4_x6_a_ping_to_a_former_life_is_answered_in_fewer_bytes() {
    for keyring in [None, Some(Keyring::new(Key::generate([3; 32])))] {
        // Names of up to 13 bytes more than the asker's have room for the answer.
        for (name_len, is_answered) in [(1, true), (2, true), (15, true), (16, false), (128, false)]
        {
            let mut stage = Stage::with(2, |options| {
                options.name = "n".repeat(name_len);
                options.keyring = keyring.clone();
            });
            let before = beliefs(&stage);
            for nth in [1, 9] {
                stage.sent.clear();
                let asked = stage.packet_to(FORMER, nth, &[ping()]);
                stage.raw(addr(nth), &asked);
                assert_eq!(!stage.sent.is_empty(), is_answered, "{name_len}");
                let Some(answer) = stage.sent.first() else { continue };
                assert_eq!((answer.to, answer.sender), (addr(nth), stage.node.stamp()));
                assert!(stage.sent.len() == 1 && answer.data.len() <= asked.len());
                assert!(matches!(answer.messages[..], [Message::Nack(nack)] if nack.nonce == 77));
            }
            assert_eq!(beliefs(&stage), before);
        }
    }
}

#[test]
fn x4_an_exchange_with_a_former_life_has_to_be_asked_for_again() {
    let mut stage = Stage::with(2, |_| {});
    let before = beliefs(&stage);
    let id = stage.accept(1);
    let news = entry(alive(9, 1, 1), State::Alive);
    let data = stage.frame_to(Some(FORMER), id, &[head(), news], true);
    stage.stream(id, StreamEvent::Chunk(&data));
    assert_eq!(stage.written(id), (vec![Message::Readdress], true));
    assert_eq!(stage.ended(id), Some(true));
    assert_eq!(beliefs(&stage), before);
    assert_eq!(stage.node.stats().streams_readdressed, 1);
    let id = stage.accept(1);
    let data = stage.frame_to(Some(stage.node.config.life), id, &[head(), news], true);
    stage.stream(id, StreamEvent::Chunk(&data));
    assert_eq!(stage.state(9), Some(State::Alive));
}

/// A joiner does not know whom it asks. Where there is a key, it is told, and asks again.
#[test]
fn x4_what_is_for_anybody_has_to_be_asked_again_where_there_is_a_key() {
    for keyring in [None, Some(Keyring::new(Key::generate([3; 32])))] {
        let is_taken = keyring.is_none();
        let mut stage = Stage::with(1, |options| options.keyring = keyring);
        let id = stage.accept(9);
        let data = stage.frame(id, &[head(), entry(alive(9, 1, 1), State::Alive)], true);
        stage.stream(id, StreamEvent::Chunk(&data));
        assert_eq!(stage.state(9).is_some(), is_taken);
        assert_eq!(stage.written(id).0 == [Message::Readdress], !is_taken);
        let stats = stage.node.stats();
        assert_eq!((stats.streams_readdressed, stats.rejected()), (u64::from(!is_taken), 0));
    }
}

/// What has to be asked again is not said before: a table can be long.
#[test]
fn x4_whoever_asks_anybody_says_little_where_there_is_a_key() {
    let mut stage = Stage::with(3, |options| {
        options.keyring = Some(Keyring::new(Key::generate([3; 32])));
    });
    stage.call(|node, now| node.join(now, &[addr(9)], 10 * SECOND)).unwrap();
    let [(id, _)] = stage.dials()[..] else { panic!("one seed, one stream") };
    stage.stream(id, StreamEvent::Connected);
    let (messages, last) = stage.written(id);
    assert!(last && matches!(messages[..], [Message::ExchangeHead(head)] if head.join));
}

/// A goodbye, and what rides on a probe, was not heard by one who has started anew meanwhile.
#[test]
fn x4_who_started_anew_has_not_heard_of_a_leave() {
    let mut stage = Stage::with(1, |_| {});
    stage.call(|node, now| node.leave(now, 10 * SECOND)).unwrap();
    let nonce = stage.pinged(1).expect("it is told");
    stage.clear();
    stage.speaks_under(1, 8, 1);
    stage.say(1, &[Message::Nack(Nack { nonce })]);
    assert!(!stage.node.has_left(), "nobody has heard of it");
    stage.run(SECOND);
    let nonce = stage.pinged(1).expect("it is told again");
    stage.ack(1, nonce);
    assert!(stage.node.has_left());
}

/// What became of reliable messages.
fn sent(stage: &Stage) -> Vec<Result<(), DeliveryError>> {
    let results = stage.events.iter().filter_map(|event| match event {
        EventKind::SendFinished { result, .. } => Some(*result),
        _ => None,
    });
    results.collect()
}

fn joining() -> (Stage, StreamId) {
    let mut stage = Stage::new(|_| {});
    stage.call(|node, now| node.join(now, &[addr(1)], 10 * SECOND)).unwrap();
    let [(id, _)] = stage.dials()[..] else { panic!("one seed, one stream") };
    stage.stream(id, StreamEvent::Connected);
    stage.clear();
    (stage, id)
}

/// The other side wants to be asked again: the stream on which it is.
fn asked_again(stage: &mut Stage, id: StreamId) -> StreamId {
    stage.reply(id, &[Message::Readdress], true);
    assert_eq!(stage.ended(id), Some(false));
    let [(again, to)] = stage.dials()[..] else { panic!("one stream more") };
    assert_eq!(to, addr(1));
    stage.clear();
    stage.stream(again, StreamEvent::Connected);
    again
}

#[test]
fn x4_a_join_asks_again_once() {
    let (mut stage, id) = joining();
    let again = asked_again(&mut stage, id);
    stage.reply(again, &[head(), entry(alive(1, 1, 1), State::Alive)], true);
    assert_eq!(stage.seed_outcomes(), [SeedOutcome::Joined { name: Name::new("p1").unwrap() }]);

    let (mut stage, id) = joining();
    let again = asked_again(&mut stage, id);
    stage.reply(again, &[Message::Readdress], true);
    assert_eq!(stage.seed_outcomes(), [SeedOutcome::Rejected(Reject::Misplaced)]);
    assert!(stage.dials().is_empty() && stage.node.streams.is_empty());
}

/// What is asked again says to whom.
#[test]
fn x4_what_is_asked_again_is_for_the_one_who_wants_it() {
    let (mut stage, id) = joining();
    let again = asked_again(&mut stage, id);
    let stream = &stage.node.streams[&again];
    let to = stream.recipient.as_ref().map(|to| (to.name.as_str(), to.life));
    assert_eq!(to, Some(("p1", Life(1))));
}

/// A reliable message to a member that has started anew arrives once, and under its new life.
#[test]
fn x4_a_message_to_a_former_life_is_sent_again_to_the_new_one() {
    let deliver = |by: usize| {
        let mut stage = Stage::with(2, |_| {});
        stage.call(|node, now| node.send_reliable(now, "p1", "hello".into())).unwrap();
        let [(id, _)] = stage.dials()[..] else { panic!("one message, one stream") };
        stage.stream(id, StreamEvent::Connected);
        stage.clear();
        stage.speaks_under(1, 8, 1);
        if by != 1 {
            stage.handled_by(id, by);
        }
        (stage, id)
    };
    let (mut stage, id) = deliver(1);
    let again = asked_again(&mut stage, id);
    assert_eq!(stage.node.member("p1").unwrap().stamp, Stamp::new(8, 1));
    stage.reply(again, &[Message::Delivered], true);
    assert_eq!(sent(&stage), [Ok(())]);

    // Somebody else is there now.
    let (mut stage, id) = deliver(2);
    stage.reply(id, &[Message::Readdress], true);
    assert_eq!(sent(&stage), [Err(DeliveryError::Unconfirmed)]);
    assert!(!stage.steps.iter().any(|step| matches!(step, Step::Dial { .. })));
}

#[test]
fn x4_whoever_asked_nothing_is_not_asked_again() {
    let mut stage = Stage::with(2, |_| {});
    let id = stage.accept(1);
    stage.reply(id, &[Message::Readdress], true);
    assert!(stage.dials().is_empty());
    assert_eq!(stage.node.stats().rejected_for(Reject::Misplaced), 1);
}
