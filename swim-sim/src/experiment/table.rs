//! An outcome as text: aligned columns for people, tab separated lines for programs, and JSON.

use std::fmt::Write as _;

use super::outcome::{Band, Bar, Outcome, Published, Row, Verdict};
use crate::measure::Figure;

/// The rows of an outcome in aligned columns, with the notes above and the verdict below.
#[must_use]
pub fn table(outcome: &Outcome) -> String {
    let mut lines = vec![HEAD.map(String::from)];
    lines.extend(outcome.rows.iter().map(columns));
    let widths: [usize; COLUMNS] = std::array::from_fn(|column| {
        lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0)
    });
    let mut text = String::new();
    for note in &outcome.notes {
        text += note;
        text.push('\n');
    }
    for line in &lines {
        let mut written = String::new();
        for (column, (word, width)) in line.iter().zip(widths).enumerate() {
            // Words stand to the left, figures to the right.
            let _ = match column {
                0 | 1 | 6 | 9 => write!(written, "{word:<width$}  "),
                _ => write!(written, "{word:>width$}  "),
            };
        }
        text += written.trim_end();
        text.push('\n');
    }
    text += &verdict(outcome);
    text
}

/// The outcome as one JSON document. Each row says, beside what it holds, whether the plain figure
/// lies in its band (`in_band`), and what the shipped one is worth (`verdict`).
#[must_use]
pub fn json(outcome: &Outcome) -> String {
    let mut document = serde_json::json!(outcome);
    for (nth, row) in outcome.rows.iter().enumerate() {
        let place = &mut document["rows"][nth];
        place["in_band"] = serde_json::json!(row.fidelity());
        place["verdict"] = serde_json::json!(row.verdict());
    }
    format!("{document:#}")
}

/// One line per run, tab separated: experiment, parameters, seed, then name and value of each
/// metric.
#[must_use]
pub fn runs(outcome: &Outcome) -> String {
    let mut text = String::new();
    for run in &outcome.runs {
        let _ = write!(text, "{}\t{}\t{}", outcome.id, run.cell, run.seed);
        for (name, value) in &run.metrics {
            let _ = write!(text, "\t{name}={value}");
        }
        text.push('\n');
    }
    text
}

/// The last line: what was missed, of how many.
fn verdict(outcome: &Outcome) -> String {
    let bands = |wanted| outcome.rows.iter().filter(|row| row.fidelity() == Some(wanted)).count();
    let bars = |wanted| outcome.rows.iter().filter(|row| row.verdict() == Some(wanted)).count();
    let (outside, missed) = (bands(false), bars(Verdict::Missed));
    format!(
        "{}: {outside} of {} bands missed, {missed} of {} bars missed; {} more bars met vacuously, \
         {} of ours not measured\n",
        outcome.id,
        outside + bands(true),
        missed + bars(Verdict::Met),
        bars(Verdict::Vacuous),
        outcome.rows.iter().filter(|row| row.bar.is_some() && row.shipped.is_none()).count(),
    )
}

/// The cells of a row.
pub(super) fn columns(row: &Row) -> [String; COLUMNS] {
    let number = |figure: Option<Figure>| figure.map_or(String::from("-"), |it| short(it.value));
    let margin = |figure: Option<Figure>| figure.map_or(String::new(), |it| short(it.margin));
    let samples = row.plain.or(row.shipped).map_or(0, |figure| figure.samples);
    [
        row.cell.clone(),
        row.metric.to_owned(),
        match row.published {
            Published::Nothing => String::from("-"),
            Published::Value(value) => short(value),
            Published::HeldBack => String::from("held back"),
        },
        row.band
            .map_or(String::new(), |Band { low, high }| format!("{}..{}", short(low), short(high))),
        number(row.plain),
        margin(row.plain),
        match row.fidelity() {
            Some(true) => String::from("inside"),
            Some(false) => String::from("OUTSIDE"),
            None => String::new(),
        },
        row.bar.map_or(String::new(), |bar| match bar {
            Bar::AtMost(most) => format!("<= {}", short(most)),
            Bar::AtLeast(least) => format!(">= {}", short(least)),
        }),
        number(row.shipped),
        String::from(match row.verdict() {
            Some(Verdict::Met) => "met",
            Some(Verdict::Missed) => "MISSED",
            Some(Verdict::Vacuous) => "vacuous",
            None => "",
        }),
        samples.to_string(),
    ]
}

/// A number with about four figures that count.
fn short(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        String::from("none")
    } else if size >= 1000.0 || value == 0.0 {
        format!("{value:.0}")
    } else if size >= 100.0 {
        format!("{value:.1}")
    } else if size >= 10.0 {
        format!("{value:.2}")
    } else if size >= 0.01 {
        format!("{value:.3}")
    } else {
        format!("{value:.2e}")
    }
}

const COLUMNS: usize = 11;

/// The names of the columns.
pub(super) const HEAD: [&str; COLUMNS] = [
    "cell",
    "metric",
    "published",
    "band",
    "plain",
    "+-",
    "fidelity",
    "bar",
    "shipped",
    "verdict",
    "n",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::outcome::Run;

    #[test]
    fn columns_are_aligned_and_say_what_is_held_back() {
        let mut outcome = Outcome::new("t1");
        let figure = Figure { value: 12.345, margin: 0.5, samples: 7 };
        outcome.rows.push(Row::new("n=8", "mean, s").published_within(12.0, 5.0).plain(figure));
        outcome.rows.push(Row::new("n=1000", "mean, s").held_back().bar(Bar::AtMost(0.004)));
        let expected = "\
cell    metric   published          band  plain     +-  fidelity         bar  shipped  verdict  n
n=8     mean, s      12.00  11.40..12.60  12.35  0.500  inside                      -           7
n=1000  mean, s  held back                    -                   <= 4.00e-3        -           0
t1: 0 of 1 bands missed, 0 of 0 bars missed; 0 more bars met vacuously, 1 of ours not measured
";
        assert_eq!(table(&outcome), expected, "{}", table(&outcome));
    }

    #[test]
    fn runs_are_tab_separated_and_json_is_read_back() {
        let mut outcome = Outcome::new("t1");
        outcome.runs.push(Run { cell: "n=8".into(), seed: 3, metrics: vec![("first", 1.5)] });
        assert_eq!(runs(&outcome), "t1\tn=8\t3\tfirst=1.5\n");
        outcome.rows.push(Row::new("n=8", "m").held_back());
        let read: serde_json::Value = serde_json::from_str(&json(&outcome)).expect("it is JSON");
        assert_eq!(read["rows"][0]["published"], "held_back");
    }
}
