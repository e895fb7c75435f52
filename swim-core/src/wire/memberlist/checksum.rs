//! The checksum of packets: CRC-32 as IEEE has it, over everything behind it.

use super::{leaf::Kind, limits::CHECKSUM_LEN};
use crate::reject::Reject;

/// Takes the checksum off, if there is one: it is looked for once, and a type alone is none.
pub(crate) fn open(bytes: &[u8]) -> Result<usize, Reject> {
    let Some((head, rest)) = bytes.split_first_chunk::<CHECKSUM_LEN>() else { return Ok(0) };
    let [kind, sum @ ..] = *head;
    if kind != Kind::HasCrc as u8 {
        return Ok(0);
    }
    let is_right = u32::from_be_bytes(sum) == crc32fast::hash(rest);
    if is_right { Ok(CHECKSUM_LEN) } else { Err(Reject::Checksum) }
}

/// What stands before `rest`.
pub(crate) fn head(rest: &[u8]) -> [u8; CHECKSUM_LEN] {
    let [a, b, c, d] = crc32fast::hash(rest).to_be_bytes();
    [Kind::HasCrc as u8, a, b, c, d]
}
