//! RA2: ten members crash at once, and nobody else may notice more than that.

use super::{
    outcome::{Bar, Outcome, Published, Row, Run},
    plan::{Experiment, Plan},
    trial::{Agreement, Load, Trial},
};
use crate::{
    measure::Figure,
    reference::memberlist::{self, Rules},
};

/// The experiment.
pub const EXPERIMENT: Experiment = Experiment {
    id: "ra2",
    title: "Ten crashes at once",
    source: "Rapid (ATC 2018), figure 8",
    measures: "seconds from the crash until all count so many members less",
    run,
};

fn run(plan: &Plan) -> Outcome {
    let mut outcome = Outcome::new(EXPERIMENT.id);
    outcome.notes.push(
        "10 of N members crash. Published: memberlist, 1,000 real processes; Rapid goes from 1,000 \
         to 990 in one step, some 10 s later than memberlist. Plain: memberlist's model.\n\
         A suspicion lasts 4 log10(N) s at least, 12 s at 1,000, as in memberlist: no bar below \
         13 s can be met with the settings of a LAN. The cell with suspicion_mult=2 shows what \
         half of it would give."
            .into(),
    );
    for (n, quick, full, bar) in SIZES {
        if quick == 0 && plan.is_quick() {
            outcome.notes.push(format!("N={n} is left to --full."));
            continue;
        }
        // Two worlds of this size at a time would take twice the memory.
        let threads = if n > LARGE { 1 } else { plan.threads };
        let plan = Plan { threads, ..plan.clone() };
        let seeds: Vec<u64> = plan.seeds(quick, full).collect();
        let length = plan.choose(60, 300);
        let found = plan.spread(&seeds, |&seed| crash(n, seed, length));
        add(&mut outcome, &format!("N={n}"), Some(bar), &seeds, &found);
        if n == 1_000 {
            compare(&plan, &mut outcome, &seeds, length);
            let found = plan.spread(&seeds, |&seed| {
                fail(Trial::with(n, CRASHES, seed, |options| options.suspicion_mult = 2), length)
            });
            add(&mut outcome, "N=1000 suspicion_mult=2", None, &seeds, &found);
        }
    }
    outcome
}

/// Adds what was found of one cluster; `bar` is there for the settings we ship.
fn add(outcome: &mut Outcome, cell: &str, bar: Option<f64>, seeds: &[u64], found: &[Crash]) {
    let of = |of: fn(&Crash) -> f64| found.iter().map(of).collect::<Vec<_>>();
    let removed = of(|crash| crash.false_removals as f64);
    let counts = of(|crash| crash.counts as f64);
    let agreed = of(|crash| crash.agreement.map_or(f64::NAN, |it| it.last));
    let spread = of(|crash| crash.agreement.map_or(f64::NAN, |it| it.last - it.first));
    let changing = of(|crash| crash.agreement.map_or(f64::NAN, |it| it.last - it.first_change));
    outcome.runs.extend(seeds.iter().enumerate().map(|(place, &seed)| Run {
        cell: cell.to_owned(),
        seed,
        metrics: vec![
            ("agreed", agreed[place]),
            ("spread", spread[place]),
            ("changing", changing[place]),
            ("counts", counts[place]),
            ("false_removals", removed[place]),
        ],
    }));
    let latest = Row::new(cell, "all agree, worst, s").shipped(Figure::percentile(&agreed, 1.0));
    let spread = Row::new(cell, "first to last to agree, worst, s")
        .shipped(Figure::percentile(&spread, 1.0));
    let removed = Row::new(cell, "healthy members removed").shipped(Figure::sum(&removed));
    outcome.rows.extend([
        Row::new(cell, AGREED).shipped(Figure::mean(&agreed)),
        bar.map_or(latest.clone(), |bar| latest.bar(Bar::AtMost(bar))),
        bar.map_or(spread.clone(), |_| spread.bar(Bar::AtMost(1.0))),
        Row::new(cell, CHANGING).shipped(Figure::mean(&changing)),
        Row::new(cell, COUNTS).shipped(Figure::mean(&counts)),
        bar.map_or(removed.clone(), |_| removed.bar(Bar::AtMost(0.0))),
    ]);
}

/// Puts memberlist beside ours: what was published, and what its model gives.
fn compare(plan: &Plan, outcome: &mut Outcome, seeds: &[u64], length: u64) {
    let rules = Rules::lifeguard(4.0, 6.0, 1_000);
    let models = plan.spread(seeds, |&seed| memberlist::crash(&rules, CRASHES, length, seed));
    let agreed: Vec<f64> = models.iter().map(|it| it.agreed.unwrap_or(f64::NAN)).collect();
    let changing: Vec<f64> =
        models.iter().zip(&agreed).map(|(it, agreed)| agreed - it.first_change).collect();
    for (metric, published, plain) in [
        (AGREED, None, Some(Figure::mean(&agreed))),
        (CHANGING, Some(1.6), Some(Figure::mean(&changing))),
        (COUNTS, Some(11.0), None),
    ] {
        let Some(row) = outcome.row_mut("N=1000", metric) else { continue };
        row.plain = plain;
        row.published = published.map_or(Published::Nothing, Published::Value);
    }
}

/// What came of a run.
#[derive(Clone, Debug)]
pub(super) struct Crash {
    pub(super) agreement: Option<Agreement>,
    /// Different counts of live members seen.
    pub(super) counts: usize,
    pub(super) false_removals: u64,
    /// Of each process that runs and each second.
    pub(super) loads: Vec<Load>,
}

/// Ten of so many members crash; so many seconds go by.
pub(super) fn crash(n: usize, seed: u64, seconds: u64) -> Crash {
    fail(Trial::new(n, CRASHES, seed), seconds)
}

fn fail(mut trial: Trial, seconds: u64) -> Crash {
    let n = trial.world.members();
    for host in trial.faulty() {
        trial.world.crash(host);
    }
    trial.run(seconds);
    Crash {
        agreement: trial.agreement(n - CRASHES),
        counts: trial.different_counts(),
        false_removals: trial.false_removals().0,
        loads: trial.loads().to_vec(),
    }
}

const AGREED: &str = "all agree, mean, s";
const CHANGING: &str = "first to last change, mean, s";
const COUNTS: &str = "different counts, mean";

/// How many members crash.
pub(super) const CRASHES: usize = 10;

/// More members than this take gigabytes.
pub(super) const LARGE: usize = 5_000;

/// Members, seeds of the short and of the whole version, and within how many seconds all must
/// agree.
const SIZES: [(usize, u64, u64, f64); 3] =
    [(1_000, 10, 20, 10.0), (5_000, 2, 5, 12.0), (10_000, 0, 2, 12.0)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_of_a_hundred_crash_and_nobody_else_is_harmed() {
        let found = crash(100, 1, 30);
        let agreement = found.agreement.expect("they agree");
        // 4 log10(100) = 8 s, and a second until the probe has failed.
        assert!((9.0..16.0).contains(&agreement.last), "{agreement:?}");
        assert!(agreement.last - agreement.first < 1.0, "{agreement:?}");
        assert!(agreement.first_change < agreement.first, "{agreement:?}");
        assert_eq!((found.false_removals, found.loads.len()), (0, 90 * 30));
        assert!((2..=11).contains(&found.counts), "{}", found.counts);
        let other = crash(100, 1, 30);
        assert_eq!((other.agreement, &other.loads), (found.agreement, &found.loads));
    }
}
