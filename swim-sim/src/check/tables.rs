//! The safety invariants of tables: nothing is invented, nothing goes down, nobody is called back.
//!
//! Every change is looked at, not only what is left of them after a step. Now and then the table
//! is held against what the changes have made of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};

use swim_core::{
    EventKind, Forger, Life, Member, MemberChange, Meta, Node, Stamp, State, Transition, Versions,
};

use crate::{
    malice::Forged,
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
    looks: u64,
}

/// What the changes so far have made of a table.
#[derive(Debug, Default)]
struct Seen {
    own: Option<Stamp>,
    entries: BTreeMap<String, Belief>,
    counts: [usize; 4],
    /// How many steps ago it was last held against the table.
    skipped: u32,
}

type Profile = (SocketAddr, Meta, Versions);

type Belief = (Stamp, State);

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
        self.seen.insert(host, Seen { own: Some(own.stamp), ..Seen::of(node) });
    }

    /// Of a lie that can't be told from the truth, exactly what it says may be believed: what a
    /// member is said to say of itself, too.
    fn forged(&mut self, forged: &Forged) {
        if forged.flaw.is_some() {
            return;
        }
        for tale in &forged.tales {
            let issued = self.issued.entry(tale.name.to_string()).or_default();
            let said = issued.entry(tale.stamp).or_default();
            let profile = tale.profile.clone();
            said.extend(profile.map(|(addr, meta)| (addr, meta, Forger::versions())));
            if tale.state == State::Left {
                self.may_be_left.insert((tale.name.to_string(), tale.stamp.life));
            }
        }
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        match step.moment {
            Moment::Started => {
                self.seen.insert(step.host, Seen::of(step.node));
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
        // Of several stamps in one moment each was spoken under.
        let own_turns = step.transitions.iter().filter(|turn| turn.name == own.name);
        let stamps = own_turns.filter_map(|turn| turn.after).map(|(stamp, _)| stamp);
        for stamp in stamps.chain([own.stamp]) {
            self.issue(step.host, &own, stamp)?;
        }
        for transition in step.transitions {
            self.looks += 1;
            self.turn(step, transition)?;
        }
        let seen = self.seen.entry(step.host).or_default();
        seen.skipped += 1;
        let counts = step.node.counts();
        let counted = [counts.alive, counts.suspect, counts.dead, counts.left];
        if counted != seen.counts {
            return Err(format!("S10: {counted:?} is {:?}", seen.counts));
        }
        if seen.skipped < SKIPPED_MAX {
            return Ok(());
        }
        seen.skipped = 0;
        self.recount(step)
    }

    fn looks(&self) -> u64 {
        self.looks
    }
}

impl Tables {
    fn issue(&mut self, host: HostId, own: &Member, stamp: Stamp) -> Result<(), String> {
        let seen = self.seen.entry(host).or_default();
        let last = seen.own.replace(stamp);
        if last.is_some_and(|last| last > stamp) {
            return Err(format!("S3: {} went back from {last:?} to {stamp}", own.name));
        }
        if last == Some(stamp) {
            return Ok(());
        }
        let issued = self.issued.entry(own.name.to_string()).or_default();
        let profile = (own.addr, own.meta.clone(), own.versions);
        issued.entry(stamp).or_default().push(profile);
        Ok(())
    }

    /// One change.
    fn turn(&mut self, step: &Step<'_>, transition: &Transition) -> Result<(), String> {
        let Transition { name, before, after } = transition;
        let seen = self.seen.entry(step.host).or_default();
        let known = seen.entries.get(&**name).copied();
        if known != *before {
            return Err(format!("S1: {name} was {known:?} and is said to have been {before:?}"));
        }
        seen.turn(name, *before, *after);
        match (*before, *after) {
            (Some(before), Some(after)) => is_legal_change(name, before, after)?,
            (Some((_, state)), None) if state.is_live() => {
                return Err(format!("S6: {name} vanished {state}"));
            }
            (Some(_), None) if !is_reaped(step, name) => {
                return Err(format!("S6: {name} was forgotten, and nobody was told"));
            }
            _ => {}
        }
        let Some(after) = *after else { return Ok(()) };
        self.invention(name, after)?;
        if let Some(member) = step.node.member(name) {
            self.profile(&member)?;
        }
        Ok(())
    }

    /// Holds the table against what the changes have made of it.
    fn recount(&mut self, step: &Step<'_>) -> Result<(), String> {
        let Some(Seen { entries, .. }) = self.seen.get(&step.host) else { return Ok(()) };
        let mut count = 0;
        for member in step.node.members() {
            count += 1;
            let (known, now) = (entries.get(&*member.name), (member.stamp, member.state));
            if known != Some(&now) {
                return Err(format!("S1: {} became {now:?} from {known:?} unseen", member.name));
            }
            self.profile(&member)?;
        }
        let known = entries.len();
        if count == known { Ok(()) } else { Err(format!("S10: {count} members, and not {known}")) }
    }

    /// S2 and S7: nobody is believed what it never said.
    fn invention(&self, name: &str, (stamp, state): Belief) -> Result<(), String> {
        let Some(issued) = self.issued.get(name) else {
            return Err(format!("S2: {name} was invented"));
        };
        if !issued.contains_key(&stamp) {
            return Err(format!("S2: {name} never spoke under {stamp}"));
        }
        let key = (name.to_owned(), stamp.life);
        if state == State::Left && !self.may_be_left.contains(&key) {
            return Err(format!("S7: {name} never left in life {}", stamp.life));
        }
        Ok(())
    }

    /// S5: what is known of somebody was said by it, and not later than it is believed to have.
    fn profile(&self, member: &Member) -> Result<(), String> {
        let Member { name, stamp, .. } = member;
        let profile = (member.addr, member.meta.clone(), member.versions);
        let issued = self.issued.get(&**name);
        let was_said = |issued: &BTreeMap<Stamp, Vec<Profile>>| {
            issued.range(..=*stamp).rev().any(|(_, said)| said.contains(&profile))
        };
        if issued.is_some_and(was_said) {
            Ok(())
        } else {
            Err(format!("S5: {name} never said {profile:?} until {stamp}"))
        }
    }
}

impl Seen {
    fn of(node: &Node) -> Self {
        let mut seen = Self::default();
        for member in node.members() {
            seen.turn(&member.name, None, Some((member.stamp, member.state)));
        }
        seen
    }

    fn turn(&mut self, name: &str, before: Option<Belief>, after: Option<Belief>) {
        if let Some((_, state)) = before {
            self.counts[state as usize] -= 1;
        }
        let Some(after) = after else {
            self.entries.remove(name);
            return;
        };
        self.counts[after.1 as usize] += 1;
        match self.entries.get_mut(name) {
            Some(entry) => *entry = after,
            None => {
                self.entries.insert(name.to_owned(), after);
            }
        }
    }
}

/// What all have in memberlist's dialect.
const NO_LIFE: Life = Life(0);

/// S1, S6 and S7: nothing goes down, and from the grave there is one way only. That the dead don't
/// come back under the stamp they died with is part of the order of beliefs.
///
/// # Errors
///
/// What is wrong with a change.
pub fn is_legal_change(name: &str, before: Belief, after: Belief) -> Result<(), String> {
    if after < before {
        return Err(format!("S1: {name} went from {before:?} to {after:?}"));
    }
    // Where nobody has a life, who comes back does so by a new incarnation.
    let is_reborn = if before.0.life == NO_LIFE {
        after.0.incarnation > before.0.incarnation
    } else {
        after.0.life > before.0.life
    };
    if before.1 == State::Left && after.1 != State::Left && !is_reborn {
        return Err(format!("S7: {name} was called back"));
    }
    Ok(())
}

fn is_reaped(step: &Step<'_>, name: &str) -> bool {
    let is_reaping = |kind: &EventKind| {
        matches!(
            kind,
            EventKind::Member { change: MemberChange::Reaped, member } if *member.name == *name
        )
    };
    step.events.iter().any(|event| is_reaping(&event.kind))
}

/// Every so many steps the whole table is looked at.
const SKIPPED_MAX: u32 = 32;

#[cfg(test)]
mod tests {
    use super::*;

    const fn believed(life: u64, incarnation: u64, state: State) -> Belief {
        (Stamp::new(life, incarnation), state)
    }

    #[test]
    fn s1_s6_s7_what_goes_down_and_who_is_called_back_is_found() {
        use State::{Alive, Dead, Left, Suspect};
        let is_legal = |before, after| is_legal_change("n", before, after).is_ok();
        assert!(is_legal(believed(1, 1, Alive), believed(1, 1, Suspect)));
        assert!(is_legal(believed(1, 1, Dead), believed(1, 2, Alive)));
        assert!(is_legal(believed(1, 9, Left), believed(2, 1, Alive)));
        assert!(!is_legal(believed(1, 1, Suspect), believed(1, 1, Alive)));
        assert!(!is_legal(believed(1, 1, Dead), believed(1, 1, Alive)), "S6");
        assert!(!is_legal(believed(1, 9, Dead), believed(1, 2, Alive)), "S1");
        assert!(!is_legal(believed(1, 1, Left), believed(1, 2, Alive)), "S7");
    }

    #[test]
    fn s2_s7_what_nobody_said_of_itself_is_found() {
        let mut tables = Tables::default();
        let found = |tables: &Tables, name, belief| tables.invention(name, belief).err();
        tables.issued.entry("n".into()).or_default().insert(Stamp::new(1, 2), Vec::new());
        assert_eq!(found(&tables, "n", believed(1, 2, State::Dead)), None);
        let said = found(&tables, "n", believed(1, 3, State::Suspect));
        assert_eq!(said.as_deref(), Some("S2: n never spoke under 1.3"));
        let said = found(&tables, "m", believed(1, 2, State::Alive));
        assert_eq!(said.as_deref(), Some("S2: m was invented"));
        let said = found(&tables, "n", believed(1, 2, State::Left));
        assert_eq!(said.as_deref(), Some("S7: n never left in life 1"));
        tables.may_be_left.insert(("n".into(), Life(1)));
        assert_eq!(found(&tables, "n", believed(1, 2, State::Left)), None);
    }
}
