//! One kind of fault in the making, and what all kinds draw alike.

use std::time::Duration;

use crate::{
    action::{Action, Timed},
    chance::Chance,
    network::HostId,
};

use super::settings::Settings;

/// One kind of fault in the making.
pub(super) struct Draw<'a> {
    pub(super) chance: &'a mut Chance,
    pub(super) settings: &'a Settings,
    pub(super) chaos: Duration,
    pub(super) size: usize,
    pub(super) drawn: Vec<Timed>,
}

impl Draw<'_> {
    /// Adds something, unless the run is over by then.
    pub(super) fn add(&mut self, at: Duration, action: Action) {
        if at < self.chaos {
            self.drawn.push(Timed { at, action });
        }
    }

    /// Some time of the run.
    pub(super) fn moment(&mut self) -> Duration {
        self.chance.span(self.chaos)
    }

    /// Some host of the cluster.
    pub(super) fn host(&mut self) -> HostId {
        self.chance.below(self.size as u64) as HostId
    }

    /// About one thing in so many seconds of the run, and at least one.
    pub(super) fn times(&mut self, every: u64) -> u64 {
        1 + self.chance.below(1 + self.chaos.as_secs() * 2 / every)
    }

    /// A few spans of the run in which something is so.
    pub(super) fn windows(&mut self, mut act: impl FnMut(&mut Self, Duration, Duration)) {
        for _ in 0..1 + self.chance.below(3) {
            let from = self.moment();
            let until = from + self.chance.span(self.chaos / 2);
            act(self, from, until);
        }
    }
}

/// A share of up to `most`, in thousandths: what is written with few digits is read as it was.
pub(super) fn share_to(chance: &mut Chance, most: f64) -> f64 {
    chance.below((most * 1_000.0) as u64 + 1) as f64 / 1_000.0
}

pub(super) const SECOND: Duration = Duration::from_secs(1);
