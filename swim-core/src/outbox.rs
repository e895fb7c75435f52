//! What waits to go out, in order; the one timer; and how often refused input is reported.

use alloc::collections::VecDeque;
use core::time::Duration;

use crate::{
    event::{Event, EventKind},
    heap,
    io::{Output, Timer},
    reject::Reject,
    time::Instant,
};

/// Input refused for one reason is reported at most this often; it is always counted.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// Room that an empty queue keeps; a merge of a large table needs much more for a moment.
const IDLE_CAPACITY: usize = 64;

/// Room that it keeps over a tick: what a tick of a quiet node puts in.
const QUIET_CAPACITY: usize = 8;

/// The queue of outputs.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    queue: VecDeque<Output<Event>>,
    scheduled: Option<Instant>,
    next_seq: u64,
}

impl Outbox {
    /// What so many outputs take on the heap at most, but for the bytes and the members in them.
    pub(crate) const fn heap_max(outputs: u64) -> u64 {
        heap::vec(outputs, size_of::<Output<Event>>())
    }

    pub(crate) fn push(&mut self, output: Output<Event>) {
        self.queue.push_back(output);
    }

    /// Takes the next output. `is_calm` says that nothing big is under way: then a queue that is
    /// empty gives its room back, which a merge would only have to ask for again with every frame.
    pub(crate) fn pop(&mut self, is_calm: bool) -> Option<Output<Event>> {
        let output = self.queue.pop_front();
        if is_calm && self.queue.is_empty() && self.queue.capacity() > IDLE_CAPACITY {
            self.queue.shrink_to(IDLE_CAPACITY);
        }
        output
    }

    pub(crate) fn event(&mut self, at: Instant, kind: EventKind) {
        let seq = self.next_seq;
        self.next_seq += 1;
        self.push(Output::Event(Event { seq, at, kind }));
    }

    /// The number that the next event will have.
    pub(crate) const fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Asks for a tick at the next deadline, unless that was asked for already.
    pub(crate) fn schedule(&mut self, next: Option<(Instant, Timer)>) {
        let Some((at, why)) = next else { return };
        if self.scheduled != Some(at) {
            self.scheduled = Some(at);
            self.push(Output::ScheduleTimer { at, why });
        }
    }

    /// A tick came: whatever was asked for is used up. Ticks are seldom enough to give back what
    /// packets may have needed since the last one.
    pub(crate) fn ticked(&mut self) {
        self.scheduled = None;
        if self.queue.is_empty() && self.queue.capacity() > QUIET_CAPACITY {
            self.queue.shrink_to(QUIET_CAPACITY);
        }
    }
}

/// Per reason for refusing input: when it was last reported, and how often it came since.
#[derive(Debug)]
pub(crate) struct Reports {
    last: [Option<Instant>; Reject::COUNT],
    unreported: [u64; Reject::COUNT],
}

impl Default for Reports {
    fn default() -> Self {
        Self { last: [None; Reject::COUNT], unreported: [0; Reject::COUNT] }
    }
}

impl Reports {
    /// Counts one more; returns how many there were if it is time to report them.
    pub(crate) fn count(&mut self, reject: Reject, now: Instant) -> Option<u64> {
        let kind = reject.index();
        self.unreported[kind] += 1;
        if self.last[kind].is_some_and(|last| last + REPORT_INTERVAL > now) {
            return None;
        }
        self.last[kind] = Some(now);
        Some(core::mem::take(&mut self.unreported[kind]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x2_refused_input_is_reported_at_first_and_then_now_and_then() {
        let mut reports = Reports::default();
        let at = Instant::from_millis;
        assert_eq!(reports.count(Reject::Label, at(0)), Some(1));
        assert_eq!(reports.count(Reject::Decrypt, at(1)), Some(1), "each reason by itself");
        for millis in 1..10_000 {
            assert_eq!(reports.count(Reject::Label, at(millis)), None);
        }
        assert_eq!(reports.count(Reject::Label, at(10_000)), Some(10_000));
    }

    #[test]
    fn m2_room_is_given_back_once_it_is_calm_and_not_before() {
        let mut outbox = Outbox::default();
        let mut capacity_after = |is_calm| {
            for millis in 0..1_000 {
                outbox.push(Output::ScheduleTimer {
                    at: Instant::from_millis(millis),
                    why: Timer::Gossip,
                });
            }
            while outbox.pop(is_calm).is_some() {}
            outbox.queue.capacity()
        };
        assert!(capacity_after(false) >= 1_000);
        assert!(capacity_after(true) <= IDLE_CAPACITY);
        outbox.ticked();
        assert!(outbox.queue.capacity() <= QUIET_CAPACITY);
    }

    #[test]
    fn the_timer_is_scheduled_only_when_it_moved() {
        let mut outbox = Outbox::default();
        let (early, late) = (Instant::from_millis(1), Instant::from_millis(2));
        let mut scheduled = |next| {
            outbox.schedule(next);
            outbox.pop(true).is_some()
        };
        assert!(scheduled(Some((late, Timer::Reap))));
        assert!(!scheduled(Some((late, Timer::Gossip))));
        assert!(scheduled(Some((early, Timer::Gossip))));
        assert!(!scheduled(None), "nothing scheduled is an absence");
        outbox.ticked();
        outbox.schedule(Some((early, Timer::Gossip)));
        assert!(outbox.pop(true).is_some(), "a tick uses the timer up");
    }
}
