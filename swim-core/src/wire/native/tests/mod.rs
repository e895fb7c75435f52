//! The native wire as a whole: two nodes, and what may happen to the bytes between them.

mod explain;
mod hostile;
mod roundtrip;
mod sealed;
mod streams;
mod vectors;

use alloc::{string::String, vec::Vec};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use proptest::{collection, prelude::*, sample};
use rand_core::SeedableRng as _;

use super::{header::SessionId, kind::Kind, *};
use crate::{
    keyring::Key,
    limits::PACKET_LEN_MIN,
    member::{LeaveReason, State, VersionRange, Versions},
    name::named,
    stamp::{LIFE_MAX, Stamp},
    wire::message::{
        Accusation, Ack, Alive, Broadcast, BroadcastSummary, Claim, DeliveryHead, Departure,
        Digest, Entry, ExchangeHead, IndirectPing, Nack, Ping, Refusal, RelayedAck,
    },
};

/// When everything in these tests happens, unless they say otherwise.
const NOON: Option<u32> = Some(1_800_000_000);

/// Who speaks in these tests.
const ALICE: Sender<'static> =
    Sender { name: named("alice"), stamp: Stamp::new(1_799_999_999_000, 3) };

/// Whom she speaks to, in the life in which he started.
const BOB: Receiver<'static> =
    Receiver { name: named("bob"), life: Life(1_799_999_990_000), protocol_max: 0 };

/// Whom he answers.
const TO_ALICE: Receiver<'static> = Receiver { name: ALICE.name, life: ALICE.stamp.life, ..BOB };

/// How the two nodes of a test are set up.
#[derive(Clone, Copy, Debug)]
struct Setup {
    label: &'static str,
    /// The length of their common key, if they have one.
    key_len: Option<usize>,
    packet_len_max: usize,
}

const PLAIN: Setup = Setup { label: "prod", key_len: None, packet_len_max: 1400 };
const SEALED: Setup = Setup { key_len: Some(32), ..PLAIN };

/// A node with this name; the names of a test are different, and so are their nonces.
fn node(setup: Setup, name: &str) -> Native {
    started(setup, name, name)
}

/// A node with this name whose luck comes of this word.
fn started(setup: Setup, name: &str, luck: &str) -> Native {
    let mut seed = [0; 32];
    seed[..luck.len()].copy_from_slice(luck.as_bytes());
    let label = Label::new(setup.label).unwrap();
    let settings = WireSettings {
        label: &label,
        keyring: setup.key_len.map(|len| Keyring::new(Key::new(&[7; 32][..len]).unwrap())),
        own_name: name,
        own_life: BOB.life,
        packet_len_max: setup.packet_len_max,
        sessions_max: 16,
        state_len_max: 0,
        message_len_max: 0,
    };
    Native::new(settings, ChaCha8Rng::from_seed(seed))
}

/// Alice and Bob.
fn pair(setup: Setup) -> (Native, Native) {
    (node(setup, "alice"), node(setup, "bob"))
}

/// A packet from Alice to Bob.
fn packet(alice: &mut Native, messages: &[Message<'_>]) -> Bytes {
    let mut writer = alice.begin_packet(NOON, ALICE, Some(BOB));
    for message in messages {
        assert!(writer.push(message), "{message:?} does not fit");
    }
    alice.finish_packet(writer)
}

/// A stream frame from Alice to Bob.
fn frame(alice: &mut Native, channel: &mut Channel, messages: &[Message<'_>], last: bool) -> Bytes {
    let mut writer = alice.begin_frame(NOON, ALICE, Some(BOB));
    for message in messages {
        assert!(writer.push(message), "{message:?} does not fit");
    }
    alice.finish_frame(writer, channel, last)
}

/// What becomes of a packet at `bob`, as far as it can be told without borrowing.
fn outcome(bob: &mut Native, data: &[u8]) -> Result<usize, Reject> {
    bob.open_packet(NOON, data, &mut Vec::new()).map(|opened| opened.messages.len())
}

/// What becomes of one whole frame at `bob`.
fn frame_outcome(bob: &mut Native, channel: &mut Channel, data: &[u8]) -> Result<usize, Reject> {
    let mut scratch = Vec::new();
    let opened = bob.open_frame(NOON, channel, &mut &data[..], &mut scratch)?;
    Ok(opened.expect("the frame is complete").messages.len())
}

/// A plain packet with any body and a right checksum.
fn forged_packet(label: &str, body: &[u8]) -> Vec<u8> {
    let label_id = label_id(&Label::new(label).unwrap());
    let mut bytes = [&[0; 10], body].concat();
    let (head, body) = bytes.split_at_mut(10);
    let flags = Flags::packet(false);
    let mut header = Header { flags, label_id, guard: Guard::Checksum(0) };
    header.write(head);
    header.guard = Guard::Checksum(checksum(head, label.as_bytes(), &[], body));
    header.write(head);
    bytes
}

/// A body by Alice with any parts.
fn forged_body(protocol: u8, parts: &[u8]) -> Vec<u8> {
    let mut preamble = [0; 64];
    let mut to = codec::Writer::new(&mut preamble);
    Preamble { protocol, ..super::preamble(NOON, ALICE, Some(BOB)) }.put(&mut to);
    let len = to.finish().unwrap();
    [&preamble[..len], parts].concat()
}

/// One part with any content.
fn forged_part(kind: u8, content: &[u8]) -> Vec<u8> {
    let len = u16::try_from(content.len()).unwrap().to_le_bytes();
    [&[kind], &len[..], content].concat()
}

/// What a message of any kind can be made of.
#[derive(Clone, Debug)]
struct Material {
    kind: Kind,
    names: [String; 2],
    stamps: [Stamp; 2],
    addr: SocketAddr,
    versions: [u8; 6],
    bytes: Vec<u8>,
    numbers: [u64; 3],
    state: u8,
    flag: bool,
}

impl Material {
    fn message(&self) -> Message<'_> {
        let [name, other] = self.names.each_ref().map(String::as_str);
        let [early, late] = self.stamps;
        let [nonce, members, id] = self.numbers;
        let [small, smaller] = [members as u32, id as u32];
        let digest = Digest { members, broadcasts: smaller, settled: self.flag };
        let accusation = Accusation { name: named(name), stamp: early, from: named(other) };
        let reason = if self.flag { LeaveReason::Forced } else { LeaveReason::Graceful };
        match self.kind {
            Kind::Ping => Message::Ping(Ping { nonce, digest }),
            Kind::Ack => Message::Ack(Ack { nonce, digest, payload: &self.bytes }),
            Kind::IndirectPing => {
                let (target, addr) = (named(name), self.addr);
                Message::IndirectPing(IndirectPing {
                    nonce,
                    target: Some(target),
                    addr,
                    nack: true,
                })
            }
            Kind::RelayedAck => {
                Message::RelayedAck(RelayedAck { nonce, target: named(name), stamp: late })
            }
            Kind::Nack => Message::Nack(Nack { nonce }),
            Kind::Alive => Message::Claim(Claim::Alive(self.alive())),
            Kind::Suspect => Message::Claim(Claim::Suspect(accusation)),
            Kind::Dead => Message::Claim(Claim::Dead(accusation)),
            Kind::Left => {
                Message::Claim(Claim::Left(Departure { name: named(name), stamp: late, reason }))
            }
            Kind::Broadcast => Message::Broadcast(Broadcast {
                origin: named(name),
                life: early.life.0,
                id,
                age_millis: small,
                payload: &self.bytes,
            }),
            Kind::BroadcastSummary => Message::BroadcastSummary(BroadcastSummary {
                reply: self.flag,
                hashes: &self.bytes[..self.bytes.len() / 8 * 8],
            }),
            Kind::Direct => Message::Direct(&self.bytes),
            Kind::ExchangeHead => Message::ExchangeHead(ExchangeHead {
                join: self.flag,
                entries: small,
                state_len: smaller,
            }),
            Kind::Entry => {
                let state = [State::Alive, State::Suspect, State::Dead, State::Left]
                    [usize::from(self.state % 4)];
                let has_reason = state == State::Left && self.flag;
                let reason = if has_reason { LeaveReason::Forced } else { LeaveReason::Graceful };
                Message::Entry(Entry { alive: self.alive(), state, stamp: late, reason })
            }
            Kind::StatePiece => Message::StatePiece(&self.bytes),
            Kind::DeliveryHead => Message::DeliveryHead(DeliveryHead { len: small }),
            Kind::DeliveryPiece => Message::DeliveryPiece(&self.bytes),
            Kind::Delivered => Message::Delivered,
            Kind::Refused => Message::Refused(Refusal { text: other }),
            Kind::Readdress => Message::Readdress,
        }
    }

    fn alive(&self) -> Alive<'_> {
        let range = |mut numbers: [u8; 3]| {
            numbers.sort_unstable();
            let [min, current, max] = numbers;
            VersionRange { min, max, current }
        };
        let [a, b, c, d, e, f] = self.versions;
        Alive {
            name: named(&self.names[0]),
            stamp: self.stamps[0],
            addr: self.addr,
            mapped: false,
            versions: Versions { protocol: range([a, b, c]), application: range([d, e, f]) },
            meta: &self.bytes,
        }
    }
}

/// Material for a message that may stand there.
fn material(place: Place) -> impl Strategy<Value = Material> {
    let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| kind.belongs_in(place)).collect();
    let texts = (any_name(), any_name(), collection::vec(any::<u8>(), 0..200));
    let stamps = (any_number(48), any_number(48), any_number(48), any_number(48));
    let rest = (any_addr(), any::<[u8; 6]>(), any::<[u64; 3]>(), any::<u8>(), any::<bool>());
    (sample::select(kinds), texts, stamps, rest).prop_map(
        |(kind, (name, other, bytes), (life, incarnation, life2, incarnation2), rest)| {
            let (addr, versions, numbers, state, flag) = rest;
            let mut stamps = [Stamp::new(life, incarnation), Stamp::new(life2, incarnation2)];
            stamps.sort_unstable();
            let names = [name, other];
            Material { kind, names, stamps, addr, versions, bytes, numbers, state, flag }
        },
    )
}

/// A packet's worth of material: several messages, one probe at most.
fn materials(place: Place) -> impl Strategy<Value = Vec<Material>> {
    collection::vec(material(place), 0..6).prop_map(|mut materials| {
        let mut has_probe = false;
        materials
            .retain(|material| !(material.kind.is_probe() && mem::replace(&mut has_probe, true)));
        materials
    })
}

/// The body of a packet by Alice that says this, with some bytes changed.
fn mutated_body(
    alice: &mut Native,
    said: &[Material],
    changes: Vec<(sample::Index, u8)>,
) -> Vec<u8> {
    let mut writer = alice.begin_packet(NOON, ALICE, Some(BOB));
    for material in said {
        writer.push(&material.message());
    }
    let mut body = alice.finish_packet(writer)[10..].to_vec();
    change(&mut body, changes);
    body
}

fn change(bytes: &mut [u8], changes: Vec<(sample::Index, u8)>) {
    for (at, byte) in changes {
        *at.get_mut(bytes) = byte;
    }
}

/// A plain last frame with its length and a right checksum, whatever is in it.
fn forged_frame(label: &str, is_request: bool, body: &[u8]) -> Vec<u8> {
    let label_id = label_id(&Label::new(label).unwrap());
    let len = u32::try_from(10 + body.len()).unwrap();
    let mut bytes = [&len.to_le_bytes(), &[0; 10][..], body].concat();
    let (head, body) = bytes[4..].split_at_mut(10);
    let mut header =
        Header { flags: Flags::frame(false, true, false), label_id, guard: Guard::Checksum(0) };
    header.write(head);
    let channel = if is_request { Channel::dialer() } else { Channel::listener() };
    let sum = checksum(head, label.as_bytes(), &channel.send_context(), body);
    header.guard = Guard::Checksum(sum);
    header.write(head);
    bytes
}

fn any_name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z][a-z0-9.-]{0,30}", "[äöü节点a-z]{1,20}", "[a-z]{128}"]
}

/// Numbers of every length up to so many bits.
fn any_number(bits: u32) -> impl Strategy<Value = u64> {
    (any::<u64>(), 0..bits).prop_map(move |(number, shift)| number >> (64 - bits) >> shift)
}

fn any_addr() -> impl Strategy<Value = SocketAddr> {
    let v4 =
        any::<[u8; 4]>().prop_map(|[a, b, c, d]| IpAddr::from(Ipv4Addr::new(a % 223 + 1, b, c, d)));
    let v6 = any::<[u16; 7]>()
        .prop_map(|[b, c, d, e, f, g, h]| IpAddr::from(Ipv6Addr::new(0x2001, b, c, d, e, f, g, h)));
    (prop_oneof![v4, v6], 1_u16..).prop_map(SocketAddr::from)
}
