//! LG1: how long the detection of members that really are blocked takes.

use super::{
    grid::{Grid, Subject, Trial},
    ours::Ours,
    outcome::{Outcome, Row, Run},
    plan::{Experiment, Plan},
};
use crate::{
    measure::Figure,
    reference::memberlist::{Configuration, Flavour, Rules, threshold},
};

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    id: "lg1",
    title: "Threshold experiment: one block per run",
    source: "Lifeguard (arXiv 1707.00788), table IV",
    measures: "seconds from the block to the first Fail event and to full dissemination",
    run,
};

fn run(plan: &Plan) -> Outcome {
    let mut outcome = Outcome::new(EXPERIMENT.id);
    outcome.notes.push(format!(
        "128 members, memberlist in the TASK flavour; C in 1..32, D in 0.128..32.768 s; every \
         blocked member that was detected is a sample. Seeds {}.",
        plan.said(10, 10)
    ));
    outcome.notes.push(format!(
        "HOLD and STALL: plain is SWIM in that flavour, shipped is our core as it comes (alpha 4). \
         Seeds {}.",
        plan.said(1, 10)
    ));
    for (configuration, published) in PUBLISHED {
        let rules = Rules::new(configuration, 128);
        let subject: Subject<'_> = &|anomaly, seed| threshold(&rules, anomaly, seed);
        let seen = measure(plan, (10, 10), (configuration.name(), subject), &mut outcome.runs);
        outcome.rows.extend(rows(configuration, published, &seen));
    }
    for flavour in [Flavour::Hold, Flavour::Stall] {
        let name = flavour.name();
        let rules = Rules::new(Configuration::Swim, 128).in_flavour(flavour);
        let swim: Subject<'_> = &|anomaly, seed| threshold(&rules, anomaly, seed);
        let core = Ours::shipped(flavour);
        let ours: Subject<'_> = &|anomaly, seed| core.threshold(anomaly, seed);
        let (swim_name, our_name) = (format!("SWIM {name}"), format!("shipped {name}"));
        let swim = measure(plan, (1, 10), (&swim_name, swim), &mut outcome.runs);
        let ours = measure(plan, (1, 10), (&our_name, ours), &mut outcome.runs);
        for (metric, of, at, _) in METRICS {
            let row = Row::new(name, metric).plain(Figure::percentile(of(&swim), at));
            outcome.rows.push(row.shipped(Figure::percentile(of(&ours), at)));
        }
    }
    outcome
}

/// The published figures, and what the model gives.
fn rows(
    configuration: Configuration,
    published: Option<[f64; 6]>,
    seen: &Detections,
) -> [Row; METRICS.len()] {
    std::array::from_fn(|place| {
        let (metric, of, at, band) = METRICS[place];
        let row = Row::new(configuration.name(), metric);
        let row = row.plain(Figure::percentile(of(seen), at));
        match published {
            Some(published) => row.published_within(published[place], band),
            None => row.held_back(),
        }
    })
}

/// When blocked members were detected, in seconds, over all cells and seeds.
#[derive(Clone, Debug, Default)]
pub(super) struct Detections {
    pub(super) first: Vec<f64>,
    pub(super) full: Vec<f64>,
}

impl Detections {
    /// Of all runs together.
    pub(super) fn of(trials: &[Trial]) -> Self {
        let mut all = Self::default();
        for Trial { report, .. } in trials {
            all.first.extend(&report.first);
            all.full.extend(&report.full);
        }
        all
    }
}

/// Runs all cells.
pub(super) fn measure(
    plan: &Plan,
    seeds: (u64, u64),
    subject: (&str, Subject<'_>),
    runs: &mut Vec<Run>,
) -> Detections {
    Detections::of(&Grid::THRESHOLD.run(plan, seeds, subject, runs))
}

type Metric = (&'static str, fn(&Detections) -> &[f64], f64, f64);

/// Name, samples, percentile, and how many percent the figure may be off.
const METRICS: [Metric; 6] = [
    ("first, median, s", |seen| &seen.first, 0.5, 3.0),
    ("first, 99 %, s", |seen| &seen.first, 0.99, 8.0),
    ("first, 99.9 %, s", |seen| &seen.first, 0.999, 15.0),
    ("full, median, s", |seen| &seen.full, 0.5, 3.0),
    ("full, 99 %, s", |seen| &seen.full, 0.99, 8.0),
    ("full, 99.9 %, s", |seen| &seen.full, 0.999, 15.0),
];

const PUBLISHED: [(Configuration, Option<[f64; 6]>); 5] = [
    (Configuration::Swim, Some([12.44, 16.96, 19.40, 12.90, 16.93, 20.17])),
    (Configuration::LhaProbe, Some([12.42, 17.75, 20.10, 12.90, 17.98, 20.56])),
    (Configuration::LhaSuspicion, None),
    (Configuration::Buddy, None),
    (Configuration::Lifeguard, Some([12.45, 17.90, 21.20, 12.91, 18.05, 21.68])),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::plan::Scale;

    #[test]
    fn lg1_long_blocks_are_detected_when_they_were_then() {
        let plan = Plan { seeds: Some(1..=3), threads: 2, ..Plan::new(Scale::Quick) };
        let grid = Grid { subjects: &[4, 16, 32], blocked: &[16_384, 32_768], free: &[0] };
        for place in [0, 1, 4] {
            let (configuration, published) = PUBLISHED[place];
            let rules = Rules::new(configuration, 128);
            let subject: Subject<'_> = &|anomaly, seed| threshold(&rules, anomaly, seed);
            let trials = grid.run(&plan, (3, 3), (configuration.name(), subject), &mut Vec::new());
            let rows = rows(configuration, published, &Detections::of(&trials));
            assert!(rows.iter().all(|row| row.fidelity() == Some(true)), "{rows:#?}");
        }
    }
}
