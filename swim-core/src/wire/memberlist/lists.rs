//! Bytes that were written as a list of numbers, made into plain ones. Go's codec takes them so.
//!
//! Everything that is read stands in the message itself, and a number from 128 on has two bytes in
//! a list: such a message is written anew before it is read. No encoder that is known makes one, so
//! that all others cost a look, and no copy.

use alloc::vec::Vec;

use super::{
    compound::{self, Parts},
    leaf::Kind,
    pack::Packer,
    push_pull::Head,
    unpack::{Reader, shape},
};
use crate::reject::Reject;

/// A packet's message without such lists; `None` if it has none, or can't be read anyway.
pub(crate) fn packet(message: &[u8]) -> Option<Vec<u8>> {
    if message.first() != Some(&(Kind::Compound as u8)) {
        return leaf(message);
    }
    let parts = || Parts::read(&message[1..]).ok();
    if !parts()?.flatten().any(|part| is_leaf(part) && has_list(&part[1..])) {
        return None;
    }
    let (mut lengths, mut bytes) = (Vec::new(), Vec::new());
    for part in parts()? {
        lengths.push(match part {
            Ok(part) => {
                let plain = leaf(part);
                let part = plain.as_deref().unwrap_or(part);
                bytes.extend_from_slice(part);
                u16::try_from(part.len()).ok()?
            }
            // Nothing stays nothing, and what was cut off is cut off still.
            Err(Reject::Truncated) => u16::MAX,
            Err(_) => 0,
        });
    }
    let mut out = Vec::new();
    compound::put(&lengths, &bytes, &mut out);
    Some(out)
}

/// The same for a stream's message.
pub(crate) fn streamed(message: &[u8]) -> Option<Vec<u8>> {
    let (&kind, body) = message.split_first()?;
    if kind != Kind::PushPull as u8 {
        return leaf(message);
    }
    let mut from = Reader::new(body);
    let head = Head::read(&mut from).ok()?;
    let mut out = message[..message.len() - from.rest().len()].to_vec();
    for _ in 0..head.nodes {
        put_struct(&mut from, &mut out).ok()?;
    }
    out.extend_from_slice(from.rest());
    Some(out)
}

/// The same for the body of a message that is one struct.
pub(crate) fn body(body: &[u8]) -> Option<Vec<u8>> {
    if !has_list(body) {
        return None;
    }
    let (mut from, mut out) = (Reader::new(body), Vec::new());
    put_struct(&mut from, &mut out).ok()?;
    Some(out)
}

fn leaf(message: &[u8]) -> Option<Vec<u8>> {
    if !is_leaf(message) {
        return None;
    }
    let mut plain = body(&message[1..])?;
    plain.insert(0, message[0]);
    Some(plain)
}

/// Whether it is a struct behind its type, with bytes in it: of the nack, the name of its number.
fn is_leaf(message: &[u8]) -> bool {
    match message.first().and_then(|&kind| Kind::of(kind)) {
        Some(
            Kind::Ping
            | Kind::IndirectPing
            | Kind::Ack
            | Kind::Suspect
            | Kind::Alive
            | Kind::Dead
            | Kind::Nack
            | Kind::Error,
        ) => true,
        Some(
            Kind::PushPull
            | Kind::Compound
            | Kind::User
            | Kind::Compress
            | Kind::Encrypt
            | Kind::HasCrc
            | Kind::Label,
        )
        | None => false,
    }
}

/// Whether any value of a struct is a list.
fn has_list(body: &[u8]) -> bool {
    let mut from = Reader::new(body);
    let Ok(values) = from.open() else { return false };
    for _ in 0..values {
        if is_list(&from) {
            return true;
        }
        if from.skip().is_err() {
            return false;
        }
    }
    false
}

fn is_list(from: &Reader<'_>) -> bool {
    matches!(from.rest().first(), Some(0x90..=0x9F | 0xDC | 0xDD))
}

/// Puts one struct to the end of `out`, its lists of bytes as bytes.
fn put_struct(from: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<(), Reject> {
    let all = from.rest();
    let head = shape(all)?.ok_or(Reject::Malformed)?;
    out.extend_from_slice(all.get(..head.len).ok_or(Reject::Malformed)?);
    if head.children == 0 {
        return from.skip();
    }
    for _ in 0..from.open()? {
        let value = *from;
        match is_list(from).then(|| list(from)) {
            Some(Ok(bytes)) => Packer::new(out).raw(&bytes),
            // Lists of anything else stand for no bytes, and stay.
            Some(Err(_)) | None => {
                *from = value;
                from.skip()?;
                out.extend_from_slice(&value.rest()[..value.rest().len() - from.rest().len()]);
            }
        }
    }
    Ok(())
}

fn list(from: &mut Reader<'_>) -> Result<Vec<u8>, Reject> {
    (0..from.open()?).map(|_| from.number(u64::from(u8::MAX)).map(|byte| byte as u8)).collect()
}
