//! The checksum of a cluster without a key: it finds accidents, not attackers.

use crc32fast::Hasher;

use super::limits::HEADER_LEN_PLAIN;

/// CRC-32/IEEE over the header with zeros where the checksum goes, the label, a stream frame's
/// context, and the body.
pub(crate) fn checksum(header: &[u8], label: &[u8], context: &[u8], body: &[u8]) -> u32 {
    let mut blank = [0; HEADER_LEN_PLAIN];
    blank[..CHECKSUM_AT].copy_from_slice(&header[..CHECKSUM_AT]);
    let mut hasher = Hasher::new();
    for part in [&blank, label, context, body] {
        hasher.update(part);
    }
    hasher.finalize()
}

/// Where in the header the checksum stands: at its end.
const CHECKSUM_AT: usize = HEADER_LEN_PLAIN - 4;
