//! A small cache of the ciphers derived for the sessions of peers.
//!
//! Deriving costs more than opening a short packet. Each session may stand in one of a few places,
//! chosen by its first byte; a newcomer takes a free one, or else the places of its set in turn. A
//! peer that draws sessions for one set on purpose makes some packets a microsecond dearer, and no
//! more.

use alloc::{boxed::Box, vec::Vec};

use super::{
    cipher::Cipher,
    header::SessionId,
    limits::{CONTEXT_SETS, CONTEXTS_PER_SET},
};
use crate::{heap, keyring::KeyId};

/// Ciphers by session; empty until the first sealed packet was opened.
pub(crate) struct Contexts {
    sets: Vec<Set>,
}

/// The places that a session may stand in.
#[derive(Default)]
struct Set {
    places: [Option<Box<Context>>; CONTEXTS_PER_SET],
    /// Whose turn it is to make room.
    next: usize,
}

struct Context {
    key_id: KeyId,
    session: SessionId,
    cipher: Cipher,
}

impl Contexts {
    pub(crate) const fn new() -> Self {
        Self { sets: Vec::new() }
    }

    /// What it takes on the heap at most.
    pub(crate) const HEAP_MAX: u64 = heap::exact(
        CONTEXT_SETS as u64,
        size_of::<Set>() + CONTEXTS_PER_SET * size_of::<Context>(),
    );

    /// The cipher of a session, if it is still here.
    pub(crate) fn find(&self, key_id: KeyId, session: SessionId) -> Option<&Cipher> {
        let mut kept = self.sets.get(set_of(session))?.places.iter().flatten();
        kept.find(|context| context.is(key_id, session)).map(|context| &context.cipher)
    }

    /// Keeps a cipher that has just opened something authentic.
    pub(crate) fn keep(&mut self, key_id: KeyId, session: SessionId, cipher: Cipher) {
        if self.sets.is_empty() {
            self.sets.resize_with(CONTEXT_SETS, Set::default);
        }
        self.sets[set_of(session)].keep(Context { key_id, session, cipher });
    }

    /// Drops everything that was derived from keys that are no longer held.
    pub(crate) fn retain(&mut self, is_held: impl Fn(KeyId) -> bool) {
        for place in self.sets.iter_mut().flat_map(|set| &mut set.places) {
            if place.as_ref().is_some_and(|context| !is_held(context.key_id)) {
                *place = None;
            }
        }
    }
}

impl Set {
    fn keep(&mut self, context: Context) {
        if let Some(free) = self.places.iter_mut().find(|place| place.is_none()) {
            *free = Some(Box::new(context));
            return;
        }
        if let Some(kept) = &mut self.places[self.next] {
            **kept = context; // In the same memory.
        }
        self.next = (self.next + 1) % CONTEXTS_PER_SET;
    }
}

impl Context {
    fn is(&self, key_id: KeyId, session: SessionId) -> bool {
        self.session == session && self.key_id == key_id
    }
}

/// Needs no key, though peers choose sessions: a set is full after a few, however many are drawn
/// for it, and then lets one go for the next. (X14)
fn set_of(session: SessionId) -> usize {
    usize::from(session.0[0]) % CONTEXT_SETS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::Key;

    /// Sessions that all belong into one set.
    fn crowded(number: u8) -> SessionId {
        SessionId([0, number, 0, 0, 0, 0, 0, 0])
    }

    #[test]
    fn m1_a_full_cache_takes_no_more_than_its_bound() {
        let key = Key::generate([1; 32]);
        let mut contexts = Contexts::new();
        for number in 0..1024_u16 {
            let [first, second] = number.to_le_bytes();
            let session = SessionId([first, second, 0, 0, 0, 0, 0, 0]);
            contexts.keep(key.id(), session, Cipher::derive(&key, session, b""));
        }
        let kept = contexts.sets.iter().flat_map(|set| &set.places).flatten();
        let boxes: usize = kept.map(|context| size_of_val(&**context)).sum();
        let taken = (contexts.sets.capacity() * size_of::<Set>() + boxes) as u64;
        let bound = Contexts::HEAP_MAX;
        assert!(taken <= bound && bound <= 2 * taken, "{taken} of {bound}");
    }

    /// X14: sessions drawn for one set push out each other, and nobody else.
    #[test]
    fn m1_a_full_set_makes_room_in_turn() {
        let key = Key::generate([1; 32]);
        let mut contexts = Contexts::new();
        let elsewhere = SessionId([1; 8]);
        let keep = |contexts: &mut Contexts, session| {
            assert!(contexts.find(key.id(), session).is_none());
            contexts.keep(key.id(), session, Cipher::derive(&key, session, b""));
            assert!(contexts.find(key.id(), session).is_some());
            assert!(contexts.find(KeyId(!key.id().0), session).is_none(), "another key");
        };
        keep(&mut contexts, elsewhere);
        let ways = u8::try_from(CONTEXTS_PER_SET).unwrap();
        for number in 0..3 * ways {
            keep(&mut contexts, crowded(number));
            let here = |&other: &u8| contexts.find(key.id(), crowded(other)).is_some();
            let oldest = (number + 1).saturating_sub(ways);
            assert!((0..=number).filter(here).eq(oldest..=number), "{number}");
        }
        assert!(contexts.find(key.id(), elsewhere).is_some());
        contexts.retain(|_| false);
        assert!(contexts.find(key.id(), elsewhere).is_none());
        keep(&mut contexts, crowded(0));
    }
}
