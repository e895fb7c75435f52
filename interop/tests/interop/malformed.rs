//! What no correct node sends, and captured traffic that is no longer whole: ours refuses each for
//! its reason, counts it, and holds what it held. What Go's library survives too is sent to its
//! node as well, which refuses the same; where it takes something, both hold the same.
//!
//! The layers are tried one by one, and without a network, in swim-core's own tests (`hostile.rs`).

use swim_interop::peer::Kind;

use crate::{
    samples::{Place, Run, Sample, runs},
    stand::{Agents, Stand},
};

/// Something wrong: what is, its bytes, and the reason under which ours counts it.
type Case = (&'static str, Vec<u8>, &'static str);

const BOTH: [Kind; 2] = [Kind::Go, Kind::Swim];
const OURS: [Kind; 1] = [Kind::Swim];

/// The runs whose packets, streams and envelopes are broken.
const PLAIN_RUN: &str = "serf094-plain";
const LOOSE_RUN: &str = "serf094-plain-nocompress";
const SEALED_RUN: &str = "serf094-aes128-nocompress";

#[test]
#[ignore = "needs Go and HashiCorp's memberlist"]
fn o2_x13_malformed_packets_are_refused_by_both() {
    let (plain, sealed) = (named(PLAIN_RUN), named(SEALED_RUN));
    let agents = Agents::all();
    for (run, both, ours) in
        [(&plain, broken(&plain), beyond(&plain)), (&sealed, forged(&sealed), Vec::new())]
    {
        let mut stand = Stand::start(run, &agents, "nobody");
        refuse(&mut stand, Place::Packet, &both, &BOTH);
        refuse(&mut stand, Place::Packet, &ours, &OURS);
    }
}

#[test]
#[ignore = "needs Go and HashiCorp's memberlist"]
fn o2_x13_malformed_streams_are_refused_by_both() {
    let (plain, sealed) = (named(LOOSE_RUN), named(SEALED_RUN));
    let agents = Agents::all();
    for (run, both, ours) in [
        (&plain, broken_streams(&plain, &sealed), streams_beyond()),
        (&sealed, forged_streams(&sealed, &plain), Vec::new()),
    ] {
        let mut stand = Stand::start(run, &agents, "nobody");
        refuse(&mut stand, Place::Request, &both, &BOTH);
        refuse(&mut stand, Place::Request, &ours, &OURS);
    }
}

/// Each packet of real traffic, cut in the middle and with a byte changed, after those that tell of
/// members were also sent whole: neither node ends, and what they make of it is the same.
#[test]
#[ignore = "needs Go and HashiCorp's memberlist"]
fn x13_broken_traffic_makes_the_same_table() {
    let (agents, mut thrown) = (Agents::all(), 0);
    for run in runs().iter().filter(|run| run.label.is_empty() && run.protocol() > 1) {
        let mut stand = Stand::start(run, &agents, "nobody");
        for sample in run.samples.iter().filter(|sample| sample.place == Place::Packet) {
            // Accusations are believed otherwise by ours. (65)
            let said = sample.said(run);
            if said.iter().any(|it| ["suspect", "dead"].contains(&it.kind)) {
                continue;
            }
            let packet = sample.again(run);
            let mut changed = packet.clone();
            *changed.last_mut().unwrap() ^= 0x20;
            // Of a message that is not sealed, the last byte may say anything.
            let is_tried = sample.is_guarded();
            if said.iter().any(|it| it.kind == "alive") {
                stand.throw(Place::Packet, &packet, &BOTH);
            }
            stand.throw(Place::Packet, &packet[..packet.len() / 2], &BOTH);
            if is_tried {
                stand.throw(Place::Packet, &changed, &BOTH);
            }
            thrown += 1 + usize::from(is_tried);
        }
        let [go, ours] = stand.tables();
        assert_eq!(go, ours, "{}", run.name);
        assert!(!go.is_empty(), "{}: two tables of nobody are the same anyway", run.name);
        let rejected: u64 = stand.rejected().values().sum();
        assert!(rejected > 0 && stand.complaints_of_go() > 0, "{}", run.name);
        println!("{}: {thrown} thrown, {} known, {:?}", run.name, go.len(), stand.rejected());
    }
    assert!(thrown > 300, "{thrown}");
}

/// Each is counted once, for its reason, and changes nothing; Go's node complains of it, too.
fn refuse(stand: &mut Stand<'_>, place: Place, cases: &[Case], kinds: &[Kind]) {
    let before = stand.tables();
    for (what, bytes, reason) in cases {
        let (mut should, complaints) = (stand.rejected(), stand.complaints_of_go());
        *should.entry((*reason).to_owned()).or_default() += 1;
        stand.throw(place, bytes, kinds);
        assert_eq!(stand.rejected(), should, "{what}");
        assert_eq!(stand.tables(), before, "{what}");
        // To it, wrong versions are worth information only, and an early end nothing.
        let is_silent = ["version", "unfinished"].contains(reason);
        let is_told = stand.complaints_of_go() > complaints || is_silent;
        assert!(is_told || kinds == OURS, "Go's node takes {what}");
    }
}

/// Packets that are wrong in one thing.
fn broken(run: &Run) -> Vec<Case> {
    let [alive, ping] = ["alive", "ping"].map(message);
    let inflating = packet(run, |sample| sample.has("compress") && !sample.has("crc:ok"));
    let checked = packet(run, |sample| sample.has("crc:ok") && !sample.has("compress"));
    vec![
        ("a label that ends early", vec![0xf4, 9, b'a'], "truncated"),
        ("a label of no length", vec![0xf4, 0, 1], "label"),
        ("another cluster's label", [&[0xf4, 1, b'x'], &alive[..]].concat(), "label"),
        ("a changed checksum", with(&checked, |it| it[2] ^= 1), "checksum"),
        ("a message that its checksum is not of", with(&checked, |it| it[9] ^= 1), "checksum"),
        ("a checksum that is cut off", checked[..4].to_vec(), "misplaced"),
        ("a table in a packet", vec![6, 0x80], "misplaced"),
        ("an envelope within", vec![10, 0, 0, 0, 0], "misplaced"),
        ("an error in a packet", vec![13, 0x80], "misplaced"),
        ("the first kind there is not", vec![14, 0x80], "malformed"),
        ("the last kind there is not", vec![0xff], "malformed"),
        ("a claim that is cut off", cut(&alive, 5), "malformed"),
        ("a ping that is cut off", cut(&ping, 5), "malformed"),
        ("a claim that is a number", vec![4, 5], "malformed"),
        ("a number too large", b"\x00\x81\xa5SeqNo\xcf\0\0\0\x01\0\0\0\0".to_vec(), "malformed"),
        ("a number below zero", b"\x00\x81\xa5SeqNo\xff".to_vec(), "malformed"),
        ("a fraction", b"\x00\x81\xa5SeqNo\xcb\x3f\xf0\0\0\0\0\0\0".to_vec(), "malformed"),
        ("a name that is a number", b"\x00\x81\xa4Node\x01".to_vec(), "malformed"),
        ("a compound without a count", vec![7], "truncated"),
        ("a compound without its lengths", vec![7, 2, 0, 1, 0], "truncated"),
        ("a compound whose part is cut off", cut(&compound(&[&alive]), 1), "truncated"),
        ("another compression", with(&inflating, |it| it[7] = 1), "compression"),
        ("a compressed message that is cut off", cut(&inflating, 2), "malformed"),
        ("codes that do not end", with(&inflating, endless), "compression"),
        ("versions the wrong way round", with(&alive, versions([5, 1, 2])), "version"),
    ]
}

/// What is sent to ours alone.
fn beyond(run: &Run) -> Vec<Case> {
    let alive = message("alive");
    let inflating = packet(run, |sample| sample.has("compress") && !sample.has("crc:ok"));
    let three = |it: &mut Vec<u8>| {
        let at = place_of(it, b"Addr\xa4") + 4;
        it[at] = 0xa3;
        it.remove(at + 1);
    };
    let nobody = |it: &mut Vec<u8>| {
        let at = place_of(it, b"Addr\xa4") + 5;
        it[at..at + 4].fill(0);
    };
    let silent = |it: &mut Vec<u8>| {
        let at = place_of(it, b"Vsn\xa6") + 3;
        it.splice(at..at + 7, [0xc0]);
    };
    let nameless = |it: &mut Vec<u8>| {
        let at = place_of(it, b"Node") + 5;
        it[at] = 0xff;
    };
    let first = |it: &mut Vec<u8>| {
        let at = place_of(it, b"Incarnation") + 11;
        it[at] = 0;
    };
    vec![
        ("an address of three bytes", with(&alive, three), "address"),
        ("an address that nobody has", with(&alive, nobody), "address"),
        ("no versions", with(&alive, silent), "version"),
        ("a name that is no text", with(&alive, nameless), "text"),
        ("incarnation 0", with(&alive, first), "implausible"),
        ("a compound in a compound", compound(&[&compound(&[&alive])]), "misplaced"),
        ("a compressed part", compound(&[&inflating]), "misplaced"),
    ]
}

/// Envelopes that are none of this cluster's.
fn forged(run: &Run) -> Vec<Case> {
    let sealed = packet(run, |_| true);
    vec![
        ("a changed envelope", with(&sealed, |it| it[30] ^= 1), "decrypt"),
        ("a changed seal", with(&sealed, |it| *it.last_mut().unwrap() ^= 1), "decrypt"),
        ("a changed nonce", with(&sealed, |it| it[5] ^= 1), "decrypt"),
        ("an envelope that is cut off", cut(&sealed, 1), "decrypt"),
        ("an envelope too short for a seal", sealed[..20].to_vec(), "truncated"),
        ("an envelope of a version to come", with(&sealed, |it| it[0] = 2), "version"),
        ("a plain message", message("alive"), "version"),
    ]
}

fn broken_streams(run: &Run, sealed: &Run) -> Vec<Case> {
    let table = request(run);
    vec![
        ("the first kind there is not", vec![14, 0x80], "malformed"),
        ("an ack that nobody asked for", b"\x02\x81\xa5SeqNo\x05".to_vec(), "misplaced"),
        ("a label that ends early", vec![0xf4, 9, b'a'], "unfinished"),
        ("a table that ends early", cut(&table, 4), "unfinished"),
        ("a table that is a number", vec![6, 5], "malformed"),
        ("a compressed number", vec![9, 5], "malformed"),
        ("an envelope where there is no key", request(sealed), "sealed"),
    ]
}

fn forged_streams(run: &Run, plain: &Run) -> Vec<Case> {
    let sealed = request(run);
    vec![
        ("a plain message", request(plain), "plaintext"),
        ("a frame of more than 20 MiB", vec![10, 0x01, 0x40, 0, 1], "oversize"),
        ("a changed envelope", with(&sealed, |it| it[40] ^= 1), "decrypt"),
        ("a frame that ends early", cut(&sealed, 4), "unfinished"),
    ]
}

/// Numbers that ours refuses before there is room for what they count.
fn streams_beyond() -> Vec<Case> {
    let table = |nodes: &[u8], state_len: &[u8]| {
        let fields = [b"\x06\x82\xa5Nodes", nodes, b"\xacUserStateLen", state_len];
        fields.concat()
    };
    vec![
        ("fewer members than none", table(&[0xff], &[0]), "oversize"),
        ("more members than any table has", table(&[0xd2, 0, 0x10, 0, 1], &[0]), "oversize"),
        ("a state of less than nothing", table(&[0], &[0xff]), "oversize"),
        ("a state of more than 20 MiB", table(&[0], &[0xd2, 1, 0x40, 0, 1]), "oversize"),
        ("a message of less than nothing", b"\x08\x81\xaaUserMsgLen\xff".to_vec(), "oversize"),
    ]
}

fn named(name: &str) -> Run {
    runs().into_iter().find(|run| run.name == name).unwrap()
}

/// The first such packet, as we write it.
fn packet(run: &Run, is_it: impl Fn(&Sample) -> bool) -> Vec<u8> {
    let mut packets = run.samples.iter().filter(|sample| sample.place == Place::Packet);
    packets.find(|sample| is_it(sample)).unwrap().again(run)
}

/// The first message of this kind in a packet of any run that can be read as it is.
fn message(kind: &str) -> Vec<u8> {
    let part = |run: &Run, sample: &Sample| {
        let said = sample.said(run);
        let number = said.iter().position(|it| it.kind == kind)?;
        let end = said.get(number + 1).map_or(sample.bytes.len(), |next| next.at.unwrap());
        Some(sample.again(run)[said[number].at.unwrap()..end].to_vec())
    };
    let found = runs().into_iter().find_map(|run| {
        let is_open = |sample: &&Sample| sample.place == Place::Packet && sample.has("plain");
        run.samples.iter().filter(is_open).find_map(|sample| part(&run, sample))
    });
    found.unwrap()
}

/// The first table that somebody asked for another with.
fn request(run: &Run) -> Vec<u8> {
    let mut requests = run.samples.iter().filter(|sample| sample.place == Place::Request);
    requests.find(|sample| sample.said(run)[0].kind == "push_pull").unwrap().again(run)
}

fn with(bytes: &[u8], change: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    change(&mut changed);
    changed
}

fn cut(bytes: &[u8], len: usize) -> Vec<u8> {
    bytes[..bytes.len() - len].to_vec()
}

fn compound(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = vec![7, u8::try_from(parts.len()).unwrap()];
    out.extend(parts.iter().flat_map(|part| u16::try_from(part.len()).unwrap().to_be_bytes()));
    out.extend(parts.concat());
    out
}

/// Takes the last two bytes off what is compressed, of which there are more than 31.
fn endless(it: &mut Vec<u8>) {
    let at = place_of(it, b"Buf\xda") + 4;
    let len = u16::from_be_bytes([it[at], it[at + 1]]) - 2;
    it[at..at + 2].copy_from_slice(&len.to_be_bytes());
    it.truncate(it.len() - 2);
}

/// Lets a claim say that these are the versions of its protocol.
fn versions(versions: [u8; 3]) -> impl Fn(&mut Vec<u8>) {
    move |it| {
        let at = place_of(it, b"Vsn\xa6") + 4;
        it[at..at + 3].copy_from_slice(&versions);
    }
}

fn place_of(bytes: &[u8], words: &[u8]) -> usize {
    bytes.windows(words.len()).position(|window| window == words).unwrap()
}
