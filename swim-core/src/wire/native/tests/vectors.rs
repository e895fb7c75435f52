//! Bytes that never change: the examples in `docs/wire.md`, read from there and held against what
//! this code writes and reads.

use alloc::{borrow::ToOwned, collections::BTreeMap, format, string::String};

use super::*;
use crate::name::named;

const DOCUMENT: &str = include_str!("../../../../../docs/wire.md");

const DIGEST: Digest =
    Digest { members: 0x1122_3344_5566_7788, broadcasts: 0x99AA_BBCC, settled: true };
const NONCE: u64 = 0x0102_0304_0506_0708;
const PING: Message<'static> = Message::Ping(Ping { nonce: NONCE, digest: DIGEST });
const ACK: Message<'static> = Message::Ack(Ack { nonce: NONCE, digest: DIGEST, payload: b"rtt" });

fn carol() -> Alive<'static> {
    let range = |min, max, current| VersionRange { min, max, current };
    Alive {
        name: named("carol"),
        stamp: Stamp::new(1_799_999_000_000, 2),
        addr: "10.0.0.3:7946".parse().unwrap(),
        mapped: false,
        versions: Versions { protocol: range(1, 1, 1), application: range(2, 4, 3) },
        meta: b"dc=1",
    }
}

/// One message of every kind.
fn messages() -> [(&'static str, Message<'static>); 22] {
    let stamp = Stamp::new(1_799_999_000_000, 2);
    let (target, addr) = (Some(named("carol")), carol().addr);
    let indirect = IndirectPing { nonce: NONCE, target, addr, nack: true };
    let v6 = Alive { addr: "[2001:db8::3]:7946".parse().unwrap(), ..carol() };
    let accusation = Accusation { name: named("carol"), stamp, from: named("dave") };
    let reason = LeaveReason::Forced;
    let claim = Message::Claim;
    [
        ("Ping", PING),
        ("Ack", ACK),
        ("IndirectPing", Message::IndirectPing(indirect)),
        (
            "RelayedAck",
            Message::RelayedAck(RelayedAck { nonce: NONCE, target: named("carol"), stamp }),
        ),
        ("Nack", Message::Nack(Nack { nonce: NONCE })),
        ("Alive", claim(Claim::Alive(carol()))),
        ("Alive, IPv6", claim(Claim::Alive(v6))),
        ("Suspect", claim(Claim::Suspect(accusation))),
        ("Dead", claim(Claim::Dead(accusation))),
        ("Left", claim(Claim::Left(Departure { name: named("carol"), stamp, reason }))),
        (
            "Broadcast",
            Message::Broadcast(Broadcast {
                origin: named("carol"),
                life: 1_799_999_000_000,
                id: 300,
                age_millis: 1500,
                payload: b"deploy",
            }),
        ),
        (
            "BroadcastSummary",
            Message::BroadcastSummary(BroadcastSummary {
                reply: true,
                hashes: b"\x01\x02\x03\x04\x05\x06\x07\x08",
            }),
        ),
        ("Direct", Message::Direct(b"hello")),
        (
            "ExchangeHead",
            Message::ExchangeHead(ExchangeHead { join: true, entries: 3, state_len: 1000 }),
        ),
        (
            "Entry, suspect",
            Message::Entry(Entry {
                alive: carol(),
                state: State::Suspect,
                stamp: Stamp::new(1_799_999_000_000, 3),
                reason: LeaveReason::Graceful,
            }),
        ),
        (
            "Entry, removed",
            Message::Entry(Entry {
                alive: carol(),
                state: State::Left,
                stamp,
                reason: LeaveReason::Forced,
            }),
        ),
        ("StatePiece", Message::StatePiece(b"state")),
        ("DeliveryHead", Message::DeliveryHead(DeliveryHead { len: 5 })),
        ("DeliveryPiece", Message::DeliveryPiece(b"hello")),
        ("Delivered", Message::Delivered),
        ("Refused", Message::Refused(Refusal { text: "not now" })),
        ("Readdress", Message::Readdress),
    ]
}

/// A node whose sessions have the ids that the document names.
fn fixed_node(setup: Setup, name: &str) -> Native {
    let mut node = node(setup, name);
    if let Some(sealing) = &mut node.sealing {
        let key = sealing.keyring().primary().clone();
        let byte = name.as_bytes()[0];
        sealing.sessions_mut().fix(&key, setup.label.as_bytes(), [byte, byte + 1]);
    }
    node
}

fn hashes() -> Vec<(String, Vec<u8>)> {
    let key = Key::new(&[7; 32]).unwrap();
    let session = SessionId(*b"aaaaaaaa");
    let le = |number: u32| number.to_le_bytes().to_vec();
    Vec::from([
        ("label id of `prod`".to_owned(), le(label_id(&Label::new("prod").unwrap()))),
        ("key id of 32 bytes 07".to_owned(), le(key.id().0)),
        ("name hash of `bob`".to_owned(), le(NameHash::of(named("bob")).get())),
        ("session key".to_owned(), cipher::derive(&key, session, b"prod").to_vec()),
    ])
}

fn packets() -> Vec<(String, Vec<u8>)> {
    [("plain packet", PLAIN), ("sealed packet", SEALED)]
        .map(|(what, setup)| {
            let data = packet(&mut fixed_node(setup, "alice"), &[PING]);
            (what.to_owned(), data.to_vec())
        })
        .into()
}

fn streams() -> Vec<(String, Vec<u8>)> {
    let mut streams = Vec::new();
    for (what, setup) in [("plain", PLAIN), ("sealed", SEALED)] {
        let (mut alice, mut bob) = (fixed_node(setup, "alice"), fixed_node(setup, "bob"));
        let (mut dialer, mut listener) = (Channel::dialer(), Channel::listener());
        let question = frame(&mut alice, &mut dialer, &[PING], true);
        assert_eq!(frame_outcome(&mut bob, &mut listener, &question), Ok(1));
        let mut writer =
            bob.begin_frame(NOON, Sender { name: named("bob"), ..ALICE }, Some(TO_ALICE));
        writer.push(&ACK);
        let answer = bob.finish_frame(writer, &mut listener, true);
        assert_eq!(frame_outcome(&mut alice, &mut dialer, &answer), Ok(1));
        streams.push((format!("{what} stream, dialer"), question.to_vec()));
        streams.push((format!("{what} stream, listener"), answer.to_vec()));
    }
    streams
}

fn part_vectors() -> Vec<(String, Vec<u8>)> {
    let parts = messages().into_iter().map(|(what, message)| {
        let mut out = [0; 200];
        let len = parts::put(&message, &mut out).unwrap();
        (what.to_owned(), out[..len].to_vec())
    });
    parts.collect()
}

/// The vectors of the document by name. A vector is a row of a table, `| name | `hex` |`, or a
/// block fenced as `vector name`, with remarks behind `#`.
fn documented() -> BTreeMap<String, Vec<u8>> {
    let mut vectors = BTreeMap::new();
    let mut block: Option<(String, String)> = None;
    for line in DOCUMENT.lines() {
        match &mut block {
            Some((name, hex)) if line == "```" => {
                vectors.insert(name.clone(), from_hex(hex));
                block = None;
            }
            Some((_, hex)) => hex.push_str(line.split('#').next().unwrap_or_default()),
            None => {
                if let Some(name) = line.strip_prefix("```vector ") {
                    block = Some((name.to_owned(), String::new()));
                } else if let Some((name, hex)) = table_row(line) {
                    vectors.insert(name.to_owned(), from_hex(hex));
                }
            }
        }
    }
    vectors
}

fn table_row(line: &str) -> Option<(&str, &str)> {
    let row = line.strip_prefix("| ")?.strip_suffix("` |")?;
    let (name, hex) = row.split_once(" | `")?;
    hex.chars().all(|c| c.is_ascii_hexdigit() || c == ' ').then_some((name, hex))
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|d| d as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

#[test]
fn w5_the_documented_bytes_are_those_written() {
    let documented = documented();
    for (name, bytes) in [hashes(), packets(), streams(), part_vectors()].concat() {
        let found = documented.get(&name).map(|bytes| to_hex(bytes));
        assert_eq!(found, Some(to_hex(&bytes)), "{name}");
    }
}

#[test]
fn w5_the_documented_bytes_are_read_as_documented() {
    let documented = documented();
    for (what, message) in messages() {
        let place =
            if Kind::of(&message).belongs_in(Place::Packet) { Place::Packet } else { Place::Frame };
        let (read, unknown) = parts::read(&documented[what], place, PROTOCOL).unwrap();
        assert_eq!((&read[..], unknown), (&[message][..], 0), "{what}");
    }
    for (name, setup) in [("plain packet", PLAIN), ("sealed packet", SEALED)] {
        let (mut bob, mut scratch) = (node(setup, "bob"), Vec::new());
        let opened = bob.open_packet(NOON, &documented[name], &mut scratch).unwrap();
        assert_eq!((opened.sender, opened.to), (Some(ALICE), To::Us));
        assert_eq!(opened.messages.to_vec(), [PING]);
    }
}

#[test]
fn w5_the_documented_streams_are_read_as_documented() {
    let documented = documented();
    for (what, setup) in [("plain", PLAIN), ("sealed", SEALED)] {
        let (mut alice, mut bob) = (fixed_node(setup, "alice"), fixed_node(setup, "bob"));
        let (mut dialer, mut listener) = (Channel::dialer(), Channel::listener());
        frame(&mut alice, &mut dialer, &[PING], true);
        let question = &documented[&format!("{what} stream, dialer")];
        assert_eq!(frame_outcome(&mut bob, &mut listener, question), Ok(1));
        let answer = &documented[&format!("{what} stream, listener")];
        assert_eq!(frame_outcome(&mut alice, &mut dialer, answer), Ok(1));
        assert!(dialer.has_received_all() && listener.has_received_all());
    }
}

/// Only read: the block is the compressor's choice.
#[test]
fn w5_the_documented_compressed_frame_is_read_as_documented() {
    let (mut bob, mut scratch) = (node(PLAIN, "bob"), Vec::new());
    let mut chunk = &documented()["compressed frame"][..];
    let opened = bob.open_frame(NOON, &mut Channel::listener(), &mut chunk, &mut scratch);
    let messages = opened.unwrap().unwrap().messages;
    assert_eq!(messages[..], [Message::StatePiece(&[0; 300])]);
}
