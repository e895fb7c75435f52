//! Everybody who waits for the same thing. A waiter that gives up takes its waker away with it, so
//! that futures which are dropped again and again leave nothing behind.

use std::{collections::BTreeMap, task::Waker};

/// The wakers of those who wait.
#[derive(Debug, Default)]
pub(crate) struct Wakers {
    next_key: u64,
    waiting: BTreeMap<u64, Waker>,
}

impl Wakers {
    /// Waits under `key`, which is chosen the first time.
    pub(crate) fn add(&mut self, key: &mut Option<u64>, waker: &Waker) {
        let key = *key.get_or_insert_with(|| {
            self.next_key += 1;
            self.next_key
        });
        self.waiting.insert(key, waker.clone());
    }

    /// Waits no longer.
    pub(crate) fn remove(&mut self, key: Option<u64>) {
        if let Some(key) = key {
            self.waiting.remove(&key);
        }
    }

    /// Everybody, to be woken once no lock is held any more.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = Waker> + use<> {
        core::mem::take(&mut self.waiting).into_values()
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }
}
