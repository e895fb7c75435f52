//! What happened, kept for reports.

use swim_core::{Event, EventKind, Instant};

use crate::network::HostId;

/// What nodes told their applications, in order.
#[derive(Clone, Debug, Default)]
pub struct History {
    entries: Vec<Entry>,
    /// How many more were not kept because there was no room.
    pub dropped: u64,
}

/// One thing that a node told its application.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When, by the world's time.
    pub at: Instant,
    /// Where.
    pub host: HostId,
    /// What.
    pub event: Event,
}

impl Entry {
    /// Who broadcast what, if this is a broadcast that arrived. In memberlist's dialect those are
    /// words of their issuer like any other, and come more than once.
    pub(crate) fn broadcast(&self) -> Option<(&str, &[u8])> {
        match &self.event.kind {
            EventKind::Broadcast { origin, payload, .. } => Some((origin, payload)),
            EventKind::Message { from, payload, reliable: false, .. } => Some((from, payload)),
            _ => None,
        }
    }
}

impl History {
    /// All that was kept, in order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(crate) fn record(&mut self, at: Instant, host: HostId, event: &Event) {
        if self.entries.len() < ENTRIES_MAX {
            self.entries.push(Entry { at, host, event: event.clone() });
        } else {
            self.dropped += 1;
        }
    }
}

/// A gigabyte or so: more than any report shows.
const ENTRIES_MAX: usize = 4_000_000;
