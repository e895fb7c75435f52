//! Bytes to messages and back, for whichever dialect the cluster speaks.
//!
//! Everything about bytes happens below this point: what comes out are messages that were checked,
//! and what goes in are messages that may be sent. The node above knows no dialect.

pub(crate) mod message;
mod native;
pub(crate) mod opened;
pub(crate) mod settings;

use alloc::vec::Vec;

use bytes::Bytes;
use rand_chacha::ChaCha8Rng;

use self::native::Native;
pub(crate) use self::native::{Channel, FrameWriter, PacketWriter, encoded_len};
pub(crate) use self::{
    message::{
        Accusation, Ack, Alive, Broadcast, BroadcastSummary, Claim, DeliveryHead, Departure,
        Digest, Entry, ExchangeHead, IndirectPing, Message, Nack, Ping, Refusal, RelayedAck,
        Sender,
    },
    opened::Opened,
    settings::WireSettings,
};
use crate::{keyring::Keyring, name::NameRef, reject::Reject};

/// One node's way to put messages into bytes and to get them out again.
pub(crate) enum Wire {
    Native(Native),
}

impl Wire {
    /// A wire of the native dialect. All nonces come from `nonces`, whose seed must never have been
    /// used before with the same key.
    pub(crate) fn native(settings: WireSettings<'_>, nonces: ChaCha8Rng) -> Self {
        Self::Native(Native::new(settings, nonces))
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
        }
    }

    /// Begins a packet to the node with this name, or to whoever reads it.
    pub(crate) fn begin_packet(
        &mut self,
        wall: Option<u32>,
        sender: Sender<'_>,
        to: Option<NameRef<'_>>,
    ) -> PacketWriter {
        match self {
            Self::Native(native) => native.begin_packet(wall, sender, to),
        }
    }

    /// Makes a packet ready to be sent.
    pub(crate) fn finish_packet(&mut self, writer: PacketWriter) -> Bytes {
        match self {
            Self::Native(native) => native.finish_packet(writer),
        }
    }

    /// Gives up a packet that turned out to have nothing to say.
    pub(crate) fn discard_packet(&mut self, writer: PacketWriter) {
        match self {
            Self::Native(native) => native.discard_packet(writer),
        }
    }

    /// Takes bytes of a stream from the front of `chunk`, up to the end of the current frame, and
    /// opens that once it is complete. `None` means that `chunk` is used up and more is needed.
    ///
    /// A refusal is final: the stream is to be aborted.
    pub(crate) fn open_frame<'s>(
        &mut self,
        wall: Option<u32>,
        channel: &mut Channel,
        chunk: &mut &[u8],
        scratch: &'s mut Vec<u8>,
    ) -> Result<Option<Opened<'s>>, Reject> {
        match self {
            Self::Native(native) => native.open_frame(wall, channel, chunk, scratch),
        }
    }

    /// Begins a stream frame to the node with this name, or to whoever reads it.
    pub(crate) fn begin_frame(
        &mut self,
        wall: Option<u32>,
        sender: Sender<'_>,
        to: Option<NameRef<'_>>,
    ) -> FrameWriter {
        match self {
            Self::Native(native) => native.begin_frame(wall, sender, to),
        }
    }

    /// Makes a frame ready to be sent. `last` says that nothing follows in this direction.
    pub(crate) fn finish_frame(
        &mut self,
        writer: FrameWriter,
        channel: &mut Channel,
        last: bool,
    ) -> Bytes {
        match self {
            Self::Native(native) => native.finish_frame(writer, channel, last),
        }
    }

    /// The most bytes that one message may have, as [`encoded_len`] counts them, to fit into a
    /// packet of this wire whose sender has a name of this length.
    pub(crate) fn packet_capacity(&self, name_len: usize) -> usize {
        match self {
            Self::Native(native) => native.packet_capacity(name_len),
        }
    }

    /// Whether everything is sealed.
    pub(crate) fn is_sealed(&self) -> bool {
        match self {
            Self::Native(native) => native.is_sealed(),
        }
    }

    /// The keys, if there are any.
    pub(crate) fn keyring(&self) -> Option<&Keyring> {
        match self {
            Self::Native(native) => native.keyring(),
        }
    }

    /// Changes the keys, if there are any. A change of primary begins new sessions.
    pub(crate) fn change_keyring<R>(
        &mut self,
        change: impl FnOnce(&mut Keyring) -> R,
    ) -> Option<R> {
        match self {
            Self::Native(native) => native.change_keyring(change),
        }
    }
}
