//! What happened between the node and the operating system, counted. The machine counts the rest.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What went wrong between the node and the operating system since the start. The counters only
/// grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct IoStats {
    /// Datagrams lost because the send buffer was full.
    pub sends_blocked: u64,
    /// Datagrams that the operating system refused to send.
    pub sends_failed: u64,
    /// Errors when receiving datagrams.
    pub receives_failed: u64,
    /// Errors when accepting streams.
    pub accepts_failed: u64,
    /// Streams that could not be opened: refused, no route, or too slow for the operating system.
    pub dials_failed: u64,
    /// Streams in use that broke when reading or writing.
    pub streams_broken: u64,
    /// Events that were dropped because nobody read them in time.
    pub events_missed: u64,
    /// Times that the wall clock was set.
    pub clock_steps: u64,
}

/// The counters behind [`IoStats`]. The loop writes, anybody reads.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) sends_blocked: Counter,
    pub(crate) sends_failed: Counter,
    pub(crate) receives_failed: Counter,
    pub(crate) accepts_failed: Counter,
    pub(crate) dials_failed: Counter,
    pub(crate) streams_broken: Counter,
    pub(crate) events_missed: Counter,
    pub(crate) clock_steps: Counter,
}

impl Tally {
    pub(crate) fn read(&self) -> IoStats {
        IoStats {
            sends_blocked: self.sends_blocked.read(),
            sends_failed: self.sends_failed.read(),
            receives_failed: self.receives_failed.read(),
            accepts_failed: self.accepts_failed.read(),
            dials_failed: self.dials_failed.read(),
            streams_broken: self.streams_broken.read(),
            events_missed: self.events_missed.read(),
            clock_steps: self.clock_steps.read(),
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn count(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Relaxed)
    }
}
