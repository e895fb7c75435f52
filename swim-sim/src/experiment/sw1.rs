//! SW1: how long until a crash is first detected.

use super::{
    outcome::{Bar, Outcome, Row, Run},
    plan::{Experiment, Plan},
};
use crate::{
    chance::{Chance, Purpose},
    measure::Figure,
    reference::swim2002::{first_random_choice, first_round_robin_choice},
};

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    id: "sw1",
    title: "Detection time of one crash",
    source: "SWIM (DSN 2002), 3.1 and figure 3",
    measures: "first detection, in protocol periods from the crash",
    run,
};

fn run(plan: &Plan) -> Outcome {
    let mut outcome = Outcome::new(EXPERIMENT.id);
    outcome.notes.push(format!(
        "One crash at the start of a period, no loss; {CRASHES} crashes per seed, as 1,000 samples \
         alone would scatter by 2 % of the mean.\n\
         Published for random choice: the paper's formula; its 29 real failures took 1.76 periods \
         on average, from 0.47 to 4.44."
    ));
    for n in [8, 28, 56, 128, 1_000, 10_000] {
        let chosen = 1.0 - libm::pow(1.0 - 1.0 / n as f64, n as f64 - 1.0);
        let cell = format!("random n={n}");
        let first = |chance: &mut Chance| first_random_choice(n, n - 1, chance);
        let figure = Figure::mean(&measure(plan, &mut outcome, &cell, first));
        let row = Row::new(cell, MEAN).plain(figure).bar(Bar::AtMost(1.58));
        outcome.rows.push(row.published_within(1.0 / chosen, 3.0));

        let cell = format!("round robin n={n}");
        let first = |chance: &mut Chance| first_round_robin_choice(n, chance);
        let periods = measure(plan, &mut outcome, &cell, first);
        let row = Row::new(&cell, MEAN).plain(Figure::mean(&periods)).bar(Bar::AtMost(1.58));
        outcome.rows.push(row.within(1.3, 1.8));
        let row = Row::new(cell, "most, periods").plain(Figure::percentile(&periods, 1.0));
        outcome.rows.push(row.within(1.0, 2.0 * n as f64 - 1.0));
    }
    for percent in [75, 50] {
        let cell = format!("random n=1000 alive={percent}%");
        let first = |chance: &mut Chance| first_random_choice(1_000, percent * 10, chance);
        let figure = Figure::mean(&measure(plan, &mut outcome, &cell, first));
        let chosen = 1.0 - libm::exp(-(percent as f64) / 100.0);
        outcome.rows.push(Row::new(cell, MEAN).plain(figure).published_within(1.0 / chosen, 3.0));
    }
    outcome
}

fn measure(
    plan: &Plan,
    outcome: &mut Outcome,
    cell: &str,
    first: impl Fn(&mut Chance) -> u64 + Sync,
) -> Vec<f64> {
    let seeds: Vec<u64> = plan.seeds(1_000, 1_000).collect();
    let salt = outcome.rows.len() as u64;
    let found: Vec<[f64; CRASHES]> = plan.spread(&seeds, |&seed| {
        let mut chance = Chance::of(seed, Purpose::Model, salt);
        std::array::from_fn(|_| first(&mut chance) as f64)
    });
    outcome.runs.extend(seeds.iter().zip(&found).map(|(&seed, periods)| Run {
        cell: cell.to_owned(),
        seed,
        metrics: vec![("mean_periods", Figure::mean(periods).value)],
    }));
    found.concat()
}

const MEAN: &str = "mean, periods";

/// Crashes per seed.
const CRASHES: usize = 16;
