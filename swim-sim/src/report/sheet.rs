//! A page about many runs: tables and pictures one below the other.

use serde::Serialize;
use serde_json::{Value, json};

use super::page::page;

/// What a page about many runs shows.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Sheet {
    /// What it is called.
    pub title: String,
    /// What it is about.
    pub about: String,
    /// The command that does the same again.
    pub again: String,
    /// Whether all was as it should be.
    pub passed: bool,
    /// A few figures at the top: names and values.
    pub tiles: Vec<(String, String)>,
    /// What follows.
    pub parts: Vec<Part>,
}

/// A table or a picture, with its heading.
#[derive(Clone, Debug, Serialize)]
pub struct Part {
    /// The heading.
    pub title: String,
    /// What a reader must know, below it.
    pub note: String,
    /// What is shown.
    #[serde(flatten)]
    pub shown: Shown,
}

/// What a part shows.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Shown {
    /// A table.
    Table {
        /// The names of the columns.
        head: Vec<String>,
        /// The cells.
        rows: Vec<Vec<String>>,
        /// Whether each row is as it should be, where that is asked.
        good: Vec<Option<bool>>,
    },
    /// Counts as lying bars of logarithmic length.
    Bars {
        /// Names and counts.
        bars: Vec<(String, u64)>,
    },
    /// Dots in a plane.
    Points {
        /// What is measured to the right.
        x: String,
        /// What is measured upwards.
        y: String,
        /// The dots.
        points: Vec<Point>,
    },
    /// Figures beside what was published.
    Strips {
        /// A line for each.
        rows: Vec<Strip>,
    },
    /// Which share of samples was at most so large.
    Spread {
        /// Whether the samples are times in seconds.
        in_seconds: bool,
        /// Names and samples; those without samples are left out.
        series: Vec<(String, Vec<f64>)>,
    },
}

/// A dot in a plane.
#[derive(Clone, Debug, Serialize)]
pub struct Point {
    /// What it stands for.
    pub name: String,
    /// Its place.
    pub x: f64,
    /// Its place.
    pub y: f64,
    /// Whether it is the one to take.
    pub best: bool,
    /// Lines about it.
    pub more: Vec<String>,
}

/// One figure, as published and as measured.
#[derive(Clone, Debug, Serialize)]
pub struct Strip {
    /// What it is about.
    pub cell: String,
    /// What was published.
    pub published: Option<f64>,
    /// What the published algorithm gave here.
    pub plain: Option<f64>,
    /// The least that may be.
    pub low: Option<f64>,
    /// The most that may be.
    pub high: Option<f64>,
    /// What ours gave.
    pub shipped: Option<f64>,
    /// What ours must reach.
    pub bar: Option<f64>,
    /// Whether the plain figure lies between the least and the most.
    pub inside: Option<bool>,
    /// Whether ours reached what it must.
    pub met: Option<bool>,
    /// Lines about it.
    pub more: Vec<String>,
}

impl Sheet {
    /// The page, in one file that needs nothing else.
    ///
    /// # Panics
    ///
    /// Never: a sheet has only text keys.
    #[must_use]
    pub fn html(&self) -> String {
        let data: Value = json!(self);
        page(&self.title, BODY, &[SCRIPT_PLOTS, SCRIPT_FIGURES, SCRIPT], &data)
    }
}

impl Part {
    /// A part without a note; `None` if it would show nothing.
    #[must_use]
    pub fn new(title: impl Into<String>, shown: Shown) -> Option<Self> {
        let is_empty = match &shown {
            Shown::Table { .. } => false,
            Shown::Bars { bars } => bars.is_empty(),
            Shown::Points { points, .. } => points.is_empty(),
            Shown::Strips { rows } => rows.is_empty(),
            Shown::Spread { series, .. } => series.is_empty(),
        };
        (!is_empty).then(|| Self { title: title.into(), note: String::new(), shown })
    }

    /// With a note.
    #[must_use]
    pub fn note(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }
}

impl Shown {
    /// Which share of samples was at most so large, for those series that have samples.
    #[must_use]
    pub fn spread(in_seconds: bool, mut series: Vec<(String, Vec<f64>)>) -> Self {
        series.retain(|(_, samples)| !samples.is_empty());
        Self::Spread { in_seconds, series }
    }
}

const BODY: &str = include_str!("page/sheet.html");
const SCRIPT_PLOTS: &str = include_str!("page/plots.js");
const SCRIPT_FIGURES: &str = include_str!("page/figures.js");
const SCRIPT: &str = include_str!("page/sheet.js");
