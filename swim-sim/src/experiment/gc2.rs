//! GC2: what gossip misses under heavy loss, and whether one exchange of tables finds it.

use super::{
    outcome::{Bar, Outcome, Row, Run},
    plan::{Experiment, Plan},
    spreading::{Missed, repair},
};
use crate::{
    chance::{Chance, Purpose, mix},
    measure::Figure,
    reference::gossip::Gossip,
};

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    id: "gc2",
    title: "Repair: 1,000 updates at 50 % loss, then one exchange of tables each",
    source: "memberlist's rules simulated directly (GC1)",
    measures: "members that missed an update, summed over updates",
    run,
};

fn run(plan: &Plan) -> Outcome {
    let mut outcome = Outcome::new(EXPERIMENT.id);
    outcome.notes.push(format!(
        "1,000 members, each updates its metadata once, one every 0.1 s. Gossip alone: no probes, \
         no repair, no periodic exchange. As shipped: everything on, looked at 15 s after the last \
         update. Plain is the model of memberlist's gossip, for which an exchange is not modelled. \
         Seeds {} (model: {}).",
        plan.said(1, 10),
        plan.said(10, 40)
    ));
    let seeds: Vec<u64> = plan.seeds(10, 40).collect();
    let model = plan.spread(&seeds, |&seed| {
        let gossip = Gossip { n: MEMBERS, interval: 0.2, fanout: 3, loss: LOSS };
        let update = |number| {
            let mut chance = Chance::of(mix(seed, number), Purpose::Model, MEMBERS as u64);
            gossip.spread(&mut chance).missed() as f64
        };
        (0..MEMBERS as u64).map(update).sum::<f64>()
    });
    let seeds: Vec<u64> = plan.seeds(1, 10).collect();
    let jobs: Vec<(bool, u64)> =
        [false, true].iter().flat_map(|&all| seeds.iter().map(move |&seed| (all, seed))).collect();
    let missed = plan.spread(&jobs, |&(all, seed)| repair(MEMBERS, LOSS, all, seed));
    let (bare, shipped) = missed.split_at(seeds.len());
    let mean = |missed: &[Missed], of: fn(&Missed) -> f64| {
        Figure::mean(&missed.iter().map(of).collect::<Vec<_>>())
    };
    let row = Row::new("gossip alone", "missed after gossip").plain(Figure::mean(&model));
    outcome.rows.push(row.shipped(mean(bare, |missed| missed.after_gossip as f64)));
    let figure = mean(bare, |missed| missed.after_exchange as f64);
    let row = Row::new("gossip alone", "missed after one exchange each").shipped(figure);
    outcome.rows.push(row.bar(Bar::AtMost(0.0)));
    let figure = mean(bare, |missed| missed.again as f64);
    outcome.rows.push(Row::new("gossip alone", "exchanges begun again").shipped(figure));
    let figure = mean(shipped, |missed| missed.after_gossip as f64);
    outcome.rows.push(Row::new("as shipped", "missed in the end").shipped(figure));
    let figure = mean(shipped, |missed| missed.failed as f64);
    outcome.rows.push(Row::new("as shipped", "Fail events").shipped(figure));
    outcome.runs.extend(jobs.iter().zip(&missed).map(|(&(all, seed), missed)| Run {
        cell: String::from(if all { "as shipped" } else { "gossip alone" }),
        seed,
        metrics: vec![
            ("missed", missed.after_gossip as f64),
            ("missed_after_exchange", missed.after_exchange as f64),
            ("exchanges_begun_again", missed.again as f64),
            ("failed", missed.failed as f64),
        ],
    }));
    outcome
}

const MEMBERS: usize = 1_000;
const LOSS: f64 = 0.5;
