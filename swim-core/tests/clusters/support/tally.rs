//! A distribution of spans of time, for "none is late" and "how late are they".

use std::{fmt, time::Duration};

/// The spans measured so far.
#[derive(Clone, Default)]
pub(crate) struct Tally {
    spans: Vec<Duration>,
}

impl Tally {
    pub(crate) fn push(&mut self, span: Duration) {
        self.spans.push(span);
    }

    pub(crate) fn extend(&mut self, other: &Self) {
        self.spans.extend(&other.spans);
    }

    pub(crate) fn len(&self) -> usize {
        self.spans.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.spans.clear();
    }

    /// The longest.
    pub(crate) fn max(&self) -> Duration {
        self.spans.iter().max().copied().unwrap_or_default()
    }

    /// The span that so many permille don't exceed.
    pub(crate) fn permille(&self, permille: usize) -> Duration {
        let mut sorted = self.spans.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * permille).div_ceil(1_000);
        sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }

    /// How many are longer.
    pub(crate) fn later_than(&self, limit: Duration) -> usize {
        self.spans.iter().filter(|span| **span > limit).count()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |span: Duration| span.as_micros() as f64 / 1_000.0;
        write!(
            f,
            "{} samples, p50 {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms, max {:.1} ms",
            self.len(),
            millis(self.permille(500)),
            millis(self.permille(990)),
            millis(self.permille(999)),
            millis(self.max())
        )
    }
}
