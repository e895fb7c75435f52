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

    /// Whether one with this key, or a newcomer, is among the first so many.
    pub(crate) fn is_among_first(&self, key: Option<u64>, many: usize) -> bool {
        let before = self.waiting.range(..key.unwrap_or(u64::MAX));
        before.take(many).count() < many
    }

    /// The last of the first so many, if there are as many: the one to wake when `many` grew to
    /// this. He waits on until he is removed.
    pub(crate) fn last_of_first(&self, many: usize) -> Option<Waker> {
        self.waiting.values().nth(many.checked_sub(1)?).cloned()
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
