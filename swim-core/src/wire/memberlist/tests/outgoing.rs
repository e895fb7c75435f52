//! What goes out: which layers are around a message, and which are not.

use rand_core::Rng as _;

use super::*;

const COMPRESSING: Setup<'static> =
    Setup { options: MemberlistOptions { compression: true, ..PLAIN.options }, ..PLAIN };

/// A packet that brings these bytes to a node whose highest version is this one, if it is known.
fn packet(setup: &Setup<'_>, payload: &[u8], protocol_max: Option<u8>) -> Bytes {
    let life = crate::stamp::Life::NONE;
    let to = |protocol_max| Receiver { name: named("node-a"), life, protocol_max };
    let mut wire = setup.wire();
    let mut writer = wire.begin_packet(protocol_max.map(to));
    assert!(writer.push(&Message::Direct(payload)));
    wire.finish_packet(writer)
}

fn kind(packet: &[u8]) -> Option<Kind> {
    Kind::of(packet[0])
}

#[test]
fn a_checksum_goes_to_those_that_check_it() {
    for (protocol_max, expected) in [
        (None, Kind::User),
        (Some(4), Kind::User),
        (Some(5), Kind::HasCrc),
        (Some(6), Kind::HasCrc),
    ] {
        let packet = packet(&PLAIN, b"hello", protocol_max);
        assert_eq!(kind(&packet), Some(expected), "{protocol_max:?}");
        assert_eq!(outcome(&mut PLAIN.wire(), &packet), Ok(1));
    }
}

/// A message's kind is one byte of the 64 from which on it is tried.
#[test]
fn packets_are_compressed_where_it_is_wanted_and_makes_them_shorter() {
    for (setup, len, expected) in [
        (&PLAIN, 1000, Kind::User),
        (&COMPRESSING, 1000, Kind::Compress),
        (&COMPRESSING, 63, Kind::Compress),
        (&COMPRESSING, 62, Kind::User),
    ] {
        let packet = packet(setup, &[b'A'; 1000][..len], None);
        assert_eq!(kind(&packet), Some(expected), "{len}");
        assert_eq!(outcome(&mut PLAIN.wire(), &packet), Ok(1));
    }
}

/// Bytes of which more and more are noise, compressed and not: what is not shorter goes as it is.
#[test]
fn nothing_is_longer_or_as_long_for_being_compressed() {
    let mut noise = [0; 300];
    ChaCha8Rng::from_seed([1; 32]).fill_bytes(&mut noise);
    let mut as_long = 0;
    for at in 0..noise.len() {
        let mut payload = noise;
        payload[at..].fill(0);
        let plain = [&[Kind::User as u8], &payload[..]].concat();
        let mut compressed = Vec::new();
        lzw::put(&plain, &mut compressed);
        as_long += u32::from(compressed.len() == plain.len());
        let shorter = if compressed.len() < plain.len() { compressed } else { plain };
        assert!(packet(&COMPRESSING, &payload, None) == shorter, "{at}");
    }
    assert!(as_long > 0);
}

#[test]
fn streams_are_compressed_only_where_it_makes_them_shorter() {
    let mut noise = [0; 300];
    ChaCha8Rng::from_seed([1; 32]).fill_bytes(&mut noise);
    let mut as_long = 0;
    for at in 0..noise.len() {
        let mut payload = noise;
        payload[at..].fill(0);
        let stream = |setup: &Setup<'_>| {
            let mut wire = setup.wire();
            let mut writer = wire.begin_frame(&[]);
            writer.push(&Message::DeliveryHead(DeliveryHead { len: 300 }));
            writer.push(&Message::DeliveryPiece(&payload));
            wire.finish_frame(writer, &mut Channel::dialer())
        };
        let plain = stream(&PLAIN);
        let mut compressed = Vec::new();
        lzw::put(&plain, &mut compressed);
        as_long += u32::from(compressed.len() == plain.len());
        let shorter = if compressed.len() < plain.len() { compressed } else { plain.to_vec() };
        assert!(stream(&COMPRESSING) == shorter, "{at}");
    }
    assert!(as_long > 0);
}

/// All that can be around the messages of a packet is left room for, and no more. (W1)
#[test]
fn w1_a_full_packet_is_as_long_as_allowed() {
    const KEYS: &[&[u8]] = &[&[9; 32]];
    let mut options = PLAIN.options;
    options.protocol.current = PADDED_PROTOCOL;
    for (setup, len_min) in [
        (PLAIN, 1400),
        (Setup { label: "dc1", ..PLAIN }, 1400),
        (Setup { keys: KEYS, ..PLAIN }, 1400),
        (Setup { label: "dc1", keys: KEYS, ..PLAIN }, 1400),
        // As much as 15 bytes of padding are not needed.
        (Setup { label: "dc1", keys: KEYS, options, ..PLAIN }, 1385),
    ] {
        let mut wire = setup.wire();
        let capacity = wire.packet_capacity();
        let payload = [0; 1400];
        let [short, rest] = [5, capacity - 2 * 8 - 3].map(|len| Message::Direct(&payload[..len]));
        assert_eq!((wire.encoded_len(&short), wire.encoded_len(&rest)), (8, capacity - 2 * 8));
        let to = Receiver { name: named("a"), life: crate::stamp::Life::NONE, protocol_max: 5 };
        let mut writer = wire.begin_packet(Some(to));
        assert_eq!((writer.is_empty(), writer.encoded_len(&short)), (true, 8));
        assert!(writer.push(&short) && !writer.is_empty() && writer.push(&short));
        assert!(!writer.push(&Message::Direct(&payload[..capacity - 2 * 8 - 2])), "a byte more");
        assert!(writer.push(&rest) && !writer.push(&Message::Direct(&[])));
        let packet = wire.finish_packet(writer);
        assert_eq!(outcome(&mut setup.wire(), &packet), Ok(3));
        assert!((len_min..=1400).contains(&packet.len()), "{} for {:?}", packet.len(), setup.label);
    }
}

#[test]
fn a_packet_says_at_most_255_things() {
    let mut wire = PLAIN.wire();
    let mut writer = wire.begin_packet(None);
    let pushed = (0..300).filter(|_| writer.push(&Message::Direct(&[]))).count();
    assert_eq!(pushed, 255);
    assert_eq!(outcome(&mut PLAIN.wire(), &wire.finish_packet(writer)), Ok(255));
}

#[test]
fn a_label_is_written_once_by_who_dialed() {
    let mut wire = Setup { label: "dc1", ..PLAIN }.wire();
    let ack = Message::Ack(Ack { nonce: 1, digest: Digest::default(), payload: &[] });
    let mut first_byte = |channel: &mut Channel| {
        let mut writer = wire.begin_frame(&[]);
        assert!(writer.push(&ack));
        wire.finish_frame(writer, channel)[0]
    };
    let (mut dialer, mut listener) = (Channel::dialer(), Channel::listener());
    assert_eq!(first_byte(&mut dialer), Kind::Label as u8);
    assert_eq!(first_byte(&mut dialer), Kind::Ack as u8);
    assert_eq!(first_byte(&mut listener), Kind::Ack as u8);
}

#[test]
fn every_word_is_heard_as_it_was_said() {
    let (nonce, digest, stamp) = (7, Digest::default(), Stamp::new(0, 9));
    let addr = "10.1.2.4:7947".parse().unwrap();
    let versions = Versions {
        protocol: VersionRange { min: 1, max: 5, current: 2 },
        application: VersionRange { min: 2, max: 6, current: 4 },
    };
    let name = named("a");
    let alive = Alive { name, stamp, addr, mapped: false, versions, meta: b"meta" };
    let by = |from| Accusation { name, stamp, from: named(from) };
    let left = Departure { name, stamp, reason: LeaveReason::Graceful };
    for message in [
        Message::Ping(Ping { nonce, digest }),
        Message::IndirectPing(IndirectPing { nonce, target: Some(name), addr, nack: true }),
        Message::Ack(Ack { nonce, digest, payload: b"hi" }),
        Message::Ack(Ack { nonce, digest, payload: &[] }),
        Message::Nack(Nack { nonce }),
        Message::Claim(Claim::Alive(alive)),
        Message::Claim(Claim::Alive(Alive { meta: &[], ..alive })),
        Message::Claim(Claim::Suspect(by("b"))),
        Message::Claim(Claim::Dead(by("b"))),
        Message::Claim(Claim::Left(left)),
        // What looks like a list of numbers is the application's, and stays as it is.
        Message::Direct(&[0x81, 0xA1, b'a', 0x91, 5]),
    ] {
        let (packet, mut scratch, mut wire) = (packet_of(&message), Vec::new(), PLAIN.wire());
        let opened = wire.open_packet(None, &packet, &mut scratch).unwrap();
        assert_eq!(opened.messages[..], [message]);
    }
    let mut out = Vec::new();
    Leaf::Ack { seq: 7, payload: None }.put(&mut out);
    assert_eq!(packet_of(&Message::Ack(Ack { nonce, digest, payload: &[] })), out, "not empty");
    // Who is accused by nobody is accused by who says so, and has not left.
    let packet = packet_of(&Message::Claim(Claim::Dead(by("a"))));
    let mut scratch = Vec::new();
    let opened = PLAIN.wire().open_packet(None, &packet, &mut scratch).map(|it| it.messages[0]);
    assert_eq!(opened, Ok(Message::Claim(Claim::Dead(by(PLAIN.name)))));
}

/// The packet that says this and nothing else.
fn packet_of(message: &Message<'_>) -> Bytes {
    let mut wire = PLAIN.wire();
    let mut writer = wire.begin_packet(None);
    assert!(writer.push(message));
    wire.finish_packet(writer)
}
