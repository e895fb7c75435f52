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

/// Counts virtual time of any number of runs at once.
#[derive(Debug)]
pub(crate) struct Progress {
    is_shown: bool,
    clock: Stopwatch,
    /// Nanoseconds of virtual time, those to come too.
    all: u64,
    done: AtomicU64,
    /// When it was shown last; a moment that is busy shows nothing.
    shown: Mutex<Duration>,
}

impl Progress {
    /// Of `runs` runs, each so long.
    pub(crate) fn new(runs: usize, length: Duration) -> Self {
        Self {
            is_shown: io::stderr().is_terminal(),
            clock: Stopwatch::start(),
            all: (length.as_nanos() as u64).saturating_mul(runs as u64).max(1),
            done: AtomicU64::new(0),
            shown: Mutex::new(Duration::ZERO),
        }
    }

    /// So much more virtual time has gone by in some run.
    pub(crate) fn add(&self, span: Duration) {
        let added = span.as_nanos() as u64;
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
        let rate = done as f64 / 1e9 / elapsed.as_secs_f64().max(1e-9);
        let left = elapsed.as_secs_f64() * (1.0 - share).max(0.0) / share.max(1e-9);
        let left = Duration::try_from_secs_f64(left).unwrap_or(Duration::MAX);
        let left = span::short(Duration::from_secs(left.as_secs()));
        let percent = 100.0 * share;
        let line = format!("{percent:5.1} %, {rate:.0} virtual seconds a second, {left} left");
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
