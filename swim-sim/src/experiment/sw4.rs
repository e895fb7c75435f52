//! SW4: a group that is joined while the network loses packets.

use super::{
    outcome::{Bar, Outcome, Row, Run},
    plan::{Experiment, Plan},
};
use crate::{
    chance::{Chance, Purpose},
    measure::Figure,
    reference::joining::{Joining, Version},
};

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    id: "sw4",
    title: "Joining under loss",
    source: "SWIM (DSN 2002), figure 6",
    measures: "the group's size as its first member sees it: 17 join, one every 5 s; 10 % loss",
    run,
};

fn run(plan: &Plan) -> Outcome {
    let mut outcome = Outcome::new(EXPERIMENT.id);
    outcome.notes.push(
        "k=1, T'=2 s, every packet lost at its receiver with 10 %, 175 s. Published figures are \
         held back; their order is basic < infection < suspicion, which is judged by the mean size \
         over time: at 175 s both versions without suspicion have lost nearly everybody."
            .into(),
    );
    let seeds: Vec<u64> = plan.seeds(100, 100).collect();
    let mut means = Vec::new();
    for (name, version) in [
        ("basic", Version::Basic),
        ("+infection", Version::Infection),
        ("+infection +suspicion", Version::Suspicion),
    ] {
        let joining =
            Joining { version, processes: 17, loss: 0.1, period: 2.0, every: 5.0, seconds: 175.0 };
        let sizes =
            plan.spread(&seeds, |&seed| joining.sizes(&mut Chance::new(seed, Purpose::Model)));
        let figure = |second: usize| {
            let at: Vec<f64> = sizes.iter().map(|sizes| sizes[second - 1] as f64).collect();
            Figure::mean(&at)
        };
        for (metric, second) in [("size at 45 s", 45), ("size at 85 s", 85), ("size at 130 s", 130)]
        {
            outcome.rows.push(Row::new(name, metric).plain(figure(second)).held_back());
        }
        let over_time =
            |sizes: &Vec<usize>| sizes.iter().sum::<usize>() as f64 / sizes.len() as f64;
        means.push(Figure::mean(&sizes.iter().map(over_time).collect::<Vec<_>>()));
        outcome.rows.push(Row::new(name, "size at 175 s").plain(figure(175)).held_back());
        outcome.runs.extend(seeds.iter().zip(&sizes).map(|(&seed, sizes)| {
            Run {
                cell: name.to_owned(),
                seed,
                metrics: [("s45", 45), ("s85", 85), ("s130", 130), ("s175", 175)]
                    .map(|(name, second)| (name, sizes[second - 1] as f64))
                    .to_vec(),
            }
        }));
    }
    for (name, pair) in ["infection - basic", "suspicion - infection"].into_iter().zip(0..) {
        let (less, more): (Figure, Figure) = (means[pair], means[pair + 1]);
        let margin = more.margin + less.margin;
        let gain = Figure { value: more.value - less.value, margin, ..more };
        outcome.rows.push(Row::new(name, "mean size").plain(gain).within(0.0, 17.0));
    }
    outcome.rows.push(Row::new("shipped", "size at 175 s").bar(Bar::AtLeast(17.0)));
    outcome
}
