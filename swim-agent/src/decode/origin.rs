//! Where and when something was captured.

use std::net::SocketAddr;

use crate::clock::Timestamp;

/// When it came by, between whom.
pub(super) struct Origin {
    pub(super) time: Timestamp,
    /// `udp` or `tcp`.
    pub(super) transport: &'static str,
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
}

impl Origin {
    pub(super) const fn new(
        time: Timestamp,
        transport: &'static str,
        [source, destination]: [SocketAddr; 2],
    ) -> Self {
        Self { time, transport, source, destination }
    }
}
