//! Every bound that no setting changes, with its reason.

use core::time::Duration;

use crate::name::NAME_LEN_MAX;

/// Members known by default at most, of every state: more than any published cluster, and 10 MB.
pub const MEMBERS_DEFAULT: usize = 65_536;
/// Members known at most. A table of this size takes 160 MB.
pub const MEMBERS_MAX: usize = 1 << 20;
/// Shortest allowed limit for a datagram: what every IPv4 host must accept (RFC 791).
pub const PACKET_LEN_MIN: usize = 576;
/// Events that one input leads to beside two for each member: conflicts of names, messages,
/// broadcasts, and the ends of what was asked for.
pub(crate) const EVENTS_SPARE: u64 = 8 * 1_024;
/// Longest allowed limit for a datagram: a jumbo frame with room for its headers.
pub const PACKET_LEN_MAX: usize = 9_216;
/// Helpers asked by one probe at most; more only add load (SWIM 5 finds no gain above 4).
pub const INDIRECT_PROBES_MAX: usize = 16;
/// Members a round of gossip goes to at most.
pub const GOSSIP_NODES_MAX: usize = 32;
/// Streams that peers may hold open at most: each may pin a frame of 64 KiB.
pub const STREAMS_MAX: usize = 256;
/// Streams this node itself keeps open at most, joins and deliveries included.
pub const STREAMS_DIALED_MAX: usize = 256;
/// Application state or reliable message by default at most.
pub const TRANSFER_DEFAULT: usize = 16 << 20;
/// Application state or reliable message at most: it is held in memory whole.
pub const TRANSFER_MAX: usize = 64 << 20;
/// Application states and reliable messages of the greatest length that all streams hold at once as
/// they come in. Each of the many streams that may be open could hold one, which would be
/// gigabytes; so one place is for what this node asked for, and two are for all that others bring.
/// (M1)
pub const TRANSFERS_MAX: usize = 3;
/// The same in memberlist's dialect, for what is received: what Go reads at most.
pub const MEMBERLIST_TRANSFER_MAX: usize = 20 << 20;
/// And for what is sent: Go reads envelopes of 20 MiB at most, in which a table must have room.
pub const MEMBERLIST_SENT_MAX: usize = 16 << 20;
/// Shortest allowed limit for a datagram in memberlist's dialect: a ping with both names, and the
/// news that its sender leaves.
pub const MEMBERLIST_PACKET_LEN_MIN: usize = 1_024;
/// Incarnations from this one on are not believed in memberlist's dialect: they have 32 bits
/// there, and one that can't be outbid would silence a member for ever. (O3)
pub const MEMBERLIST_INCARNATION_MAX: u64 = (1 << 31) - 1;
/// Seeds of one join at most.
pub const SEEDS_MAX: usize = 1_024;
/// Seeds of one join that are tried at the same time.
pub const SEEDS_PARALLEL: usize = 8;
/// Joins under way at most.
pub const JOINS_MAX: usize = 64;
/// Indirect pings that wait for an answer at most. (X6)
pub const RELAYS_MAX: usize = 256;
/// Packets sent because one member asks for them, per second and after a burst: pings of others for
/// it, and broadcasts that it lacks. (X6)
pub const RELAYS_PER_SECOND: u64 = 10;
/// Packets sent at once because one member asks for them. (X6)
pub const RELAYS_BURST: u64 = 20;
/// Pings asked for by the application that wait for an answer at most.
pub const PINGS_MAX: usize = 1_024;
/// Bytes an ack may carry for the application: acks must stay small enough to share a packet.
pub const ACK_PAYLOAD_MAX: usize = 256;
/// Broadcasts carried and remembered at most; the oldest goes first. (E4)
pub const BROADCASTS_MAX: usize = 4_096;
/// For how long a dead member is kept at most that never showed that it was at its address. Names
/// that nobody has must not stand in the table for as long as those of former members, which are
/// kept so that rumours don't raise them; of these there are rumours for seconds. (X10)
pub const UNVALIDATED_REAP_AFTER: Duration = Duration::from_secs(600);
/// Reaped members remembered at most, for healing long partitions.
pub const REMEMBERED_MAX: usize = 1_024;
/// How far ahead of our clock a life may be before it is implausible, in milliseconds. (X7)
pub const LIFE_AHEAD_MILLIS: u64 = 300_000;
/// How far above the known one a life may be where there is no clock. (X7)
pub const LIFE_JUMP_MAX: u64 = 1 << 20;
/// Sessions whose replay windows are kept beside two per member.
pub const SESSIONS_SPARE: usize = 256;

/// Sessions whose replay windows are kept where so many members are known: two of each, its
/// present one and the one before.
pub(crate) const fn sessions_max(members: usize) -> usize {
    2 * members + SESSIONS_SPARE
}

/// An upper bound for a packet that holds one claim about a member with this name and metadata,
/// sent by that member or by one with the longest name: headers, tag, preamble and part included.
#[must_use]
pub const fn packet_len_needed(name_len: usize, meta_len: usize) -> usize {
    const FRAME: usize = 64; // Header 22, tag 16, protocol, time and receiver 9; rounded up.
    const SENDER: usize = NAME_LEN_MAX + 16;
    const CLAIM: usize = 48; // Kind and length 3, stamp 14, address 19, versions 6, lengths 4.
    FRAME + SENDER + CLAIM + name_len + meta_len
}
