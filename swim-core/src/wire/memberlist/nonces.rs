//! Which envelopes were seen before. (O5)
//!
//! Envelopes are not numbered, so that nothing is left but to remember the last of them.

use alloc::collections::{BTreeSet, VecDeque};
use core::hash::Hasher;

use siphasher::sip::SipHasher13;

use super::limits::{NONCE_AGE_MAX, NONCE_LEN, NONCES_MAX};
use crate::heap;

/// The nonces of the last while, by a hash with a key that nobody else knows.
#[derive(Debug)]
pub(crate) struct Nonces {
    hash_key: [u64; 2],
    known: BTreeSet<u64>,
    /// In the order they came, with the time.
    order: VecDeque<(u64, Option<u32>)>,
}

impl Nonces {
    /// What it takes on the heap at most.
    pub(crate) const HEAP_MAX: u64 = heap::btree(NONCES_MAX as u64, size_of::<u64>())
        .saturating_add(heap::vec(NONCES_MAX as u64, size_of::<(u64, Option<u32>)>()));

    pub(crate) const fn new(hash_key: [u64; 2]) -> Self {
        Self { hash_key, known: BTreeSet::new(), order: VecDeque::new() }
    }

    /// Whether this authenticated nonce is new; it is no longer after this call.
    pub(crate) fn is_new(&mut self, nonce: [u8; NONCE_LEN], wall: Option<u32>) -> bool {
        while let Some(&(oldest, came)) = self.order.front()
            && (self.order.len() >= NONCES_MAX || is_old(came, wall))
        {
            self.order.pop_front();
            self.known.remove(&oldest);
        }
        let mut hasher = SipHasher13::new_with_keys(self.hash_key[0], self.hash_key[1]);
        hasher.write(&nonce);
        let hash = hasher.finish();
        let is_new = self.known.insert(hash);
        if is_new {
            self.order.push_back((hash, wall));
        }
        is_new
    }
}

fn is_old(came: Option<u32>, wall: Option<u32>) -> bool {
    came.zip(wall).is_some_and(|(came, wall)| wall.saturating_sub(came) > NONCE_AGE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nonce(n: usize) -> [u8; NONCE_LEN] {
        let mut nonce = [0; NONCE_LEN];
        nonce[..8].copy_from_slice(&(n as u64).to_le_bytes());
        nonce
    }

    #[test]
    fn o5_a_nonce_is_new_once() {
        let mut nonces = Nonces::new([1, 2]);
        assert!(nonces.is_new(nonce(1), Some(1000)));
        assert!(!nonces.is_new(nonce(1), Some(1060)));
        assert!(nonces.is_new(nonce(1), Some(1061)), "what is that old is not remembered");
        assert!(!nonces.is_new(nonce(1), None));
    }

    #[test]
    fn o5_m1_only_so_many_are_remembered() {
        let mut nonces = Nonces::new([1, 2]);
        assert!((0..NONCES_MAX).all(|n| nonces.is_new(nonce(n), None)));
        assert!(!nonces.is_new(nonce(1), None));
        assert!(nonces.is_new(nonce(NONCES_MAX), None));
        assert!(nonces.is_new(nonce(0), None), "the oldest made room");
        assert_eq!(nonces.order.len(), NONCES_MAX);
        assert_eq!(nonces.known.len(), NONCES_MAX);
    }
}
