//! Which of the faults of a plan took effect, as the world saw it: a partition of hosts on which
//! nothing runs is none, and neither is a crash of what does not run. (C1)
//!
//! Where the world can't say whose doing something was, nobody is credited with it.

use std::collections::BTreeSet;

use swim_core::Node;

use crate::{
    action::{Action, Intruder, Way},
    malice,
    network::HostId,
    tally::Tally,
    world::World,
};

use super::{
    class::Class,
    hosts::{self, is_nobody, is_visitor},
    plan::Plan,
};

/// What took effect so far.
#[derive(Debug, Default)]
pub(super) struct Effects {
    felt: BTreeSet<Class>,
    /// Whose cuts stand.
    cutting: BTreeSet<Class>,
    /// How many packets were lost to cuts when the first of those that stand was made.
    cut_before: u64,
    /// How often a flapping partition was felt.
    flaps: u32,
}

impl Effects {
    /// An action is about to be carried out.
    pub(super) fn before(&mut self, action: &Action, tally: &Tally) {
        let ends = matches!(action, Action::Mend | Action::Heal);
        if ends || is_cut(action) {
            self.settle_cuts(tally);
        }
        if ends {
            self.cutting.clear();
        }
    }

    /// An action was carried out, or made no sense.
    pub(super) fn after(
        &mut self,
        plan: &Plan,
        action: &Action,
        is_done: bool,
        world: &World<Node>,
    ) {
        if !is_done {
            return;
        }
        if is_cut(action) {
            self.cutting.extend(takes_part(plan, CUTTERS));
            return;
        }
        if let Some(class) = doer(plan, action) {
            self.felt.insert(class);
        }
        if let Action::Start { host, .. } = action {
            if plan.settings.memberlist.is_some() {
                self.felt.insert(Class::Memberlist);
            }
            if plan.settings.skews.iter().any(|skew| skew.host == *host) {
                self.felt.insert(Class::Skew);
            }
            let speaks = |id: HostId| world.node(id).audit_options().application;
            if world.running().any(|id| speaks(id) != speaks(*host)) {
                self.felt.insert(Class::Versions);
            }
        }
    }

    /// All that was felt, now that nothing goes wrong any more.
    pub(super) fn finish(mut self, plan: &Plan, tally: &Tally) -> BTreeSet<Class> {
        self.settle_cuts(tally);
        let (felt, waits) = (&tally.fates.felt, &tally.waits);
        let told = |what: &str, by: &str| {
            let what = format!("told {what} by {by}");
            let counter = malice::counter(plan.settings.dialect(), &what);
            tally.malice.get(&counter).copied().unwrap_or_default()
        };
        let counts = [
            (Class::Loss, felt.lost),
            (Class::Duplicates, felt.doubled),
            (Class::Reordering, felt.late),
            (Class::Replay, tally.replays),
            (Class::Flips, felt.flipped),
            (Class::Truncation, felt.truncated),
            (Class::Latency, felt.slow),
            (Class::Clog, felt.clogged),
            (Class::Firewall, felt.filtered),
            (Class::Pause, waits.frozen),
            (Class::Hold, waits.held),
            (Class::Slow, waits.busy),
            (Class::Starvation, waits.starved),
            (Class::SendQueue, tally.packets_overflown),
            (Class::Mtu, felt.too_long),
            (Class::StreamReset, tally.streams_reset),
            (Class::StreamStall, tally.streams_stalled),
            (Class::JumpBack, tally.clocks_back),
            (Class::Outsiders, told("accusation", "outsider")),
            (Class::FormerKeys, told("accusation", "former")),
            (Class::Insiders, told("accusation", "insider")),
            (Class::Poison, told("poison", "insider")),
            (Class::Hijacks, told("hijack", "insider")),
            (Class::Farewells, told("farewell", "insider")),
            (Class::Crowds, told("crowd", "insider")),
            (Class::Traps, told("trap", "insider")),
            (Class::Thefts, told("theft", "insider")),
        ];
        let takes_part = |class: Class| plan.classes.iter().any(|name| name == class.name());
        let felt = counts.iter().filter(|(class, count)| *count > 0 && takes_part(*class));
        self.felt.extend(felt.map(|(class, _)| *class));
        self.felt
    }

    /// Credits whoever alone cut with what was lost to cuts since then.
    fn settle_cuts(&mut self, tally: &Tally) {
        let cut = tally.fates.felt.cut;
        let is_felt = cut > std::mem::replace(&mut self.cut_before, cut);
        let mut cutting = self.cutting.iter();
        let (Some(&class), None, true) = (cutting.next(), cutting.next(), is_felt) else { return };
        self.flaps += u32::from(class == Class::Flapping);
        if class != Class::Flapping || self.flaps >= 2 {
            self.felt.insert(class);
        }
    }
}

/// Whose doing an action was that took effect at once, if that can be told.
fn doer(plan: &Plan, action: &Action) -> Option<Class> {
    let of = |classes: &[Class]| {
        let mut found = takes_part(plan, classes);
        found.next().filter(|_| found.next().is_none())
    };
    match action {
        Action::Start { host, .. } if is_visitor(*host) => Some(Class::Visitors),
        Action::Start { forgetful: true, .. } => Some(Class::Amnesia),
        Action::Crash { host } if *host < hosts::GUESTS => {
            of(&[Class::Crash, Class::Amnesia, Class::Leaves])
        }
        Action::Leave { .. } => Some(Class::Leaves),
        Action::Join { seeds, .. } if seeds.iter().any(|seed| is_nobody(*seed)) => {
            Some(Class::Unreachable)
        }
        Action::Remove { .. } => Some(Class::Removals),
        Action::Update { .. } | Action::Send { way: Way::Meta, .. } => Some(Class::Updates),
        Action::Broadcast { .. } | Action::Send { way: Way::Broadcast, .. } => {
            Some(Class::Broadcasts)
        }
        Action::Send { .. } => Some(Class::Messages),
        Action::Drift { ppm, .. } if *ppm != 0 => Some(Class::Drift),
        Action::Jump { span, back: false, .. } if !span.is_zero() => Some(Class::Jump),
        Action::SetClock { span, .. } if !span.is_zero() => Some(Class::SetClock),
        Action::Garbage { .. } => Some(Class::Garbage),
        Action::Misuse { .. } => Some(Class::Misuse),
        Action::Assault { .. } => Some(Class::Assaults),
        Action::Flood { .. } => Some(Class::Flood),
        Action::Forge { victim: Some(_), .. } => Some(Class::Reflection),
        Action::Rotate { .. } => Some(Class::Rotation),
        Action::Intrude { fault: Intruder::Name { .. }, .. } => Some(Class::Conflict),
        Action::Intrude { .. } => Some(Class::Intruders),
        // The rest is seen by what it does to packets.
        _ => None,
    }
}

/// Those of the kinds that take part in the plan.
fn takes_part(plan: &Plan, classes: &[Class]) -> impl Iterator<Item = Class> {
    let is_in = |class: &Class| plan.classes.iter().any(|name| name == class.name());
    classes.iter().copied().filter(is_in).collect::<Vec<_>>().into_iter()
}

const fn is_cut(action: &Action) -> bool {
    matches!(action, Action::Cut { .. } | Action::Partition { .. })
}

/// The kinds that cut.
const CUTTERS: &[Class] = &[Class::Asymmetry, Class::Partition, Class::Flapping];
