//! Memory for outgoing packets: large chunks, cut into packets, used again when all of a chunk's
//! packets are gone. In steady state a packet costs no allocation.

use bytes::{Bytes, BytesMut};

/// The length of a chunk: two full packets, or some eighty pings. Longer ones save next to nothing,
/// and every node keeps one.
const CHUNK_LEN: usize = 4 * 1024;

/// The rest of the current chunk.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    rest: BytesMut,
}

impl Pool {
    /// Copies a finished packet into the chunk.
    pub(crate) fn store(&mut self, packet: &[u8]) -> Bytes {
        // Takes the whole chunk back as soon as nobody holds a packet of it any more, which keeps
        // a quiet node within the first page or two of it.
        if !self.rest.try_reclaim(CHUNK_LEN) && self.rest.capacity() < packet.len() {
            self.rest.reserve(CHUNK_LEN);
        }
        self.rest.extend_from_slice(packet);
        self.rest.split().freeze()
    }
}

#[cfg(test)]
mod tests {
    use alloc::{vec, vec::Vec};

    use super::*;

    #[test]
    fn packets_stay_what_they_were_while_the_chunk_is_used_on() {
        let mut pool = Pool::default();
        let kept: Vec<Bytes> = (0..200_u8).map(|byte| pool.store(&[byte; 1400])).collect();
        for (packet, byte) in kept.iter().zip(0..) {
            assert_eq!(packet[..], vec![byte; 1400]);
        }
    }

    #[test]
    fn a_chunk_without_packets_is_used_again() {
        let mut pool = Pool::default();
        let first = pool.store(&[0; 1400]).as_ptr();
        let kept: Vec<Bytes> = (0..1).map(|_| pool.store(&[1; 1400])).collect();
        assert_eq!(kept[0].as_ptr(), first);
        drop(kept);
        assert_eq!(pool.store(&[2; 1400]).as_ptr(), first);
    }
}
