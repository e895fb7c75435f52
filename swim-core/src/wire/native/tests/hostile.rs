//! Whatever else arrives is refused, for the right reason where there is one, and without a trace.

use super::*;
use crate::name::named;

const PING: Message<'static> = Message::Ping(Ping {
    nonce: 0x0102_0304_0506_0708,
    digest: Digest { members: 9, broadcasts: 8, settled: true },
});

#[test]
fn w3_every_truncation_is_refused() {
    for setup in [PLAIN, SEALED] {
        let (mut alice, mut bob) = pair(setup);
        let data = packet(&mut alice, &[PING]);
        for len in 0..data.len() {
            assert!(outcome(&mut bob, &data[..len]).is_err(), "{len} bytes of {setup:?}");
        }
        assert_eq!(outcome(&mut bob, &[&data[..], &[0]].concat()).ok(), None, "one byte more");
        assert_eq!(outcome(&mut bob, &data), Ok(1));
    }
}

#[test]
fn x4_every_flipped_bit_is_noticed() {
    for setup in [PLAIN, SEALED, Setup { label: "", ..PLAIN }, Setup { label: "", ..SEALED }] {
        let (mut alice, mut bob) = pair(setup);
        let data = packet(&mut alice, &[PING]);
        for bit in 0..data.len() * 8 {
            let mut flipped = data.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let reject = outcome(&mut bob, &flipped).unwrap_err();
            let expected: &[Reject] = match bit / 8 {
                0 => &[Reject::Version],
                1 => &[Reject::Flags, Reject::Plaintext, Reject::Sealed],
                2..6 => &[Reject::Label],
                6..10 if setup.key_len.is_some() => &[Reject::UnknownKey],
                _ if setup.key_len.is_some() => &[Reject::Decrypt],
                _ => &[Reject::Checksum],
            };
            assert!(expected.contains(&reject), "bit {bit} of {setup:?}: {reject}");
        }
        assert_eq!(outcome(&mut bob, &data), Ok(1), "none of this left a trace");
    }
}

#[test]
fn x1_x5_only_the_same_label_and_the_same_key_agree() {
    let setups = ["", "prod", "test"].into_iter().flat_map(|label| {
        [None, Some(16), Some(32)].map(|key_len| Setup { label, key_len, ..PLAIN })
    });
    let setups: Vec<Setup> = setups.collect();
    for &theirs in &setups {
        for &ours in &setups {
            let data = packet(&mut node(theirs, "alice"), &[PING]);
            let expected = match (theirs.key_len, ours.key_len) {
                _ if theirs.label != ours.label => Err(Reject::Label),
                (None, Some(_)) => Err(Reject::Plaintext),
                (Some(_), None) => Err(Reject::Sealed),
                (their_key, our_key) if their_key != our_key => Err(Reject::UnknownKey),
                _ => Ok(1),
            };
            assert_eq!(outcome(&mut node(ours, "bob"), &data), expected, "{theirs:?} to {ours:?}");
        }
    }
}

#[test]
fn x5_a_label_whose_id_is_the_same_is_still_another_one() {
    let (mut alice, mut bob) =
        (node(SEALED, "alice"), node(Setup { label: "test", ..SEALED }, "bob"));
    let mut data = packet(&mut alice, &[PING]).to_vec();
    data[2..6].copy_from_slice(&bob.label_id.to_le_bytes());
    assert_eq!(outcome(&mut bob, &data), Err(Reject::Decrypt));
    let (mut alice, mut bob) =
        (node(PLAIN, "alice"), node(Setup { label: "test", ..PLAIN }, "bob"));
    let mut data = packet(&mut alice, &[PING]).to_vec();
    data[2..6].copy_from_slice(&bob.label_id.to_le_bytes());
    assert_eq!(outcome(&mut bob, &data), Err(Reject::Checksum));
}

#[test]
fn w5_unknown_kinds_are_skipped_and_counted() {
    let ping = &mut [0; 64];
    let ping_len = parts::put(&PING, ping).unwrap();
    let ping = &ping[..ping_len];
    for kind in (0..=255).filter(|kind| Kind::from_byte(*kind).is_none()) {
        let parts = [&forged_part(kind, b"new")[..], ping, &forged_part(kind, b"")].concat();
        let data = forged_packet("prod", &forged_body(PROTOCOL, &parts));
        let (mut bob, mut scratch) = (node(PLAIN, "bob"), Vec::new());
        let opened = bob.open_packet(NOON, &data, &mut scratch).unwrap();
        assert_eq!((opened.unknown, opened.messages.len()), (2, 1));
        assert_eq!(opened.messages.to_vec(), [PING]);
    }
}

#[test]
fn w5_unknown_fields_are_skipped_if_the_speaker_is_newer() {
    let digest = [&[2; 12][..], &[1]].concat();
    let ping = [&[1; 8][..], &digest, b"new"].concat();
    // What may be left out at the end is there, empty.
    let ack = [&[1; 8][..], &digest, &[0], b"new"].concat();
    let bare_ack = [&[1; 8][..], &[0; 13], &[0], b"new"].concat();
    for (kind, content) in [(Kind::Ping, ping), (Kind::Ack, ack), (Kind::Ack, bare_ack)] {
        let parts = forged_part(kind.byte(), &content);
        for (protocol, expected) in [
            (0, Err(Reject::Malformed)),
            (PROTOCOL, Err(Reject::Malformed)),
            (PROTOCOL + 1, Ok(1)),
            (255, Ok(1)),
        ] {
            let data = forged_packet("prod", &forged_body(protocol, &parts));
            let found = outcome(&mut node(PLAIN, "bob"), &data);
            assert_eq!(found, expected, "{kind:?}, protocol {protocol}");
        }
    }
}

#[test]
fn w2_an_ack_that_says_little_has_one_form() {
    let (nonce, nothing) = ([1; 8], [0; 13]);
    let something = [&[2; 12][..], &[1]].concat();
    for (content, expected) in [
        (nonce.to_vec(), Ok(1)),
        ([&nonce[..], &nothing].concat(), Err(Reject::Malformed)),
        ([&nonce[..], &nothing, &[0]].concat(), Err(Reject::Malformed)),
        ([&nonce[..], &nothing, b"\x01x"].concat(), Ok(1)),
        ([&nonce[..], &something].concat(), Ok(1)),
        ([&nonce[..], &something, &[0]].concat(), Err(Reject::Malformed)),
    ] {
        let parts = forged_part(Kind::Ack.byte(), &content);
        let data = forged_packet("prod", &forged_body(PROTOCOL, &parts));
        assert_eq!(outcome(&mut node(PLAIN, "bob"), &data), expected, "{content:?}");
    }
}

#[test]
fn x6_a_packet_with_two_probes_or_too_many_parts_is_refused() {
    let ping = forged_part(Kind::Ping.byte(), &[&[1; 20][..], &[1]].concat());
    let indirect =
        forged_part(Kind::IndirectPing.byte(), b"12345678\x05carol\x04\x0a\0\0\x03\x0a\x1f");
    let summary = forged_part(Kind::BroadcastSummary.byte(), b"\x01\0");
    let unknown = forged_part(200, b"");
    let cases = [
        (ping.clone(), Ok(1)),
        ([&ping[..], &unknown].concat(), Ok(1)),
        ([&ping[..], &ping].concat(), Err(Reject::Excess)),
        ([&ping[..], &indirect].concat(), Err(Reject::Excess)),
        ([&summary[..], &unknown].concat(), Ok(1)),
        (summary.repeat(2), Err(Reject::Excess)),
        ([&ping[..], &summary].concat(), Err(Reject::Excess)),
        (unknown.repeat(255), Ok(0)),
        (unknown.repeat(256), Err(Reject::Excess)),
    ];
    for (parts, expected) in cases {
        let data = forged_packet("prod", &forged_body(PROTOCOL, &parts));
        assert_eq!(outcome(&mut node(PLAIN, "bob"), &data), expected);
    }
}

#[test]
fn s9_one_bad_part_spoils_the_packet() {
    let good = forged_part(Kind::Nack.byte(), &[1; 8]);
    let name = |text: &[u8]| [&[u8::try_from(text.len()).unwrap()][..], text].concat();
    let alive = |addr: &[u8], meta: &[u8]| {
        let content = [&name(b"carol")[..], &[1, 1], addr, &[0; 6], meta].concat();
        forged_part(Kind::Alive.byte(), &content)
    };
    let versions = |versions: [u8; 6]| {
        let content =
            [&name(b"carol")[..], &[1, 1, 4, 10, 0, 0, 1, 1, 1], &versions, &[0]].concat();
        forged_part(Kind::Alive.byte(), &content)
    };
    let (addr, meta) = (&[4, 10, 0, 0, 1, 1, 1][..], &[0][..]);
    let long_meta = [&[0x81, 4][..], &[0; 513]].concat();
    let implausible =
        [&name(b"carol")[..], &[1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40, 0]].concat();
    let cases = [
        (alive(addr, meta), Ok(2)),
        (versions([1, 3, 3, 0, 9, 0]), Ok(2)),
        (versions([1, 3, 4, 0, 0, 0]), Err(Reject::Malformed)),
        (versions([2, 3, 1, 0, 0, 0]), Err(Reject::Malformed)),
        (versions([1, 1, 1, 5, 4, 5]), Err(Reject::Malformed)),
        (alive(addr, &long_meta), Err(Reject::Malformed)),
        (alive(&[4, 10, 0, 0, 1, 0, 0], meta), Err(Reject::Address)),
        (alive(&[4, 0, 0, 0, 0, 1, 1], meta), Err(Reject::Address)),
        (alive(&[5, 10, 0, 0, 1, 1, 1], meta), Err(Reject::Malformed)),
        (forged_part(Kind::Nack.byte(), &[1; 7]), Err(Reject::Malformed)),
        (forged_part(Kind::Left.byte(), &implausible), Err(Reject::Implausible)),
        (forged_part(Kind::Left.byte(), b"\x05caro\n\x01\x01\x00"), Err(Reject::Text)),
        (forged_part(Kind::Left.byte(), b"\x05carol\x01\x01\x02"), Err(Reject::Malformed)),
        (forged_part(Kind::BroadcastSummary.byte(), b"\x00\x071234567"), Err(Reject::Malformed)),
        (forged_part(Kind::Delivered.byte(), b""), Err(Reject::Misplaced)),
        (Vec::from([Kind::Nack.byte(), 9, 0, 1]), Err(Reject::Malformed)),
        (Vec::from([Kind::Nack.byte(), 8]), Err(Reject::Malformed)),
    ];
    for (part, expected) in cases {
        let data = forged_packet("prod", &forged_body(PROTOCOL, &[&good[..], &part].concat()));
        assert_eq!(outcome(&mut node(PLAIN, "bob"), &data), expected, "{part:?}");
    }
}

#[test]
fn x7_an_entry_is_not_believed_in_an_older_stamp_than_its_own() {
    let alive = |early: u64| Alive {
        name: named("carol"),
        stamp: Stamp::new(5, early),
        addr: "10.0.0.1:1".parse().unwrap(),
        mapped: false,
        versions: Versions::default(),
        meta: b"",
    };
    let (state, stamp, reason) = (State::Dead, Stamp::new(5, 5), LeaveReason::Graceful);
    for (early, expected) in [(4, Ok(1)), (5, Ok(1)), (6, Err(Reject::Implausible))] {
        let (mut alice, mut bob) = pair(PLAIN);
        let entry = Message::Entry(Entry { alive: alive(early), state, stamp, reason });
        let data = frame(&mut alice, &mut Channel::dialer(), &[entry], true);
        assert_eq!(frame_outcome(&mut bob, &mut Channel::listener(), &data), expected);
    }
}

#[test]
fn w3_an_oversize_packet_is_refused_unread() {
    assert_eq!(outcome(&mut node(PLAIN, "bob"), &[0x81; 9217]), Err(Reject::Oversize));
}

proptest! {
    #[test]
    fn w3_random_bytes_never_panic(
        bytes in collection::vec(any::<u8>(), 0..300),
        is_sealed: bool,
    ) {
        let mut bob = node(if is_sealed { SEALED } else { PLAIN }, "bob");
        prop_assert!(outcome(&mut bob, &bytes).is_err());
        prop_assert!(bob.sealing.is_none_or(|sealing| sealing.replay().len() == 0));
    }

    /// Behind a right checksum, where only the parser stands between the bytes and the node.
    #[test]
    fn w3_random_bodies_never_panic(
        body in collection::vec(any::<u8>(), 0..300),
        parts in collection::vec((1_u8..50, collection::vec(any::<u8>(), 0..40)), 0..8),
        protocol in 1_u8..3,
    ) {
        let mut bob = node(PLAIN, "bob");
        let _ = outcome(&mut bob, &forged_packet("prod", &body));
        let parts = parts.iter().map(|(kind, content)| forged_part(*kind, content));
        let parts = parts.collect::<Vec<_>>().concat();
        let _ = outcome(&mut bob, &forged_packet("prod", &forged_body(protocol, &parts)));
    }

    #[test]
    fn w3_mutated_bodies_never_panic(
        said in materials(Place::Packet),
        changes in collection::vec((any::<sample::Index>(), any::<u8>()), 1..6),
        cut in any::<sample::Index>(),
    ) {
        let (mut alice, mut bob) = pair(PLAIN);
        let body = mutated_body(&mut alice, &said, changes);
        let _ = outcome(&mut bob, &forged_packet("prod", &body));
        let _ = outcome(&mut bob, &forged_packet("prod", &body[..cut.index(body.len())]));
    }
}
