//! MF1: a large part of a large cluster fails at once.

use super::{
    outcome::{Bar, Outcome, Row, Run},
    plan::{Experiment, Plan},
    trial::Trial,
};
use crate::measure::Figure;

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    id: "mf1",
    title: "Mass failure among 2,000",
    source: "Valkey 9 at 2,000 nodes (2025)",
    measures: "seconds from the first suspicion until all survivors agree, and what is sent to the \
               dead",
    run,
};

fn run(plan: &Plan) -> Outcome {
    let mut outcome = Outcome::new(EXPERIMENT.id);
    outcome.notes.push(
        "A share of 2,000 members crashes at once. Published: Valkey 9 with a node timeout of 15 \
         s, failover included. A suspicion lasts 4 log10(2,000) = 13.2 s at least.\n\
         To the dead: packets to them and streams dialed, for each survivor and second, against \
         the packets of an idle member; until all agree, and in the minute after."
            .into(),
    );
    let seeds: Vec<u64> = plan.seeds(1, 20).collect();
    let jobs: Vec<(usize, u64)> =
        SHARES.iter().flat_map(|&(dead, ..)| seeds.iter().map(move |&seed| (dead, seed))).collect();
    let found = plan.spread(&jobs, |&(dead, seed)| fail(MEMBERS, dead, seed));
    for ((_, cell, published, bar), found) in SHARES.into_iter().zip(found.chunks(seeds.len())) {
        let of = |of: fn(&Failure) -> f64| found.iter().map(of).collect::<Vec<_>>();
        let agreed = of(|it| it.agreed);
        let row = Row::new(cell, "all agree, mean, s").shipped(Figure::mean(&agreed));
        let row = published.map_or(row.clone().held_back(), |value| row.published(value));
        outcome.rows.push(bar.map_or(row.clone(), |bar| row.bar(Bar::AtMost(bar))));
        outcome.rows.extend([
            Row::new(cell, "all agree, worst, s").shipped(Figure::percentile(&agreed, 1.0)),
            Row::new(cell, "first suspicion, s").shipped(Figure::mean(&of(|it| it.suspected))),
            Row::new(cell, "healthy members removed")
                .shipped(Figure::sum(&of(|it| it.false_removals as f64)))
                .bar(Bar::AtMost(0.0)),
            Row::new(cell, "to the dead until then, of idle")
                .shipped(Figure::mean(&of(|it| it.to_the_dead_before))),
            Row::new(cell, "to the dead afterwards, of idle")
                .shipped(Figure::mean(&of(|it| it.to_the_dead_after)))
                .bar(Bar::AtMost(2.0)),
        ]);
        outcome.runs.extend(seeds.iter().zip(found).map(|(&seed, it)| Run {
            cell: cell.to_owned(),
            seed,
            metrics: vec![
                ("agreed", it.agreed),
                ("suspected", it.suspected),
                ("false_removals", it.false_removals as f64),
                ("to_the_dead_before", it.to_the_dead_before),
                ("to_the_dead_after", it.to_the_dead_after),
            ],
        }));
    }
    outcome
}

/// What came of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Failure {
    /// Seconds from the first suspicion until the last survivor counted right.
    agreed: f64,
    /// Seconds from the crash to the first suspicion.
    suspected: f64,
    false_removals: u64,
    to_the_dead_before: f64,
    to_the_dead_after: f64,
}

/// So many crash at once.
fn fail(n: usize, dead: usize, seed: u64) -> Failure {
    let mut trial = Trial::new(n, dead, seed);
    let packets = trial.world.tally.packets_sent;
    trial.run(IDLE);
    let idle = (trial.world.tally.packets_sent - packets) as f64 / (IDLE * n as u64) as f64;
    trial.begin();
    for host in trial.faulty() {
        trial.world.crash(host);
    }
    let survivors = (n - dead) as f64;
    let to_the_dead = |trial: &Trial| {
        (trial.world.tally.packets_unheard + trial.world.tally.streams_dialed) as f64
    };
    let start = to_the_dead(&trial);
    trial.run(1);
    trial.run_until_settled(LIMIT);
    let took = trial.seconds(trial.world.now);
    let settled = to_the_dead(&trial);
    trial.run(AFTER);
    let end = to_the_dead(&trial);
    let first = trial.log().first_suspicion;
    let suspected = first.map_or(f64::NAN, |at| trial.seconds(at));
    let agreement = trial.agreement(n - dead);
    Failure {
        agreed: agreement.map_or(f64::NAN, |agreement| agreement.last - suspected),
        suspected,
        false_removals: trial.false_removals().0,
        to_the_dead_before: (settled - start) / took / survivors / idle,
        to_the_dead_after: (end - settled) / AFTER as f64 / survivors / idle,
    }
}

type Share = (usize, &'static str, Option<f64>, Option<f64>);

/// How many crash, how that is called, Valkey's seconds, and the bar.
const SHARES: [Share; 5] = [
    (2, "0.1 %", Some(9.0), Some(9.0)),
    (200, "10 %", Some(11.0), Some(11.0)),
    (500, "25 %", Some(14.0), Some(14.0)),
    (660, "33 %", None, None),
    (1_000, "50 %", None, Some(16.0)),
];

const MEMBERS: usize = 2_000;
/// Seconds before the crash that count as idle.
const IDLE: u64 = 10;
/// Seconds within which survivors must agree to be waited for.
const LIMIT: u64 = 120;
/// Seconds after that for which what is sent to the dead is counted.
const AFTER: u64 = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_a_hundred_fail_and_the_others_agree() {
        let found = fail(100, 50, 1);
        assert!(found.agreed < 40.0, "{found:?}");
        assert_eq!(found.false_removals, 0, "{found:?}");
        assert!(found.to_the_dead_after <= 2.0, "{found:?}");
    }
}
