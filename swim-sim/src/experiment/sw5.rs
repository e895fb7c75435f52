//! SW5: how often loss alone has a live member declared failed, when nobody is suspected first.

use super::{
    outcome::{Outcome, Row, Run},
    plan::{Experiment, Plan},
};
use crate::{
    chance::{Chance, Purpose},
    measure::Figure,
    reference::swim2002::{FalseFailures, false_failures},
};

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    id: "sw5",
    title: "False positives without suspicion",
    source: "SWIM (DSN 2002), 3.1",
    measures: "false failures per period of a member that is chosen, 100 members",
    run,
};

fn run(plan: &Plan) -> Outcome {
    let mut outcome = Outcome::new(EXPERIMENT.id);
    // Ten seeds share the periods among them, so that threads have something to share.
    let seeds: Vec<u64> = plan.seeds(10, 10).collect();
    let periods = 100_000 / seeds.len().max(1) as u64;
    outcome.notes.push(format!(
        "{} periods of {N} members; judged where the formula expects 100 events or more.",
        periods * seeds.len() as u64
    ));
    for loss in [0.001, 0.01, 0.05, 0.1, 0.25] {
        for k in 1..=4 {
            let cell = format!("loss={}% k={k}", loss * 100.0);
            let salt = outcome.rows.len() as u64;
            let found = plan.spread(&seeds, |&seed| {
                let mut chance = Chance::of(seed, Purpose::Model, salt);
                false_failures(N, loss, k, periods, &mut chance)
            });
            outcome.runs.extend(seeds.iter().zip(&found).map(|(&seed, found)| Run {
                cell: cell.clone(),
                seed,
                metrics: vec![("events", found.events as f64), ("chosen", found.chosen as f64)],
            }));
            let sum = |of: fn(&FalseFailures) -> u64| found.iter().map(of).sum::<u64>();
            let (events, chosen) = (sum(|found| found.events), sum(|found| found.chosen));
            let row = Row::new(cell, "share of periods").plain(Figure::share(events, chosen));
            let expected = formula(loss, k);
            outcome.rows.push(if expected * chosen as f64 >= 100.0 {
                row.published_within(expected, 10.0)
            } else {
                row.published(expected)
            });
        }
    }
    outcome
}

/// `(1-q^2)*(1-q^4)^k * e/(e-1)` with q = 1 - loss.
fn formula(loss: f64, k: u64) -> f64 {
    let q = 1.0 - loss;
    let chosen = 1.0 - libm::exp(-1.0);
    (1.0 - q * q) * libm::pow(1.0 - q * q * q * q, k as f64) / chosen
}

const N: u64 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_formula_gives_the_papers_table() {
        for (loss, row) in [
            (0.01, [1.24e-3, 4.89e-5, 1.93e-6, 7.6e-8]),
            (0.05, [2.86e-2, 5.31e-3, 9.84e-4, 1.83e-4]),
            (0.10, [1.03e-1, 3.55e-2, 1.22e-2, 4.20e-3]),
            (0.25, [4.73e-1, 3.23e-1, 2.21e-1, 1.51e-1]),
        ] {
            for (k, expected) in (1..).zip(row) {
                assert!((formula(loss, k) / expected - 1.0).abs() < 0.006, "loss={loss} k={k}");
            }
        }
    }
}
