//! What an experiment found: one row per figure, with what was published beside it.

use serde::Serialize;

use crate::measure::Figure;

/// What an experiment found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Outcome {
    /// The experiment.
    pub id: &'static str,
    /// What was left out, and what a reader must know to understand the figures.
    pub notes: Vec<String>,
    /// The figures.
    pub rows: Vec<Row>,
    /// Every single run, for who wants to compute something else.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<Run>,
}

impl Outcome {
    /// Nothing found yet.
    #[must_use]
    pub fn new(id: &'static str) -> Self {
        Self { id, ..Self::default() }
    }

    /// Whether no plain figure lies outside its band: then the simulator is honest.
    #[must_use]
    pub fn is_faithful(&self) -> bool {
        self.rows.iter().all(|row| row.fidelity() != Some(false))
    }

    /// Whether no shipped figure misses its bar.
    #[must_use]
    pub fn meets_bars(&self) -> bool {
        self.rows.iter().all(|row| row.verdict() != Some(Verdict::Missed))
    }

    /// The row of this cell and metric, to put the shipped figure in.
    pub fn row_mut(&mut self, cell: &str, metric: &str) -> Option<&mut Row> {
        self.rows.iter_mut().find(|row| row.cell == cell && row.metric == metric)
    }
}

/// One figure, as published and as measured.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The parameters.
    pub cell: String,
    /// What was measured, with its unit.
    pub metric: &'static str,
    /// What the source says.
    pub published: Published,
    /// What the reference model gives: the published algorithm with its constants.
    pub plain: Option<Figure>,
    /// What our core gives with the settings we ship.
    pub shipped: Option<Figure>,
    /// Where the plain figure must lie.
    pub band: Option<Band>,
    /// What the shipped figure must reach.
    pub bar: Option<Bar>,
    /// Whether reaching the bar says nothing, because the published algorithm does no harm here
    /// either.
    pub is_harmless: bool,
}

impl Row {
    /// A row without anything published or demanded.
    pub fn new(cell: impl Into<String>, metric: &'static str) -> Self {
        Self {
            cell: cell.into(),
            metric,
            published: Published::Nothing,
            plain: None,
            shipped: None,
            band: None,
            bar: None,
            is_harmless: false,
        }
    }

    /// With the plain figure.
    #[must_use]
    pub fn plain(self, figure: Figure) -> Self {
        Self { plain: Some(figure), ..self }
    }

    /// With the figure of our core.
    #[must_use]
    pub fn shipped(self, figure: Figure) -> Self {
        Self { shipped: Some(figure), ..self }
    }

    /// With what was published.
    #[must_use]
    pub fn published(self, value: f64) -> Self {
        Self { published: Published::Value(value), ..self }
    }

    /// With a published value that we have not seen.
    #[must_use]
    pub fn held_back(self) -> Self {
        Self { published: Published::HeldBack, ..self }
    }

    /// With a band from `low` to `high`.
    #[must_use]
    pub fn within(self, low: f64, high: f64) -> Self {
        Self { band: Some(Band { low, high }), ..self }
    }

    /// With the published value and a band of so many percent around it.
    #[must_use]
    pub fn published_within(self, value: f64, percent: f64) -> Self {
        let reach = value.abs() * percent / 100.0;
        self.published(value).within(value - reach, value + reach)
    }

    /// With a bar.
    #[must_use]
    pub fn bar(self, bar: Bar) -> Self {
        Self { bar: Some(bar), ..self }
    }

    /// With word on whether the published algorithm does no harm here.
    #[must_use]
    pub fn harmless(self, is_harmless: bool) -> Self {
        Self { is_harmless, ..self }
    }

    /// Whether the plain figure lies in its band; nothing where either is missing.
    #[must_use]
    pub fn fidelity(&self) -> Option<bool> {
        Some(self.band?.holds(self.plain?.value))
    }

    /// What the shipped figure is worth; nothing where it or the bar is missing.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        Some(match (self.bar?.is_met_by(self.shipped?.value), self.is_harmless) {
            (false, _) => Verdict::Missed,
            (true, false) => Verdict::Met,
            (true, true) => Verdict::Vacuous,
        })
    }
}

/// What a shipped figure is worth against its bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It reaches the bar.
    Met,
    /// It does not.
    Missed,
    /// It does, and so would anything: there was nothing to do better.
    Vacuous,
}

/// What the source says about a figure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Published {
    /// Nothing.
    Nothing,
    /// This.
    Value(f64),
    /// Something that is kept for a blind check.
    HeldBack,
}

/// Where a plain figure must lie, ends included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Band {
    /// The least.
    pub low: f64,
    /// The most.
    pub high: f64,
}

impl Band {
    /// Whether a value lies in the band. What is not a number does not.
    #[must_use]
    pub fn holds(self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// What a shipped figure must reach.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bar {
    /// This or less.
    AtMost(f64),
    /// This or more.
    AtLeast(f64),
}

impl Bar {
    /// Whether a value reaches the bar. What is not a number does not.
    #[must_use]
    pub fn is_met_by(self, value: f64) -> bool {
        match self {
            Self::AtMost(most) => value <= most,
            Self::AtLeast(least) => value >= least,
        }
    }
}

/// One run: its parameters, its seed, and what was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// The parameters.
    pub cell: String,
    /// The seed.
    pub seed: u64,
    /// Names and values.
    pub metrics: Vec<(&'static str, f64)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_outside_its_band_is_unfaithful() {
        let figure = |value| Figure { value, margin: 0.0, samples: 1 };
        let row = |value| Row::new("", "").published_within(10.0, 3.0).plain(figure(value));
        let outcome = |value| Outcome { rows: vec![row(value)], ..Outcome::new("t") };
        assert!(outcome(10.3).is_faithful() && outcome(9.7).is_faithful());
        assert!(!outcome(10.4).is_faithful() && !outcome(f64::NAN).is_faithful());
        assert!(Outcome { rows: vec![Row::new("", "")], ..Outcome::new("t") }.is_faithful());
    }

    #[test]
    fn a_bar_waits_for_the_shipped_figure() {
        let mut outcome = Outcome::new("t");
        outcome.rows.push(Row::new("cell", "metric").bar(Bar::AtMost(2.0)));
        assert!(outcome.meets_bars());
        let row = outcome.row_mut("cell", "metric").expect("it is there");
        row.shipped = Some(Figure { value: 2.1, margin: 0.0, samples: 1 });
        assert!(!outcome.meets_bars() && outcome.is_faithful());
    }

    #[test]
    fn where_nothing_does_harm_a_bar_can_be_missed_and_not_met() {
        let figure = |value| Figure { value, margin: 0.0, samples: 1 };
        let row = |value| Row::new("", "").bar(Bar::AtMost(0.0)).shipped(figure(value));
        assert_eq!(row(0.0).verdict(), Some(Verdict::Met));
        assert_eq!(row(0.0).harmless(true).verdict(), Some(Verdict::Vacuous));
        assert_eq!(row(1.0).harmless(true).verdict(), Some(Verdict::Missed));
        assert_eq!(row(f64::NAN).harmless(true).verdict(), Some(Verdict::Missed));
    }
}
