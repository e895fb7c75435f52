//! How often something is said that may go wrong again and again.

use core::time::Duration;

use swim_core::Instant;

/// Says something now and then, with how often it came.
#[derive(Debug, Default)]
pub(crate) struct Seldom {
    said_at: Option<Instant>,
    unsaid: u64,
}

impl Seldom {
    /// Counts one more; how many there are to be told, if it is time to.
    pub(crate) fn count(&mut self, now: Instant) -> Option<u64> {
        self.unsaid += 1;
        if self.said_at.is_some_and(|said_at| now.saturating_since(said_at) < INTERVAL) {
            return None;
        }
        self.said_at = Some(now);
        Some(core::mem::take(&mut self.unsaid))
    }
}

/// As often as the machine reports input that it refuses for one reason.
const INTERVAL: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_at_once_and_then_now_and_then_with_all_that_came_between() {
        let mut seldom = Seldom::default();
        let said: Vec<_> =
            (0..25).map(|secs| seldom.count(Instant::from_millis(1_000 * secs))).collect();
        let told: Vec<_> = (0..).zip(said).filter_map(|(at, told)| Some((at, told?))).collect();
        assert_eq!(told, [(0, 1), (10, 10), (20, 10)]);
    }
}
