//! What goes wrong in a run, each kind drawn from its own stream of luck. (D4)

use std::time::Duration;

use crate::{
    action::{Action, LinkChange, Span, Timed},
    chance::{Chance, Purpose},
    network::HostId,
};

use super::{class::Class, hosts, settings::Settings, work};

/// What one kind contributes to a run. How often kinds take part at all is part of the draw.
pub(super) fn draw(
    class: Class,
    chance: &mut Chance,
    settings: &Settings,
    chaos: Duration,
) -> Vec<Timed> {
    let is_on = chance.hits(share(class));
    let mut draw = Draw { chance, settings, chaos, size: settings.size, drawn: Vec::new() };
    match class {
        Class::Loss => draw.loss(),
        Class::Duplicates => draw.everywhere(|chance, on| LinkChange {
            duplicates: Some(on * share_to(chance, 0.15)),
            ..LinkChange::default()
        }),
        Class::Reordering => draw.everywhere(|chance, on| LinkChange {
            reordered: Some(on * share_to(chance, 0.5)),
            reordered_by: Some(Span(chance.span(SECOND * 5))),
            ..LinkChange::default()
        }),
        Class::Flips => draw.everywhere(|chance, on| LinkChange {
            flipped: Some(on * share_to(chance, 0.1)),
            ..LinkChange::default()
        }),
        Class::Truncation => draw.everywhere(|chance, on| LinkChange {
            truncated: Some(on * share_to(chance, 0.1)),
            ..LinkChange::default()
        }),
        Class::Mtu => draw.everywhere(|chance, on| LinkChange {
            mtu: Some(if on > 0.0 { 300 + chance.below(900) as usize } else { usize::MAX >> 1 }),
            ..LinkChange::default()
        }),
        Class::StreamReset => draw.everywhere(|chance, on| LinkChange {
            stream_resets: Some(on * share_to(chance, 0.5)),
            ..LinkChange::default()
        }),
        Class::StreamStall => draw.everywhere(|chance, on| LinkChange {
            stream_stalls: Some(on * share_to(chance, 0.3)),
            ..LinkChange::default()
        }),
        Class::Replay => draw.windows(|draw, from, until| {
            let share = share_to(draw.chance, 0.5);
            draw.add(from, Action::Replays { share });
            draw.add(until, Action::Replays { share: 0.0 });
        }),
        Class::Latency => draw.latency(),
        Class::Clog => draw.clog(),
        Class::Asymmetry => draw.windows(|draw, from, until| {
            let (some, others) = draw.split();
            draw.add(from, Action::Cut { from: some, to: others });
            draw.add(until, Action::Mend);
        }),
        Class::Firewall => draw.windows(|draw, from, until| {
            let (some, others) = draw.split();
            draw.add(from, Action::CutPackets { from: some, to: others });
            draw.add(until, Action::Mend);
        }),
        Class::Partition => draw.windows(|draw, from, until| {
            for cut in draw.partition() {
                draw.add(from, cut);
            }
            draw.add(until, Action::Mend);
        }),
        Class::Flapping => draw.flapping(),
        Class::Skew => {}
        class if is_work(class) => work::draw(class, &mut draw),
        class => hosts::draw(class, &mut draw),
    }
    if is_on { draw.drawn } else { Vec::new() }
}

/// Whether it is what applications and operators do, and not a fault.
pub(super) const fn is_work(class: Class) -> bool {
    matches!(
        class,
        Class::Broadcasts
            | Class::Updates
            | Class::Messages
            | Class::Leaves
            | Class::Removals
            | Class::Rotation
            | Class::Misuse
            | Class::Skew
    )
}

/// In what share of the runs a kind takes part.
const fn share(class: Class) -> f64 {
    match class {
        Class::Crash | Class::Broadcasts | Class::Updates | Class::Messages => 0.6,
        Class::Loss | Class::Pause | Class::Leaves | Class::Partition => 0.4,
        Class::Conflict => 0.15,
        _ => 0.25,
    }
}

/// What goes wrong for ever on the hosts from `core` to `size`.
pub(super) fn lasting(seed: u64, core: usize, size: usize) -> Vec<Timed> {
    let day = SECOND * 86_400;
    let fault = |host: HostId| {
        let chance = &mut Chance::of(seed, Purpose::Subjects, host as u64);
        let ends = |loss_sent, loss_received| Action::Ends {
            host,
            loss_sent,
            loss_received,
            bandwidth: 0,
            send_queue_max: 0,
        };
        let action = match chance.below(6) {
            0 => ends(0.0, 1.0),
            1 => ends(1.0, 0.0),
            2 => ends(0.5, 0.5),
            3 => Action::Starve {
                host,
                runs: SECOND / 10,
                stands: SECOND * (1 + chance.below(10) as u32),
                span: day,
            },
            4 => Action::Slow { host, cost: SECOND / 20 + chance.span(SECOND) },
            _ => Action::Freeze { host, span: day },
        };
        Timed { at: Duration::ZERO, action }
    };
    (core..size).map(fault).collect()
}

/// One kind of fault in the making.
pub(super) struct Draw<'a> {
    pub(super) chance: &'a mut Chance,
    pub(super) settings: &'a Settings,
    pub(super) chaos: Duration,
    pub(super) size: usize,
    drawn: Vec<Timed>,
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

    /// A change of all links for a while; `on` is 1 at first and 0 in the end.
    fn everywhere(&mut self, mut change: impl FnMut(&mut Chance, f64) -> LinkChange) {
        self.windows(|draw, from, until| {
            let begin = change(draw.chance, 1.0);
            let end = change(draw.chance, 0.0);
            draw.add(from, Action::Links { change: begin });
            draw.add(until, Action::Links { change: end });
        });
    }

    fn loss(&mut self) {
        let lossy = |share| LinkChange { loss: Some(share), ..LinkChange::default() };
        self.everywhere(|chance, on| lossy(on * share_to(chance, 0.3)));
        for _ in 0..self.chance.below(1 + self.size as u64) {
            let (at, from, to) = (self.moment(), self.host(), self.host());
            let change = lossy(share_to(self.chance, 0.3));
            self.add(at, Action::Link { from, to, change });
        }
    }

    fn latency(&mut self) {
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

    fn clog(&mut self) {
        for _ in 0..self.times(5) {
            let (at, from, to) = (self.moment(), self.host(), self.host());
            let span = self.chance.exponential(SECOND * 5).min(SECOND * 60);
            self.add(at, Action::Clog { from, to, span });
        }
    }

    /// Some of the hosts, and the others.
    fn split(&mut self) -> (Vec<HostId>, Vec<HostId>) {
        if self.chance.hits(0.4) {
            let one = self.host();
            let others = (0..self.size).filter(|&host| host != one).collect();
            return if self.chance.hits(0.5) { (vec![one], others) } else { (others, vec![one]) };
        }
        let share = self.chance.unit();
        (0..self.size).partition(|_| self.chance.hits(share))
    }

    /// A partition of some shape.
    fn partition(&mut self) -> Vec<Action> {
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

    fn flapping(&mut self) {
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

/// A share of up to `most`, in thousandths: what is written with few digits is read as it was.
fn share_to(chance: &mut Chance, most: f64) -> f64 {
    chance.below((most * 1_000.0) as u64 + 1) as f64 / 1_000.0
}

pub(super) const SECOND: Duration = Duration::from_secs(1);
