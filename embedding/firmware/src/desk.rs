//! The firmware's machine where there is an operating system: time passes when it sleeps.

use std::{fmt, time::Duration};

use swim_core::Instant;

use crate::story::Board;

/// A desk in front of which nobody has to wait.
#[derive(Default)]
pub(crate) struct Desk {
    now: Instant,
}

impl Board for Desk {
    fn now(&mut self) -> Instant {
        self.now
    }

    /// What comes in wakes nobody here, so it sleeps for a millisecond at most.
    fn sleep(&mut self, at: Instant) {
        self.now = at.clamp(self.now, self.now + Duration::from_millis(1));
    }

    fn say(&mut self, words: fmt::Arguments<'_>) {
        println!("{words}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_story_ends_well() {
        assert!(crate::story::play(&mut Desk::default()));
    }
}
