//! What is compressed and is not what it says it is, for simulations. Only there with the feature
//! `simulation`.

use alloc::{vec, vec::Vec};

/// How something that is compressed deceives whoever inflates it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trap {
    /// It says that it holds a byte less than it does. In memberlist's dialect, where nothing says
    /// how much it is, its end is missing.
    Less,
    /// It says that it holds a byte more than it does; or likewise.
    More,
    /// What it says is true, and more than is believed of anything so short.
    Dense,
}

/// Bytes that take about a fortieth when they are compressed natively, which is believed: zeros
/// would take less than that.
#[must_use]
pub fn bomb(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    for (nth, span) in bytes.chunks_mut(SPAN).enumerate() {
        // No two spans in reach of each other begin alike.
        for (byte, word) in span.iter_mut().zip((nth as u32).wrapping_mul(SCATTER).to_le_bytes()) {
            *byte = word;
        }
    }
    bytes
}

/// So many bytes are a word and zeros.
const SPAN: usize = 360;

/// Odd, so that numbers become as many different words.
const SCATTER: u32 = 0x9E37_79B1;
