//! Local health: within its bounds, and moved only by what may move it.

use swim_core::{EventKind, Stats};

use crate::step::{Moment, Step};

use super::checker::{Checker, PerHost};

/// P4: local health.
#[derive(Debug, Default)]
pub struct Health {
    seen: PerHost<Seen>,
    looks: u64,
}

#[derive(Debug, Default)]
struct Seen {
    score: u32,
    told: u32,
    failed: u64,
    woken: u64,
    refuted: u64,
    answered: u64,
}

impl Checker for Health {
    fn id(&self) -> &'static str {
        "P4"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        let seen = self.seen.of(step);
        let options = step.node.audit_options();
        let score = step.node.health();
        let told = step.events.iter().rev().find_map(|event| match event.kind {
            EventKind::Health { score } => Some(score),
            _ => None,
        });
        seen.told = told.unwrap_or(seen.told);
        if score > options.health_max || score != seen.told {
            let max = options.health_max;
            return Err(format!("P4: {score} of {max}, and events say {}", seen.told));
        }
        let stats = step.node.stats();
        let answered = answered(stats);
        let worst = options.indirect_probes.max(1) as u64 * (stats.probes_failed - seen.failed);
        let up = worst + stats.pauses - seen.woken + stats.refutations - seen.refuted;
        let down = answered - seen.answered;
        let moved = i64::from(score) - i64::from(seen.score);
        let is_explained = moved <= up as i64 && -moved <= down as i64;
        if !is_explained {
            let Moment::Packet { .. } = step.moment else {
                return Err(format!("P4: moved by {moved} at {:?}", step.moment));
            };
            return Err(format!(
                "P4: a packet moved it by {moved}, {up} up and {down} down at most"
            ));
        }
        self.looks += u64::from(up + down > 0);
        *seen = Seen {
            score,
            told: seen.told,
            failed: stats.probes_failed,
            woken: stats.pauses,
            refuted: stats.refutations,
            answered,
        };
        Ok(())
    }

    fn looks(&self) -> u64 {
        self.looks
    }
}

const fn answered(stats: &Stats) -> u64 {
    stats.probes_acked + stats.probes_saved_by_relay + stats.probes_saved_by_stream
}
