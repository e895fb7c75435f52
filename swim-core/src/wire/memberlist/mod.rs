//! The dialect of HashiCorp's memberlist and Serf: the layers in their order, and nothing else.
//!
//! Coming in: label, envelope, checksum, at most one compress, at most one compound, messages. (O2)
//! What stands elsewhere is refused. A packet is checked as a whole before any of it is handed out;
//! messages in it that nobody could mean are left out and counted, because Go, too, goes on with
//! the others.

mod channel;
mod checksum;
mod compound;
mod explain;
mod extent;
#[cfg(feature = "simulation")]
mod forging;
mod label;
mod leaf;
mod limits;
mod lists;
mod lzw;
mod meaning;
mod memory;
mod nonces;
mod pack;
mod push_pull;
#[cfg(any(test, feature = "rewriting"))]
mod rewriting;
mod seal;
mod unpack;
mod wear;
mod writer;

#[cfg(test)]
mod tests;

use alloc::{sync::Arc, vec::Vec};
use core::{mem, net::SocketAddr};

use bytes::Bytes;
use rand_chacha::ChaCha8Rng;

pub(crate) use self::{
    channel::Channel,
    memory::{heap_max, stream_room},
    writer::{FrameWriter, PacketWriter},
};
use self::{
    channel::Rules,
    compound::Parts,
    extent::Inbound,
    label::Labelling,
    leaf::{Kind, Leaf},
    limits::{
        CHECKSUM_LEN, CHECKSUM_SINCE, COMPOUND_HEAD_LEN, COMPRESS_LEN_MIN, PACKET_INFLATED_MAX,
        PACKET_LEN_MAX, PADDED_PROTOCOL, SEALED_HEAD_LEN,
    },
    meaning::{Identity, Octets, Ports},
    seal::{Envelope, Sealing},
};
use super::{
    message::{Message, Receiver},
    opened::{Messages, Opened, Refusals, To},
    settings::WireSettings,
};
use crate::{
    dialect::{MemberlistOptions, PORTS_SINCE},
    keyring::{KeyId, Keyring},
    name::{Name, NameRef},
    reject::Reject,
};

/// One node's memberlist wire.
pub(crate) struct Memberlist {
    labelling: Labelling,
    own: Arc<Identity>,
    sealing: Option<Sealing>,
    options: MemberlistOptions,
    packet_len_max: usize,
    inbound: Inbound,
    /// Holds what is inflated, while nothing is.
    spare: Vec<u8>,
}

impl Memberlist {
    /// Sequence numbers have 32 bits, so that nonces must not have more.
    pub(crate) const NONCE_MASK: u64 = 0xFFFF_FFFF;

    pub(crate) fn new(
        settings: WireSettings<'_>,
        addr: SocketAddr,
        options: MemberlistOptions,
        nonces: ChaCha8Rng,
    ) -> Self {
        let WireSettings { label, keyring, own_name, packet_len_max, .. } = settings;
        let is_padded = options.protocol.current == PADDED_PROTOCOL;
        let envelope = if is_padded { Envelope::Padded } else { Envelope::Exact };
        let own = Identity {
            name: Name::from_checked(NameRef::from_checked(own_name.as_bytes())),
            addr: Octets::of(addr.ip(), false),
            port: addr.port(),
            ports: Ports {
                bound: options.bind_port.unwrap_or(addr.port()),
                are_all_one: options.protocol.current < PORTS_SINCE,
            },
        };
        Self {
            labelling: Labelling {
                label: label.as_str().as_bytes().into(),
                is_stripped: options.skip_inbound_label_check,
            },
            own: Arc::new(own),
            sealing: keyring
                .map(|keyring| Sealing::new(keyring, envelope, options.accept_padded, nonces)),
            options,
            packet_len_max,
            inbound: Inbound {
                state_len_max: settings.state_len_max,
                message_len_max: settings.message_len_max,
            },
            spare: Vec::new(),
        }
    }

    /// Opens a packet. `wall` is the time in unix seconds, if the node has a clock.
    pub(crate) fn open_packet<'s>(
        &mut self,
        wall: Option<u32>,
        data: &'s [u8],
        scratch: &'s mut Vec<u8>,
    ) -> Result<Opened<'s>, Reject> {
        let message = self.unwrap(wall, data, scratch)?;
        self.opened(message)
    }

    /// Begins a packet to this node, or to whoever reads it.
    pub(crate) fn begin_packet(&self, to: Option<Receiver<'_>>) -> PacketWriter {
        let name = to.map_or(&[][..], |to| to.name.as_bytes());
        let checks = to.is_some_and(|to| to.protocol_max >= CHECKSUM_SINCE);
        PacketWriter::new(&self.own, name, checks, self.packet_room())
    }

    /// Makes a packet ready to be sent.
    pub(crate) fn finish_packet(&mut self, writer: PacketWriter) -> Bytes {
        let checks = writer.checks;
        let mut message = writer.into_message();
        if self.options.compression && message.len() >= COMPRESS_LEN_MIN {
            let mut compressed = Vec::new();
            lzw::put(&message, &mut compressed);
            if compressed.len() < message.len() {
                message = compressed;
            }
        }
        self.close_packet(message, checks)
    }

    /// Takes bytes of a stream; see [`Wire::open_frame`](super::Wire::open_frame).
    pub(crate) fn open_frame<'s>(
        &mut self,
        wall: Option<u32>,
        channel: &mut Channel,
        chunk: &mut &[u8],
        scratch: &'s mut Vec<u8>,
    ) -> Result<Option<Opened<'s>>, Reject> {
        let must_be_sealed = self.sealing.is_some() && self.options.verify_incoming;
        let mut rules = Rules {
            labelling: &self.labelling,
            sealing: self.sealing.as_mut(),
            must_be_sealed,
            own: &self.own,
            inbound: &self.inbound,
        };
        channel.open(&mut rules, wall, chunk, scratch)
    }

    /// Begins the message of one direction of a stream.
    pub(crate) fn begin_frame(&self, to: &[u8]) -> FrameWriter {
        FrameWriter::new(&self.own, to)
    }

    /// Makes a stream's message ready to be sent; empty if there is nothing to say.
    pub(crate) fn finish_frame(&mut self, writer: FrameWriter, channel: &mut Channel) -> Bytes {
        let mut message = writer.into_message();
        if message.is_empty() {
            return Bytes::new();
        }
        if self.options.compression {
            let mut compressed = Vec::new();
            lzw::put(&message, &mut compressed);
            if compressed.len() < message.len() {
                message = compressed;
            }
        }
        let mut stream = Vec::new();
        if channel.take_label() {
            self.labelling.put(&mut stream);
        }
        match self.sealing.as_mut().filter(|_| self.options.verify_outgoing) {
            Some(sealing) => {
                let len = u32::try_from(sealing.sealed_len(message.len()));
                let [a, b, c, d] = len.expect("a table is far below 4 GiB").to_be_bytes();
                let head: [u8; SEALED_HEAD_LEN] = [Kind::Encrypt as u8, a, b, c, d];
                stream.extend_from_slice(&head);
                let around = [&head, &self.labelling.label[..]].concat();
                sealing.seal(&message, &around, &mut stream);
            }
            None => stream.extend_from_slice(&message),
        }
        stream.into()
    }

    /// How many bytes a message takes in a packet to somebody of this name, its length included.
    pub(crate) fn encoded_len(&self, message: &Message<'_>) -> usize {
        writer::encoded_len(message, &[], &self.own)
    }

    /// The most bytes that one message may have, as [`Self::encoded_len`] counts them.
    pub(crate) fn packet_capacity(&self) -> usize {
        self.packet_room() - COMPOUND_HEAD_LEN
    }

    pub(crate) fn keyring(&self) -> Option<&Keyring> {
        self.sealing.as_ref().map(Sealing::keyring)
    }

    /// Changes the ring, if there is one.
    pub(crate) fn change_keyring<R>(
        &mut self,
        change: impl FnOnce(&mut Keyring) -> R,
    ) -> Option<R> {
        self.sealing.as_mut().map(|sealing| sealing.change_keyring(change))
    }

    /// How many envelopes so many members have made with the key that seals.
    pub(crate) fn sealed_estimate(&self, members: u64) -> u64 {
        self.sealing.as_ref().map_or(0, |sealing| sealing.estimate(members))
    }

    /// The key that seals and that estimate, when it comes to a limit. (O5)
    pub(crate) fn passes_seal_limit(&mut self, members: u64) -> Option<(KeyId, u64)> {
        self.sealing.as_mut()?.passes_limit(members)
    }

    /// As if so many envelopes had been made with the key that seals.
    #[cfg(test)]
    pub(crate) fn set_sealed(&mut self, sealed: u64) {
        self.sealing.iter_mut().for_each(|sealing| sealing.set_sealed(sealed));
    }

    /// A tick came: what a packet was inflated into is given back beyond this room.
    pub(crate) fn ticked(&mut self, room: usize) {
        if self.spare.capacity() > room {
            self.spare = Vec::new();
        }
    }

    /// Puts around a packet's message what belongs there.
    fn close_packet(&mut self, mut message: Vec<u8>, checks: bool) -> Bytes {
        if checks {
            let head = checksum::head(&message);
            message.splice(..0, head);
        }
        let mut packet = Vec::with_capacity(self.packet_len_max);
        self.labelling.put(&mut packet);
        match self.sealing.as_mut().filter(|_| self.options.verify_outgoing) {
            Some(sealing) => sealing.seal(&message, &self.labelling.label, &mut packet),
            None => packet.extend_from_slice(&message),
        }
        packet.into()
    }

    /// Takes off everything that is around a packet's message.
    fn unwrap<'s>(
        &mut self,
        wall: Option<u32>,
        data: &'s [u8],
        scratch: &'s mut Vec<u8>,
    ) -> Result<&'s [u8], Reject> {
        if data.len() > PACKET_LEN_MAX {
            return Err(Reject::Oversize);
        }
        let len = self.labelling.measure(data)?.ok_or(Reject::Truncated)?;
        let rest = &data[len..];
        let is_opened = self.unseal(wall, rest, scratch)?;
        let sealed = if is_opened { &scratch[..] } else { rest };
        let message_at = checksum::open(sealed)?;
        let message = &sealed[message_at..];
        if message.first() == Some(&(Kind::Compress as u8)) {
            lzw::open(&message[1..], PACKET_INFLATED_MAX, &mut self.spare)?;
            mem::swap(scratch, &mut self.spare);
            if let Some(plain) = lists::packet(scratch) {
                *scratch = plain;
            }
            return Ok(scratch);
        }
        if let Some(plain) = lists::packet(message) {
            *scratch = plain;
            return Ok(scratch);
        }
        Ok(if is_opened { &scratch[message_at..] } else { &rest[message_at..] })
    }

    /// Opens the envelope into `out`, if there is one. What can't be opened may be plain where not
    /// all is sealed yet.
    fn unseal(
        &mut self,
        wall: Option<u32>,
        rest: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<bool, Reject> {
        let Some(sealing) = &mut self.sealing else { return Ok(false) };
        match sealing.open(rest, &self.labelling.label, wall, out) {
            Ok(()) => Ok(true),
            // Plain messages begin with numbers that could be versions, and are of any length.
            Err(Reject::Decrypt | Reject::Version | Reject::Truncated)
                if !self.options.verify_incoming =>
            {
                Ok(false)
            }
            Err(reject) => Err(reject),
        }
    }

    /// What stands in a message of which nothing is wrapped up any more.
    fn opened<'s>(&self, message: &'s [u8]) -> Result<Opened<'s>, Reject> {
        let (messages, refused) = if message.first() == Some(&(Kind::Compound as u8)) {
            self.read_all(Parts::read(&message[1..])?)
        } else {
            (Messages::from_slice(&[self.read(message)?]), Refusals::new())
        };
        Ok(Opened { sender: None, to: To::Us, messages, unknown: 0, refused, last: false })
    }

    fn read_all<'s>(&self, parts: Parts<'s>) -> (Messages<'s>, Refusals) {
        let (mut messages, mut refused) = (Messages::new(), Refusals::new());
        let mut has_probe = false;
        for part in parts {
            match part.and_then(|part| self.read(part)) {
                Ok(Message::Ping(_) | Message::IndirectPing(_)) if has_probe => {
                    refused.push(Reject::Excess); // One packet, one answer. (X6)
                }
                Ok(message) => {
                    has_probe |= matches!(message, Message::Ping(_) | Message::IndirectPing(_));
                    messages.push(message);
                }
                Err(reject) => refused.push(reject),
            }
        }
        (messages, refused)
    }

    fn read<'s>(&self, message: &'s [u8]) -> Result<Message<'s>, Reject> {
        let (&kind, body) = message.split_first().ok_or(Reject::Truncated)?;
        let kind = Kind::of(kind).ok_or(Reject::Malformed)?;
        let leaf = Leaf::read(kind, body)?.ok_or(Reject::Misplaced)?;
        meaning::message(leaf, &self.own)
    }

    /// How many bytes of messages fit into a packet, and the lengths of all of them.
    fn packet_room(&self) -> usize {
        let sealing = self.sealing.as_ref().filter(|_| self.options.verify_outgoing);
        let envelope = sealing.map_or(0, Sealing::overhead);
        self.packet_len_max - self.labelling.overhead() - envelope - CHECKSUM_LEN
    }
}
