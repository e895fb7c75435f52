//! SW3: what an idle group sends.

use super::{
    outcome::{Bar, Outcome, Row, Run},
    plan::{Experiment, Plan},
};
use crate::{
    chance::{Chance, Purpose},
    measure::Figure,
    reference::swim2002::{Load, load},
};

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    id: "sw3",
    title: "Load of an idle group",
    source: "SWIM (DSN 2002), figure 2",
    measures: "messages sent and received (halved) per member and protocol period, 40 periods",
    run,
};

fn run(plan: &Plan) -> Outcome {
    let mut outcome = Outcome::new(EXPERIMENT.id);
    outcome.notes.push("Published: 1.98 to 2.13 in groups of 4 to 56.".into());
    let seeds: Vec<u64> = plan.seeds(40, 40).collect();
    for n in [4, 8, 16, 28, 40, 56] {
        let cell = format!("n={n}");
        let loads =
            plan.spread(&seeds, |&seed| load(n, 40, &mut Chance::of(seed, Purpose::Model, n)));
        let figure = |of: fn(&Load) -> f64| Figure::mean(&loads.iter().map(of).collect::<Vec<_>>());
        let row = Row::new(&cell, "mean, messages").plain(figure(|load| load.mean));
        outcome.rows.push(row.within(1.85, 2.15).bar(Bar::AtMost(2.0)));
        let row = Row::new(&cell, "least busy member").plain(figure(|load| load.least));
        outcome.rows.push(row);
        outcome.rows.push(Row::new(&cell, "busiest member").plain(figure(|load| load.most)));
        outcome.runs.extend(seeds.iter().zip(&loads).map(|(&seed, load)| Run {
            cell: cell.clone(),
            seed,
            metrics: vec![("mean", load.mean), ("least", load.least), ("most", load.most)],
        }));
    }
    outcome
}
