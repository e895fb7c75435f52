//! The one source of chance: ChaCha8, seeded when the node is made, with separate streams for
//! protocol choices and for nonces, so that encryption does not change who is probed.

use core::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

use crate::time::Instant;

/// The generator of protocol choices.
#[derive(Clone, Debug)]
pub(crate) struct Rng(ChaCha8Rng);

/// The two generators of a node: for choices and for nonces.
pub(crate) fn streams(seed: [u8; 32]) -> (Rng, ChaCha8Rng) {
    let choices = ChaCha8Rng::from_seed(seed);
    let mut nonces = choices.clone();
    nonces.set_stream(1);
    (Rng(choices), nonces)
}

impl Rng {
    /// A random word.
    pub(crate) fn word(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound`, which must not be 0. Multiply-shift: its bias is below 2^-32 for
    /// every bound a member count can be, and it draws exactly once.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        debug_assert!(bound > 0);
        ((u128::from(self.0.next_u64()) * bound as u128) >> 64) as usize
    }

    /// A moment within `span` from `now`.
    pub(crate) fn within(&mut self, now: Instant, span: Duration) -> Instant {
        let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        let scaled = (u128::from(self.0.next_u64()) * u128::from(nanos)) >> 64;
        now + Duration::from_nanos(scaled as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_give_equal_choices_and_nonces_do_not_disturb_them() {
        let (mut a, mut nonces) = streams([7; 32]);
        let (mut b, _) = streams([7; 32]);
        let nonce = nonces.next_u64();
        let choices: [usize; 8] = core::array::from_fn(|_| a.below(1000));
        assert_eq!(choices, core::array::from_fn(|_| b.below(1000)));
        assert_ne!(nonce, streams([7; 32]).0.word());
    }
}
