//! A small cache of the ciphers derived for the sessions of peers.
//!
//! Deriving costs more than opening a short packet. Each session has one place, chosen by its first
//! byte; a newcomer takes it over, and nothing is searched. A peer that draws sessions for one
//! place on purpose makes some packets a microsecond dearer, and no more.

use alloc::{boxed::Box, vec::Vec};

use super::{cipher::Cipher, header::SessionId, limits::CONTEXTS_MAX};
use crate::keyring::KeyId;

/// Ciphers by session; empty until the first sealed packet was opened.
pub(crate) struct Contexts {
    places: Vec<Option<Box<Context>>>,
}

struct Context {
    key_id: KeyId,
    session: SessionId,
    cipher: Cipher,
}

impl Contexts {
    pub(crate) const fn new() -> Self {
        Self { places: Vec::new() }
    }

    /// The cipher of a session, if it is still here.
    pub(crate) fn find(&self, key_id: KeyId, session: SessionId) -> Option<&Cipher> {
        let context = self.places.get(place(session))?.as_ref()?;
        (context.session == session && context.key_id == key_id).then_some(&context.cipher)
    }

    /// Keeps a cipher that has just opened something authentic.
    pub(crate) fn keep(&mut self, key_id: KeyId, session: SessionId, cipher: Cipher) {
        if self.places.is_empty() {
            self.places.resize_with(CONTEXTS_MAX, || None);
        }
        let context = Context { key_id, session, cipher };
        match &mut self.places[place(session)] {
            Some(kept) => **kept = context,
            free @ None => *free = Some(Box::new(context)),
        }
    }

    /// Drops everything that was derived from keys that are no longer held.
    pub(crate) fn retain(&mut self, is_held: impl Fn(KeyId) -> bool) {
        for place in &mut self.places {
            if place.as_ref().is_some_and(|context| !is_held(context.key_id)) {
                *place = None;
            }
        }
    }
}

fn place(session: SessionId) -> usize {
    usize::from(session.0[0]) % CONTEXTS_MAX
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::Key;

    #[test]
    fn m1_one_place_per_session_and_the_newcomer_takes_it() {
        let key = Key::generate([1; 32]);
        let mut contexts = Contexts::new();
        let [first, second, third] = [[0; 8], [64; 8], [1; 8]].map(SessionId);
        for session in [first, third, second] {
            assert!(contexts.find(key.id(), session).is_none());
            contexts.keep(key.id(), session, Cipher::derive(&key, session, b""));
            assert!(contexts.find(key.id(), session).is_some());
            assert!(contexts.find(KeyId(!key.id().0), session).is_none(), "another key");
        }
        assert!(contexts.find(key.id(), first).is_none());
        assert!(contexts.find(key.id(), third).is_some());
        contexts.retain(|_| false);
        assert!(contexts.find(key.id(), third).is_none());
    }
}
