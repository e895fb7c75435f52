//! What goes wrong between hosts in a run.

use std::time::Duration;

use crate::{
    action::{Action, LinkChange, Span},
    chance::Chance,
    network::HostId,
};

use super::draw::{Draw, SECOND, share_to};

impl Draw<'_> {
    /// A change of all links for a while; `on` is 1 at first and 0 in the end.
    pub(super) fn everywhere(&mut self, mut change: impl FnMut(&mut Chance, f64) -> LinkChange) {
        self.windows(|draw, from, until| {
            let begin = change(draw.chance, 1.0);
            let end = change(draw.chance, 0.0);
            draw.add(from, Action::Links { change: begin });
            draw.add(until, Action::Links { change: end });
        });
    }

    pub(super) fn loss(&mut self) {
        let lossy = |share| LinkChange { loss: Some(share), ..LinkChange::default() };
        self.everywhere(|chance, on| lossy(on * share_to(chance, 0.3)));
        for _ in 0..self.chance.below(1 + self.size as u64) {
            let (at, from, to) = (self.moment(), self.host(), self.host());
            let change = lossy(share_to(self.chance, 0.3));
            self.add(at, Action::Link { from, to, change });
        }
    }

    pub(super) fn latency(&mut self) {
        let slow = |chance: &mut Chance, most: Duration| {
            let least = chance.span(most);
            LinkChange {
                latency: Some((Span(least), Span(least + chance.span(most)))),
                ..LinkChange::default()
            }
        };
        let most = self.chance.pick(&[SECOND / 100, SECOND / 20, SECOND / 5]);
        let (at, change) = (self.moment(), slow(self.chance, most));
        self.add(at, Action::Links { change });
        for _ in 0..self.chance.below(1 + self.size as u64) {
            let (at, from, to) = (self.moment(), self.host(), self.host());
            let change = slow(self.chance, SECOND / 2);
            self.add(at, Action::Link { from, to, change });
        }
    }

    pub(super) fn clog(&mut self) {
        for _ in 0..self.times(5) {
            let (at, from, to) = (self.moment(), self.host(), self.host());
            let span = self.chance.exponential(SECOND * 5).min(SECOND * 60);
            self.add(at, Action::Clog { from, to, span });
        }
    }

    /// Some of the hosts, and the others.
    pub(super) fn split(&mut self) -> (Vec<HostId>, Vec<HostId>) {
        if self.chance.hits(0.4) {
            let one = self.host();
            let others = (0..self.size).filter(|&host| host != one).collect();
            return if self.chance.hits(0.5) { (vec![one], others) } else { (others, vec![one]) };
        }
        let share = self.chance.unit();
        (0..self.size).partition(|_| self.chance.hits(share))
    }

    /// A partition of some shape.
    pub(super) fn partition(&mut self) -> Vec<Action> {
        let size = self.size;
        match self.chance.below(4) {
            // Two groups.
            0 => {
                let (some, _) = self.split();
                vec![Action::Partition { groups: vec![some] }]
            }
            // Any number of groups.
            1 => {
                let count = 2 + self.chance.below(size as u64) as usize;
                let mut groups = vec![Vec::new(); count];
                for host in 0..size {
                    groups[self.chance.below(count as u64) as usize].push(host);
                }
                vec![Action::Partition { groups }]
            }
            // One alone.
            2 => vec![Action::Partition { groups: vec![vec![self.host()]] }],
            // A ring: every host reaches the one before and the one after.
            _ => {
                let is_far = |from: HostId, to: HostId| {
                    let gap = (to + size - from) % size;
                    gap > 1 && gap + 1 < size
                };
                let cut = |from| {
                    let to = (0..size).filter(|&to| is_far(from, to)).collect();
                    Action::Cut { from: vec![from], to }
                };
                (0..size).map(cut).collect()
            }
        }
    }

    pub(super) fn flapping(&mut self) {
        let cut = self.partition();
        let (mut at, stable) = (self.moment(), self.chance.span(SECOND * 10) + SECOND / 10);
        for _ in 0..2 + self.chance.below(8) {
            for cut in &cut {
                self.add(at, cut.clone());
            }
            self.add(at + stable, Action::Mend);
            at += stable * 2;
        }
    }
}
