//! SW3: what an idle group sends.

use super::{
    group::idle,
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
    outcome.notes.push(
        "Published: 1.98 to 2.13 in groups of 4 to 56. Ours: period 2 s, one helper, everything \
         else as shipped; a packet is a message, and what goes over streams is said by itself."
            .into(),
    );
    let seeds: Vec<u64> = plan.seeds(40, 40).collect();
    for n in [4, 8, 16, 28, 40, 56] {
        let cell = format!("n={n}");
        let models = plan.spread(&seeds, |&seed| {
            load(n, (1, 0.0), PERIODS.into(), &mut Chance::of(seed, Purpose::Model, n))
        });
        let ours = plan.spread(&seeds, |&seed| idle(n as usize, PERIODS, seed));
        let (ours, on_streams): (Vec<Load>, Vec<f64>) = ours.into_iter().unzip();
        let row = |metric, of: fn(&Load) -> f64| {
            let mean = |loads: &[Load]| Figure::mean(&loads.iter().map(of).collect::<Vec<_>>());
            Row::new(&cell, metric).plain(mean(&models)).shipped(mean(&ours))
        };
        let mean = row("mean, messages", |load| load.mean);
        outcome.rows.extend([
            mean.within(1.85, 2.15).bar(Bar::AtMost(2.0)),
            row("least busy member", |load| load.least),
            row("busiest member", |load| load.most),
            Row::new(&cell, "on streams, B").shipped(Figure::mean(&on_streams)),
        ]);
        for (cell, loads) in [(cell.clone(), &models), (format!("shipped {cell}"), &ours)] {
            outcome.runs.extend(seeds.iter().zip(loads).map(|(&seed, load)| Run {
                cell: cell.clone(),
                seed,
                metrics: vec![("mean", load.mean), ("least", load.least), ("most", load.most)],
            }));
        }
    }
    outcome
}

const PERIODS: u32 = 40;
