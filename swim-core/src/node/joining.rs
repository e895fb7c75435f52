//! Joining: seeds are tried in parallel, each has its outcome, and the whole has a deadline.
//! memberlist memberlist.go: `Join`, bettered.

use alloc::{collections::BTreeMap, format, string::String};
use core::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use super::{Node, Phase};
use crate::{
    error::JoinError,
    event::{EventKind, JoinId, SeedOutcome},
    io::Timer,
    join::{Join, Seed},
    limits::{JOINS_MAX, SEEDS_MAX, SEEDS_PARALLEL},
    sabotage::sabotaged,
    stream::Purpose,
    table::MemberIndex,
    time::Instant,
};

impl Node {
    /// Joins the cluster that the seeds belong to: exchanges tables with each of them, several at a
    /// time. Each seed's outcome is an event, and `JoinFinished` ends the join, after `timeout` at
    /// the latest. A seed that joined knows us, and we know every member it knew. After a leave, a
    /// join begins a new life.
    ///
    /// # Errors
    ///
    /// [`JoinError`]: no or too many seeds or joins, or the node is leaving.
    pub fn join(
        &mut self,
        now: Instant,
        seeds: &[SocketAddr],
        timeout: Duration,
    ) -> Result<JoinId, JoinError> {
        self.advance(now);
        if seeds.is_empty() {
            return Err(JoinError::NoSeeds);
        }
        if seeds.len() > SEEDS_MAX {
            return Err(JoinError::TooManySeeds { len: seeds.len(), max: SEEDS_MAX });
        }
        if self.joins.len() >= JOINS_MAX {
            return Err(JoinError::TooManyJoins);
        }
        match self.phase {
            Phase::Running => {}
            Phase::Leaving => return Err(JoinError::Leaving),
            Phase::Left => self.come_back(),
        }
        let id = self.fresh_id();
        let deadline = self.now + timeout;
        self.timers.reset(Timer::Join, id, None, Some(deadline));
        self.joins.insert(id, Join::new(seeds, deadline, self.now));
        self.advance_join(id);
        self.settle();
        Ok(JoinId(id))
    }

    /// Gives a join up. Seeds that joined already stay joined; `JoinFinished` tells the rest.
    pub fn cancel_join(&mut self, now: Instant, join: JoinId) {
        self.advance(now);
        self.end_join(join.0, &SeedOutcome::Cancelled);
        self.settle();
    }

    pub(super) fn cancel_joins(&mut self) {
        while let Some((&id, _)) = self.joins.first_key_value() {
            self.end_join(id, &SeedOutcome::Cancelled);
        }
    }

    /// A join's time is up, or a seed is to be tried again.
    pub(super) fn on_join_due(&mut self, id: u64) {
        let Some(join) = self.joins.get_mut(&id) else { return };
        if join.deadline <= self.now && sabotaged!(self, JoinsForEver) {
            join.deadline = self.now + self.config.probe_interval;
        }
        if join.deadline <= self.now && sabotaged!(self, ForgetsItsJoins) {
            self.joins.remove(&id);
            return;
        }
        if join.deadline <= self.now {
            return self.end_join(id, &SeedOutcome::TimedOut);
        }
        join.wake_at = join.deadline;
        self.timers.reset(Timer::Join, id, None, Some(join.deadline));
        self.advance_join(id);
    }

    /// A seed's exchange is over.
    pub(super) fn on_seed_done(&mut self, id: u64, seed: usize, outcome: SeedOutcome) {
        if outcome.is_joined() {
            // Those we just got to know shall get to know us, not only the seed.
            let source = self.own_word();
            self.queue_claim(MemberIndex::SELF, MemberIndex::SELF, source);
        }
        let (own, stretch) = (self.own_stamp(), self.rng.below(256) as u32);
        let comes_again = self.joins.get_mut(&id).is_some_and(|join| match outcome {
            SeedOutcome::Joined { .. } => join.repeat(seed, own, self.now),
            SeedOutcome::Closed => join.put_off(seed, self.now, stretch),
            _ => false,
        });
        if !comes_again {
            self.set_outcome(id, seed, outcome);
        }
        self.advance_join(id);
    }

    /// A seed keeps our name for a while for a member that has left, which takes it a few of its
    /// probe intervals. Returns whether it is asked again, which it is not where the join is over
    /// before.
    pub(super) fn comes_again_later(&mut self, purpose: &Purpose) -> bool {
        let Purpose::Exchange { seed: Some((id, seed)) } = *purpose else { return false };
        let at = self.now + self.config.probe_interval;
        let comes_again = self.joins.get_mut(&id).is_some_and(|join| join.wait(seed, at));
        if comes_again {
            self.stats.exchanges_failed += 1;
            self.advance_join(id);
        }
        comes_again
    }

    fn advance_join(&mut self, id: u64) {
        let own = self.own_stamp();
        while let Some(join) = self.joins.get_mut(&id)
            && let Some((seed, addr)) = join.begin_next(SEEDS_PARALLEL, own, self.now)
        {
            if addr == self.config.addr {
                self.set_outcome(id, seed, SeedOutcome::Myself);
                continue;
            }
            if let Some(reason) = self.why_not_dialed(addr) {
                self.set_outcome(id, seed, SeedOutcome::Refused { reason });
                continue;
            }
            let stream = self.dial(addr, None, Purpose::Exchange { seed: Some((id, seed)) });
            match (stream, self.joins.get_mut(&id)) {
                (Some(stream), Some(join)) => join.set_stream(seed, stream),
                (None, _) | (_, None) => self.set_outcome(id, seed, SeedOutcome::Unreachable),
            }
        }
        let Some(join) = self.joins.get_mut(&id) else { return };
        if join.is_over() {
            return self.finish_join(id);
        }
        let (old, new) = (join.wake_at, join.next_wake(SEEDS_PARALLEL));
        join.wake_at = new;
        self.timers.reset(Timer::Join, id, Some(old), Some(new));
    }

    /// Why nobody can be at this address who may be a member, if that is so. (X19)
    fn why_not_dialed(&self, addr: SocketAddr) -> Option<String> {
        let ip = addr.ip();
        let is_broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
        let is_usable = !ip.is_unspecified() && !ip.is_multicast() && !is_broadcast;
        if !is_usable || addr.port() == 0 {
            return Some("nobody can be reached at this address".into());
        }
        if !self.is_allowed(ip) {
            return Some("this address is not on the list of allowed ones".into());
        }
        let own = self.config.addr;
        let problem = "this address is that of the machine itself, and others reach this node at";
        (!self.is_within_reach(ip))
            .then(|| format!("{problem} {own}: name the address of a member"))
    }

    /// Whether the allow list has this address.
    pub(super) fn is_allowed(&self, ip: IpAddr) -> bool {
        self.config.allow.as_ref().is_none_or(|list| list.allows(ip))
    }

    /// Whether members could be at this address: behind a loopback address there is something else
    /// on each machine, unless all members are on this one.
    pub(super) fn is_within_reach(&self, ip: IpAddr) -> bool {
        let is_loopback = |ip: IpAddr| ip.to_canonical().is_loopback();
        !is_loopback(ip) || is_loopback(self.config.addr.ip())
    }

    /// Ends what is unfinished with this outcome.
    fn end_join(&mut self, id: u64, outcome: &SeedOutcome) {
        let seeds = self.joins.get(&id).map_or(0, |join| join.seeds.len());
        for seed in 0..seeds {
            let Some(join) = self.joins.get_mut(&id) else { return };
            if join.seeds[seed].outcome.is_some() {
                continue;
            }
            if let Some(stream) = join.take_stream(seed) {
                self.abort_stream(stream);
            }
            self.set_outcome(id, seed, outcome.clone());
        }
        self.finish_join(id);
    }

    fn set_outcome(&mut self, id: u64, seed: usize, outcome: SeedOutcome) {
        let Some(join) = self.joins.get_mut(&id) else { return };
        join.seeds[seed].outcome = Some(outcome.clone());
        let seed = join.seeds[seed].addr;
        self.emit(EventKind::Seed { join: JoinId(id), seed, outcome });
    }

    fn finish_join(&mut self, id: u64) {
        let Some(join) = self.joins.remove(&id) else { return };
        if self.joins.is_empty() {
            self.joins = BTreeMap::new(); // One that was emptied keeps a node of its tree.
        }
        self.timers.reset(Timer::Join, id, Some(join.wake_at), None);
        let outcome = |seed: Seed| Some((seed.addr, seed.outcome?));
        let seeds = join.seeds.into_iter().filter_map(outcome).collect();
        self.emit(EventKind::JoinFinished { join: JoinId(id), seeds });
    }
}
