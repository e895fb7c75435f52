//! Telling the application, and setting the node's own timers.

use alloc::sync::Arc;
use core::net::SocketAddr;

use super::Node;
use crate::{
    event::{EventKind, MemberChange},
    io::Timer,
    reject::Reject,
    sabotage::sabotaged,
    table::MemberIndex,
    time::Instant,
};

impl Node {
    /// Counts refused input, and reports it now and then.
    pub(super) fn reject(&mut self, reject: Reject, from: SocketAddr) {
        self.stats.rejects[reject.index()] += 1;
        if let Some(count) = self.reports.count(reject, self.now) {
            self.emit(EventKind::Rejected { reject, from, count });
        }
    }

    /// Says so when the key that seals was used too often. (O5)
    pub(super) fn watch_key(&mut self) {
        let members = self.table.counts().live() as u64;
        if let Some((key, sealed)) = self.wire.passes_seal_limit(members) {
            self.emit(EventKind::KeyWorn { key, sealed });
        }
    }

    /// Moves one of the node's own timers, of which there is one each.
    pub(super) fn set_timer(&mut self, timer: Timer, at: Option<Instant>) {
        let slot = match timer {
            Timer::ProbeInterval => &mut self.probe_at,
            Timer::Gossip => &mut self.gossip_at,
            Timer::Compare => &mut self.repair.compare_at,
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
        let member = Arc::new(self.table.get(index).member());
        self.emit(EventKind::Member { change, member });
    }

    /// Changes the node's own health score.
    pub(super) fn change_health(&mut self, delta: i32) {
        let delta = if sabotaged!(self, OverdoesItsHealth) { 2 * delta } else { delta };
        #[cfg(feature = "sabotage")]
        self.pass_the_worst_health();
        if let Some(score) = self.health.apply(delta) {
            self.emit(EventKind::Health { score });
        }
    }
}
