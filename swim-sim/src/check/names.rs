//! Names stay with those who have them.

use std::{collections::BTreeMap, net::SocketAddr};

use crate::step::{Moment, Step};

use super::checker::{Checker, PerHost};

/// X9: nobody takes a member for one elsewhere, whatever is said, before it came to take it for
/// dead or gone.
#[derive(Debug, Default)]
pub struct Names {
    known: PerHost<BTreeMap<String, SocketAddr>>,
    looks: u64,
}

impl Checker for Names {
    fn id(&self) -> &'static str {
        "X9"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        let has_met = self.known.has_met(step);
        let known = self.known.of(step);
        if !has_met || matches!(step.moment, Moment::Started) {
            let members = step.node.members();
            known.extend(members.map(|member| (member.name.to_string(), member.addr)));
            return Ok(());
        }
        let mut changed: Vec<&str> = step.transitions.iter().map(|turn| &*turn.name).collect();
        changed.dedup();
        for name in changed {
            self.looks += 1;
            let now = step.node.member(name).map(|member| member.addr);
            let before = match now {
                Some(addr) => known.insert(name.to_owned(), addr),
                None => known.remove(name),
            };
            let mut turns = step.transitions.iter().filter(|turn| *turn.name == *name);
            let was_always_live = turns.all(|turn| {
                let is_live = |belief: Option<(_, swim_core::State)>| {
                    belief.is_some_and(|(_, state)| state.is_live())
                };
                is_live(turn.before) && is_live(turn.after)
            });
            if was_always_live && before != now {
                return Err(format!("X9: {name} lives at {before:?}, and is given to {now:?}"));
            }
        }
        Ok(())
    }

    fn looks(&self) -> u64 {
        self.looks
    }
}
