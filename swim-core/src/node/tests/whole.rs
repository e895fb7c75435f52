//! A packet is taken as a whole or not at all. (S9)

use std::{format, string::String, vec, vec::Vec};

use super::{
    stage::Stage,
    words::{addr, alive, is_alive, is_dead, is_suspect},
};
use crate::{
    event::EventKind,
    reject::Reject,
    wire::{Alive, Claim, Digest, Message, Ping},
};

/// The bytes before the parts of a plain packet that carry its checksum.
const CHECKSUM: core::ops::Range<usize> = 6..10;

/// Appends bytes to a packet without a key, with the checksum they need.
fn with_part(packet: &[u8], part: &[u8]) -> Vec<u8> {
    let mut forged = [packet, part].concat();
    forged[CHECKSUM].fill(0);
    let checksum = crc32fast::hash(&forged);
    forged[CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
    forged
}

/// A part as it stands in a packet: kind, length, content.
fn part(kind: u8, content: &[u8]) -> Vec<u8> {
    let len = u16::try_from(content.len()).unwrap().to_le_bytes();
    [&[kind], &len[..], content].concat()
}

fn good(stage: &mut Stage) -> Vec<u8> {
    let claims = [is_suspect(1, (1, 1), 2), is_alive(9, 1, 1), Message::Direct(b"good")];
    stage.packet(2, &claims).to_vec()
}

#[test]
fn s9_what_is_forged_well_is_taken() {
    let mut stage = Stage::with(2, |_| {});
    let packet = good(&mut stage);
    stage.raw(addr(2), &with_part(&packet, &part(12, b"\x04more")));
    assert_eq!(stage.payloads(), ["good", "more"]);
    assert_eq!((stage.belief(1), stage.belief(9)), ("suspect 1.1".into(), "alive 1.1".into()));
}

#[test]
fn s9_a_packet_with_one_bad_part_changes_nothing_but_counters() {
    let nonce = [1; 8];
    let digest = [0; 13];
    let ping = part(1, &[&nonce[..], &digest].concat());
    let two_pings = [&ping[..], &ping].concat();
    let bad: [(&str, Vec<u8>, Reject); 15] = [
        ("half a header", vec![12], Reject::Malformed),
        ("a length beyond the end", vec![12, 9, 0, 1], Reject::Malformed),
        ("an empty ping", part(1, b""), Reject::Malformed),
        ("bytes after a message", part(12, b"\x01ab"), Reject::Malformed),
        ("an over-long number", part(12, b"\x81\x00a"), Reject::Malformed),
        ("a flag that is neither", part(11, b"\x02\x00"), Reject::Malformed),
        ("hashes cut short", part(11, b"\x00\x07abcdefg"), Reject::Malformed),
        ("an unknown reason", part(9, b"\x02p1\x01\x01\x09"), Reject::Malformed),
        ("an empty name", part(9, b"\x00\x01\x01\x00"), Reject::Text),
        ("a name with a line feed", part(9, b"\x02p\n\x01\x01\x00"), Reject::Text),
        ("a name that is no text", part(9, b"\x02\xFF\xFE\x01\x01\x00"), Reject::Text),
        (
            "a life beyond the range",
            {
                let life = b"\x80\x80\x80\x80\x80\x80\x40";
                part(9, &[b"\x02p1", &life[..], b"\x01\x00"].concat())
            },
            Reject::Implausible,
        ),
        ("a message of streams", part(37, b""), Reject::Misplaced),
        ("two pings", two_pings, Reject::Excess),
        (
            "a port of zero",
            {
                let addr = [4, 10, 0, 0, 9, 0, 0];
                part(6, &[b"\x02p7\x01\x01", &addr[..], &[1, 1, 1, 0, 0, 0, 0]].concat())
            },
            Reject::Address,
        ),
    ];
    for (what, part, reject) in bad {
        let mut stage = Stage::with(2, |_| {});
        let packet = good(&mut stage);
        let before = stage.essence();
        stage.raw(addr(2), &with_part(&packet, &part));
        assert_eq!(stage.essence(), before, "{what}");
        assert_eq!(stage.node.stats().rejected_for(reject), 1, "{what}");
        assert_eq!(stage.node.stats().rejected(), 1, "{what}");
        assert!(stage.sent.is_empty() && stage.payloads().is_empty(), "{what}");
    }
}

#[test]
fn s9_a_packet_cut_or_changed_anywhere_changes_nothing() {
    let mut stage = Stage::with(2, |_| {});
    let packet = good(&mut stage);
    let before = stage.essence();
    for len in 0..packet.len() {
        stage.raw(addr(2), &packet[..len]);
    }
    for at in 0..packet.len() {
        let mut changed = packet.clone();
        changed[at] ^= 1 << (at % 8);
        stage.raw(addr(2), &changed);
    }
    assert_eq!(stage.essence(), before);
    assert_eq!(stage.node.stats().rejected(), 2 * packet.len() as u64);
    stage.raw(addr(2), &packet);
    assert_eq!(stage.belief(1), "suspect 1.1", "the packet itself was good");
}

#[test]
fn w5_unknown_kinds_are_stepped_over_and_counted() {
    let mut stage = Stage::with(2, |_| {});
    let packet = good(&mut stage);
    let unknown = [part(77, b"from the future"), part(200, b"")].concat();
    stage.raw(addr(2), &with_part(&packet, &unknown));
    assert_eq!(stage.payloads(), ["good"]);
    assert_eq!(stage.belief(1), "suspect 1.1");
    assert_eq!((stage.node.stats().messages_unknown, stage.node.stats().rejected()), (2, 0));
}

#[test]
fn our_own_name_on_a_packet_is_believed_by_nobody() {
    let mut stage = Stage::with(2, |_| {});
    stage.named(3, "n");
    let before = stage.essence();
    stage.say(
        3,
        &[is_dead(1, (1, 1), 2), Message::Ping(Ping { nonce: 1, digest: Digest::default() })],
    );
    assert_eq!(stage.essence(), before);
    assert_eq!(stage.node.stats().rejected_for(Reject::OwnName), 1);
    assert!(stage.sent.is_empty());
}

#[test]
fn a_packet_for_somebody_else_is_not_ours() {
    let mut stage = Stage::with(2, |_| {});
    let mut other = Stage::new(|options| options.name = "other".into());
    let packet = other.packet(1, &[is_dead(1, (1, 1), 2)]);
    stage.raw(addr(1), &packet);
    assert_eq!(stage.node.stats().rejected_for(Reject::NotForUs), 1);
    assert_eq!(stage.belief(1), "alive 1.1");
}

#[test]
fn x16_refusals_are_reported_at_the_first_and_then_now_and_then() {
    let mut stage = Stage::with(1, |_| {});
    let reports = |stage: &Stage| -> Vec<(Reject, u64)> {
        let reports = stage.events.iter().filter_map(|event| match event {
            EventKind::Rejected { reject, count, .. } => Some((*reject, *count)),
            _ => None,
        });
        reports.collect()
    };
    for _ in 0..1000 {
        stage.raw(addr(3), b"");
    }
    assert_eq!(reports(&stage), [(Reject::Truncated, 1)]);
    stage.raw(addr(3), b"noise, and not even short");
    assert_eq!(reports(&stage)[1..], [(Reject::Version, 1)], "another kind");
    stage.run(core::time::Duration::from_secs(10));
    stage.raw(addr(3), b"");
    assert_eq!(reports(&stage)[2..], [(Reject::Truncated, 1000)], "with what came meanwhile");
    assert_eq!(stage.node.stats().rejected_for(Reject::Truncated), 1001);
}

#[test]
fn s9_claims_of_one_packet_are_applied_in_their_order() {
    let mut stage = Stage::with(2, |_| {});
    let meta = |meta, incarnation| {
        Message::Claim(Claim::Alive(Alive { meta, ..alive(1, 1, incarnation) }))
    };
    stage.say(
        2,
        &[is_suspect(1, (1, 1), 2), meta(b"a", 2), meta(b"b", 3), is_suspect(1, (1, 3), 2)],
    );
    let expected: [String; 5] = ["suspected", "recovered", "updated", "updated", "suspected"]
        .map(|word| format!("p1 {word}"));
    assert_eq!(stage.changes(), expected);
}
