//! Plain packets and streams written again, by the writers of a node: the same to the byte, because
//! every value has one encoding. (W2)
//!
//! For tests alone. What is sealed would need its nonce a second time, and is refused.

use alloc::vec;

use super::{writer::Body, *};
use crate::limits::PACKET_LEN_MAX;

impl Native {
    /// A packet once more.
    pub(crate) fn rewrite_packet(&mut self, data: &[u8]) -> Result<Vec<u8>, Reject> {
        let mut scratch = Vec::new();
        let (header, body) = self.open_body(data, &mut scratch)?;
        let mut from = Reader::new(body);
        let preamble = Preamble::read(&mut from)?;
        let mut writer = PacketWriter::new(vec![0; PACKET_LEN_MAX], false, &preamble);
        push_again(&preamble, from.rest(), Place::Packet, |message| writer.push(message))?;
        let mut body = writer.into_body();
        let packet = body.packet_mut();
        self.close_again(&header, Flags::packet(false), &[], packet)?;
        Ok(packet.to_vec())
    }

    /// One direction of a stream once more. A frame that was compressed is compressed again, if it
    /// gets shorter: of that there are many encodings.
    pub(crate) fn rewrite_stream(
        &mut self,
        data: &[u8],
        is_request: bool,
    ) -> Result<Vec<u8>, Reject> {
        let mut channel = if is_request { Channel::listener() } else { Channel::dialer() };
        let (mut rest, mut out) = (data, Vec::new());
        while !rest.is_empty() {
            if !channel.fill(&mut rest)? {
                return Err(Reject::Truncated);
            }
            let frame = self.rewrite_frame(&mut channel)?;
            out.extend_from_slice(frame.as_slice());
        }
        Ok(out)
    }

    fn rewrite_frame(&mut self, channel: &mut Channel) -> Result<Vec<u8>, Reject> {
        let (context, mut scratch) = (channel.receive_context(), Vec::new());
        let (header, body) = self.open_frame_body(channel, &mut scratch)?;
        let mut from = Reader::new(body);
        let preamble = Preamble::read(&mut from)?;
        let mut writer = FrameWriter::new(FRAME_PREFIX_LEN, FRAME_BODY_LEN_MAX, false, &preamble);
        push_again(&preamble, from.rest(), Place::Frame, |message| writer.push(message))?;
        let mut body = writer.into_body();
        let is_shorter = header.flags.compressed() && shorten(&mut body);
        let flags = Flags::frame(false, header.flags.last(), is_shorter);
        let whole = body.packet_mut();
        let (prefix, frame) =
            whole.split_first_chunk_mut::<FRAME_PREFIX_LEN>().ok_or(Reject::Truncated)?;
        *prefix = u32::try_from(frame.len()).map_err(|_| Reject::Oversize)?.to_le_bytes();
        self.close_again(&header, flags, &context, frame)?;
        channel.on_received(header.nonce(), header.flags.last())?;
        Ok(whole.to_vec())
    }

    fn close_again(
        &mut self,
        header: &Header,
        flags: Flags,
        context: &[u8],
        packet: &mut [u8],
    ) -> Result<(), Reject> {
        if header.flags.sealed() {
            return Err(Reject::Sealed);
        }
        self.close(Lane::Packets, flags, context, packet);
        Ok(())
    }
}

/// Reads messages, and writes each of them. What a later version says is nothing to write here.
fn push_again(
    preamble: &Preamble<'_>,
    parts: &[u8],
    place: Place,
    push: impl FnMut(&Message<'_>) -> bool,
) -> Result<(), Reject> {
    let (messages, unknown) = parts::read(parts, place, preamble.protocol)?;
    if unknown > 0 || preamble.protocol > PROTOCOL {
        return Err(Reject::Version);
    }
    let fits = messages.iter().all(push);
    if fits { Ok(()) } else { Err(Reject::Excess) }
}

/// Compresses a body, where it pays.
fn shorten(body: &mut Body) -> bool {
    let shorter = compress::compress(body.as_bytes());
    if let Some(shorter) = &shorter {
        body.replace(shorter);
    }
    shorter.is_some()
}
