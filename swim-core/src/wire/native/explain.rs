//! Packets and streams in words: what a node reads of them, whoever they are for and however old
//! they are. Nothing here knows a format: each layer is read by the file that reads it for a node.

use alloc::{string::ToString, vec, vec::Vec};
use core::num::NonZeroU32;

use super::{
    Channel, Native, Preamble, Reader,
    deframe::FRAME_PREFIX_LEN,
    header::{Guard, Header, header_len},
    kind::{Kind, Place},
    limits::VERSION,
    parts::{self, Tally},
};
use crate::{
    explanation::{Explanation, Fields, Refusal, Value, hex, stamp},
    member::{State, Versions},
    name::NameRef,
    reject::Reject,
    stamp::Stamp,
    wire::message::{
        Accusation, Ack, Alive, Broadcast, BroadcastSummary, Claim, Departure, Digest, Entry,
        ExchangeHead, IndirectPing, Message, Ping, RelayedAck,
    },
};

/// Where bytes stand in what was captured.
#[derive(Clone, Copy)]
struct Spot {
    /// Where the packet, or the frame without its length, begins.
    at: usize,
    place: Place,
}

impl Native {
    /// Says what is in a packet.
    pub(crate) fn explain_packet(&mut self, data: &[u8]) -> Explanation {
        let (mut said, mut scratch) = (Explanation::default(), Vec::new());
        let spot = Spot { at: 0, place: Place::Packet };
        let header = self.explain_header(data, spot, &mut said);
        let explained = header.and_then(|header| {
            let (_, body) = self
                .open_body(data, &mut scratch)
                .map_err(|reject| Refusal::new(layer_of(reject), header.len(), reject))?;
            explain_body(&header, body, spot, &mut said)
        });
        said.refused.extend(explained.err());
        said
    }

    /// Says what is in one direction of a stream, frame by frame, and how that ended.
    pub(crate) fn explain_stream(
        &mut self,
        channel: &mut Channel,
        bytes: &[u8],
    ) -> Vec<Explanation> {
        let (mut frames, mut rest) = (Vec::new(), bytes);
        while !rest.is_empty() {
            let mut said = Explanation::default();
            let at = bytes.len() - rest.len();
            let explained = match channel.fill(&mut rest) {
                Ok(true) => self.explain_frame(channel, at + FRAME_PREFIX_LEN, &mut said),
                Ok(false) => Err(Refusal::new("frame", at, Reject::Truncated)),
                Err(reject) => Err(Refusal::new("frame", at, reject)),
            };
            said.refused.extend(explained.err());
            let is_refused = !said.is_understood();
            frames.push(said);
            if is_refused {
                return frames; // Nothing behind it has a place any more.
            }
        }
        if !channel.has_received_all() && !bytes.is_empty() {
            let refused = vec![Refusal::new("stream", bytes.len(), Reject::Truncated)];
            frames.push(Explanation { refused, ..Explanation::default() });
        }
        frames
    }

    fn explain_frame(
        &mut self,
        channel: &mut Channel,
        at: usize,
        said: &mut Explanation,
    ) -> Result<(), Refusal> {
        let spot = Spot { at, place: Place::Frame };
        let header = self.explain_header(channel.frame_mut(), spot, said)?;
        let mut scratch = Vec::new();
        let (_, body) = self
            .open_frame_body(channel, &mut scratch)
            .map_err(|reject| Refusal::new(layer_of(reject), at + header.len(), reject))?;
        if header.flags.compressed() {
            let fields = vec![("algorithm", "lz4".into()), ("inflated_len", body.len().into())];
            said.layer("compression", Some(at + header.len()), fields);
        }
        explain_body(&header, body, spot, said)?;
        channel
            .on_received(header.nonce(), header.flags.last())
            .map_err(|reject| Refusal::new("frame", at, reject))
    }

    fn explain_header(
        &self,
        bytes: &[u8],
        spot: Spot,
        said: &mut Explanation,
    ) -> Result<Header, Refusal> {
        let header = Header::read(bytes, &self.expected(spot.place)).map_err(|reject| {
            let field_at = match reject {
                Reject::Flags | Reject::Plaintext | Reject::Sealed => 1,
                Reject::Label => 2,
                Reject::Truncated => bytes.len(),
                _ => 0,
            };
            Refusal::new("header", spot.at + field_at, reject)
        })?;
        let mut fields: Fields = vec![
            ("version", VERSION.into()),
            ("sealed", header.flags.sealed().into()),
            ("last", header.flags.last().into()),
            ("compressed", header.flags.compressed().into()),
            ("label_id", hex(&header.label_id.to_le_bytes())),
        ];
        match header.guard {
            Guard::Checksum(sum) => fields.push(("checksum", hex(&sum.to_le_bytes()))),
            Guard::Seal { key_id, nonce } => fields.extend([
                ("key_id", key_id.to_string().into()),
                ("session", hex(&nonce.session().0)),
                ("counter", nonce.counter().into()),
            ]),
        }
        said.layer("header", Some(spot.at), fields);
        Ok(header)
    }
}

/// Says what is in a body that was opened.
fn explain_body(
    header: &Header,
    body: &[u8],
    spot: Spot,
    said: &mut Explanation,
) -> Result<(), Refusal> {
    let begin = spot.at + header_len(header.flags.sealed());
    // Sealing changes no places; compression leaves none.
    let place_of = |at: usize| (!header.flags.compressed()).then_some(begin + at);
    let mut from = Reader::new(body);
    let preamble = Preamble::read(&mut from)
        .map_err(|reject| Refusal::new("preamble", place_of(0), reject))?;
    said.layer("preamble", place_of(0), preamble_fields(&preamble));
    let (mut rest, mut tally) = (from.rest(), Tally::new(spot.place));
    while let Some(&number) = rest.first() {
        let at = place_of(body.len() - rest.len());
        let whole = rest;
        match parts::read_next(&mut rest, &mut tally, spot.place, preamble.protocol) {
            Ok(Some(message)) => said.message(kind_name(Kind::of(&message)), at, fields(&message)),
            Ok(None) => {
                let content = &whole[parts::PART_HEADER_LEN..whole.len() - rest.len()];
                let fields = vec![("number", number.into()), ("content", content.into())];
                said.message("unknown", at, fields);
            }
            Err(reject) => return Err(Refusal::new("message", at, reject)),
        }
    }
    Ok(())
}

fn preamble_fields(preamble: &Preamble<'_>) -> Fields {
    let [life, incarnation] = stamp(preamble.sender.stamp);
    let to = preamble.to.map_or(0, |to| to.name.get());
    let to_life = preamble.to.map(|to| ("to_life", to.life.0.into()));
    let fields = [
        ("protocol", preamble.protocol.into()),
        ("time", preamble.time.map_or(0, NonZeroU32::get).into()),
        ("to", hex(&to.to_le_bytes())),
    ];
    let sender = [("sender", preamble.sender.name.into()), life, incarnation];
    fields.into_iter().chain(to_life).chain(sender).collect()
}

fn fields(message: &Message<'_>) -> Fields {
    match *message {
        Message::Ping(Ping { nonce, digest }) => with_digest(nonce, digest),
        Message::Ack(Ack { nonce, digest, payload }) => {
            let mut fields = with_digest(nonce, digest);
            fields.push(("payload", payload.into()));
            fields
        }
        Message::IndirectPing(IndirectPing { nonce, target, addr, nack: _ }) => {
            let target = target.map(|target| ("target", target.into()));
            let fields = [("nonce", nonce.into())].into_iter().chain(target);
            fields.chain([("addr", addr.into())]).collect()
        }
        Message::RelayedAck(RelayedAck { nonce, target, stamp: of }) => {
            let [life, incarnation] = stamp(of);
            vec![("nonce", nonce.into()), ("target", target.into()), life, incarnation]
        }
        Message::Nack(nack) => vec![("nonce", nack.nonce.into())],
        Message::Claim(claim) => claim_fields(&claim),
        Message::Broadcast(Broadcast { origin, life, id, age_millis, payload }) => vec![
            ("origin", origin.into()),
            ("life", life.into()),
            ("id", id.into()),
            ("age_millis", age_millis.into()),
            ("payload", payload.into()),
        ],
        Message::BroadcastSummary(BroadcastSummary { reply, hashes }) => {
            let hashes = hashes.as_chunks::<8>().0.iter().map(|hash| u64::from_le_bytes(*hash));
            vec![("reply", reply.into()), ("hashes", Value::Numbers(hashes.collect()))]
        }
        Message::Direct(payload) => vec![("payload", payload.into())],
        Message::ExchangeHead(ExchangeHead { join, entries, state_len }) => vec![
            ("join", join.into()),
            ("entries", entries.into()),
            ("state_len", state_len.into()),
        ],
        Message::Entry(entry) => entry_fields(&entry),
        Message::StatePiece(piece) | Message::DeliveryPiece(piece) => {
            vec![("payload", piece.into())]
        }
        Message::DeliveryHead(head) => vec![("len", head.len.into())],
        Message::Delivered | Message::Readdress => Fields::new(),
        Message::Refused(refusal) => vec![("text", refusal.text.into())],
    }
}

fn with_digest(nonce: u64, digest: Digest) -> Fields {
    vec![
        ("nonce", nonce.into()),
        ("digest_members", digest.members.into()),
        ("digest_broadcasts", digest.broadcasts.into()),
        ("digest_settled", digest.settled.into()),
    ]
}

fn claim_fields(claim: &Claim<'_>) -> Fields {
    match *claim {
        Claim::Alive(alive) => alive_fields(&alive),
        Claim::Suspect(Accusation { name, stamp, from })
        | Claim::Dead(Accusation { name, stamp, from }) => {
            let mut fields = named(name, stamp);
            fields.push(("from", from.into()));
            fields
        }
        Claim::Left(Departure { name, stamp, reason }) => {
            let mut fields = named(name, stamp);
            fields.push(("reason", reason.to_string().into()));
            fields
        }
    }
}

fn alive_fields(alive: &Alive<'_>) -> Fields {
    let Versions { protocol, application } = alive.versions;
    let mut fields = named(alive.name, alive.stamp);
    fields.extend([
        ("addr", alive.addr.into()),
        ("protocol", [protocol.min, protocol.max, protocol.current].into()),
        ("application", [application.min, application.max, application.current].into()),
        ("meta", alive.meta.into()),
    ]);
    fields
}

fn entry_fields(entry: &Entry<'_>) -> Fields {
    let mut fields = alive_fields(&entry.alive);
    fields.push(("belief", entry.state.to_string().into()));
    if entry.state == State::Left {
        fields.push(("reason", entry.reason.to_string().into()));
    }
    fields.extend([
        ("belief_life", entry.stamp.life.0.into()),
        ("belief_incarnation", entry.stamp.incarnation.0.into()),
    ]);
    fields
}

fn named(name: NameRef<'_>, of: Stamp) -> Fields {
    let [life, incarnation] = stamp(of);
    vec![("name", name.into()), life, incarnation]
}

const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Ping => "ping",
        Kind::Ack => "ack",
        Kind::IndirectPing => "indirect_ping",
        Kind::RelayedAck => "relayed_ack",
        Kind::Nack => "nack",
        Kind::Alive => "alive",
        Kind::Suspect => "suspect",
        Kind::Dead => "dead",
        Kind::Left => "left",
        Kind::Broadcast => "broadcast",
        Kind::BroadcastSummary => "broadcast_summary",
        Kind::Direct => "direct",
        Kind::ExchangeHead => "exchange_head",
        Kind::Entry => "entry",
        Kind::StatePiece => "state_piece",
        Kind::DeliveryHead => "delivery_head",
        Kind::DeliveryPiece => "delivery_piece",
        Kind::Delivered => "delivered",
        Kind::Refused => "refused",
        Kind::Readdress => "readdress",
    }
}

/// Which layer between the header and the body objects so.
const fn layer_of(reject: Reject) -> &'static str {
    match reject {
        Reject::Checksum => "checksum",
        Reject::Compression => "compression",
        Reject::Oversize => "body",
        _ => "seal",
    }
}
