//! Real time, which only progress is measured with. What a run does never depends on it.

use std::time::{Duration, Instant};

/// Counts from when it was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Begins to count.
    #[expect(clippy::disallowed_methods, reason = "progress is told in real time")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// How long ago it was made.
    #[expect(clippy::disallowed_methods, reason = "progress is told in real time")]
    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
