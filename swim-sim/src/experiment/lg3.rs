//! LG3: what Lifeguard's two constants trade against each other.

use super::{
    grid::{Grid, Subject},
    lg1::Detections,
    lg2::{Counts, percent},
    ours::Ours,
    outcome::{Bar, Outcome, Row, Run},
    plan::{Experiment, Plan},
};
use crate::{
    measure::Figure,
    reference::memberlist::{Anomaly, Configuration, Flavour, Report, Rules, interval, threshold},
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
    let quick = "; LG1 with one seed, alpha,beta of 2,2 2,6 4,6 5,6 only";
    outcome.notes.push(format!(
        "128 members, memberlist in the TASK flavour. Seeds {}{}.",
        plan.said(1, 10),
        plan.choose(quick, "")
    ));
    published(plan, &mut outcome);
    let (times, counts) = plan
        .choose((Grid::SOME_THRESHOLDS, Grid::SOME_INTERVALS), (Grid::THRESHOLD, Grid::INTERVAL));
    outcome.notes.push(format!(
        "HOLD and STALL: our core, its alpha (suspicion_mult) and beta (suspicion_max_mult) set, \
         in percent of SWIM (alpha 5) in that flavour. {} cells of LG1 (C {:?}, D {:?} ms), {} of \
         LG2 (C {:?}, D {:?} ms, I {:?} ms), seeds {}. Median full below 57 %, FP below 3.2 % and \
         FP- below 4.8 % are asked of one setting.",
        times.len(),
        times.subjects,
        times.blocked,
        counts.len(),
        counts.subjects,
        counts.blocked,
        counts.free,
        plan.said(1, 10)
    ));
    for flavour in [Flavour::Hold, Flavour::Stall] {
        ours(plan, (times, counts), flavour, &mut outcome);
    }
    outcome
}

/// Lifeguard as the paper measured it.
fn published(plan: &Plan, outcome: &mut Outcome) {
    let grids = (Grid::THRESHOLD, Grid::INTERVAL);
    let mut measure = |name: &str, rules: &Rules| {
        let times: Subject<'_> = &|anomaly, seed| threshold(rules, anomaly, seed);
        let counts: Subject<'_> = &|anomaly, seed| interval(rules, anomaly, seed);
        figures(plan, grids, (name, times, counts), &mut outcome.runs)
    };
    let swim = measure(Configuration::Swim.name(), &Rules::new(Configuration::Swim, 128));
    let mut rows = Vec::new();
    for (alpha, beta, published) in PUBLISHED {
        let is_chosen = [(2.0, 2.0), (2.0, 6.0), (4.0, 6.0), (5.0, 6.0)].contains(&(alpha, beta));
        if plan.is_quick() && !is_chosen {
            continue;
        }
        let cell = format!("alpha={alpha} beta={beta}");
        let ours = measure(&cell, &Rules::lifeguard(alpha, beta, 128));
        for (place, metric) in METRICS.into_iter().enumerate() {
            let row = Row::new(&cell, metric).plain(percent(ours[place], swim[place]));
            rows.push(match published {
                Some(published) => row.published(published[place]),
                None => row.held_back(),
            });
        }
    }
    outcome.rows.extend(rows);
}

/// Our core with each setting, and whether one of them reaches all bars.
fn ours(plan: &Plan, grids: (Grid, Grid), flavour: Flavour, outcome: &mut Outcome) {
    let rules = Rules::new(Configuration::Swim, 128).in_flavour(flavour);
    let times: Subject<'_> = &|anomaly, seed| threshold(&rules, anomaly, seed);
    let counts: Subject<'_> = &|anomaly, seed| interval(&rules, anomaly, seed);
    let name = format!("SWIM {}", flavour.name());
    let swim = figures(plan, grids, (&name, times, counts), &mut outcome.runs);
    let mut reached = 0.0;
    let settings = plan.choose(&SETTINGS[..], &ALL_SETTINGS[..]);
    for &(alpha, beta) in settings {
        let core = Ours { flavour, suspicion: Some((alpha, beta)) };
        let times = |anomaly: Anomaly, seed: u64| -> Report { core.threshold(anomaly, seed) };
        let counts = |anomaly: Anomaly, seed: u64| -> Report { core.interval(anomaly, seed) };
        let cell = format!("{} alpha={alpha} beta={beta}", flavour.name());
        let figures = figures(plan, grids, (&cell, &times, &counts), &mut outcome.runs);
        let percents: [Figure; 6] =
            std::array::from_fn(|place| percent(figures[place], swim[place]));
        let holds = BARS.iter().all(|&(place, most)| percents[place].value <= most);
        reached += f64::from(u8::from(holds));
        for (place, metric) in METRICS.into_iter().enumerate() {
            outcome.rows.push(Row::new(&cell, metric).shipped(percents[place]));
        }
    }
    let figure = Figure { value: reached, margin: 0.0, samples: settings.len() };
    let row = Row::new(flavour.name(), "settings that reach all three");
    // Without false positives of SWIM, two of the three are reached by anybody.
    let is_harmless = swim[4].value == 0.0 || swim[5].value == 0.0;
    outcome.rows.push(row.shipped(figure).bar(Bar::AtLeast(1.0)).harmless(is_harmless));
}

fn figures(
    plan: &Plan,
    (times, counts): (Grid, Grid),
    (name, threshold, interval): (&str, Subject<'_>, Subject<'_>),
    runs: &mut Vec<Run>,
) -> [Figure; 6] {
    let seen = Detections::of(&times.run(plan, (1, 10), (name, threshold), runs));
    let counted = Counts::of(&counts.run(plan, (1, 10), (name, interval), runs), counts.len());
    [
        Figure::percentile(&seen.first, 0.5),
        Figure::percentile(&seen.full, 0.5),
        Figure::percentile(&seen.first, 0.99),
        Figure::percentile(&seen.full, 0.999),
        counted.fp(),
        counted.fp_healthy(),
    ]
}

const METRICS: [&str; 6] =
    ["median first, %", "median full, %", "99 % first, %", "99.9 % full, %", "FP, %", "FP-, %"];

/// What one setting must reach: a metric's place, and its most.
const BARS: [(usize, f64); 3] = [(1, 57.0), (4, 3.2), (5, 4.8)];

/// Alpha and beta of our core in the short version.
const SETTINGS: [(u32, u32); 5] = [(2, 2), (2, 6), (3, 4), (3, 6), (4, 6)];

/// And in the long one.
const ALL_SETTINGS: [(u32, u32); 20] = {
    let mut all = [(0, 0); 20];
    let mut place = 0;
    while place < all.len() {
        all[place] = (2 + place as u32 / 5, 2 + place as u32 % 5);
        place += 1;
    }
    all
};

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
