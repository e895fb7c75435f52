//! Everything that grows has an end.

use swim_core::limits;

use crate::step::Step;

use super::checker::Checker;

/// M1, and S10 for what timers reckon with.
#[derive(Debug, Default)]
pub struct Sizes {
    looks: u64,
}

impl Checker for Sizes {
    fn id(&self) -> &'static str {
        "M1"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        self.looks += 1;
        let (audit, counts) = (step.audit, step.node.counts());
        let options = step.node.audit_options();
        if audit.live != counts.live() {
            return Err(format!("S10: timers reckon with {} of {counts:?}", audit.live));
        }
        let gone = counts.dead + counts.left;
        for (what, size, max) in [
            ("members", counts.total(), options.members_max),
            ("broadcasts", audit.broadcasts, limits::BROADCASTS_MAX),
            ("streams of peers", audit.streams_accepted, options.streams_max),
            ("streams", audit.streams_dialed, limits::STREAMS_DIALED_MAX),
            ("relays", audit.relays, limits::RELAYS_MAX),
            ("pings", audit.pings, limits::PINGS_MAX),
            ("joins", audit.joins.len(), limits::JOINS_MAX),
            ("remembered", audit.remembered, limits::REMEMBERED_MAX),
            ("graves", audit.graves, 2 * gone + GRAVES_SPARE),
            ("conflicts", audit.conflicts, options.members_max),
            ("unheard accusations", audit.unheard, UNHEARD_MAX),
        ] {
            if size > max {
                return Err(format!("M1: {size} {what}, {max} may be"));
            }
        }
        Ok(())
    }

    fn looks(&self) -> u64 {
        self.looks
    }
}

/// Graves beyond two for each that is dead or gone: two, and two for the node itself, which counts
/// among the gone while it has left.
const GRAVES_SPARE: usize = 4;

/// Accusations of its own that a node repeats.
const UNHEARD_MAX: usize = 64;
