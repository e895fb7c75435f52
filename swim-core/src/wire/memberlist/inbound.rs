//! What the streams of a node may hold of messages that are not handed on yet: each only so much,
//! and all of them together. (M1)

use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::limits::INBOUND_MAX;
use crate::reject::Reject;

/// The bounds on what comes in on streams.
#[derive(Debug)]
pub(crate) struct Inbound {
    /// The most bytes of application state in a table.
    pub(crate) state_len_max: usize,
    /// The most bytes of a reliable message.
    pub(crate) message_len_max: usize,
    total: Arc<AtomicUsize>,
}

impl Inbound {
    pub(crate) fn new(state_len_max: usize, message_len_max: usize) -> Self {
        Self { state_len_max, message_len_max, total: Arc::default() }
    }
}

/// What one stream holds of the total; given back when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Share {
    total: Option<Arc<AtomicUsize>>,
    held: usize,
}

impl Share {
    /// Holds so many bytes from now on, and no longer what was held before.
    pub(crate) fn hold(&mut self, inbound: &Inbound, len: usize) -> Result<(), Reject> {
        let total = self.total.get_or_insert_with(|| inbound.total.clone());
        total.fetch_sub(self.held, Ordering::Relaxed);
        self.held = 0;
        // A node has one thread at a time: nobody comes in between.
        if total.load(Ordering::Relaxed) + len > INBOUND_MAX {
            return Err(Reject::Oversize);
        }
        total.fetch_add(len, Ordering::Relaxed);
        self.held = len;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if let Some(total) = &self.total {
            total.fetch_sub(self.held, Ordering::Relaxed);
        }
    }
}
