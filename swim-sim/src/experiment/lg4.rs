//! LG4: members that get the processor for a moment now and then, as on a crowded machine.

use super::{
    ours::Ours,
    outcome::{Bar, Outcome, Row, Run},
    plan::{Experiment, Plan},
};
use crate::{
    measure::Figure,
    reference::memberlist::{
        Configuration, Flavour, MILLISECOND, Report, Rules, Starvation, starved,
    },
};

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    id: "lg4",
    title: "CPU exhaustion: members that run 4 ms in 512",
    source: "Lifeguard (arXiv 1707.00788), figure 1",
    measures: "false positives at all members (FP) and at healthy ones (FP-), per run",
    run,
};

fn run(plan: &Plan) -> Outcome {
    let mut outcome = Outcome::new(EXPERIMENT.id);
    outcome.notes.push(format!(
        "100 members, 300 s; starved ones stand still for 508 ms and run for 4, each at a phase of \
         its own, and take 100 to 300 us for a packet (our core: drawn anew for each turn). Plain \
         is the model in the STALL flavour. Published figures are held back. Seeds {}.",
        plan.said(3, 20)
    ));
    outcome.notes.push(
        "A member that stands still for 508 ms answers within the second that a probe has: then \
         nobody is suspected. So the same again with 2,044 ms, which nothing was published about."
            .into(),
    );
    for (name, stands) in [("", 508), (", 2 s", 2_044)] {
        for subjects in STARVED {
            let stands = stands * MILLISECOND;
            let starvation = Starvation { subjects, stands, ..Starvation::PUBLISHED };
            measure(plan, &mut outcome, &format!("s={subjects}{name}"), starvation);
        }
    }
    outcome
}

/// One cell: SWIM, Lifeguard, our core.
fn measure(plan: &Plan, outcome: &mut Outcome, cell: &str, starvation: Starvation) {
    let seeds: Vec<u64> = plan.seeds(3, 20).collect();
    let mean = |reports: &[Report], of: fn(&Report) -> u64| {
        Figure::mean(&reports.iter().map(|report| of(report) as f64).collect::<Vec<_>>())
    };
    let is_published = starvation.stands == Starvation::PUBLISHED.stands;
    let mut harm = [0.0; METRICS.len()];
    for configuration in [Configuration::Swim, Configuration::Lifeguard] {
        let rules = Rules::new(configuration, MEMBERS).in_flavour(Flavour::Stall);
        let model = plan.spread(&seeds, |&seed| starved(&rules, starvation, seed));
        let cell = format!("{} {cell}", configuration.name());
        note(&mut outcome.runs, &cell, &seeds, &model);
        for (harm, (metric, of, _)) in harm.iter_mut().zip(METRICS) {
            let figure = mean(&model, of);
            *harm += figure.value;
            let row = Row::new(&cell, metric).plain(figure);
            outcome.rows.push(if is_published { row.held_back() } else { row });
        }
    }
    let core = Ours::shipped(Flavour::Stall);
    let ours = plan.spread(&seeds, |&seed| core.starved(starvation, seed));
    let cell = format!("shipped {cell}");
    note(&mut outcome.runs, &cell, &seeds, &ours);
    for (harm, (metric, of, safe)) in harm.into_iter().zip(METRICS) {
        let row = Row::new(&cell, metric).shipped(mean(&ours, of)).harmless(harm == 0.0);
        let is_judged = is_published && starvation.subjects <= safe;
        outcome.rows.push(if is_judged { row.bar(Bar::AtMost(0.0)) } else { row });
    }
}

fn note(runs: &mut Vec<Run>, cell: &str, seeds: &[u64], reports: &[Report]) {
    runs.extend(seeds.iter().zip(reports).map(|(&seed, report)| Run {
        cell: cell.to_owned(),
        seed,
        metrics: vec![
            ("fp", report.tally.false_positives as f64),
            ("fp_healthy", report.tally.healthy_false_positives as f64),
            ("detected", report.first.len() as f64),
            ("datagrams", report.tally.datagrams as f64),
            ("bytes", report.tally.bytes as f64),
        ],
    }));
}

type Metric = (&'static str, fn(&Report) -> u64, usize);

/// Name, figure, and up to how many starved members our core must not have any.
const METRICS: [Metric; 2] = [
    ("FP", |report| report.tally.false_positives, 16),
    ("FP-", |report| report.tally.healthy_false_positives, 32),
];

/// How many members are starved (s).
const STARVED: [usize; 6] = [1, 2, 4, 8, 16, 32];

const MEMBERS: usize = 100;
