//! LG1: how long the detection of members that really are blocked takes.

use super::{
    outcome::{Outcome, Row, Run},
    plan::{Experiment, Plan},
};
use crate::{
    measure::Figure,
    reference::memberlist::{Anomaly, Configuration, MILLISECOND, Report, Rules, threshold},
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
    outcome.notes.push(
        "128 members, memberlist in the TASK flavour; C in 1..32, D in 0.128..32.768 s; every \
         blocked member that was detected is a sample."
            .into(),
    );
    for (configuration, published) in PUBLISHED {
        let rules = Rules::new(configuration, 128);
        let detections = measure(plan, &rules, configuration.name(), &mut outcome.runs);
        for (place, (metric, of, at, band)) in METRICS.into_iter().enumerate() {
            let row = Row::new(configuration.name(), metric);
            let row = row.plain(Figure::percentile(of(&detections), at));
            outcome.rows.push(match published {
                Some(published) => row.published_within(published[place], band),
                None => row.held_back(),
            });
        }
    }
    outcome
}

/// When blocked members were detected, in seconds, over all cells and seeds.
#[derive(Clone, Debug, Default)]
pub(super) struct Detections {
    pub(super) first: Vec<f64>,
    pub(super) full: Vec<f64>,
}

/// Runs all cells.
pub(super) fn measure(plan: &Plan, rules: &Rules, name: &str, runs: &mut Vec<Run>) -> Detections {
    let mut jobs = Vec::new();
    for subjects in SUBJECTS {
        for blocked in BLOCKED {
            let blocked = blocked * MILLISECOND;
            for seed in plan.seeds(10, 10) {
                jobs.push((Anomaly { subjects, blocked, free: 0 }, seed));
            }
        }
    }
    let mut detections = Detections::default();
    let reports = plan.spread(&jobs, |&(anomaly, seed)| threshold(rules, anomaly, seed));
    for ((anomaly, seed), Report { tally, seconds, first, full }) in jobs.into_iter().zip(reports) {
        runs.push(Run {
            cell: format!("{name} C={} D={}", anomaly.subjects, anomaly.blocked / MILLISECOND),
            seed,
            metrics: vec![
                ("detected", first.len() as f64),
                ("first_median", Figure::percentile(&first, 0.5).value),
                ("full_median", Figure::percentile(&full, 0.5).value),
                ("fp", tally.false_positives as f64),
                ("datagrams", tally.datagrams as f64),
                ("seconds", seconds),
            ],
        });
        detections.first.extend(first);
        detections.full.extend(full);
    }
    detections
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

/// How many members are blocked (C).
pub(super) const SUBJECTS: [usize; 9] = [1, 4, 8, 12, 16, 20, 24, 28, 32];

/// For how long, in milliseconds (D).
pub(super) const BLOCKED: [u64; 6] = [128, 512, 2_048, 8_192, 16_384, 32_768];
