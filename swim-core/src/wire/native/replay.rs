//! Which packets were seen before: a window for every session of every peer heard of late.
//!
//! A session gets its window only after a packet of it was authenticated, was in time and was meant
//! for this node, so that neither strangers nor recordings can fill the table. When it is full, the
//! session not heard of for the longest time goes. (X2, X4, M1)

use alloc::vec::Vec;

use hashbrown::HashTable;
use siphasher::sip::SipHasher13;

use super::{
    header::{Nonce, SessionId},
    window::{Novelty, Window},
};
use crate::{heap, keyring::KeyId};

/// The windows of all sessions, findable by name, and in the order of when they were last heard.
pub(crate) struct ReplayGuard {
    entries: Vec<Entry>,
    /// Places in `entries`. Peers choose the names of sessions, so the hash is keyed. (X14)
    index: HashTable<usize>,
    hasher: SipHasher13,
    newest: usize,
    oldest: usize,
    sessions_max: usize,
}

struct Entry {
    key_id: KeyId,
    session: SessionId,
    /// The neighbours in the order of when they were last heard; the ends point to themselves.
    newer: usize,
    older: usize,
    window: Window,
}

impl ReplayGuard {
    /// An empty guard for at most `sessions_max` sessions (at least one).
    pub(crate) fn new(sessions_max: usize, hash_keys: [u64; 2]) -> Self {
        Self {
            entries: Vec::new(),
            index: HashTable::new(),
            hasher: SipHasher13::new_with_keys(hash_keys[0], hash_keys[1]),
            newest: 0,
            oldest: 0,
            sessions_max: sessions_max.max(1),
        }
    }

    /// What a guard of so many sessions takes on the heap at most.
    pub(crate) const fn heap_max(sessions: u64) -> u64 {
        let index = heap::hash_table(sessions, size_of::<usize>());
        heap::vec(sessions, size_of::<Entry>()).saturating_add(index)
    }

    /// Takes note of an authenticated nonce.
    pub(crate) fn accept(&mut self, key_id: KeyId, nonce: Nonce) -> Novelty {
        let (session, counter) = (nonce.session(), nonce.counter());
        let hash = hash_of(self.hasher, key_id, session);
        let found = self.index.find(hash, |&at| self.entries[at].is(key_id, session)).copied();
        match found {
            Some(at) => {
                if at != self.newest {
                    self.unlink(at);
                    self.link_newest(at);
                }
                self.entries[at].window.accept(counter)
            }
            None => {
                let at = self.free_place();
                let window = Window::starting_at(counter);
                let entry = Entry { key_id, session, newer: at, older: at, window };
                if at == self.entries.len() {
                    self.entries.push(entry);
                } else {
                    self.entries[at] = entry;
                }
                self.link_newest(at);
                let (entries, hasher) = (&self.entries, self.hasher);
                self.index.insert_unique(hash, at, |&at| entries[at].hash(hasher));
                Novelty::New
            }
        }
    }

    /// How many sessions have a window now.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// A new place, or that of the session not heard of for the longest time.
    fn free_place(&mut self) -> usize {
        if self.entries.len() < self.sessions_max {
            return self.entries.len();
        }
        let at = self.oldest;
        let hash = self.entries[at].hash(self.hasher);
        self.index
            .find_entry(hash, |&other| other == at)
            .expect("every entry is in the index under its own hash")
            .remove();
        self.unlink(at);
        at
    }

    fn unlink(&mut self, at: usize) {
        let Entry { newer, older, .. } = self.entries[at];
        match (newer == at, older == at) {
            (true, true) => {}
            (true, false) => {
                self.newest = older;
                self.entries[older].newer = older;
            }
            (false, true) => {
                self.oldest = newer;
                self.entries[newer].older = newer;
            }
            (false, false) => {
                self.entries[newer].older = older;
                self.entries[older].newer = newer;
            }
        }
    }

    /// Puts an unlinked entry before all others.
    fn link_newest(&mut self, at: usize) {
        let is_only = self.entries.len() == 1;
        let before = self.newest;
        self.entries[at].newer = at;
        self.entries[at].older = if is_only { at } else { before };
        if is_only {
            self.oldest = at;
        } else {
            self.entries[before].newer = at;
        }
        self.newest = at;
    }
}

impl Entry {
    fn is(&self, key_id: KeyId, session: SessionId) -> bool {
        self.session == session && self.key_id == key_id
    }

    fn hash(&self, hasher: SipHasher13) -> u64 {
        hash_of(hasher, self.key_id, self.session)
    }
}

fn hash_of(hasher: SipHasher13, key_id: KeyId, session: SessionId) -> u64 {
    let mut name = [0; 12];
    name[..8].copy_from_slice(&session.0);
    name[8..].copy_from_slice(&key_id.0.to_le_bytes());
    hasher.hash(&name)
}

#[cfg(test)]
mod tests {
    use alloc::{collections::VecDeque, vec::Vec};

    use proptest::{collection, prelude::*};

    use super::{super::limits::WINDOW_LEN, *};

    fn nonce(session: u8, counter: u32) -> Nonce {
        Nonce::new(SessionId([session; 8]), counter)
    }

    #[test]
    fn x4_a_nonce_is_accepted_once_per_key() {
        let mut guard = ReplayGuard::new(8, [1, 2]);
        for key_id in [KeyId(1), KeyId(2)] {
            assert_eq!(guard.accept(key_id, nonce(1, 7)), Novelty::New);
            assert_eq!(guard.accept(key_id, nonce(1, 7)), Novelty::Repeated);
            assert_eq!(guard.accept(key_id, nonce(1, 6)), Novelty::New, "reordered");
            assert_eq!(guard.accept(key_id, nonce(1, 7 + WINDOW_LEN)), Novelty::New);
            assert_eq!(guard.accept(key_id, nonce(1, 7)), Novelty::Overtaken);
            assert_eq!(guard.accept(key_id, nonce(2, 7)), Novelty::New, "another session");
        }
        assert_eq!(guard.len(), 4);
    }

    /// Sessions are spread over the table, and differently by every node, so that nobody can draw
    /// sessions that meet in one place. (X14)
    #[test]
    fn x14_the_hash_of_a_session_is_keyed() {
        let [hasher, other] = [1, 2].map(|key| SipHasher13::new_with_keys(key, key));
        let [session, later] = [1, 2].map(|byte| SessionId([byte; 8]));
        let hash = hash_of(hasher, KeyId(1), session);
        assert_ne!(hash_of(hasher, KeyId(1), later), hash);
        assert_ne!(hash_of(hasher, KeyId(2), session), hash);
        assert_ne!(hash_of(other, KeyId(1), session), hash);
    }

    #[test]
    fn m1_a_full_guard_takes_no_more_than_its_bound() {
        for sessions in [1, 7, 100, 1000] {
            let mut guard = ReplayGuard::new(sessions, [1, 2]);
            for name in 0..2 * sessions as u64 {
                guard.accept(KeyId(1), Nonce::new(SessionId(name.to_le_bytes()), 0));
            }
            let entries = guard.entries.capacity() * size_of::<Entry>();
            let taken = (entries + guard.index.allocation_size()) as u64;
            let bound = ReplayGuard::heap_max(sessions as u64);
            assert!(taken <= bound && bound <= 8 * taken, "{taken} of {bound} for {sessions}");
        }
    }

    proptest! {
        /// The twin keeps the sessions in a plain list, the one heard last at the end.
        #[test]
        fn m1_the_session_longest_unheard_makes_room(
            heard in collection::vec(0_u8..12, 0..200),
            sessions_max in 1_usize..9,
        ) {
            let mut guard = ReplayGuard::new(sessions_max, [1, 2]);
            let mut twin: VecDeque<u8> = VecDeque::new();
            for session in heard {
                let known = twin.iter().position(|other| *other == session);
                // Known sessions have seen this counter, so acceptance tells whether it is known.
                let novelty = if known.is_none() { Novelty::New } else { Novelty::Repeated };
                prop_assert_eq!(guard.accept(KeyId(1), nonce(session, 0)), novelty);
                known.map(|at| twin.remove(at));
                twin.push_back(session);
                if twin.len() > sessions_max {
                    twin.pop_front();
                }
                prop_assert_eq!(guard.len(), twin.len());
            }
            let mut kept: Vec<u8> = guard.entries.iter().map(|entry| entry.session.0[0]).collect();
            kept.sort_unstable();
            let mut expected: Vec<u8> = twin.into();
            expected.sort_unstable();
            prop_assert_eq!(kept, expected);
        }
    }
}
