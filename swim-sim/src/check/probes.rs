//! Probes: each ends once, and everybody's turn comes.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use swim_core::{AuditedProbe, EventKind, Instant, MemberChange, Stats};

use crate::step::{Moment, Step};

use super::checker::{Checker, PerHost};

/// P1 and P2: how probes begin and end.
#[derive(Debug, Default)]
pub struct Probes {
    seen: PerHost<Seen>,
    looks: u64,
}

#[derive(Debug, Default)]
struct Seen {
    /// Whether it was looked at before: in some worlds nodes know others from the start.
    is_met: bool,
    probe: Option<AuditedProbe>,
    totals: Totals,
    /// The live members other than the node itself.
    others: BTreeSet<String>,
    /// The number of the last probe of each.
    probed: BTreeMap<String, u64>,
    /// The number of the first probe since the members changed last.
    stable_from: u64,
    /// When there last was a probe, or a reason why there was none.
    active_at: Option<Instant>,
    /// Whether it was leaving or had left.
    was_away: bool,
}

/// How many probes began and ended, and why.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    begun: u64,
    acked: u64,
    relayed: u64,
    streamed: u64,
    failed: u64,
    pauses: u64,
    conflicts: u64,
}

impl Checker for Probes {
    fn id(&self) -> &'static str {
        "P1-P2"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        let seen = self.seen.of(step);
        let now = Totals::of(step.node.stats());
        let grown = now.since(seen.totals);
        let begun = grown.begun > 0;
        let looks = begun || grown.ended() > 0 || seen.probe != step.audit.probe;
        self.looks += u64::from(looks);
        let result = ending(seen, step, grown).and_then(|()| seen.turns(step, now, grown));
        seen.totals = now;
        seen.probe.clone_from(&step.audit.probe);
        result
    }

    fn looks(&self) -> u64 {
        self.looks
    }
}

impl Totals {
    const fn of(stats: &Stats) -> Self {
        Self {
            begun: stats.probes,
            acked: stats.probes_acked,
            relayed: stats.probes_saved_by_relay,
            streamed: stats.probes_saved_by_stream,
            failed: stats.probes_failed,
            pauses: stats.pauses,
            conflicts: stats.conflicts,
        }
    }

    const fn since(self, old: Self) -> Self {
        Self {
            begun: self.begun - old.begun,
            acked: self.acked - old.acked,
            relayed: self.relayed - old.relayed,
            streamed: self.streamed - old.streamed,
            failed: self.failed - old.failed,
            pauses: self.pauses - old.pauses,
            conflicts: self.conflicts - old.conflicts,
        }
    }

    const fn ended(self) -> u64 {
        self.acked + self.relayed + self.streamed + self.failed
    }
}

/// P1: a probe ends once, for a reason that belongs to what happened.
fn ending(seen: &Seen, step: &Step<'_>, grown: Totals) -> Result<(), String> {
    let (before, after) = (&seen.probe, &step.audit.probe);
    let ended = grown.ended();
    if ended > u64::from(before.is_some()) + grown.begun {
        return Err(format!("P1: {ended} verdicts on the probe {before:?}"));
    }
    let number = |probe: &Option<AuditedProbe>| probe.as_ref().map(|probe| probe.nonce);
    if ended + grown.begun > 0 && before.is_some() && number(before) == number(after) {
        return Err(format!("P1: a verdict on {before:?}, which goes on"));
    }
    let is_packet = matches!(step.moment, Moment::Packet { .. });
    if grown.acked + grown.relayed > 0 && !is_packet
        || grown.streamed > 0 && !matches!(step.moment, Moment::Stream { .. })
        || grown.failed > 0 && !matches!(step.moment, Moment::Tick)
    {
        return Err(format!("P1: {:?} ended {before:?}: {grown:?}", step.moment));
    }
    let Some(before) = before else { return Ok(()) };
    if grown.failed > 0 && before.deadline > step.audit.now {
        return Err(format!("P1: {before:?} failed at {}", step.audit.now));
    }
    if let Moment::Packet { from, .. } = step.moment
        && grown.acked > 0
        && step.node.member(&before.target).is_some_and(|member| member.addr != *from)
    {
        return Err(format!("P1: an ack from {from} counted for {before:?}"));
    }
    let is_over = after.as_ref().is_none_or(|after| after.nonce != before.nonce);
    let target = step.node.member(&before.target);
    let may_cease = grown.pauses > 0
        || step.node.is_leaving()
        || step.node.has_left()
        || step.events.iter().any(|event| is_end_of(&event.kind, &before.target));
    if is_over && ended == 0 && !may_cease && target.is_some_and(|member| member.state.is_live()) {
        return Err(format!("P1: {before:?} ended without a verdict"));
    }
    Ok(())
}

fn is_end_of(event: &EventKind, name: &str) -> bool {
    use MemberChange::{Failed, Joined, Left, Reaped};
    matches!(
        event,
        EventKind::Member { change: Failed | Left | Reaped | Joined, member }
            if *member.name == *name
    )
}

impl Seen {
    /// P2: nobody waits longer than two rounds less one turn.
    fn turns(&mut self, step: &Step<'_>, now: Totals, grown: Totals) -> Result<(), String> {
        let own = step.node.name();
        if !std::mem::replace(&mut self.is_met, true) {
            let live = step.node.members().filter(|it| it.state.is_live() && it.name != *own);
            self.others = live.map(|member| member.name.to_string()).collect();
            self.stable_from = now.begun + 1;
        }
        let mut is_changed = false;
        for event in step.events {
            let EventKind::Member { change, member } = &event.kind else { continue };
            if member.name == *own {
                continue;
            }
            is_changed |= match change {
                MemberChange::Joined => self.others.insert(member.name.to_string()),
                MemberChange::Failed | MemberChange::Left | MemberChange::Reaped => {
                    self.others.remove(&*member.name)
                }
                _ => false,
            };
        }
        // The holder of a contested name may be asked next, out of turn.
        let spare = if grown.conflicts > 0 { 2 } else { u64::from(is_changed) };
        if spare > 0 {
            self.stable_from = self.stable_from.max(now.begun + spare);
        }
        let is_away = step.node.is_leaving() || step.node.has_left();
        let may_rest = is_changed
            || grown.begun + grown.pauses > 0
            || self.others.is_empty()
            || std::mem::replace(&mut self.was_away, is_away);
        if may_rest || is_away || self.active_at.is_none() {
            self.active_at = Some(step.audit.now);
        }
        if grown.begun > 0
            && let Some(probe) = &step.audit.probe
        {
            self.turn(step, probe, now.begun)?;
        }
        self.rest(step)
    }

    fn turn(&mut self, step: &Step<'_>, probe: &AuditedProbe, number: u64) -> Result<(), String> {
        if probe.target == *step.node.name() {
            return Err("P2: the node probes itself".into());
        }
        if step.node.member(&probe.target).is_none_or(|member| !member.state.is_live()) {
            return Err(format!("P2: {} is probed and is not live", probe.target));
        }
        self.probed.insert(probe.target.to_string(), number);
        let longest = (2 * self.others.len() as u64).saturating_sub(1);
        if number + 1 < self.stable_from + longest {
            return Ok(());
        }
        let is_late =
            |name: &&String| self.probed.get(*name).is_none_or(|last| number - last >= longest);
        match self.others.iter().find(is_late) {
            Some(name) => Err(format!("P2: {name} was not probed for {longest} turns")),
            None => Ok(()),
        }
    }

    /// P2: probing goes on.
    fn rest(&self, step: &Step<'_>) -> Result<(), String> {
        let is_running = !step.node.is_leaving() && !step.node.has_left();
        let options = step.node.audit_options();
        let longest: Duration = options.probe_interval * (2 * (options.health_max + 1) + 3);
        let rested = self.active_at.map(|at| step.audit.now.saturating_since(at));
        let is_late = rested.is_some_and(|rested| rested > longest);
        if is_late && is_running && matches!(step.moment, Moment::Tick) {
            return Err(format!("P2: no probe for {rested:?}"));
        }
        Ok(())
    }
}
