//! What waits to go out, in order, and the rate-limited reports of refused input.

use alloc::collections::VecDeque;
use core::{net::SocketAddr, time::Duration};

use super::Node;
use crate::{
    event::{Event, EventKind, MemberChange},
    io::{Output, Timer},
    reject::Reject,
    table::MemberIndex,
    time::Instant,
};

/// Input refused for one reason is reported at most this often; it is always counted.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// The queue of outputs.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    queue: VecDeque<Output<Event>>,
    scheduled: Option<Instant>,
    next_seq: u64,
}

impl Outbox {
    pub(super) fn push(&mut self, output: Output<Event>) {
        self.queue.push_back(output);
    }

    pub(super) fn pop(&mut self) -> Option<Output<Event>> {
        self.queue.pop_front()
    }

    pub(super) fn event(&mut self, at: Instant, kind: EventKind) {
        let seq = self.next_seq;
        self.next_seq += 1;
        self.push(Output::Event(Event { seq, at, kind }));
    }

    /// Asks for a tick at the next deadline, unless that was asked for already.
    pub(super) fn schedule(&mut self, next: Option<(Instant, Timer)>) {
        let Some((at, why)) = next else { return };
        if self.scheduled != Some(at) {
            self.scheduled = Some(at);
            self.push(Output::ScheduleTimer { at, why });
        }
    }

    /// A tick came: whatever was asked for is used up.
    pub(super) fn ticked(&mut self) {
        self.scheduled = None;
    }
}

/// Per reason: when it was last reported, and how often it came since.
#[derive(Debug)]
pub(super) struct Reports {
    last: [Option<Instant>; Reject::COUNT],
    unreported: [u64; Reject::COUNT],
}

impl Default for Reports {
    fn default() -> Self {
        Self { last: [None; Reject::COUNT], unreported: [0; Reject::COUNT] }
    }
}

impl Node {
    /// Counts refused input, and reports it now and then.
    pub(super) fn reject(&mut self, reject: Reject, from: SocketAddr) {
        let kind = reject.index();
        self.stats.rejects[kind] += 1;
        self.reports.unreported[kind] += 1;
        if self.reports.last[kind].is_some_and(|last| last + REPORT_INTERVAL > self.now) {
            return;
        }
        self.reports.last[kind] = Some(self.now);
        let count = core::mem::take(&mut self.reports.unreported[kind]);
        self.emit(EventKind::Rejected { reject, from, count });
    }

    /// Moves one of the node's own timers, of which there is one each.
    pub(super) fn set_timer(&mut self, timer: Timer, at: Option<Instant>) {
        let slot = match timer {
            Timer::ProbeInterval => &mut self.probe_at,
            Timer::Gossip => &mut self.gossip_at,
            Timer::PushPull => &mut self.push_pull_at,
            Timer::Reconnect => &mut self.reconnect_at,
            Timer::Reap => &mut self.reap_at,
            Timer::ProbeTimeout
            | Timer::ProbeDeadline
            | Timer::Suspicion
            | Timer::Relay
            | Timer::Ping
            | Timer::Stream
            | Timer::Join
            | Timer::Leave => unreachable!("these are kept with what they belong to"),
        };
        let old = core::mem::replace(slot, at);
        self.timers.reset(timer, 0, old, at);
    }

    /// Reports a change of a member, with the member as it is now.
    pub(super) fn emit_member(&mut self, index: MemberIndex, change: MemberChange) {
        let member = self.table.get(index).member();
        self.emit(EventKind::Member { change, member });
    }

    /// Changes the node's own health score.
    pub(super) fn change_health(&mut self, delta: i32) {
        if let Some(score) = self.health.apply(delta) {
            self.emit(EventKind::Health { score });
        }
    }
}
