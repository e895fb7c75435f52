//! The members a node knows, of every state, itself at index 0.
//!
//! Looking one up by name or by address is O(1), through hash indexes keyed from the node's seed
//! (X14) that are never iterated. A digest over the live members is kept up to date with every
//! change, so that two nodes can tell in a few bytes whether they know the same.
//!
//! The table stores and finds; what a claim means is decided by `precedence` and `node`.

use alloc::{collections::BTreeSet, vec::Vec};
use core::{hash::Hasher, net::SocketAddr};

use hashbrown::HashTable;
use siphasher::sip::SipHasher13;

pub(crate) use self::record::{Arrival, Record};
use crate::{
    fingerprint, heap,
    member::{LeaveReason, State},
    name::NameRef,
    precedence::Belief,
    profile::Profile,
    stats::Counts,
    time::Instant,
    wire::Alive,
};
#[cfg(feature = "simulation")]
use crate::{
    name::Name,
    transitions::{Transition, Transitions},
};

mod record;

/// Where a member stands in the table; reused after the member was reaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct MemberIndex(u32);

impl MemberIndex {
    /// The node itself.
    pub(crate) const SELF: Self = Self(0);

    pub(crate) fn new(index: u32) -> Self {
        Self(index)
    }

    /// The member's key among the timers.
    pub(crate) fn key(self) -> u64 {
        u64::from(self.0)
    }

    /// The index after this one.
    pub(crate) fn following(self) -> Self {
        Self(self.0 + 1)
    }

    pub(crate) fn as_u32(self) -> u32 {
        self.0
    }

    pub(crate) fn as_usize(self) -> usize {
        self.0 as usize
    }
}

/// The table.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    slots: Vec<Option<Record>>,
    /// How many have come so far.
    arrivals: u32,
    free: Vec<MemberIndex>,
    by_name: HashTable<MemberIndex>,
    by_addr: HashTable<MemberIndex>,
    /// Those whose address another one holds in `by_addr`. There are next to none where no two
    /// claim the same.
    shadowed: BTreeSet<Shadowed>,
    hash_key: [u64; 2],
    counts: Counts,
    digest: u64,
    changed_at: Instant,
    low_live: u128,
    #[cfg(feature = "simulation")]
    transitions: Transitions,
    /// How often anything of it was written.
    #[cfg(feature = "simulation")]
    writes: u64,
}

/// A member that is not found by its address: where it is, whether it is gone, and who it is. The
/// least at an address is the next one to be found there.
type Shadowed = (SocketAddr, bool, MemberIndex);

/// How many members have a bit of their own in the masks of who knows what.
pub(crate) const LOW: u32 = u128::BITS;

/// Room for members is made for so many at first, and then for an eighth of those there are:
/// doubling it, as vectors do, would leave a third of a large table empty.
const SLOTS_MIN: usize = 8;
const GROWTH_SHARE: usize = 8;

impl Table {
    /// A table that holds the node itself.
    pub(crate) fn new(own: &Alive<'_>, hash_key: [u64; 2], now: Instant) -> Self {
        let mut table = Self {
            slots: Vec::new(),
            arrivals: 0,
            free: Vec::new(),
            by_name: HashTable::new(),
            by_addr: HashTable::new(),
            shadowed: BTreeSet::new(),
            hash_key,
            counts: Counts::default(),
            digest: 0,
            changed_at: now,
            low_live: 0,
            #[cfg(feature = "simulation")]
            transitions: Transitions::default(),
            #[cfg(feature = "simulation")]
            writes: 0,
        };
        let index = table.insert(own, now);
        debug_assert_eq!(index, MemberIndex::SELF);
        table
    }

    /// What it takes on the heap at most, with so many members.
    pub(crate) const fn heap_max(members: u64) -> u64 {
        let room = members.saturating_add(members / GROWTH_SHARE as u64 + SLOTS_MIN as u64);
        heap::exact(room, size_of::<Option<Record>>())
            .saturating_add(members.saturating_mul(Profile::HEAP_MAX))
            .saturating_add(heap::vec(members, size_of::<MemberIndex>()))
            .saturating_add(heap::hash_table(members, size_of::<MemberIndex>()).saturating_mul(2))
            .saturating_add(heap::btree(members, size_of::<Shadowed>()))
    }

    /// Takes over all that another table holds, if this one holds its own node only, the other one
    /// knows that node as it is, and everybody in it is alive. What members said is shared.
    #[cfg(feature = "simulation")]
    pub(crate) fn adopt(&mut self, other: &Self, now: Instant) -> bool {
        let own = self.get(MemberIndex::SELF).profile();
        let Some(place) = other.find(own.name()) else { return false };
        let knows_us = other.get(place).profile() == own;
        if self.slots.len() > 1 || !knows_us || other.counts.alive != other.slots.len() {
            return false;
        }
        let transitions = core::mem::take(&mut self.transitions);
        *self = Self { changed_at: now, transitions, ..other.clone() };
        self.swap(MemberIndex::SELF, place);
        for index in (1..self.end().0).map(MemberIndex) {
            self.validate(index); // As in a cluster that has been there for long.
            self.note(index, [None, Some(self.get(index).belief())]);
        }
        true
    }

    /// The changes since the last call; from the first call on they are kept.
    #[cfg(feature = "simulation")]
    pub(crate) fn take_transitions(&mut self) -> Vec<Transition> {
        self.transitions.take()
    }

    /// How often anything of it was written, be it what it was before.
    #[cfg(feature = "simulation")]
    pub(crate) const fn audit_writes(&self) -> u64 {
        self.writes
    }

    /// Keeps what was believed of a member, and what is believed now.
    #[cfg(feature = "simulation")]
    fn note(&mut self, index: MemberIndex, beliefs: [Option<Belief>; 2]) {
        self.writes += 1;
        let record = record_at(&self.slots, index);
        self.transitions.note(|| Name::from_checked(record.name()), beliefs);
    }

    /// Lets two members change places.
    #[cfg(feature = "simulation")]
    fn swap(&mut self, one: MemberIndex, other: MemberIndex) {
        /// Stands for a place while two are exchanged.
        const NOWHERE: MemberIndex = MemberIndex(u32::MAX);
        let shadows = [(one, other), (other, one)].map(|(from, to)| {
            let shadow = self.shadow_of(from);
            self.shadowed.remove(&shadow).then_some((shadow.0, shadow.1, to))
        });
        self.shadowed.extend(shadows.into_iter().flatten());
        for [from, to] in [[one, NOWHERE], [other, one], [NOWHERE, other]] {
            let subject = if from == NOWHERE { one } else { from };
            let record = record_at(&self.slots, subject);
            let name = hash(self.hash_key, record.name().as_bytes());
            let addr = hash_addr(self.hash_key, record.addr());
            for (index, hash) in [(&mut self.by_name, name), (&mut self.by_addr, addr)] {
                if let Some(place) = index.find_mut(hash, |&place| place == from) {
                    *place = to;
                }
            }
        }
        self.slots.swap(one.as_usize(), other.as_usize());
    }

    /// Adds a member that is alive and not in the table yet.
    pub(crate) fn insert(&mut self, alive: &Alive<'_>, now: Instant) -> MemberIndex {
        debug_assert!(self.find(alive.name).is_none());
        let record = Record {
            profile: Profile::new(alive),
            stamp: alive.stamp,
            since: now,
            state: State::Alive,
            reason: LeaveReason::Graceful,
            validated: false,
            was_answered: false,
            arrival: Arrival::new(self.arrivals),
        };
        self.arrivals = self.arrivals.wrapping_add(1);
        let index = self.free.pop().unwrap_or_else(|| {
            let index = u32::try_from(self.slots.len()).expect("at most 2^20 members");
            if self.slots.len() == self.slots.capacity() {
                self.slots.reserve_exact(SLOTS_MIN.max(self.slots.len() / GROWTH_SHARE));
            }
            self.slots.push(None);
            MemberIndex(index)
        });
        self.slots[index.as_usize()] = Some(record);
        let Self { slots, by_name, hash_key, .. } = self;
        let rehash =
            |&i: &MemberIndex| hash(*hash_key, record_at(slots, i).profile.name().as_bytes());
        by_name.insert_unique(rehash(&index), index, rehash);
        self.index_addr(index);
        self.count(index, 1);
        self.changed_at = now;
        #[cfg(feature = "simulation")]
        self.note(index, [None, Some(self.get(index).belief())]);
        index
    }

    /// Stores what is now believed of a member, and what it now says about itself, if anything.
    pub(crate) fn revise(
        &mut self,
        index: MemberIndex,
        alive: Option<&Alive<'_>>,
        belief: Belief,
        now: Instant,
    ) {
        let digest = self.digest;
        let record = self.get(index);
        // Of several at one address, those that live are found before those that don't.
        let moves = alive.is_some_and(|alive| record.addr() != alive.addr)
            || belief.state.is_live() != record.state.is_live();
        if moves {
            self.unindex_addr(index);
        }
        self.count(index, -1);
        #[cfg(feature = "simulation")]
        let before = self.get(index).belief();
        let record = self.record_mut(index);
        if record.state != belief.state {
            record.since = now;
        }
        record.state = belief.state;
        record.was_answered &= record.stamp.life == belief.stamp.life;
        record.stamp = belief.stamp;
        if let Some(alive) = alive {
            record.validated &= record.addr() == alive.addr;
            record.was_answered &= record.addr() == alive.addr;
            record.profile.replace(alive);
        }
        self.count(index, 1);
        if moves {
            self.index_addr(index);
        }
        if self.digest != digest {
            self.changed_at = now;
        }
        #[cfg(feature = "simulation")]
        self.note(index, [Some(before), Some(self.get(index).belief())]);
    }

    /// Stores that a member is where it is said to be.
    pub(crate) fn validate(&mut self, index: MemberIndex) {
        self.record_mut(index).validated = true;
    }

    /// Stores that a member was answered when it asked.
    pub(crate) fn note_answered(&mut self, index: MemberIndex) {
        if !self.get(index).was_answered {
            self.record_mut(index).was_answered = true;
        }
    }

    /// Stores why a member left.
    pub(crate) fn set_reason(&mut self, index: MemberIndex, reason: LeaveReason) {
        self.record_mut(index).reason = reason;
    }

    /// Removes a member that is dead or left; never the node itself.
    pub(crate) fn remove(&mut self, index: MemberIndex) {
        debug_assert!(index != MemberIndex::SELF && !self.get(index).state.is_live());
        self.unindex_addr(index);
        self.count(index, -1);
        let hash = hash(self.hash_key, self.get(index).profile.name().as_bytes());
        if let Ok(entry) = self.by_name.find_entry(hash, |&i| i == index) {
            entry.remove();
        }
        #[cfg(feature = "simulation")]
        self.note(index, [Some(self.get(index).belief()), None]);
        self.slots[index.as_usize()] = None;
        self.free.push(index);
    }

    /// The member of this name.
    pub(crate) fn find(&self, name: NameRef<'_>) -> Option<MemberIndex> {
        let hash = hash(self.hash_key, name.as_bytes());
        let same = |&i: &MemberIndex| self.get(i).name() == name;
        self.by_name.find(hash, same).copied()
    }

    /// The member that is reached at this address. If several claim it, it is one of those that
    /// live, and the one that has been found there until now: else whoever names an address could
    /// take it from the member that is there.
    pub(crate) fn find_addr(&self, addr: SocketAddr) -> Option<MemberIndex> {
        let hash = hash_addr(self.hash_key, addr);
        self.by_addr.find(hash, |&i| self.get(i).addr() == addr).copied()
    }

    pub(crate) fn get(&self, index: MemberIndex) -> &Record {
        record_at(&self.slots, index)
    }

    /// The record at this place, if it is taken.
    pub(crate) fn try_get(&self, index: MemberIndex) -> Option<&Record> {
        self.slots.get(index.as_usize())?.as_ref()
    }

    /// All members in the order of their index, which is the same in every equal run.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (MemberIndex, &Record)> {
        self.slots.iter().zip(0..).filter_map(|(slot, i)| Some((MemberIndex(i), slot.as_ref()?)))
    }

    /// One past the highest index in use.
    pub(crate) fn end(&self) -> MemberIndex {
        MemberIndex(u32::try_from(self.slots.len()).expect("at most 2^20 members"))
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// How many members count as part of the cluster, this node included.
    pub(crate) fn live(&self) -> usize {
        self.counts.live()
    }

    /// How many other members count as part of the cluster.
    pub(crate) fn others(&self) -> usize {
        self.live() - usize::from(self.get(MemberIndex::SELF).state.is_live())
    }

    /// The fingerprint of who lives, with which stamps and words.
    pub(crate) fn digest(&self) -> u64 {
        self.digest
    }

    /// When the digest last changed.
    pub(crate) fn changed_at(&self) -> Instant {
        self.changed_at
    }

    /// The bits of the live members below index [`LOW`], the node itself left out; `None` if there
    /// are live members that have no bit.
    pub(crate) fn low_live(&self) -> Option<u128> {
        let others = self.low_live & !1;
        (others.count_ones() as usize + 1 >= self.live()).then_some(others)
    }

    /// Adds (or with -1 takes away) a record to the counts and the digest.
    fn count(&mut self, index: MemberIndex, sign: i8) {
        let record = record_at(&self.slots, index);
        let (state, term) = (record.state, digest_term(record));
        let count = match state {
            State::Alive => &mut self.counts.alive,
            State::Suspect => &mut self.counts.suspect,
            State::Dead => &mut self.counts.dead,
            State::Left => &mut self.counts.left,
        };
        *count = count.checked_add_signed(isize::from(sign)).expect("counted in before out");
        if !state.is_live() {
            return;
        }
        let term = if sign > 0 { term } else { term.wrapping_neg() };
        self.digest = self.digest.wrapping_add(term);
        if index.0 < LOW {
            let bit = 1 << index.0;
            if sign > 0 { self.low_live |= bit } else { self.low_live &= !bit }
        }
    }

    fn record_mut(&mut self, index: MemberIndex) -> &mut Record {
        #[cfg(feature = "simulation")]
        {
            self.writes += 1;
        }
        self.slots[index.as_usize()].as_mut().expect("an index in use points at a record")
    }

    fn index_addr(&mut self, index: MemberIndex) {
        let addr = self.get(index).addr();
        let hash = hash_addr(self.hash_key, addr);
        let Self { slots, by_addr, hash_key, .. } = self;
        let same = |&i: &MemberIndex| record_at(slots, i).addr() == addr;
        if let Some(holder) = by_addr.find_mut(hash, same) {
            let is_live = |index| record_at(slots, index).state.is_live();
            let takes_over = is_live(index) && !is_live(*holder);
            let hidden = if takes_over { core::mem::replace(holder, index) } else { index };
            let shadow = self.shadow_of(hidden);
            self.shadowed.insert(shadow);
            return;
        }
        let rehash = |&i: &MemberIndex| hash_addr(*hash_key, record_at(slots, i).addr());
        by_addr.insert_unique(hash, index, rehash);
    }

    fn unindex_addr(&mut self, index: MemberIndex) {
        let hash = hash_addr(self.hash_key, self.get(index).addr());
        let shadow = self.shadow_of(index);
        if self.shadowed.remove(&shadow) {
            return;
        }
        let (addr, ..) = shadow;
        let first = (addr, false, MemberIndex::SELF);
        let next = self.shadowed.range(first..).next().filter(|next| next.0 == addr).copied();
        if let Ok(mut entry) = self.by_addr.find_entry(hash, |&i| i == index) {
            match next {
                Some(next) => {
                    *entry.get_mut() = next.2;
                    self.shadowed.remove(&next);
                }
                None => drop(entry.remove()),
            }
        }
    }

    /// A member as it stands among those that are not found by their address.
    fn shadow_of(&self, index: MemberIndex) -> Shadowed {
        let record = self.get(index);
        (record.addr(), !record.state.is_live(), index)
    }
}

fn record_at(slots: &[Option<Record>], index: MemberIndex) -> &Record {
    slots[index.as_usize()].as_ref().expect("an index in use points at a record")
}

fn hash(key: [u64; 2], bytes: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new_with_keys(key[0], key[1]);
    hasher.write(bytes);
    hasher.finish()
}

fn hash_addr(key: [u64; 2], addr: SocketAddr) -> u64 {
    let mut hasher = SipHasher13::new_with_keys(key[0], key[1]);
    match addr {
        SocketAddr::V4(addr) => hasher.write(&addr.ip().octets()),
        SocketAddr::V6(addr) => hasher.write(&addr.ip().octets()),
    }
    hasher.write_u16(addr.port());
    hasher.finish()
}

/// A member's part of the digest. Suspicion is left out, because suspicions come and go at
/// different times at different nodes.
fn digest_term(record: &Record) -> u64 {
    fingerprint::of(&record.profile.alive(), record.stamp)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{name::Meta, stamp::Stamp};

    /// Whoever finds names that meet in one place of a table knows nothing about the next one.
    #[test]
    fn x14_names_that_collide_under_one_key_do_not_under_another() {
        let place = |key, number: u32| hash(key, &number.to_le_bytes()) & 0xff;
        let crowd: Vec<u32> = (0..100_000).filter(|&name| place([1, 2], name) == 0).collect();
        assert!(crowd.len() > 300, "{}", crowd.len());
        let together = crowd.iter().filter(|&&name| place([1, 3], name) == 0).count();
        assert!(together < 10, "{together} of {}", crowd.len());

        let port = |key, port| hash_addr(key, SocketAddr::from(([10, 0, 0, 1], port))) & 0xff;
        let crowd: Vec<u16> = (1..u16::MAX).filter(|&it| port([1, 2], it) == 0).collect();
        assert!(crowd.len() > 200, "{}", crowd.len());
        let together = crowd.iter().filter(|&&it| port([1, 3], it) == 0).count();
        assert!(together < 10, "{together} of {}", crowd.len());
    }

    /// Tells a table of one other member, claim by claim, by the rules of precedence. Returns what
    /// is believed in the end, how many are in which state, and the digest.
    fn told(claims: impl Iterator<Item = Belief>) -> (Belief, Counts, u64) {
        let meta = Meta::new(bytes::Bytes::new()).expect("short");
        let alive = |name: &'static str, stamp: Stamp| Alive {
            name: NameRef::new(name.as_bytes()).expect("a name"),
            stamp,
            // One stamp says one thing. (S5)
            addr: SocketAddr::from(([10, stamp.life.0 as u8, stamp.incarnation.0 as u8, 1], 7946)),
            mapped: false,
            versions: crate::member::Versions::default(),
            meta: &meta,
        };
        let mut table = Table::new(&alive("self", Stamp::new(9, 9)), [1, 2], Instant::ORIGIN);
        let index = table.insert(&alive("other", Stamp::new(1, 0)), Instant::ORIGIN);
        for (nth, heard) in (1..).zip(claims) {
            let record = table.get(index);
            let Some(then) = record.belief().hearing(heard) else { continue };
            // The dead say nothing any more.
            let speaks = heard.state == State::Alive && then.state.is_live();
            let said = alive("other", heard.stamp);
            table.revise(index, speaks.then_some(&said), then, Instant::from_millis(nth));
        }
        let record = table.get(index);
        assert_eq!(table.find_addr(record.addr()), Some(index), "{record:?}");
        assert!(record.state() != State::Alive || record.profile_is_current(), "{record:?}");
        let digest = if record.state() == State::Alive { table.digest() } else { 0 };
        (record.belief(), table.counts(), digest)
    }

    /// Every set of at most four of these claims, in every order, twice over, on a real table.
    #[test]
    fn c3_s8_any_order_and_any_repetition_of_a_few_claims_make_one_table() {
        let states = [State::Alive, State::Suspect, State::Dead, State::Left];
        let stamps = [Stamp::new(1, 1), Stamp::new(1, 2), Stamp::new(2, 1)];
        let claims: Vec<Belief> = stamps
            .iter()
            .flat_map(|&stamp| states.map(|state| Belief::new(stamp, state)))
            .collect();
        let mut orders = 0;
        for set in 0..1_u32 << claims.len() {
            if !(1..=4).contains(&set.count_ones()) {
                continue;
            }
            let mut chosen: Vec<Belief> = claims
                .iter()
                .enumerate()
                .filter_map(|(at, &claim)| (set >> at & 1 == 1).then_some(claim))
                .collect();
            let expected = told(chosen.iter().copied());
            let len = chosen.len();
            permutations(&mut chosen, len, &mut |order| {
                orders += 1;
                assert_eq!(told(order.iter().copied()), expected, "{order:?}");
                let again = order.iter().chain(order.iter().rev()).copied();
                assert_eq!(told(again), expected, "{order:?}, twice");
            });
        }
        assert_eq!(orders, 12 + 12 * 11 + 12 * 11 * 10 + 12 * 11 * 10 * 9);
    }

    /// Heap's algorithm.
    fn permutations(items: &mut [Belief], len: usize, visit: &mut impl FnMut(&[Belief])) {
        if len <= 1 {
            return visit(items);
        }
        for at in 0..len {
            permutations(items, len - 1, visit);
            items.swap(if len.is_multiple_of(2) { at } else { 0 }, len - 1);
        }
    }
}
