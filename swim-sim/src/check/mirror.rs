//! What an application makes of a node's events: the members, folded from them one by one.
//!
//! It knows no world, so that the events of real nodes are held to the same rules.

use std::collections::{BTreeMap, BTreeSet};

use swim_core::{Bytes, Event, EventKind, Member, MemberChange, State};

/// The members as the events of one run of one node tell of them.
#[derive(Debug, Default)]
pub struct Mirror {
    /// The number of the next event, where it is known.
    next: Option<u64>,
    members: BTreeMap<String, (MemberChange, Member)>,
    suspected: BTreeSet<String>,
    delivered: BTreeSet<(String, u64, u64, Bytes)>,
}

impl Mirror {
    /// Of a node whose first event is still to come.
    #[must_use]
    pub fn of_new_node() -> Self {
        Self { next: Some(0), ..Self::default() }
    }

    /// Of a node that has been running, and knows these.
    pub fn of_members(members: impl Iterator<Item = Member>) -> Self {
        let mut mirror = Self::default();
        for member in members {
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
        mirror
    }

    /// The number of the next event, where it is known.
    #[must_use]
    pub const fn next(&self) -> Option<u64> {
        self.next
    }

    /// The members that were folded so far.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values().map(|(_, member)| member)
    }

    /// Folds an event in.
    ///
    /// # Errors
    ///
    /// E1, E3 or E4 and what breaks it.
    pub fn take(&mut self, event: &Event) -> Result<(), String> {
        if self.next.is_some_and(|next| next != event.seq) {
            return Err(format!("E3: event {} in place of {:?}", event.seq, self.next));
        }
        self.next = Some(event.seq + 1);
        match &event.kind {
            EventKind::Member { change, member } => self.fold(*change, member),
            // Whoever has the key may say something else under the same number.
            EventKind::Broadcast { origin, life, id, payload }
                if !self.delivered.insert((origin.to_string(), life.0, *id, payload.clone())) =>
            {
                Err(format!("E4: {origin} {life} {id} is delivered again"))
            }
            _ => Ok(()),
        }
    }

    /// Compares what was folded with the node's members.
    ///
    /// # Errors
    ///
    /// E2 and where they differ.
    pub fn compare(&self, members: impl Iterator<Item = Member>) -> Result<(), String> {
        let mut count = 0;
        for member in members {
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
}

#[cfg(test)]
mod tests {
    use swim_core::{Instant, Meta, Name, Stamp, Versions};

    use super::*;

    fn fold(mirror: &mut Mirror, letter: char) -> Result<(), String> {
        let changes = "JUSRFLX".find(letter).map(|at| CHANGES[at]);
        let (change, state) = changes.expect("a letter of a change");
        let member = Member {
            name: Name::new("n").expect("a name"),
            addr: ([10, 0, 0, 1], 7946).into(),
            meta: Meta::default(),
            state,
            reason: None,
            stamp: Stamp::new(1, 1),
            versions: Versions::default(),
            since: Instant::ORIGIN,
        };
        mirror.fold(change, &member)
    }

    /// Each by its letter: joined, updated, suspected, recovered, failed, left, and reaped as `X`.
    const CHANGES: [(MemberChange, State); 7] = [
        (MemberChange::Joined, State::Alive),
        (MemberChange::Updated, State::Alive),
        (MemberChange::Suspected, State::Suspect),
        (MemberChange::Recovered, State::Alive),
        (MemberChange::Failed, State::Dead),
        (MemberChange::Left, State::Left),
        (MemberChange::Reaped, State::Dead),
    ];

    #[test]
    fn e1_after_each_word_only_some_changes_make_sense() {
        let cases = [
            ("", "J"),
            ("J", "USFL"),
            ("JU", "USFL"),
            ("JS", "URFL"),
            ("JSU", "URFL"),
            ("JSR", "USFL"),
            ("JF", "JLX"),
            ("JSF", "JLX"),
            ("JL", "JX"),
            ("JFL", "JX"),
            ("JFX", "J"),
            ("JLX", "J"),
            ("JSFJ", "USFL"),
            ("JSLXJ", "USFL"),
        ];
        for (word, next) in cases {
            for letter in "JUSRFLX".chars() {
                let mut mirror = Mirror::of_new_node();
                for letter in word.chars() {
                    fold(&mut mirror, letter).expect("the word makes sense");
                }
                let found = fold(&mut mirror, letter);
                assert_eq!(found.is_ok(), next.contains(letter), "{word:?}, {letter}: {found:?}");
                assert!(found.err().is_none_or(|what| what.starts_with("E1: n ")));
            }
        }
    }
}
