//! What is in the making, in whichever dialect.

use super::{memberlist, message::Message, native};

/// A packet in the making.
pub(crate) enum PacketWriter {
    Native(native::PacketWriter),
    Memberlist(memberlist::PacketWriter),
}

impl PacketWriter {
    /// Writes a message. False when it does not fit any more; nothing is written then.
    pub(crate) fn push(&mut self, message: &Message<'_>) -> bool {
        match self {
            Self::Native(writer) => writer.push(message),
            Self::Memberlist(writer) => writer.push(message),
        }
    }

    /// Whether no message was written yet.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Native(writer) => writer.is_empty(),
            Self::Memberlist(writer) => writer.is_empty(),
        }
    }

    /// How many bytes a message takes in this packet, whether it fits or not.
    pub(crate) fn encoded_len(&self, message: &Message<'_>) -> usize {
        match self {
            Self::Native(_) => native::encoded_len(message),
            Self::Memberlist(writer) => writer.encoded_len(message),
        }
    }
}

/// A stream frame in the making.
pub(crate) enum FrameWriter {
    Native(native::FrameWriter),
    Memberlist(memberlist::FrameWriter),
}

impl FrameWriter {
    /// Writes a message. False when it does not fit any more; nothing is written then.
    pub(crate) fn push(&mut self, message: &Message<'_>) -> bool {
        match self {
            Self::Native(writer) => writer.push(message),
            Self::Memberlist(writer) => writer.push(message),
        }
    }
}

/// One end of a stream.
#[derive(Debug)]
pub(crate) enum Channel {
    Native(native::Channel),
    Memberlist(memberlist::Channel),
}

impl Channel {
    /// Whether the peer has said all it will say. A stream that ends before was cut off.
    pub(crate) fn has_received_all(&self) -> bool {
        match self {
            Self::Native(channel) => channel.has_received_all(),
            Self::Memberlist(channel) => channel.has_received_all(),
        }
    }

    /// How many bytes are there that were not handed on. Natively these are of one frame at most,
    /// for which each stream has room of its own.
    pub(crate) fn held(&self) -> usize {
        match self {
            Self::Native(_) => 0,
            Self::Memberlist(channel) => channel.held(),
        }
    }
}
