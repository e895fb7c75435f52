//! One layer of LZ4 around a frame's body, where it pays. Packets are never compressed. (X12)

use alloc::{vec, vec::Vec};

use lz4_flex::block;

use super::limits::{COMPRESS_LEN_MIN, COMPRESSION_RATIO_MAX, FRAME_BODY_LEN_MAX};
use crate::reject::Reject;

/// The length of what stands before the block: how long it is when decompressed.
const PREFIX_LEN: usize = 4;

/// The compressed form of a body, unless it would be no shorter or too short to be believed.
pub(crate) fn compress(body: &[u8]) -> Option<Vec<u8>> {
    if body.len() < COMPRESS_LEN_MIN {
        return None;
    }
    let mut out = vec![0; PREFIX_LEN + block::get_maximum_output_size(body.len())];
    let (prefix, room) = out.split_first_chunk_mut::<PREFIX_LEN>()?;
    *prefix = u32::try_from(body.len()).ok()?.to_le_bytes();
    let block_len = block::compress_into(body, room).ok()?;
    out.truncate(PREFIX_LEN + block_len);
    let pays = out.len() < body.len() && body.len() <= decompressed_len_max(block_len);
    pays.then_some(out)
}

/// Decompresses into `scratch`. The length is checked before any memory is taken, and must then be
/// met exactly.
pub(crate) fn decompress<'s>(bytes: &[u8], scratch: &'s mut Vec<u8>) -> Result<&'s [u8], Reject> {
    let (prefix, block) = bytes.split_first_chunk::<PREFIX_LEN>().ok_or(Reject::Compression)?;
    let len = usize::try_from(u32::from_le_bytes(*prefix)).map_err(|_| Reject::Compression)?;
    if len > decompressed_len_max(block.len()) {
        return Err(Reject::Compression);
    }
    scratch.resize(scratch.len().max(len), 0);
    let body = &mut scratch[..len];
    match block::decompress_into(block, body) {
        Ok(written) if written == len => Ok(body),
        Ok(_) | Err(_) => Err(Reject::Compression),
    }
}

/// How much a block of this length may hold.
fn decompressed_len_max(block_len: usize) -> usize {
    block_len.saturating_mul(COMPRESSION_RATIO_MAX).min(FRAME_BODY_LEN_MAX)
}

#[cfg(test)]
mod tests {
    use proptest::{collection, prelude::*};
    use rand_chacha::ChaCha8Rng;
    use rand_core::SeedableRng as _;

    use super::*;

    /// Bytes that shrink to a third or so.
    fn compressible(len: usize) -> Vec<u8> {
        (0..len).map(|at| u8::try_from(at * at % 251 * (at / 64 % 2)).unwrap()).collect()
    }

    #[test]
    fn x12_what_pays_is_compressed_and_comes_back() {
        let mut scratch = Vec::new();
        for len in [COMPRESS_LEN_MIN, 1000, FRAME_BODY_LEN_MAX] {
            let body = compressible(len);
            let compressed = compress(&body).unwrap();
            assert!(compressed.len() < body.len());
            assert_eq!(decompress(&compressed, &mut scratch), Ok(&body[..]));
        }
        assert_eq!(compress(&compressible(COMPRESS_LEN_MIN - 1)), None, "too short");
        assert_eq!(compress(&vec![0; FRAME_BODY_LEN_MAX]), None, "too good to be believed");
    }

    /// What would be just as long stays as it is, too.
    #[test]
    fn only_what_becomes_shorter_is_compressed() {
        let mut random = vec![0; COMPRESS_LEN_MIN];
        ChaCha8Rng::from_seed([1; 32]).fill_bytes(&mut random);
        let mut as_long = 0;
        for repeated in 0..64 {
            let mut body = random.clone();
            body.copy_within(..repeated, 128);
            let mut block = vec![0; block::get_maximum_output_size(body.len())];
            let len = PREFIX_LEN + block::compress_into(&body, &mut block).unwrap();
            assert_eq!(compress(&body).is_some(), len < body.len(), "{repeated}");
            as_long += u32::from(len == body.len());
        }
        assert!(as_long > 0);
    }

    #[test]
    fn x12_the_said_length_is_the_limit_and_the_truth() {
        let body = compressible(1000);
        let compressed = compress(&body).unwrap();
        for said in [0, 1, 999, 1001, 64 * 1024, 64 * 1024 + 1, u32::MAX] {
            let mut lying = compressed.clone();
            lying[..4].copy_from_slice(&said.to_le_bytes());
            let mut scratch = Vec::new();
            assert_eq!(decompress(&lying, &mut scratch), Err(Reject::Compression), "{said}");
            assert!(scratch.len() <= compressed.len() * COMPRESSION_RATIO_MAX);
        }
        let mut bomb = vec![0; block::get_maximum_output_size(200_000)];
        let bomb_len = block::compress_into(&vec![0; 200_000], &mut bomb).unwrap();
        let bytes = [&200_000_u32.to_le_bytes()[..], &bomb[..bomb_len]].concat();
        let mut scratch = Vec::new();
        assert_eq!(decompress(&bytes, &mut scratch), Err(Reject::Compression));
        assert!(scratch.is_empty(), "refused before memory was taken");
    }

    proptest! {
        #[test]
        fn w3_hostile_blocks_never_pass_the_limit(bytes in collection::vec(any::<u8>(), 0..300)) {
            let mut scratch = Vec::new();
            let _ = decompress(&bytes, &mut scratch);
            prop_assert!(scratch.len() <= 64 * bytes.len());
        }
    }
}
