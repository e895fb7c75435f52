//! What must hold after every step, whatever a test is about: the invariants that need no more
//! than one node to be seen broken. It only looks.

use std::{
    collections::BTreeMap,
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};

use super::super::{Node, Phase};
use crate::{
    event::{Event, EventKind, MemberChange},
    member::{Member, State},
    name::Meta,
    precedence::Belief,
    stamp::Stamp,
    stats::Counts,
    suspicion::Suspicion,
    table::MemberIndex,
};

/// What was seen of a node so far.
#[derive(Default)]
pub(super) struct Auditor {
    events: u64,
    /// The members as events told them.
    folded: BTreeMap<String, Arc<Member>>,
    /// The last change of each, and whether it is suspected.
    words: BTreeMap<String, (MemberChange, bool)>,
    beliefs: BTreeMap<String, Belief>,
    /// What each stamp of each member stood for.
    profiles: BTreeMap<(String, Stamp), (core::net::SocketAddr, Meta)>,
    own: Stamp,
}

impl Auditor {
    /// Takes note of an event. E3: they are numbered without gaps.
    pub(super) fn note(&mut self, event: &Event) {
        assert_eq!(event.seq, self.events, "E3: events are numbered without gaps");
        self.events += 1;
        if let EventKind::Member { change, member } = &event.kind {
            let name = member.name.to_string();
            self.parse(&name, *change);
            if *change == MemberChange::Reaped {
                self.folded.remove(&name);
                self.beliefs.remove(&name);
                self.profiles.retain(|(of, _), _| *of != name);
            } else {
                self.folded.insert(name, Arc::clone(member));
            }
        }
    }

    /// E1: (Join (Update | Suspect | Recover)* (Leave | Fail Leave?) Reap?)*
    fn parse(&mut self, name: &str, change: MemberChange) {
        use MemberChange::{Failed, Joined, Left, Reaped, Recovered, Suspected, Updated};
        let before = self.words.get(name).copied();
        let (last, suspected) = before.unwrap_or((Reaped, false));
        let is_in = !matches!(last, Failed | Left | Reaped);
        let is_legal = match change {
            Joined => !is_in,
            Updated | Failed => is_in,
            Suspected => is_in && !suspected,
            Recovered => is_in && suspected,
            Left => is_in || last == Failed,
            Reaped => matches!(last, Failed | Left),
        };
        assert!(is_legal, "E1: {name} {change} after {before:?}");
        let suspected = change == Suspected || suspected && change == Updated;
        self.words.insert(name.into(), (change, suspected));
    }

    /// Looks at the node between two steps, when all events were noted.
    pub(super) fn check(&mut self, node: &Node) {
        self.check_records(node);
        self.check_folded(node);
        self.check_own(node);
        check_counts(node);
        check_suspicions(node);
        assert!(node.health.score() <= node.config.health_max, "P4: health within its bounds");
    }

    fn check_records(&mut self, node: &Node) {
        for (index, record) in node.table.iter() {
            let (name, belief) = (record.name().to_string(), record.belief());
            if index != MemberIndex::SELF
                && let Some(old) = self.beliefs.insert(name.clone(), belief)
            {
                let grew = old == belief || old.hearing(belief) == Some(belief);
                assert!(grew, "S1: {name} went from {old:?} to {belief:?}");
            }
            let profile = record.profile();
            let says = (profile.addr(), Meta::from_checked(profile.meta()));
            let said = self.profiles.entry((name, profile.stamp())).or_insert(says.clone());
            assert_eq!(*said, says, "S5: one stamp of {} says one thing", record.name());
        }
    }

    /// E2. Stamps are left out: events don't tell them.
    fn check_folded(&self, node: &Node) {
        let essence = |m: &Member| {
            (m.addr, m.meta.clone(), m.state, m.reason, m.versions, m.since, m.name.clone())
        };
        let members: Vec<_> = node.members().collect();
        assert_eq!(members.len(), self.folded.len(), "E2: events tell all members");
        for member in &members {
            let folded = self.folded.get(member.name.as_str()).map(|member| essence(member));
            assert_eq!(folded, Some(essence(member)), "E2: events tell what members are");
        }
    }

    fn check_own(&mut self, node: &Node) {
        let own = node.local();
        assert!(own.stamp >= self.own, "S3: the own stamp went from {} to {}", self.own, own.stamp);
        self.own = own.stamp;
        let is_running = node.phase == Phase::Running;
        assert_eq!(own.state == State::Alive, is_running, "S4: who runs is alive to itself");
        assert_eq!(own.addr, node.config.addr, "S4: at its own address");
    }
}

/// S10: the counts are those of a recount.
fn check_counts(node: &Node) {
    let count = |state| node.table.iter().filter(|(_, record)| record.state() == state).count();
    let recount = Counts {
        alive: count(State::Alive),
        suspect: count(State::Suspect),
        dead: count(State::Dead),
        left: count(State::Left),
    };
    assert_eq!(node.counts(), recount, "S10: counts are those of the table");
}

/// P3: whoever is suspected has a suspicion of this very stamp, and nobody else has one.
fn check_suspicions(node: &Node) {
    if node.phase == Phase::Left {
        return;
    }
    for (index, record) in node.table.iter() {
        let suspected = (record.state() == State::Suspect).then(|| record.stamp());
        let suspicion = node.suspicions.get(&index).map(Suspicion::stamp);
        assert_eq!(suspicion, suspected, "P3: the suspicion of {} fits", record.name());
    }
    assert_eq!(node.suspicions.len(), node.counts().suspect, "P3: one suspicion per suspect");
}
