//! What the streams of a node may hold of messages that are not handed on yet: each only so much,
//! and all of them together. (M1)

use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::limits::{INBOUND_MAX, INCOMING_MAX};
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

/// What one stream holds of the total, and of what its source may; given back when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Share {
    total: Option<Arc<AtomicUsize>>,
    /// What all streams of the same source hold.
    source: Arc<AtomicUsize>,
    held: usize,
}

impl Share {
    /// The share of another stream of the same source.
    pub(crate) fn beside(&self) -> Self {
        Self { total: None, source: self.source.clone(), held: 0 }
    }

    /// Holds so many bytes from now on, and no longer what was held before. What was asked for may
    /// take all there is; what others begin leaves room for one such answer, and no more of it
    /// comes from one source than the longest message has. (M1)
    pub(crate) fn hold(
        &mut self,
        inbound: &Inbound,
        len: usize,
        is_asked_for: bool,
    ) -> Result<(), Reject> {
        self.give_back();
        let total = self.total.get_or_insert_with(|| inbound.total.clone());
        let max = if is_asked_for { INBOUND_MAX } else { INBOUND_MAX - INCOMING_MAX };
        // A node has one thread at a time: nobody comes in between.
        if total.load(Ordering::Relaxed) + len > max
            || self.source.load(Ordering::Relaxed) + len > INCOMING_MAX
        {
            return Err(Reject::Oversize);
        }
        total.fetch_add(len, Ordering::Relaxed);
        self.source.fetch_add(len, Ordering::Relaxed);
        self.held = len;
        Ok(())
    }

    fn give_back(&mut self) {
        if let Some(total) = &self.total {
            total.fetch_sub(self.held, Ordering::Relaxed);
            self.source.fetch_sub(self.held, Ordering::Relaxed);
            self.held = 0;
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.give_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: Result<(), Reject> = Err(Reject::Oversize);

    #[test]
    fn m1_one_source_holds_the_longest_message_and_no_more() {
        let inbound = Inbound::new(0, 0);
        let mut first = Share::default();
        assert_eq!(first.hold(&inbound, INCOMING_MAX + 1, false), FULL);
        assert_eq!(first.hold(&inbound, INCOMING_MAX, false), Ok(()));
        assert_eq!(first.hold(&inbound, 10, false), Ok(()), "instead of what it held");
        let mut second = first.beside();
        assert_eq!(second.hold(&inbound, INCOMING_MAX - 9, false), FULL);
        assert_eq!(second.hold(&inbound, INCOMING_MAX - 10, false), Ok(()));
    }

    #[test]
    fn m1_all_sources_leave_room_for_one_answer_which_may_fill_it() {
        let inbound = Inbound::new(0, 0);
        let for_others = INBOUND_MAX - INCOMING_MAX;
        let lens = [INCOMING_MAX, INCOMING_MAX, for_others - 2 * INCOMING_MAX];
        let mut others = lens.map(|_| Share::default());
        for (share, len) in others.iter_mut().zip(lens) {
            assert_eq!(share.hold(&inbound, len, false), Ok(()));
        }
        let (mut last, mut asked_for) = (Share::default(), Share::default());
        assert_eq!(last.hold(&inbound, 1, false), FULL);
        assert_eq!(asked_for.hold(&inbound, INCOMING_MAX, true), Ok(()));
        assert_eq!(last.hold(&inbound, 1, true), FULL);
        drop(asked_for);
        assert_eq!(last.hold(&inbound, 1, true), Ok(()), "what is dropped holds nothing");
    }
}
