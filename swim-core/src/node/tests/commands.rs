//! What the application asks for: each command, what follows, and each of its errors.

use std::{time::Duration, vec, vec::Vec};

use bytes::Bytes;

use super::{
    stage::Stage,
    words::{addr, alive, has_left, is_alive, is_dead, is_suspect},
};
use crate::{
    error::{RemoveError, SendError, UpdateError},
    event::{EventKind, PingId, Pong},
    io::Timer,
    keyring::{KEYS_MAX, Key, Keyring, KeyringError},
    limits::{ACK_PAYLOAD_MAX, PINGS_MAX},
    member::LeaveReason,
    name::MetaError,
    name::named,
    reject::Reject,
    stamp::Stamp,
    wire::{Ack, Alive, Claim, Digest, Message, Ping},
};

const SECOND: Duration = Duration::from_secs(1);

fn updates(stage: &Stage) -> Vec<Stamp> {
    let updates = stage.events.iter().filter_map(|event| match event {
        EventKind::UpdateSent { stamp, .. } => Some(*stamp),
        _ => None,
    });
    updates.collect()
}

fn pongs(stage: &Stage) -> Vec<(PingId, Option<Pong>)> {
    let pongs = stage.events.iter().filter_map(|event| match event {
        EventKind::PingFinished { ping, pong } => Some((*ping, pong.clone())),
        _ => None,
    });
    pongs.collect()
}

// Metadata.

#[test]
fn memberlist_14_an_update_takes_the_next_stamp_and_is_told() {
    let mut stage = Stage::with(3, |_| {});
    let stamp = stage.call(|node, now| node.update_meta(now, "role=web".into()));
    assert_eq!(stamp, Ok(Stamp::new(5, 2)));
    assert_eq!(stage.changes(), ["n updated"]);
    assert_eq!(stage.node.local().meta.as_bytes(), b"role=web");
    stage.settle_and_keep();
    for nth in 1..=3 {
        let own = Claim::Alive(Alive { meta: b"role=web", ..alive(0, 5, 2) });
        assert!(stage.told(nth).any(|message| *message == Message::Claim(own)), "p{nth}");
    }
    assert_eq!(updates(&stage), [Stamp::new(5, 2)]);
}

#[test]
fn memberlist_14_an_update_alone_is_over_at_once() {
    let mut stage = Stage::new(|_| {});
    stage.call(|node, now| node.update_meta(now, "x".into())).unwrap();
    stage.run(SECOND);
    assert_eq!(updates(&stage), [Stamp::new(5, 2)]);
}

#[test]
fn e2_an_update_that_changes_nothing_is_over_at_once() {
    let mut stage = Stage::with(3, |options| options.meta = "same".into());
    let stamp = stage.call(|node, now| node.update_meta(now, "same".into()));
    assert_eq!(stamp, Ok(Stamp::new(5, 1)));
    assert_eq!((stage.changes().len(), stage.node.claims.is_empty()), (0, true));
    assert_eq!(updates(&stage), [Stamp::new(5, 1)], "whoever waits for it goes on");
}

#[test]
fn e2_an_update_that_says_what_is_being_told_already_waits_with_it() {
    let mut stage = Stage::with(3, |options| options.gossip_nodes = 1);
    let one = stage.call(|node, now| node.update_meta(now, "1".into()));
    stage.say(1, &[is_suspect(0, (5, 2), 1)]);
    let again = stage.call(|node, now| node.update_meta(now, "1".into()));
    assert_eq!((again, stage.node.stamp()), (one, Stamp::new(5, 3)));
    stage.settle_and_keep();
    assert_eq!(updates(&stage), [Stamp::new(5, 2)]);
    let updated = stage.changes().into_iter().filter(|change| change == "n updated");
    assert_eq!(updated.count(), 1);
}

#[test]
fn q1_every_update_is_reported_also_one_that_was_overtaken() {
    let mut stage = Stage::with(3, |options| options.gossip_nodes = 1);
    let one = stage.call(|node, now| node.update_meta(now, "1".into())).unwrap();
    let two = stage.call(|node, now| node.update_meta(now, "2".into())).unwrap();
    stage.settle_and_keep();
    assert_eq!(updates(&stage), [one, two], "whoever waits for the first must not wait for ever");
}

#[test]
fn an_update_that_is_overtaken_by_a_refutation_is_told_with_it() {
    let mut stage = Stage::with(3, |options| options.gossip_nodes = 1);
    stage.call(|node, now| node.update_meta(now, "kept".into())).unwrap();
    stage.say(1, &[is_suspect(0, (5, 2), 1)]);
    stage.settle_and_keep();
    assert_eq!(stage.node.local().meta.as_bytes(), b"kept");
    let own = Claim::Alive(Alive { meta: b"kept", ..alive(0, 5, 3) });
    assert!(stage.told(2).any(|message| *message == Message::Claim(own)));
    assert_eq!(updates(&stage), [Stamp::new(5, 2)]);
}

#[test]
fn q32_an_update_that_is_too_long_changes_nothing() {
    let mut stage = Stage::with(1, |options| options.packet_len_max = 576);
    let long = stage.call(|node, now| node.update_meta(now, vec![0; 513].into()));
    assert_eq!(long, Err(UpdateError::Meta(MetaError { len: 513 })));
    let wide = stage.call(|node, now| node.update_meta(now, vec![0; 512].into()));
    assert!(matches!(wide, Err(UpdateError::TooLargeForPacket { max: 576, .. })), "{wide:?}");
    assert_eq!(stage.node.stamp(), Stamp::new(5, 1));
    assert!(stage.events.is_empty() && stage.node.local().meta.is_empty());
}

// Messages.

#[test]
fn a_message_goes_to_one_member_in_one_packet() {
    let mut stage = Stage::with(2, |_| {});
    stage.call(|node, now| node.send_best_effort(now, "p2", b"hello")).unwrap();
    assert!(stage.told(2).any(|message| *message == Message::Direct(b"hello")));
    assert_eq!(stage.sent.len(), 1);
}

#[test]
fn a_message_that_came_tells_who_sent_it_and_from_where() {
    let mut stage = Stage::with(2, |_| {});
    stage.say(2, &[Message::Direct(b"one"), Message::Direct(b"")]);
    let messages = stage.events.iter().filter_map(|event| match event {
        EventKind::Message { from, addr, payload, reliable: false } => {
            Some((from.as_str(), *addr, &payload[..]))
        }
        _ => None,
    });
    assert_eq!(messages.collect::<Vec<_>>(), [("p2", addr(2), &b"one"[..]), ("p2", addr(2), b"")]);
}

#[test]
fn a_message_must_fit_into_a_packet() {
    for packet_len_max in [576, 1400, 9216] {
        let mut stage = Stage::with(1, |options| options.packet_len_max = packet_len_max);
        let refused = stage.call(|node, now| node.send_best_effort(now, "p1", &[0; 20_000]));
        let Err(SendError::TooLarge { len: 20_000, max }) = refused else { panic!("{refused:?}") };
        assert!(max > packet_len_max - 100, "{max}");
        // A part's head takes three bytes, and so may the length of the payload.
        assert_eq!(max, stage.node.message_room() - 6);
        let over = stage.call(|node, now| node.send_best_effort(now, "p1", &vec![0; max + 1]));
        assert_eq!(over, Err(SendError::TooLarge { len: max + 1, max }));
        assert!(stage.sent.is_empty());
        stage.call(|node, now| node.send_best_effort(now, "p1", &vec![0; max])).unwrap();
        assert_eq!(stage.sent.len(), 1);
    }
}

#[test]
fn nothing_is_sent_to_who_is_no_live_member() {
    let mut stage = Stage::with(3, |_| {});
    stage.fail(2, (1, 1), 1);
    stage.say(1, &[has_left(3, 1, 1)]);
    stage.settle();
    for name in ["p9", "p2", "p3", "n", ""] {
        let unknown = SendError::UnknownMember;
        assert_eq!(stage.call(|node, now| node.send_best_effort(now, name, b"")), Err(unknown));
        let reliable = stage.call(|node, now| node.send_reliable(now, name, Bytes::new()));
        assert_eq!(reliable, Err(unknown));
        assert_eq!(stage.call(|node, now| node.ping(now, name)), Err(unknown));
    }
    assert!(stage.sent.is_empty() && stage.dials().is_empty() && stage.events.is_empty());
}

// Pings.

#[test]
fn memberlist_9_a_ping_is_answered_with_time_and_payload() {
    let mut stage = Stage::with(2, |_| {});
    let ping = stage.call(|node, now| node.ping(now, "p1")).unwrap();
    let nonce = stage.pinged(1).unwrap();
    stage.run(Duration::from_millis(40));
    let ack = Ack { nonce, digest: Digest::default(), payload: b"load=1" };
    stage.say(1, &[Message::Ack(ack)]);
    let pong = Pong { rtt: Duration::from_millis(40), payload: "load=1".into() };
    assert_eq!(pongs(&stage), [(ping, Some(pong))]);
    stage.say(1, &[Message::Ack(ack)]);
    stage.run(SECOND);
    assert_eq!(pongs(&stage).len(), 1, "once");
}

#[test]
fn memberlist_9_a_ping_without_an_answer_ends_after_the_probe_timeout() {
    let mut stage = Stage::with(2, |_| {});
    let ping = stage.call(|node, now| node.ping(now, "p1")).unwrap();
    let nonce = stage.pinged(1).unwrap();
    stage.ack(2, nonce);
    stage.ack(1, nonce ^ 1);
    stage.run(Duration::from_millis(499));
    assert!(pongs(&stage).is_empty());
    stage.run(Duration::from_millis(1));
    assert_eq!(pongs(&stage), [(ping, None)]);
    stage.ack(1, nonce);
    assert_eq!(pongs(&stage).len(), 1);
    assert_eq!(stage.node.health(), 0, "the application's pings judge nobody");
    assert!(stage.changes().is_empty());
}

#[test]
fn m1_so_many_pings_at_a_time_and_no_more() {
    let mut stage = Stage::with(1, |_| {});
    stage.audited = false;
    for _ in 0..PINGS_MAX {
        stage.call(|node, now| node.ping(now, "p1")).unwrap();
    }
    assert_eq!(stage.call(|node, now| node.ping(now, "p1")), Err(SendError::Busy));
    stage.run(SECOND);
    assert_eq!(pongs(&stage).len(), PINGS_MAX);
    assert!(stage.call(|node, now| node.ping(now, "p1")).is_ok());
}

#[test]
fn what_goes_with_answers_to_pings_is_short() {
    let mut stage = Stage::with(1, |_| {});
    let (len, max) = (ACK_PAYLOAD_MAX + 1, ACK_PAYLOAD_MAX);
    let refused = stage.node.set_ack_payload(vec![1; len].into());
    assert_eq!(refused, Err(SendError::TooLarge { len, max }));
    stage.node.set_ack_payload(vec![2; max].into()).unwrap();
    stage.say(1, &[Message::Ping(Ping { nonce: 3, digest: Digest::default() })]);
    let payload = stage.told(1).find_map(|message| match message {
        Message::Ack(Ack { nonce: 3, payload, .. }) => Some(payload.len()),
        _ => None,
    });
    assert_eq!(payload, Some(max));
}

#[test]
fn the_longest_answer_fits_into_the_shortest_packet() {
    let keyring = Keyring::new(Key::generate([3; 32]));
    let mut stage = Stage::new(|options| {
        options.name = "n".repeat(128);
        options.packet_len_max = 576;
        options.keyring = Some(keyring);
    });
    stage.introduce(1);
    stage.node.set_ack_payload(vec![2; ACK_PAYLOAD_MAX].into()).unwrap();
    stage.clear();
    stage.say(1, &[Message::Ping(Ping { nonce: 3, digest: Digest::default() })]);
    assert!(stage.told(1).any(|message| matches!(message, Message::Ack(Ack { nonce: 3, .. }))));
}

// Removing.

#[test]
fn s7_only_the_dead_are_removed() {
    let mut stage = Stage::with(4, |_| {});
    let remove = |stage: &mut Stage, name: &str| stage.call(|node, now| node.remove(now, name));
    assert_eq!(remove(&mut stage, "p9"), Err(RemoveError::UnknownMember));
    assert_eq!(remove(&mut stage, "p1"), Err(RemoveError::Alive));
    assert_eq!(remove(&mut stage, "n"), Err(RemoveError::Alive));
    stage.say(2, &[is_suspect(1, (1, 1), 2)]);
    assert_eq!(remove(&mut stage, "p1"), Err(RemoveError::Alive));
    stage.fail(1, (1, 1), 2);
    stage.settle();
    assert_eq!(remove(&mut stage, "p1"), Ok(()));
    assert_eq!(stage.changes(), ["p1 left"]);
    assert_eq!(stage.node.member("p1").unwrap().reason, Some(LeaveReason::Forced));
    stage.settle_and_keep();
    assert!(stage.claims_to(3).contains(&"left p1 1.1".into()));
    assert_eq!(remove(&mut stage, "p1"), Ok(()), "twice is once");
    assert_eq!(stage.changes(), ["p1 left"]);
    stage.say(1, &[is_alive(1, 1, 2)]);
    assert_eq!(stage.belief(1), "left 1.2", "it needs a new life");
}

#[test]
fn s7_a_member_that_was_removed_by_mistake_takes_a_new_life() {
    let mut stage = Stage::with(2, |_| {});
    let forced = crate::wire::Departure {
        name: named("n"),
        stamp: Stamp::new(5, 1),
        reason: LeaveReason::Forced,
    };
    stage.say(1, &[Message::Claim(Claim::Left(forced))]);
    assert_eq!(stage.belief(0), "alive 6.1");
}

// Keys.

fn key(byte: u8) -> Key {
    Key::generate([byte; 32])
}

fn primaries(stage: &Stage) -> Vec<crate::KeyId> {
    let changes = stage.events.iter().filter_map(|event| match event {
        EventKind::KeyringChanged { primary } => Some(*primary),
        _ => None,
    });
    changes.collect()
}

#[test]
fn x18_keys_are_added_then_used_then_removed() {
    let (old, new) = (key(1), key(2));
    let mut stage = Stage::with(1, |options| options.keyring = Some(Keyring::new(key(1))));
    assert_eq!(stage.call(|node, now| node.add_key(now, key(2))), Ok(new.id()));
    let removed = stage.call(|node, now| node.remove_key(now, old.id()));
    assert_eq!(removed, Err(KeyringError::Primary { id: old.id() }));
    assert_eq!(stage.call(|node, now| node.use_key(now, new.id())), Ok(()));
    assert_eq!(stage.call(|node, now| node.remove_key(now, old.id())), Ok(()));
    assert_eq!(primaries(&stage), [old.id(), new.id(), new.id()]);
    let ids: Vec<_> = stage.node.keyring().unwrap().keys().map(Key::id).collect();
    assert_eq!(ids, [new.id()]);
    stage.say(1, &[Message::Direct(b"under the old key")]);
    assert_eq!(stage.node.stats().rejected_for(Reject::UnknownKey), 1);
    assert!(stage.payloads().is_empty());
}

#[test]
fn x18_what_is_sealed_with_any_key_of_the_ring_is_heard() {
    let mut stage = Stage::with(1, |options| options.keyring = Some(Keyring::new(key(1))));
    stage.call(|node, now| node.add_key(now, key(2))).unwrap();
    stage.say(1, &[Message::Direct(b"under the old key")]);
    assert_eq!(stage.payloads(), ["under the old key"]);
}

#[test]
fn x18_every_error_of_a_key_leaves_the_ring_as_it_was() {
    let mut plain = Stage::new(|_| {});
    let none = KeyringError::NoKeyring;
    assert_eq!(plain.call(|node, now| node.add_key(now, key(1))), Err(none));
    assert_eq!(plain.call(|node, now| node.use_key(now, key(1).id())), Err(none));
    assert_eq!(plain.call(|node, now| node.remove_key(now, key(1).id())), Err(none));
    assert!(plain.node.keyring().is_none() && plain.events.is_empty());

    let mut stage = Stage::new(|options| options.keyring = Some(Keyring::new(key(1))));
    let unknown = KeyringError::Unknown { id: key(9).id() };
    assert_eq!(stage.call(|node, now| node.use_key(now, key(9).id())), Err(unknown));
    assert_eq!(stage.call(|node, now| node.remove_key(now, key(9).id())), Err(unknown));
    assert!(primaries(&stage).is_empty());
    for byte in 2..=KEYS_MAX as u8 {
        stage.call(|node, now| node.add_key(now, key(byte))).unwrap();
    }
    let full = stage.call(|node, now| node.add_key(now, key(99)));
    assert_eq!(full, Err(KeyringError::Full));
    assert_eq!(stage.node.keyring().unwrap().keys().len(), KEYS_MAX);
}

#[test]
fn x1_plaintext_and_sealed_packets_never_mix() {
    let mut sealed = Stage::new(|options| options.keyring = Some(Keyring::new(key(1))));
    let mut plain = Stage::new(|_| {});
    let in_plain = plain.packet(1, &[is_alive(1, 1, 1)]);
    let in_sealed = sealed.packet(1, &[is_alive(1, 1, 1)]);
    sealed.raw(addr(1), &in_plain);
    plain.raw(addr(1), &in_sealed);
    assert_eq!(sealed.node.stats().rejected_for(Reject::Plaintext), 1);
    assert_eq!(plain.node.stats().rejected_for(Reject::Sealed), 1);
    assert_eq!((sealed.state(1), plain.state(1)), (None, None));
}

#[test]
fn x5_another_cluster_is_not_heard() {
    let mut stage = Stage::with(1, |options| options.label = "blue".into());
    let mut other = Stage::new(|options| options.label = "green".into());
    let packet = other.packet(1, &[is_dead(1, (1, 1), 1)]);
    stage.raw(addr(1), &packet);
    assert_eq!(stage.node.stats().rejected_for(Reject::Label), 1);
    assert_eq!(stage.belief(1), "alive 1.1");
    assert_ne!(stage.timer.map(|(_, why)| why), Some(Timer::Suspicion));
}

#[test]
fn x4_a_sealed_packet_counts_once() {
    let mut stage = Stage::with(2, |options| options.keyring = Some(Keyring::new(key(1))));
    let packet = stage.packet(1, &[Message::Direct(b"pay 5")]);
    (0..3).for_each(|_| stage.raw(addr(1), &packet));
    stage.raw(addr(2), &packet);
    assert_eq!(stage.payloads(), ["pay 5"]);
    assert_eq!(stage.node.stats().rejected_for(Reject::Replayed), 3);
}
