//! Names stay with those who have them.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use swim_core::{Dialect, Instant, Options, State};

use crate::step::{Moment, Step};

use super::checker::{Checker, PerHost};

/// X9: nobody takes a member for one elsewhere, whatever is said, before it came to take it for
/// dead, or has taken it for gone for as long as it takes to object.
#[derive(Debug, Default)]
pub struct Names {
    known: PerHost<BTreeMap<String, Holder>>,
    looks: u64,
}

/// Who has a name.
#[derive(Clone, Copy, Debug)]
struct Holder {
    addr: SocketAddr,
    state: State,
    since: Instant,
}

impl Checker for Names {
    fn id(&self) -> &'static str {
        "X9"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        let has_met = self.known.has_met(step);
        let known = self.known.of(step);
        if !has_met || matches!(step.moment, Moment::Started) {
            known.extend(step.node.members().map(|member| {
                let (addr, state, since) = (member.addr, member.state, member.since);
                (member.name.to_string(), Holder { addr, state, since })
            }));
            return Ok(());
        }
        let mut changed: Vec<&str> = step.transitions.iter().map(|turn| &*turn.name).collect();
        changed.dedup();
        for name in changed {
            self.looks += 1;
            let before = known.remove(name);
            let now = step.node.member(name);
            if let (Some(before), Some(now)) = (before, &now)
                && before.addr != now.addr
                && !was_free(name, before, step)
            {
                let (was, is) = (before.addr, now.addr);
                return Err(format!("X9: {name} is known at {was}, and is given to {is}"));
            }
            if let Some(now) = now {
                let (addr, state, since) = (now.addr, now.state, now.since);
                known.insert(name.to_owned(), Holder { addr, state, since });
            }
        }
        Ok(())
    }

    fn looks(&self) -> u64 {
        self.looks
    }
}

/// Whether the name was free at some time within the step: it was forgotten whose it was, or its
/// holder was taken for dead, or had been for gone for long enough. How long it is kept for a dead
/// one is a matter of the configuration, and of the twin.
fn was_free(name: &str, holder: Holder, step: &Step<'_>) -> bool {
    let options = step.node.audit_options();
    let now = step.audit.now;
    let Holder { mut state, mut since, .. } = holder;
    for turn in step.transitions.iter().filter(|turn| *turn.name == *name) {
        let is_gone = state == State::Left && since + grace(options) <= now;
        if state == State::Dead || is_gone {
            return true;
        }
        let Some((_, after)) = turn.after else { return true };
        if after != state {
            (state, since) = (after, now);
        }
    }
    false
}

/// A member that is said to have left needs so long to hear of it and to be heard, at the least;
/// gossip takes its time besides. Where nobody has a life, a name is free at once.
fn grace(options: &Options) -> Duration {
    match options.dialect {
        Dialect::Native => options.probe_interval * FAREWELL_PROBES,
        Dialect::Memberlist(_) => Duration::ZERO,
    }
}

/// So often it asks somebody, and is told.
const FAREWELL_PROBES: u32 = 3;
