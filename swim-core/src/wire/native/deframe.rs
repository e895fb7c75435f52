//! Cuts a stream into frames: a length in four bytes, then the frame.
//!
//! It takes exactly one frame at a time and leaves the rest to the caller, so that it never holds
//! more than one. An impossible length is refused as soon as it is there; memory grows with what
//! really came, never with what was announced. (X11)

use alloc::vec::Vec;

use super::limits::{HEADER_LEN_PLAIN, STREAM_FRAME_LEN_MAX};
use crate::reject::Reject;

/// The length of a frame's length.
pub(crate) const FRAME_PREFIX_LEN: usize = 4;

/// The part of a frame that has come so far.
#[derive(Debug, Default)]
pub(crate) struct Deframer {
    /// The prefix and the frame.
    buffer: Vec<u8>,
}

impl Deframer {
    /// Takes what belongs to the current frame from the front of `chunk`. True when the frame is
    /// complete; it is then there until [`Deframer::clear`].
    pub(crate) fn fill(&mut self, chunk: &mut &[u8]) -> Result<bool, Reject> {
        self.take_up_to(FRAME_PREFIX_LEN, chunk);
        let Some(prefix) = self.buffer.first_chunk::<FRAME_PREFIX_LEN>() else {
            return Ok(false);
        };
        let len = usize::try_from(u32::from_le_bytes(*prefix)).map_err(|_| Reject::Oversize)?;
        if len > STREAM_FRAME_LEN_MAX {
            return Err(Reject::Oversize);
        }
        if len < HEADER_LEN_PLAIN {
            return Err(Reject::Truncated);
        }
        self.take_up_to(FRAME_PREFIX_LEN + len, chunk);
        Ok(self.buffer.len() == FRAME_PREFIX_LEN + len)
    }

    /// The complete frame.
    pub(crate) fn frame_mut(&mut self) -> &mut [u8] {
        &mut self.buffer[FRAME_PREFIX_LEN..]
    }

    /// Makes room for the next frame.
    pub(crate) fn clear(&mut self) {
        self.buffer.clear();
    }

    fn take_up_to(&mut self, len: usize, chunk: &mut &[u8]) {
        let missing = len.saturating_sub(self.buffer.len());
        let (taken, rest) = chunk.split_at(missing.min(chunk.len()));
        self.buffer.extend_from_slice(taken);
        *chunk = rest;
    }
}

#[cfg(test)]
mod tests {
    use alloc::{vec, vec::Vec};

    use super::*;

    fn stream(frames: &[Vec<u8>]) -> Vec<u8> {
        let prefixed = frames.iter().map(|frame| {
            let len = u32::try_from(frame.len()).unwrap().to_le_bytes();
            [&len[..], frame].concat()
        });
        prefixed.collect::<Vec<_>>().concat()
    }

    fn frames(stream: &[u8], chunk_len: usize) -> Vec<Vec<u8>> {
        let mut deframer = Deframer::default();
        let mut frames = Vec::new();
        for mut chunk in stream.chunks(chunk_len) {
            while deframer.fill(&mut chunk).unwrap() {
                frames.push(deframer.frame_mut().to_vec());
                deframer.clear();
            }
            assert!(chunk.is_empty());
        }
        assert!(deframer.buffer.is_empty());
        frames
    }

    #[test]
    fn frames_come_out_whole_however_they_are_cut() {
        let sent = [vec![1; 10], vec![2; 1000], vec![3; 11]];
        let stream = stream(&sent);
        for chunk_len in [1, 2, 3, 4, 5, 13, 14, 15, 1000, stream.len()] {
            assert_eq!(frames(&stream, chunk_len), sent, "cut every {chunk_len}");
        }
    }

    #[test]
    fn x11_an_impossible_length_is_refused_before_buffering() {
        let max = u32::try_from(STREAM_FRAME_LEN_MAX).unwrap();
        let cases = [
            (0, Err(Reject::Truncated)),
            (9, Err(Reject::Truncated)),
            (10, Ok(false)),
            (max, Ok(false)),
            (max + 1, Err(Reject::Oversize)),
            (u32::MAX, Err(Reject::Oversize)),
        ];
        for (len, expected) in cases {
            let bytes = [&len.to_le_bytes()[..], &[0; 5]].concat();
            let mut deframer = Deframer::default();
            assert_eq!(deframer.fill(&mut &bytes[..]), expected, "{len}");
            assert!(deframer.buffer.capacity() <= 64, "memory for what came, not for {len}");
        }
    }
}
