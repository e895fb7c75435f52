//! A body's parts: kind, length, message, one after the other.
//!
//! The length is what lets an older version step over what a newer one says. (W5)

use super::{
    body,
    codec::{Reader, Writer},
    kind::{Kind, Place},
    limits::{PARTS_PER_FRAME_MAX, PARTS_PER_PACKET_MAX, PROTOCOL},
};
use crate::{
    reject::Reject,
    wire::{message::Message, opened::Messages},
};

/// The length of what stands before a message: its kind, and its length in two bytes.
pub(crate) const PART_HEADER_LEN: usize = 1 + 2;

/// Reads all parts of a body, of which one that is wrong spoils all; also counts those of kinds
/// unknown here.
pub(crate) fn read(
    bytes: &[u8],
    place: Place,
    speaker_protocol: u8,
) -> Result<(Messages<'_>, u32), Reject> {
    let mut rest = bytes;
    let mut tally = Tally::new(place);
    // Asked for at once: what grows by doubling would take twice as much for a while. (W3)
    let (mut messages, mut unknown) = (Messages::with_capacity(count(bytes, tally.parts_max)), 0);
    while !rest.is_empty() {
        match read_next(&mut rest, &mut tally, place, speaker_protocol)? {
            Some(message) => messages.push(message),
            None => unknown += 1,
        }
    }
    Ok((messages, unknown))
}

/// Reads the part at the start of `rest`, which is not empty; `None` if its kind is unknown here.
pub(super) fn read_next<'a>(
    rest: &mut &'a [u8],
    tally: &mut Tally,
    place: Place,
    speaker_protocol: u8,
) -> Result<Option<Message<'a>>, Reject> {
    let (kind, mut from) = take(rest)?;
    if !tally.admits(kind) {
        return Err(Reject::Excess);
    }
    tally.count(kind);
    let Some(kind) = kind else { return Ok(None) };
    if !kind.belongs_in(place) {
        return Err(Reject::Misplaced);
    }
    let message = body::read(kind, &mut from)?;
    if !from.rest().is_empty() && speaker_protocol <= PROTOCOL {
        return Err(Reject::Malformed);
    }
    Ok(Some(message))
}

/// Writes a part to the start of `out` and returns its length, or `None` when it does not fit.
pub(crate) fn put(message: &Message<'_>, out: &mut [u8]) -> Option<usize> {
    let (header, room) = out.split_first_chunk_mut::<PART_HEADER_LEN>()?;
    let mut to = Writer::new(room);
    body::put(message, &mut to);
    let len = to.finish()?;
    let [l0, l1] = u16::try_from(len).ok()?.to_le_bytes();
    *header = [Kind::of(message).byte(), l0, l1];
    Some(PART_HEADER_LEN + len)
}

/// How many bytes a message takes as a part.
pub(crate) fn len(message: &Message<'_>) -> usize {
    let mut to = Writer::counting();
    body::put(message, &mut to);
    PART_HEADER_LEN + to.len()
}

/// How many parts there are, judged by their headers; never more than may be.
fn count(mut bytes: &[u8], most: u32) -> usize {
    let mut count = 0;
    while count < most && take(&mut bytes).is_ok() {
        count += 1;
    }
    count as usize
}

/// Takes one part, of whatever kind.
fn take<'a>(rest: &mut &'a [u8]) -> Result<(Option<Kind>, Reader<'a>), Reject> {
    let (&[kind, l0, l1], after) = rest.split_first_chunk().ok_or(Reject::Malformed)?;
    let len = usize::from(u16::from_le_bytes([l0, l1]));
    let (message, after) = after.split_at_checked(len).ok_or(Reject::Malformed)?;
    *rest = after;
    Ok((Kind::from_byte(kind), Reader::new(message)))
}

/// How many parts, and whether one that asks for something, a body has so far. (X6)
#[derive(Debug)]
pub(crate) struct Tally {
    parts: u32,
    parts_max: u32,
    has_probe: bool,
}

impl Tally {
    pub(crate) const fn new(place: Place) -> Self {
        let parts_max = match place {
            Place::Packet => PARTS_PER_PACKET_MAX,
            Place::Frame => PARTS_PER_FRAME_MAX,
        };
        Self { parts: 0, parts_max, has_probe: false }
    }

    /// Whether there may be one more part, of this kind.
    pub(crate) fn admits(&self, kind: Option<Kind>) -> bool {
        self.parts < self.parts_max && !(self.has_probe && kind.is_some_and(Kind::is_probe))
    }

    pub(crate) fn count(&mut self, kind: Option<Kind>) {
        self.parts += 1;
        self.has_probe |= kind.is_some_and(Kind::is_probe);
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.parts == 0
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn parts(number: usize) -> Vec<u8> {
        [Kind::Delivered.byte(), 0, 0].repeat(number)
    }

    #[test]
    fn w3_messages_take_the_room_they_need_at_once() {
        for number in [11, 100, 2001] {
            let body = parts(number);
            let (messages, _) = read(&body, Place::Frame, PROTOCOL).unwrap();
            assert_eq!((messages.len(), messages.capacity()), (number, number));
        }
        assert_eq!(count(&parts(300), 255), 255, "never more than may be");
        assert_eq!(count(&[&parts(20)[..], &[1, 9, 0]].concat(), 255), 20, "one is cut off");
    }
}
