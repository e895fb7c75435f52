//! What no correct peer sends, and what comes of it: a counted refusal, or messages that mean
//! something. Never a panic.

use super::{
    samples::{Place, runs},
    *,
};

/// An ack, as a message.
const ACK: &str = "0282a75061796c6f6164c0a55365714e6f2a";

/// A claim with these bytes as its address and its versions.
fn claim(addr: &[u8], vsn: &[u8], node: &[u8], meta_len: usize) -> Vec<u8> {
    claim_under(1, addr, vsn, node, meta_len)
}

/// The same under an incarnation.
fn claim_under(incarnation: u32, addr: &[u8], vsn: &[u8], node: &[u8], meta_len: usize) -> Vec<u8> {
    let meta = alloc::vec![b'm'; meta_len];
    let mut out = Vec::new();
    let alive = leaf::Alive { incarnation, node, addr, port: 1, meta: Some(&meta), vsn };
    Leaf::Alive(alive).put(&mut out);
    out
}

fn compressed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    lzw::put(message, &mut out);
    out
}

fn compound_of(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    let lengths: Vec<u16> = parts.iter().map(|part| u16::try_from(part.len()).unwrap()).collect();
    compound::put(&lengths, &parts.concat(), &mut out);
    out
}

#[test]
fn o2_w3_each_malformed_packet_is_refused_for_its_fault() {
    let ack = bytes(ACK);
    let mut cut = compound_of(&[&ack]);
    cut.pop();
    let mut bad_sum = [&checksum::head(&ack)[..], &ack].concat();
    bad_sum[4] ^= 1;
    let cases: [(&[u8], Reject); 30] = [
        (b"", Reject::Truncated),
        (&bytes("f4"), Reject::Truncated),
        (&bytes("f400"), Reject::Label),
        (&bytes("f4036463"), Reject::Truncated),
        (&bytes("f403646331"), Reject::Label),
        (&bad_sum, Reject::Checksum),
        (&[12, 0, 0, 0], Reject::Misplaced),
        (&[6, 0x80], Reject::Misplaced),
        (&[10, 0, 0, 0, 0], Reject::Misplaced),
        (&[13, 0x80], Reject::Misplaced),
        (&[14, 0x80], Reject::Malformed),
        (&[200], Reject::Malformed),
        (&[7], Reject::Truncated),
        (&[7, 2, 0, 1, 0], Reject::Truncated),
        (&cut, Reject::Truncated),
        (&[9, 0x80], Reject::Compression),
        (&[9, 0xC1], Reject::Malformed),
        (&compressed(&compressed(&ack)), Reject::Misplaced),
        (&compound_of(&[&compressed(&ack)]), Reject::Misplaced),
        (&compound_of(&[&compound_of(&[&ack])]), Reject::Misplaced),
        (&compound_of(&[b""]), Reject::Malformed),
        (&claim(&[10, 0, 0], &[1, 5, 2, 0, 0, 0], b"a", 0), Reject::Address),
        (&claim(&[0; 4], &[1, 5, 2, 0, 0, 0], b"a", 0), Reject::Address),
        (&claim(&[224, 0, 0, 1], &[1, 5, 2, 0, 0, 0], b"a", 0), Reject::Address),
        (&claim(&[255; 4], &[1, 5, 2, 0, 0, 0], b"a", 0), Reject::Address),
        (&claim(&[10, 0, 0, 1], &[1, 5, 2], b"a", 0), Reject::Version),
        (&claim(&[10, 0, 0, 1], &[3, 5, 2, 0, 0, 0], b"a", 0), Reject::Version),
        (&claim(&[10, 0, 0, 1], &[1, 5, 2, 0, 0, 0], b"a\n", 0), Reject::Text),
        (&claim(&[10, 0, 0, 1], &[1, 5, 2, 0, 0, 0], b"a", 513), Reject::Oversize),
        (&claim_under(0, &[10, 0, 0, 1], &[1, 5, 2, 0, 0, 0], b"a", 0), Reject::Implausible),
    ];
    for (packet, reject) in cases {
        assert_eq!(outcome(&mut PLAIN.wire(), packet), Err(reject), "{}", hex(packet));
    }
    assert_eq!(outcome(&mut PLAIN.wire(), &[0; 65_537]), Err(Reject::Oversize));
    assert_eq!(outcome(&mut PLAIN.wire(), &[Kind::User as u8; 65_536]), Ok(1));
    assert_eq!(outcome(&mut PLAIN.wire(), &ack), Ok(1));
    assert_eq!(outcome(&mut PLAIN.wire(), &compressed(&compound_of(&[&ack, &ack]))), Ok(2));
    assert_eq!(outcome(&mut PLAIN.wire(), &[7, 0]), Ok(0), "no parts are no fault");
    let longest = claim(&[10, 0, 0, 1], &[1, 5, 2, 0, 0, 0], b"a", 512);
    assert_eq!(outcome(&mut PLAIN.wire(), &longest), Ok(1));
    let listed = bytes("0b81955365714e6f2a");
    assert_eq!(outcome(&mut PLAIN.wire(), &listed), Ok(1), "`SeqNo` as a list of numbers");
}

#[test]
fn one_bad_part_does_not_spoil_the_others() {
    let ack = bytes(ACK);
    let bad = claim(&[10, 0, 0], &[1, 5, 2, 0, 0, 0], b"a", 0);
    let ping = bytes("0082a44e6f6465a162a55365714e6fcd012c");
    let mut packet = compound_of(&[&ack, &bad, b"", &ping, &[200], &ack]);
    packet.pop(); // The last one is cut off.
    let (mut wire, mut scratch) = (PLAIN.wire(), Vec::new());
    let opened = wire.open_packet(None, &packet, &mut scratch).unwrap();
    assert_eq!(opened.messages.len(), 1);
    let refused = [
        Reject::Address,
        Reject::Malformed,
        Reject::NotForUs,
        Reject::Malformed,
        Reject::Truncated,
    ];
    assert_eq!(opened.refused[..], refused);
}

/// Also where all of them are bad.
#[test]
fn each_bad_part_is_counted() {
    let bad = claim(&[10, 0, 0], &[1, 5, 2, 0, 0, 0], b"a", 0);
    let (mut wire, mut scratch) = (PLAIN.wire(), Vec::new());
    let packet = compound_of(&[&bad, &[200], &bad]);
    let opened = wire.open_packet(None, &packet, &mut scratch).unwrap();
    assert!(opened.messages.is_empty());
    assert_eq!(opened.refused[..], [Reject::Address, Reject::Malformed, Reject::Address]);
}

#[test]
fn o4_one_packet_gets_one_answer() {
    let ping = bytes("0081a55365714e6f05");
    let packet = compound_of(&[&ping[..]; 200]);
    let (mut wire, mut scratch) = (PLAIN.wire(), Vec::new());
    let opened = wire.open_packet(None, &packet, &mut scratch).unwrap();
    assert_eq!((opened.messages.len(), opened.refused.len()), (1, 199));
    assert!(opened.refused.iter().all(|&reject| reject == Reject::Excess));
}

/// What two packets were inflated into is kept by turns: by the wire and by whoever asked it.
#[test]
fn m2_the_room_of_long_packets_is_given_back() {
    const KEPT: usize = 4096;
    let mut wire = PLAIN.wire();
    let mut scratch = Vec::new();
    let mut open = |wire: &mut Memberlist, len| {
        let packet = compressed(&alloc::vec![Kind::User as u8; len]);
        wire.open_packet(None, &packet, &mut scratch).map(|opened| opened.messages.len())
    };
    assert_eq!((open(&mut wire, 200_000), open(&mut wire, 500)), (Ok(1), Ok(1)));
    assert!(wire.spare.capacity() >= 200_000, "{}", wire.spare.capacity());
    wire.ticked(KEPT);
    assert_eq!(wire.spare.capacity(), 0);
    assert_eq!((open(&mut wire, 500), open(&mut wire, 500)), (Ok(1), Ok(1)));
    let kept = wire.spare.as_ptr();
    wire.ticked(KEPT);
    assert_eq!(wire.spare.as_ptr(), kept, "what is short is kept");
}

#[test]
fn o6_x12_a_packet_is_inflated_so_far_only() {
    let user = |len| compressed(&alloc::vec![Kind::User as u8; len]);
    assert_eq!(outcome(&mut PLAIN.wire(), &user(256 << 10)), Ok(1));
    assert_eq!(outcome(&mut PLAIN.wire(), &user((256 << 10) + 1)), Err(Reject::Compression));
}

#[test]
fn x1_x5_what_others_could_have_sent_is_refused() {
    const KEY: &[u8] = b"0123456789abcdef";
    let options = PLAIN.options;
    let keyed = Setup { label: "dc1", keys: &[KEY], ..PLAIN };
    let ack = Message::Ack(Ack { nonce: 42, digest: Digest::default(), payload: &[] });
    let packet = |setup: &Setup<'_>| {
        let mut wire = setup.wire();
        let mut writer = wire.begin_packet(None);
        assert!(writer.push(&ack));
        wire.finish_packet(writer)
    };
    let sealed = packet(&keyed);
    assert_eq!(outcome(&mut keyed.wire(), &sealed), Ok(1));
    let labelled = packet(&Setup { label: "dc1", ..PLAIN });
    let other_key = Setup { label: "dc1", keys: &[&[9; 32]], ..PLAIN };
    for (setup, packet, reject) in [
        (&PLAIN, &sealed, Reject::Label),
        (&Setup { label: "dc2", ..keyed }, &sealed, Reject::Label),
        (&other_key, &sealed, Reject::Decrypt),
        (&keyed, &packet(&other_key), Reject::Decrypt),
        (&keyed, &packet(&PLAIN), Reject::Label),
        (&keyed, &labelled, Reject::Version),
    ] {
        assert_eq!(outcome(&mut setup.wire(), packet), Err(reject));
    }
    // The first step of a migration: both are taken, and nothing is sealed.
    let lenient = MemberlistOptions { verify_incoming: false, verify_outgoing: false, ..options };
    let lenient = Setup { options: lenient, ..keyed };
    assert_eq!(outcome(&mut lenient.wire(), &sealed), Ok(1));
    assert_eq!(outcome(&mut lenient.wire(), &labelled), Ok(1));
    assert_eq!(packet(&lenient), labelled);
    // Somebody else takes labels off.
    let stripped = MemberlistOptions { skip_inbound_label_check: true, ..options };
    let stripped = Setup { options: stripped, ..keyed };
    assert_eq!(outcome(&mut stripped.wire(), &sealed), Err(Reject::Label));
    assert_eq!(outcome(&mut stripped.wire(), &sealed[5..]), Ok(1));
    // A flipped version is not authenticated. Padded envelopes are taken only where somebody may
    // write them; and what it makes padding of is no padding.
    let mut flipped = sealed.to_vec();
    flipped[5] = 0;
    assert_eq!(outcome(&mut keyed.wire(), &flipped), Err(Reject::Version));
    let mixed = Setup { options: MemberlistOptions { accept_padded: true, ..options }, ..keyed };
    assert_eq!(outcome(&mut mixed.wire(), &flipped), Err(Reject::Decrypt));
    let mut old = options;
    old.protocol.current = PADDED_PROTOCOL;
    let old = Setup { options: old, ..keyed };
    let padded = packet(&old);
    assert_eq!(outcome(&mut keyed.wire(), &padded), Err(Reject::Version));
    assert_eq!(outcome(&mut mixed.wire(), &padded), Ok(1));
    assert_eq!(outcome(&mut old.wire(), &padded), Ok(1));
    assert_eq!(outcome(&mut old.wire(), &sealed), Ok(1), "the newer one is taken by all");
    // The same once more, by whoever recorded it.
    let mut wire = keyed.wire();
    assert_eq!(outcome(&mut wire, &sealed), Ok(1));
    assert_eq!(outcome(&mut wire, &sealed), Err(Reject::Replayed));
}

/// Every sample cut at every length, and with every byte changed in a few ways; sealed ones after
/// they were opened, for otherwise only the seal would be tried.
#[test]
fn x13_changed_packets_never_cause_a_panic() {
    let (mut fine, mut refused) = (0, 0);
    for run in runs() {
        for sample in run.samples.iter().filter(|sample| sample.place == Place::Packet) {
            let (mut wire, mut scratch) = (run.reader_of(sample), Vec::new());
            let message = wire.unwrap(None, &sample.bytes, &mut scratch).unwrap().to_vec();
            let version_at = wire.labelling.overhead();
            for changed in changes(&sample.bytes) {
                // All but the version is authentic.
                let is_tried = changed.get(version_at) != sample.bytes.get(version_at);
                let is_refused = outcome(&mut wire, &changed).is_err();
                assert!(is_refused || is_tried || sample.envelope().is_none());
            }
            for changed in changes(&message) {
                match wire.opened(&changed) {
                    Ok(opened) => {
                        fine += 1;
                        assert!(opened.messages.len() + opened.refused.len() <= 255);
                    }
                    Err(_) => refused += 1,
                }
            }
        }
    }
    assert!(fine > 10_000 && refused > 10_000, "{fine} {refused}");
}

/// The start of it at every length, and all of it with one byte changed.
pub(super) fn changes(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    let cuts = (0..bytes.len()).map(|len| bytes[..len].to_vec());
    let flips = (0..bytes.len()).flat_map(move |at| {
        [0x01, 0x80, 0xFF, bytes[at] ^ 0xDF, bytes[at] ^ 0xC0].into_iter().map(move |mask| {
            let mut changed = bytes.to_vec();
            changed[at] ^= mask;
            changed
        })
    });
    cuts.chain(flips)
}
