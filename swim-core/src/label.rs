//! The label: which cluster a packet belongs to.
//!
//! Addresses are reused, and nodes of one cluster come to live where those of another one were. The
//! label is what keeps them apart, with or without a key. (X5)

use alloc::sync::Arc;
use core::{fmt, str::FromStr};

use crate::name::{self, NameError};

/// The longest label, in bytes of UTF-8: memberlist writes its length in one byte.
pub const LABEL_LEN_MAX: usize = 255;

/// The longest label in the native dialect. It travels only as four bytes of its hash, but it is
/// part of what every packet is checked against, so it must be short.
pub const NATIVE_LABEL_LEN_MAX: usize = 64;

/// The name of a cluster: 0 to 255 bytes of UTF-8 without control or text-direction characters, in
/// the native dialect up to 64. The empty label is the same as none.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(Arc<str>);

impl Label {
    /// Checks and takes a label.
    ///
    /// # Errors
    ///
    /// [`LabelError`] says what is wrong with it.
    pub fn new(label: &str) -> Result<Self, LabelError> {
        if label.len() > LABEL_LEN_MAX {
            return Err(LabelError::TooLong { len: label.len() });
        }
        match name::check(label) {
            Ok(()) | Err(NameError::Empty | NameError::TooLong { .. }) => Ok(Self(label.into())),
            Err(NameError::Character { character }) => Err(LabelError::Character { character }),
        }
    }

    /// The label as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is no label at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Default for Label {
    fn default() -> Self {
        Self("".into())
    }
}

impl FromStr for Label {
    type Err = LabelError;

    fn from_str(label: &str) -> Result<Self, LabelError> {
        Self::new(label)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Why a text can't be a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LabelError {
    /// The label is longer than [`LABEL_LEN_MAX`] bytes.
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// The label has a control, separator or text-direction character.
    Character {
        /// The first such character.
        character: char,
    },
}

impl core::error::Error for LabelError {}

impl fmt::Display for LabelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { len } => {
                write!(f, "a label of {len} bytes is too long: the limit is {LABEL_LEN_MAX}")
            }
            Self::Character { character } => write!(
                f,
                "a label must not have control or text-direction characters; found {character:?}"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x5_a_label_is_short_printable_text_or_nothing() {
        for good in ["", "prod", "eu-1/blue", "käse"] {
            assert_eq!(Label::new(good).map(|label| label.as_str() == good), Ok(true));
        }
        assert!(Label::default().is_empty());
        assert!(Label::new(&"x".repeat(LABEL_LEN_MAX)).is_ok());
        assert_eq!(Label::new(&"x".repeat(256)), Err(LabelError::TooLong { len: 256 }));
        assert_eq!(Label::new("a\n"), Err(LabelError::Character { character: '\n' }));
    }
}
