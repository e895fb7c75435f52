//! Accusations of one member by several others: the more of them there are, the sooner it is dead,
//! with Go's node as with ours. Lifeguard, LHA-Suspicion.

use std::{net::UdpSocket, thread};

use swim_interop::peer;

use crate::{
    claims::Courier,
    harness::{PLAIN_LOOSE, empty},
    rules::{Claim, Kind, addr, name},
};

/// Those who accuse come first among the names, ...
const ACCUSERS: usize = 4;

/// ... and then, for each number of accusers, so many subjects that have as many.
const EACH: usize = 3;

/// An ack has nearly a second to come, on however slow a machine; and each further accuser is worth
/// several seconds.
const PATIENT: [&str; 4] = [
    "--set=push_pull_interval=1h",
    "--set=probe_interval=1s",
    "--set=probe_timeout=900ms",
    "--set=suspicion_max_mult=3",
];

/// From this name on, names are those of markers, of which so many are enough.
const MARKERS: usize = 100;
const MARKERS_MAX: usize = 8;

#[test]
#[ignore = "needs Go and HashiCorp's memberlist"]
fn more_accusers_make_a_shorter_suspicion() {
    let subjects = ACCUSERS..ACCUSERS * (1 + EACH);
    for subject in (0..subjects.end).chain(MARKERS..MARKERS + MARKERS_MAX) {
        answer(subject);
    }
    let claim = |subject, kind, accuser| Claim { subject, kind, incarnation: 1, accuser };
    let alive = Kind::Alive { is_elsewhere: false };
    let greetings: Vec<_> = (0..subjects.end).map(|subject| claim(subject, alive, 0)).collect();
    let mut accusations = Vec::new();
    for subject in subjects.clone() {
        for accuser in 0..accusers(subject) {
            // What the same one says again confirms nothing.
            accusations.extend([claim(subject, Kind::Suspect, accuser); 2]);
        }
        // Nor does what is said of an incarnation that is past.
        let past = Claim { incarnation: 0, ..claim(subject, Kind::Suspect, ACCUSERS - 1) };
        accusations.push(past);
    }
    let should: Vec<_> = (1..=ACCUSERS).rev().flat_map(|accusers| [accusers; EACH]).collect();

    let mut cluster = empty(PLAIN_LOOSE, &PATIENT).favoured();
    cluster.start(peer::Kind::Go, "judge", &[]);
    cluster.start(peer::Kind::Swim, "judge", &[]);
    let mut courier = Courier::new(MARKERS);
    for peer in &mut cluster.peers {
        courier.send(peer, &greetings);
        courier.send(peer, &accusations);
        let dead = |line: &serde_json::Value| {
            let mut subjects = subjects.clone();
            line["change"] == "gone" && subjects.any(|subject| line["name"] == *name(subject))
        };
        peer.wait_for(should.len(), "subjects are dead", dead);
        let numbers = peer.all(dead).into_iter().map(|line| {
            let mut subjects = subjects.clone();
            accusers(subjects.find(|&subject| line["name"] == *name(subject)).unwrap())
        });
        assert_eq!(numbers.collect::<Vec<_>>(), should, "{:?}", peer.kind);
    }
}

/// How many accuse this subject.
fn accusers(subject: usize) -> usize {
    (subject - ACCUSERS) / EACH + 1
}

/// Acknowledges whatever pings this name, so that nobody is accused but by us.
fn answer(subject: usize) {
    let socket = UdpSocket::bind(addr(subject, false)).unwrap();
    thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok((len, from)) = socket.recv_from(&mut buffer) {
            if let Some(seq) = seq(&buffer[..len]) {
                let ack =
                    [b"\x02\x82\xa7Payload\xc0\xa5SeqNo\xce", &seq.to_be_bytes()[..]].concat();
                drop(socket.send_to(&ack, from));
            }
        }
    });
}

/// The number of the ping in a packet that has one. Nothing else here has numbers of that name.
fn seq(packet: &[u8]) -> Option<u32> {
    const FIELD: &[u8] = b"\xa5SeqNo";
    let at = packet.windows(FIELD.len()).position(|bytes| bytes == FIELD)? + FIELD.len();
    let bytes = |len: usize| packet.get(at + 1..at + 1 + len);
    match *packet.get(at)? {
        small @ 0..=0x7f => Some(small.into()),
        0xcc => Some(bytes(1)?[0].into()),
        0xcd => Some(u16::from_be_bytes(bytes(2)?.try_into().ok()?).into()),
        0xce => Some(u32::from_be_bytes(bytes(4)?.try_into().ok()?)),
        _ => None,
    }
}
