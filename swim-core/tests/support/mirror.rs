//! The members as an application would keep them: by folding events, and nothing else.

use std::collections::BTreeMap;

use swim_core::{Member, MemberChange, State};

/// The folded events of one node, and each member's last change.
#[derive(Default)]
pub struct Mirror {
    members: BTreeMap<String, (MemberChange, Member)>,
    suspected: BTreeMap<String, bool>,
}

impl Mirror {
    /// Folds one event, checking E1: Join (Update | Suspect | Recover)* (Leave | Fail Leave?) Reap?
    pub fn fold(&mut self, change: MemberChange, member: &Member) {
        use MemberChange::{Failed, Joined, Left, Reaped, Recovered, Suspected, Updated};
        let name = member.name.to_string();
        let last = self.members.get(&name).map(|(change, _)| *change);
        let is_in = matches!(last, Some(Joined | Updated | Suspected | Recovered));
        let suspected = self.suspected.entry(name.clone()).or_default();
        let is_legal = match change {
            Joined => !is_in,
            Updated => is_in || last.is_some(),
            Suspected => is_in && !*suspected,
            Recovered => is_in && *suspected,
            Failed => is_in,
            Left => is_in || last == Some(Failed),
            Reaped => matches!(last, Some(Failed | Left)),
        };
        assert!(is_legal, "E1: {name} {change} after {last:?}");
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
    pub fn check(&self, members: impl Iterator<Item = Member>) {
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

    /// The folded members that are live.
    pub fn live(&self) -> usize {
        self.members.values().filter(|(_, member)| is_live(member.state)).count()
    }
}

fn is_live(state: State) -> bool {
    state.is_live()
}
