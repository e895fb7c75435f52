//! The most important checks in one file, until each has its own.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};

use swim_core::{EventKind, Life, Member, MemberChange, Meta, Stamp, State, Versions};

use crate::{
    network::HostId,
    step::{Moment, Step},
};

use super::Checker;

/// All of them.
#[must_use]
pub fn all() -> Vec<Box<dyn Checker>> {
    vec![Box::new(Safety::default()), Box::new(Events::default())]
}

/// S1 to S7 and S10.
#[derive(Default)]
struct Safety {
    issued: BTreeMap<String, BTreeMap<Stamp, Vec<Profile>>>,
    may_be_left: BTreeSet<(String, Life)>,
    seen: BTreeMap<HostId, Seen>,
}

#[derive(Default)]
struct Seen {
    own: Option<Stamp>,
    entries: BTreeMap<String, (Stamp, State)>,
    fingerprint: (u64, u64),
    skipped: u32,
}

type Profile = (SocketAddr, Meta, Versions);

impl Checker for Safety {
    fn id(&self) -> &'static str {
        "S"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        match step.moment {
            Moment::Started => {
                self.seen.remove(&step.host);
            }
            Moment::Remove { name, life } => {
                self.may_be_left.insert((name.clone(), *life));
            }
            _ => {}
        }
        let own = step.node.local();
        if step.node.is_leaving() || step.node.has_left() {
            self.may_be_left.insert((own.name.to_string(), own.stamp.life));
        } else if own.state != State::Alive || own.addr != step.addr {
            return Err(format!("S4: {} sees itself {} at {}", own.name, own.state, own.addr));
        }
        self.issue(step.host, &own)?;
        let stats = step.node.stats();
        let fingerprint = (stats.claims_applied, stats.reaped);
        let seen = self.seen.entry(step.host).or_default();
        seen.skipped += 1;
        if seen.fingerprint == fingerprint && step.events.is_empty() && seen.skipped < 32 {
            return Ok(());
        }
        seen.fingerprint = fingerprint;
        seen.skipped = 0;
        self.members(step)
    }
}

impl Safety {
    fn issue(&mut self, host: HostId, own: &Member) -> Result<(), String> {
        let last = self.seen.entry(host).or_default().own;
        if last.is_some_and(|last| last > own.stamp) {
            return Err(format!("S3: {} went back from {last:?} to {}", own.name, own.stamp));
        }
        self.seen.entry(host).or_default().own = Some(own.stamp);
        if last == Some(own.stamp) {
            return Ok(());
        }
        let issued = self.issued.entry(own.name.to_string()).or_default();
        let first = match last {
            Some(last) if last.life == own.stamp.life => last.incarnation.0 + 1,
            _ => 1,
        };
        let profile = (own.addr, own.meta.clone(), own.versions);
        for incarnation in first..=own.stamp.incarnation.0 {
            let stamp = Stamp::new(own.stamp.life.0, incarnation);
            issued.entry(stamp).or_default().push(profile.clone());
        }
        Ok(())
    }

    fn members(&mut self, step: &Step<'_>) -> Result<(), String> {
        let mut recount = [0; 4];
        let mut entries = BTreeMap::new();
        let known = std::mem::take(&mut self.seen.entry(step.host).or_default().entries);
        for member in step.node.members() {
            recount[member.state as usize] += 1;
            self.invention(&member)?;
            let now = (member.stamp, member.state);
            if let Some(&last) = known.get(&*member.name) {
                if now < last {
                    return Err(format!("S1: {} went from {last:?} to {now:?}", member.name));
                }
                let was_left = last.1 == State::Left && now.1 != State::Left;
                if was_left && now.0.life <= last.0.life {
                    return Err(format!("S7: {} was called back", member.name));
                }
            }
            entries.insert(member.name.to_string(), now);
        }
        let lost =
            known.iter().find(|(name, (_, state))| state.is_live() && !entries.contains_key(*name));
        if let Some((name, _)) = lost {
            return Err(format!("S6: {name} vanished alive"));
        }
        let counts = step.node.counts();
        let counted = [counts.alive, counts.suspect, counts.dead, counts.left];
        self.seen.entry(step.host).or_default().entries = entries;
        if counted == recount { Ok(()) } else { Err(format!("S10: {counted:?} is {recount:?}")) }
    }

    fn invention(&self, member: &Member) -> Result<(), String> {
        let Member { name, stamp, .. } = member;
        let Some(issued) = self.issued.get(&**name) else {
            return Err(format!("S2: {name} was invented"));
        };
        if !issued.contains_key(stamp) {
            return Err(format!("S2: {name} never spoke under {stamp}"));
        }
        let profile = (member.addr, member.meta.clone(), member.versions);
        if !issued.range(..=*stamp).any(|(_, said)| said.contains(&profile)) {
            return Err(format!("S5: {name} never said {profile:?} until {stamp}"));
        }
        let key = (name.to_string(), stamp.life);
        if member.state == State::Left && !self.may_be_left.contains(&key) {
            return Err(format!("S7: {name} never left in life {}", stamp.life));
        }
        Ok(())
    }
}

/// E1 to E4.
#[derive(Default)]
struct Events(BTreeMap<HostId, Mirror>);

#[derive(Default)]
struct Mirror {
    next: u64,
    members: BTreeMap<String, (MemberChange, Member)>,
    suspected: BTreeSet<String>,
    delivered: BTreeSet<(String, u64, u64)>,
}

impl Checker for Events {
    fn id(&self) -> &'static str {
        "E"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        if matches!(step.moment, Moment::Started) {
            self.0.remove(&step.host);
        }
        let mirror = self.0.entry(step.host).or_default();
        for event in step.events {
            if event.seq != mirror.next {
                return Err(format!("E3: event {} after {}", event.seq, mirror.next));
            }
            mirror.next += 1;
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
