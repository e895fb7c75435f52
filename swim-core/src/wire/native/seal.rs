//! All that a node with a key needs to seal and open: its ring, its sessions, its peers' sessions.

use aes_gcm::aead::inout::InOutBuf;
use rand_chacha::ChaCha8Rng;
use rand_core::Rng as _;

use super::{
    cipher::{Cipher, Surroundings},
    contexts::Contexts,
    header::{Flags, Guard, Header, Nonce},
    limits::{HEADER_LEN_SEALED, TAG_LEN},
    replay::ReplayGuard,
    session::{Lane, Sessions},
    window::Novelty,
};
use crate::{
    keyring::{KeyId, Keyring},
    label::Label,
    reject::Reject,
};

/// The keys and everything derived from them.
pub(crate) struct Sealing {
    keyring: Keyring,
    label: Label,
    label_id: u32,
    sessions: Sessions,
    contexts: Contexts,
    replay: ReplayGuard,
}

impl Sealing {
    pub(crate) fn new(
        keyring: Keyring,
        label: &Label,
        label_id: u32,
        sessions_max: usize,
        mut nonces: ChaCha8Rng,
    ) -> Self {
        let hash_keys = [nonces.next_u64(), nonces.next_u64()];
        Self {
            sessions: Sessions::new(keyring.primary(), label.as_str().as_bytes(), nonces),
            keyring,
            label: label.clone(),
            label_id,
            contexts: Contexts::new(),
            replay: ReplayGuard::new(sessions_max, hash_keys),
        }
    }

    pub(crate) const fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// Changes the ring, and forgets what was derived from keys that are gone from it. The sessions
    /// notice a change of primary by themselves.
    pub(crate) fn change_keyring<R>(&mut self, change: impl FnOnce(&mut Keyring) -> R) -> R {
        let result = change(&mut self.keyring);
        let keyring = &self.keyring;
        self.contexts.retain(|id| keyring.key(id).is_some());
        result
    }

    /// Writes the header to the start of `packet`, encrypts what follows it, and writes the tag
    /// into the last bytes.
    #[inline(never)] // So that its price can be told from that of a packet.
    pub(crate) fn seal(
        &mut self,
        lane: Lane,
        flags: Flags,
        context: &[u8],
        packet: &mut [u8],
    ) -> Nonce {
        let label = self.label.as_str().as_bytes();
        let key = self.keyring.primary();
        let (nonce, cipher) = self.sessions.draw(lane, key, label);
        let (header, rest) = packet.split_at_mut(HEADER_LEN_SEALED);
        let guard = Guard::Seal { key_id: key.id(), nonce };
        Header { flags, label_id: self.label_id, guard }.write(header);
        let (body, tag) = rest
            .split_last_chunk_mut::<TAG_LEN>()
            .expect("every writer keeps room for the tag behind the body");
        *tag = cipher.seal(nonce, &Surroundings::new(header, label, context), body);
        nonce
    }

    /// Opens what a header with this key and nonce guards. One trial, with the key it names. (X2)
    #[inline(never)] // So that its price can be told from that of a packet.
    pub(crate) fn open(
        &mut self,
        key_id: KeyId,
        nonce: Nonce,
        around: &Surroundings,
        body: InOutBuf<'_, '_, u8>,
        tag: [u8; TAG_LEN],
    ) -> Result<(), Reject> {
        let key = self.keyring.key(key_id).ok_or(Reject::UnknownKey)?;
        let session = nonce.session();
        if let Some(cipher) = self.contexts.find(key_id, session) {
            return cipher.open(nonce, around, body, tag);
        }
        let cipher = Cipher::derive(key, session, self.label.as_str().as_bytes());
        cipher.open(nonce, around, body, tag)?;
        self.contexts.keep(key_id, session, cipher);
        Ok(())
    }

    /// Whether this authenticated nonce is new; it is no longer after this call.
    pub(crate) fn accept(&mut self, key_id: KeyId, nonce: Nonce) -> Novelty {
        self.replay.accept(key_id, nonce)
    }

    /// Goes on in a session that nobody has used up.
    pub(crate) fn begin_session(&mut self, lane: Lane) {
        let label = self.label.as_str().as_bytes();
        self.sessions.renew(lane, self.keyring.primary(), label);
    }

    /// Goes on in the sessions of another, so far ahead of it.
    #[cfg(feature = "simulation")]
    pub(crate) fn use_up_sessions_of(&mut self, other: &Self, ahead: u32) {
        let label = self.label.as_str().as_bytes();
        self.sessions.use_up(&other.sessions, self.keyring.primary(), label, ahead);
    }

    #[cfg(test)]
    pub(crate) const fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    #[cfg(test)]
    pub(crate) fn sessions_mut(&mut self) -> &mut Sessions {
        &mut self.sessions
    }

    #[cfg(test)]
    pub(crate) fn replay(&self) -> &ReplayGuard {
        &self.replay
    }
}
