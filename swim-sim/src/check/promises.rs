//! What a node promises its application: that joins and leaves end in time, and that nobody makes
//! it leave but the application.

use swim_core::Instant;

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
        let audit = step.audit;
        let due = [audit.join_deadline, audit.leave_deadline];
        self.looks += due.iter().flatten().count() as u64;
        let is_late = |deadline: &Option<Instant>| deadline.is_some_and(|due| due <= audit.now);
        // What is due in the very moment of another input waits for the timer.
        if matches!(step.moment, Moment::Tick) && due.iter().any(is_late) {
            return Err(format!("L7, L8: due {due:?}, and goes on at {}", audit.now));
        }
        Ok(())
    }

    fn looks(&self) -> u64 {
        self.looks
    }
}
