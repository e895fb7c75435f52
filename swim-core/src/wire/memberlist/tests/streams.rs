//! Streams: what is written is read, whatever its size, and what is not well formed is refused as
//! a whole.

use alloc::{format, string::String};

use super::{
    super::extent::Inbound,
    hostile::changes,
    limits::{ENTRIES_PER_BATCH, SEALED_LEN_MAX},
    samples::{Place, runs},
    *,
};
use crate::wire::message::ExchangeHead;

/// Reads a stream, piece by piece; the first refusal ends it.
fn read(
    wire: &mut Memberlist,
    mut channel: Channel,
    stream: &[u8],
    mut each: impl FnMut(&Opened<'_>),
) -> Result<bool, Reject> {
    let mut scratch = Vec::new();
    for mut chunk in stream.chunks(16 * 1024) {
        while let Some(opened) = wire.open_frame(None, &mut channel, &mut chunk, &mut scratch)? {
            each(&opened);
        }
    }
    Ok(channel.has_received_all())
}

fn setups() -> [Setup<'static>; 3] {
    let compression = MemberlistOptions { compression: true, ..PLAIN.options };
    let keyed = Setup { label: "dc1", keys: &[&[9; 32]], ..PLAIN };
    [PLAIN, Setup { options: compression, ..PLAIN }, Setup { options: compression, ..keyed }]
}

#[test]
fn a_table_of_any_size_arrives_in_batches() {
    let names: Vec<String> = (0..1000).map(|n| format!("member-{n}")).collect();
    let state = alloc::vec![7; 200_000];
    for setup in setups() {
        let mut wire = setup.wire();
        let mut writer = wire.begin_frame(&[]);
        let (entries, state_len) = (1000, 200_000);
        writer.push(&Message::ExchangeHead(ExchangeHead { join: true, entries, state_len }));
        for (name, n) in names.iter().zip(0..) {
            let alive = Alive {
                name: named(name),
                stamp: Stamp::new(0, n),
                addr: "10.0.0.1:7946".parse().unwrap(),
                mapped: n.is_multiple_of(2),
                versions: Versions {
                    protocol: VersionRange { min: 1, max: 5, current: 2 },
                    application: VersionRange { min: 2, max: 5, current: 5 },
                },
                meta: b"",
            };
            let (state, stamp) = (State::Suspect, Stamp::new(0, n + 1));
            let entry = Entry { alive, state, stamp, reason: LeaveReason::Graceful };
            assert!(writer.push(&Message::Entry(entry)));
        }
        for piece in state.chunks(16 * 1024) {
            assert!(writer.push(&Message::StatePiece(piece)));
        }
        let mut dialer = Channel::dialer();
        let stream = wire.finish_frame(writer, &mut dialer);
        let (mut read_names, mut read_state, mut frames) = (Vec::new(), Vec::new(), 0);
        let is_over = read(&mut wire, Channel::listener(), &stream, |opened| {
            frames += 1;
            assert!(opened.messages.len() <= ENTRIES_PER_BATCH + 1);
            for message in &opened.messages {
                match message {
                    Message::Entry(entry) => {
                        let n = read_names.len() as u64;
                        assert_eq!(entry.stamp, Stamp::new(0, n + 1));
                        assert_eq!(entry.alive.mapped, n.is_multiple_of(2));
                        assert_eq!(entry.alive.addr, "10.0.0.1:7946".parse().unwrap());
                        read_names.push(String::from(entry.alive.name.as_str()));
                    }
                    Message::StatePiece(piece) => read_state.extend_from_slice(piece),
                    Message::ExchangeHead(head) => assert_eq!(head.entries, 1000),
                    other => panic!("{other:?}"),
                }
            }
        });
        assert_eq!((is_over, frames), (Ok(true), 8));
        assert_eq!((read_names, read_state.len()), (names.clone(), state.len()));
    }
}

#[test]
fn a_delivery_and_a_ping_arrive_whole() {
    let payload = alloc::vec![5; 100_000];
    for setup in setups() {
        let mut wire = setup.wire();
        let mut writer = wire.begin_frame(b"node-b");
        writer.push(&Message::DeliveryHead(DeliveryHead { len: 100_000 }));
        payload.chunks(16 * 1024).for_each(|piece| {
            writer.push(&Message::DeliveryPiece(piece));
        });
        let stream = wire.finish_frame(writer, &mut Channel::dialer());
        let mut len = 0;
        let is_over = read(&mut wire, Channel::listener(), &stream, |opened| {
            for message in &opened.messages {
                if let Message::DeliveryPiece(piece) = message {
                    len += piece.len();
                }
            }
        });
        assert_eq!((is_over, len), (Ok(true), 100_000));
        let ping = Message::Ping(Ping { nonce: 7, digest: Digest::default() });
        for (to, expected) in [("node-b", Ok(true)), ("other", Err(Reject::NotForUs))] {
            let mut writer = wire.begin_frame(to.as_bytes());
            assert!(writer.push(&ping));
            let stream = wire.finish_frame(writer, &mut Channel::dialer());
            assert_eq!(read(&mut wire, Channel::listener(), &stream, |_| {}), expected);
        }
    }
}

#[test]
fn each_malformed_stream_is_refused_for_its_fault() {
    let len = u32::try_from(SEALED_LEN_MAX).unwrap() + 1;
    let [longest, long] =
        [len - 1, len].map(|len| [&[Kind::Encrypt as u8][..], &len.to_be_bytes()].concat());
    let mut nested = Vec::new();
    lzw::put(&bytes("0982a4416c676f00a3427566a800d19461c3e64d40"), &mut nested);
    let mut empty = Vec::new();
    lzw::put(b"", &mut empty);
    let mut part = Vec::new();
    lzw::put(&bytes("0081a55365714e"), &mut part);
    let keyed = Setup { keys: &[&[9; 32]], ..PLAIN };
    for (setup, stream, expected) in [
        (&PLAIN, &[3, 0x80][..], Err(Reject::Misplaced)),
        (&PLAIN, &[99], Err(Reject::Malformed)),
        (&PLAIN, &[0, 0xC1], Err(Reject::Malformed)),
        (&PLAIN, &[10, 0, 0, 0, 50], Err(Reject::Sealed)),
        (&keyed, &[0, 0x80], Err(Reject::Plaintext)),
        (&keyed, &longest, Ok(false)),
        (&keyed, &long, Err(Reject::Oversize)),
        (&keyed, &[10, 0, 0, 0, 3, 1, 2, 3], Err(Reject::Truncated)),
        (&keyed, &[10, 0, 0, 0, 0], Err(Reject::Truncated)),
        (&PLAIN, &nested, Err(Reject::Misplaced)),
        (&PLAIN, &empty, Err(Reject::Truncated)),
        (&PLAIN, &part, Err(Reject::Truncated)),
        (&PLAIN, &bytes("0681a54e6f646573ff"), Err(Reject::Oversize)),
        (&PLAIN, &bytes("0681a54e6f646573ce00100001"), Err(Reject::Oversize)),
        (&PLAIN, &bytes("0681ac5573657253746174654c656ece01400001"), Err(Reject::Oversize)),
        (&PLAIN, &bytes("0881aa557365724d73674c656ece01400001"), Err(Reject::Oversize)),
        (&PLAIN, &bytes("0681a54e6f64657302"), Ok(false)),
        (&PLAIN, &bytes("0681a54e6f6465730105"), Err(Reject::Malformed)),
        (&PLAIN, &bytes("00dbffffffff"), Err(Reject::Oversize)),
        (&PLAIN, &bytes("f403646331"), Err(Reject::Label)),
    ] {
        let result = read(&mut setup.wire(), Channel::listener(), stream, |_| {});
        assert_eq!(result, expected, "{}", hex(stream));
    }
}

#[test]
fn a_bad_line_of_a_table_does_not_spoil_the_others() {
    let table = "0681a54e6f64657303";
    let good = "85a44e616d65a161a441646472a40a000001ab496e6361726e6174696f6e01a4506f727401\
                a356736ea6010502000000";
    let state = "81a5537461746509";
    let stream = bytes(&[table, good, state, good].concat());
    let (mut entries, mut refused) = (0, Vec::new());
    let is_over = read(&mut PLAIN.wire(), Channel::listener(), &stream, |opened| {
        entries += opened.messages.len() - 1;
        refused.extend_from_slice(&opened.refused);
    });
    assert_eq!((is_over, entries, &refused[..]), (Ok(true), 2, &[Reject::Malformed][..]));
}

#[test]
fn a_line_about_who_is_not_alive_needs_no_more_than_a_name_and_an_incarnation() {
    let line = |rest: &str| {
        let head = "0681a54e6f64657301";
        bytes(&[head, rest].concat())
    };
    let dead = "83ab496e6361726e6174696f6e07a44e616d65a66e6f64652d62a55374617465";
    for (state, meant) in [("01", State::Suspect), ("02", State::Dead), ("03", State::Left)] {
        let mut count = 0;
        let stream = line(&[dead, state].concat());
        let is_over = read(&mut PLAIN.wire(), Channel::listener(), &stream, |opened| {
            let Message::Entry(entry) = opened.messages[1] else { panic!("{opened:?}") };
            assert_eq!((entry.state, entry.stamp), (meant, Stamp::new(0, 7)));
            assert_eq!((entry.alive.name, entry.alive.addr.port()), (named("node-b"), 0));
            count += 1;
        });
        assert_eq!((is_over, count), (Ok(true), 1));
    }
    for (wrong, reject) in [
        // One that is alive, one under no incarnation, one without a name.
        ("83ab496e6361726e6174696f6e07a44e616d65a66e6f64652d62a5537461746500", Reject::Address),
        ("82a44e616d65a66e6f64652d62a5537461746502", Reject::Implausible),
        ("82ab496e6361726e6174696f6e07a5537461746502", Reject::Text),
    ] {
        let mut refused = Vec::new();
        let is_over = read(&mut PLAIN.wire(), Channel::listener(), &line(wrong), |opened| {
            refused.extend_from_slice(&opened.refused);
        });
        assert_eq!((is_over, &refused[..]), (Ok(true), &[reject][..]), "{wrong}");
    }
}

/// Memory for what came, not for what was announced.
#[test]
fn x11_a_stream_takes_no_more_than_it_brings() {
    let (mut wire, mut channel) = (PLAIN.wire(), Channel::listener());
    let head = bytes("0681ac5573657253746174654c656ece01000000");
    let piece = [&head[..], &[0; 60_000]].concat();
    let mut scratch = Vec::new();
    let opened = wire.open_frame(None, &mut channel, &mut &piece[..], &mut scratch);
    assert!(matches!(opened, Ok(None)));
    assert!(channel.memory() < 2 * piece.len());
}

/// As much as Go takes, where the configuration does: a head stands before it.
#[test]
fn a_message_and_a_state_of_twenty_mebibytes_are_read() {
    for head in ["0681ac5573657253746174654c656ece01400000", "0881aa557365724d73674c656ece01400000"]
    {
        let mut wire = PLAIN.wire();
        wire.inbound = Inbound { state_len_max: 20 << 20, message_len_max: 20 << 20 };
        let stream = [&bytes(head)[..], &alloc::vec![7; 20 << 20]].concat();
        let mut len = 0;
        let is_over = read(&mut wire, Channel::listener(), &stream, |opened| {
            for message in &opened.messages {
                if let Message::StatePiece(piece) | Message::DeliveryPiece(piece) = message {
                    len += piece.len();
                }
            }
        });
        assert_eq!((is_over, len), (Ok(true), 20 << 20));
    }
}

/// What the node would refuse as a whole is refused by its head.
#[test]
fn x11_what_is_too_long_is_refused_by_its_head() {
    for head in ["0681ac5573657253746174654c656ece01000001", "0881aa557365724d73674c656ece01000001"]
    {
        let (mut wire, mut channel) = (PLAIN.wire(), Channel::listener());
        let (head, mut scratch) = (bytes(head), Vec::new());
        let opened = wire.open_frame(None, &mut channel, &mut &head[..], &mut scratch);
        assert!(matches!(opened, Err(Reject::Oversize)), "{}", hex(&head));
    }
}

#[test]
fn x13_changed_streams_never_cause_a_panic() {
    let (mut fine, mut refused) = (0, 0);
    for run in runs() {
        for sample in run.samples.iter().filter(|sample| sample.place != Place::Packet) {
            if sample.envelope().is_some() || sample.bytes.len() > 700 {
                continue; // Only the seal would be tried.
            }
            for changed in changes(&sample.bytes) {
                let channel = match sample.place {
                    Place::Response => Channel::dialer(),
                    Place::Packet | Place::Request => Channel::listener(),
                };
                match read(&mut run.reader_of(sample), channel, &changed, |_| {}) {
                    Ok(_) => fine += 1,
                    Err(_) => refused += 1,
                }
            }
        }
    }
    assert!(fine > 1000 && refused > 1000, "{fine} {refused}");
}

/// Somebody else may take labels off: what is sealed has to do with them all the same.
#[test]
fn x5_streams_have_the_label_or_have_lost_it_to_somebody_before() {
    for keys in [&[][..], &[&[9; 32][..]]] {
        let labelled = Setup { label: "dc1", keys, ..PLAIN };
        let options = MemberlistOptions { skip_inbound_label_check: true, ..PLAIN.options };
        let stripped = Setup { options, ..labelled };
        let other = Setup { label: "dc2", ..stripped };
        let mut wire = labelled.wire();
        let mut writer = wire.begin_frame(&[]);
        writer.push(&Message::DeliveryHead(DeliveryHead { len: 2 }));
        writer.push(&Message::DeliveryPiece(b"hi"));
        let stream = wire.finish_frame(writer, &mut Channel::dialer());
        let heard = |setup: &Setup<'_>, stream: &[u8]| {
            read(&mut setup.wire(), Channel::listener(), stream, |_| {})
        };
        assert_eq!(heard(&labelled, &stream), Ok(true));
        assert_eq!(heard(&stripped, &stream), Err(Reject::Label));
        assert_eq!(heard(&stripped, &stream[5..]), Ok(true));
        assert_eq!(heard(&labelled, &stream[5..]), Err(Reject::Label));
        let is_sealed = !keys.is_empty();
        let of_others = if is_sealed { Err(Reject::Decrypt) } else { Ok(true) };
        assert_eq!(heard(&other, &stream[5..]), of_others);
    }
}
