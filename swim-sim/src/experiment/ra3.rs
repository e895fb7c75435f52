//! RA3: ten members that go deaf and come back, again and again.

use super::{
    outcome::{Bar, Outcome, Row, Run},
    plan::{Experiment, Plan},
    trial::Trial,
};
use crate::measure::Figure;

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    id: "ra3",
    title: "Ten members that go deaf and come back",
    source: "Rapid (ATC 2018), figure 9",
    measures: "who removes whom while 10 of 1,000 members receive nothing for 20 s of every 40 s",
    run,
};

fn run(plan: &Plan) -> Outcome {
    let mut outcome = Outcome::new(EXPERIMENT.id);
    outcome.notes.push(
        "10 of 1,000 members receive nothing, neither packets nor streams, for 20 s, are fine for \
         20 s, and so on, 860 s. Published: memberlist oscillates all the time and never removes \
         all ten for good; Rapid removes them in one step; ZooKeeper does not react. Times are \
         held back."
            .into(),
    );
    let cell = "N=1000";
    let seeds: Vec<u64> = plan.seeds(2, 20).collect();
    let cycles = plan.choose(CYCLES_QUICK, CYCLES);
    outcome.notes.push(format!("Here {cycles} times deaf; {CYCLES} times with --full."));
    let found = plan.spread(&seeds, |&seed| flip(MEMBERS, seed, cycles));
    let of = |of: fn(&Flips) -> f64| found.iter().map(of).collect::<Vec<_>>();
    let mean = |it: fn(&Flips) -> f64| Figure::mean(&of(it));
    let most = |it: fn(&Flips) -> f64| Figure::percentile(&of(it), 1.0);
    outcome.rows.extend([
        Row::new(cell, "removed everywhere, of 10")
            .shipped(mean(|it| it.removed as f64))
            .bar(Bar::AtLeast(FAULTY as f64)),
        Row::new(cell, "first removal, s").held_back().shipped(mean(|it| it.first)),
        Row::new(cell, "returns of a faulty member, mean").shipped(mean(|it| it.returns_mean)),
        Row::new(cell, "returns of a faulty member, most")
            .shipped(most(|it| it.returns_most))
            .bar(Bar::AtMost(1.0)),
        Row::new(cell, "different counts").shipped(mean(|it| it.counts as f64)),
        Row::new(cell, "lowest count of anybody healthy").shipped(mean(|it| it.lowest as f64)),
        Row::new(cell, "healthy removed at healthy, sum")
            .shipped(most(|it| it.false_removals.1 as f64))
            .bar(Bar::AtMost(0.0)),
        Row::new(cell, "healthy removed at faulty, sum")
            .shipped(most(|it| (it.false_removals.0 - it.false_removals.1) as f64)),
        Row::new(cell, "sent per member, KB/s").shipped(mean(|it| it.sent)),
    ]);
    outcome.runs.extend(seeds.iter().zip(&found).map(|(&seed, it)| Run {
        cell: cell.to_owned(),
        seed,
        metrics: vec![
            ("removed", it.removed as f64),
            ("first", it.first),
            ("returns", it.returns_mean),
            ("counts", it.counts as f64),
            ("fp", it.false_removals.0 as f64),
            ("fp_healthy", it.false_removals.1 as f64),
            ("sent", it.sent),
        ],
    }));
    outcome
}

/// What came of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Flips {
    /// Faulty members that every healthy one removed at some time.
    removed: usize,
    first: f64,
    /// How often a faulty member was taken in again by a healthy one.
    returns_mean: f64,
    returns_most: f64,
    counts: usize,
    lowest: usize,
    false_removals: (u64, u64),
    /// KB that a member sent in a second, on average.
    sent: f64,
}

/// Some members go deaf and come back so many times.
fn flip(n: usize, seed: u64, cycles: u64) -> Flips {
    let mut trial = Trial::new(n, FAULTY, seed);
    let faulty = trial.faulty();
    for cycle in 0..cycles {
        for &host in &faulty {
            trial.deafen(host);
        }
        trial.run(DEAF);
        trial.world.network.mend();
        if cycle + 1 < cycles {
            trial.run(DEAF);
        }
    }
    let returns: Vec<f64> = faulty.iter().map(|&host| trial.returns(host)).collect();
    Flips {
        removed: faulty.iter().filter(|&&host| trial.removed_by_all(host).is_some()).count(),
        first: trial.first_removal_of_faulty().unwrap_or(f64::NAN),
        returns_mean: Figure::mean(&returns).value,
        returns_most: returns.iter().copied().fold(0.0, f64::max),
        counts: trial.different_counts(),
        lowest: trial.lowest_count(),
        false_removals: trial.false_removals(),
        sent: trial.sent_mean() / 1_000.0,
    }
}

const MEMBERS: usize = 1_000;
const FAULTY: usize = 10;
/// Seconds of being deaf, and of being fine.
const DEAF: u64 = 20;
/// 860 s in all.
const CYCLES: u64 = 22;
/// The same for the short version: every second of it is a busy one.
const CYCLES_QUICK: u64 = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deaf_harm_nobody_healthy() {
        let found = flip(100, 1, 3);
        assert_eq!(found.false_removals.1, 0, "{found:?}");
        assert!(found.lowest >= 90, "{found:?}");
        assert!(found.returns_most <= 3.0, "{found:?}");
    }
}
