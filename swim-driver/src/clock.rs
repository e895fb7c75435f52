//! The only place that asks the operating system what time it is.
//!
//! The machine lives on one monotonic clock whose origin is the node's start. Wall time is told to
//! it once at the start and again only when it was set: an ordinary drift is none of its business.

use std::time::{Instant as StdInstant, SystemTime};

use core::time::Duration;

use swim_core::Instant;

/// The node's monotonic clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    origin: StdInstant,
}

impl Clock {
    /// A clock that begins now.
    #[expect(clippy::disallowed_methods, reason = "this is the driver's clock")]
    pub(crate) fn start() -> Self {
        Self { origin: StdInstant::now() }
    }

    /// The time since the start, as the machine sees it.
    #[expect(clippy::disallowed_methods, reason = "this is the driver's clock")]
    pub(crate) fn now(self) -> Instant {
        Instant::ORIGIN + self.origin.elapsed()
    }

    /// The same moment as the operating system sees it.
    pub(crate) fn at(self, instant: Instant) -> StdInstant {
        let span = instant.saturating_since(Instant::ORIGIN);
        self.origin.checked_add(span).unwrap_or_else(|| self.origin + FAR)
    }
}

/// What the wall clock should show, and when that was last compared with what it does show.
#[derive(Debug)]
pub(crate) struct WallClock {
    expected: Option<Duration>,
    compared_at: Instant,
}

impl WallClock {
    /// Reads the wall clock at `now`.
    pub(crate) fn start(now: Instant) -> Self {
        Self { expected: unix_time(), compared_at: now }
    }

    /// The time since 1970 at the last comparison; none when the clock stands before 1970.
    pub(crate) fn unix_time(&self) -> Option<Duration> {
        self.expected
    }

    /// The new time since 1970 if the wall clock was set. Reads it once a minute at most, or when a
    /// tick came `late`: machines that were suspended wake up with a wall clock that has moved.
    pub(crate) fn step(&mut self, now: Instant, late: Duration) -> Option<Duration> {
        let is_due = now.saturating_since(self.compared_at) >= COMPARE_INTERVAL;
        if is_due || late >= STEP { self.compare(now, unix_time()) } else { None }
    }

    fn compare(&mut self, now: Instant, actual: Option<Duration>) -> Option<Duration> {
        let elapsed = now.saturating_since(self.compared_at);
        let expected = self.expected.map(|unix| unix + elapsed);
        self.compared_at = now;
        self.expected = actual;
        let (actual, expected) = (actual?, expected.unwrap_or_default());
        (actual.abs_diff(expected) >= STEP).then_some(actual)
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the driver's clock")]
fn unix_time() -> Option<Duration> {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()
}

/// How often the wall clock is compared with the monotonic one, on a tick that comes anyway.
const COMPARE_INTERVAL: Duration = Duration::from_secs(60);

/// From which difference on the wall clock was set; below, it drifts or is slewed.
const STEP: Duration = Duration::from_secs(1);

/// Later than any deadline that matters, and within reach of every operating system's clock.
const FAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn converts_with_one_origin() {
        let clock = Clock::start();
        let now = clock.now();
        let later = now + Duration::from_secs(5);
        assert_eq!(clock.at(later) - clock.at(now), Duration::from_secs(5));
        assert!(clock.at(Instant::from_nanos(u64::MAX)) > clock.at(later));
    }

    #[test]
    fn a_wall_clock_that_was_set_is_noticed_and_a_drift_is_not() {
        let secs = Duration::from_secs;
        let at = |s: u64| Instant::ORIGIN + secs(s);
        let mut wall = WallClock { expected: Some(secs(1_000)), compared_at: at(0) };
        assert_eq!(wall.compare(at(60), Some(secs(1_060))), None);
        assert_eq!(wall.compare(at(120), Some(secs(1_120) + Duration::from_millis(400))), None);
        assert_eq!(wall.compare(at(180), Some(secs(9_000))), Some(secs(9_000)), "forwards");
        assert_eq!(wall.compare(at(240), Some(secs(9_060))), None, "once");
        assert_eq!(wall.compare(at(300), Some(secs(500))), Some(secs(500)), "backwards");
        assert_eq!(wall.compare(at(360), None), None, "before 1970");
        assert_eq!(wall.compare(at(420), Some(secs(700))), Some(secs(700)), "a clock at last");
    }

    #[test]
    fn the_wall_clock_is_read_seldom() {
        let mut wall = WallClock { expected: Some(Duration::ZERO), compared_at: Instant::ORIGIN };
        assert_eq!(wall.step(Instant::ORIGIN + Duration::from_secs(59), Duration::ZERO), None);
        assert!(wall.step(Instant::ORIGIN + Duration::from_secs(59), STEP).is_some());
    }
}
