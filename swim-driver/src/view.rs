//! The members as everybody may read them, without asking the loop.
//!
//! The loop folds each event in before the application can read it, so whoever reads an event finds
//! members at least as new. One event costs O(log n), however large the cluster is.

use core::fmt;
use std::{
    collections::BTreeMap,
    sync::{Arc, RwLock},
};

use swim_core::{Counts, Member, Name, State};

use crate::{
    lock::{read, write},
    machine::{Listing, Machine},
};

/// The members at one moment of the node's history.
#[derive(Clone, Debug)]
pub struct Snapshot<T = Member> {
    /// Every event with a `seq` below this is part of the snapshot, and none from here on.
    pub next_seq: u64,
    /// The members of every state, this node included, sorted by name.
    pub members: Vec<Arc<T>>,
}

/// The published members of a machine.
pub(crate) struct View<M: Machine> {
    listed: RwLock<Listed<M>>,
}

struct Listed<M: Machine> {
    members: BTreeMap<Name, Arc<M::Member>>,
    counts: Counts,
    next_seq: u64,
}

impl<M: Machine> View<M> {
    pub(crate) fn new() -> Self {
        let (members, counts) = (BTreeMap::new(), Counts::default());
        Self { listed: RwLock::new(Listed { members, counts, next_seq: 0 }) }
    }

    /// Folds one event in.
    pub(crate) fn fold(&self, event: &M::Event) {
        let change = M::listing(event);
        let mut listed = write(&self.listed);
        listed.next_seq = M::seq(event) + 1;
        let Some(change) = change else { return };
        let former = match change {
            Listing::Put { name, member } => {
                *count(&mut listed.counts, M::state(&member)) += 1;
                listed.members.insert(name, member)
            }
            Listing::Remove { name } => listed.members.remove(&name),
        };
        if let Some(former) = &former {
            *count(&mut listed.counts, M::state(former)) -= 1;
        }
        drop(listed); // Before the former member is freed.
    }

    pub(crate) fn member(&self, name: &str) -> Option<Arc<M::Member>> {
        read(&self.listed).members.get(name).cloned()
    }

    pub(crate) fn live(&self) -> Vec<Arc<M::Member>> {
        let listed = read(&self.listed);
        let live = listed.members.values().filter(|member| M::state(member).is_live());
        let mut found = Vec::with_capacity(listed.counts.live());
        found.extend(live.cloned());
        found
    }

    pub(crate) fn snapshot(&self) -> Snapshot<M::Member> {
        let listed = read(&self.listed);
        let members = listed.members.values().cloned().collect();
        Snapshot { next_seq: listed.next_seq, members }
    }

    pub(crate) fn counts(&self) -> Counts {
        read(&self.listed).counts
    }
}

impl<M: Machine> fmt::Debug for View<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

fn count(counts: &mut Counts, state: State) -> &mut usize {
    match state {
        State::Alive => &mut counts.alive,
        State::Suspect => &mut counts.suspect,
        State::Dead => &mut counts.dead,
        State::Left => &mut counts.left,
    }
}

#[cfg(test)]
mod tests {
    use swim_core::{Event, EventKind, Instant, MemberChange, Meta, Node, Stamp, Versions};

    use super::*;

    fn event(seq: u64, name: &str, change: MemberChange, state: State) -> Event {
        let member = Member {
            name: Name::new(name).unwrap(),
            addr: "127.0.0.1:7946".parse().unwrap(),
            meta: Meta::default(),
            state,
            reason: None,
            stamp: Stamp::new(1, 1),
            versions: Versions::default(),
            since: Instant::ORIGIN,
        };
        Event {
            seq,
            at: Instant::ORIGIN,
            kind: EventKind::Member { change, member: member.into() },
        }
    }

    #[test]
    fn folds_events_into_members_and_counts() {
        let view = View::<Node>::new();
        view.fold(&event(0, "b", MemberChange::Joined, State::Alive));
        view.fold(&event(1, "a", MemberChange::Joined, State::Alive));
        view.fold(&event(2, "b", MemberChange::Suspected, State::Suspect));
        view.fold(&event(3, "c", MemberChange::Joined, State::Alive));
        view.fold(&event(4, "c", MemberChange::Left, State::Left));
        let names = |members: Vec<Arc<Member>>| {
            members.iter().map(|member| member.name.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(names(view.live()), ["a", "b"]);
        assert_eq!(names(view.snapshot().members), ["a", "b", "c"]);
        assert_eq!(view.snapshot().next_seq, 5);
        assert_eq!(view.counts(), Counts { alive: 1, suspect: 1, dead: 0, left: 1 });
        view.fold(&event(5, "c", MemberChange::Reaped, State::Left));
        view.fold(&event(6, "c", MemberChange::Reaped, State::Left));
        assert_eq!(view.counts(), Counts { alive: 1, suspect: 1, dead: 0, left: 0 });
        assert_eq!(view.member("b").unwrap().state, State::Suspect);
        assert!(view.member("c").is_none());
        assert_eq!(view.snapshot().next_seq, 7);
    }

    #[test]
    fn events_of_other_kinds_count_as_folded() {
        let view = View::<Node>::new();
        let kind = EventKind::Health { score: 1 };
        view.fold(&Event { seq: 9, at: Instant::ORIGIN, kind });
        assert_eq!(view.snapshot().next_seq, 10);
    }
}
