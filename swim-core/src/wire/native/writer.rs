//! Bodies in the making: a preamble, and as many parts as fit.

use alloc::{vec, vec::Vec};

use super::{
    codec::Writer,
    header::header_len,
    kind::{Kind, Place},
    limits::TAG_LEN,
    parts::{self, Tally},
    preamble::Preamble,
};
use crate::wire::message::Message;

/// A packet in the making.
pub(crate) struct PacketWriter(Body);

/// A stream frame in the making.
pub(crate) struct FrameWriter(Body);

/// Room for a header, the body so far, and room for a tag.
pub(crate) struct Body {
    /// Always full length, so that a part is written where it stays, and stays out if it does not
    /// fit.
    buffer: Vec<u8>,
    /// Where the body begins.
    body_at: usize,
    /// Where it ends so far.
    len: usize,
    /// Where it must end.
    limit: usize,
    place: Place,
    tally: Tally,
}

impl PacketWriter {
    /// Begins a packet in a buffer as long as a packet may be.
    pub(crate) fn new(buffer: Vec<u8>, sealed: bool, preamble: &Preamble<'_>) -> Self {
        Self(Body::new(buffer, 0, sealed, Place::Packet, preamble))
    }

    /// Writes a message. False when it does not fit any more; nothing is written then.
    pub(crate) fn push(&mut self, message: &Message<'_>) -> bool {
        self.0.push(message)
    }

    /// How many more bytes of messages fit, their part headers included.
    #[cfg(test)]
    pub(crate) const fn room(&self) -> usize {
        self.0.room()
    }

    /// Whether no message was written yet.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.tally.is_empty()
    }

    pub(super) fn into_body(self) -> Body {
        self.0
    }
}

impl FrameWriter {
    /// Begins a frame whose header stands behind `prefix_len` bytes, with a body of at most
    /// `body_len_max` bytes.
    pub(crate) fn new(
        prefix_len: usize,
        body_len_max: usize,
        sealed: bool,
        preamble: &Preamble<'_>,
    ) -> Self {
        let buffer = vec![0; prefix_len + header_len(sealed) + body_len_max + tag_len(sealed)];
        Self(Body::new(buffer, prefix_len, sealed, Place::Frame, preamble))
    }

    /// Writes a message. False when it does not fit any more; nothing is written then.
    pub(crate) fn push(&mut self, message: &Message<'_>) -> bool {
        self.0.push(message)
    }

    /// How many more bytes of messages fit, their part headers included.
    #[cfg(test)]
    pub(crate) const fn room(&self) -> usize {
        self.0.room()
    }

    pub(super) fn into_body(self) -> Body {
        self.0
    }
}

impl Body {
    fn new(
        mut buffer: Vec<u8>,
        prefix_len: usize,
        sealed: bool,
        place: Place,
        preamble: &Preamble<'_>,
    ) -> Self {
        let body_at = prefix_len + header_len(sealed);
        let limit = buffer.len() - tag_len(sealed);
        let mut to = Writer::new(&mut buffer[body_at..limit]);
        preamble.put(&mut to);
        let len = body_at + to.finish().expect("the smallest packet has room for the longest name");
        Self { buffer, body_at, len, limit, place, tally: Tally::new(place) }
    }

    fn push(&mut self, message: &Message<'_>) -> bool {
        let kind = Kind::of(message);
        debug_assert!(kind.belongs_in(self.place), "{kind:?} in a {:?}", self.place);
        if !kind.belongs_in(self.place) || !self.tally.admits(Some(kind)) {
            return false;
        }
        let Some(len) = parts::put(message, &mut self.buffer[self.len..self.limit]) else {
            return false;
        };
        self.len += len;
        self.tally.count(Some(kind));
        true
    }

    #[cfg(test)]
    const fn room(&self) -> usize {
        self.limit - self.len
    }

    /// The body itself, without what stands before it.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.buffer[self.body_at..self.len]
    }

    /// Takes another body of no greater length instead.
    pub(super) fn replace(&mut self, body: &[u8]) {
        self.len = self.body_at + body.len();
        self.buffer[self.body_at..self.len].copy_from_slice(body);
    }

    /// Everything from the first byte on, with room for the tag.
    pub(super) fn packet_mut(&mut self) -> &mut [u8] {
        let tag_len = self.buffer.len() - self.limit;
        &mut self.buffer[..self.len + tag_len]
    }

    /// Gives the buffer back.
    pub(super) fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }
}

/// The length of the tag behind a body.
pub(crate) const fn tag_len(sealed: bool) -> usize {
    if sealed { TAG_LEN } else { 0 }
}
