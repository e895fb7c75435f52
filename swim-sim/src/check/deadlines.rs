//! Deadlines: they lie ahead, nothing happens before them, and time always goes on.

use swim_core::{Instant, Timer};

use crate::step::{Moment, Step};

use super::checker::{Checker, PerHost};

/// P5 and P7: a node's timers.
#[derive(Debug, Default)]
pub struct Deadlines {
    seen: PerHost<Seen>,
    looks: u64,
}

#[derive(Debug, Default)]
struct Seen {
    now: Instant,
    next_due: Option<(Instant, Timer)>,
    queued: usize,
    pauses: u64,
    woken_at: Option<Instant>,
    expired: u64,
    /// How many suspicions ran out soon after the node woke.
    failed_on_waking: u64,
}

impl Checker for Deadlines {
    fn id(&self) -> &'static str {
        "P5-P7"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        let has_met = self.seen.has_met(step);
        let seen = self.seen.of(step);
        let result =
            if has_met { time(seen, step).and_then(|()| seen.waking(step)) } else { Ok(()) };
        self.looks += u64::from(matches!(step.moment, Moment::Tick));
        seen.now = step.audit.now;
        seen.next_due = step.audit.next_due;
        seen.queued = queued(step);
        seen.pauses = step.node.stats().pauses;
        seen.expired = step.node.stats().suspicions_expired;
        result
    }

    fn looks(&self) -> u64 {
        self.looks
    }
}

/// P5, and P7: a smaller time is taken for the last one.
fn time(seen: &Seen, step: &Step<'_>) -> Result<(), String> {
    let now = step.audit.now;
    if now < seen.now {
        return Err(format!("P7: time went back from {} to {now}", seen.now));
    }
    let most = OUTPUTS_SPARE + OUTPUTS_PER_ITEM * queued(step).max(seen.queued);
    let outputs = step.sent.len() + step.events.len();
    if outputs > most {
        let (sent, told) = (step.sent.len(), step.events.len());
        let what = step.events.last();
        return Err(format!(
            "P5: {sent} packets and {told} events at once, {most} may be {what:?}"
        ));
    }
    if !matches!(step.moment, Moment::Tick) {
        return Ok(());
    }
    if step.audit.next_due.is_some_and(|(due, _)| due <= now) {
        return Err(format!("P5: at {now} the next deadline is {:?}", step.audit.next_due));
    }
    let is_early = seen.next_due.is_none_or(|(due, _)| due > now);
    let is_silent = step.events.is_empty() && step.sent.is_empty();
    if is_early && !is_silent {
        let due = seen.next_due;
        return Err(format!("P5: a tick at {now} did something, due was {due:?}"));
    }
    Ok(())
}

impl Seen {
    /// P7: who was stopped does not fail others for what it missed.
    fn waking(&mut self, step: &Step<'_>) -> Result<(), String> {
        let stats = step.node.stats();
        if stats.pauses > self.pauses {
            self.woken_at = Some(step.audit.now);
            self.failed_on_waking = 0;
        }
        let interval = step.node.audit_options().probe_interval;
        let Some(woken_at) = self.woken_at else { return Ok(()) };
        if step.audit.now.saturating_since(woken_at) >= interval {
            self.woken_at = None;
            return Ok(());
        }
        self.failed_on_waking += stats.suspicions_expired - self.expired;
        if self.failed_on_waking > 1 {
            let failed = self.failed_on_waking;
            return Err(format!("P7: {failed} members failed by one that just woke"));
        }
        Ok(())
    }
}

/// What outputs may be about.
fn queued(step: &Step<'_>) -> usize {
    let audit = step.audit;
    let asked_for = audit.joins.len() + audit.pings + audit.streams_dialed;
    step.node.counts().total() + audit.claims + audit.broadcasts + audit.relays + asked_for
}

/// Outputs of one moment, whatever there is to say.
const OUTPUTS_SPARE: usize = 64;

/// Outputs of one moment for each member, claim and broadcast.
const OUTPUTS_PER_ITEM: usize = 4;
