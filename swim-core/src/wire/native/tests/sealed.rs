//! Keys, sessions, replays, clocks, receivers.

use alloc::collections::BTreeSet;

use super::*;

const NACK: Message<'static> = Message::Nack(Nack { nonce: 1 });

#[test]
fn x4_a_packet_is_accepted_once() {
    let (mut alice, mut bob) = pair(SEALED);
    let sent: Vec<Bytes> = (0..2000).map(|_| packet(&mut alice, &[NACK])).collect();
    for data in sent.iter().rev().take(1024) {
        assert_eq!(outcome(&mut bob, data), Ok(1), "out of order, but in the window");
    }
    for (data, nth) in sent.iter().zip(0..) {
        let opened = bob.open_packet(NOON, data, &mut Vec::new()).map(|opened| opened.to);
        let too_old_to_tell = nth < 2000 - 1024;
        let expected = if too_old_to_tell { Ok(To::Overtaken) } else { Err(Reject::Replayed) };
        assert_eq!(opened, expected, "{nth}");
    }
}

#[test]
fn x4_without_a_key_the_same_packet_is_as_good_as_new() {
    let (mut alice, mut bob) = pair(PLAIN);
    let data = packet(&mut alice, &[NACK]);
    assert_eq!([0; 3].map(|_| outcome(&mut bob, &data)), [Ok(1); 3]);
}

#[test]
fn x4_what_was_sealed_too_long_ago_or_ahead_is_stale() {
    let noon = NOON.unwrap();
    let clocks = |sealed_at, opened_at| {
        let (mut alice, mut bob) = pair(SEALED);
        let mut writer = alice.begin_packet(sealed_at, ALICE, Some(BOB));
        writer.push(&NACK);
        let data = alice.finish_packet(writer);
        bob.open_packet(opened_at, &data, &mut Vec::new()).map(|_| ())
    };
    for seconds in [0, 1, 300] {
        assert_eq!(clocks(NOON, Some(noon + seconds)), Ok(()));
        assert_eq!(clocks(Some(noon + seconds), NOON), Ok(()));
    }
    for seconds in [301, 100_000] {
        assert_eq!(clocks(NOON, Some(noon + seconds)), Err(Reject::Stale));
        assert_eq!(clocks(Some(noon + seconds), NOON), Err(Reject::Stale));
    }
    for (sealed_at, opened_at) in [(None, NOON), (NOON, None), (Some(0), NOON), (NOON, Some(0))] {
        let is_zero_clock = opened_at == Some(0);
        assert_eq!(clocks(sealed_at, opened_at).is_ok(), !is_zero_clock);
    }
}

#[test]
fn x4_what_was_for_a_former_life_is_told_apart_and_leaves_no_trace() {
    for setup in [PLAIN, SEALED] {
        let (mut alice, mut bob) = pair(setup);
        for (life, to) in [(BOB.life.0 - 1, To::FormerUs), (1, To::FormerUs)] {
            let data = packet_to(&mut alice, Some(Receiver { life: Life(life), ..BOB }));
            for _ in 0..2 {
                let opened_to = bob.open_packet(NOON, &data, &mut Vec::new()).map(|it| it.to);
                assert_eq!(opened_to, Ok(to), "life {life}");
            }
            assert!(bob.sealing.as_ref().is_none_or(|sealing| sealing.replay().len() == 0));
        }
        // Others may know of a later life than its own: from a clock that was ahead, or by a lie.
        for life in [BOB.life.0, BOB.life.0 + 1, LIFE_MAX] {
            let data = packet_to(&mut alice, Some(Receiver { life: Life(life), ..BOB }));
            let opened_to = bob.open_packet(NOON, &data, &mut Vec::new()).map(|it| it.to);
            assert_eq!(opened_to, Ok(To::Us), "life {life}");
        }
    }
}

#[test]
fn x4_a_packet_is_for_somebody() {
    for setup in [PLAIN, SEALED] {
        let (mut alice, mut bob) = pair(setup);
        let data = packet_to(&mut alice, None);
        assert_eq!(outcome(&mut bob, &data), Err(Reject::Unaddressed));
    }
}

/// Until a stream was answered, nobody may know who is at its other end. Where there is a key, what
/// is for whoever reads it may have been said to somebody else, or long ago.
#[test]
fn x4_a_stream_may_be_opened_to_anybody_and_counts_only_without_a_key() {
    for (setup, to) in [(PLAIN, To::Us), (SEALED, To::Anybody)] {
        let (mut alice, mut bob) = pair(setup);
        let (mut dialer, mut listener) = (Channel::dialer(), Channel::listener());
        let mut writer = alice.begin_frame(NOON, ALICE, None);
        writer.push(&Message::Delivered);
        let data = alice.finish_frame(writer, &mut dialer, true);
        let mut scratch = Vec::new();
        let opened = bob.open_frame(NOON, &mut listener, &mut &data[..], &mut scratch);
        assert_eq!(opened.map(|opened| opened.unwrap().to), Ok(to));
        assert!(bob.sealing.is_none_or(|sealing| sealing.replay().len() == 0));
    }
}

/// A node that comes back after a leave took no note of what came meanwhile.
#[test]
fn x4_a_life_that_begins_is_the_only_one_spoken_to() {
    let (mut alice, mut bob) = pair(SEALED);
    let to =
        |alice: &mut Native, life| packet_to(alice, Some(Receiver { life: Life(life), ..BOB }));
    bob.begin_life(Life(BOB.life.0 + 5));
    for (life, expected) in [(BOB.life.0, To::FormerUs), (BOB.life.0 + 5, To::Us)] {
        let data = to(&mut alice, life);
        let opened_to = bob.open_packet(NOON, &data, &mut Vec::new()).map(|it| it.to);
        assert_eq!(opened_to, Ok(expected));
    }
}

/// A packet from Alice to this receiver.
fn packet_to(alice: &mut Native, to: Option<Receiver<'_>>) -> Bytes {
    let mut writer = alice.begin_packet(NOON, ALICE, to);
    writer.push(&NACK);
    alice.finish_packet(writer)
}

#[test]
fn x4_a_diverted_packet_is_refused_and_leaves_no_trace() {
    for setup in [PLAIN, SEALED] {
        let (mut alice, mut bob) = pair(setup);
        let mut carol = node(setup, "carol");
        let data = packet(&mut alice, &[NACK]);
        assert_eq!(outcome(&mut carol, &data), Err(Reject::NotForUs));
        assert_eq!(outcome(&mut alice, &data), Err(Reject::NotForUs), "reflected");
        assert!(carol.sealing.is_none_or(|sealing| sealing.replay().len() == 0));
        assert_eq!(outcome(&mut bob, &data), Ok(1));
    }
}

#[test]
fn x2_nothing_unauthenticated_or_stale_makes_state() {
    let (mut alice, mut bob) = pair(SEALED);
    let good = packet(&mut alice, &[NACK]);
    for session in 0..100 {
        let mut forged = good.to_vec();
        forged[10] = session;
        forged[11] = !session;
        assert_eq!(outcome(&mut bob, &forged), Err(Reject::Decrypt));
    }
    let late = bob.open_packet(Some(NOON.unwrap() + 301), &good, &mut Vec::new()).map(|_| ());
    assert_eq!(late, Err(Reject::Stale));
    assert_eq!(bob.sealing.as_ref().map(|sealing| sealing.replay().len()), Some(0));
    assert_eq!(outcome(&mut bob, &good), Ok(1));
    assert_eq!(bob.sealing.as_ref().map(|sealing| sealing.replay().len()), Some(1));
}

#[test]
fn x3_a_new_session_begins_before_the_counter_ends() {
    let (mut alice, mut bob) = pair(SEALED);
    let mut nonces = BTreeSet::new();
    for lane in [Lane::Packets, Lane::Streams] {
        alice.skip_to(lane, u32::MAX - 3);
    }
    for _ in 0..8 {
        let data = packet(&mut alice, &[NACK]);
        assert!(nonces.insert(data[10..22].to_vec()));
        assert_eq!(outcome(&mut bob, &data), Ok(1));
        let data = frame(&mut alice, &mut Channel::dialer(), &[Message::Delivered], true);
        assert!(nonces.insert(data[14..26].to_vec()));
        assert_eq!(frame_outcome(&mut bob, &mut Channel::listener(), &data), Ok(1));
    }
    let sessions: BTreeSet<&[u8]> = nonces.iter().map(|nonce| &nonce[..8]).collect();
    assert_eq!(sessions.len(), 4, "two for packets, two for streams");
}

#[test]
fn x18_rotation_keeps_everybody_talking() {
    let (mut alice, mut bob) = pair(SEALED);
    let (old, new) = (Key::new(&[7; 32]).unwrap(), Key::new(&[8; 16]).unwrap());
    let talk = |alice: &mut Native, bob: &mut Native, expected| {
        let data = packet(alice, &[NACK]);
        assert_eq!(outcome(bob, &data), expected);
    };
    let change = |node: &mut Native, change: &dyn Fn(&mut Keyring)| {
        node.change_keyring(|ring| change(ring)).unwrap();
    };
    talk(&mut alice, &mut bob, Ok(1));
    change(&mut alice, &|ring| _ = ring.add(new.clone()).unwrap());
    talk(&mut alice, &mut bob, Ok(1));
    change(&mut alice, &|ring| ring.set_primary(new.id()).unwrap());
    talk(&mut alice, &mut bob, Err(Reject::UnknownKey));
    change(&mut bob, &|ring| _ = ring.add(new.clone()).unwrap());
    talk(&mut alice, &mut bob, Ok(1));
    talk(&mut bob, &mut alice, Err(Reject::NotForUs)); // Authentic: `packet` always names Bob.
    change(&mut alice, &|ring| ring.remove(old.id()).unwrap());
    talk(&mut bob, &mut alice, Err(Reject::UnknownKey));
    change(&mut bob, &|ring| ring.set_primary(new.id()).unwrap());
    talk(&mut bob, &mut alice, Err(Reject::NotForUs));
    assert_eq!(alice.keyring().unwrap().keys().count(), 1);
    assert_eq!(node(PLAIN, "dave").change_keyring(|_| ()), None);
}

#[test]
fn x3_nodes_and_restarts_share_no_session() {
    let session = |mut node: Native| packet(&mut node, &[NACK])[10..18].to_vec();
    let nodes = ["alice", "bob", "carol", "dave"].map(|name| session(node(SEALED, name)));
    let starts = ["first", "second", "third"].map(|luck| session(started(SEALED, "alice", luck)));
    assert_eq!(BTreeSet::from_iter(nodes.into_iter().chain(starts)).len(), 7);
}

#[test]
fn m1_old_sessions_make_room() {
    let mut bob = node(SEALED, "bob");
    let names: Vec<String> = (0..40).map(|at| alloc::format!("node-{at}")).collect();
    for name in &names {
        let data = packet(&mut node(SEALED, name), &[NACK]);
        assert_eq!(outcome(&mut bob, &data), Ok(1));
    }
    assert_eq!(bob.sealing.unwrap().replay().len(), 16);
}
