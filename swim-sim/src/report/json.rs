//! For programs. The fields are described in `swim-sim/README.md`; none is ever renamed, further
//! ones may come.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    record::{Record, Sample},
    scenario::{Outcome, Scenario},
};

/// What came of the runs of a scenario. `again` is the command that repeats a run, without the
/// seed.
#[must_use]
pub fn json(scenario: &Scenario, outcomes: &[Outcome], again: &str) -> Value {
    let is_passed = outcomes.iter().all(Outcome::is_passed);
    json!({
        "scenario": scenario.title,
        "nodes": scenario.nodes,
        "length_s": scenario.length.as_secs_f64(),
        "passed": is_passed,
        "runs": outcomes.iter().map(|outcome| run(outcome, again)).collect::<Vec<_>>(),
    })
}

fn run(outcome: &Outcome, again: &str) -> Value {
    let expectations = outcome.verdicts.iter().map(|verdict| {
        json!({
            "line": verdict.line,
            "expected": verdict.expected,
            "passed": verdict.is_met,
            "took_s": verdict.took.map(|took| took.as_secs_f64()),
            "found": verdict.found,
        })
    });
    let record = &outcome.record;
    let failures = record.failures.iter().map(|failure| {
        json!({
            "at_s": failure.at.as_secs_f64(),
            "observer": failure.observer,
            "subject": failure.subject,
            "false": failure.is_false,
        })
    });
    json!({
        "seed": outcome.seed,
        "passed": outcome.is_passed(),
        "repeat": format!("{again} --seed {}", outcome.seed),
        "violation": outcome.violation.as_ref().map(ToString::to_string),
        "expectations": expectations.collect::<Vec<_>>(),
        "failures": failures.collect::<Vec<_>>(),
        "bytes_per_second_per_node": record.traffic(Duration::ZERO, record.length),
        "broadcast_arrivals_s": seconds(&record.arrivals),
        "update_arrivals_s": seconds(&record.updates),
        "steps": outcome.steps,
        "trace_digest": outcome.digest.map(|digest| format!("{digest:016x}")),
        "samples": samples(record),
    })
}

/// The samples as columns, which take a tenth of the room of rows.
pub(super) fn samples(record: &Record) -> Value {
    fn column<T: Into<Value>>(record: &Record, of: impl Fn(&Sample) -> T) -> Value {
        record.samples.iter().map(|sample| of(sample).into()).collect()
    }
    json!({
        "at_s": column(record, |sample| sample.at.as_secs_f64()),
        "members": column(record, |sample| sample.members),
        "settled": column(record, |sample| sample.settled),
        "known": column(record, |sample| sample.known),
        "suspicions": column(record, |sample| sample.suspicions),
        "packets": column(record, |sample| sample.packets),
        "packet_bytes": column(record, |sample| sample.packet_bytes),
        "stream_bytes": column(record, |sample| sample.stream_bytes),
        "lost": column(record, |sample| sample.lost),
    })
}

pub(super) fn seconds(spans: &[Duration]) -> Vec<f64> {
    spans.iter().map(Duration::as_secs_f64).collect()
}
