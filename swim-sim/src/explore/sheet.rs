//! A page about a campaign.

use crate::report::{Part, Sheet, Shown};

use super::{campaign::Outcome, verdict::Verdict};

/// A page about a campaign. `about` says what was run; `repeat` is the command that repeats a run.
#[must_use]
pub fn sheet(
    outcome: &Outcome,
    about: &str,
    again: &str,
    repeat: &dyn Fn(&Verdict) -> String,
) -> Sheet {
    let failures: Vec<&Verdict> = outcome.failures().collect();
    let steps: u64 = outcome.verdicts.iter().map(|verdict| verdict.steps).sum();
    let seconds = |of: fn(&Verdict) -> Option<f64>| -> Vec<f64> {
        outcome.verdicts.iter().filter_map(of).collect()
    };
    let lengths = seconds(|it| Some(it.virtual_time.as_secs_f64()));
    let hours = lengths.iter().sum::<f64>() / 3_600.0;
    let tiles = [
        ("Runs", outcome.verdicts.len().to_string()),
        ("of them failed", failures.len().to_string()),
        ("Never exercised", outcome.missing.len().to_string()),
        ("Virtual time", format!("{hours:.1} h")),
        ("Steps checked", steps.to_string()),
    ];
    let agreement =
        Shown::spread(true, vec![("they agree after all is mended".into(), seconds(agreed_in))]);
    let counters = outcome.counters.iter().map(|(name, count)| (name.to_string(), count));
    let missing = outcome.missing.iter().map(|name| (name.clone(), 0));
    let (faults, others): (Vec<_>, Vec<_>) =
        counters.chain(missing).partition(|(name, _)| name.starts_with("fault "));
    let parts = [
        Part::new("What failed", failed(&failures, repeat)),
        Part::new("How long agreement took", agreement),
        Part::new("In how many runs each kind of fault took part", Shown::Bars { bars: faults }),
        Part::new("What was exercised, and how often", Shown::Bars { bars: others })
            .map(|part| part.note("The lengths of bars are logarithmic.")),
        Part::new(
            "How long runs were",
            Shown::spread(true, vec![("virtual time".into(), lengths)]),
        ),
    ];
    Sheet {
        title: "What chance found".into(),
        about: about.into(),
        again: again.into(),
        passed: outcome.is_ok(),
        tiles: tiles.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        parts: parts.into_iter().flatten().collect(),
    }
}

fn agreed_in(verdict: &Verdict) -> Option<f64> {
    verdict.converged_in.map(|span| span.as_secs_f64())
}

fn failed(failures: &[&Verdict], repeat: &dyn Fn(&Verdict) -> String) -> Shown {
    let row = |verdict: &&Verdict| {
        let what = verdict.failure.as_ref().map(ToString::to_string).unwrap_or_default();
        vec![verdict.seed.to_string(), what, repeat(verdict)]
    };
    Shown::Table {
        head: ["seed", "what", "to see it again"].map(String::from).to_vec(),
        rows: failures.iter().map(row).collect(),
        good: vec![Some(false); failures.len()],
    }
}
