//! LG2: healthy members failed by members that are blocked again and again.

use super::{
    lg1::{BLOCKED, SUBJECTS},
    outcome::{Bar, Outcome, Row, Run},
    plan::{Experiment, Plan},
};
use crate::{
    measure::Figure,
    reference::memberlist::{Anomaly, Configuration, MILLISECOND, Report, Rules, interval},
};

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    id: "lg2",
    title: "Interval experiment: blocks of D with I between them",
    source: "Lifeguard (arXiv 1707.00788), tables V to VII",
    measures: "false positives at all members (FP) and at healthy ones (FP-), messages, bytes; \
               sums over 4,320 runs",
    run,
};

fn run(plan: &Plan) -> Outcome {
    let mut outcome = Outcome::new(EXPERIMENT.id);
    outcome.notes.push(format!(
        "128 members, memberlist in the TASK flavour.{}",
        plan.choose(QUICK, " All cells, seeds 1 to 10.")
    ));
    let mut swim: Option<Counts> = None;
    for (configuration, published) in PUBLISHED {
        let name = configuration.name();
        let counts = measure(plan, &Rules::new(configuration, 128), name, &mut outcome.runs);
        let swim = swim.get_or_insert_with(|| counts.clone());
        let rows = rows(configuration, &published, &counts, swim);
        outcome.rows.extend(rows);
    }
    for metric in ["FP, % of SWIM", "FP-, % of SWIM", "FP- for C <= 12", "messages, %", "bytes, %"]
    {
        for flavour in ["shipped, HOLD", "shipped, STALL"] {
            let most = match metric {
                "FP, % of SWIM" => 0.5,
                "FP-, % of SWIM" => 1.0,
                "messages, %" => 100.0,
                "bytes, %" => 90.0,
                _ => 0.0,
            };
            outcome.rows.push(Row::new(flavour, metric).bar(Bar::AtMost(most)));
        }
    }
    outcome
}

fn rows(
    configuration: Configuration,
    published: &Published,
    counts: &Counts,
    swim: &Counts,
) -> Vec<Row> {
    let name = configuration.name();
    let is_swim = configuration == Configuration::Swim;
    let fp = Row::new(name, "FP").plain(counts.sum(&counts.fp).scaled(counts.weight));
    let fp_healthy = counts.sum(&counts.fp_healthy).scaled(counts.weight);
    let messages = counts.sum(&counts.messages).scaled(counts.weight / 1e6);
    let messages = Row::new(name, "messages, M").plain(messages);
    let bytes = counts.sum(&counts.bytes).scaled(counts.weight / f64::from(1 << 30));
    let streams = counts.sum(&counts.stream_bytes).scaled(counts.weight / f64::from(1 << 30));
    let mut rows = vec![
        if is_swim { fp.published_within(published.fp, 20.0) } else { fp.published(published.fp) },
        Row::new(name, "FP-").plain(fp_healthy).published(published.fp_healthy),
        if is_swim {
            messages.published_within(published.messages, 10.0)
        } else {
            messages.published(published.messages)
        },
        Row::new(name, "datagrams, GiB").plain(bytes).published(published.bytes),
        Row::new(name, "streams, GiB").plain(streams),
    ];
    if !is_swim {
        let percent = counts.sum(&counts.fp).percent_of(swim.sum(&swim.fp));
        let row = Row::new(name, "FP, % of SWIM").plain(percent).published(published.fp_percent);
        rows.push(match configuration {
            Configuration::Lifeguard => row.within(0.0, 4.0),
            Configuration::LhaSuspicion => row.within(2.0, 5.0),
            _ => row,
        });
        let percent = counts.sum(&counts.fp_healthy).percent_of(swim.sum(&swim.fp_healthy));
        let row = Row::new(name, "FP-, % of SWIM").plain(percent);
        rows.push(row.published(100.0 * published.fp_healthy / PUBLISHED[0].1.fp_healthy));
    }
    for (place, subjects) in SUBJECTS.into_iter().enumerate() {
        let of_these: Vec<f64> = counts.of_subjects(subjects).collect();
        let figure = counts.sum(&of_these).scaled(counts.weight);
        let row = Row::new(format!("{name} C={subjects}"), "FP").plain(figure);
        rows.push(match published.by_subjects[place] {
            Some(value) if is_swim => row.published_within(value, 35.0),
            Some(value) => row.published(value),
            None => row.held_back(),
        });
    }
    rows
}

/// What was counted, one entry per run.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    subjects: Vec<usize>,
    pub(super) fp: Vec<f64>,
    pub(super) fp_healthy: Vec<f64>,
    messages: Vec<f64>,
    bytes: Vec<f64>,
    stream_bytes: Vec<f64>,
    /// Runs per cell; those of a cell stand together.
    seeds: usize,
    /// How many published runs each of these stands for.
    weight: f64,
}

impl Counts {
    /// The sum over all runs or all of some cells.
    pub(super) fn sum(&self, samples: &[f64]) -> Figure {
        Figure::stratified_sum(samples, self.seeds)
    }

    fn of_subjects(&self, subjects: usize) -> impl Iterator<Item = f64> {
        let runs = self.subjects.iter().zip(&self.fp);
        runs.filter(move |&(&of, _)| of == subjects).map(|(_, &fp)| fp)
    }
}

/// Runs all cells.
pub(super) fn measure(plan: &Plan, rules: &Rules, name: &str, runs: &mut Vec<Run>) -> Counts {
    let mut jobs = Vec::new();
    for subjects in SUBJECTS {
        for blocked in BLOCKED {
            for free in FREE {
                let (blocked, free) = (blocked * MILLISECOND, free * MILLISECOND);
                for seed in plan.seeds(1, 10) {
                    jobs.push((Anomaly { subjects, blocked, free }, seed));
                }
            }
        }
    }
    let reports = plan.spread(&jobs, |&(anomaly, seed)| interval(rules, anomaly, seed));
    let seeds = jobs.len() / (SUBJECTS.len() * BLOCKED.len() * FREE.len());
    let mut counts =
        Counts { seeds, weight: RUNS as f64 / jobs.len().max(1) as f64, ..Counts::default() };
    for ((anomaly, seed), Report { tally, seconds, .. }) in jobs.into_iter().zip(reports) {
        let Anomaly { subjects, blocked, free } = anomaly;
        runs.push(Run {
            cell: format!(
                "{name} C={subjects} D={} I={}",
                blocked / MILLISECOND,
                free / MILLISECOND
            ),
            seed,
            metrics: vec![
                ("fp", tally.false_positives as f64),
                ("fp_healthy", tally.healthy_false_positives as f64),
                ("datagrams", tally.datagrams as f64),
                ("bytes", tally.bytes as f64),
                ("stream_bytes", tally.stream_bytes as f64),
                ("seconds", seconds),
            ],
        });
        counts.subjects.push(subjects);
        counts.fp.push(tally.false_positives as f64);
        counts.fp_healthy.push(tally.healthy_false_positives as f64);
        counts.messages.push(tally.datagrams as f64);
        counts.bytes.push(tally.bytes as f64);
        counts.stream_bytes.push(tally.stream_bytes as f64);
    }
    counts
}

#[derive(Clone, Copy, Debug)]
struct Published {
    fp: f64,
    fp_healthy: f64,
    fp_percent: f64,
    messages: f64,
    bytes: f64,
    by_subjects: [Option<f64>; 9],
}

const fn published(counts: [f64; 5], by_subjects: [Option<f64>; 9]) -> Published {
    let [fp, fp_healthy, fp_percent, messages, bytes] = counts;
    Published { fp, fp_healthy, fp_percent, messages, bytes, by_subjects }
}

/// Per row FP, FP-, FP in percent of SWIM, messages in millions, GiB.
const PUBLISHED: [(Configuration, Published); 5] = [
    (
        Configuration::Swim,
        published(
            [339_002.0, 1_326.0, 100.0, 435.33, 149.15],
            [
                Some(906.0),
                Some(5_973.0),
                None,
                Some(23_147.0),
                None,
                Some(45_485.0),
                None,
                Some(77_069.0),
                Some(81_670.0),
            ],
        ),
    ),
    (Configuration::LhaProbe, published([229_574.0, 436.0, 67.72, 428.62, 134.28], [None; 9])),
    (Configuration::LhaSuspicion, published([10_174.0, 89.0, 3.00, 484.55, 158.87], [None; 9])),
    (Configuration::Buddy, published([318_935.0, 591.0, 94.08, 435.62, 147.67], [None; 9])),
    (
        Configuration::Lifeguard,
        published(
            [5_193.0, 25.0, 1.53, 481.42, 146.13],
            [
                Some(18.0),
                Some(143.0),
                None,
                Some(224.0),
                None,
                Some(751.0),
                None,
                Some(1_335.0),
                Some(1_197.0),
            ],
        ),
    ),
];

/// How long members are free between two blocks, in milliseconds (I).
const FREE: [u64; 8] = [1, 4, 16, 64, 256, 1_024, 4_096, 16_384];

/// Runs per configuration, as published.
const RUNS: usize = SUBJECTS.len() * BLOCKED.len() * FREE.len() * 10;

const QUICK: &str = " Quick: all cells with seed 1 only, sums times 10; percentages of few events \
                     scatter.";
