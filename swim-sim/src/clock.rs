//! A host's own clock: it may run fast or slow, and jump, forward or back.

use std::time::Duration;

use swim_core::Instant;

/// What a host takes for the time, as a function of the world's.
///
/// Machines live by the host's clock; the world alone knows both.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    world: Instant,
    local: Instant,
    /// How many parts in a billion it is fast; negative if slow.
    drift: i64,
    /// The latest that it showed before it jumped back.
    shown: Instant,
}

impl Clock {
    /// A clock that is right.
    #[must_use]
    pub const fn new() -> Self {
        Self { world: Instant::ORIGIN, local: Instant::ORIGIN, drift: 0, shown: Instant::ORIGIN }
    }

    /// The host's time at this time of the world. Never before the last change of the clock.
    #[must_use]
    pub fn local(&self, world: Instant) -> Instant {
        let span = world.saturating_since(self.world).as_nanos() as u64;
        self.local + Duration::from_nanos(self.stretch(span, self.drift))
    }

    /// When in the world the host's clock shows `local` or, for an earlier time, the last change of
    /// the clock. Rounded up, so that the clock has reached it by then.
    #[must_use]
    pub fn world(&self, local: Instant) -> Instant {
        let span = local.saturating_since(self.local).as_nanos() as u64;
        if self.drift == 0 {
            return self.world + Duration::from_nanos(span);
        }
        let rate = i128::from(BILLION + self.drift);
        let nanos = (i128::from(span) * i128::from(BILLION) + rate - 1) / rate;
        self.world + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX >> 1))
    }

    /// From now on it is so many parts in a billion fast (slow, if negative).
    ///
    /// # Panics
    ///
    /// If it would stand still or run backwards: `parts_per_billion` must be above minus a half
    /// and at most half a billion.
    pub fn set_drift(&mut self, now: Instant, parts_per_billion: i64) {
        assert!(parts_per_billion.abs() <= BILLION / 2, "{parts_per_billion} is no drift");
        *self = Self { world: now, local: self.local(now), drift: parts_per_billion, ..*self };
    }

    /// It jumps forward, as a virtual machine's does that was suspended.
    pub fn jump(&mut self, now: Instant, by: Duration) {
        *self = Self { world: now, local: self.local(now) + by, ..*self };
    }

    /// It jumps back, as a clock does that is set, or that differs from one processor to another.
    /// What it shows is never before the origin.
    pub fn jump_back(&mut self, now: Instant, by: Duration) {
        let local = self.local(now);
        let nanos = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        let back = Instant::from_nanos(local.as_nanos().saturating_sub(nanos));
        *self = Self { world: now, local: back, shown: self.shown.max(local), ..*self };
    }

    /// If it shows less than it once did, it shows that again: it was behind long enough.
    pub fn catch_up(&mut self, now: Instant) {
        *self = Self { world: now, local: self.local(now).max(self.shown), ..*self };
    }

    fn stretch(&self, span: u64, drift: i64) -> u64 {
        if drift == 0 {
            return span;
        }
        let nanos = i128::from(span) * i128::from(BILLION + drift) / i128::from(BILLION);
        u64::try_from(nanos).unwrap_or(u64::MAX >> 1)
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

const BILLION: i64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_jumps_back_can_catch_up() {
        let [five, six, ten] = [5_000, 6_000, 10_000].map(Instant::from_millis);
        let mut clock = Clock::new();
        clock.jump_back(ten, Duration::from_secs(4));
        assert_eq!((clock.local(ten), clock.world(ten)), (six, Instant::from_millis(14_000)));
        clock.jump_back(ten, Duration::from_secs(1));
        assert_eq!(clock.local(ten), five);
        clock.catch_up(ten);
        assert_eq!(clock.local(ten), ten);
        clock.jump_back(ten, Duration::from_secs(60));
        assert_eq!(clock.local(ten), Instant::ORIGIN);
    }

    #[test]
    fn a_clock_reaches_what_it_was_asked_for() {
        for drift in [-500_000, -1, 0, 3, 500_000] {
            let mut clock = Clock::new();
            clock.set_drift(Instant::from_millis(5), drift);
            clock.jump(Instant::from_millis(70), Duration::from_secs(3));
            for nanos in [0, 1, 999, 1_000_000_007, 86_400_000_000_001] {
                let local = clock.local(Instant::from_millis(70)) + Duration::from_nanos(nanos);
                let world = clock.world(local);
                let reached = clock.local(world);
                assert!(reached >= local, "drift {drift}: {local} is {world}, then {reached}");
                assert!(reached.saturating_since(local).as_nanos() <= 1);
            }
        }
    }
}
