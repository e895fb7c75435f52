//! Joining: seeds are tried in parallel, each has its outcome, and the whole has a deadline.
//! memberlist memberlist.go: `Join`, bettered.

use alloc::vec::Vec;
use core::{net::SocketAddr, time::Duration};

use super::{Node, Phase};
use crate::{
    error::JoinError,
    event::{EventKind, JoinId, SeedOutcome},
    io::{StreamId, Timer},
    limits::{JOINS_MAX, SEEDS_MAX, SEEDS_PARALLEL},
    stream::Purpose,
    table::MemberIndex,
    time::Instant,
};

/// A join under way.
#[derive(Debug)]
pub(super) struct Join {
    deadline: Instant,
    seeds: Vec<Seed>,
    next: usize,
    active: usize,
}

#[derive(Debug)]
struct Seed {
    addr: SocketAddr,
    stream: Option<StreamId>,
    outcome: Option<SeedOutcome>,
}

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
        let mut distinct: Vec<Seed> = Vec::with_capacity(seeds.len());
        for &addr in seeds {
            if !distinct.iter().any(|seed| seed.addr == addr) {
                distinct.push(Seed { addr, stream: None, outcome: None });
            }
        }
        let id = self.fresh_id();
        let deadline = self.now + timeout;
        self.timers.reset(Timer::Join, id, None, Some(deadline));
        self.joins.insert(id, Join { deadline, seeds: distinct, next: 0, active: 0 });
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

    /// A join's time is up.
    pub(super) fn on_join_due(&mut self, id: u64) {
        self.end_join(id, &SeedOutcome::TimedOut);
    }

    /// A seed's exchange is over.
    pub(super) fn on_seed_done(&mut self, id: u64, seed: usize, outcome: SeedOutcome) {
        let Some(join) = self.joins.get_mut(&id) else { return };
        join.active -= 1;
        join.seeds[seed].stream = None;
        if outcome.is_joined() {
            // Those we just got to know shall get to know us, not only the seed.
            let source = self.own_word();
            self.queue_claim(MemberIndex::SELF, MemberIndex::SELF, source);
        }
        self.set_outcome(id, seed, outcome);
        self.advance_join(id);
    }

    fn advance_join(&mut self, id: u64) {
        while let Some(join) = self.joins.get_mut(&id)
            && join.active < SEEDS_PARALLEL
            && join.next < join.seeds.len()
        {
            let seed = join.next;
            join.next += 1;
            let addr = join.seeds[seed].addr;
            if addr == self.config.addr {
                self.set_outcome(id, seed, SeedOutcome::Myself);
                continue;
            }
            join.active += 1;
            match self.dial(addr, Purpose::Exchange { seed: Some((id, seed)) }) {
                Some(stream) => {
                    if let Some(join) = self.joins.get_mut(&id) {
                        join.seeds[seed].stream = Some(stream);
                    }
                }
                None => self.on_seed_done(id, seed, SeedOutcome::Unreachable),
            }
        }
        let is_over = |join: &Join| join.seeds.iter().all(|seed| seed.outcome.is_some());
        if self.joins.get(&id).is_some_and(is_over) {
            self.finish_join(id);
        }
    }

    /// Ends what is unfinished with this outcome.
    fn end_join(&mut self, id: u64, outcome: &SeedOutcome) {
        let Some(join) = self.joins.get(&id) else { return };
        let open = |seed: &usize| join.seeds[*seed].outcome.is_none();
        let open: Vec<usize> = (0..join.seeds.len()).filter(open).collect();
        for seed in open {
            let stream = self.joins.get_mut(&id).and_then(|join| join.seeds[seed].stream.take());
            if let Some(stream) = stream {
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
        self.timers.reset(Timer::Join, id, Some(join.deadline), None);
        let outcome = |seed: Seed| Some((seed.addr, seed.outcome?));
        let seeds = join.seeds.into_iter().filter_map(outcome).collect();
        self.emit(EventKind::JoinFinished { join: JoinId(id), seeds });
    }
}
