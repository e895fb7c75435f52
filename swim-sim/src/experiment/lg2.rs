//! LG2: healthy members failed by members that are blocked again and again.

use super::{
    grid::{Grid, SUBJECTS, Subject, Trial},
    ours::Ours,
    outcome::{Bar, Outcome, Row, Run},
    plan::{Experiment, Plan},
};
use crate::{
    measure::Figure,
    reference::memberlist::{Configuration, Flavour, Rules, interval},
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
        "128 members, memberlist in the TASK flavour. All {} cells, seeds {}, sums as of 10 seeds; \
         percentages of few events scatter.",
        Grid::INTERVAL.len(),
        plan.said(3, 10)
    ));
    let mut swim: Option<Counts> = None;
    for (configuration, published) in PUBLISHED {
        let rules = Rules::new(configuration, 128);
        let subject: Subject<'_> = &|anomaly, seed| interval(&rules, anomaly, seed);
        let subject = (configuration.name(), subject);
        let trials = Grid::INTERVAL.run(plan, (3, 10), subject, &mut outcome.runs);
        let counts = Counts::of(&trials, Grid::INTERVAL.len());
        let swim = swim.get_or_insert_with(|| counts.clone());
        let rows = rows(configuration, &published, &counts, swim);
        outcome.rows.extend(rows);
    }
    let grid = plan.choose(Grid::SOME_INTERVALS, Grid::INTERVAL);
    outcome.notes.push(format!(
        "HOLD and STALL: plain is SWIM in that flavour, shipped is our core as it comes. {} of {} \
         cells (C {:?}, D {:?} ms, I {:?} ms), seeds {}, sums over these.",
        grid.len(),
        Grid::INTERVAL.len(),
        grid.subjects,
        grid.blocked,
        grid.free,
        plan.said(1, 10)
    ));
    for flavour in [Flavour::Hold, Flavour::Stall] {
        let rows = bars(plan, grid, flavour, &mut outcome.runs);
        outcome.rows.extend(rows);
    }
    outcome
}

/// Our core beside SWIM in one flavour.
fn bars(plan: &Plan, grid: Grid, flavour: Flavour, runs: &mut Vec<Run>) -> Vec<Row> {
    let rules = Rules::new(Configuration::Swim, 128).in_flavour(flavour);
    let core = Ours::shipped(flavour);
    let swim: Subject<'_> = &|anomaly, seed| interval(&rules, anomaly, seed);
    let ours: Subject<'_> = &|anomaly, seed| core.interval(anomaly, seed);
    let name = flavour.name();
    let swim = grid.run(plan, (1, 10), (&format!("SWIM {name}"), swim), runs);
    let ours = grid.run(plan, (1, 10), (&format!("shipped {name}"), ours), runs);
    let (swim, ours) = (Counts::of(&swim, grid.len()), Counts::of(&ours, grid.len()));
    let sums = |metric, of: fn(&Counts) -> Figure| {
        Row::new(name, metric).plain(of(&swim)).shipped(of(&ours))
    };
    let percent = |metric, of: fn(&Counts) -> Figure, most| {
        let row = Row::new(name, metric).shipped(percent(of(&ours), of(&swim)));
        row.bar(Bar::AtMost(most)).harmless(of(&swim).value == 0.0)
    };
    let none_of_few = sums("FP- for C <= 12", Counts::fp_healthy_of_few).bar(Bar::AtMost(0.0));
    vec![
        sums("FP", Counts::fp),
        sums("FP-", Counts::fp_healthy),
        sums("messages", |counts| counts.sum(&counts.messages)),
        sums("datagrams, B", |counts| counts.sum(&counts.bytes)),
        sums("streams, B", |counts| counts.sum(&counts.stream_bytes)),
        percent("FP, % of SWIM", Counts::fp, 0.5),
        percent("FP-, % of SWIM", Counts::fp_healthy, 1.0),
        none_of_few.harmless(swim.fp_healthy_of_few().value == 0.0),
        percent("messages, %", |counts| counts.sum(&counts.messages), 100.0),
        percent("bytes, %", |counts| counts.sum(&counts.bytes), 90.0),
    ]
}

/// In percent; nothing is nothing, whatever it is compared with.
pub(super) fn percent(figure: Figure, other: Figure) -> Figure {
    if figure.value == 0.0 { figure } else { figure.percent_of(other) }
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
    fp: Vec<f64>,
    fp_healthy: Vec<f64>,
    messages: Vec<f64>,
    bytes: Vec<f64>,
    stream_bytes: Vec<f64>,
    /// Runs per cell; those of a cell stand together.
    seeds: usize,
    /// How many published runs each of these stands for.
    weight: f64,
}

impl Counts {
    /// Of runs in so many cells.
    pub(super) fn of(trials: &[Trial], cells: usize) -> Self {
        let all = |of: fn(&Trial) -> u64| trials.iter().map(|trial| of(trial) as f64).collect();
        Self {
            subjects: trials.iter().map(|trial| trial.anomaly.subjects).collect(),
            fp: all(|trial| trial.report.tally.false_positives),
            fp_healthy: all(|trial| trial.report.tally.healthy_false_positives),
            messages: all(|trial| trial.report.tally.datagrams),
            bytes: all(|trial| trial.report.tally.bytes),
            stream_bytes: all(|trial| trial.report.tally.stream_bytes),
            seeds: trials.len() / cells,
            weight: RUNS as f64 / trials.len().max(1) as f64,
        }
    }

    /// All false positives.
    pub(super) fn fp(&self) -> Figure {
        self.sum(&self.fp)
    }

    /// Those at healthy members.
    pub(super) fn fp_healthy(&self) -> Figure {
        self.sum(&self.fp_healthy)
    }

    /// Those at healthy members where few are blocked.
    fn fp_healthy_of_few(&self) -> Figure {
        let runs = self.subjects.iter().zip(&self.fp_healthy);
        let few: Vec<f64> = runs.filter(|&(&of, _)| of <= 12).map(|(_, &fp)| fp).collect();
        self.sum(&few)
    }

    /// The sum over all runs or all of some cells.
    fn sum(&self, samples: &[f64]) -> Figure {
        Figure::stratified_sum(samples, self.seeds)
    }

    fn of_subjects(&self, subjects: usize) -> impl Iterator<Item = f64> {
        let runs = self.subjects.iter().zip(&self.fp);
        runs.filter(move |&(&of, _)| of == subjects).map(|(_, &fp)| fp)
    }
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

/// Runs per configuration, as published.
const RUNS: usize = Grid::INTERVAL.len() * 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{outcome::Verdict, plan::Scale};

    fn plan() -> Plan {
        Plan { seeds: Some(1..=1), threads: 2, ..Plan::new(Scale::Quick) }
    }

    #[test]
    fn lg2_lifeguard_fails_few_of_those_that_swim_fails() {
        let grid =
            Grid { subjects: &[4, 12, 32], blocked: &[8_192, 16_384, 32_768], free: &[1, 64] };
        let counted = [0, 2, 4].map(|place| {
            let (configuration, published) = PUBLISHED[place];
            let rules = Rules::new(configuration, 128);
            let subject: Subject<'_> = &|anomaly, seed| interval(&rules, anomaly, seed);
            let trials = grid.run(&plan(), (1, 1), (configuration.name(), subject), &mut vec![]);
            (configuration, published, Counts::of(&trials, grid.len()))
        });
        let swim = &counted[0].2;
        assert!(swim.fp().value > 1_000.0, "{swim:?}");
        // The bands are those of all cells. In these few, percentages scatter by as much as they
        // are, and the shape is what holds.
        for (configuration, published, counts) in &counted[1..] {
            let rows = rows(*configuration, published, counts, swim);
            let row = rows.iter().find(|row| row.metric == "FP, % of SWIM").expect("it is there");
            assert!(row.plain.is_some_and(|percent| percent.value < 10.0), "{row:?}");
        }
    }

    #[test]
    fn lg2_our_core_reaches_its_bars_of_failures_where_links_are_slow() {
        let grid = Grid { subjects: &[12], blocked: &[8_192, 16_384], free: &[64] };
        let rows = bars(&plan(), grid, Flavour::Hold, &mut Vec::new());
        let of_failures = rows.iter().filter(|row| row.metric.starts_with("FP"));
        let verdicts: Vec<_> = of_failures.filter_map(Row::verdict).collect();
        assert_eq!(verdicts, [Verdict::Met; 3], "{rows:#?}");
    }

    #[test]
    fn lg2_where_swim_fails_nobody_there_is_nothing_to_meet() {
        let grid = Grid { subjects: &[4], blocked: &[512], free: &[1_024] };
        let rows = bars(&plan(), grid, Flavour::Stall, &mut Vec::new());
        let of_failures = rows.iter().filter(|row| row.metric.starts_with("FP"));
        let verdicts: Vec<_> = of_failures.filter_map(Row::verdict).collect();
        assert_eq!(verdicts, [Verdict::Vacuous; 3], "{rows:#?}");
    }
}
