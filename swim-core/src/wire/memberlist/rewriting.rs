//! Captured packets and streams written again: field by field and layer by layer, by the writers
//! of a node, under the nonces that they had.
//!
//! For tests alone: what comes out is the same to the byte wherever nothing is written otherwise,
//! and is handed to other programs to see that they take it.

use alloc::vec::Vec;

use super::{
    Memberlist, checksum,
    compound::{self, Parts},
    leaf::{Kind, Leaf},
    limits::{PACKET_INFLATED_MAX, SEALED_HEAD_LEN, STREAM_LEN_MAX},
    lzw, push_pull,
    unpack::Reader,
};
use crate::reject::Reject;

impl Memberlist {
    /// A packet once more. Sealed with the first of the keys, whichever opened it.
    pub(crate) fn rewrite_packet(&self, data: &[u8]) -> Result<Vec<u8>, Reject> {
        let at = self.labelling.measure(data)?.ok_or(Reject::Truncated)?;
        let (mut inner, mut nonce) = (Vec::new(), None);
        match &self.sealing {
            Some(sealing) => {
                let around = &self.labelling.label;
                nonce = Some(sealing.open_again(&data[at..], around, &mut inner)?.0);
            }
            None => inner.extend_from_slice(&data[at..]),
        }
        let checksum_len = checksum::open(&inner)?;
        let mut again = compressed_alike(&inner[checksum_len..], PACKET_INFLATED_MAX, packet)?;
        if checksum_len > 0 {
            let head = checksum::head(&again);
            again.splice(..0, head);
        }
        let mut out = Vec::new();
        self.labelling.put(&mut out);
        match self.sealing.as_ref().zip(nonce) {
            Some((sealing, nonce)) => {
                sealing.seal_with(nonce, &again, &self.labelling.label, &mut out);
            }
            None => out.extend_from_slice(&again),
        }
        Ok(out)
    }

    /// One direction of a stream once more: what the one who dialed said, or what was answered.
    pub(crate) fn rewrite_stream(&self, data: &[u8], is_request: bool) -> Result<Vec<u8>, Reject> {
        let mut out = Vec::new();
        let mut rest = data;
        if is_request {
            rest = &data[self.labelling.measure(data)?.ok_or(Reject::Truncated)?..];
            self.labelling.put(&mut out);
        }
        let Some(sealing) = &self.sealing else {
            out.extend(compressed_alike(rest, STREAM_LEN_MAX, streamed)?);
            return Ok(out);
        };
        let (head, sealed) =
            rest.split_first_chunk::<SEALED_HEAD_LEN>().ok_or(Reject::Truncated)?;
        let (mut inner, around) = (Vec::new(), [head, &self.labelling.label[..]].concat());
        let (nonce, _) = sealing.open_again(sealed, &around, &mut inner)?;
        let again = compressed_alike(&inner, STREAM_LEN_MAX, streamed)?;
        let len = u32::try_from(sealing.sealed_len(again.len())).map_err(|_| Reject::Oversize)?;
        let head = [&[Kind::Encrypt as u8][..], &len.to_be_bytes()].concat();
        let around = [&head, &self.labelling.label[..]].concat();
        out.extend_from_slice(&head);
        sealing.seal_with(nonce, &again, &around, &mut out);
        Ok(out)
    }
}

/// A message once more, compressed if it was.
fn compressed_alike(
    message: &[u8],
    inflated_max: usize,
    rewrite: impl Fn(&[u8]) -> Result<Vec<u8>, Reject>,
) -> Result<Vec<u8>, Reject> {
    if message.first() != Some(&(Kind::Compress as u8)) {
        return rewrite(message);
    }
    let (mut inner, mut out) = (Vec::new(), Vec::new());
    lzw::open(&message[1..], inflated_max, &mut inner)?;
    lzw::put(&rewrite(&inner)?, &mut out);
    Ok(out)
}

/// The message of a packet once more.
fn packet(message: &[u8]) -> Result<Vec<u8>, Reject> {
    let mut parts = Vec::new();
    if message.first() != Some(&(Kind::Compound as u8)) {
        leaf(message)?.put(&mut parts);
        return Ok(parts);
    }
    let mut lengths = Vec::new();
    for part in Parts::read(&message[1..])? {
        let at = parts.len();
        leaf(part?)?.put(&mut parts);
        lengths.push(u16::try_from(parts.len() - at).map_err(|_| Reject::Oversize)?);
    }
    let mut out = Vec::new();
    compound::put(&lengths, &parts, &mut out);
    Ok(out)
}

/// The message of a stream once more, with all that belongs to it.
fn streamed(message: &[u8]) -> Result<Vec<u8>, Reject> {
    let (&kind, body) = message.split_first().ok_or(Reject::Truncated)?;
    let (mut from, mut out) = (Reader::new(body), Vec::from([kind]));
    match Kind::of(kind).ok_or(Reject::Malformed)? {
        Kind::PushPull => {
            let head = push_pull::Head::read(&mut from)?;
            head.put(&mut out);
            for _ in 0..head.nodes {
                push_pull::Node::read(&mut from)?.put(&mut out);
            }
        }
        Kind::User => push_pull::put_delivery(push_pull::read_delivery(&mut from)?, &mut out),
        _ => {
            out.clear();
            leaf(message)?.put(&mut out);
            return Ok(out);
        }
    }
    out.extend_from_slice(from.rest());
    Ok(out)
}

/// A message that holds no others.
pub(super) fn leaf(message: &[u8]) -> Result<Leaf<'_>, Reject> {
    let (&kind, body) = message.split_first().ok_or(Reject::Truncated)?;
    Leaf::read(Kind::of(kind).ok_or(Reject::Malformed)?, body)?.ok_or(Reject::Misplaced)
}
