//! What one direction between two hosts is like.

use std::time::Duration;

use super::latency::Latency;

/// One direction of a link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    /// How long a packet takes.
    pub latency: Latency,
    /// The share of packets that are lost.
    pub loss: f64,
    /// The share of packets that come twice.
    pub duplicates: f64,
    /// The share of packets that come late, overtaken by others.
    pub reordered: f64,
    /// By how much those come late at most.
    pub reordered_by: Duration,
    /// The share of packets of which one bit is flipped on the way.
    pub flipped: f64,
    /// The share of packets of which the end is missing.
    pub truncated: f64,
    /// The longest packet that passes, in bytes. Longer ones are lost without a word.
    pub mtu: usize,
    /// The share of pieces of a stream at which it breaks, for both ends, anywhere in the piece.
    pub stream_resets: f64,
    /// The share of pieces of a stream after which nothing comes any more, and nobody is told.
    pub stream_stalls: f64,
}

impl Link {
    /// A link in a data centre, on which nothing goes wrong.
    pub const LAN: Self = Self {
        latency: Latency::LAN,
        loss: 0.0,
        duplicates: 0.0,
        reordered: 0.0,
        reordered_by: Duration::ZERO,
        flipped: 0.0,
        truncated: 0.0,
        mtu: usize::MAX,
        stream_resets: 0.0,
        stream_stalls: 0.0,
    };

    /// The same link with nothing going wrong on it.
    #[must_use]
    pub const fn healed(self) -> Self {
        Self { latency: self.latency, mtu: self.mtu, ..Self::LAN }
    }
}

impl Default for Link {
    fn default() -> Self {
        Self::LAN
    }
}
