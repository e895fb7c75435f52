//! How much each key has sealed. (O5)
//!
//! Nonces are drawn at random from 96 bits, so that two may be equal one day, and then GCM gives
//! away what both envelopes say and lets anybody forge more. Up to 2^32 envelopes under one key,
//! all members' together, the odds of that are below one in 2^32: NIST SP 800-38D, 8.3.

use alloc::vec::Vec;

use super::limits::{SEALED_MAX, SEALED_WARN};
use crate::keyring::{KeyId, Keyring};

/// The counts of a ring's keys.
#[derive(Debug, Default)]
pub(crate) struct Wear {
    counts: Vec<Count>,
}

#[derive(Debug)]
struct Count {
    key: KeyId,
    sealed: u64,
    /// The highest limit of which somebody was told.
    told: u64,
}

impl Wear {
    /// One more envelope under this key.
    pub(crate) fn add(&mut self, key: KeyId) {
        match self.counts.iter_mut().find(|count| count.key == key) {
            Some(count) => count.sealed += 1,
            None => self.counts.push(Count { key, sealed: 1, told: 0 }),
        }
    }

    /// Forgets the keys that are in the ring no more.
    pub(crate) fn keep(&mut self, keyring: &Keyring) {
        self.counts.retain(|count| keyring.key(count.key).is_some());
    }

    /// How many envelopes so many members have made with a key, if all send as much as this one.
    pub(crate) fn estimate(&self, key: KeyId, members: u64) -> u64 {
        let count = self.counts.iter().find(|count| count.key == key);
        count.map_or(0, |count| count.sealed.saturating_mul(members))
    }

    /// The estimate, if it has come to a limit of which nobody was told yet.
    pub(crate) fn passes(&mut self, key: KeyId, members: u64) -> Option<u64> {
        let estimate = self.estimate(key, members);
        let limit = [SEALED_MAX, SEALED_WARN].into_iter().find(|&limit| estimate >= limit)?;
        let count = self.counts.iter_mut().find(|count| count.key == key)?;
        let is_news = limit > count.told;
        count.told = count.told.max(limit);
        is_news.then_some(estimate)
    }

    /// As if so many envelopes had been made with a key.
    #[cfg(test)]
    pub(crate) fn set(&mut self, key: KeyId, sealed: u64) {
        self.add(key);
        let count = self.counts.iter_mut().find(|count| count.key == key);
        count.expect("it was just added").sealed = sealed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::Key;

    #[test]
    fn o5_each_limit_is_told_once_for_each_key() {
        let [a, b] = [1, 2].map(|byte| Key::generate([byte; 32]));
        let mut wear = Wear::default();
        wear.set(a.id(), SEALED_WARN - 2);
        wear.add(a.id());
        assert_eq!(wear.passes(a.id(), 1), None);
        wear.add(a.id());
        assert_eq!(wear.passes(b.id(), 1), None, "another key has its own count");
        assert_eq!(wear.passes(a.id(), 1), Some(SEALED_WARN));
        assert_eq!(wear.passes(a.id(), 1), None, "it was told");
        assert_eq!(wear.passes(a.id(), 2), Some(SEALED_MAX), "others seal as much");
        assert_eq!(wear.passes(a.id(), 1), None, "fewer members are no news");
        assert_eq!(wear.passes(a.id(), 3), None);
        let mut ring = Keyring::new(b.clone()).with(a.clone()).unwrap();
        wear.keep(&ring);
        assert_eq!(wear.estimate(a.id(), 1), SEALED_WARN);
        ring.remove(a.id()).unwrap();
        wear.keep(&ring);
        assert_eq!(wear.estimate(a.id(), 1), 0, "it is forgotten with its key");
    }

    #[test]
    fn o5_who_begins_above_both_limits_is_told_of_the_worse_one() {
        let key = Key::generate([1; 32]).id();
        let mut wear = Wear::default();
        wear.set(key, u64::MAX);
        assert_eq!(wear.passes(key, 5), Some(u64::MAX), "it saturates");
        assert_eq!(wear.passes(key, 5), None);
    }
}
