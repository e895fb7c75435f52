//! Leaving: telling distinct peers and waiting until some of them confirm, not until the last
//! retransmission. memberlist memberlist.go: `Leave`, bettered.

use alloc::{collections::BTreeSet, vec::Vec};
use core::{net::SocketAddr, time::Duration};

use super::{Node, Phase, gossip};
use crate::{
    error::LeaveError,
    event::{EventKind, MemberChange},
    io::Timer,
    leave::{CONFIRMATIONS, Leave},
    member::{LeaveReason, State},
    name::Name,
    precedence::Belief,
    relay::Relays,
    sabotage::sabotaged,
    stamp::Stamp,
    table::MemberIndex,
    time::Instant,
    timers::Timers,
    wire::{Ack, Claim, Departure, Message, Ping},
};

impl Node {
    /// Leaves the cluster: tells distinct members, and ends with `LeaveFinished` once three of them
    /// (or all there are) confirmed, or when `timeout` has passed. From then on the node is silent;
    /// in memberlist's dialect it answers pings, with its leave.
    /// [`join`](Self::join) afterwards begins a new life.
    ///
    /// # Errors
    ///
    /// [`LeaveError`]: the node is leaving, or has left.
    pub fn leave(&mut self, now: Instant, timeout: Duration) -> Result<(), LeaveError> {
        self.advance(now);
        match self.phase {
            Phase::Running => {}
            Phase::Leaving => return Err(LeaveError::Leaving),
            Phase::Left => return Err(LeaveError::Left),
        }
        #[cfg(feature = "simulation")]
        self.note(|_| crate::hearsay::Hearsay::Departed);
        self.phase = Phase::Leaving;
        self.stop_timers();
        self.cancel_joins();
        let belief = Belief::new(self.own_stamp(), State::Left);
        self.table.set_reason(MemberIndex::SELF, LeaveReason::Graceful);
        self.table.revise(MemberIndex::SELF, None, belief, self.now);
        self.emit_member(MemberIndex::SELF, MemberChange::Left);
        let deadline = self.now + timeout;
        self.leave = Some(Leave::new(deadline, self.table.others()));
        self.timers.reset(Timer::Leave, 0, None, Some(deadline));
        let source = self.own_word();
        self.queue_claim(MemberIndex::SELF, MemberIndex::SELF, source);
        self.tell_of_leave();
        self.finish_leave_if_done();
        self.settle();
        Ok(())
    }

    /// Time to tell more members, or to give up.
    pub(super) fn on_leave_due(&mut self) {
        let Some(leave) = &mut self.leave else { return };
        if leave.deadline <= self.now && sabotaged!(self, LeavesForEver) {
            leave.deadline = self.now + self.config.probe_interval;
        }
        if leave.deadline <= self.now {
            self.finish_leave();
        } else {
            self.tell_of_leave();
        }
    }

    /// A member confirmed that it heard of our leave.
    pub(super) fn on_leave_acked(&mut self, nonce: u64, by: MemberIndex) -> bool {
        let Some(leave) = &mut self.leave else { return false };
        let is_asked = leave.asked(nonce) == Some(by);
        if is_asked {
            leave.confirmed.insert(by);
            self.finish_leave_if_done();
        }
        is_asked
    }

    /// Tells as many members as one update is sent to: first those not told yet, then those that
    /// did not confirm.
    fn tell_of_leave(&mut self) {
        if sabotaged!(self, LeavesWithoutAWord) {
            return self.nobody_to_tell();
        }
        let Some(mut leave) = self.leave.take() else { return };
        let wave = (self.send_limit() as usize).max(self.config.gossip_nodes).max(CONFIRMATIONS);
        if leave.told.len() >= leave.members {
            leave.told.clone_from(&leave.confirmed);
        }
        let own_name = self.name.clone();
        let departure = graceful(&own_name, self.own_stamp());
        let mut looks = 2 * wave;
        for _ in 0..wave {
            let Some(peer) = self.next_untold(&leave.told, &mut looks) else { break };
            let nonce = self.fresh_nonce();
            leave.ask(nonce, peer, self.table.get(peer).stamp().life);
            self.claims.mark(MemberIndex::SELF, peer);
            let digest = self.digest();
            let ping = Message::Ping(Ping { nonce, digest });
            self.send_to_member(peer, &[ping, Message::Claim(Claim::Left(departure))]);
        }
        let old = leave.wake_at;
        leave.wake_at = leave.deadline.min(self.now + self.config.probe_timeout);
        let old = (old > self.now).then_some(old);
        self.timers.reset(Timer::Leave, 0, old, Some(leave.wake_at));
        self.leave = Some(leave);
    }

    /// Tells somebody that still asks, in so many bytes, that this node has left: a member that
    /// asks for the first time with an ack before it, if both are not longer than the question. Who
    /// does not believe it, because it was told something later, or can't be told in so few bytes,
    /// hears no ack, and comes to hold this node for failed, but not for alive for ever. (X6)
    pub(super) fn tell_of_leave_again(&mut self, from: SocketAddr, nonce: u64, asked_len: usize) {
        let own_name = self.name.clone();
        let left = Message::Claim(Claim::Left(graceful(&own_name, self.own_stamp())));
        let ack = Message::Ack(Ack::bare(nonce));
        let untold = self.peer_at(from, None).filter(|peer| !self.told_of_leave.contains(peer));
        match untold {
            Some(peer) if self.send_to_stranger(from, None, &[ack, left], asked_len) => {
                self.told_of_leave.insert(peer);
            }
            _ => {
                self.send_to_stranger(from, None, &[left], asked_len);
            }
        }
    }

    fn next_untold(
        &mut self,
        told: &BTreeSet<MemberIndex>,
        looks: &mut usize,
    ) -> Option<MemberIndex> {
        while *looks > 0 {
            *looks -= 1;
            let Self { gossip_ring, rng, table, .. } = self;
            let peer = gossip_ring.next(rng, |index| gossip::belongs(table, index))?;
            if !told.contains(&peer) {
                return Some(peer);
            }
        }
        None
    }

    fn finish_leave_if_done(&mut self) {
        if self.leave.as_ref().is_some_and(Leave::is_done) {
            self.finish_leave();
        }
    }

    /// The node falls silent.
    fn finish_leave(&mut self) {
        let Some(leave) = self.leave.take() else { return };
        self.phase = Phase::Left;
        self.timers = Timers::default();
        self.gossip_at = None;
        self.reap_at = None;
        self.suspicions.clear();
        self.relays = Relays::default();
        self.nobody_to_tell();
        self.end_all_streams();
        let pings: Vec<u64> = self.pings.keys().copied().collect();
        pings.into_iter().for_each(|nonce| self.finish_ping(nonce, None));
        self.urgency.drop();
        self.emit(EventKind::LeaveFinished {
            confirmed: leave.confirmed.len(),
            told: leave.told.len().max(leave.confirmed.len()),
            members: leave.members,
        });
    }

    /// Stops what only a member does.
    fn stop_timers(&mut self) {
        self.cancel_probe();
        for timer in [Timer::ProbeInterval, Timer::PushPull, Timer::Reconnect] {
            self.set_timer(timer, None);
        }
    }

    /// Begins a new life after a leave.
    pub(super) fn come_back(&mut self) {
        #[cfg(feature = "simulation")]
        self.note(|_| crate::hearsay::Hearsay::Returned);
        let own = self.own_stamp();
        let stamp = if self.config.dialect.is_native() {
            let life = own.next_life().life.0.max(self.unix_millis().unwrap_or(0));
            Stamp::first(crate::stamp::Life(life))
        } else {
            self.stamp_above(own)
        };
        self.phase = Phase::Running;
        self.told_of_leave.clear();
        // Nobody took note of what came meanwhile. (X4)
        self.wire.begin_life(stamp.life);
        self.take_stamp(stamp, None);
        self.start();
        self.reconsider();
        self.schedule_reaping();
    }
}

fn graceful(name: &Name, stamp: Stamp) -> Departure<'_> {
    Departure { name: name.by_ref(), stamp, reason: LeaveReason::Graceful }
}
