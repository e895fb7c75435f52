//! `swim decode` as its users meet it: real traffic of Go's agents, the vectors of `docs/wire.md`,
//! captures, and what can't be read.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use etherparse::PacketBuilder;
use serde_json::{Value, json};

use crate::harness::{KEY, swim};

/// The key of the vectors.
const SEVENS: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
const MEMBERLIST: [&str; 3] = ["decode", "--dialect", "memberlist"];
const NATIVE: [&str; 3] = ["decode", "--label", "prod"];
/// Runs of Go's agents.
const RUNS: [&str; 10] = [
    "ml060-label-aes256",
    "ml060-label",
    "ml060-plain",
    "ml060-proto1-aes128-pkcs7",
    "serf010-aes256-rekey",
    "serf010-plain",
    "serf094-aes128-nocompress",
    "serf094-aes256-rekey",
    "serf094-plain-nocompress",
    "serf094-plain",
];

/// What it printed, line by line, and its exit status.
fn decoded(args: &[&str]) -> (Vec<Value>, i32) {
    let output = swim(args).output().unwrap();
    (lines(&output), output.status.code().unwrap())
}

fn lines(output: &Output) -> Vec<Value> {
    let text = str::from_utf8(&output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn kinds(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["kind"].as_str().unwrap()).collect()
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().into()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().as_chunks::<2>().0;
    let byte = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.iter().map(byte).collect()
}

/// The digits of a vector of `docs/wire.md`.
fn vector(name: &str) -> String {
    let text = fs::read_to_string(repository().join("docs/wire.md")).unwrap();
    let (_, text) = text.split_once(&format!("```vector {name}\n")).unwrap();
    let (block, _) = text.split_once("```").unwrap();
    let digits = block.lines().flat_map(|line| line.split('#').next().unwrap().split(' '));
    digits.collect()
}

/// `packet`, `request` or `response`, the digits, and the kinds of the messages.
type Sample = (String, String, Vec<&'static str>);

/// The flags of a run of Go's agents, and its samples.
fn golden(name: &str) -> (Vec<String>, Vec<Sample>) {
    let path = format!("swim-core/tests/golden/memberlist/{name}.txt");
    let text = fs::read_to_string(repository().join(path)).unwrap();
    let mut flags: Vec<String> = MEMBERLIST.map(Into::into).into();
    let mut samples: Vec<Sample> = Vec::new();
    for line in text.lines() {
        let (word, rest) = line.split_once(' ').unwrap();
        match word {
            "label" if rest != "-" => flags.extend(["--label".into(), rest.into()]),
            "keys" => {
                for key in rest.split(' ').filter(|key| *key != "-") {
                    flags.extend(["--key".into(), STANDARD.encode(bytes(key))]);
                }
            }
            "packet" | "request" | "response" => {
                samples.push((word.into(), String::new(), Vec::new()));
            }
            "hex" => samples.last_mut().unwrap().1 = rest.into(),
            "=" if rest != "state -" => {
                let called = rest.split(' ').next().unwrap();
                let (_, kind) = KINDS.iter().find(|(theirs, _)| *theirs == called).unwrap();
                samples.last_mut().unwrap().2.push(kind);
            }
            _ => {}
        }
    }
    (flags, samples)
}

/// What a golden file calls a message, and what `swim decode` does.
const KINDS: [(&str, &str); 12] = [
    ("ping", "ping"),
    ("indirect-ping", "indirect_ping"),
    ("ack", "ack"),
    ("nack", "nack"),
    ("suspect", "suspect"),
    ("alive", "alive"),
    ("dead", "dead"),
    ("user", "user"),
    ("error", "error"),
    ("push-pull", "push_pull"),
    ("node", "node"),
    ("state", "user_state"),
];

/// All samples of a run in one capture: packets as datagrams, streams as connections, each of its
/// own client. It says what the samples say.
#[test]
fn a_capture_of_real_agents_says_what_its_packets_and_streams_say() {
    for run in RUNS {
        let (flags, samples) = golden(run);
        let mut frames = Vec::new();
        let mut expected = Vec::new();
        let mut client = ([10, 0, 0, 9], 20_000);
        for (place, hex, says) in &samples {
            let payload = bytes(hex);
            expected.extend(says);
            match place.as_str() {
                "packet" => frames.push(udp_frame(&payload)),
                "request" => {
                    client.1 += 1;
                    frames.push(tcp_frame(client, A, 99, true, b""));
                    let segments = payload.chunks(1_400).zip((100..).step_by(1_400));
                    frames
                        .extend(segments.map(|(part, seq)| tcp_frame(client, A, seq, false, part)));
                }
                _ => {
                    let segments = payload.chunks(1_400).zip((500..).step_by(1_400));
                    frames
                        .extend(segments.map(|(part, seq)| tcp_frame(A, client, seq, false, part)));
                }
            }
        }
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let (lines, status) = captured(&flags, &pcap(1, &frames));
        // Streams are told when they end, after the packets that came meanwhile.
        let mut told = kinds(&lines);
        told.sort_unstable();
        expected.sort_unstable();
        assert_eq!((told, status), (expected, 0), "{run}");
        assert!(lines.iter().any(|line| line["transport"] == "tcp"), "{run}");
    }
}

#[test]
fn traffic_of_real_agents_is_explained() {
    for run in RUNS {
        let (flags, samples) = golden(run);
        // A process for each: every third is enough here, and the capture has them all.
        for (place, hex, says) in samples.iter().step_by(3) {
            let mut args: Vec<&str> = flags.iter().map(String::as_str).collect();
            match place.as_str() {
                "packet" => args.push(hex),
                "request" => args.extend(["--stream", hex]),
                _ => args.extend(["--stream", "", hex]),
            }
            let (lines, status) = decoded(&args);
            assert_eq!((kinds(&lines), status), (says.clone(), 0), "{run}: {place} {hex}");
        }
    }
}

/// The same bytes as digits in the command line, in a file, on standard input, and as they are.
#[test]
fn bytes_are_taken_from_wherever_they_are() {
    let hex = vector("plain packet");
    let file = |name: &str, content: &[u8]| {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("decode-{name}"));
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (expected, _) = decoded(&[&NATIVE[..], &[&hex]].concat());
    assert_eq!(kinds(&expected), ["ping"]);
    for path in [file("digits", hex.as_bytes()), file("bytes", &bytes(&hex))] {
        let (lines, status) = decoded(&[&NATIVE[..], &[&path]].concat());
        assert_eq!((&lines, status), (&expected, 0), "{path}");
    }
    for content in [hex.as_bytes(), &bytes(&hex)] {
        assert_eq!(captured(&NATIVE, content), (expected.clone(), 0));
    }
    let [request, answer] = ["plain stream, dialer", "plain stream, listener"].map(vector);
    let stream = file("request", &bytes(&request));
    let (lines, status) = decoded(&[&NATIVE[..], &["--stream", &stream, &answer]].concat());
    assert_eq!((kinds(&lines), status), (vec!["ping", "ack"], 0));
}

#[test]
fn a_message_is_one_object_with_its_layers_and_fields() {
    let (lines, status) = decoded(&[&MEMBERLIST[..], &["0b81a5 5365:714e6f07"]].concat());
    let nack = json!({"kind": "nack", "at": 0, "layers": [], "fields": {"seq_no": 7}});
    assert_eq!((lines, status), (vec![nack], 0));

    let (flags, samples) = golden("ml060-label-aes256");
    let args: Vec<&str> = flags.iter().map(String::as_str).chain([samples[0].1.as_str()]).collect();
    let (lines, status) = decoded(&args);
    let alive = json!({
        "kind": "alive",
        "layers": [
            {"layer": "label", "at": 0, "label": "blue"},
            {"layer": "envelope", "at": 6, "version": 1, "nonce": "e8cbd7ac94e484e9ee1bb339",
             "key_id": "01c481db"},
            {"layer": "checksum", "at": 19, "crc32": "69ceef16"},
            {"layer": "compression", "at": 24, "algorithm": "lzw", "inflated_len": 310},
            {"layer": "compound", "parts": 4},
        ],
        "fields": {"incarnation": 1, "node": "charlie", "addr": "127.0.0.23", "port": 7946,
            "meta": "meta of charlie", "vsn": [1, 5, 2, 0, 0, 0]},
    });
    assert_eq!((lines.len(), &lines[0], status), (4, &alive, 0));
}

/// Behind what takes labels off, only what is sealed still has to do with them.
#[test]
fn what_was_captured_without_its_label_is_explained() {
    let (flags, samples) = golden("ml060-label-aes256");
    for (place, stream) in [("packet", false), ("request", true)] {
        let (_, hex, says) = samples.iter().find(|sample| sample.0 == place).unwrap();
        let stripped = hex.strip_prefix("f404626c7565").expect("the label `blue`");
        let mut args: Vec<&str> = flags.iter().map(String::as_str).collect();
        args.extend(stream.then_some("--stream"));
        let (lines, status) = decoded(&[&args[..], &[stripped]].concat());
        assert_eq!((&lines[0]["refused"], status), (&json!("label"), 1), "{place}");
        args.push("--skip-inbound-label-check");
        let (lines, status) = decoded(&[&args[..], &[stripped]].concat());
        assert_eq!((kinds(&lines), status), (says.clone(), 0), "{place}: {lines:?}");
        let (lines, status) = decoded(&[&args[..], &[hex.as_str()]].concat());
        assert_eq!((&lines[0]["refused"], status), (&json!("label"), 1), "{place}");
    }
}

#[test]
fn native_packets_are_explained_sealed_or_not() {
    let (lines, status) = decoded(&[&NATIVE[..], &[&vector("plain packet")]].concat());
    let layers = |header: Value, at: usize| {
        json!([header, {"layer": "preamble", "at": at, "protocol": 1, "time": 1_800_000_000,
            "to": "c6daa5c0", "to_life": 1_799_999_990_000_u64, "sender": "alice",
            "life": 1_799_999_999_000_u64, "incarnation": 3}])
    };
    let ping = |at: usize, layers: Value| {
        json!({"kind": "ping", "at": at, "layers": layers, "fields": {
            "nonce": 0x0102_0304_0506_0708_u64, "digest_members": 0x1122_3344_5566_7788_u64,
            "digest_broadcasts": 0x99AA_BBCC_u32, "digest_settled": true}})
    };
    let header = json!({"layer": "header", "at": 0, "version": 129, "sealed": false, "last": false,
        "compressed": false, "label_id": "37912e10", "checksum": "9b1d6324"});
    assert_eq!((lines, status), (vec![ping(38, layers(header, 10))], 0));

    let (lines, status) = decoded(
        &[&NATIVE[..], &["--key", KEY, "--key", SEVENS, &vector("sealed packet")]].concat(),
    );
    let header = json!({"layer": "header", "at": 0, "version": 129, "sealed": true, "last": false,
        "compressed": false, "label_id": "37912e10", "key_id": "265a46cf",
        "session": "6161616161616161", "counter": 0});
    assert_eq!((lines, status), (vec![ping(50, layers(header, 22))], 0));
}

#[test]
fn native_streams_are_explained_with_their_answers() {
    for (way, flags) in [("plain", &[][..]), ("sealed", &["--key", SEVENS][..])] {
        let [request, answer] =
            ["dialer", "listener"].map(|side| vector(&format!("{way} stream, {side}")));
        let args = [&NATIVE[..], flags, &["--stream", &request]].concat();
        let (lines, status) = decoded(&args);
        assert_eq!((kinds(&lines), status), (vec!["ping"], 0));
        let (lines, status) = decoded(&[&args[..], &[&answer]].concat());
        assert_eq!((kinds(&lines), status), (vec!["ping", "ack"], 0), "{way}");
        assert_eq!(lines[1]["fields"]["payload"], "rtt");
        // As a packet it is none, and half of it is no stream.
        let (lines, status) = decoded(&[&NATIVE[..], flags, &[&request]].concat());
        assert_eq!((&lines[0]["refused"], status), (&json!("version"), 1));
        let half = &request[..40];
        let (lines, status) = decoded(&[&NATIVE[..], flags, &["--stream", half]].concat());
        let refusal = (&lines[0]["refused"], &lines[0]["layer"], &lines[0]["at"], status);
        assert_eq!(refusal, (&json!("truncated"), &json!("frame"), &json!(0), 1));
    }
    let (lines, _) = decoded(&[&NATIVE[..], &["--stream", &vector("compressed frame")]].concat());
    assert_eq!(kinds(&lines), ["state_piece"]);
}

#[test]
fn what_is_refused_says_where_and_why() {
    let (plain, sealed) = (vector("plain packet"), vector("sealed packet"));
    let wrong_label = ["decode", "--label", "test", &plain];
    let keyed = [&NATIVE[..], &["--key", SEVENS]].concat();
    let (flags, samples) = golden("ml060-label-aes256");
    let golden = [&MEMBERLIST[..], &["--label", "blue", "--key", SEVENS, &samples[0].1]].concat();
    let unlabelled = [&MEMBERLIST[..], &["--key", &flags[6], &samples[0].1]].concat();
    let cases: [(&[&str], &str, &str, Option<u64>); 9] = [
        (&wrong_label, "label", "header", Some(2)),
        (&[&NATIVE[..], &[&sealed]].concat(), "sealed", "header", Some(1)),
        (&[&keyed[..], &[&plain]].concat(), "plaintext", "header", Some(1)),
        (&[&NATIVE[..], &["--key", KEY, &sealed]].concat(), "unknown_key", "seal", Some(22)),
        (&[&keyed[..], &[&sealed[..100]]].concat(), "decrypt", "seal", Some(22)),
        (&[&NATIVE[..], &[&plain[..10]]].concat(), "truncated", "header", Some(5)),
        (&golden, "decrypt", "envelope", Some(6)),
        (&unlabelled, "label", "label", Some(0)),
        (&[&MEMBERLIST[..], &["63"]].concat(), "malformed", "message", Some(0)),
    ];
    for (args, refused, layer, at) in cases {
        let (lines, status) = decoded(args);
        assert_eq!(status, 1, "{args:?}");
        assert_eq!(lines.len(), 1, "{lines:?}");
        let line = &lines[0];
        let said = (&line["refused"], &line["layer"], line["at"].as_u64());
        assert_eq!(said, (&json!(refused), &json!(layer), at), "{line}");
        assert!(line["reason"].as_str().is_some_and(|reason| reason.len() > 10), "{line}");
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    let cases: [(&[&str], &str); 5] = [
        (&["decode", "abc"], "the number of hexadecimal digits is odd"),
        (&["decode", "no such file"], "neither hexadecimal digits nor the name of a file"),
        (&["decode", "--key", "c2hvcnQ=", "00"], "--key: "),
        (&["decode", "--label", "a\nb", "00"], "--label "),
        (&["decode", "--dialect", "serf", "00"], "expected one of native, memberlist"),
    ];
    for (args, expected) in cases {
        let output = swim(args).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert!(said.contains(expected) && output.stdout.is_empty(), "{args:?}: {said}");
    }
}

/// A pcap file of these frames.
fn pcap(link: u32, frames: &[Vec<u8>]) -> Vec<u8> {
    let head = [0xA1B2_C3D4, 0x0004_0002, 0, 0, 65_535, link];
    let mut file: Vec<u8> = head.iter().flat_map(|number: &u32| number.to_le_bytes()).collect();
    for (second, frame) in (1_800_000_000_u32..).zip(frames) {
        let len = u32::try_from(frame.len()).unwrap();
        for number in [second, 250_000, len, len] {
            file.extend_from_slice(&number.to_le_bytes());
        }
        file.extend_from_slice(frame);
    }
    file
}

/// What it prints about a file given on standard input.
fn captured(args: &[&str], file: &[u8]) -> (Vec<Value>, i32) {
    let mut command = swim(&[args, &["-"]].concat());
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(file).unwrap();
    let output = child.wait_with_output().unwrap();
    (lines(&output), output.status.code().unwrap())
}

const A: ([u8; 4], u16) = ([10, 0, 0, 1], 7946);
const B: ([u8; 4], u16) = ([10, 0, 0, 2], 40_000);

fn udp_frame(payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    let builder = PacketBuilder::ethernet2([1; 6], [2; 6]).ipv4(A.0, B.0, 64).udp(A.1, B.1);
    builder.write(&mut frame, payload).unwrap();
    frame
}

fn tcp_frame(
    from: ([u8; 4], u16),
    to: ([u8; 4], u16),
    seq: u32,
    syn: bool,
    payload: &[u8],
) -> Vec<u8> {
    let mut frame = Vec::new();
    let builder = PacketBuilder::ethernet2([1; 6], [2; 6]).ipv4(from.0, to.0, 64);
    let builder = builder.tcp(from.1, to.1, seq, 1000);
    let builder = if syn { builder.syn() } else { builder.ack(1) };
    builder.write(&mut frame, payload).unwrap();
    frame
}

#[test]
fn a_capture_is_explained_frame_by_frame_with_streams_put_together() {
    let [request, answer] =
        ["sealed stream, dialer", "sealed stream, listener"].map(|name| bytes(&vector(name)));
    let (head, tail) = request.split_at(30);
    let mut file = pcap(
        1,
        &[
            udp_frame(&bytes(&vector("sealed packet"))),
            tcp_frame(B, A, u32::MAX, true, b""),
            tcp_frame(B, A, 30, false, tail),
            tcp_frame(B, A, 0, false, head),
            tcp_frame(A, B, 500, false, &answer),
            udp_frame(&bytes(&vector("sealed packet"))),
        ],
    );
    let args = [&NATIVE[..], &["--key", SEVENS]].concat();
    let (lines, status) = captured(&args, &file);
    assert_eq!(status, 0, "{lines:?}");
    assert_eq!(kinds(&lines), ["ping", "ping", "ping", "ack"], "the same packet may come twice");
    let origin = |line: &Value| {
        ["time", "transport", "source", "destination"]
            .map(|key| line[key].as_str().unwrap().to_owned())
    };
    let expected = ["2027-01-15T08:00:00.250Z", "udp", "10.0.0.1:7946", "10.0.0.2:40000"];
    assert_eq!(origin(&lines[0]), expected);
    let expected = ["2027-01-15T08:00:02.250Z", "tcp", "10.0.0.2:40000", "10.0.0.1:7946"];
    assert_eq!(origin(&lines[2]), expected);
    let (lines, status) = captured(&[&args[..], &["--port", "7947"]].concat(), &file);
    assert_eq!((lines.len(), status), (0, 0));
    // A frame that is cut off can't be understood; those before it can.
    file.truncate(file.len() - 1);
    let (lines, status) = captured(&args, &file);
    assert_eq!((kinds(&lines), status), (vec!["ping", "ping", "ack"], 1));
}

#[test]
fn captures_of_every_kind_of_link_are_read() {
    let packet = bytes(&vector("plain packet"));
    let ethernet = udp_frame(&packet);
    let raw = ethernet[14..].to_vec();
    let mut six = Vec::new();
    let ends = PacketBuilder::ipv6([1; 16], [2; 16], 64).udp(1, 2);
    ends.write(&mut six, &packet).unwrap();
    let cooked = [&[0; 14][..], &[0x08, 0], &raw].concat();
    let cooked_2 = [&[0x86, 0xDD][..], &[0; 18], &six].concat();
    let cases = [
        (1, ethernet),
        (101, raw.clone()),
        (101, six),
        (113, cooked),
        (276, cooked_2),
        (0, [&[2, 0, 0, 0][..], &raw].concat()),
    ];
    for (link, frame) in cases {
        let (lines, status) = captured(&NATIVE, &pcap(link, &[frame]));
        assert_eq!((kinds(&lines), status), (vec!["ping"], 0), "{link}");
    }
    let (lines, status) = captured(&NATIVE, &pcap(105, &[]));
    assert_eq!((lines.len(), status), (0, 1), "nothing can be said of other links");
}
