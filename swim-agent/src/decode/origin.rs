//! Where and when something was captured.

use crate::clock::Timestamp;

/// When it came by, between whom.
pub(super) struct Origin {
    pub(super) time: Timestamp,
    /// `udp` or `tcp`.
    pub(super) transport: &'static str,
    pub(super) source: String,
    pub(super) destination: String,
}
