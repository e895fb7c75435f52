//! The envelope: AES-GCM with the cluster's key and a random nonce. memberlist security.go.
//!
//! Nothing names the key, so that each of the ring is tried. The version is not authenticated:
//! whoever flips it makes padding of what is none, which is therefore checked to the last byte.

use alloc::vec::Vec;

use aes_gcm::{
    Aes128Gcm, Aes256Gcm, AesGcm, KeyInit,
    aead::{AeadInOut, consts::U12, inout::InOutBuf},
    aes::Aes192,
};
use rand_chacha::ChaCha8Rng;
use rand_core::Rng as _;

use super::{
    limits::{BLOCK_LEN, ENVELOPE_LEN, ENVELOPE_LEN_V0, NONCE_LEN, TAG_LEN},
    nonces::Nonces,
    wear::Wear,
};
use crate::{
    heap,
    keyring::{KEYS_MAX, Key, KeyId, Keyring},
    reject::Reject,
};

/// What goes around a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Envelope {
    /// Version 0: padded to whole blocks.
    Padded,
    /// Version 1: as long as it is.
    Exact,
}

/// The keys, ready for use.
pub(crate) struct Sealing {
    keyring: Keyring,
    ciphers: Vec<Cipher>,
    envelope: Envelope,
    /// Whether envelopes are taken that are padded.
    takes_padded: bool,
    nonces: ChaCha8Rng,
    seen: Nonces,
    wear: Wear,
}

impl Sealing {
    /// What all keys take on the heap at most, with their ciphers.
    pub(crate) const KEYS_HEAP_MAX: u64 =
        heap::vec(heap::wide(KEYS_MAX), size_of::<Key>() + size_of::<Cipher>());

    /// Envelopes like `envelope` are written; padded ones are taken if they are written, or if
    /// `accept_padded` says so.
    pub(crate) fn new(
        keyring: Keyring,
        envelope: Envelope,
        accept_padded: bool,
        mut nonces: ChaCha8Rng,
    ) -> Self {
        let takes_padded = accept_padded || envelope == Envelope::Padded;
        let seen = Nonces::new([nonces.next_u64(), nonces.next_u64()]);
        let ciphers = keyring.keys().map(Cipher::new).collect();
        let wear = Wear::default();
        Self { keyring, ciphers, envelope, takes_padded, nonces, seen, wear }
    }

    pub(crate) const fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    pub(crate) fn change_keyring<R>(&mut self, change: impl FnOnce(&mut Keyring) -> R) -> R {
        let result = change(&mut self.keyring);
        self.wear.keep(&self.keyring);
        self.ciphers = self.keyring.keys().map(Cipher::new).collect();
        result
    }

    /// How many bytes an envelope adds at most.
    pub(crate) const fn overhead(&self) -> usize {
        match self.envelope {
            Envelope::Padded => ENVELOPE_LEN_V0,
            Envelope::Exact => ENVELOPE_LEN,
        }
    }

    /// How long the envelope of so many bytes is.
    pub(crate) const fn sealed_len(&self, len: usize) -> usize {
        match self.envelope {
            Envelope::Padded => ENVELOPE_LEN + len + BLOCK_LEN - len % BLOCK_LEN,
            Envelope::Exact => ENVELOPE_LEN + len,
        }
    }

    /// Puts `message` in an envelope to the end of `out`.
    pub(crate) fn seal(&mut self, message: &[u8], around: &[u8], out: &mut Vec<u8>) {
        let mut nonce = [0; NONCE_LEN];
        self.nonces.fill_bytes(&mut nonce);
        self.wear.add(self.keyring.primary().id());
        self.seal_with(nonce, message, around, out);
    }

    /// How many envelopes so many members have made with the key that seals, if all send as much
    /// as this node.
    pub(crate) fn estimate(&self, members: u64) -> u64 {
        self.wear.estimate(self.keyring.primary().id(), members)
    }

    /// The key that seals and that estimate, when it comes to a limit. (O5)
    pub(crate) fn passes_limit(&mut self, members: u64) -> Option<(KeyId, u64)> {
        let key = self.keyring.primary().id();
        self.wear.passes(key, members).map(|estimate| (key, estimate))
    }

    /// As if so many envelopes had been made with the key that seals.
    #[cfg(test)]
    pub(crate) fn set_sealed(&mut self, sealed: u64) {
        self.wear.set(self.keyring.primary().id(), sealed);
    }

    pub(super) fn seal_with(
        &self,
        nonce: [u8; NONCE_LEN],
        message: &[u8],
        around: &[u8],
        out: &mut Vec<u8>,
    ) {
        out.push(match self.envelope {
            Envelope::Padded => 0,
            Envelope::Exact => 1,
        });
        out.extend_from_slice(&nonce);
        let at = out.len();
        out.extend_from_slice(message);
        if self.envelope == Envelope::Padded {
            let padding = BLOCK_LEN - message.len() % BLOCK_LEN;
            out.resize(out.len() + padding, padding as u8);
        }
        let cipher = self.ciphers.first().expect("a ring is never empty");
        let tag = cipher.seal(nonce, around, &mut out[at..]);
        out.extend_from_slice(&tag);
    }

    /// Opens an envelope that was not seen before, with whichever key fits, into `out`.
    pub(crate) fn open(
        &mut self,
        sealed: &[u8],
        around: &[u8],
        wall: Option<u32>,
        out: &mut Vec<u8>,
    ) -> Result<(), Reject> {
        let (nonce, _) = self.open_again(sealed, around, out)?;
        if self.seen.is_new(nonce, wall) { Ok(()) } else { Err(Reject::Replayed) }
    }

    /// Opens an envelope, whether it was seen before or not: its nonce, and the key that fits.
    pub(crate) fn open_again(
        &self,
        sealed: &[u8],
        around: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<([u8; NONCE_LEN], KeyId), Reject> {
        let (&version, rest) = sealed.split_first().ok_or(Reject::Truncated)?;
        let (envelope, len_min) = match version {
            0 if self.takes_padded => (Envelope::Padded, ENVELOPE_LEN_V0),
            1 => (Envelope::Exact, ENVELOPE_LEN),
            _ => return Err(Reject::Version),
        };
        if sealed.len() < len_min {
            return Err(Reject::Truncated);
        }
        let (nonce, rest) = rest.split_first_chunk::<NONCE_LEN>().ok_or(Reject::Truncated)?;
        let (body, tag) = rest.split_last_chunk::<TAG_LEN>().ok_or(Reject::Truncated)?;
        out.clear();
        out.resize(body.len(), 0);
        let mut keys = self.keyring.keys().zip(&self.ciphers);
        let fits = keys.find(|(_, cipher)| cipher.open(*nonce, around, body, *tag, out));
        let (key, _) = fits.ok_or(Reject::Decrypt)?;
        if envelope == Envelope::Padded {
            let len = unpadded_len(out).ok_or(Reject::Decrypt)?;
            out.truncate(len);
        }
        Ok((*nonce, key.id()))
    }
}

/// How long a padded text is without its padding, if that is what it should be.
fn unpadded_len(padded: &[u8]) -> Option<usize> {
    let &last = padded.last()?;
    let padding = usize::from(last);
    let is_possible = (1..=BLOCK_LEN).contains(&padding) && padded.len().is_multiple_of(BLOCK_LEN);
    let len = padded.len().checked_sub(padding).filter(|_| is_possible)?;
    padded[len..].iter().all(|&byte| byte == last).then_some(len)
}

enum Cipher {
    Aes128(Aes128Gcm),
    Aes192(AesGcm<Aes192, U12>),
    Aes256(Aes256Gcm),
}

impl Cipher {
    fn new(key: &Key) -> Self {
        let bytes = key.as_bytes();
        match bytes.len() {
            16 => Aes128Gcm::new_from_slice(bytes).map(Self::Aes128),
            24 => AesGcm::new_from_slice(bytes).map(Self::Aes192),
            _ => Aes256Gcm::new_from_slice(bytes).map(Self::Aes256),
        }
        .expect("a key has one of three lengths")
    }

    fn seal(&self, nonce: [u8; NONCE_LEN], around: &[u8], body: &mut [u8]) -> [u8; TAG_LEN] {
        let (nonce, body) = ((&nonce).into(), InOutBuf::from(body));
        match self {
            Self::Aes128(cipher) => cipher.encrypt_inout_detached(nonce, around, body),
            Self::Aes192(cipher) => cipher.encrypt_inout_detached(nonce, around, body),
            Self::Aes256(cipher) => cipher.encrypt_inout_detached(nonce, around, body),
        }
        .expect("a message is far below the 64 GiB that GCM can seal")
        .into()
    }

    fn open(
        &self,
        nonce: [u8; NONCE_LEN],
        around: &[u8],
        body: &[u8],
        tag: [u8; TAG_LEN],
        out: &mut [u8],
    ) -> bool {
        let (nonce, tag) = ((&nonce).into(), (&tag).into());
        let Ok(body) = InOutBuf::new(body, out) else { return false };
        match self {
            Self::Aes128(cipher) => cipher.decrypt_inout_detached(nonce, around, body, tag),
            Self::Aes192(cipher) => cipher.decrypt_inout_detached(nonce, around, body, tag),
            Self::Aes256(cipher) => cipher.decrypt_inout_detached(nonce, around, body, tag),
        }
        .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng as _;

    use super::*;

    #[test]
    fn m1_a_full_ring_takes_no_more_than_its_bound() {
        let key = |number| Key::generate([number; 32]);
        let mut keyring = Keyring::new(key(0));
        (1..KEYS_MAX as u8).for_each(|number| assert!(keyring.add(key(number)).is_ok()));
        let nonces = ChaCha8Rng::from_seed([1; 32]);
        let sealing = Sealing::new(keyring, Envelope::Exact, false, nonces);
        let keys = sealing.keyring.keys().map(|key| size_of_val(key) + key.as_bytes().len());
        // While the ring changes, the ciphers of before are still there.
        let ciphers = 2 * size_of_val(&sealing.ciphers[..]);
        let taken = (keys.sum::<usize>() + ciphers) as u64;
        let bound = Sealing::KEYS_HEAP_MAX;
        assert!(taken <= bound && bound <= 2 * taken, "{taken} of {bound}");
    }

    #[test]
    fn padding_is_checked_to_the_last_byte() {
        let mut block = [7; 32];
        block[31] = 1;
        assert_eq!(unpadded_len(&block), Some(31));
        block[16..].fill(16);
        assert_eq!(unpadded_len(&block), Some(16));
        block[16] = 15;
        assert_eq!(unpadded_len(&block), None);
        for last in [0, 17, 255] {
            block[31] = last;
            assert_eq!(unpadded_len(&block), None, "{last}");
        }
        assert_eq!(unpadded_len(&[1; 15]), None, "no whole block");
        assert_eq!(unpadded_len(&[]), None);
    }
}
