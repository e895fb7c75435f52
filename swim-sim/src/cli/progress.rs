//! How far a long run is: one line on stderr that is written over, only where a person looks.

use std::{
    io::{self, IsTerminal, Write},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use swim_sim::span;

use super::clock::Stopwatch;

/// Counts what any number of threads get done.
#[derive(Debug)]
pub(crate) struct Progress {
    is_shown: bool,
    clock: Stopwatch,
    /// What is counted, for people, and how much of it is one.
    unit: (&'static str, f64),
    /// How much there is to do.
    all: u64,
    done: AtomicU64,
    /// When it was shown last; a moment that is busy shows nothing.
    shown: Mutex<Duration>,
}

impl Progress {
    /// Of virtual time: `runs` runs, each so long.
    pub(crate) fn of_time(runs: usize, length: Duration) -> Self {
        let all = (length.as_nanos() as u64).saturating_mul(runs as u64);
        Self::new(("virtual seconds", 1e9), all)
    }

    /// Of so many runs.
    pub(crate) fn of_runs(runs: usize) -> Self {
        Self::new(("runs", 1.0), runs as u64)
    }

    fn new(unit: (&'static str, f64), all: u64) -> Self {
        Self {
            is_shown: io::stderr().is_terminal(),
            clock: Stopwatch::start(),
            unit,
            all: all.max(1),
            done: AtomicU64::new(0),
            shown: Mutex::new(Duration::ZERO),
        }
    }

    /// So much more virtual time has gone by in some run.
    pub(crate) fn add_time(&self, span: Duration) {
        self.add(span.as_nanos() as u64);
    }

    /// So much more is done.
    pub(crate) fn add(&self, added: u64) {
        let done = self.done.fetch_add(added, Ordering::Relaxed) + added;
        if !self.is_shown {
            return;
        }
        let elapsed = self.clock.elapsed();
        let Ok(mut shown) = self.shown.try_lock() else { return };
        if elapsed < *shown + EVERY {
            return;
        }
        *shown = elapsed;
        let share = done as f64 / self.all as f64;
        let (unit, size) = self.unit;
        let rate = done as f64 / size / elapsed.as_secs_f64().max(1e-9);
        let left = elapsed.as_secs_f64() * (1.0 - share).max(0.0) / share.max(1e-9);
        let left = Duration::try_from_secs_f64(left).unwrap_or(Duration::MAX);
        let left = span::short(Duration::from_secs(left.as_secs()));
        let percent = 100.0 * share;
        let line = format!("{percent:5.1} %, {rate:.1} {unit} a second, {left} left");
        let _ = write!(io::stderr(), "\r{line:<70}");
    }

    /// Takes the line away.
    pub(crate) fn finish(&self) {
        if self.is_shown && self.clock.elapsed() >= EVERY {
            let _ = write!(io::stderr(), "\r{:<70}\r", "");
        }
    }
}

/// Often enough to be alive, seldom enough to cost nothing.
const EVERY: Duration = Duration::from_millis(200);
