//! The events of each node: their order makes sense, and folding them gives its members.

use std::collections::{BTreeMap, BTreeSet};

use swim_core::{EventKind, Member, MemberChange, Node, State};

use crate::{
    network::HostId,
    step::{Moment, Step},
};

use super::checker::Checker;

/// E1 to E4: what nodes tell their applications.
#[derive(Debug, Default)]
pub struct Events {
    seen: BTreeMap<HostId, Mirror>,
    looks: u64,
}

#[derive(Debug, Default)]
struct Mirror {
    /// The number of the next event, where it is known.
    next: Option<u64>,
    members: BTreeMap<String, (MemberChange, Member)>,
    suspected: BTreeSet<String>,
    delivered: BTreeSet<(String, u64, u64)>,
}

impl Checker for Events {
    fn id(&self) -> &'static str {
        "E"
    }

    fn meet(&mut self, host: HostId, node: &Node) {
        let mut mirror = Mirror { next: None, ..Mirror::default() };
        for member in node.members() {
            if member.state == State::Suspect {
                mirror.suspected.insert(member.name.to_string());
            }
            let change = match member.state {
                State::Alive | State::Suspect => MemberChange::Joined,
                State::Dead => MemberChange::Failed,
                State::Left => MemberChange::Left,
            };
            mirror.members.insert(member.name.to_string(), (change, member));
        }
        self.seen.insert(host, mirror);
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        if matches!(step.moment, Moment::Started) {
            self.seen.insert(step.host, Mirror { next: Some(0), ..Mirror::default() });
        }
        self.looks += step.events.len() as u64;
        let mirror = self.seen.entry(step.host).or_default();
        for event in step.events {
            if mirror.next.is_some_and(|next| next != event.seq) {
                return Err(format!("E3: event {} in place of {:?}", event.seq, mirror.next));
            }
            mirror.next = Some(event.seq + 1);
            match &event.kind {
                EventKind::Member { change, member } => mirror.fold(*change, member)?,
                EventKind::Broadcast { origin, life, id, .. }
                    if !mirror.delivered.insert((origin.to_string(), life.0, *id)) =>
                {
                    return Err(format!("E4: {origin} {life} {id} is delivered again"));
                }
                _ => {}
            }
        }
        if step.events.is_empty() { Ok(()) } else { mirror.compare(step) }
    }

    fn looks(&self) -> u64 {
        self.looks
    }
}

impl Mirror {
    fn fold(&mut self, change: MemberChange, member: &Member) -> Result<(), String> {
        use MemberChange::{Failed, Joined, Left, Reaped, Recovered, Suspected, Updated};
        let name = member.name.to_string();
        let last = self.members.get(&name).map(|(change, _)| *change);
        let is_in = matches!(last, Some(Joined | Updated | Suspected | Recovered));
        let is_suspected = self.suspected.contains(&name);
        let is_legal = match change {
            Joined => !is_in,
            Updated => is_in,
            Suspected => is_in && !is_suspected,
            Recovered => is_in && is_suspected,
            Failed => is_in,
            Left => is_in || last == Some(Failed),
            Reaped => matches!(last, Some(Failed | Left)),
        };
        if !is_legal {
            return Err(format!("E1: {name} {change} after {last:?}"));
        }
        match change {
            Suspected => {
                self.suspected.insert(name.clone());
            }
            Updated => {}
            _ => {
                self.suspected.remove(&name);
            }
        }
        if change == Reaped {
            self.members.remove(&name);
        } else {
            let change = if change == Updated { last.unwrap_or(Updated) } else { change };
            self.members.insert(name, (change, member.clone()));
        }
        Ok(())
    }

    fn compare(&self, step: &Step<'_>) -> Result<(), String> {
        let mut count = 0;
        for member in step.node.members() {
            count += 1;
            let Some((_, folded)) = self.members.get(&*member.name) else {
                return Err(format!("E2: {} is missing", member.name));
            };
            let same = folded.addr == member.addr
                && folded.meta == member.meta
                && folded.versions == member.versions
                && folded.state == member.state
                && folded.since == member.since;
            if !same {
                return Err(format!("E2: folded {folded:?}, but is {member:?}"));
            }
        }
        if count == self.members.len() { Ok(()) } else { Err(format!("E2: {count} members")) }
    }
}
