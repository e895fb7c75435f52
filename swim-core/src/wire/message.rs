//! What members say to each other: the meaning, ignorant of every codec.
//!
//! A message borrows from the packet it came in, so that reading one allocates nothing.

use core::net::SocketAddr;

use crate::{
    member::{LeaveReason, State, Versions},
    name::NameRef,
    stamp::{Life, Stamp},
};

/// Who sent a packet or a stream frame, in its own words. Any packet refutes what others say of
/// its sender, because it carries the sender's own stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sender<'a> {
    pub(crate) name: NameRef<'a>,
    pub(crate) stamp: Stamp,
}

/// Who a packet or a frame is for, in which of its lives, and the highest version of the protocol
/// that it is known to understand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Receiver<'a> {
    pub(crate) name: NameRef<'a>,
    pub(crate) life: Life,
    pub(crate) protocol_max: u8,
}

/// One thing said. Kinds marked *stream* never travel in packets, and the others never in streams,
/// except `Ping` and `Ack`, which do both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message<'a> {
    Ping(Ping),
    Ack(Ack<'a>),
    IndirectPing(IndirectPing<'a>),
    RelayedAck(RelayedAck<'a>),
    Nack(Nack),
    Claim(Claim<'a>),
    Broadcast(Broadcast<'a>),
    /// The ids of the broadcasts its sender knows; the receiver answers with those missing.
    BroadcastSummary(BroadcastSummary<'a>),
    /// An application message to this one member, best effort.
    Direct(&'a [u8]),
    /// *Stream.* The first message of an exchange (memberlist: push/pull), in both directions.
    ExchangeHead(ExchangeHead),
    /// *Stream.* One entry of the sender's table.
    Entry(Entry<'a>),
    /// *Stream.* A piece of the application's state, in order.
    StatePiece(&'a [u8]),
    /// *Stream.* The first message of a reliable delivery.
    DeliveryHead(DeliveryHead),
    /// *Stream.* A piece of a reliable delivery, in order.
    DeliveryPiece(&'a [u8]),
    /// *Stream.* The delivery arrived whole and was handed to the application.
    Delivered,
    /// *Stream.* The request is refused, and why.
    Refused(Refusal<'a>),
    /// *Stream.* The request was for a former life of the sender of this, or for whoever reads it:
    /// it may be a recording. It is to be asked again, of this sender in this life. (X4)
    Readdress,
}

/// "Are you there?" The nonce is random, so that nobody off the path can answer for the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ping {
    pub(crate) nonce: u64,
    pub(crate) digest: Digest,
}

/// "I am here." SWIM 3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ack<'a> {
    pub(crate) nonce: u64,
    pub(crate) digest: Digest,
    pub(crate) payload: &'a [u8],
}

impl Ack<'_> {
    /// One that says nothing else.
    pub(crate) fn bare(nonce: u64) -> Self {
        Self { nonce, digest: Digest::default(), payload: &[] }
    }

    pub(crate) fn is_bare(&self) -> bool {
        self.digest == Digest::default() && self.payload.is_empty()
    }
}

/// "Ask `target` for me." SWIM 3.1: ping-req. No packet is sent to the address: the helper looks
/// the target up in its own table (X6), and asks nobody if it knows it elsewhere. (X9)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IndirectPing<'a> {
    pub(crate) nonce: u64,
    /// Nobody where memberlist's dialect leaves it open: always somebody in the native one.
    pub(crate) target: Option<NameRef<'a>>,
    /// Where the requester knows it.
    pub(crate) addr: SocketAddr,
    /// Whether to say, when there is no answer yet, that the one asked for it waits, too. Always in
    /// the native dialect.
    pub(crate) nack: bool,
}

/// "I asked it, and it answered", with the stamp the target spoke under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RelayedAck<'a> {
    pub(crate) nonce: u64,
    pub(crate) target: NameRef<'a>,
    pub(crate) stamp: Stamp,
}

/// To a request for help: "I asked it, and it has not answered yet." Lifeguard, LHA-Probe.
/// To a ping: "I am here, but I don't know you", which is shorter than the ping. (X6)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Nack {
    pub(crate) nonce: u64,
}

/// A claim about one member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claim<'a> {
    Alive(Alive<'a>),
    Suspect(Accusation<'a>),
    Dead(Accusation<'a>),
    Left(Departure<'a>),
}

/// What a member says of itself: everything there is to know about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Alive<'a> {
    pub(crate) name: NameRef<'a>,
    pub(crate) stamp: Stamp,
    pub(crate) addr: SocketAddr,
    /// Its address is of IPv4, but it says so in IPv6, and must be quoted so to those who compare
    /// bytes. Never in the native dialect.
    pub(crate) mapped: bool,
    pub(crate) versions: Versions,
    pub(crate) meta: &'a [u8],
}

/// `from` could not reach `name`, or saw its suspicion run out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Accusation<'a> {
    pub(crate) name: NameRef<'a>,
    pub(crate) stamp: Stamp,
    pub(crate) from: NameRef<'a>,
}

/// `name` is gone for good in this life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Departure<'a> {
    pub(crate) name: NameRef<'a>,
    pub(crate) stamp: Stamp,
    pub(crate) reason: LeaveReason,
}

/// A user broadcast, identified by its origin, the origin's life and a number counted there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broadcast<'a> {
    pub(crate) origin: NameRef<'a>,
    pub(crate) life: u64,
    pub(crate) id: u64,
    /// How long ago it was issued, in milliseconds, as far as its carriers know.
    pub(crate) age_millis: u32,
    pub(crate) payload: &'a [u8],
}

/// The hashes of the recent broadcasts its sender holds, eight bytes each, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BroadcastSummary<'a> {
    /// The receiver answers with a summary of its own.
    pub(crate) reply: bool,
    pub(crate) hashes: &'a [u8],
}

/// A fingerprint of what its sender knows, independent of the order in which it learnt it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Digest {
    /// Over the names, stamps and words of all live members.
    pub(crate) members: u64,
    /// Over the recent broadcasts that had time to reach everybody.
    pub(crate) broadcasts: u32,
    /// The members part has not changed for the dissemination window, or so much of it changes that
    /// gossip can't keep up: a difference is worth an exchange.
    pub(crate) settled: bool,
}

/// How an exchange begins, in both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExchangeHead {
    pub(crate) join: bool,
    /// How many entries follow.
    pub(crate) entries: u32,
    /// How many bytes of application state follow the entries.
    pub(crate) state_len: u32,
}

/// One entry of a table: all that is known of a member and what is believed of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    /// What the member last said of itself.
    pub(crate) alive: Alive<'a>,
    /// What is believed of it, and about which of its stamps (not below `alive.stamp`).
    pub(crate) state: State,
    pub(crate) stamp: Stamp,
    /// Why it left; meaningful with `State::Left` only.
    pub(crate) reason: LeaveReason,
}

/// How a reliable delivery begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DeliveryHead {
    pub(crate) len: u32,
}

/// Why a stream's request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal<'a> {
    pub(crate) text: &'a str,
}
