//! Sealing and opening with one derived key: AES-GCM over the body, bound to all that surrounds it.
//!
//! The cluster key itself never meets a packet. Every session of every sender derives its own key
//! from it, so that a counter is enough for a nonce: no two senders share a key, and no sender
//! shares one with its former life. Random nonces under the one cluster key would collide within
//! days in a large cluster. (X3)

use aes_gcm::{
    Aes128Gcm, Aes256Gcm, AesGcm, KeyInit,
    aead::{AeadInOut, Error, consts::U12, inout::InOutBuf},
    aes::Aes192,
};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroize;

use super::{
    header::{Nonce, SessionId},
    limits::{HEADER_LEN_SEALED, TAG_LEN},
};
use crate::{keyring::Key, label::NATIVE_LABEL_LEN_MAX, reject::Reject};

type Aes192Gcm = AesGcm<Aes192, U12>;

/// Sets these derived keys apart from any other use of the cluster key.
const DERIVATION_DOMAIN: &[u8] = b"swim native v1";

/// The most bytes that surround a body: header, label and a stream's context.
const SURROUNDINGS_LEN_MAX: usize = HEADER_LEN_SEALED + NATIVE_LABEL_LEN_MAX + CONTEXT_LEN;

/// Direction, frame index and binding of a stream frame.
pub(crate) const CONTEXT_LEN: usize = 1 + 4 + 12;

/// A cipher for one session of one sender.
#[derive(Clone)]
pub(crate) enum Cipher {
    Aes128(Aes128Gcm),
    Aes192(Aes192Gcm),
    Aes256(Aes256Gcm),
}

impl Cipher {
    /// The cipher of a session; the length of the cluster key chooses the suite.
    pub(crate) fn derive(key: &Key, session: SessionId, label: &[u8]) -> Self {
        let mut derived = derive(key, session, label);
        let bytes = &derived[..key.as_bytes().len()];
        let cipher = match suite(key) {
            1 => Aes128Gcm::new_from_slice(bytes).map(Self::Aes128),
            2 => Aes192Gcm::new_from_slice(bytes).map(Self::Aes192),
            _ => Aes256Gcm::new_from_slice(bytes).map(Self::Aes256),
        };
        derived.zeroize();
        cipher.expect("the derived key has the length of its suite")
    }

    /// Encrypts `body` in place and returns its tag.
    pub(crate) fn seal(
        &self,
        nonce: Nonce,
        around: &Surroundings,
        body: &mut [u8],
    ) -> [u8; TAG_LEN] {
        let (nonce, body) = ((&nonce.0).into(), InOutBuf::from(body));
        let around = around.as_bytes();
        match self {
            Self::Aes128(cipher) => cipher.encrypt_inout_detached(nonce, around, body),
            Self::Aes192(cipher) => cipher.encrypt_inout_detached(nonce, around, body),
            Self::Aes256(cipher) => cipher.encrypt_inout_detached(nonce, around, body),
        }
        .expect("a body is far below the 64 GiB that GCM can seal")
        .into()
    }

    /// Checks the tag, then decrypts; nothing is written unless the tag is right.
    pub(crate) fn open(
        &self,
        nonce: Nonce,
        around: &Surroundings,
        body: InOutBuf<'_, '_, u8>,
        tag: [u8; TAG_LEN],
    ) -> Result<(), Reject> {
        let (nonce, tag) = ((&nonce.0).into(), (&tag).into());
        let around = around.as_bytes();
        match self {
            Self::Aes128(cipher) => cipher.decrypt_inout_detached(nonce, around, body, tag),
            Self::Aes192(cipher) => cipher.decrypt_inout_detached(nonce, around, body, tag),
            Self::Aes256(cipher) => cipher.decrypt_inout_detached(nonce, around, body, tag),
        }
        .map_err(|Error| Reject::Decrypt)
    }
}

/// The session's own key, in the first bytes: as many as the cluster key has.
pub(super) fn derive(key: &Key, session: SessionId, label: &[u8]) -> [u8; 32] {
    let cluster_key = key.as_bytes();
    let mut derived = [0; 32];
    Hkdf::<Sha256>::new(Some(&session.0), cluster_key)
        .expand_multi_info(
            &[DERIVATION_DOMAIN, &[suite(key)], label],
            &mut derived[..cluster_key.len()],
        )
        .expect("32 bytes are far below what HKDF can give");
    derived
}

/// The suite, as the derivation names it: AES-128, AES-192 or AES-256.
fn suite(key: &Key) -> u8 {
    match key.as_bytes().len() {
        16 => 1,
        24 => 2,
        _ => 3,
    }
}

/// What is authenticated with a body but not encrypted: the whole header, the label, and for stream
/// frames their place in the stream. Its parts can't be shifted against each other: header and
/// context have fixed lengths, and a header's flag says whether there is a context.
pub(crate) struct Surroundings {
    bytes: [u8; SURROUNDINGS_LEN_MAX],
    len: usize,
}

impl Surroundings {
    pub(crate) fn new(header: &[u8], label: &[u8], context: &[u8]) -> Self {
        let mut around = Self { bytes: [0; SURROUNDINGS_LEN_MAX], len: 0 };
        for part in [header, label, context] {
            let end = around.len + part.len();
            around.bytes[around.len..end].copy_from_slice(part);
            around.len = end;
        }
        around
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m1_the_longest_surroundings_fit_and_leave_no_room() {
        let (header, label, context) = ([1; HEADER_LEN_SEALED], [2; NATIVE_LABEL_LEN_MAX], [3; 17]);
        let around = Surroundings::new(&header, &label, &context);
        assert_eq!(around.as_bytes(), [&header[..], &label, &context].concat());
        assert_eq!(around.as_bytes().len(), around.bytes.len());
    }
}
