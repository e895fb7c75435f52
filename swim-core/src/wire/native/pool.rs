//! Memory for outgoing packets: large chunks, cut into packets, used again when all of a chunk's
//! packets are gone. In steady state a packet costs no allocation.

use bytes::{Bytes, BytesMut};

/// The longest chunk: two full packets, or some eighty pings. Longer ones save next to nothing, and
/// every busy node keeps one.
const CHUNK_LEN_MAX: usize = 4 * 1024;

/// The first chunk, and all that a quiet node keeps: some ten pings, of which it sends two or three
/// a second.
const CHUNK_LEN_QUIET: usize = 512;

/// A longer chunk is given back after so many ticks in a row for which a quiet node's would have
/// done: while there is news, ticks of gossip and of probes alternate.
const QUIET_TICKS: u8 = 16;

/// The rest of the current chunk.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    rest: BytesMut,
    /// How long the whole chunk is.
    chunk_len: usize,
    /// How many bytes were stored since the last tick.
    stored: usize,
    /// For how many ticks in a row a short chunk would have done.
    quiet_ticks: u8,
}

impl Pool {
    /// Copies a finished packet into the chunk.
    pub(crate) fn store(&mut self, packet: &[u8]) -> Bytes {
        self.stored += packet.len();
        // Takes the whole chunk back as soon as nobody holds a packet of it any more, which keeps
        // a node within one chunk for as long as its driver keeps up.
        let wanted = self.chunk_len.max(packet.len());
        if !self.rest.try_reclaim(wanted) && self.rest.capacity() < packet.len() {
            let longer = (2 * self.chunk_len).clamp(CHUNK_LEN_QUIET, CHUNK_LEN_MAX);
            self.chunk_len = longer.max(packet.len());
            self.rest = BytesMut::with_capacity(self.chunk_len);
        }
        self.rest.extend_from_slice(packet);
        self.rest.split().freeze()
    }

    /// A tick came. If a quiet node's chunk has long been enough, a longer one is given back.
    pub(crate) fn ticked(&mut self) {
        let is_quiet = core::mem::take(&mut self.stored) <= CHUNK_LEN_QUIET;
        if !is_quiet || self.chunk_len <= CHUNK_LEN_QUIET {
            self.quiet_ticks = 0;
            return;
        }
        self.quiet_ticks += 1;
        if self.quiet_ticks == QUIET_TICKS {
            *self = Self::default();
        }
    }

    /// How long its chunk is now.
    #[cfg(test)]
    pub(crate) const fn chunk_len(&self) -> usize {
        self.chunk_len
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

    #[test]
    fn a_chunk_is_cut_up_to_its_end() {
        let mut pool = Pool::default();
        let first = pool.store(&[0; 50]);
        let rest = pool.store(&[1; CHUNK_LEN_QUIET - 50]);
        assert_eq!(rest.as_ptr(), first.as_ptr().wrapping_add(50));
    }

    #[test]
    fn rounds_of_gossip_between_pings_keep_their_chunk() {
        let mut pool = Pool::default();
        let chunk = pool.store(&[0; 1400]).as_ptr();
        for len in [50, 1300, 50, 50].repeat(100) {
            assert_eq!(pool.store(&vec![1; len]).as_ptr(), chunk);
            pool.ticked();
        }
    }

    #[test]
    fn m2_a_burst_gets_long_chunks_and_gives_them_back_when_it_is_quiet() {
        let mut pool = Pool::default();
        drop(pool.store(&[0; 50]));
        assert_eq!(pool.chunk_len, CHUNK_LEN_QUIET);
        for _ in 0..3 {
            let burst: Vec<Bytes> = (0..9).map(|_| pool.store(&[1; 1400])).collect();
            pool.ticked();
            assert_eq!(pool.chunk_len, CHUNK_LEN_MAX, "while it lasts");
            drop(burst);
        }
        for tick in 0..QUIET_TICKS {
            assert_eq!(pool.chunk_len, CHUNK_LEN_MAX, "after {tick} quiet ticks");
            drop(pool.store(&[2; 50]));
            pool.ticked();
        }
        assert!(pool.chunk_len <= CHUNK_LEN_QUIET && pool.rest.capacity() <= CHUNK_LEN_QUIET);
        drop(pool.store(&[3; 50]));
        let chunk = pool.rest.as_ptr();
        pool.ticked();
        drop(pool.store(&[4; 50]));
        assert_eq!(pool.rest.as_ptr(), chunk, "a short one is kept");
    }
}
