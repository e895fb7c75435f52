//! The node's opinion of its own health. A node that misses answers it should have got is probably
//! slow itself, and gives others more time before it blames them. Lifeguard, LHA-Probe.

use core::time::Duration;

/// A saturating counter; 0 is best.
#[derive(Debug)]
pub(crate) struct Health {
    score: u32,
    max: u32,
}

impl Health {
    /// Perfect health; the score never passes `max`.
    pub(crate) fn new(max: u32) -> Self {
        Self { score: 0, max }
    }

    pub(crate) fn score(&self) -> u32 {
        self.score
    }

    /// Adds `delta`; returns the new score if it changed.
    pub(crate) fn apply(&mut self, delta: i32) -> Option<u32> {
        let score = self.score.saturating_add_signed(delta).min(self.max);
        let changed = score != self.score;
        self.score = score;
        changed.then_some(score)
    }

    /// Stretches a probe interval or timeout.
    pub(crate) fn stretch(&self, span: Duration) -> Duration {
        span * (self.score + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p4_the_score_stays_within_its_bounds() {
        let mut health = Health::new(7);
        let table =
            [(-1, None, 0), (1, Some(1), 1), (3, Some(4), 4), (9, Some(7), 7), (1, None, 7)];
        for (delta, changed, score) in table {
            assert_eq!((health.apply(delta), health.score()), (changed, score), "{delta}");
        }
        assert_eq!(health.stretch(Duration::from_secs(1)), Duration::from_secs(8));
    }
}
