//! The one timer that a machine needs: the newest deadline replaces the earlier one.

use core::task::{Context, Poll, ready};

use swim_core::Instant;

use crate::{
    clock::Clock,
    runtime::{Runtime, Timer},
};

/// A deadline, and a timer to wait for it.
#[derive(Debug)]
pub(crate) struct Alarm<T> {
    deadline: Option<Instant>,
    /// Made at the first wait, because a runtime may only make timers in its own tasks.
    timer: Option<T>,
    /// What the timer is set to; none once it has expired.
    timer_at: Option<Instant>,
}

impl<T: Timer> Alarm<T> {
    pub(crate) const fn new() -> Self {
        Self { deadline: None, timer: None, timer_at: None }
    }

    pub(crate) fn set(&mut self, deadline: Instant) {
        self.deadline = Some(deadline);
    }

    /// Clears a deadline that has passed, and says whether one has.
    pub(crate) fn take_due(&mut self, now: Instant) -> bool {
        self.deadline.take_if(|deadline| *deadline <= now).is_some()
    }

    /// Ready when the deadline has passed. A timer that expires early is set again: the machine
    /// would do nothing on an early tick, and name no new deadline either.
    pub(crate) fn poll_due<R: Runtime<Timer = T>>(
        &mut self,
        cx: &mut Context<'_>,
        runtime: &R,
        clock: Clock,
    ) -> Poll<()> {
        let Some(deadline) = self.deadline else { return Poll::Pending };
        while clock.now() < deadline {
            let timer = self.timer.get_or_insert_with(|| {
                self.timer_at = Some(deadline);
                runtime.timer(clock.at(deadline))
            });
            if self.timer_at != Some(deadline) {
                timer.set(clock.at(deadline));
                self.timer_at = Some(deadline);
            }
            ready!(timer.poll_expired(cx));
            self.timer_at = None;
        }
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;
    use crate::{
        lock::lock,
        testing::{Still, context},
    };

    #[test]
    fn waits_for_the_newest_deadline_and_sets_its_timer_no_more_than_needed() {
        let (runtime, clock) = (Still::default(), Clock::start());
        let mut alarm = Alarm::new();
        let poll = |alarm: &mut Alarm<_>| alarm.poll_due(&mut context(), &runtime, clock);
        assert!(poll(&mut alarm).is_pending(), "nothing is set");
        let far = clock.now() + Duration::from_secs(1_000);
        for deadline in [far, far + Duration::from_secs(1), far] {
            alarm.set(deadline);
            assert!(poll(&mut alarm).is_pending());
        }
        assert!(!alarm.take_due(clock.now()));
        assert_eq!(lock(&runtime.timers).len(), 3);
        alarm.set(far);
        assert!(poll(&mut alarm).is_pending(), "this timer expires early, and is set again");
        assert_eq!(lock(&runtime.timers).len(), 4);

        let past = clock.now();
        alarm.set(past);
        assert!(poll(&mut alarm).is_ready());
        assert!(alarm.take_due(past));
        assert!(!alarm.take_due(far), "once");
        assert!(poll(&mut alarm).is_pending());
    }
}
