//! Suspicions: each within its bounds, about what is believed, and never longer than it was.

use std::collections::BTreeMap;

use swim_core::{AuditedSuspicion, Instant, Stamp, State};

use crate::step::Step;

use super::checker::{Checker, PerHost};

/// P3: the timers of suspicions.
#[derive(Debug, Default)]
pub struct Suspicions {
    seen: PerHost<Seen>,
    looks: u64,
}

#[derive(Debug, Default)]
struct Seen {
    fingerprint: (u64, u64, u64, usize),
    skipped: u32,
    pauses: u64,
    last: BTreeMap<String, Last>,
}

#[derive(Debug)]
struct Last {
    stamp: Stamp,
    begun_at: Instant,
    started_at: Instant,
    deadline: Instant,
    confirmations: u32,
}

impl Checker for Suspicions {
    fn id(&self) -> &'static str {
        "P3"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        let seen = self.seen.of(step);
        if step.node.has_left() {
            return Ok(());
        }
        let (count, suspects) = (step.audit.suspicions, step.node.counts().suspect);
        if count != suspects {
            return Err(format!("P3: {count} suspicions of {suspects} suspects"));
        }
        let stats = step.node.stats();
        let fingerprint = (stats.claims_applied, stats.suspicions, stats.pauses, count);
        seen.skipped += 1;
        if count == 0 {
            seen.last.clear();
        }
        if count == 0 || fingerprint == seen.fingerprint && seen.skipped < SKIPPED_MAX {
            return Ok(());
        }
        seen.fingerprint = fingerprint;
        seen.skipped = 0;
        self.looks += 1;
        let was_paused = stats.pauses != seen.pauses;
        seen.pauses = stats.pauses;
        let mut last = BTreeMap::new();
        for suspicion in step.node.audit_suspicions() {
            bounds(&suspicion, step)?;
            if let Some(old) = seen.last.get(&*suspicion.name) {
                course(&suspicion, old, was_paused)?;
            }
            let AuditedSuspicion { name, stamp, begun_at, started_at, deadline, .. } = suspicion;
            let confirmations = suspicion.confirmations;
            let now = Last { stamp, begun_at, started_at, deadline, confirmations };
            last.insert(name.to_string(), now);
        }
        seen.last = last;
        Ok(())
    }

    fn looks(&self) -> u64 {
        self.looks
    }
}

fn bounds(suspicion: &AuditedSuspicion, step: &Step<'_>) -> Result<(), String> {
    let AuditedSuspicion { name, stamp, known, min, max, .. } = suspicion;
    if stamp != known || step.node.member(name).is_none_or(|m| m.state != State::Suspect) {
        return Err(format!("P3: the suspicion of {name} is about {stamp}, known under {known}"));
    }
    let options = step.node.audit_options();
    let lasts = suspicion.deadline.saturating_since(suspicion.started_at);
    let is_sound = *min >= options.probe_interval * options.suspicion_mult
        && *max == *min * options.suspicion_max_mult
        && (*min..=*max).contains(&lasts)
        && !lasts.is_zero()
        && suspicion.confirmations <= suspicion.needed;
    if is_sound { Ok(()) } else { Err(format!("P3: {suspicion:?}")) }
}

fn course(new: &AuditedSuspicion, old: &Last, was_paused: bool) -> Result<(), String> {
    // One that was slept through counts its time from waking on. If it begins anew in that moment
    // it is another, with bounds of its own.
    let is_same =
        new.stamp == old.stamp && new.begun_at == old.begun_at && new.started_at == old.started_at;
    let is_longer = new.deadline > old.deadline && !was_paused;
    if is_same && (is_longer || new.confirmations < old.confirmations) {
        return Err(format!("P3: {new:?} was {old:?}"));
    }
    Ok(())
}

/// Every so many steps everything is looked at, even if nothing seems to have changed.
const SKIPPED_MAX: u32 = 16;
