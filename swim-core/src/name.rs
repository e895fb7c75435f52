//! Names and metadata of members, checked where they enter.
//!
//! Names end up in logs, terminals and event handlers of every node of the cluster, so a name that
//! could forge a log line or turn a terminal around is refused at the door. (X15)

use alloc::{borrow::ToOwned, string::String, sync::Arc};
use core::{borrow::Borrow, fmt, ops::Deref, str::FromStr};

use bytes::Bytes;

/// The longest name, in bytes of UTF-8. Names travel in every packet, so they must be short; 128
/// holds any host name in use (DNS labels end at 63, whole names seldom pass 100).
pub const NAME_LEN_MAX: usize = 128;

/// The longest metadata of a member, in bytes (memberlist: `MetaMaxSize`). A claim has to fit into
/// one packet together with its name.
pub const META_LEN_MAX: usize = 512;

/// The name of a member: 1 to 128 bytes of UTF-8 without control or text-direction characters.
///
/// Cloning is cheap: the text is shared.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

impl Name {
    /// Checks and takes a name.
    ///
    /// # Errors
    ///
    /// [`NameError`] says what is wrong with it.
    pub fn new(name: &str) -> Result<Self, NameError> {
        check(name)?;
        Ok(Self(name.into()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes a name that [`check`] has already passed.
    pub(crate) fn from_checked(name: &str) -> Self {
        debug_assert!(check(name).is_ok());
        Self(name.into())
    }
}

/// Whether `name` may be a member's name.
pub(crate) fn check(name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if name.len() > NAME_LEN_MAX {
        return Err(NameError::TooLong { len: name.len() });
    }
    if is_ascii_graphic(name.as_bytes()) {
        return Ok(()); // By far the commonest case, and cheap.
    }
    match name.chars().find(|&c| is_forbidden(c)) {
        Some(character) => Err(NameError::Character { character }),
        None => Ok(()),
    }
}

/// Whether all bytes are ASCII, and neither a space nor a control character: eight at a time,
/// because every name of every packet is looked at.
fn is_ascii_graphic(bytes: &[u8]) -> bool {
    const LOW_BITS: u64 = 0x0101_0101_0101_0101;
    const HIGH_BITS: u64 = 0x80 * LOW_BITS;
    // With seven bits in a byte, the sums below never carry into the next one.
    let are_graphic = |word: u64| {
        let above_space = word.wrapping_add((0x80 - u64::from(b'!')) * LOW_BITS) & HIGH_BITS;
        let is_delete = word.wrapping_add(LOW_BITS) & HIGH_BITS;
        word & HIGH_BITS == 0 && above_space == HIGH_BITS && is_delete == 0
    };
    let (words, rest) = bytes.as_chunks::<8>();
    let mut last = [b'!'; 8];
    last[..rest.len()].copy_from_slice(rest);
    words.iter().chain([&last]).all(|word| are_graphic(u64::from_le_bytes(*word)))
}

/// Makes any text fit to be sent and shown: as long as a name at most, without what a name must not
/// have, and never empty.
pub(crate) fn cleaned(text: &str) -> String {
    let mut clean = String::new();
    for c in text.chars().map(|c| if is_forbidden(c) { ' ' } else { c }) {
        if clean.len() + c.len_utf8() > NAME_LEN_MAX {
            break;
        }
        clean.push(c);
    }
    if clean.is_empty() { "no reason given".into() } else { clean }
}

/// Control characters, line and paragraph separators, and everything that changes the direction or
/// the visibility of the text around it.
fn is_forbidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}')
}

/// Why a text can't be a member's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameError {
    /// A name must have at least one byte.
    Empty,
    /// The name is longer than [`NAME_LEN_MAX`] bytes.
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// The name has a control, separator or text-direction character.
    Character {
        /// The first such character.
        character: char,
    },
}

impl core::error::Error for NameError {}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a node name must not be empty"),
            Self::TooLong { len } => {
                write!(f, "a node name of {len} bytes is too long: the limit is {NAME_LEN_MAX}")
            }
            Self::Character { character } => write!(
                f,
                "a node name must not have control or text-direction characters; found {:?}",
                character
            ),
        }
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        Self::new(name)
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// What a member says about itself beside its address: opaque bytes, at most [`META_LEN_MAX`].
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Meta(Bytes);

impl Meta {
    /// Checks and takes metadata.
    ///
    /// # Errors
    ///
    /// [`MetaError`] when it is longer than [`META_LEN_MAX`] bytes.
    pub fn new(meta: impl Into<Bytes>) -> Result<Self, MetaError> {
        let meta = meta.into();
        if meta.len() > META_LEN_MAX {
            return Err(MetaError { len: meta.len() });
        }
        Ok(Self(meta))
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Copies metadata whose length the wire has already checked.
    pub(crate) fn from_checked(meta: &[u8]) -> Self {
        debug_assert!(meta.len() <= META_LEN_MAX);
        if meta.is_empty() { Self::default() } else { Self(meta.to_owned().into()) }
    }
}

impl Deref for Meta {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Meta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Metadata longer than [`META_LEN_MAX`] bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetaError {
    /// Its length in bytes.
    pub len: usize,
}

impl core::error::Error for MetaError {}

impl fmt::Display for MetaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "metadata of {} bytes is too long: the limit is {META_LEN_MAX}", self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x15_names_that_could_forge_text_are_refused() {
        for good in ["a", "web-1.example.org", "käse", "节点-7", "with space"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        assert_eq!(check(""), Err(NameError::Empty));
        assert_eq!(check(&"x".repeat(129)), Err(NameError::TooLong { len: 129 }));
        for bad in
            ['\n', '\u{1b}', '\u{7f}', '\u{85}', '\u{202E}', '\u{2066}', '\u{200B}', '\u{FEFF}']
        {
            let mut name = String::from("a");
            name.push(bad);
            assert_eq!(check(&name), Err(NameError::Character { character: bad }));
        }
    }

    #[test]
    fn x15_eight_bytes_at_a_time_are_judged_as_one_by_one() {
        for len in 1..=24 {
            for at in 0..len {
                for byte in 0..=u8::MAX {
                    let mut bytes = alloc::vec![b'~'; len];
                    bytes[at] = byte;
                    let one_by_one = bytes.iter().all(u8::is_ascii_graphic);
                    assert_eq!(is_ascii_graphic(&bytes), one_by_one, "{bytes:?}");
                }
            }
        }
    }

    #[test]
    fn x15_any_text_can_be_cleaned() {
        for text in ["", "plain", "two\nlines", &"ä".repeat(100), "\u{202E}\u{202E}"] {
            let clean = cleaned(text);
            assert_eq!(check(&clean), Ok(()), "{text:?} became {clean:?}");
        }
        assert_eq!(cleaned("two\nlines"), "two lines");
    }

    #[test]
    fn metadata_has_a_limit() {
        assert!(Meta::new(alloc::vec![0; META_LEN_MAX]).is_ok());
        assert_eq!(Meta::new(alloc::vec![0; META_LEN_MAX + 1]), Err(MetaError { len: 513 }));
    }
}
