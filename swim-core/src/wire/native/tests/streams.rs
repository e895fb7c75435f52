//! Streams: frames that are dropped, doubled, swapped, turned around, moved or cut off.

use rand_core::Rng as _;

use super::*;
use crate::name::named;

const DELIVERED: Message<'static> = Message::Delivered;

/// The frames of one stream from Alice, each with a message that tells its place.
fn frames(alice: &mut Native, count: u32) -> Vec<Bytes> {
    let mut channel = Channel::dialer();
    let head = |len| Message::DeliveryHead(DeliveryHead { len });
    (0..count).map(|at| frame(alice, &mut channel, &[head(at)], at + 1 == count)).collect()
}

/// What becomes of frames that arrive in this order: how many are accepted, and the refusal.
fn arrive(bob: &mut Native, frames: &[&Bytes]) -> (usize, Option<Reject>) {
    let mut channel = Channel::listener();
    let mut accepted = 0;
    for frame in frames {
        match frame_outcome(bob, &mut channel, frame) {
            Ok(_) => accepted += 1,
            Err(reject) => return (accepted, Some(reject)),
        }
    }
    (accepted, (!channel.has_received_all()).then_some(Reject::Truncated))
}

fn refs(frames: &[Bytes]) -> Vec<&Bytes> {
    frames.iter().collect()
}

#[test]
fn x4_frames_keep_their_order_and_number() {
    for (setup, broken) in [(PLAIN, Reject::Checksum), (SEALED, Reject::Decrypt)] {
        let arrive = |order: &[usize]| {
            let (mut alice, mut bob) = pair(setup);
            let sent = frames(&mut alice, 4);
            arrive(&mut bob, &order.iter().map(|&at| &sent[at]).collect::<Vec<_>>())
        };
        assert_eq!(arrive(&[0, 1, 2, 3]), (4, None));
        assert_eq!(arrive(&[0, 2, 1, 3]), (1, Some(broken)), "swapped");
        assert_eq!(arrive(&[0, 0, 1, 2]), (1, Some(broken)), "doubled");
        assert_eq!(arrive(&[0, 1, 3]), (2, Some(broken)), "dropped");
        assert_eq!(arrive(&[1, 2, 3]), (0, Some(broken)), "beheaded");
        assert_eq!(arrive(&[0, 1, 2]), (3, Some(Reject::Truncated)), "cut off");
        assert_eq!(arrive(&[]), (0, Some(Reject::Truncated)), "nothing came");
        assert_eq!(arrive(&[0, 1, 2, 3, 3]), (4, Some(Reject::Misplaced)), "more after the last");
    }
}

#[test]
fn x4_frames_of_two_streams_do_not_mix() {
    let (mut alice, mut bob) = pair(SEALED);
    let (first, second) = (frames(&mut alice, 3), frames(&mut alice, 3));
    let spliced = [&first[0], &second[1], &second[2]];
    assert_eq!(arrive(&mut bob, &spliced), (1, Some(Reject::Decrypt)));
    assert_eq!(arrive(&mut bob, &refs(&second)), (3, None));
}

#[test]
fn x4_a_recorded_stream_is_refused_at_its_first_frame() {
    let (mut alice, mut bob) = pair(SEALED);
    let sent = frames(&mut alice, 3);
    assert_eq!(arrive(&mut bob, &refs(&sent)), (3, None));
    assert_eq!(arrive(&mut bob, &refs(&sent)), (0, Some(Reject::Replayed)));
}

#[test]
fn x4_an_answer_belongs_to_its_question() {
    let (mut alice, mut bob) = pair(SEALED);
    let (mut asked, mut asked_again) = (Channel::dialer(), Channel::dialer());
    let (mut heard, mut heard_again) = (Channel::listener(), Channel::listener());
    for (asked, heard) in [(&mut asked, &mut heard), (&mut asked_again, &mut heard_again)] {
        let question = frame(&mut alice, asked, &[DELIVERED], true);
        assert_eq!(frame_outcome(&mut bob, heard, &question), Ok(1));
    }
    let bobs = Sender { name: named("bob"), ..ALICE };
    let mut answer = |heard: &mut Channel| {
        let mut writer = bob.begin_frame(NOON, bobs, Some(TO_ALICE));
        writer.push(&DELIVERED);
        bob.finish_frame(writer, heard, true)
    };
    let (first, second) = (answer(&mut heard), answer(&mut heard_again));
    assert_eq!(frame_outcome(&mut alice, &mut asked, &second), Err(Reject::Decrypt));
    assert_eq!(frame_outcome(&mut alice, &mut asked, &first), Err(Reject::Decrypt), "too late");
    assert_eq!(frame_outcome(&mut alice, &mut asked_again, &second), Ok(1));
}

#[test]
fn x4_a_reflected_frame_is_no_answer() {
    for (setup, broken) in [(PLAIN, Reject::Checksum), (SEALED, Reject::Decrypt)] {
        let mut alice = node(setup, "alice");
        let mut channel = Channel::dialer();
        let mut writer = alice.begin_frame(NOON, ALICE, None);
        writer.push(&DELIVERED);
        let question = alice.finish_frame(writer, &mut channel, true);
        assert_eq!(frame_outcome(&mut alice, &mut channel, &question), Err(broken));
    }
}

#[test]
fn x4_a_stream_may_stall_while_packets_go_on() {
    let (mut alice, mut bob) = pair(SEALED);
    let sent = frames(&mut alice, 3);
    for _ in 0..2000 {
        let data = packet(&mut alice, &[Message::Nack(Nack { nonce: 1 })]);
        assert_eq!(outcome(&mut bob, &data), Ok(1));
    }
    assert_eq!(arrive(&mut bob, &refs(&sent)), (3, None));
}

#[test]
fn x4_every_flipped_bit_of_a_frame_is_noticed() {
    for setup in [PLAIN, SEALED] {
        let mut alice = node(setup, "alice");
        let data = frames(&mut alice, 1).remove(0);
        for bit in 0..data.len() * 8 {
            let mut flipped = data.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let (mut bob, mut channel) = (node(setup, "bob"), Channel::listener());
            let mut scratch = Vec::new();
            let opened = bob.open_frame(NOON, &mut channel, &mut &flipped[..], &mut scratch);
            // A longer length waits for more; everything else is refused at once.
            let is_waiting = bit / 8 < 4 && matches!(opened, Ok(None));
            assert!(is_waiting || opened.is_err(), "bit {bit} of {setup:?}");
        }
    }
}

#[test]
fn w2_packets_and_frames_are_not_taken_for_each_other() {
    for setup in [PLAIN, SEALED] {
        let (mut alice, mut bob) = pair(setup);
        let ping = Message::Ping(Ping { nonce: 1, digest: Digest::default() });
        let framed = frame(&mut alice, &mut Channel::dialer(), &[ping], true);
        assert_eq!(outcome(&mut bob, &framed[4..]), Err(Reject::Flags));
        let data = packet(&mut alice, &[ping]);
        let len = u32::try_from(data.len()).unwrap().to_le_bytes();
        let prefixed = [&len[..], &data].concat();
        let refused = frame_outcome(&mut bob, &mut Channel::listener(), &prefixed);
        assert_eq!(refused, Err(Reject::Flags));
    }
}

#[test]
fn x11_a_frame_is_full_at_64_kib_and_compressed_where_it_pays() {
    let mut bytes = Vec::from([0; 70_000]);
    ChaCha8Rng::from_seed([9; 32]).fill_bytes(&mut bytes);
    for (setup, compressible) in [(PLAIN, false), (SEALED, false), (PLAIN, true), (SEALED, true)] {
        if compressible {
            for chunk in bytes.chunks_mut(64) {
                let half = chunk.len() / 2;
                chunk[half..].fill(0);
            }
        }
        let (mut alice, mut bob) = pair(setup);
        let mut writer = alice.begin_frame(NOON, ALICE, Some(BOB));
        // Part header, and a length of three bytes.
        let piece_len = writer.room() - 3 - 3;
        let piece = Message::StatePiece(&bytes[..piece_len]);
        assert!(!writer.push(&Message::StatePiece(&bytes[..piece_len + 1])));
        assert!(writer.push(&piece));
        assert_eq!(writer.room(), 0);
        let data = alice.finish_frame(writer, &mut Channel::dialer(), true);
        assert_eq!(data[5] & 8 != 0, compressible, "the flag tells");
        assert_eq!(data.len() < 50_000, compressible);
        assert!(data.len() <= 4 + limits::STREAM_FRAME_LEN_MAX);
        let mut scratch = Vec::new();
        let mut channel = Channel::listener();
        let opened = bob.open_frame(NOON, &mut channel, &mut &data[..], &mut scratch).unwrap();
        assert_eq!(opened.unwrap().messages.to_vec(), [piece]);
    }
}

/// One frame is read, inflated, while two answer it, one of which is written and compressed.
#[test]
fn m1_the_frames_of_one_input_take_no_more_than_their_bound() {
    let (mut alice, mut bob) = pair(SEALED);
    // Hardly anything of it can be compressed.
    let mut bytes = Vec::from([0; FRAME_BODY_LEN_MAX]);
    ChaCha8Rng::from_seed([9; 32]).fill_bytes(&mut bytes);
    bytes[..1000].fill(0);
    let longest = |node: &mut Native| {
        let mut writer = node.begin_frame(NOON, ALICE, Some(BOB));
        let piece_len = writer.room() - 3 - 3;
        assert!(writer.push(&Message::StatePiece(&bytes[..piece_len])));
        writer
    };
    let writer = longest(&mut alice);
    let answer = alice.finish_frame(writer, &mut Channel::dialer(), true);
    let (mut channel, mut scratch) = (Channel::listener(), Vec::new());
    let opened = bob.open_frame(NOON, &mut channel, &mut &answer[..], &mut scratch);
    assert!(opened.is_ok_and(|opened| opened.is_some()));
    let body = longest(&mut alice).into_body();
    let compressed = compress::compress(body.as_bytes()).expect("it pays");
    let making = body.into_buffer().capacity() + compressed.capacity();
    let taken = (scratch.capacity() + making + 2 * answer.len()) as u64;
    let bound = memory::FRAMES_MAX;
    assert!(taken <= bound && bound <= 4 * taken, "{taken} of {bound}");
}

#[test]
fn x11_a_frame_says_at_most_4096_things() {
    let (mut alice, mut bob) = pair(PLAIN);
    let mut writer = alice.begin_frame(NOON, ALICE, None);
    let pushed = (0..5000).filter(|_| writer.push(&DELIVERED)).count();
    assert_eq!(pushed, 4096);
    let data = alice.finish_frame(writer, &mut Channel::dialer(), true);
    assert_eq!(frame_outcome(&mut bob, &mut Channel::listener(), &data), Ok(4096));
}

#[test]
fn x11_after_a_refusal_a_stream_stays_refused() {
    let (mut alice, mut bob) = pair(SEALED);
    let sent = frames(&mut alice, 2);
    let mut channel = Channel::listener();
    let oversize = u32::MAX.to_le_bytes();
    assert_eq!(frame_outcome(&mut bob, &mut channel, &oversize), Err(Reject::Oversize));
    assert_eq!(frame_outcome(&mut bob, &mut channel, &sent[0]), Err(Reject::Oversize));
    let (mut carol, mut channel) = (node(SEALED, "carol"), Channel::listener());
    for frame in &sent {
        let refused = frame_outcome(&mut carol, &mut channel, frame);
        assert_eq!(refused, Err(Reject::NotForUs), "not even looked at any more");
    }
}

proptest! {
    #[test]
    fn w3_random_streams_never_panic(
        bytes in collection::vec(any::<u8>(), 0..300),
        len in 0_u32..400,
        chunk_len in 1_usize..50,
        flags in 0_u8..16,
    ) {
        let mut bob = node(PLAIN, "bob");
        let head = [&len.to_le_bytes()[..], &[0x81, flags], &bob.label_id.to_le_bytes()].concat();
        let stream = [&head[..], &bytes].concat();
        let (mut channel, mut scratch) = (Channel::listener(), Vec::new());
        for mut chunk in stream.chunks(chunk_len) {
            while let Ok(Some(_)) = bob.open_frame(NOON, &mut channel, &mut chunk, &mut scratch) {}
        }
    }
}
