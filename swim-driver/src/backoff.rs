//! Patience after errors that may last, such as having no file descriptors left: the pause doubles
//! with every failure and ends with the first success.

use core::{
    task::{Context, Poll, ready},
    time::Duration,
};

use crate::{
    clock::Clock,
    runtime::{Runtime, Timer},
};

/// A pause after a failure.
#[derive(Debug)]
pub(crate) struct Backoff<T> {
    timer: Option<T>,
    pause: Duration,
}

impl<T: Timer> Backoff<T> {
    pub(crate) const fn new() -> Self {
        Self { timer: None, pause: PAUSE_MIN }
    }

    /// Whether it is time to try again.
    pub(crate) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(timer) = &mut self.timer {
            ready!(timer.poll_expired(cx));
            self.timer = None;
        }
        Poll::Ready(())
    }

    /// Waits before the next attempt, twice as long as the last time.
    pub(crate) fn failed<R: Runtime<Timer = T>>(&mut self, runtime: &R, clock: Clock) {
        self.timer = Some(runtime.timer(clock.at(clock.now() + self.pause)));
        self.pause = (self.pause * 2).min(PAUSE_MAX);
    }

    pub(crate) fn succeeded(&mut self) {
        self.pause = PAUSE_MIN;
    }
}

/// Short enough to go unnoticed.
const PAUSE_MIN: Duration = Duration::from_millis(5);

/// Long enough to cost nothing, short enough to be back soon.
const PAUSE_MAX: Duration = Duration::from_secs(1);
