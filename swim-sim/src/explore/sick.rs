//! Some are sick for ever: the core must bear it.
//!
//! What the sick believe is not looked at: whoever hears nothing may take all others for dead, and
//! whoever runs for moments may believe what was true an hour ago. What must always hold holds for
//! them too, and so does what is asked of the core: it agrees on itself (L1), it fails none of its
//! own (L6), it comes to take those for dead of whom nothing can be heard (L2), it does not bring
//! them back but where one of the sick still took them for alive and says so, each of them once at
//! most, and it brings nobody else back more often than a suspicion can run out (L6).

use std::time::Duration;

use swim_core::{Instant, Node, State};

use crate::{action::Action, network::HostId, world::World};

use super::{blame::blame, calm::agrees, run::Run, verdict::Failure};

impl Run<'_> {
    /// Asks of the core all that it owes, now that it agrees. It was calm from `start` on.
    pub(super) fn bear_the_sick(&mut self, core: usize, start: Instant) -> Result<(), Failure> {
        let sick: Vec<(HostId, &str)> = self
            .plan
            .lasting
            .iter()
            .filter_map(|timed| sickness(&timed.action))
            .filter(|(host, _)| self.world.is_running(*host) && !self.world.node(*host).has_left())
            .collect();
        if self.world.taking_part().filter(|&id| id < core).count() < 2 {
            return Ok(());
        }
        let is_silent = |what: &str| matches!(what, "deaf" | "mute" | "stopped");
        let silent: Vec<HostId> =
            sick.iter().filter(|(_, what)| is_silent(what)).map(|(host, _)| *host).collect();
        self.bury(core, start, &silent)?;
        // Whoever hears nothing may bring itself back as long as it hopes to be answered.
        let hopes = start + self.plan.settings.introduces_itself_for();
        self.run_for(hopes.saturating_since(self.world.now));
        // By now suspicions that began while all went wrong have run out.
        self.notes.borrow_mut().look_at_core(core);
        self.run_for(WATCHED);
        if let Some(failure) = self.violation() {
            return Err(failure);
        }
        for (_, what) in &sick {
            self.counters.add(format!("lasting {what}"), 1);
        }
        self.check_revivals(&silent, sick.len() - silent.len())?;
        self.check_core(core, sick.len())
    }

    /// L2: of whom nothing can be heard is taken for dead in time.
    fn bury(&mut self, core: usize, start: Instant, silent: &[HostId]) -> Result<(), Failure> {
        let end = start + self.bounds.detects_within();
        let span = end.saturating_since(self.world.now);
        let lives = |world: &World<Node>| {
            let part = world.taking_part().filter(|&id| id < core);
            let mut pairs = part.flat_map(|one| silent.iter().map(move |&other| (one, other)));
            pairs.find(|&(one, other)| world.view(one, other).is_some_and(State::is_live))
        };
        if self.world.run_until(span, |world| lives(world).is_none()).is_some() {
            return Ok(());
        }
        if let Some(failure) = self.violation() {
            return Err(failure);
        }
        let pending = lives(&self.world).map(|(one, other)| {
            format!("nobody can hear host {other}, and it is alive for host {one}")
        });
        let pending = pending.unwrap_or_default();
        Err(Failure::Liveness { id: "L2", pending })
    }

    /// L6: nobody comes back again and again. So many of the sick can be heard.
    fn check_revivals(&self, silent: &[HostId], heard: usize) -> Result<(), Failure> {
        let shortest = self.plan.settings.shortest_suspicion();
        let most = 2 + (WATCHED.as_nanos() / shortest.as_nanos().max(1)) as u64;
        for (&(one, other), &count) in &self.notes.borrow().revivals {
            let most = if silent.contains(&other) { heard as u64 } else { most };
            if count > most {
                let pending = format!(
                    "host {one} took host {other}, sick for ever, for back {count} times in \
                     {WATCHED:?}, {most} may be"
                );
                return Err(Failure::Liveness { id: "L6", pending });
            }
        }
        Ok(())
    }

    /// L6: those that are well failed none of their own since all but one were, and agree. Where
    /// more are sick, one of them may still believe another that the well have buried, and pass its
    /// accusations on; then it is only counted.
    fn check_core(&mut self, core: usize, sick: usize) -> Result<(), Failure> {
        let wronged = self.notes.borrow().wronged.clone();
        self.counters.add("well failed among the sick", wronged.len() as u64);
        if !self.plan.settings.bears_the_sick() || sick > 1 {
            return Ok(());
        }
        self.counters.add("sick borne", 1);
        if !wronged.is_empty() {
            let pending = format!("failed though well (by whom, whom): {wronged:?}");
            return Err(Failure::Liveness { id: "L6", pending });
        }
        if !agrees(&self.world, core) {
            let (_, pending) = blame(&self.world, core);
            let pending = format!("agreement of the core was lost: {pending}");
            return Err(Failure::Liveness { id: "L6", pending });
        }
        Ok(())
    }
}

/// Who is sick by this, and how.
fn sickness(action: &Action) -> Option<(HostId, &'static str)> {
    match action {
        Action::Ends { host, loss_sent, loss_received, .. } => {
            let what = match (*loss_sent >= 1.0, *loss_received >= 1.0) {
                (_, true) => "deaf",
                (true, false) => "mute",
                (false, false) => "lossy",
            };
            Some((*host, what))
        }
        Action::Starve { host, .. } => Some((*host, "starved")),
        Action::Slow { host, .. } => Some((*host, "slow")),
        Action::Freeze { host, .. } => Some((*host, "stopped")),
        _ => None,
    }
}

/// For so long the core is watched once it agrees.
const WATCHED: Duration = Duration::from_secs(60);
