//! What came due. Deadlines are served in order; one that moved meanwhile is not served.

use alloc::vec::Vec;

use super::Node;
use crate::{
    io::{StreamId, Timer},
    member::State,
    sabotage::sabotaged,
    stream::Purpose,
    table::MemberIndex,
};

/// Room that is kept for opening packets, beside that for two of the longest sent: they may be
/// longer from others, or compressed.
const SCRATCH_KEPT: usize = 4 * 1024;

impl Node {
    pub(super) fn on_tick(&mut self) {
        self.give_back();
        while let Some((_, timer, key)) = self.timers.pop_due(self.now) {
            self.on_due(timer, key);
            if sabotaged!(self, LeavesDeadlinesBehind) {
                break;
            }
        }
        if sabotaged!(self, ActsEarly)
            && let Some((_, timer, key)) = self.timers.pop_due(self.now + self.config.probe_timeout)
        {
            self.on_due(timer, key);
        }
    }

    /// Gives back what bursts took. Ticks are seldom enough for that.
    fn give_back(&mut self) {
        self.outbox.ticked();
        let room = SCRATCH_KEPT.max(2 * self.config.packet_len_max);
        self.wire.ticked(room);
        self.claims.ticked();
        if self.streams.is_empty() && self.scratch.capacity() > room {
            self.scratch = Vec::new(); // Whole frames were in it.
        }
    }

    fn on_due(&mut self, timer: Timer, key: u64) {
        match timer {
            Timer::ProbeTimeout => self.on_probe_timeout(),
            Timer::ProbeDeadline => self.on_probe_deadline(),
            Timer::ProbeInterval => {
                self.probe_at = None;
                self.on_probe_due();
            }
            Timer::Suspicion => {
                let index = u32::try_from(key).expect("keys of suspicions are indexes");
                self.on_suspicion_due(MemberIndex::new(index));
            }
            Timer::Relay => self.on_relay_due(key),
            Timer::Ping => self.finish_ping(key, None),
            Timer::Gossip => self.gossip_at = None, // The round goes out when the input settles.
            Timer::Compare => {
                self.repair.compare_at = None;
                self.on_compare_due();
            }
            Timer::PushPull => {
                self.push_pull_at = None;
                self.on_push_pull_due();
            }
            Timer::Stream => self.on_stream_due(StreamId::from_u64(key)),
            Timer::Join => self.on_join_due(key),
            Timer::Leave => self.on_leave_due(),
            Timer::Reap => {
                self.reap_at = None;
                self.on_reap_due();
            }
            Timer::Reconnect => {
                self.reconnect_at = None;
                self.on_reconnect_due();
            }
        }
    }

    /// Exchanges tables with a random member, so that what gossip lost for good is found.
    /// Where pings have shown since the last time that the others know the same, there is nothing
    /// to find, unless the application has something to say. memberlist state.go:
    /// `pushPullTrigger`.
    fn on_push_pull_due(&mut self) {
        let interval =
            self.config.push_pull_interval * crate::math::push_pull_factor(self.table.live());
        self.set_timer(Timer::PushPull, Some(self.now + interval));
        if self.local_state.is_empty() && self.repair.may_spare(self.now - interval) {
            self.stats.exchanges_spared += 1;
            return;
        }
        if sabotaged!(self, NeverRepairs) {
            return;
        }
        let partner = self.probe_ring.sample(&mut self.rng);
        let is_live = |index| self.table.try_get(index).is_some_and(|it| it.state().is_live());
        if let Some(partner) = partner.filter(|&index| is_live(index)) {
            self.dial_member(partner, Purpose::Exchange { seed: None });
        }
    }

    /// Tries one of the dead or of the reaped again, the more often the more of them there are, so
    /// that a cluster that fell apart finds together; each in its turn. Serf: `reconnect`.
    fn on_reconnect_due(&mut self) {
        let at = self.now + self.config.reconnect_interval;
        self.set_timer(Timer::Reconnect, Some(at));
        if sabotaged!(self, NeverReconnects) {
            return;
        }
        let Self { remembered, dead_ring, table, rng, config, .. } = self;
        let is_live = |index: MemberIndex| table.get(index).state().is_live();
        remembered.sift(self.now, config.remember_for, |name, addr| {
            table.find(name.by_ref()).is_some_and(is_live)
                || table.find_addr(addr).is_some_and(is_live)
        });
        let dead = table.counts().dead;
        let gone = dead + remembered.len();
        if gone == 0 || rng.below(table.live()) >= gone {
            return;
        }
        let is_dead = |index| table.try_get(index).is_some_and(|it| it.state() == State::Dead);
        let addr = if rng.below(gone) < dead {
            dead_ring.next(rng, is_dead).map(|index| table.get(index).addr())
        } else {
            remembered.next(rng)
        };
        if let Some(addr) = addr {
            // For whoever is there: it may have come back under another name.
            self.dial(addr, None, Purpose::Exchange { seed: None });
        }
    }
}
