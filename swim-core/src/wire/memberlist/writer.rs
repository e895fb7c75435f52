//! Packets and stream messages in the making.

use alloc::{sync::Arc, vec::Vec};

use smallvec::SmallVec;

use super::{
    compound,
    leaf::Kind,
    limits::{COMPOUND_HEAD_LEN, COMPOUND_PART_LEN, PARTS_MAX, SEALED_LEN_MAX},
    meaning::{self, Identity},
    push_pull,
};
use crate::wire::message::{Entry, Message};

/// A packet in the making.
pub(crate) struct PacketWriter {
    own: Arc<Identity>,
    /// The name of who gets it, or nothing.
    to: SmallVec<[u8; 32]>,
    /// Whether who gets it is known to check checksums.
    pub(super) checks: bool,
    lengths: SmallVec<[u16; 16]>,
    parts: Vec<u8>,
    room: usize,
}

impl PacketWriter {
    /// Begins a packet with so much room for its messages, the lengths of all of them included.
    pub(super) fn new(own: &Arc<Identity>, to: &[u8], checks: bool, room: usize) -> Self {
        let (own, to) = (own.clone(), SmallVec::from_slice(to));
        Self { own, to, checks, lengths: SmallVec::new(), parts: Vec::with_capacity(room), room }
    }

    /// Writes a message. False when it does not fit any more; nothing is written then.
    pub(crate) fn push(&mut self, message: &Message<'_>) -> bool {
        let at = self.parts.len();
        let is_said = meaning::put(message, &self.to, &self.own, &mut self.parts);
        debug_assert!(is_said, "{message:?} has no place in a packet of this dialect");
        let len = u16::try_from(self.parts.len() - at).ok();
        let count = self.lengths.len() + 1;
        let total = COMPOUND_HEAD_LEN + count * COMPOUND_PART_LEN + self.parts.len();
        match len.filter(|_| is_said && count <= PARTS_MAX && total <= self.room) {
            Some(len) => {
                self.lengths.push(len);
                true
            }
            None => {
                self.parts.truncate(at);
                false
            }
        }
    }

    /// Whether no message was written yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// How many bytes a message takes, its length included.
    pub(crate) fn encoded_len(&self, message: &Message<'_>) -> usize {
        encoded_len(message, &self.to, &self.own)
    }

    /// The message that a packet consists of: the only one, or one of all.
    pub(super) fn into_message(self) -> Vec<u8> {
        if self.lengths.len() == 1 {
            return self.parts;
        }
        let mut out = Vec::with_capacity(self.room);
        compound::put(&self.lengths, &self.parts, &mut out);
        out
    }
}

/// How many bytes a message takes in a packet to somebody of this name, its length included.
pub(super) fn encoded_len(message: &Message<'_>, to: &[u8], own: &Identity) -> usize {
    let mut out = Vec::new();
    meaning::put(message, to, own, &mut out);
    COMPOUND_PART_LEN + out.len()
}

/// The one message of one direction of a stream, in the making. It has no end until all of it is
/// there, so that a table is written whole.
pub(crate) struct FrameWriter {
    own: Arc<Identity>,
    to: Vec<u8>,
    begun: Begun,
    entries: Vec<u8>,
    /// How many those are.
    count: u32,
    /// Application state, or a delivery.
    raw: Vec<u8>,
}

enum Begun {
    Nothing,
    Table {
        join: bool,
        state_len: u32,
    },
    Delivery {
        len: u32,
    },
    /// A message that stands for itself.
    Whole(Vec<u8>),
}

impl FrameWriter {
    pub(super) fn new(own: &Arc<Identity>, to: &[u8]) -> Self {
        let own = own.clone();
        let (begun, count) = (Begun::Nothing, 0);
        Self { own, to: to.into(), begun, entries: Vec::new(), count, raw: Vec::new() }
    }

    /// Writes a message. There is room for each but the entries of a table that is longer than any
    /// reader would take: false for those that do not fit any more.
    pub(crate) fn push(&mut self, message: &Message<'_>) -> bool {
        match message {
            Message::ExchangeHead(head) => {
                self.begun = Begun::Table { join: head.join, state_len: head.state_len };
            }
            Message::Entry(entry) => return self.push_entry(entry),
            Message::DeliveryHead(head) => self.begun = Begun::Delivery { len: head.len },
            Message::StatePiece(piece) | Message::DeliveryPiece(piece) => {
                self.raw.extend_from_slice(piece);
            }
            Message::Ping(_) | Message::Ack(_) | Message::Refused(_) => {
                let mut whole = Vec::new();
                meaning::put(message, &self.to, &self.own, &mut whole);
                self.begun = Begun::Whole(whole);
            }
            // Nobody waits for this.
            Message::Delivered => {}
            Message::IndirectPing(_)
            | Message::RelayedAck(_)
            | Message::Nack(_)
            | Message::Claim(_)
            | Message::Broadcast(_)
            | Message::BroadcastSummary(_)
            | Message::Direct(_)
            | Message::Readdress => {
                debug_assert!(false, "{message:?} has no place in a stream");
                return false;
            }
        }
        true
    }

    fn push_entry(&mut self, entry: &Entry<'_>) -> bool {
        /// Room for everything but entries and state.
        const SPARE: usize = 1024;
        let state_len = match self.begun {
            Begun::Table { state_len, .. } => state_len as usize,
            Begun::Nothing | Begun::Delivery { .. } | Begun::Whole(_) => return true,
        };
        let at = self.entries.len();
        meaning::put_entry(entry, &mut self.entries);
        let fits = SPARE + self.entries.len() + state_len <= SEALED_LEN_MAX;
        if fits {
            self.count += 1;
        } else {
            self.entries.truncate(at);
        }
        fits
    }

    /// The message; empty if there is nothing that this dialect has a word for.
    pub(super) fn into_message(self) -> Vec<u8> {
        let mut out = Vec::new();
        match self.begun {
            Begun::Nothing => {}
            Begun::Whole(whole) => return whole,
            Begun::Table { join, state_len } => {
                out.push(Kind::PushPull as u8);
                push_pull::Head { nodes: self.count, state_len, join }.put(&mut out);
                out.extend_from_slice(&self.entries);
                out.extend_from_slice(&self.raw);
            }
            Begun::Delivery { len } => {
                out.push(Kind::User as u8);
                push_pull::put_delivery(len, &mut out);
                out.extend_from_slice(&self.raw);
            }
        }
        out
    }
}
