//! SW1: how long until a crash is first detected.

use super::{
    group::{Detection, crash},
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
        "Plain: one crash at the start of a period, no loss; {CRASHES} crashes per seed, as 1,000 \
         samples alone would scatter by 2 % of the mean. It is found in the period in which it is \
         first chosen, which counts in full.\n\
         Published for random choice: the paper's formula; its 29 real failures took 1.76 periods \
         on average, from 0.47 to 4.44.\n\
         Ours: one crash per seed, period 2 s, one helper, everything else as shipped, which \
         chooses round robin; until anybody suspects, which is when the first probe has failed. A \
         probe is given a whole period from its ping, and periods begin at random: so the ping \
         itself, and the period in which it was sent, stand below. Of the seeds, the first 100 \
         with 1,000 members{}.",
        plan.choose("; 10,000 are left to --full", ", 5 with 10,000")
    ));
    for size in SIZES {
        let Size { n, .. } = size;
        random(plan, &mut outcome, n);
        round_robin(plan, &mut outcome, n);
        let seeds = plan.choose(size.quick, size.full);
        if seeds > 0 {
            shipped(plan, &mut outcome, n, seeds);
        }
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

/// The paper's choice, for which it has a formula.
fn random(plan: &Plan, outcome: &mut Outcome, n: u64) {
    let chosen = 1.0 - libm::pow(1.0 - 1.0 / n as f64, n as f64 - 1.0);
    let cell = format!("random n={n}");
    let first = |chance: &mut Chance| first_random_choice(n, n - 1, chance);
    let figure = Figure::mean(&measure(plan, outcome, &cell, first));
    outcome.rows.push(Row::new(cell, MEAN).plain(figure).published_within(1.0 / chosen, 3.0));
}

/// The paper's improvement, which is what we ship.
fn round_robin(plan: &Plan, outcome: &mut Outcome, n: u64) {
    let cell = format!("round robin n={n}");
    let first = |chance: &mut Chance| first_round_robin_choice(n, chance);
    let periods = measure(plan, outcome, &cell, first);
    let mean = Figure::mean(&periods);
    let row = Row::new(&cell, MEAN).plain(mean).within(1.3, 1.8);
    outcome.rows.push(row.bar(Bar::AtMost(1.58)));
    let row = Row::new(&cell, MOST).plain(Figure::percentile(&periods, 1.0));
    outcome.rows.push(row.within(1.0, 2.0 * n as f64 - 1.0));
    outcome.rows.push(Row::new(cell, CHOSEN).plain(mean));
}

/// Puts our core's figures beside those of the model.
fn shipped(plan: &Plan, outcome: &mut Outcome, n: u64, most: usize) {
    let seeds: Vec<u64> = plan.seeds(1_000, 1_000).take(most).collect();
    // The largest worlds take gigabytes: one at a time.
    let threads = if n > 1_000 { 1 } else { plan.threads };
    let plan = Plan { threads, ..plan.clone() };
    let found = plan.spread(&seeds, |&seed| crash(n as usize, seed));
    let of = |of: fn(&Detection) -> f64| found.iter().map(of).collect::<Vec<_>>();
    let suspected = of(|it| it.suspected);
    let cell = format!("round robin n={n}");
    for (metric, figure) in [
        (MEAN, Figure::mean(&suspected)),
        (MOST, Figure::percentile(&suspected, 1.0)),
        (CHOSEN, Figure::mean(&of(|it| it.pinged.ceil()))),
    ] {
        let row = outcome.row_mut(&cell, metric).expect("the model was measured first");
        row.shipped = Some(figure);
    }
    let pinged = Figure::mean(&of(|it| it.pinged));
    outcome.rows.push(Row::new(&cell, "first ping, mean, periods").shipped(pinged));
    outcome.runs.extend(seeds.iter().zip(&found).map(|(&seed, it)| Run {
        cell: format!("shipped n={n}"),
        seed,
        metrics: vec![("pinged", it.pinged), ("suspected", it.suspected)],
    }));
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
const MOST: &str = "most, periods";
const CHOSEN: &str = "period of the first ping, mean";

/// Crashes per seed of the model.
const CRASHES: usize = 16;

/// Members, and how many of the seeds our core runs at most, in the short and the whole version.
#[derive(Clone, Copy)]
struct Size {
    n: u64,
    quick: usize,
    full: usize,
}

const fn size(n: u64, quick: usize, full: usize) -> Size {
    Size { n, quick, full }
}

const SIZES: [Size; 6] = [
    size(8, 1_000, 1_000),
    size(28, 1_000, 1_000),
    size(56, 1_000, 1_000),
    size(128, 1_000, 1_000),
    size(1_000, 100, 100),
    size(10_000, 0, 5),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::plan::Scale;

    #[test]
    fn sw1_detection_takes_as_long_as_the_formula_says() {
        let plan = Plan { seeds: Some(1..=400), threads: 2, ..Plan::new(Scale::Quick) };
        let mut outcome = Outcome::new(EXPERIMENT.id);
        for Size { n, .. } in SIZES {
            random(&plan, &mut outcome, n);
            round_robin(&plan, &mut outcome, n);
        }
        assert!(outcome.is_faithful(), "{:#?}", outcome.rows);
        // Our core chooses as the model does: the same period in the mean, but for luck.
        shipped(&plan, &mut outcome, 28, 400);
        let row = outcome.row_mut("round robin n=28", CHOSEN).expect("it was measured");
        let (plain, shipped) = (row.plain.expect("by the model"), row.shipped.expect("by ours"));
        let apart = (shipped.value - plain.value).abs();
        assert!(apart < 1.5 * (shipped.margin + plain.margin), "{plain:?} {shipped:?}");
    }
}
