//! The only place that asks the operating system what time it is.
//!
//! The machine lives on one monotonic clock whose origin is the node's start. Wall time is told to
//! it once at the start, and again when the two have come apart by a second.

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

/// What the machine was last told of the wall clock.
#[derive(Debug)]
pub(crate) struct WallClock {
    /// When, and how long after 1970; none while the clock stands before 1970.
    told: Option<(Instant, Duration)>,
}

impl WallClock {
    /// Reads the wall clock at `now`, for the machine to be told.
    pub(crate) fn start(now: Instant) -> Self {
        Self { told: unix_time().map(|unix| (now, unix)) }
    }

    /// The time since 1970 that was last to be told; none when the clock stood before 1970.
    pub(crate) fn unix_time(&self) -> Option<Duration> {
        self.told.map(|(_, unix)| unix)
    }

    /// The time since 1970, if it is another than what follows from what was last told: the clock
    /// was set, or drifted that far, or the machine was suspended and its monotonic clock stood
    /// still.
    pub(crate) fn step(&mut self, now: Instant) -> Option<Duration> {
        self.compare(now, unix_time())
    }

    fn compare(&mut self, now: Instant, actual: Option<Duration>) -> Option<Duration> {
        let actual = actual?;
        let expected = self.told.map(|(at, unix)| unix + now.saturating_since(at));
        if expected.is_some_and(|expected| actual.abs_diff(expected) < STEP) {
            return None;
        }
        self.told = Some((now, actual));
        Some(actual)
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the driver's clock")]
fn unix_time() -> Option<Duration> {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()
}

/// How far the wall clock may be from what the machine believes. Small beside the minutes that a
/// sealed packet may be old, and more than a clock is off that is being slewed.
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

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    fn at(s: u64) -> Instant {
        Instant::ORIGIN + secs(s)
    }

    fn told(unix: u64) -> WallClock {
        WallClock { told: Some((at(0), secs(unix))) }
    }

    #[test]
    fn a_wall_clock_that_was_set_is_noticed() {
        let mut wall = told(1_000);
        assert_eq!(wall.compare(at(60), Some(secs(1_060))), None);
        assert_eq!(wall.compare(at(120), Some(secs(1_120) + Duration::from_millis(400))), None);
        assert_eq!(wall.compare(at(180), Some(secs(9_000))), Some(secs(9_000)), "forwards");
        assert_eq!(wall.compare(at(240), Some(secs(9_060))), None, "once");
        assert_eq!(wall.compare(at(300), Some(secs(500))), Some(secs(500)), "backwards");
        assert_eq!(wall.compare(at(360), None), None, "before 1970");
        assert_eq!(wall.compare(at(420), Some(secs(700))), Some(secs(700)), "a clock at last");
    }

    #[test]
    fn small_steps_add_up() {
        let mut wall = told(1_000);
        let at_minute = |nth: u64| Some(secs(1_000 + 60 * nth) + Duration::from_millis(400 * nth));
        let heard: Vec<_> =
            (1..=10).map(|nth| wall.compare(at(60 * nth), at_minute(nth))).collect();
        let told: Vec<_> = (1..=10).filter(|nth| heard[nth - 1].is_some()).collect();
        assert_eq!(told, [3, 6, 9], "at 1.2 s each");
    }

    #[test]
    fn a_monotonic_clock_that_stood_still_is_noticed_within_no_time() {
        let mut wall = told(1_000);
        assert_eq!(wall.compare(at(1), Some(secs(1_001))), None);
        assert_eq!(wall.compare(at(1), Some(secs(5_000))), Some(secs(5_000)));
    }
}
