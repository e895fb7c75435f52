//! What a node promises its application: that joins and leaves end in time, and that nobody makes
//! it leave but the application.

use std::collections::BTreeMap;

use swim_core::{EventKind, Instant, JoinId};

use crate::step::{Moment, Step};

use super::checker::{Checker, PerHost};

/// The part of L7, L8 and L11 that must hold whatever goes wrong.
#[derive(Debug, Default)]
pub struct Promises {
    seen: PerHost<Seen>,
    looks: u64,
}

#[derive(Debug, Default)]
struct Seen {
    /// Whether it was leaving or had left.
    is_out: bool,
    /// The joins under way, and when each was to be over when it began.
    joins: BTreeMap<JoinId, Instant>,
    /// When the leave under way was to be over when it began.
    leave: Option<Instant>,
}

impl Checker for Promises {
    fn id(&self) -> &'static str {
        "L7-L8-L11"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        let seen = self.seen.of(step);
        let is_out = step.node.is_leaving() || step.node.has_left();
        let was_out = std::mem::replace(&mut seen.is_out, is_out);
        let was_asked = matches!(step.moment, Moment::Leave);
        if is_out && !was_out && !was_asked {
            return Err(format!("L11: {:?} made the node leave", step.moment));
        }
        seen.note(step)?;
        self.looks += (seen.joins.len() + usize::from(seen.leave.is_some())) as u64;
        // What is due in the very moment of another input waits for the timer.
        if matches!(step.moment, Moment::Tick) { seen.late(step.audit.now) } else { Ok(()) }
    }

    fn looks(&self) -> u64 {
        self.looks
    }
}

impl Seen {
    /// Writes down what begins and what ends. A deadline that moves is the first one still.
    fn note(&mut self, step: &Step<'_>) -> Result<(), String> {
        for &(join, deadline) in &step.audit.joins {
            self.joins.entry(join).or_insert(deadline);
        }
        for event in step.events {
            if let EventKind::JoinFinished { join, .. } = &event.kind {
                self.joins.remove(join);
            }
        }
        let goes_on = |join: JoinId| step.audit.joins.iter().any(|(other, _)| *other == join);
        if let Some(join) = self.joins.keys().find(|join| !goes_on(**join)) {
            return Err(format!("L7: nobody was told how {join:?} ended"));
        }
        self.leave = step.audit.leave_deadline.map(|due| self.leave.unwrap_or(due));
        Ok(())
    }

    /// Whether something goes on that should be over.
    fn late(&self, now: Instant) -> Result<(), String> {
        if let Some((join, due)) = self.joins.iter().find(|(_, due)| **due <= now) {
            return Err(format!("L7: {join:?} was due at {due}, and goes on at {now}"));
        }
        match self.leave {
            Some(due) if due <= now => {
                Err(format!("L8: the leave was due at {due}, and goes on at {now}"))
            }
            _ => Ok(()),
        }
    }
}
