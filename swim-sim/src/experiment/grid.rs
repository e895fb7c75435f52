//! The cells of the Lifeguard paper's experiments, run with whatever is put into the anomaly.

use super::{outcome::Run, plan::Plan};
use crate::{
    measure::Figure,
    reference::memberlist::{Anomaly, MILLISECOND, Report},
};

/// Cells: every number of members with every length of a block and of the time between.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    /// How many members are blocked (C).
    pub(super) subjects: &'static [usize],
    /// For how long, in milliseconds (D).
    pub(super) blocked: &'static [u64],
    /// How long they are free between two blocks, in milliseconds (I).
    pub(super) free: &'static [u64],
}

/// One run of one cell.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    pub(super) anomaly: Anomaly,
    pub(super) report: Report,
}

/// What is put into an anomaly: gives the report of one run with one seed.
pub(super) type Subject<'a> = &'a (dyn Fn(Anomaly, u64) -> Report + Sync);

impl Grid {
    /// LG1: one block per run.
    pub(super) const THRESHOLD: Self = Self { subjects: &SUBJECTS, blocked: &BLOCKED, free: &[0] };
    /// LG2: block after block.
    pub(super) const INTERVAL: Self = Self { subjects: &SUBJECTS, blocked: &BLOCKED, free: &FREE };
    /// Some of LG1: blocks that are long enough to be detected.
    pub(super) const SOME_THRESHOLDS: Self =
        Self { subjects: &[4, 16], blocked: &[16_384, 32_768], free: &[0] };
    /// Some of LG2: its corners and what lies between.
    pub(super) const SOME_INTERVALS: Self = Self {
        subjects: &[4, 12, 32],
        blocked: &[512, 8_192, 16_384, 32_768],
        free: &[1, 64, 1_024],
    };

    /// How many cells there are.
    pub(super) const fn len(&self) -> usize {
        self.subjects.len() * self.blocked.len() * self.free.len()
    }

    /// Runs all cells with the seeds of the plan; the runs of a cell stand together.
    pub(super) fn run(
        &self,
        plan: &Plan,
        (quick, full): (u64, u64),
        (name, subject): (&str, Subject<'_>),
        runs: &mut Vec<Run>,
    ) -> Vec<Trial> {
        let mut jobs = Vec::new();
        for &subjects in self.subjects {
            for blocked in self.blocked {
                for free in self.free {
                    let (blocked, free) = (blocked * MILLISECOND, free * MILLISECOND);
                    for seed in plan.seeds(quick, full) {
                        jobs.push((Anomaly { subjects, blocked, free }, seed));
                    }
                }
            }
        }
        let reports = plan.spread(&jobs, |&(anomaly, seed)| subject(anomaly, seed));
        let trials = jobs.into_iter().zip(reports).map(|((anomaly, seed), report)| {
            runs.push(line(name, anomaly, seed, &report));
            Trial { anomaly, report }
        });
        trials.collect()
    }
}

fn line(name: &str, anomaly: Anomaly, seed: u64, report: &Report) -> Run {
    let Anomaly { subjects, blocked, free } = anomaly;
    let (blocked, free) = (blocked / MILLISECOND, free / MILLISECOND);
    let tally = &report.tally;
    Run {
        cell: format!("{name} C={subjects} D={blocked} I={free}"),
        seed,
        metrics: vec![
            ("detected", report.first.len() as f64),
            ("first_median", Figure::percentile(&report.first, 0.5).value),
            ("full_median", Figure::percentile(&report.full, 0.5).value),
            ("fp", tally.false_positives as f64),
            ("fp_healthy", tally.healthy_false_positives as f64),
            ("datagrams", tally.datagrams as f64),
            ("bytes", tally.bytes as f64),
            ("stream_bytes", tally.stream_bytes as f64),
            ("seconds", report.seconds),
        ],
    }
}

pub(super) const SUBJECTS: [usize; 9] = [1, 4, 8, 12, 16, 20, 24, 28, 32];
const BLOCKED: [u64; 6] = [128, 512, 2_048, 8_192, 16_384, 32_768];
const FREE: [u64; 8] = [1, 4, 16, 64, 256, 1_024, 4_096, 16_384];
