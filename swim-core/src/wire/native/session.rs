//! What this node seals with: its own sessions and their counters.
//!
//! A pair of key and nonce is never used twice. A session begins with eight fresh random bytes at
//! start, at a change of key, before its counter ends, and when somebody else seems to use up its
//! numbers. (X3, X4)
//!
//! Packets and streams count in sessions of their own: a stream may stall for minutes while packets
//! go on, and must not fall out of the window in which replays are told from late arrivals.

use rand_chacha::ChaCha8Rng;
use rand_core::Rng as _;

use super::{
    cipher::Cipher,
    header::{Nonce, SessionId},
};
use crate::keyring::{Key, KeyId};

/// The sessions under which this node seals, and where the random bytes come from.
pub(crate) struct Sessions {
    packets: Session,
    streams: Session,
    nonces: ChaCha8Rng,
}

/// Which of the two sessions counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    Packets,
    Streams,
}

struct Session {
    key_id: KeyId,
    id: SessionId,
    next: u32,
    cipher: Cipher,
}

impl Sessions {
    pub(crate) fn new(key: &Key, label: &[u8], mut nonces: ChaCha8Rng) -> Self {
        let packets = Session::begin(key, label, &mut nonces);
        let streams = Session::begin(key, label, &mut nonces);
        Self { packets, streams, nonces }
    }

    /// A nonce that was never used before with the cipher that comes with it. Begins a new session
    /// when `key` is not the one of the current session, or when its counter has come to its end.
    pub(crate) fn draw(&mut self, lane: Lane, key: &Key, label: &[u8]) -> (Nonce, &Cipher) {
        let session = self.of(lane);
        if session.key_id != key.id() || session.next == u32::MAX {
            self.renew(lane, key, label);
        }
        let session = self.of(lane);
        let nonce = Nonce::new(session.id, session.next);
        session.next += 1;
        (nonce, &session.cipher)
    }

    /// Begins a new session.
    pub(crate) fn renew(&mut self, lane: Lane, key: &Key, label: &[u8]) {
        let fresh = Session::begin(key, label, &mut self.nonces);
        *self.of(lane) = fresh;
    }

    const fn of(&mut self, lane: Lane) -> &mut Session {
        match lane {
            Lane::Packets => &mut self.packets,
            Lane::Streams => &mut self.streams,
        }
    }

    /// Takes over the sessions of another, so far ahead of its counters.
    #[cfg(feature = "simulation")]
    pub(crate) fn use_up(&mut self, other: &Self, key: &Key, label: &[u8], ahead: u32) {
        let taken = |session: &Session| {
            let mut taken = Session::with_id(key, label, session.id);
            taken.next = session.next.saturating_add(ahead).min(u32::MAX - 1);
            taken
        };
        (self.packets, self.streams) = (taken(&other.packets), taken(&other.streams));
    }

    /// Replaces the random ids by ones that can be written down.
    #[cfg(test)]
    pub(crate) fn fix(&mut self, key: &Key, label: &[u8], ids: [u8; 2]) {
        let [packets, streams] = ids.map(|byte| SessionId([byte; 8]));
        self.packets = Session::with_id(key, label, packets);
        self.streams = Session::with_id(key, label, streams);
    }

    #[cfg(test)]
    pub(crate) const fn id(&self, lane: Lane) -> [u8; 8] {
        match lane {
            Lane::Packets => self.packets.id.0,
            Lane::Streams => self.streams.id.0,
        }
    }

    /// Moves a counter near its end, which otherwise takes years to reach.
    #[cfg(test)]
    pub(crate) fn skip_to(&mut self, lane: Lane, counter: u32) {
        self.of(lane).next = counter;
    }
}

impl Session {
    fn begin(key: &Key, label: &[u8], nonces: &mut ChaCha8Rng) -> Self {
        let mut id = SessionId([0; 8]);
        nonces.fill_bytes(&mut id.0);
        Self::with_id(key, label, id)
    }

    fn with_id(key: &Key, label: &[u8], id: SessionId) -> Self {
        Self { key_id: key.id(), id, next: 0, cipher: Cipher::derive(key, id, label) }
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use rand_core::SeedableRng as _;

    use super::*;

    #[test]
    fn x3_no_nonce_is_drawn_twice_across_counter_end_lane_and_key() {
        let keys = [Key::generate([1; 32]), Key::new(&[2; 16]).unwrap()];
        let mut sessions = Sessions::new(&keys[0], b"", ChaCha8Rng::from_seed([3; 32]));
        let mut seen = BTreeSet::new();
        for round in 0..20_u32 {
            let key = &keys[usize::from(round % 4 == 3)];
            for lane in [Lane::Packets, Lane::Streams] {
                sessions.skip_to(lane, u32::MAX - 5);
                for _ in 0..10 {
                    let (nonce, _) = sessions.draw(lane, key, b"");
                    assert_ne!(nonce.counter(), u32::MAX);
                    assert!(seen.insert((key.id(), nonce.0)), "{nonce:?} twice");
                }
            }
        }
    }

    #[test]
    fn x3_a_change_of_key_begins_a_new_session() {
        let keys = [Key::generate([1; 32]), Key::generate([2; 32])];
        let mut sessions = Sessions::new(&keys[0], b"", ChaCha8Rng::from_seed([3; 32]));
        let mut draw = |key: &Key| sessions.draw(Lane::Packets, key, b"").0;
        let (first, second) = (draw(&keys[0]), draw(&keys[0]));
        assert_eq!((first.session(), first.counter()), (second.session(), 0));
        assert_eq!(second.counter(), 1);
        let changed = draw(&keys[1]);
        let back = draw(&keys[0]);
        assert_eq!((changed.counter(), back.counter()), (0, 0));
        assert!(changed.session() != first.session() && back.session() != first.session());
    }
}
