//! The safety invariants of the tables, checked after every step of every node.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};

use swim_core::{Life, Member, Meta, Name, Stamp, State, Versions};

use super::host::Host;

/// What is known of the whole world: who said what of itself, and who may be gone.
#[derive(Default)]
pub(crate) struct Safety {
    issued: BTreeMap<String, BTreeMap<Stamp, Vec<Profile>>>,
    may_be_left: BTreeSet<(String, Life)>,
    /// How many tables were looked at, so that a test can tell that it was not vacuous.
    pub(crate) checks: u64,
    /// How often an entry was seen to change.
    pub(crate) transitions: u64,
}

/// What the checks remember of one node.
#[derive(Default)]
pub(crate) struct Seen {
    own: Option<Stamp>,
    entries: BTreeMap<String, Entry>,
    fingerprint: (u64, u64, usize),
    skipped: u32,
}

/// What a node believed of a member: stamp, state, and the oldest stamp that what the member says
/// of itself there can be from.
type Entry = (Stamp, State, Stamp);

type Profile = (SocketAddr, Meta, Versions);

impl Safety {
    /// A leave was called, or an operator declared a dead member gone.
    pub(crate) fn may_be_left(&mut self, name: &str, life: Life) {
        self.may_be_left.insert((name.to_owned(), life));
    }

    /// Looks at a node after it did something.
    pub(crate) fn check(&mut self, host: &mut Host) {
        /// Every so often everything is looked at, even if nothing seems to have changed.
        const SKIPPED_MAX: u32 = 32;
        self.check_own(host);
        let stats = host.node.stats();
        let fingerprint = (stats.claims_applied, stats.reaped, host.events.len());
        host.seen.skipped += 1;
        if fingerprint == host.seen.fingerprint && host.seen.skipped < SKIPPED_MAX {
            return;
        }
        host.seen.fingerprint = fingerprint;
        host.seen.skipped = 0;
        self.checks += 1;
        host.mirror.check(host.node.members());
        self.check_members(host);
    }

    fn check_own(&mut self, host: &mut Host) {
        let own = host.node.local();
        if !host.node.is_leaving() && !host.node.has_left() {
            assert_eq!(own.state, State::Alive, "S4: {} is not alive to itself", own.name);
            assert_eq!(own.addr, host.addr, "S4: {} has not its own address", own.name);
        }
        let last = host.seen.own;
        assert!(last.is_none_or(|last| last <= own.stamp), "S3: {} went back", own.name);
        let issued = self.issued.entry(own.name.to_string()).or_default();
        let first = match last {
            Some(last) if last.life == own.stamp.life => last.incarnation.0 + 1,
            Some(_) | None => 1,
        };
        let profile = (own.addr, own.meta.clone(), own.versions);
        for incarnation in first..=own.stamp.incarnation.0 {
            let stamp = Stamp::new(own.stamp.life.0, incarnation);
            issued.entry(stamp).or_default().push(profile.clone());
        }
        host.seen.own = Some(own.stamp);
    }

    fn check_members(&mut self, host: &mut Host) {
        let mut recount = [0; 4];
        let mut entries = BTreeMap::new();
        for member in host.node.members() {
            recount[member.state as usize] += 1;
            let last = host.seen.entries.get(&*member.name).copied();
            let said_at = self.check_invention(&member, last);
            if let Some((stamp, state, _)) = last {
                self.check_transition(host.node.name(), (stamp, state), &member);
            }
            entries.insert(member.name.to_string(), (member.stamp, member.state, said_at));
        }
        for (name, (_, state, _)) in &host.seen.entries {
            assert!(entries.contains_key(name) || !state.is_live(), "S6: {name} vanished alive");
        }
        host.seen.entries = entries;
        let counts = host.node.counts();
        let counted = [counts.alive, counts.suspect, counts.dead, counts.left];
        assert_eq!(counted, recount, "S10: counts");
    }

    /// S2, S5, S7: nobody believes what the member itself never said, nor goes back to what it said
    /// before. Returns the oldest stamp that this can be from.
    ///
    /// S5 can't ask for what was said under `member.stamp` itself: a stamp that is known from
    /// hearsay or from a packet's head alone stands beside what was said under an older one, and a
    /// `Member` does not tell which.
    fn check_invention(&self, member: &Member, last: Option<Entry>) -> Stamp {
        let Member { name, stamp, .. } = member;
        let issued = self.issued.get(&**name);
        let issued = issued.unwrap_or_else(|| panic!("S2: {name} was invented"));
        assert!(issued.contains_key(stamp), "S2: {name} never spoke under {stamp}");
        let profile = (member.addr, member.meta.clone(), member.versions);
        let oldest = last.map_or(Stamp::new(0, 0), |(_, _, said_at)| said_at);
        let mut range = issued.range(oldest.min(*stamp)..=*stamp);
        let said_at = range.find(|(_, said)| said.contains(&profile)).map(|(said_at, _)| *said_at);
        let said_at = said_at.unwrap_or_else(|| {
            panic!("S5: {name} never said {profile:?} within {oldest} and {stamp}")
        });
        if member.state == State::Left {
            let key = (name.to_string(), stamp.life);
            assert!(self.may_be_left.contains(&key), "S7: {name} never left in life {}", key.1);
        }
        said_at
    }

    /// S1, S6, S7: what is stored never goes down.
    fn check_transition(&mut self, at: &Name, last: (Stamp, State), member: &Member) {
        let now = (member.stamp, member.state);
        self.transitions += u64::from(now != last);
        let name = &member.name;
        assert!(now >= last, "S1: at {at}, {name} went from {last:?} to {now:?}");
        let was_left = last.1 == State::Left && now.1 != State::Left;
        assert!(!was_left || now.0.life > last.0.life, "S7: at {at}, {name} was called back");
    }
}
