//! SW2: how long an update takes to reach everybody, on pings and acks alone.

use super::{
    outcome::{Outcome, Row, Run},
    plan::{Experiment, Plan},
};
use crate::{
    chance::{Chance, Purpose},
    measure::{Figure, percentile},
    reference::infection::infect,
};

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    id: "sw2",
    title: "Infection time of one update",
    source: "SWIM (DSN 2002), 4.1 and figure 4",
    measures: "when members receive an update that only rides on pings and acks, in periods",
    run,
};

fn run(plan: &Plan) -> Outcome {
    let mut outcome = Outcome::new(EXPERIMENT.id);
    outcome.notes.push(
        "k=1, targets at random, no loss. Published: medians and last receipts in the real group \
         up to 56 members, the paper's model beyond. For six members the \
         band begins at the published 1.0, and the paper's model itself says 0.88."
            .into(),
    );
    let seeds: Vec<u64> = plan.seeds(200, 200).collect();
    for (n, published) in GROUPS {
        let cell = format!("n={n}");
        let infections =
            plan.spread(&seeds, |&seed| infect(n, &mut Chance::of(seed, Purpose::Model, n as u64)));
        let figure = |of: &dyn Fn(&[f64]) -> f64| {
            Figure::mean(&infections.iter().map(|times| of(times)).collect::<Vec<_>>())
        };
        for (metric, share) in [("50 %, periods", 0.5), ("99 %", 0.99), ("99.9 %", 0.999)] {
            let row = Row::new(&cell, metric).plain(figure(&|times| percentile(times, share)));
            let row = match (published, share) {
                (Some((median, _)), 0.5) if n <= 56 => row.published(median),
                (None, 0.5) => row.held_back(),
                _ if n > 56 => row.published(model(n, share)),
                _ => row,
            };
            outcome.rows.push(match share {
                0.5 if n <= 56 => row.within(1.0, 3.5),
                0.5 => row.published_within(model(n, share), 25.0),
                _ => row,
            });
        }
        let row = Row::new(&cell, "last").plain(figure(&|times| percentile(times, 1.0)));
        outcome.rows.push(match published {
            Some((_, last)) => row.published(last),
            None if n <= 56 => row.held_back(),
            None => row,
        });
        let row = Row::new(&cell, "missed");
        let missed = figure(&|times| (n - 1 - times.len()) as f64);
        outcome.rows.push(row.plain(missed));
        outcome.runs.extend(seeds.iter().zip(&infections).map(|(&seed, times)| {
            Run {
                cell: cell.clone(),
                seed,
                metrics: [("t50", 0.5), ("t99", 0.99), ("t999", 0.999), ("last", 1.0)]
                    .map(|(name, share)| (name, percentile(times, share)))
                    .to_vec(),
            }
        }));
    }
    outcome
}

/// When this share is infected by the paper's model `x(t) = n/(1+(n-1)*e^(-(2-1/n)t))`.
fn model(n: usize, share: f64) -> f64 {
    let n = n as f64;
    libm::log((n - 1.0) * share / (1.0 - share)) / (2.0 - 1.0 / n)
}

type Group = (usize, Option<(f64, f64)>);

/// Members; the published median and last receipt, unless held back or not measured then.
const GROUPS: [Group; 11] = [
    (6, Some((1.0, 2.6))),
    (13, Some((1.27, 2.5))),
    (20, Some((3.02, 5.0))),
    (28, Some((3.03, 5.5))),
    (35, None),
    (43, None),
    (52, None),
    (56, Some((2.26, 3.6))),
    (128, None),
    (1_000, None),
    (10_000, None),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_gives_the_published_times() {
        for (n, expected) in
            [(128, [2.43, 4.74, 5.90]), (1_000, [3.46, 5.75, 6.91]), (10_000, [4.61, 6.90, 8.06])]
        {
            for (share, expected) in [0.5, 0.99, 0.999].into_iter().zip(expected) {
                assert!((model(n, share) - expected).abs() < 0.006, "n={n} {share}");
            }
        }
    }
}
