//! L3: false failures where packets are lost and nothing else is wrong. Nobody crashes, so that
//! whoever is declared failed is declared so falsely.

use std::{collections::BTreeMap, time::Duration};

use swim_core::Instant;

use super::{
    outcome::{Bar, Outcome, Row, Run},
    plan::{Experiment, Plan},
    witness::{Log, Witness},
};
use crate::{
    measure::Figure,
    network::{HostId, Latency},
    world::World,
};

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    id: "l3",
    title: "False failures under loss",
    source: "a promise of this project: none at 5 % loss and a latency of a quarter period",
    measures: "false failures and suspicions of 128 healthy members, against loss and latency",
    run,
};

fn run(plan: &Plan) -> Outcome {
    let mut outcome = Outcome::new(EXPERIMENT.id);
    let [held, curve] = [Cell::HELD, Cell::CURVE].map(|hours| plan.choose(hours.0, hours.1));
    outcome.notes.push(format!(
        "{MEMBERS} members, all healthy; each packet is lost with the same chance, and nothing \
         else goes wrong. Latency is one way: of a data centre (lan), drawn between nothing and a \
         quarter of the period for each packet (to P/4), or a quarter for each (P/4). Cells with a \
         bar run for {}, those of the curve for {}{}. A false failure is counted once, however \
         many members hear of it. Seeds {}.",
        hours(held),
        hours(curve),
        if plan.is_quick() { " (24 h and 2 h with --full)" } else { "" },
        plan.said(1, 1)
    ));
    let seeds: Vec<u64> = plan.seeds(1, 1).collect();
    let jobs: Vec<(&Cell, u64)> =
        CELLS.iter().flat_map(|cell| seeds.iter().map(move |&seed| (cell, seed))).collect();
    let length = |cell: &Cell| if cell.is_held { held } else { curve };
    let found = plan.spread(&jobs, |&(cell, seed)| endure((MEMBERS, seed), cell, length(cell)));
    for (cell, found) in CELLS.iter().zip(found.chunks(seeds.len())) {
        let node_hours = MEMBERS as f64 * length(cell).as_secs_f64() / 3_600.0;
        let sum = |of: fn(&Endured) -> u64| {
            Figure::sum(&found.iter().map(|it| of(it) as f64).collect::<Vec<_>>())
        };
        let rate = |of: fn(&Endured) -> u64| {
            Figure::mean(&found.iter().map(|it| of(it) as f64 / node_hours).collect::<Vec<_>>())
        };
        let name = cell.name();
        let row = Row::new(&name, "false failures, sum").shipped(sum(|it| it.failures));
        outcome.rows.push(if cell.is_held { row.bar(Bar::AtMost(0.0)) } else { row });
        outcome.rows.extend([
            Row::new(&name, "false failures of a member, per hour").shipped(rate(|it| it.failures)),
            Row::new(&name, "suspicions at a member, per hour").shipped(rate(|it| it.suspicions)),
        ]);
        outcome.runs.extend(seeds.iter().zip(found).map(|(&seed, it)| Run {
            cell: name.clone(),
            seed,
            metrics: vec![
                ("failures", it.failures as f64),
                ("failure_events", it.events as f64),
                ("suspicions", it.suspicions as f64),
                ("hours", length(cell).as_secs_f64() / 3_600.0),
            ],
        }));
    }
    outcome
}

/// How bad the network is.
struct Cell {
    loss: f64,
    latency: Latency,
    is_held: bool,
}

impl Cell {
    /// So long the cells with a bar run: in the short version and in the whole one.
    const HELD: (Duration, Duration) = (HOUR, Duration::from_secs(24 * 3_600));
    /// The same for the curve.
    const CURVE: (Duration, Duration) = (Duration::from_secs(600), Duration::from_secs(2 * 3_600));

    const fn held(loss: f64, latency: Latency) -> Self {
        Self { loss, latency, is_held: true }
    }

    const fn curve(loss: f64, latency: Latency) -> Self {
        Self { loss, latency, is_held: false }
    }

    fn name(&self) -> String {
        let latency = match self.latency {
            Latency::Fixed(_) => "P/4",
            latency if latency == Latency::LAN => "lan",
            _ => "to P/4",
        };
        format!("loss={} % {latency}", 100.0 * self.loss)
    }
}

/// What a cluster went through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Endured {
    /// Members that were declared failed, each time counted once.
    failures: u64,
    /// The same, counted at everybody who heard of it.
    events: u64,
    /// How often somebody began to suspect somebody, by itself or by hearsay, over all members.
    suspicions: u64,
}

/// So many members with this luck live with it for so long.
fn endure((members, seed): (usize, u64), cell: &Cell, length: Duration) -> Endured {
    let mut world: World = World::acquainted(members, seed, |_, _| {});
    let (witness, log) = Witness::new();
    world.watch(Box::new(witness));
    world.network.link.loss = cell.loss;
    world.network.link.latency = cell.latency;
    world.run(length);
    let log = log.borrow();
    Endured {
        failures: episodes(&log),
        events: log.removals.len() as u64,
        suspicions: log.suspicions,
    }
}

/// Failures of one member that follow each other closely are one, heard by many.
fn episodes(log: &Log) -> u64 {
    let mut last: BTreeMap<HostId, Instant> = BTreeMap::new();
    let mut episodes = 0;
    for removal in &log.removals {
        let before = last.insert(removal.subject, removal.at);
        if before.is_none_or(|before| removal.at.saturating_since(before) > APART) {
            episodes += 1;
        }
    }
    episodes
}

fn hours(span: Duration) -> String {
    let minutes = span.as_secs() / 60;
    if minutes < 60 { format!("{minutes} min") } else { format!("{} h", minutes / 60) }
}

const MEMBERS: usize = 128;
const HOUR: Duration = Duration::from_secs(3_600);

/// News of one failure is everywhere within seconds; a member that was failed and came back is
/// not failed again within them.
const APART: Duration = Duration::from_secs(10);

/// A quarter of the period of the settings for one data centre.
const QUARTER: Duration = Duration::from_millis(250);
const UP_TO_QUARTER: Latency = Latency::Uniform(Duration::ZERO, QUARTER);

const CELLS: [Cell; 11] = [
    Cell::held(0.0, Latency::LAN),
    Cell::held(0.05, Latency::LAN),
    Cell::held(0.0, UP_TO_QUARTER),
    Cell::held(0.05, UP_TO_QUARTER),
    Cell::held(0.05, Latency::Fixed(QUARTER)),
    Cell::curve(0.1, Latency::LAN),
    Cell::curve(0.2, Latency::LAN),
    Cell::curve(0.3, Latency::LAN),
    Cell::curve(0.1, UP_TO_QUARTER),
    Cell::curve(0.2, UP_TO_QUARTER),
    Cell::curve(0.3, UP_TO_QUARTER),
];

#[cfg(test)]
mod tests {
    use super::{super::witness::Mention, *};

    #[test]
    fn a_failure_that_many_hear_of_is_one() {
        let mention = |seconds: u32, observer, subject| Mention {
            at: Instant::from_millis(1_000 * u64::from(seconds)),
            observer,
            subject,
        };
        let removals =
            vec![mention(5, 0, 7), mention(6, 1, 7), mention(7, 1, 8), mention(60, 0, 7)];
        assert_eq!(episodes(&Log { removals, ..Log::default() }), 3);
    }

    #[test]
    fn heavy_loss_is_seen() {
        let cell = Cell::curve(0.9, Latency::LAN);
        let found = endure((16, 1), &cell, Duration::from_secs(120));
        assert!(found.suspicions > 0 && found.failures > 0, "{found:?}");
        assert!(found.events >= found.failures, "{found:?}");
    }
}
