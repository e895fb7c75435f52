//! LG3: what Lifeguard's two constants trade against each other.

use super::{
    lg1, lg2,
    outcome::{Bar, Outcome, Row},
    plan::{Experiment, Plan},
};
use crate::{
    measure::Figure,
    reference::memberlist::{Configuration, Rules},
};

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    id: "lg3",
    title: "Detection time against false positives, by alpha and beta",
    source: "Lifeguard (arXiv 1707.00788), table VIII",
    measures: "LG1 and LG2 of Lifeguard in percent of SWIM",
    run,
};

fn run(plan: &Plan) -> Outcome {
    let mut outcome = Outcome::new(EXPERIMENT.id);
    outcome.notes.push(format!(
        "128 members, memberlist in the TASK flavour.{}",
        plan.choose(" Quick: seed 1 only in LG2, and alpha,beta of 2,2 2,6 4,6 5,6.", "")
    ));
    let swim = measure(plan, Configuration::Swim.name(), &Rules::new(Configuration::Swim, 128));
    for (alpha, beta, published) in PUBLISHED {
        let is_chosen = [(2.0, 2.0), (2.0, 6.0), (4.0, 6.0), (5.0, 6.0)].contains(&(alpha, beta));
        if plan.is_quick() && !is_chosen {
            continue;
        }
        let cell = format!("alpha={alpha} beta={beta}");
        let ours = measure(plan, &cell, &Rules::lifeguard(alpha, beta, 128));
        for (place, metric) in METRICS.into_iter().enumerate() {
            let row = Row::new(&cell, metric).plain(ours[place].percent_of(swim[place]));
            outcome.rows.push(match published {
                Some(published) => row.published(published[place]),
                None => row.held_back(),
            });
        }
    }
    for (metric, most) in [(METRICS[1], 57.0), (METRICS[4], 3.2), (METRICS[5], 4.8)] {
        outcome.rows.push(Row::new("shipped, one setting", metric).bar(Bar::AtMost(most)));
    }
    outcome
}

fn measure(plan: &Plan, name: &str, rules: &Rules) -> [Figure; 6] {
    let mut runs = Vec::new();
    let times = lg1::measure(plan, rules, name, &mut runs);
    let counts = lg2::measure(plan, rules, name, &mut runs);
    [
        Figure::percentile(&times.first, 0.5),
        Figure::percentile(&times.full, 0.5),
        Figure::percentile(&times.first, 0.99),
        Figure::percentile(&times.full, 0.999),
        counts.sum(&counts.fp),
        counts.sum(&counts.fp_healthy),
    ]
}

const METRICS: [&str; 6] =
    ["median first, %", "median full, %", "99 % first, %", "99.9 % full, %", "FP, %", "FP-, %"];

/// Alpha, beta, then percent of SWIM.
const PUBLISHED: [(f64, f64, Option<[f64; 6]>); 9] = [
    (2.0, 2.0, Some([53.14, 55.12, 69.81, 76.20, 98.37, 31.15])),
    (2.0, 4.0, None),
    (2.0, 6.0, Some([54.34, 56.74, 75.53, 78.58, 24.16, 13.65])),
    (4.0, 2.0, None),
    (4.0, 4.0, None),
    (4.0, 6.0, Some([83.12, 84.42, 96.82, 92.71, 3.18, 4.83])),
    (5.0, 2.0, Some([99.76, 99.92, 104.95, 107.64, 26.61, 15.38])),
    (5.0, 4.0, None),
    (5.0, 6.0, Some([100.08, 100.08, 105.54, 107.49, 1.53, 1.89])),
];
