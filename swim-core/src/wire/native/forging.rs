//! Frames that are not what they say they are, for simulations. A node never calls this.

use alloc::{vec, vec::Vec};

use bytes::Bytes;
use lz4_flex::block;

use super::{Channel, FrameWriter, Native};
use crate::trap::Trap;

impl Native {
    /// Goes on in the sessions of another, so far ahead of it.
    pub(crate) fn use_up_sessions_of(&mut self, other: &Self, ahead: u32) {
        if let (Some(own), Some(theirs)) = (&mut self.sealing, &other.sealing) {
            own.use_up_sessions_of(theirs, ahead);
        }
    }

    /// A frame that is compressed, whatever comes of that, and says of itself what the trap wants.
    /// It ends what is said.
    pub(crate) fn finish_trap(
        &mut self,
        writer: FrameWriter,
        channel: &mut Channel,
        trap: Trap,
    ) -> Bytes {
        let mut body = writer.into_body();
        let trapped = trapped(body.as_bytes(), trap);
        body.replace(&trapped);
        self.close_frame(body, channel, true, true)
    }
}

/// A body compressed, behind a length that need not be its own.
fn trapped(body: &[u8], trap: Trap) -> Vec<u8> {
    let len = u32::try_from(body.len()).expect("a body is shorter than its limit");
    let said = match trap {
        Trap::Less => len - 1,
        Trap::More => len + 1,
        Trap::Dense => len,
    };
    let mut block = vec![0; block::get_maximum_output_size(body.len())];
    let block_len = block::compress_into(body, &mut block).expect("there is room for all of it");
    [&said.to_le_bytes()[..], &block[..block_len]].concat()
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            compress::{compress, decompress},
            limits::COMPRESSION_RATIO_MAX,
        },
        *,
    };
    use crate::{reject::Reject, trap::bomb};

    /// The traps are refused for what they are, and not for what they hold.
    #[test]
    fn x12_each_trap_is_refused() {
        let mut scratch = Vec::new();
        let (bomb, zeros) = (bomb(48 << 10), vec![0; 48 << 10]);
        for (body, trap) in [(&bomb, Trap::Less), (&bomb, Trap::More), (&zeros, Trap::Dense)] {
            let trapped = trapped(body, trap);
            assert_eq!(decompress(&trapped, &mut scratch), Err(Reject::Compression), "{trap:?}");
        }
        let honest = trapped(&bomb, Trap::Dense);
        assert_eq!(decompress(&honest, &mut scratch), Ok(&bomb[..]));
    }

    /// A bomb comes close to what is believed, and stays below it.
    #[test]
    fn x12_a_bomb_is_believed() {
        for len in [5_000, 16 << 10, 48 << 10] {
            let compressed = compress(&bomb(len)).expect("it pays, and is believed");
            let ratio = len / compressed.len();
            assert!((30..COMPRESSION_RATIO_MAX).contains(&ratio), "{len}: {ratio}");
        }
    }
}
