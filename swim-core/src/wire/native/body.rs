//! What stands in a message of each kind: its fields, one after the other.
//!
//! Numbers that are random take their full width; numbers that are mostly small take as few bytes
//! as they need. Everything is checked as it is read, so that what leaves this file is fit to be
//! believed or doubted, but not to harm.

use super::{
    address,
    codec::{Reader, Writer},
    kind::Kind,
};
use crate::{
    member::{LeaveReason, State, VersionRange, Versions},
    name::{META_LEN_MAX, NameRef},
    reject::Reject,
    wire::message::{
        Accusation, Ack, Alive, Broadcast, BroadcastSummary, Claim, DeliveryHead, Departure,
        Digest, Entry, ExchangeHead, IndirectPing, Message, Nack, Ping, Refusal, RelayedAck,
    },
};

/// Reads the fields of a message that this version knows, and leaves what follows them.
pub(crate) fn read<'a>(kind: Kind, from: &mut Reader<'a>) -> Result<Message<'a>, Reject> {
    Ok(match kind {
        Kind::Ping => Message::Ping(Ping { nonce: from.fixed_u64()?, digest: read_digest(from)? }),
        Kind::Ack => Message::Ack(read_ack(from)?),
        Kind::IndirectPing => {
            let (nonce, target) = (from.fixed_u64()?, Some(from.name()?));
            Message::IndirectPing(IndirectPing {
                nonce,
                target,
                addr: address::read(from)?,
                nack: true,
            })
        }
        Kind::RelayedAck => Message::RelayedAck(RelayedAck {
            nonce: from.fixed_u64()?,
            target: from.name()?,
            stamp: from.stamp()?,
        }),
        Kind::Nack => Message::Nack(Nack { nonce: from.fixed_u64()? }),
        Kind::Alive => Message::Claim(Claim::Alive(read_alive(from)?)),
        Kind::Suspect => Message::Claim(Claim::Suspect(read_accusation(from)?)),
        Kind::Dead => Message::Claim(Claim::Dead(read_accusation(from)?)),
        Kind::Left => Message::Claim(Claim::Left(Departure {
            name: from.name()?,
            stamp: from.stamp()?,
            reason: read_leave_reason(from)?,
        })),
        Kind::Broadcast => Message::Broadcast(Broadcast {
            origin: from.name()?,
            life: from.life()?.0,
            id: from.varint()?,
            age_millis: from.varint_u32()?,
            payload: from.bytes()?,
        }),
        Kind::BroadcastSummary => Message::BroadcastSummary(BroadcastSummary {
            reply: from.flag()?,
            hashes: read_hashes(from)?,
        }),
        Kind::Direct => Message::Direct(from.bytes()?),
        Kind::ExchangeHead => Message::ExchangeHead(ExchangeHead {
            join: from.flag()?,
            entries: from.varint_u32()?,
            state_len: from.varint_u32()?,
        }),
        Kind::Entry => Message::Entry(read_entry(from)?),
        Kind::StatePiece => Message::StatePiece(from.bytes()?),
        Kind::DeliveryHead => Message::DeliveryHead(DeliveryHead { len: from.varint_u32()? }),
        Kind::DeliveryPiece => Message::DeliveryPiece(from.bytes()?),
        Kind::Delivered => Message::Delivered,
        Kind::Refused => Message::Refused(Refusal { text: from.name()?.as_str() }),
        Kind::Readdress => Message::Readdress,
    })
}

/// Writes the fields of a message.
pub(crate) fn put(message: &Message<'_>, to: &mut Writer<'_>) {
    match *message {
        Message::Ping(Ping { nonce, digest }) => {
            to.fixed_u64(nonce);
            put_digest(digest, to);
        }
        Message::Ack(ack) => {
            to.fixed_u64(ack.nonce);
            if !ack.is_bare() {
                put_digest(ack.digest, to);
                if !ack.payload.is_empty() {
                    to.bytes(ack.payload);
                }
            }
        }
        Message::IndirectPing(IndirectPing { nonce, target, addr, nack: _ }) => {
            to.fixed_u64(nonce);
            to.name(target.expect("nobody asks for help without saying for whom"));
            address::put(addr, to);
        }
        Message::RelayedAck(RelayedAck { nonce, target, stamp }) => {
            to.fixed_u64(nonce);
            to.name(target);
            to.stamp(stamp);
        }
        Message::Nack(Nack { nonce }) => to.fixed_u64(nonce),
        Message::Claim(claim) => put_claim(&claim, to),
        Message::Broadcast(Broadcast { origin, life, id, age_millis, payload }) => {
            to.name(origin);
            to.varint(life);
            to.varint(id);
            to.varint(age_millis.into());
            to.bytes(payload);
        }
        Message::BroadcastSummary(BroadcastSummary { reply, hashes }) => {
            to.flag(reply);
            to.bytes(hashes);
        }
        Message::ExchangeHead(ExchangeHead { join, entries, state_len }) => {
            to.flag(join);
            to.varint(entries.into());
            to.varint(state_len.into());
        }
        Message::Entry(entry) => put_entry(&entry, to),
        Message::Direct(bytes) | Message::StatePiece(bytes) | Message::DeliveryPiece(bytes) => {
            to.bytes(bytes);
        }
        Message::DeliveryHead(DeliveryHead { len }) => to.varint(len.into()),
        Message::Delivered | Message::Readdress => {}
        Message::Refused(Refusal { text }) => to.name(NameRef::from_checked(text.as_bytes())),
    }
}

/// A bare ack ends after its number: it must fit where a ping did. (X6)
fn read_ack<'a>(from: &mut Reader<'a>) -> Result<Ack<'a>, Reject> {
    let nonce = from.fixed_u64()?;
    if from.rest().is_empty() {
        return Ok(Ack::bare(nonce));
    }
    let digest = read_digest(from)?;
    let has_payload = !from.rest().is_empty();
    let payload = if has_payload { from.bytes()? } else { &[] };
    let ack = Ack { nonce, digest, payload };
    // One that says nothing has one form, and so has one without a payload. (W2)
    let says_nothing = ack.is_bare() || has_payload && payload.is_empty();
    // What follows is of a newer version, which has to write all that comes before it. (W5)
    if says_nothing && from.rest().is_empty() { Err(Reject::Malformed) } else { Ok(ack) }
}

fn read_digest(from: &mut Reader<'_>) -> Result<Digest, Reject> {
    Ok(Digest { members: from.fixed_u64()?, broadcasts: from.fixed_u32()?, settled: from.flag()? })
}

fn put_digest(digest: Digest, to: &mut Writer<'_>) {
    to.fixed_u64(digest.members);
    to.fixed_u32(digest.broadcasts);
    to.flag(digest.settled);
}

fn put_claim(claim: &Claim<'_>, to: &mut Writer<'_>) {
    match *claim {
        Claim::Alive(alive) => put_alive(&alive, to),
        Claim::Suspect(Accusation { name, stamp, from })
        | Claim::Dead(Accusation { name, stamp, from }) => {
            to.name(name);
            to.stamp(stamp);
            to.name(from);
        }
        Claim::Left(Departure { name, stamp, reason }) => {
            to.name(name);
            to.stamp(stamp);
            to.byte(match reason {
                LeaveReason::Graceful => 0,
                LeaveReason::Forced => 1,
            });
        }
    }
}

fn read_leave_reason(from: &mut Reader<'_>) -> Result<LeaveReason, Reject> {
    match from.byte()? {
        0 => Ok(LeaveReason::Graceful),
        1 => Ok(LeaveReason::Forced),
        _ => Err(Reject::Malformed),
    }
}

fn read_accusation<'a>(from: &mut Reader<'a>) -> Result<Accusation<'a>, Reject> {
    Ok(Accusation { name: from.name()?, stamp: from.stamp()?, from: from.name()? })
}

fn read_alive<'a>(from: &mut Reader<'a>) -> Result<Alive<'a>, Reject> {
    Ok(Alive {
        name: from.name()?,
        stamp: from.stamp()?,
        addr: address::read(from)?,
        mapped: false,
        versions: read_versions(from)?,
        meta: read_meta(from)?,
    })
}

fn put_alive(alive: &Alive<'_>, to: &mut Writer<'_>) {
    let Versions { protocol, application } = alive.versions;
    to.name(alive.name);
    to.stamp(alive.stamp);
    address::put(alive.addr, to);
    for VersionRange { min, max, current } in [protocol, application] {
        to.array([min, max, current]);
    }
    to.bytes(alive.meta);
}

fn read_versions(from: &mut Reader<'_>) -> Result<Versions, Reject> {
    let mut range = || {
        let [min, max, current] = from.array()?;
        let range = VersionRange { min, max, current };
        if range.is_valid() { Ok(range) } else { Err(Reject::Malformed) }
    };
    Ok(Versions { protocol: range()?, application: range()? })
}

fn read_meta<'a>(from: &mut Reader<'a>) -> Result<&'a [u8], Reject> {
    let meta = from.bytes()?;
    if meta.len() <= META_LEN_MAX { Ok(meta) } else { Err(Reject::Malformed) }
}

fn read_hashes<'a>(from: &mut Reader<'a>) -> Result<&'a [u8], Reject> {
    let hashes = from.bytes()?;
    if hashes.len().is_multiple_of(HASH_LEN) { Ok(hashes) } else { Err(Reject::Malformed) }
}

/// The length of one hash of a broadcast.
const HASH_LEN: usize = 8;

/// State and reason are one byte, so that there is no reason for anything but leaving. (W2)
fn read_entry<'a>(from: &mut Reader<'a>) -> Result<Entry<'a>, Reject> {
    let alive = read_alive(from)?;
    let (state, reason) = match from.byte()? {
        0 => (State::Alive, LeaveReason::Graceful),
        1 => (State::Suspect, LeaveReason::Graceful),
        2 => (State::Dead, LeaveReason::Graceful),
        3 => (State::Left, LeaveReason::Graceful),
        4 => (State::Left, LeaveReason::Forced),
        _ => return Err(Reject::Malformed),
    };
    let stamp = from.stamp()?;
    if stamp < alive.stamp {
        return Err(Reject::Implausible);
    }
    Ok(Entry { alive, state, stamp, reason })
}

fn put_entry(entry: &Entry<'_>, to: &mut Writer<'_>) {
    put_alive(&entry.alive, to);
    to.byte(match (entry.state, entry.reason) {
        (State::Alive, _) => 0,
        (State::Suspect, _) => 1,
        (State::Dead, _) => 2,
        (State::Left, LeaveReason::Graceful) => 3,
        (State::Left, LeaveReason::Forced) => 4,
    });
    to.stamp(entry.stamp);
}
