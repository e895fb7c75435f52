//! Metadata with a type: what a member says about itself, as a value that serde knows.
//!
//! The first byte is a version, the rest is postcard. A reader takes its own version only, and
//! ignores bytes after the value: so fields can be added at the end without a new version, and a
//! cluster can be updated node by node. What a peer says is its own affair and may be anything: a
//! reader gets a [`MetaProblem`] for it, and decides for itself what to do about such a member.

use core::fmt;

use serde::{Serialize, de::DeserializeOwned};
use swim_driver::{
    Error, Handle,
    swim_core::{META_LEN_MAX, Stamp},
};

/// A value that fits into metadata.
pub trait Typed: Serialize + DeserializeOwned {
    /// Changes when a former reader would misunderstand the value.
    const VERSION: u8;
}

/// Why metadata is no value of the type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetaProblem {
    /// There is none.
    Empty,
    /// It is of another version.
    Version {
        /// Which.
        found: u8,
    },
    /// It is no value of this type.
    Malformed,
    /// The value takes more bytes than metadata may have.
    TooLong,
}

impl std::error::Error for MetaProblem {}

impl fmt::Display for MetaProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty"),
            Self::Version { found } => write!(f, "it is of version {found}"),
            Self::Malformed => f.write_str("it cannot be read"),
            Self::TooLong => write!(f, "it is longer than {META_LEN_MAX} bytes"),
        }
    }
}

/// The value as metadata.
///
/// # Errors
///
/// [`MetaProblem::TooLong`].
pub fn encode<T: Typed>(value: &T) -> Result<Vec<u8>, MetaProblem> {
    let mut buffer = [0; META_LEN_MAX];
    buffer[0] = T::VERSION;
    let body = postcard::to_slice(value, &mut buffer[1..]).map_err(|_| MetaProblem::TooLong)?;
    let len = 1 + body.len();
    Ok(buffer[..len].to_vec())
}

/// The value in a member's metadata.
///
/// # Errors
///
/// [`MetaProblem`] says what is wrong with it.
pub fn decode<T: Typed>(meta: &[u8]) -> Result<T, MetaProblem> {
    let (&found, body) = meta.split_first().ok_or(MetaProblem::Empty)?;
    if found != T::VERSION {
        return Err(MetaProblem::Version { found });
    }
    let (value, _newer_fields) =
        postcard::take_from_bytes(body).map_err(|_| MetaProblem::Malformed)?;
    Ok(value)
}

/// Says this about the node from now on.
///
/// # Errors
///
/// Those of [`Handle::update_meta`]; within, [`MetaProblem::TooLong`].
pub async fn announce<T: Typed>(
    handle: &Handle,
    value: &T,
) -> Result<Result<Stamp, Error>, MetaProblem> {
    Ok(handle.update_meta(encode(value)?).await)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Old {
        zone: String,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct New {
        zone: String,
        load: u8,
    }

    impl Typed for Old {
        const VERSION: u8 = 1;
    }
    impl Typed for New {
        const VERSION: u8 = 1;
    }

    #[test]
    fn a_former_reader_ignores_new_fields_and_a_new_one_misses_them() {
        let new = encode(&New { zone: "b".into(), load: 3 }).unwrap();
        assert_eq!(decode::<Old>(&new), Ok(Old { zone: "b".into() }));
        let old = encode(&Old { zone: "b".into() }).unwrap();
        assert_eq!(decode::<New>(&old), Err(MetaProblem::Malformed));
    }

    #[test]
    fn whatever_a_peer_says_is_an_error_or_a_value() {
        assert_eq!(decode::<Old>(&[]), Err(MetaProblem::Empty));
        assert_eq!(decode::<Old>(b"\x02\x01b"), Err(MetaProblem::Version { found: 2 }));
        assert_eq!(decode::<Old>(b"\x01\x09b"), Err(MetaProblem::Malformed));
        assert_eq!(decode::<Old>(b"\x01\x01\xff"), Err(MetaProblem::Malformed));
        assert_eq!(encode(&Old { zone: "b".repeat(600) }), Err(MetaProblem::TooLong));
    }
}
