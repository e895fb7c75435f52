//! Vectors made with Go's own codec: what it writes, and what it takes and refuses.

use alloc::{format, string::String};

use super::{
    super::{
        leaf::{IndirectPing, Leaf, Origin, Ping, Verdict},
        limits::NONCE_LEN,
        lists,
        unpack::Reader,
    },
    *,
};

const KEY: &[u8] = b"0123456789abcdef";
const NONCE: [u8; NONCE_LEN] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
const ACK: &str = "0282a75061796c6f6164c0a55365714e6f2a";
const VSN: &[u8] = &[1, 5, 2, 0, 0, 0];

const NODE_A: Origin<'static> = Origin { addr: &[10, 1, 2, 3], port: 7946, node: b"node-a" };

fn alive(incarnation: u32, meta: Option<&'static [u8]>) -> leaf::Alive<'static> {
    let Origin { addr, port, node } = NODE_A;
    leaf::Alive { incarnation, node, addr, port, meta, vsn: VSN }
}

#[test]
fn messages_are_written_and_read_as_go_does() {
    let verdict = |from| Verdict { incarnation: 7, node: b"node-b", from };
    let indirect = IndirectPing {
        seq: 42,
        target: &[10, 1, 2, 4],
        port: 7946,
        node: b"node-c",
        nack: true,
        source: NODE_A,
    };
    let cases = [
        (
            Leaf::Ping(Ping { seq: 42, node: b"node-b", source: NODE_A }),
            "0085a44e6f6465a66e6f64652d62a55365714e6f2aaa536f7572636541646472a40a010203aa536f7572\
             6365\
             4e6f6465a66e6f64652d61aa536f75726365506f7274cd1f0a",
        ),
        (
            Leaf::Ping(Ping { seq: 300, node: b"b", source: Origin::default() }),
            "0082a44e6f6465a162a55365714e6fcd012c",
        ),
        (
            Leaf::IndirectPing(indirect),
            "0188a44e61636bc3a44e6f6465a66e6f64652d63a4506f7274cd1f0aa55365714e6f2aaa536f75726365\
             4164\
             6472a40a010203aa536f757263654e6f6465a66e6f64652d61aa536f75726365506f7274cd1f0aa65461\
             7267\
             6574a40a010204",
        ),
        (Leaf::Ack { seq: 42, payload: None }, ACK),
        (Leaf::Ack { seq: 42, payload: Some(b"") }, "0282a75061796c6f6164a0a55365714e6f2a"),
        (
            Leaf::Ack { seq: 70_000, payload: Some(b"hi") },
            "0282a75061796c6f6164a26869a55365714e6fce00011170",
        ),
        (Leaf::Nack { seq: 42 }, "0b81a55365714e6f2a"),
        (Leaf::Error(b"boom"), "0d81a54572726f72a4626f6f6d"),
        (
            Leaf::Suspect(verdict(b"node-a")),
            "0383a446726f6da66e6f64652d61ab496e6361726e6174696f6e07a44e6f6465a66e6f64652d62",
        ),
        (
            Leaf::Dead(verdict(b"node-b")),
            "0583a446726f6da66e6f64652d62ab496e6361726e6174696f6e07a44e6f6465a66e6f64652d62",
        ),
        (
            Leaf::Alive(alive(1, None)),
            "0486a441646472a40a010203ab496e6361726e6174696f6e01a44d657461c0a44e6f6465a66e6f64652d\
             61a4\
             506f7274cd1f0aa356736ea6010502000000",
        ),
        (
            Leaf::Alive(alive(200, Some(b"m"))),
            "0486a441646472a40a010203ab496e6361726e6174696f6eccc8a44d657461a16da44e6f6465a66e6f64\
             652d\
             61a4506f7274cd1f0aa356736ea6010502000000",
        ),
    ];
    for (leaf, expected) in cases {
        let mut out = Vec::new();
        leaf.put(&mut out);
        assert_eq!(hex(&out), expected, "{leaf:?}");
        let read = Leaf::read(Kind::of(out[0]).unwrap(), &out[1..]);
        assert_eq!(read, Ok(Some(leaf)));
    }
}

/// The table of one member, with a state.
const PUSH_PULL: &str = "0683a44a6f696ec3a54e6f64657301ac5573657253746174654c656e0287a441646472a40\
a010203ab496e636172\
     6e6174696f6e01a44d657461c0a44e616d65a66e6f64652d61a4506f7274cd1f0aa5537461746500a356736ea601\
     05020000007573";

#[test]
fn what_streams_carry_is_written_as_go_does() {
    let head = |nodes, state_len, join| {
        let mut out = alloc::vec![Kind::PushPull as u8];
        push_pull::Head { nodes, state_len, join }.put(&mut out);
        hex(&out)
    };
    assert_eq!(head(2, 0, true), "0683a44a6f696ec3a54e6f64657302ac5573657253746174654c656e00");
    assert_eq!(
        head(200, 70_000, false),
        "0683a44a6f696ec2a54e6f646573d100c8ac5573657253746174654c656ed200011170"
    );
    let mut user = alloc::vec![Kind::User as u8];
    push_pull::put_delivery(2, &mut user);
    assert_eq!(hex(&user) + "6869", "0881aa557365724d73674c656e026869");
    let mut table = bytes(&head(1, 2, true));
    push_pull::Node { alive: alive(1, None), state: 0 }.put(&mut table);
    table.extend_from_slice(b"us");
    assert_eq!(hex(&table), PUSH_PULL);
}

#[test]
fn layers_are_those_of_go() {
    let ack = bytes(ACK);
    let mut compressed = Vec::new();
    lzw::put(b"hello", &mut compressed);
    assert_eq!(hex(&compressed), "0982a4416c676f00a3427566a800d19461c3e64d40");
    assert_eq!(hex(&checksum::head(&ack)), "0ced14719a");
    let suspect =
        bytes("0383a446726f6da66e6f64652d61ab496e6361726e6174696f6e07a44e6f6465a66e6f64652d62");
    let mut both = Vec::new();
    compound::put(&[18, 39], &[&ack[..], &suspect].concat(), &mut both);
    assert_eq!(hex(&both[..6]), "070200120027");
    assert_eq!(both[6..], [ack, suspect].concat());
}

fn sealing(version: u8, label: &str) -> Memberlist {
    let mut options = PLAIN.options;
    options.protocol.current = if version == 0 { 1 } else { 2 };
    Setup { label, keys: &[KEY], options, ..PLAIN }.wire()
}

#[test]
fn envelopes_are_those_of_go() {
    let ack = bytes(ACK);
    for (version, label, around, expected) in [
        (
            1,
            "",
            "",
            "01000102030405060708090a0bffbd634d7f0d57598942c7bf93fec1636ffd799da1c3d929a04b0abcb14\
             5f70b219a",
        ),
        (
            1,
            "dc1",
            "",
            "01000102030405060708090a0bffbd634d7f0d57598942c7bf93fec1636ffd7d0d620d6aa4b99ec2e7abc\
             aeccd5400",
        ),
        (
            0,
            "",
            "",
            "00000102030405060708090a0bffbd634d7f0d57598942c7bf93fec1636ffd59f409bd44457967e4fde1a\
             5a562d639d53686a9bf94f637ebd4060ecfcb",
        ),
        (
            1,
            "dc1",
            "0a0000002f",
            "01000102030405060708090a0bffbd634d7f0d57598942c7bf93fec1636ffd8008f9b408fad2fcc3446c7\
             317e80d03",
        ),
    ] {
        let mut wire = sealing(version, label);
        let around = [&bytes(around)[..], label.as_bytes()].concat();
        let sealing = wire.sealing.as_mut().unwrap();
        let mut out = Vec::new();
        sealing.seal_with(NONCE, &ack, &around, &mut out);
        assert_eq!(hex(&out), expected);
        assert_eq!(sealing.sealed_len(ack.len()), out.len());
        assert!(sealing.overhead() >= out.len() - ack.len());
        let mut plain = Vec::new();
        assert_eq!(sealing.open(&out, &around, None, &mut plain), Ok(()));
        assert_eq!(plain, ack);
        assert_eq!(sealing.open(&out, &around, None, &mut plain), Err(Reject::Replayed));
        assert_eq!(sealing.open(&out, b"dc2", None, &mut plain), Err(Reject::Decrypt));
    }
}

#[test]
fn whole_packets_of_go_are_read() {
    let mut wire = sealing(1, "dc1");
    for (version, packet) in [
        (
            1,
            "f40364633101000102030405060708090a0bf1d2d06c8476b991b8477e76affad4eda584328b49dc60b\
             638d25fb1084f292036685f7a210f69",
        ),
        (
            0,
            "f40364633100000102030405060708090a0bffbd634d7f0d57598942c7bf93fec1636ffd59f409bd4\
             4457967e4fde1a5a562d2a916f83524a6413e6cf15b1dc8ba51",
        ),
    ] {
        let mut fresh = sealing(version, "dc1");
        let (packet, mut scratch) = (bytes(packet), Vec::new());
        let opened = fresh.open_packet(None, &packet, &mut scratch).unwrap();
        let ack = Message::Ack(Ack { nonce: 42, digest: Digest::default(), payload: &[] });
        assert_eq!(opened.messages[..], [ack]);
        assert_eq!((opened.sender, opened.to), (None, To::Us));
    }
    let packet = bytes(
        "f40364633101000102030405060708090a0bf172294b5f7db992a94a6075c038f258666757eb03aa02fbd7a86\
         9fbfc81f7046e37f6454844718c09dc612cd2ec7c4dca2d",
    );
    let mut scratch = Vec::new();
    let opened = wire.open_packet(None, &packet, &mut scratch).unwrap();
    assert_eq!(opened.messages[..], [Message::Direct(&[b'A'; 60])]);
}

#[test]
fn whole_streams_of_go_are_read() {
    let compressed = "0982a4416c676f00a3427566da006b000d0c22a5e44d1a37c34a397943a6cc9c00acaacc2923\
     670a9d3074ca3029e346c0215241c89091434a4100010356257133268c1c3718d3bc7113805493321781917212a64\
     d19536e189669118614943772e834fba0a094458c65008cb232c78da900050400d85a674e40";
    let sealed = "f4036463310a0000009701000102030405060708090a0bf4bd605c721354364b64727c1a9bdb2d0d\
     db755fe3fe507cb423d38aac0d67f05ebb3522d9cdffcdf717d3544e44be67a3435b6ffce1d23548e888654424fa3\
     b836875533cc89952eff920c30c4d0f04de991fca5247236fb7daa8d9c38705dc90d578fd366d1787567f6779a6f1\
     522e725f428c5a4f5e06787ba5e0a4ac2f3109ccdcbabe8bb2a5240a";
    for (mut wire, stream) in
        [(PLAIN.wire(), PUSH_PULL), (PLAIN.wire(), compressed), (sealing(1, "dc1"), sealed)]
    {
        let (mut channel, mut scratch) = (Channel::listener(), Vec::new());
        let stream = bytes(stream);
        let mut chunk = &stream[..];
        let opened = wire.open_frame(None, &mut channel, &mut chunk, &mut scratch).unwrap();
        let opened = opened.unwrap();
        let Message::ExchangeHead(head) = opened.messages[0] else { panic!("{opened:?}") };
        assert_eq!((head.join, head.entries, head.state_len), (true, 1, 2));
        let Message::Entry(entry) = opened.messages[1] else { panic!("{opened:?}") };
        assert_eq!((entry.alive.name, entry.state), (named("node-a"), State::Alive));
        assert!(!opened.last);
        drop(opened);
        let opened = wire.open_frame(None, &mut channel, &mut chunk, &mut scratch).unwrap();
        let opened = opened.unwrap();
        assert_eq!((&opened.messages[..], opened.last), (&[Message::StatePiece(b"us")][..], true));
    }
}

#[test]
fn as_lenient_as_go_and_no_more() {
    let ping = |seq, node| Ok(Ping { seq, node, source: Origin::default() });
    let cases: [(&str, Result<Ping<'_>, Reject>); 17] = [
        ("9201a162", ping(1, b"b")),
        ("81a44e6f6465c40162", ping(0, b"b")),
        ("81a44e6f646593016263", ping(0, &[1, 0x62, 0x63])),
        ("81a44e6f646592cc8063", ping(0, &[0x80, 0x63])),
        ("81a44e6f64659361cd00ffc0", ping(0, &[0x61, 0xFF, 0])),
        ("929005", Err(Reject::Malformed)),
        ("81a44e6f646592cd010063", Err(Reject::Malformed)),
        ("c0", ping(0, b"")),
        ("80", ping(0, b"")),
        ("82a358595a93010203a55365714e6f05", ping(5, b"")),
        ("81a56e6f6465a162", ping(0, b"")),
        ("05", Err(Reject::Malformed)),
        ("", Err(Reject::Malformed)),
        ("81a55365714e6fcf0000000100000000", Err(Reject::Malformed)),
        ("81a55365714e6fff", Err(Reject::Malformed)),
        ("81a55365714e6fcb3ff0000000000000", Err(Reject::Malformed)),
        ("81a44e6f646501", Err(Reject::Malformed)),
    ];
    for (body, expected) in cases {
        let body = bytes(body);
        let plain = lists::body(&body);
        let read = Ping::read(&mut Reader::new(plain.as_deref().unwrap_or(&body)));
        assert_eq!(read, expected, "{}", hex(&body));
    }
}

/// Who accuses may be missing, or no name at all: that costs the accuser, and not the accusation.
#[test]
fn an_accusation_needs_no_accuser() {
    let rest = "ab496e6361726e6174696f6e07a44e6f6465a66e6f64652d62";
    let (name, stamp) = (named("node-b"), Stamp::new(0, 7));
    let long = String::from("a446726f6dd981") + &"61".repeat(129);
    for from in ["", "a446726f6da0", "a446726f6da1ff", "a446726f6da20a61", &long] {
        let fields = if from.is_empty() { "82" } else { "83" };
        for kind in ["03", "05"] {
            let packet = bytes(&[kind, fields, from, rest].concat());
            let (mut wire, mut scratch) = (PLAIN.wire(), Vec::new());
            let opened = wire.open_packet(None, &packet, &mut scratch).unwrap();
            let accusation = Accusation { name, stamp, from: name };
            let claim =
                if kind == "03" { Claim::Suspect(accusation) } else { Claim::Dead(accusation) };
            assert_eq!(opened.messages[..], [Message::Claim(claim)], "{from}");
        }
    }
    let nobody = bytes("0382a446726f6da161ab496e6361726e6174696f6e07");
    assert_eq!(outcome(&mut PLAIN.wire(), &nobody), Err(Reject::Text), "nobody is accused");
}

/// Below version 2 a cluster has one port, and a node that gives none has it in every version.
#[test]
fn a_port_is_believed_from_version_two_on() {
    let rest = |name: &str, port: &str| {
        format!(
            "a4{name}a16ba441646472a40a000001ab496e6361726e6174696f6e01a356736ea6010502000000\
             a4506f7274{port}"
        )
    };
    for (version, bind_port, port, expected) in [
        (2, None, "cd1234", 0x1234),
        (2, None, "00", 7946),
        (2, Some(8000), "00", 8000),
        (1, None, "cd1234", 7946),
        (1, Some(8000), "cd1234", 8000),
    ] {
        let mut options = MemberlistOptions { bind_port, ..PLAIN.options };
        options.protocol.current = version;
        let mut wire = Setup { options, ..PLAIN }.wire();
        let help = format!("0183a44e6f6465a16ba6546172676574a40a000001a4506f7274{port}");
        for packet in [String::from("0485") + &rest("4e6f6465", port), help] {
            let (packet, mut scratch) = (bytes(&packet), Vec::new());
            let opened = wire.open_packet(None, &packet, &mut scratch).unwrap();
            let addr = match opened.messages[0] {
                Message::Claim(Claim::Alive(alive)) => alive.addr,
                Message::IndirectPing(ping) => ping.addr,
                _ => panic!("{opened:?}"),
            };
            assert_eq!(addr.port(), expected, "version {version}");
        }
        let table = bytes(&(String::from("0681a54e6f6465730185") + &rest("4e616d65", port)));
        let (mut channel, mut scratch) = (Channel::listener(), Vec::new());
        let opened = wire.open_frame(None, &mut channel, &mut &table[..], &mut scratch).unwrap();
        let Message::Entry(entry) = opened.unwrap().messages[1] else { panic!("no entry") };
        assert_eq!(entry.alive.addr.port(), expected, "version {version}");
    }
}

/// Wherever they stand: in a packet alone, beside others, compressed, and in a table.
#[test]
fn bytes_as_a_list_of_numbers_are_bytes() {
    const LINE: &str = "a44e616d65a16ba4506f7274cd1f0aab496e6361726e6174696f6e01\
                        a356736ea6010502000000\
                        a44164647294ccc0cca80001";
    let claim = bytes(&(String::from("0485") + &LINE.replace("4e616d65", "4e6f6465")));
    let ack = bytes(ACK);
    let mut both = Vec::new();
    let lengths = [ack.len() as u16, claim.len() as u16, 0, 50];
    compound::put(&lengths, &[&ack[..], &claim].concat(), &mut both);
    let mut compressed = Vec::new();
    lzw::put(&claim, &mut compressed);
    let addr = "192.168.0.1:7946".parse().unwrap();
    let mut wire = PLAIN.wire();
    for (packet, at, refused) in [
        (&claim, 0, &[][..]),
        (&both, 1, &[Reject::Malformed, Reject::Truncated]),
        (&compressed, 0, &[]),
    ] {
        let mut scratch = Vec::new();
        let opened = wire.open_packet(None, packet, &mut scratch).unwrap();
        let Message::Claim(Claim::Alive(alive)) = opened.messages[at] else { panic!("{opened:?}") };
        assert_eq!((alive.name, alive.addr), (named("k"), addr));
        assert_eq!(opened.refused[..], *refused);
        assert!(wire.explain_packet(packet).messages.len() == at + 1);
    }
    let table =
        bytes(&(String::from("0682a54e6f64657301ac5573657253746174654c656e0285") + LINE + "7573"));
    let (mut channel, mut scratch) = (Channel::listener(), Vec::new());
    let opened = wire.open_frame(None, &mut channel, &mut &table[..], &mut scratch).unwrap();
    let opened = opened.unwrap();
    let Message::Entry(entry) = opened.messages[1] else { panic!("{opened:?}") };
    assert_eq!((entry.alive.name, entry.alive.addr), (named("k"), addr));
    let said = wire.explain_stream(&table, true);
    assert!(said[0].is_understood() && said[0].messages.len() == 3, "{said:?}");
    // What is packed may be written so, too.
    let packed = bytes("82a4416c676f00a34275669800ccd1cc9461ccc3cce64d40");
    let mut out = Vec::new();
    assert_eq!(lzw::open(&packed, 99, &mut out), Ok(()));
    assert_eq!(out, b"hello");
}
