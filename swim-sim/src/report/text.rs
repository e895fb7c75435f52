//! For people at a terminal and in the log of a CI job.

use std::{
    fmt::{self, Write as _},
    time::Duration,
};

use crate::{
    scenario::{Outcome, Scenario},
    span,
};

/// What came of the runs of a scenario. `again` is the command that repeats a run, without the
/// seed.
#[must_use]
pub fn text(scenario: &Scenario, outcomes: &[Outcome], again: &str) -> String {
    let mut text = String::new();
    write(&mut text, scenario, outcomes, again).expect("writing to a text does not fail");
    text
}

fn write(
    text: &mut String,
    scenario: &Scenario,
    outcomes: &[Outcome],
    again: &str,
) -> Result<(), fmt::Error> {
    let Scenario { title, nodes, length, .. } = scenario;
    let length = span::short(*length);
    writeln!(text, "{title}: {nodes} nodes for {length} of virtual time")?;
    for outcome in outcomes {
        let is_alone = outcomes.len() == 1;
        if is_alone || !outcome.is_passed() {
            writeln!(text)?;
            one(text, outcome)?;
        }
        if !outcome.is_passed() {
            writeln!(text, "  repeat: {again} --seed {}", outcome.seed)?;
        }
    }
    writeln!(text)?;
    let passed = outcomes.iter().filter(|outcome| outcome.is_passed()).count();
    let all = outcomes.len();
    let what = if all == 1 { "seed" } else { "seeds" };
    if passed == all {
        writeln!(text, "passed: {all} {what}, {} expectations each", scenario.expected.len())?;
    } else {
        writeln!(text, "FAILED: {} of {all} {what}", all - passed)?;
    }
    Ok(())
}

fn one(text: &mut String, outcome: &Outcome) -> Result<(), fmt::Error> {
    writeln!(text, "seed {}", outcome.seed)?;
    if let Some(violation) = &outcome.violation {
        writeln!(text, "  VIOLATED  {violation}")?;
    }
    let width = outcome.verdicts.iter().map(|it| it.expected.chars().count()).max().unwrap_or(0);
    for verdict in &outcome.verdicts {
        let mark = if verdict.is_met { "ok    " } else { "FAILED" };
        let (expected, found) = (&verdict.expected, &verdict.found);
        writeln!(text, "  {mark}  {expected:width$}  {found}")?;
        if !verdict.is_met {
            writeln!(text, "          expected in line {}", verdict.line)?;
        }
    }
    let record = &outcome.record;
    let rate = record.traffic(Duration::ZERO, record.length).unwrap_or_default();
    let false_failures = record.failures.iter().filter(|failure| failure.is_false).count();
    writeln!(
        text,
        "  sent {rate:.0} B/s per node; {} failures declared, {false_failures} of them false",
        record.failures.len()
    )?;
    for (what, spans) in [("broadcasts", &record.arrivals), ("updates", &record.updates)] {
        if let Some(line) = quantiles(spans) {
            writeln!(text, "  {what} arrived after {line}")?;
        }
    }
    if let Some(digest) = outcome.digest {
        writeln!(text, "  trace digest {digest:016x}, {} steps", outcome.steps)?;
    }
    Ok(())
}

/// Half, 99 % and all of these spans are at most so long; `None` if there are none.
#[must_use]
pub fn quantiles(spans: &[Duration]) -> Option<String> {
    let mut sorted = spans.to_vec();
    sorted.sort_unstable();
    let last = sorted.len().checked_sub(1)?;
    let [half, most, all] = [last / 2, last * 99 / 100, last].map(|at| span::short(sorted[at]));
    Some(format!("{half} (half), {most} (99 %), {all} (all {})", sorted.len()))
}
