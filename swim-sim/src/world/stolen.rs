//! What those have who don't belong here: packets that passed them, and keys.

use std::net::SocketAddr;

use bytes::Bytes;
use swim_core::Key;

/// What somebody on the way keeps, and how often something of it is sent again.
#[derive(Debug, Default)]
pub(super) struct Replays {
    /// How many are sent again for each that is sent.
    pub(super) share: f64,
    pub(super) is_wanted: bool,
    pub(super) kept: Vec<(SocketAddr, Bytes)>,
}

/// The key of this number, the same in every world.
#[must_use]
pub(crate) fn key(number: u8) -> Key {
    Key::generate([number; 32])
}
