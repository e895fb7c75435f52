//! An outcome as a page for browsers.

use std::collections::BTreeMap;

use crate::report::{Part, Sheet, Shown, Strip};

use super::{
    outcome::{Band, Bar, Outcome, Published, Row, Verdict},
    plan::Experiment,
    table,
};

/// A page about an outcome. `again` is the command that measures it again.
#[must_use]
pub fn sheet(experiment: &Experiment, outcome: &Outcome, again: &str) -> Sheet {
    let count = |of: fn(&&Row) -> bool| outcome.rows.iter().filter(of).count().to_string();
    let tiles = [
        ("Inside their band", count(|row| row.fidelity() == Some(true))),
        ("outside", count(|row| row.fidelity() == Some(false))),
        ("Bars met", count(|row| row.verdict() == Some(Verdict::Met))),
        ("missed", count(|row| row.verdict() == Some(Verdict::Missed))),
        ("met vacuously", count(|row| row.verdict() == Some(Verdict::Vacuous))),
        ("Runs", outcome.runs.len().to_string()),
    ];
    let mut parts: Vec<Part> = strips(outcome).into_iter().flatten().collect();
    parts.extend(spreads(outcome).into_iter().flatten());
    parts.extend(Part::new("All figures", figures(outcome)));
    let Experiment { id, title, source, .. } = experiment;
    let notes = outcome.notes.iter().map(|note| format!("\n\n{note}"));
    Sheet {
        title: format!("{id}: {title}"),
        about: format!("{source}{}", notes.collect::<String>()),
        again: again.into(),
        passed: outcome.is_faithful() && outcome.meets_bars(),
        tiles: tiles.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        parts,
    }
}

/// A picture for each metric, in the order in which they come up.
fn strips(outcome: &Outcome) -> Vec<Option<Part>> {
    let mut metrics: Vec<&str> = Vec::new();
    for row in &outcome.rows {
        if !metrics.contains(&row.metric) {
            metrics.push(row.metric);
        }
    }
    let part = |metric: &&str| {
        let rows = outcome.rows.iter().filter(|row| row.metric == *metric).map(strip).collect();
        Part::new(*metric, Shown::Strips { rows })
    };
    metrics.iter().map(part).collect()
}

fn strip(row: &Row) -> Strip {
    let cells = table::columns(row);
    let named = table::HEAD.iter().zip(&cells).skip(2);
    let more = named.filter(|(_, cell)| !matches!(cell.as_str(), "" | "-"));
    Strip {
        cell: row.cell.clone(),
        published: match row.published {
            Published::Value(value) => Some(value),
            Published::Nothing | Published::HeldBack => None,
        },
        plain: row.plain.map(|figure| figure.value).filter(|value| value.is_finite()),
        low: row.band.map(|Band { low, .. }| low),
        high: row.band.map(|Band { high, .. }| high),
        shipped: row.shipped.map(|figure| figure.value).filter(|value| value.is_finite()),
        bar: row.bar.map(|(Bar::AtMost(value) | Bar::AtLeast(value))| value),
        inside: row.fidelity(),
        met: row.verdict().and_then(is_met),
        more: more.map(|(name, cell)| format!("{name}: {cell}")).collect(),
    }
}

/// How the single runs were spread, for each metric of theirs and each cell.
fn spreads(outcome: &Outcome) -> Vec<Option<Part>> {
    let mut metrics: BTreeMap<&str, BTreeMap<&str, Vec<f64>>> = BTreeMap::new();
    for run in &outcome.runs {
        for (metric, value) in run.metrics.iter().filter(|(_, value)| value.is_finite()) {
            let cells = metrics.entry(metric).or_default();
            cells.entry(&run.cell).or_default().push(*value);
        }
    }
    let part = |(metric, cells): (&str, BTreeMap<&str, Vec<f64>>)| {
        let left_out = cells.len().saturating_sub(SERIES_MAX);
        let series = cells.into_iter().map(|(cell, samples)| (cell.to_owned(), samples));
        let shown = Shown::spread(false, series.take(SERIES_MAX).collect());
        let part = Part::new(format!("{metric}, in single runs"), shown)?;
        let left_out = match left_out {
            0 => return Some(part),
            1 => "One cell is left out.".to_owned(),
            more => format!("{more} cells are left out."),
        };
        Some(part.note(left_out))
    };
    metrics.into_iter().map(part).collect()
}

fn figures(outcome: &Outcome) -> Shown {
    let is_good = |row: &Row| match (row.fidelity(), row.verdict().and_then(is_met)) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (None, None) => None,
        _ => Some(true),
    };
    Shown::Table {
        head: table::HEAD.map(String::from).to_vec(),
        rows: outcome.rows.iter().map(|row| table::columns(row).to_vec()).collect(),
        good: outcome.rows.iter().map(is_good).collect(),
    }
}

/// Whether the bar was met, where that says anything.
fn is_met(verdict: Verdict) -> Option<bool> {
    match verdict {
        Verdict::Met => Some(true),
        Verdict::Missed => Some(false),
        Verdict::Vacuous => None,
    }
}

/// More curves than this can't be told apart.
const SERIES_MAX: usize = 5;
