//! Bytes to messages and back, for whichever dialect the cluster speaks.
//!
//! Everything about bytes happens below this point: what comes out are messages that were checked,
//! and what goes in are messages that may be sent. The node above knows no dialect.

mod memberlist;
pub(crate) mod message;
mod native;
pub(crate) mod opened;
pub(crate) mod settings;
mod writers;

use alloc::vec::Vec;
use core::net::SocketAddr;

use bytes::Bytes;
use rand_chacha::ChaCha8Rng;

use self::{memberlist::Memberlist, native::Native};
pub(crate) use self::{
    message::{
        Accusation, Ack, Alive, Broadcast, BroadcastSummary, Claim, DeliveryHead, Departure,
        Digest, Entry, ExchangeHead, IndirectPing, Message, Nack, Ping, Receiver, Refusal,
        RelayedAck, Sender,
    },
    native::Lane,
    opened::{Opened, To},
    settings::{Room, WireMemory, WireSettings},
    writers::{Channel, FrameWriter, PacketWriter},
};
#[cfg(feature = "simulation")]
use crate::trap::Trap;
use crate::{
    config::Config,
    dialect::{Dialect, MemberlistOptions},
    explanation::Explanation,
    keyring::{KeyId, Keyring},
    reject::Reject,
    stamp::Life,
};

/// One node's way to put messages into bytes and to get them out again.
#[expect(clippy::large_enum_variant, reason = "a node has one, which stays where it is")]
pub(crate) enum Wire {
    Native(Native),
    Memberlist(Memberlist),
}

/// A stream and what it carries belong to one wire, as does a packet.
const ONE_DIALECT: &str = "a node speaks one dialect all its life";

impl Wire {
    /// A wire of this dialect for a node at `addr`. All nonces come from `nonces`, whose seed must
    /// never have been used before with the same key.
    pub(crate) fn new(
        dialect: Dialect,
        settings: WireSettings<'_>,
        addr: SocketAddr,
        nonces: ChaCha8Rng,
    ) -> Self {
        match dialect {
            Dialect::Native => Self::native(settings, nonces),
            Dialect::Memberlist(options) => Self::memberlist(settings, addr, options, nonces),
        }
    }

    /// What the wire of a node takes on the heap at most.
    pub(crate) fn heap_max(config: &Config) -> WireMemory {
        match config.dialect {
            Dialect::Native => native::heap_max(config),
            Dialect::Memberlist(_) => memberlist::heap_max(config),
        }
    }

    /// What the streams of a node may hold of what is not handed on yet.
    pub(crate) fn room(config: &Config) -> Room {
        match config.dialect {
            Dialect::Native => native::stream_room(config),
            Dialect::Memberlist(_) => memberlist::stream_room(),
        }
    }

    /// A wire of the native dialect.
    pub(crate) fn native(settings: WireSettings<'_>, nonces: ChaCha8Rng) -> Self {
        Self::Native(Native::new(settings, nonces))
    }

    fn memberlist(
        settings: WireSettings<'_>,
        addr: SocketAddr,
        options: MemberlistOptions,
        nonces: ChaCha8Rng,
    ) -> Self {
        Self::Memberlist(Memberlist::new(settings, addr, options, nonces))
    }

    /// Opens a packet. `wall` is the time in unix seconds, if the node has a clock.
    pub(crate) fn open_packet<'s>(
        &mut self,
        wall: Option<u32>,
        data: &'s [u8],
        scratch: &'s mut Vec<u8>,
    ) -> Result<Opened<'s>, Reject> {
        match self {
            Self::Native(native) => native.open_packet(wall, data, scratch),
            Self::Memberlist(memberlist) => memberlist.open_packet(wall, data, scratch),
        }
    }

    /// Says what is in a packet, whoever it is for and however old it is.
    pub(crate) fn explain_packet(&mut self, data: &[u8]) -> Explanation {
        match self {
            Self::Native(native) => native.explain_packet(data),
            Self::Memberlist(memberlist) => memberlist.explain_packet(data),
        }
    }

    /// Says what is in both directions of a stream, frame by frame.
    pub(crate) fn explain_stream(&mut self, bytes: [&[u8]; 2]) -> [Vec<Explanation>; 2] {
        let [request, answer] = bytes;
        match self {
            Self::Native(native) => {
                let mut channel = native::Channel::listener();
                let request = native.explain_stream(&mut channel, request);
                [request, native.explain_stream(&mut channel.other_end(), answer)]
            }
            Self::Memberlist(memberlist) => {
                [memberlist.explain_stream(request, true), memberlist.explain_stream(answer, false)]
            }
        }
    }

    /// A packet once more, by the writers of its dialect.
    #[cfg(feature = "rewriting")]
    pub(crate) fn rewrite_packet(&mut self, data: &[u8]) -> Result<Vec<u8>, Reject> {
        match self {
            Self::Native(native) => native.rewrite_packet(data),
            Self::Memberlist(memberlist) => memberlist.rewrite_packet(data),
        }
    }

    /// One direction of a stream once more, likewise.
    #[cfg(feature = "rewriting")]
    pub(crate) fn rewrite_stream(
        &mut self,
        data: &[u8],
        is_request: bool,
    ) -> Result<Vec<u8>, Reject> {
        match self {
            Self::Native(native) => native.rewrite_stream(data, is_request),
            Self::Memberlist(memberlist) => memberlist.rewrite_stream(data, is_request),
        }
    }

    /// Begins a packet to this node, or to whoever reads it.
    pub(crate) fn begin_packet(
        &mut self,
        wall: Option<u32>,
        sender: Sender<'_>,
        to: Option<Receiver<'_>>,
    ) -> PacketWriter {
        match self {
            Self::Native(native) => PacketWriter::Native(native.begin_packet(wall, sender, to)),
            Self::Memberlist(memberlist) => PacketWriter::Memberlist(memberlist.begin_packet(to)),
        }
    }

    /// Makes a packet ready to be sent.
    pub(crate) fn finish_packet(&mut self, writer: PacketWriter) -> Bytes {
        match (self, writer) {
            (Self::Native(native), PacketWriter::Native(writer)) => native.finish_packet(writer),
            (Self::Memberlist(memberlist), PacketWriter::Memberlist(writer)) => {
                memberlist.finish_packet(writer)
            }
            (Self::Native(_) | Self::Memberlist(_), _) => unreachable!("{ONE_DIALECT}"),
        }
    }

    /// Gives up a packet that turned out to have nothing to say.
    pub(crate) fn discard_packet(&mut self, writer: PacketWriter) {
        if let (Self::Native(native), PacketWriter::Native(writer)) = (self, writer) {
            native.discard_packet(writer);
        }
    }

    /// A tick came: gives back what packets took in a burst, but for `room` to open one in.
    pub(crate) fn ticked(&mut self, room: usize) {
        match self {
            Self::Native(native) => native.ticked(),
            Self::Memberlist(memberlist) => memberlist.ticked(room),
        }
    }

    /// The end of a stream that dialed.
    pub(crate) fn dialer(&self) -> Channel {
        match self {
            Self::Native(_) => Channel::Native(native::Channel::dialer()),
            Self::Memberlist(_) => Channel::Memberlist(memberlist::Channel::dialer()),
        }
    }

    /// The end of a stream that was dialed.
    pub(crate) fn listener(&self) -> Channel {
        match self {
            Self::Native(_) => Channel::Native(native::Channel::listener()),
            Self::Memberlist(_) => Channel::Memberlist(memberlist::Channel::listener()),
        }
    }

    /// Takes bytes of a stream from the front of `chunk`, up to the end of the current frame, and
    /// opens that once it is complete. `None` means that `chunk` is used up and more is needed.
    ///
    /// A refusal is final: the stream is to be ended.
    pub(crate) fn open_frame<'s>(
        &mut self,
        wall: Option<u32>,
        channel: &mut Channel,
        chunk: &mut &[u8],
        scratch: &'s mut Vec<u8>,
    ) -> Result<Option<Opened<'s>>, Reject> {
        match (self, channel) {
            (Self::Native(native), Channel::Native(channel)) => {
                native.open_frame(wall, channel, chunk, scratch)
            }
            (Self::Memberlist(memberlist), Channel::Memberlist(channel)) => {
                memberlist.open_frame(wall, channel, chunk, scratch)
            }
            (Self::Native(_) | Self::Memberlist(_), _) => unreachable!("{ONE_DIALECT}"),
        }
    }

    /// Whether a peer whose frame was refused may be told so: natively never. memberlist net.go:
    /// `handleConn`.
    pub(crate) const fn may_be_told(channel: &Channel) -> bool {
        match channel {
            Channel::Native(_) => false,
            Channel::Memberlist(channel) => channel.may_be_told(),
        }
    }

    /// Begins a stream frame to this node, or to whoever reads it.
    pub(crate) fn begin_frame(
        &mut self,
        wall: Option<u32>,
        sender: Sender<'_>,
        to: Option<Receiver<'_>>,
    ) -> FrameWriter {
        match self {
            Self::Native(native) => FrameWriter::Native(native.begin_frame(wall, sender, to)),
            Self::Memberlist(memberlist) => {
                let to = to.map_or(&[][..], |to| to.name.as_bytes());
                FrameWriter::Memberlist(memberlist.begin_frame(to))
            }
        }
    }

    /// Makes a frame ready to be sent; empty if the dialect has no word for what is in it. `last`
    /// says that nothing follows in this direction.
    pub(crate) fn finish_frame(
        &mut self,
        writer: FrameWriter,
        channel: &mut Channel,
        last: bool,
    ) -> Bytes {
        match (self, writer, channel) {
            (Self::Native(native), FrameWriter::Native(writer), Channel::Native(channel)) => {
                native.finish_frame(writer, channel, last)
            }
            (
                Self::Memberlist(memberlist),
                FrameWriter::Memberlist(writer),
                Channel::Memberlist(channel),
            ) => {
                debug_assert!(last, "a direction of a stream is one message");
                memberlist.finish_frame(writer, channel)
            }
            (Self::Native(_) | Self::Memberlist(_), ..) => unreachable!("{ONE_DIALECT}"),
        }
    }

    /// What is compressed and not what it says: natively a frame that holds what was written, the
    /// first of a dialer and its last; in memberlist's dialect a packet.
    #[cfg(feature = "simulation")]
    pub(crate) fn finish_trap(&mut self, writer: FrameWriter, trap: Trap) -> Bytes {
        match (self, writer) {
            (Self::Native(native), FrameWriter::Native(writer)) => {
                native.finish_trap(writer, &mut native::Channel::dialer(), trap)
            }
            (Self::Memberlist(memberlist), FrameWriter::Memberlist(_)) => memberlist.trap(trap),
            (Self::Native(_) | Self::Memberlist(_), _) => unreachable!("{ONE_DIALECT}"),
        }
    }

    /// The node begins a life: what is for an earlier one is not for it any more. (X4)
    pub(crate) const fn begin_life(&mut self, life: Life) {
        match self {
            Self::Native(native) => native.begin_life(life),
            Self::Memberlist(_) => {}
        }
    }

    /// Somebody else seems to use up the numbers under which packets or streams are sealed: goes on
    /// under others. The old dialect numbers nothing. (X4)
    pub(crate) fn begin_session(&mut self, lane: Lane) {
        if let Self::Native(native) = self {
            native.begin_session(lane);
        }
    }

    /// Goes on under the numbers of another, so far ahead of it.
    #[cfg(feature = "simulation")]
    pub(crate) fn use_up_sessions_of(&mut self, other: &Self, ahead: u32) {
        if let (Self::Native(own), Self::Native(other)) = (self, other) {
            own.use_up_sessions_of(other, ahead);
        }
    }

    /// The bits that a nonce may have in this dialect.
    pub(crate) const fn nonce_mask(&self) -> u64 {
        match self {
            Self::Native(_) => u64::MAX,
            Self::Memberlist(_) => Memberlist::NONCE_MASK,
        }
    }

    /// How many bytes a message takes in a packet, with what must stand before it.
    pub(crate) fn encoded_len(&self, message: &Message<'_>) -> usize {
        match self {
            Self::Native(_) => native::encoded_len(message),
            Self::Memberlist(memberlist) => memberlist.encoded_len(message),
        }
    }

    /// The most bytes that one message may have, as [`Self::encoded_len`] counts them, to fit into
    /// a packet of this wire whose sender has a name of this length.
    pub(crate) fn packet_capacity(&self, name_len: usize) -> usize {
        match self {
            Self::Native(native) => native.packet_capacity(name_len),
            Self::Memberlist(memberlist) => memberlist.packet_capacity(),
        }
    }

    /// Whether a table is heard only if it says whom it is for: another could be a recording.
    pub(crate) const fn must_be_addressed(&self) -> bool {
        match self {
            Self::Native(native) => native.is_sealed(),
            Self::Memberlist(_) => false,
        }
    }

    /// The keys, if there are any.
    pub(crate) fn keyring(&self) -> Option<&Keyring> {
        match self {
            Self::Native(native) => native.keyring(),
            Self::Memberlist(memberlist) => memberlist.keyring(),
        }
    }

    /// Changes the keys, if there are any. A change of primary begins new sessions.
    pub(crate) fn change_keyring<R>(
        &mut self,
        change: impl FnOnce(&mut Keyring) -> R,
    ) -> Option<R> {
        match self {
            Self::Native(native) => native.change_keyring(change),
            Self::Memberlist(memberlist) => memberlist.change_keyring(change),
        }
    }

    /// About how many envelopes so many members have made with the key that seals, where that
    /// matters: native nonces never repeat.
    pub(crate) fn sealed_estimate(&self, members: u64) -> u64 {
        match self {
            Self::Native(_) => 0,
            Self::Memberlist(memberlist) => memberlist.sealed_estimate(members),
        }
    }

    /// The key that seals and that estimate, when it comes to a limit. (O5)
    pub(crate) fn passes_seal_limit(&mut self, members: u64) -> Option<(KeyId, u64)> {
        match self {
            Self::Native(_) => None,
            Self::Memberlist(memberlist) => memberlist.passes_seal_limit(members),
        }
    }

    /// As if so many envelopes had been made with the key that seals.
    #[cfg(test)]
    pub(crate) fn set_sealed(&mut self, sealed: u64) {
        if let Self::Memberlist(memberlist) = self {
            memberlist.set_sealed(sealed);
        }
    }
}
