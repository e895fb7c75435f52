//! The safety invariants of tables: nothing is invented, nothing goes down, nobody is called back.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};

use swim_core::{Life, Member, Meta, Node, Stamp, State, Versions};

use crate::{
    network::HostId,
    step::{Moment, Step},
};

use super::checker::Checker;

/// S1 to S7 and S10: what tables may hold, and what may become of it.
#[derive(Debug, Default)]
pub struct Tables {
    issued: BTreeMap<String, BTreeMap<Stamp, Vec<Profile>>>,
    may_be_left: BTreeSet<(String, Life)>,
    seen: BTreeMap<HostId, Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    own: Option<Stamp>,
    entries: BTreeMap<String, (Stamp, State)>,
    fingerprint: (u64, u64),
    skipped: u32,
}

type Profile = (SocketAddr, Meta, Versions);

impl Checker for Tables {
    fn id(&self) -> &'static str {
        "S"
    }

    fn meet(&mut self, host: HostId, node: &Node) {
        let own = node.local();
        let profile = (own.addr, own.meta.clone(), own.versions);
        for incarnation in 0..=own.stamp.incarnation.0 {
            let stamp = Stamp::new(own.stamp.life.0, incarnation);
            let issued = self.issued.entry(own.name.to_string()).or_default();
            issued.entry(stamp).or_default().push(profile.clone());
        }
        for member in node.members().filter(|member| member.state == State::Left) {
            self.may_be_left.insert((member.name.to_string(), member.stamp.life));
        }
        self.seen.insert(host, Seen { own: Some(own.stamp), ..Seen::default() });
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

impl Tables {
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
