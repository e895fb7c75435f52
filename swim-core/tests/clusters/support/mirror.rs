//! The members as an application would keep them: by folding events, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use swim_core::{Member, MemberChange, State};

/// The folded events of one node, and each member's last change.
#[derive(Default)]
pub(crate) struct Mirror {
    members: BTreeMap<String, (MemberChange, Member)>,
    suspected: BTreeMap<String, bool>,
    /// A recovery shows already what the member recovered with: the update of it must follow.
    owes_update: Option<String>,
    /// Those that were reaped after they failed, and were not met again: still tried now and then.
    remembered: BTreeSet<String>,
}

impl Mirror {
    /// Folds one event, checking E1: Join (Update | Suspect | Recover)* (Leave | Fail Leave?) Reap?
    pub(crate) fn fold(&mut self, change: MemberChange, member: &Member) {
        use MemberChange::{Failed, Joined, Left, Reaped, Recovered, Suspected, Updated};
        let name = member.name.to_string();
        let last = self.members.get(&name).map(|(change, _)| *change);
        let is_in = matches!(last, Some(Joined | Updated | Suspected | Recovered));
        let differs = self.differs(&name, member);
        let owes_update = self.owes_update.take();
        let is_owed = owes_update.as_ref() == Some(&name);
        assert!(owes_update.is_none() || (is_owed && change == Updated), "E2: {owes_update:?}");
        if change == Recovered && differs {
            self.owes_update = Some(name.clone());
        }
        let suspected = self.suspected.entry(name.clone()).or_default();
        let is_legal = match change {
            Joined => !is_in,
            Updated => is_in && (differs || is_owed),
            Suspected => is_in && !*suspected,
            Recovered => is_in && *suspected,
            Failed => is_in,
            Left => is_in || last == Some(Failed),
            Reaped => matches!(last, Some(Failed | Left)),
        };
        assert!(is_legal, "E1: {name} {change} after {last:?}");
        if change == Joined {
            self.remembered.remove(&name);
        } else if change == Reaped && member.state == State::Dead {
            self.remembered.insert(name.clone());
        }
        match change {
            Suspected => *suspected = true,
            Joined | Recovered | Failed | Left | Reaped => *suspected = false,
            Updated => {}
        }
        if change == Reaped {
            self.members.remove(&name);
        } else {
            let change = if change == Updated { last.unwrap_or(Updated) } else { change };
            self.members.insert(name, (change, member.clone()));
        }
    }

    /// E2: the folded members are these, but for the stamps that events don't report.
    pub(crate) fn check(&self, members: impl Iterator<Item = Member>) {
        assert_eq!(self.owes_update, None, "E2: an update that was never told");
        let mut count = 0;
        for member in members {
            count += 1;
            let (_, folded) = &self.members[&*member.name];
            let same = folded.addr == member.addr
                && folded.meta == member.meta
                && folded.versions == member.versions
                && folded.state == member.state
                && folded.reason == member.reason
                && folded.since == member.since;
            assert!(same, "E2: folded {folded:?}, but is {member:?}");
        }
        assert_eq!(count, self.members.len(), "E2: members and folded members");
    }

    /// E2: an update is one only if what the member says about itself changed.
    fn differs(&self, name: &str, member: &Member) -> bool {
        let said = |member: &Member| (member.addr, member.meta.clone(), member.versions);
        self.members.get(name).is_some_and(|(_, known)| said(known) != said(member))
    }

    /// Whether the node will try to reach this one sooner or later.
    pub(crate) fn knows(&self, name: &str) -> bool {
        let has = |(_, member): &(MemberChange, Member)| member.state != State::Left;
        self.remembered.contains(name) || self.members.get(name).is_some_and(has)
    }
}
