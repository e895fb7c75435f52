//! The cluster's keys: one to seal with, and those that are still, or already, accepted.
//!
//! A key is rotated by adding the new one everywhere, then making it primary everywhere, then
//! removing the old one everywhere. In contrast to memberlist, every command that names a key which
//! the ring does not have is an error.

use alloc::{boxed::Box, string::String, vec::Vec};
use core::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize, Zeroizing};

/// The most keys a ring holds. A rotation needs two; the rest is room for one that went wrong.
pub const KEYS_MAX: usize = 8;

/// Sets the hash that names a key apart from every other use of SHA-256.
const KEY_ID_DOMAIN: &[u8] = b"swim key id";

/// A cluster key of 16, 24 or 32 bytes, which chooses AES-128, AES-192 or AES-256.
///
/// It is wiped from memory when dropped, and `Debug` shows its id only.
#[derive(Clone)]
pub struct Key {
    /// In a box, so that moving a key leaves no copy of it behind.
    bytes: Zeroizing<Box<[u8]>>,
    id: KeyId,
}

impl Key {
    /// Takes a key.
    ///
    /// # Errors
    ///
    /// [`KeyError::Length`] when it has not 16, 24 or 32 bytes.
    pub fn new(key: &[u8]) -> Result<Self, KeyError> {
        if !matches!(key.len(), 16 | 24 | 32) {
            return Err(KeyError::Length { len: key.len() });
        }
        Ok(Self { bytes: Zeroizing::new(key.into()), id: KeyId::of(key) })
    }

    /// A key of 32 bytes from as many random ones. They must come from a source fit for secrets.
    #[must_use]
    pub fn generate(mut random: [u8; 32]) -> Self {
        let key = Self { bytes: Zeroizing::new(Box::new(random)), id: KeyId::of(&random) };
        random.zeroize();
        key
    }

    /// Reads a key from standard base64 with padding, as `to_base64` writes it.
    ///
    /// # Errors
    ///
    /// [`KeyError`] says what is wrong with the text; it never repeats it.
    pub fn from_base64(text: &str) -> Result<Self, KeyError> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| KeyError::Base64)?;
        Self::new(&Zeroizing::new(bytes))
    }

    /// The key as standard base64. This is the secret itself: it must not be logged.
    #[must_use]
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.as_bytes())
    }

    /// The number by which packets name this key.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The secret itself.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl PartialEq for Key {
    /// Takes the same time wherever the keys differ.
    fn eq(&self, other: &Self) -> bool {
        let pairs = self.bytes.iter().zip(other.bytes.iter());
        self.bytes.len() == other.bytes.len()
            && pairs.fold(0, |differing, (a, b)| differing | (a ^ b)) == 0
    }
}

impl Eq for Key {}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What a key is called on the wire and in commands: the first four bytes of a hash of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub u32);

impl KeyId {
    fn of(key: &[u8]) -> Self {
        let hash = Sha256::new().chain_update(KEY_ID_DOMAIN).chain_update(key).finalize();
        Self(u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]]))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Why something can't be a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// A key has 16, 24 or 32 bytes.
    Length {
        /// How many these were.
        len: usize,
    },
    /// The text is not base64.
    Base64,
}

impl core::error::Error for KeyError {}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { len } => write!(f, "a key has 16, 24 or 32 bytes, not {len}"),
            Self::Base64 => f.write_str("a key must be written in standard base64"),
        }
    }
}

/// The keys a node holds: never none, the primary first, the others in the order they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyring {
    keys: Vec<Key>,
}

impl Keyring {
    /// A ring with one key.
    #[must_use]
    pub fn new(primary: Key) -> Self {
        Self { keys: [primary].into() }
    }

    /// The same ring with one more key, for building it.
    ///
    /// # Errors
    ///
    /// Those of [`Keyring::add`].
    pub fn with(mut self, key: Key) -> Result<Self, KeyringError> {
        self.add(key)?;
        Ok(self)
    }

    /// Accepts one more key. One that is there already changes nothing.
    ///
    /// # Errors
    ///
    /// [`KeyringError::Full`] or [`KeyringError::IdTaken`]; the ring is then unchanged.
    pub fn add(&mut self, key: Key) -> Result<KeyId, KeyringError> {
        let id = key.id();
        match self.key(id) {
            Some(present) if *present == key => return Ok(id),
            Some(_) => return Err(KeyringError::IdTaken { id }),
            None if self.keys.len() == KEYS_MAX => return Err(KeyringError::Full),
            None => self.keys.push(key),
        }
        Ok(id)
    }

    /// Makes a key the one to seal with.
    ///
    /// # Errors
    ///
    /// [`KeyringError::Unknown`] when the ring does not have it; the ring is then unchanged.
    pub fn set_primary(&mut self, id: KeyId) -> Result<(), KeyringError> {
        let at = self.position(id)?;
        self.keys[..=at].rotate_right(1);
        Ok(())
    }

    /// No longer accepts a key.
    ///
    /// # Errors
    ///
    /// [`KeyringError::Unknown`] or [`KeyringError::Primary`]; the ring is then unchanged.
    pub fn remove(&mut self, id: KeyId) -> Result<(), KeyringError> {
        let at = self.position(id)?;
        if at == 0 {
            return Err(KeyringError::Primary { id });
        }
        self.keys.remove(at);
        Ok(())
    }

    /// The key that seals what this node sends.
    #[must_use]
    pub fn primary(&self) -> &Key {
        self.keys.first().expect("a ring starts with one key and its primary can't be removed")
    }

    /// All keys, the primary first.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Key> {
        self.keys.iter()
    }

    /// The key with this id.
    #[must_use]
    pub fn key(&self, id: KeyId) -> Option<&Key> {
        self.keys.iter().find(|key| key.id() == id)
    }

    fn position(&self, id: KeyId) -> Result<usize, KeyringError> {
        self.keys.iter().position(|key| key.id() == id).ok_or(KeyringError::Unknown { id })
    }
}

/// Why a command on a keyring was refused. The ring is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyringError {
    /// The node has no keyring: it was started without a key, and stays without.
    NoKeyring,
    /// The ring does not have that key.
    Unknown {
        /// The key.
        id: KeyId,
    },
    /// The primary key can't be removed: make another one primary first.
    Primary {
        /// The key.
        id: KeyId,
    },
    /// The ring has [`KEYS_MAX`] keys: remove one first.
    Full,
    /// Another key of the ring goes by the same id (one chance in four billion): take another key.
    IdTaken {
        /// The id of both.
        id: KeyId,
    },
}

impl core::error::Error for KeyringError {}

impl fmt::Display for KeyringError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { id } => write!(f, "the keyring has no key {id}"),
            Self::Primary { id } => write!(f, "key {id} is the primary one and can't be removed"),
            Self::NoKeyring => {
                f.write_str("this node has no keyring; start it with a key to seal what it sends")
            }
            Self::Full => write!(f, "the keyring is full: it holds {KEYS_MAX} keys"),
            Self::IdTaken { id } => write!(f, "another key in the keyring has the id {id} too"),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use zeroize::ZeroizeOnDrop;

    use super::*;

    fn key(byte: u8) -> Key {
        Key::generate([byte; 32])
    }

    fn ids(ring: &Keyring) -> Vec<KeyId> {
        ring.keys().map(Key::id).collect()
    }

    #[test]
    fn a_key_has_one_of_three_lengths() {
        for len in 0..64 {
            let expected = if [16, 24, 32].contains(&len) { Ok(len) } else { Err(len) };
            let key = Key::new(&[7; 64][..len]).map(|key| key.as_bytes().len());
            assert_eq!(key, expected.map_err(|len| KeyError::Length { len }));
        }
    }

    #[test]
    fn a_key_survives_base64() {
        for len in [16, 24, 32] {
            let key = Key::new(&[0xA5; 32][..len]).unwrap();
            assert_eq!(Key::from_base64(&key.to_base64()), Ok(key));
        }
        assert_eq!(Key::from_base64("no base64!"), Err(KeyError::Base64));
        assert_eq!(Key::from_base64("AAAA"), Err(KeyError::Length { len: 3 }));
    }

    #[test]
    fn x17_debug_shows_the_id_of_a_key_and_nothing_else() {
        let key = key(0x41);
        let shown = format!("Key {{ id: {}, .. }}", key.id());
        assert_eq!(format!("{key:?}"), shown);
        assert_eq!(format!("{:?}", Keyring::new(key)), format!("Keyring {{ keys: [{shown}] }}"));
    }

    /// X17: all that holds the secret wipes it when it is dropped. This compiles or does not.
    #[test]
    fn x17_a_key_that_is_dropped_is_wiped() {
        fn is_wiped(_: &impl ZeroizeOnDrop) {}
        let Key { bytes, id: KeyId(_) } = key(0x41);
        is_wiped(&bytes);
    }

    #[test]
    fn x18_a_rotation_adds_then_uses_then_removes() {
        let (old, new) = (key(1), key(2));
        let mut ring = Keyring::new(old.clone());
        assert_eq!(ring.add(new.clone()), Ok(new.id()));
        assert_eq!(ring.add(new.clone()), Ok(new.id()), "twice is once");
        assert_eq!(ids(&ring), [old.id(), new.id()]);
        assert_eq!(ring.remove(old.id()), Err(KeyringError::Primary { id: old.id() }));
        assert_eq!(ring.set_primary(new.id()), Ok(()));
        assert_eq!(ids(&ring), [new.id(), old.id()]);
        assert_eq!(ring.remove(old.id()), Ok(()));
        assert_eq!(ids(&ring), [new.id()]);
        for refused in [ring.remove(old.id()), ring.set_primary(old.id())] {
            assert_eq!(refused, Err(KeyringError::Unknown { id: old.id() }));
        }
    }

    #[test]
    fn making_primary_keeps_the_order_of_the_others() {
        let mut ring = Keyring::new(key(1));
        for byte in 2..=4 {
            ring.add(key(byte)).unwrap();
        }
        ring.set_primary(key(3).id()).unwrap();
        assert_eq!(ids(&ring), [3, 1, 2, 4].map(|byte| key(byte).id()));
    }

    #[test]
    fn m1_a_ring_has_a_limit() {
        let mut ring = Keyring::new(key(0));
        for byte in 1..KEYS_MAX {
            ring.add(key(byte.try_into().unwrap())).unwrap();
        }
        assert_eq!(ring.add(key(99)), Err(KeyringError::Full));
        assert_eq!(ring.add(key(1)), Ok(key(1).id()), "one that is there needs no room");
    }
}
