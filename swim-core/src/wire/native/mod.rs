//! The native dialect: the layers in their order, and nothing else.
//!
//! Coming in: length, header, label, seal or checksum, age, receiver, replay, parts. A packet is
//! refused at the first layer that objects; nothing of it is handed out before all of it was
//! checked. (S9)

mod address;
mod body;
mod channel;
mod checksum;
mod cipher;
mod codec;
mod compress;
mod contexts;
mod deframe;
mod explain;
#[cfg(feature = "simulation")]
mod forging;
mod header;
mod kind;
mod limits;
mod memory;
mod parts;
mod pool;
mod preamble;
mod replay;
#[cfg(any(test, feature = "rewriting"))]
mod rewriting;
mod seal;
mod session;
mod window;
mod writer;

#[cfg(test)]
mod tests;

use alloc::{boxed::Box, vec, vec::Vec};
use core::{mem, num::NonZeroU32};

use aes_gcm::aead::inout::InOutBuf;
use bytes::Bytes;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest as _, Sha256};

pub(crate) use self::{
    channel::Channel,
    memory::{heap_max, stream_room},
    session::Lane,
    writer::{FrameWriter, PacketWriter},
};
use self::{
    checksum::checksum,
    cipher::Surroundings,
    codec::Reader,
    deframe::FRAME_PREFIX_LEN,
    header::{Expected, Flags, Guard, Header, Nonce, header_len},
    kind::Place,
    limits::{FRAME_BODY_LEN_MAX, PACKET_AGE_MAX, PROTOCOL, TAG_LEN},
    pool::Pool,
    preamble::{Addressee, NameHash, Preamble},
    seal::Sealing,
    window::Novelty,
    writer::{Body, tag_len},
};
use super::{
    message::{Message, Receiver, Sender},
    opened::{Opened, Refusals, To},
    settings::WireSettings,
};
use crate::{
    keyring::Keyring, label::Label, limits::PACKET_LEN_MAX, name::NameRef, reject::Reject,
    stamp::Life,
};

/// One node's native wire.
pub(crate) struct Native {
    label: Label,
    label_id: u32,
    own_hash: NameHash,
    own_life: Life,
    packet_len_max: usize,
    /// Boxed: its ciphers take 2.8 KB, which a node without a key need not have.
    sealing: Option<Box<Sealing>>,
    pool: Pool,
    /// The buffer in which packets are made, while none is.
    spare: Vec<u8>,
}

impl Native {
    pub(crate) fn new(settings: WireSettings<'_>, nonces: ChaCha8Rng) -> Self {
        let WireSettings { label, keyring, own_name, own_life, packet_len_max, .. } = settings;
        let label_id = label_id(label);
        Self {
            label: label.clone(),
            label_id,
            own_hash: NameHash::of(NameRef::from_checked(own_name.as_bytes())),
            own_life,
            packet_len_max,
            sealing: keyring.map(|keyring| {
                Box::new(Sealing::new(keyring, label, label_id, settings.sessions_max, nonces))
            }),
            pool: Pool::default(),
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
        let (header, body) = self.open_body(data, scratch)?;
        let mut from = Reader::new(body);
        let preamble = Preamble::read(&mut from)?;
        if preamble.to.is_none() {
            return Err(Reject::Unaddressed);
        }
        let to = self.admit(wall, &header, &preamble, true)?;
        opened(&header, &preamble, to, Place::Packet, from.rest())
    }

    /// Begins a packet to this node, or to whoever reads it.
    pub(crate) fn begin_packet(
        &mut self,
        wall: Option<u32>,
        sender: Sender<'_>,
        to: Option<Receiver<'_>>,
    ) -> PacketWriter {
        let mut buffer = mem::take(&mut self.spare);
        if buffer.is_empty() {
            buffer = vec![0; self.packet_len_max];
        }
        PacketWriter::new(buffer, self.is_sealed(), &preamble(wall, sender, to))
    }

    /// Seals a packet, or adds its checksum.
    pub(crate) fn finish_packet(&mut self, writer: PacketWriter) -> Bytes {
        let mut body = writer.into_body();
        let packet = body.packet_mut();
        self.close(Lane::Packets, Flags::packet(self.is_sealed()), &[], packet);
        let bytes = self.pool.store(packet);
        self.spare = body.into_buffer();
        bytes
    }

    /// Gives up a packet that turned out to have nothing to say.
    pub(crate) fn discard_packet(&mut self, writer: PacketWriter) {
        self.spare = writer.into_body().into_buffer();
    }

    /// A tick came: gives back what packets took in a burst.
    pub(crate) fn ticked(&mut self) {
        self.pool.ticked();
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
        match channel.fill(chunk) {
            Ok(false) => return Ok(None),
            Ok(true) => {}
            Err(reject) => {
                channel.on_refused(reject);
                return Err(reject);
            }
        }
        let opened = self.open_whole_frame(wall, channel, scratch);
        if let Err(reject) = opened {
            channel.on_refused(reject);
        }
        opened.map(Some)
    }

    /// Begins a stream frame to this node, or to whoever reads it.
    pub(crate) fn begin_frame(
        &mut self,
        wall: Option<u32>,
        sender: Sender<'_>,
        to: Option<Receiver<'_>>,
    ) -> FrameWriter {
        let preamble = preamble(wall, sender, to);
        FrameWriter::new(FRAME_PREFIX_LEN, FRAME_BODY_LEN_MAX, self.is_sealed(), &preamble)
    }

    /// Compresses a frame where it pays, and seals it or adds its checksum. `last` says that
    /// nothing follows in this direction.
    pub(crate) fn finish_frame(
        &mut self,
        writer: FrameWriter,
        channel: &mut Channel,
        last: bool,
    ) -> Bytes {
        let mut body = writer.into_body();
        let compressed = compress::compress(body.as_bytes());
        if let Some(shorter) = &compressed {
            body.replace(shorter);
        }
        self.close_frame(body, channel, last, compressed.is_some())
    }

    /// The most bytes that one message may have, as [`encoded_len`] counts them, to fit into a
    /// packet whose sender has a name of this length.
    pub(crate) const fn packet_capacity(&self, name_len: usize) -> usize {
        packet_capacity(self.packet_len_max, self.is_sealed(), name_len)
    }

    /// The node begins a life: what is for an earlier one is not for it any more.
    pub(crate) const fn begin_life(&mut self, life: Life) {
        self.own_life = life;
    }

    /// Goes on in a session that nobody has used up, where anything is sealed. (X4)
    pub(crate) fn begin_session(&mut self, lane: Lane) {
        if let Some(sealing) = &mut self.sealing {
            sealing.begin_session(lane);
        }
    }

    /// The session that comes next.
    #[cfg(test)]
    pub(crate) fn session(&self, lane: Lane) -> [u8; 8] {
        self.sealing.as_ref().expect("it has a key").sessions().id(lane)
    }

    /// Moves a counter near its end, or back to where it was.
    #[cfg(test)]
    pub(crate) fn skip_to(&mut self, lane: Lane, counter: u32) {
        self.sealing.as_mut().expect("it has a key").sessions_mut().skip_to(lane, counter);
    }

    pub(crate) const fn is_sealed(&self) -> bool {
        self.sealing.is_some()
    }

    pub(crate) fn keyring(&self) -> Option<&Keyring> {
        self.sealing.as_deref().map(Sealing::keyring)
    }

    /// Changes the ring, if there is one. A change of primary begins new sessions.
    pub(crate) fn change_keyring<R>(
        &mut self,
        change: impl FnOnce(&mut Keyring) -> R,
    ) -> Option<R> {
        self.sealing.as_mut().map(|sealing| sealing.change_keyring(change))
    }

    /// Takes off what is around a packet's body.
    fn open_body<'s>(
        &mut self,
        data: &'s [u8],
        scratch: &'s mut Vec<u8>,
    ) -> Result<(Header, &'s [u8]), Reject> {
        if data.len() > PACKET_LEN_MAX {
            return Err(Reject::Oversize);
        }
        let header = Header::read(data, &self.expected(Place::Packet))?;
        let (head, rest) = data.split_at(header.len());
        let body = match (header.guard, &mut self.sealing) {
            (Guard::Seal { key_id, nonce }, Some(sealing)) => {
                let (body, tag) = rest.split_last_chunk::<TAG_LEN>().ok_or(Reject::Truncated)?;
                let out = room(scratch, body.len());
                let around = Surroundings::new(head, self.label.as_str().as_bytes(), &[]);
                let in_out = InOutBuf::new(body, out).map_err(|_| Reject::Decrypt)?;
                sealing.open(key_id, nonce, &around, in_out, *tag)?;
                out
            }
            (Guard::Seal { .. }, None) => return Err(Reject::Sealed),
            (Guard::Checksum(expected), _) => {
                if checksum(head, self.label.as_str().as_bytes(), &[], rest) != expected {
                    return Err(Reject::Checksum);
                }
                rest
            }
        };
        Ok((header, body))
    }

    fn open_whole_frame<'s>(
        &mut self,
        wall: Option<u32>,
        channel: &mut Channel,
        scratch: &'s mut Vec<u8>,
    ) -> Result<Opened<'s>, Reject> {
        let is_opening = channel.awaits_opening();
        let (header, body) = self.open_frame_body(channel, scratch)?;
        let mut from = Reader::new(body);
        let preamble = Preamble::read(&mut from)?;
        let to = self.admit(wall, &header, &preamble, is_opening)?;
        let opened = opened(&header, &preamble, to, Place::Frame, from.rest())?;
        channel.on_received(header.nonce(), opened.last)?;
        Ok(opened)
    }

    /// Takes off what is around a whole frame's body.
    fn open_frame_body<'s>(
        &mut self,
        channel: &mut Channel,
        scratch: &'s mut Vec<u8>,
    ) -> Result<(Header, &'s [u8]), Reject> {
        let context = channel.receive_context();
        let frame = channel.frame_mut();
        let header = Header::read(frame, &self.expected(Place::Frame))?;
        let (head, rest) = frame.split_at_mut(header.len());
        let label = self.label.as_str().as_bytes();
        let body = match (header.guard, &mut self.sealing) {
            (Guard::Seal { key_id, nonce }, Some(sealing)) => {
                let (body, tag) =
                    rest.split_last_chunk_mut::<TAG_LEN>().ok_or(Reject::Truncated)?;
                let around = Surroundings::new(head, label, &context);
                sealing.open(key_id, nonce, &around, InOutBuf::from(&mut *body), *tag)?;
                body
            }
            (Guard::Seal { .. }, None) => return Err(Reject::Sealed),
            (Guard::Checksum(expected), _) => {
                if checksum(head, label, &context, rest) != expected {
                    return Err(Reject::Checksum);
                }
                rest
            }
        };
        if body.len() > FRAME_BODY_LEN_MAX {
            return Err(Reject::Oversize);
        }
        let body = if header.flags.compressed() {
            compress::decompress(body, scratch)?
        } else {
            let copy = room(scratch, body.len());
            copy.copy_from_slice(body);
            copy
        };
        Ok((header, body))
    }

    /// Whether an authentic body is in time, for this node, and, where it could be one, no replay.
    /// The replay guard comes last, so that old recordings leave no trace in it. It has forgotten
    /// what came before the node started; so what was for a former life is told apart, and so is
    /// what is for anybody, which may have been said to somebody else. (X4)
    fn admit(
        &mut self,
        wall: Option<u32>,
        header: &Header,
        preamble: &Preamble<'_>,
        may_be_replay: bool,
    ) -> Result<To, Reject> {
        let is_sealed = matches!(header.guard, Guard::Seal { .. });
        let is_far_off =
            |(here, there): (u32, NonZeroU32)| here.abs_diff(there.get()) > PACKET_AGE_MAX;
        if is_sealed && wall.zip(preamble.time).is_some_and(is_far_off) {
            return Err(Reject::Stale);
        }
        match preamble.to {
            Some(to) if to.name != self.own_hash => return Err(Reject::NotForUs),
            Some(to) if to.life < self.own_life => return Ok(To::FormerUs),
            None if is_sealed && may_be_replay => return Ok(To::Anybody),
            Some(_) | None => {}
        }
        let (Guard::Seal { key_id, nonce }, Some(sealing)) = (header.guard, &mut self.sealing)
        else {
            return Ok(To::Us);
        };
        let novelty = if may_be_replay { sealing.accept(key_id, nonce) } else { Novelty::New };
        match novelty {
            Novelty::New => Ok(To::Us),
            Novelty::Repeated => Err(Reject::Replayed),
            Novelty::Overtaken => Ok(To::Overtaken),
        }
    }

    /// Puts around a frame's body what belongs there.
    fn close_frame(
        &mut self,
        mut body: Body,
        channel: &mut Channel,
        last: bool,
        is_compressed: bool,
    ) -> Bytes {
        let (prefix, frame) = body
            .packet_mut()
            .split_first_chunk_mut::<FRAME_PREFIX_LEN>()
            .expect("the writer was begun with room for the prefix");
        let frame_len = u32::try_from(frame.len()).expect("a frame is shorter than its limit");
        *prefix = frame_len.to_le_bytes();
        let flags = Flags::frame(self.is_sealed(), last, is_compressed);
        let nonce = self.close(Lane::Streams, flags, &channel.send_context(), frame);
        channel.on_sent(nonce, last);
        Bytes::copy_from_slice(body.packet_mut())
    }

    /// Completes what goes out: its header, and the seal or the checksum.
    fn close(
        &mut self,
        lane: Lane,
        flags: Flags,
        context: &[u8],
        packet: &mut [u8],
    ) -> Option<Nonce> {
        if let Some(sealing) = &mut self.sealing {
            return Some(sealing.seal(lane, flags, context, packet));
        }
        let (head, body) = packet.split_at_mut(header_len(false));
        let mut header = Header { flags, label_id: self.label_id, guard: Guard::Checksum(0) };
        header.write(head);
        let sum = checksum(head, self.label.as_str().as_bytes(), context, body);
        header.guard = Guard::Checksum(sum);
        header.write(head);
        None
    }

    fn expected(&self, place: Place) -> Expected {
        let stream = place == Place::Frame;
        Expected { stream, label_id: self.label_id, sealed: self.is_sealed() }
    }
}

/// How many bytes a message takes in a packet or frame, its part header included.
pub(crate) fn encoded_len(message: &Message<'_>) -> usize {
    parts::len(message)
}

/// The most bytes that one message may have to fit into a packet of at most `packet_len_max`, whose
/// sender has a name of `name_len` bytes and the longest stamp.
pub(crate) const fn packet_capacity(packet_len_max: usize, sealed: bool, name_len: usize) -> usize {
    let overhead = header_len(sealed) + Preamble::len_max(name_len) + tag_len(sealed);
    packet_len_max.saturating_sub(overhead)
}

fn preamble<'a>(wall: Option<u32>, sender: Sender<'a>, to: Option<Receiver<'_>>) -> Preamble<'a> {
    Preamble {
        protocol: PROTOCOL,
        time: wall.and_then(NonZeroU32::new),
        to: to.map(Addressee::of),
        sender,
    }
}

/// Checks the parts of a body that is otherwise accepted.
fn opened<'s>(
    header: &Header,
    preamble: &Preamble<'s>,
    to: To,
    place: Place,
    parts: &'s [u8],
) -> Result<Opened<'s>, Reject> {
    let (messages, unknown) = parts::read(parts, place, preamble.protocol)?;
    Ok(Opened {
        sender: Some(preamble.sender),
        to,
        messages,
        unknown,
        refused: Refusals::new(),
        last: header.flags.last(),
    })
}

/// The first `len` bytes of the scratch space, which grows when it must.
fn room(scratch: &mut Vec<u8>, len: usize) -> &mut [u8] {
    scratch.resize(scratch.len().max(len), 0);
    &mut scratch[..len]
}

/// What a label is called on the wire: the first four bytes of a hash of it, or zeros for none.
fn label_id(label: &Label) -> u32 {
    if label.is_empty() {
        return 0;
    }
    let hash = Sha256::new().chain_update(LABEL_DOMAIN).chain_update(label.as_str()).finalize();
    u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]])
}

/// Sets the hash that names a label apart from every other use of SHA-256.
const LABEL_DOMAIN: &[u8] = b"swim label";
