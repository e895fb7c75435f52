//! The claims that wait to be gossiped: at most one per subject, each sent at most so many times,
//! the freshest first. SWIM 4.1; memberlist queue.go: `TransmitLimitedQueue`. (P6)
//!
//! A claim is not stored here: it is written from the table when it is sent, so that what goes out
//! is always the newest and an update costs no memory of its own.
//!
//! Convergence does not hang on luck. For the first 128 members each item remembers who is known
//! to have it, whether we sent it there or heard it from there, and is not sent there again. The
//! rounds of gossip walk a shuffled ring, so that in larger clusters too the sends of one item go
//! to distinct peers.

use alloc::vec::Vec;

use crate::{
    heap,
    table::{LOW, MemberIndex},
};

/// Items looked at for one packet at most: a long queue of items that a peer already has must not
/// make a packet cost O(queue). A packet holds about 30.
const SCAN_MAX: usize = 128;

/// Items that an empty queue keeps room for.
const IDLE_CAPACITY: usize = 8;

const NONE: u32 = u32::MAX;

/// What became of an item that was offered to a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    /// It is in the packet.
    Taken,
    /// It did not fit; a smaller one may.
    TooLarge,
    /// There is nothing to say about this subject any more.
    Obsolete,
}

/// Who gets a packet, and when an item in it has been sent often enough.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Audience {
    pub(crate) to: MemberIndex,
    /// So many sends are enough.
    pub(crate) limit: u32,
    /// The bits of all other live members; `None` if some of them have no bit.
    pub(crate) everybody: Option<u128>,
}

impl Audience {
    /// Whether these holders are all there are.
    pub(crate) fn is_everybody(&self, holders: u128) -> bool {
        self.everybody.is_some_and(|all| all & !holders == 0)
    }
}

#[derive(Clone, Copy, Debug)]
struct Item {
    subject: MemberIndex,
    accuser: MemberIndex,
    /// Bits of the members known to have it, below index [`LOW`].
    holders: u128,
    sends: u32,
    previous: u32,
    next: u32,
}

/// The queue: one doubly linked list per number of sends, newest first.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    items: Vec<Item>,
    free: Vec<u32>,
    heads: Vec<u32>,
    /// Per member index: its item, or `NONE`. Grows with the highest subject ever queued.
    place: Vec<u32>,
    len: usize,
    taken: Vec<u32>,
    /// How often anything of it was changed.
    #[cfg(feature = "simulation")]
    changes: u64,
}

impl Claims {
    /// What it takes on the heap at most: one claim about each member.
    pub(crate) const fn heap_max(members: u64) -> u64 {
        /// More sends than any limit allows: 16 times the digits of 2^20.
        const SENDS_MAX: u64 = 16 * 7 + 1;
        let places = heap::vec(members, size_of::<u32>());
        heap::vec(members, size_of::<Item>())
            .saturating_add(places.saturating_mul(2))
            .saturating_add(heap::vec(SENDS_MAX + SCAN_MAX as u64, size_of::<u32>()))
    }

    /// Queues the newest claim about `subject`, in place of an older one. `heard_from` has it.
    /// Returns false, without queueing, if `cap` items wait already.
    pub(crate) fn push(
        &mut self,
        subject: MemberIndex,
        accuser: MemberIndex,
        heard_from: Option<MemberIndex>,
        cap: usize,
    ) -> bool {
        self.remove(subject);
        if self.len >= cap {
            return false;
        }
        let holders = heard_from.map_or(0, bit);
        let item = Item { subject, accuser, holders, sends: 0, previous: NONE, next: NONE };
        let at = match self.free.pop() {
            Some(at) => {
                self.items[at as usize] = item;
                at
            }
            None => {
                self.items.push(item);
                u32::try_from(self.items.len() - 1).expect("capped far below")
            }
        };
        if subject.as_usize() >= self.place.len() {
            self.place.resize(subject.as_usize() + 1, NONE);
        }
        self.place[subject.as_usize()] = at;
        self.link(at);
        self.len += 1;
        true
    }

    /// Forgets what waits to be said about `subject`; returns how often it was sent.
    pub(crate) fn remove(&mut self, subject: MemberIndex) -> Option<u32> {
        let at = *self.place.get(subject.as_usize())?;
        if at == NONE {
            return None;
        }
        self.unlink(at);
        self.place[subject.as_usize()] = NONE;
        self.free.push(at);
        self.len -= 1;
        Some(self.items[at as usize].sends)
    }

    /// Notes that `holder` has the claim about `subject` that waits here.
    pub(crate) fn mark(&mut self, subject: MemberIndex, holder: MemberIndex) {
        if let Some(&at) = self.place.get(subject.as_usize())
            && at != NONE
        {
            self.items[at as usize].holders |= bit(holder);
            #[cfg(feature = "simulation")]
            self.note();
        }
    }

    /// Offers items for one packet, fewest sends first, until `offer` has refused a few. Items sent
    /// often enough or known to everybody are done; they are handed to `done`.
    pub(crate) fn fill(
        &mut self,
        audience: Audience,
        mut offer: impl FnMut(MemberIndex, MemberIndex) -> Offer,
        mut done: impl FnMut(MemberIndex, u32),
    ) {
        /// So many items that don't fit are looked past for a smaller one.
        const MISFITS_MAX: usize = 4;
        let to_bit = bit(audience.to);
        let (mut scanned, mut misfits) = (0, 0);
        let mut taken = core::mem::take(&mut self.taken);
        'tiers: for tier in 0..self.heads.len() {
            let mut at = self.heads[tier];
            while at != NONE {
                let Item { subject, accuser, holders, sends, next, .. } = self.items[at as usize];
                if scanned >= SCAN_MAX || misfits >= MISFITS_MAX {
                    break 'tiers;
                }
                scanned += 1;
                if audience.is_everybody(holders | bit(subject)) {
                    self.remove(subject); // Everybody told us before we told everybody.
                    done(subject, sends);
                } else if holders & to_bit == 0 {
                    match offer(subject, accuser) {
                        Offer::Taken => taken.push(at),
                        Offer::TooLarge => misfits += 1,
                        Offer::Obsolete => {
                            self.remove(subject);
                        }
                    }
                }
                at = next;
            }
        }
        for &at in &taken {
            self.sent(at, audience, &mut done);
        }
        taken.clear();
        self.taken = taken;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many claims wait.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// How many items wait, how many there are in all lists, and the most sends of one.
    #[cfg(feature = "simulation")]
    pub(crate) fn audit(&self) -> (usize, usize, u32) {
        let (mut linked, mut sends_max) = (0, 0);
        for &head in &self.heads {
            let mut at = head;
            while at != NONE && linked <= self.len {
                let item = self.items[at as usize];
                linked += 1;
                sends_max = sends_max.max(item.sends);
                at = item.next;
            }
        }
        (self.len, linked, sends_max)
    }

    /// How often anything of it was changed.
    #[cfg(feature = "simulation")]
    pub(crate) const fn audit_changes(&self) -> u64 {
        self.changes
    }

    /// Whether a claim about this member waits.
    pub(crate) fn is_waiting(&self, subject: MemberIndex) -> bool {
        self.place.get(subject.as_usize()).is_some_and(|&at| at != NONE)
    }

    /// Whether there is a claim that was not sent to anybody yet.
    pub(crate) fn has_unsent(&self) -> bool {
        self.heads.first().is_some_and(|&head| head != NONE)
    }

    /// Empties the queue, for when there is nobody to tell.
    pub(crate) fn clear(&mut self, mut done: impl FnMut(MemberIndex, u32)) {
        for tier in 0..self.heads.len() {
            while self.heads[tier] != NONE {
                let Item { subject, sends, .. } = self.items[self.heads[tier] as usize];
                self.remove(subject);
                done(subject, sends);
            }
        }
    }

    /// A tick came: an empty queue gives back what a burst took. What it needs per member stays,
    /// because in a large cluster it would be much to make anew for each piece of news.
    pub(crate) fn ticked(&mut self) {
        if self.is_empty() && self.items.capacity() > IDLE_CAPACITY {
            (self.items, self.free, self.taken) = (Vec::new(), Vec::new(), Vec::new());
        }
    }

    fn sent(&mut self, at: u32, audience: Audience, done: &mut impl FnMut(MemberIndex, u32)) {
        self.unlink(at);
        let item = &mut self.items[at as usize];
        item.sends += 1;
        item.holders |= bit(audience.to);
        let Item { subject, sends, holders, .. } = *item;
        let is_known_to_all = audience.is_everybody(holders | bit(subject));
        self.link(at);
        if sends >= audience.limit || is_known_to_all {
            self.remove(subject);
            done(subject, sends);
        }
    }

    /// Something changes.
    #[cfg(feature = "simulation")]
    const fn note(&mut self) {
        self.changes += 1;
    }

    fn link(&mut self, at: u32) {
        #[cfg(feature = "simulation")]
        self.note();
        let tier = self.items[at as usize].sends as usize;
        if tier >= self.heads.len() {
            self.heads.resize(tier + 1, NONE);
        }
        let head = self.heads[tier];
        self.items[at as usize].previous = NONE;
        self.items[at as usize].next = head;
        if head != NONE {
            self.items[head as usize].previous = at;
        }
        self.heads[tier] = at;
    }

    fn unlink(&mut self, at: u32) {
        #[cfg(feature = "simulation")]
        self.note();
        let Item { sends, previous, next, .. } = self.items[at as usize];
        match previous {
            NONE => self.heads[sends as usize] = next,
            previous => self.items[previous as usize].next = next,
        }
        if next != NONE {
            self.items[next as usize].previous = previous;
        }
    }
}

/// A member's bit in the masks of holders; members with a high index have none.
pub(crate) fn bit(member: MemberIndex) -> u128 {
    if member.as_u32() < LOW { 1 << member.as_u32() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAP: usize = 100;

    fn member(n: u32) -> MemberIndex {
        MemberIndex::new(n)
    }

    fn fetch(claims: &mut Claims, to: u32, room: usize, limit: u32) -> Vec<u32> {
        let mut subjects = Vec::new();
        let offer = |subject: MemberIndex, _| {
            if subjects.len() == room {
                return Offer::TooLarge;
            }
            subjects.push(subject.as_u32());
            Offer::Taken
        };
        claims.fill(Audience { to: member(to), limit, everybody: None }, offer, |_, _| {});
        subjects
    }

    fn queue(subjects: &[u32]) -> Claims {
        let mut claims = Claims::default();
        for &subject in subjects {
            assert!(claims.push(member(subject), member(0), None, CAP));
        }
        claims
    }

    #[test]
    fn p6_fewest_sends_first_then_newest() {
        let mut claims = queue(&[1, 2, 3]);
        assert_eq!(fetch(&mut claims, 50, 2, 9), [3, 2]);
        assert_eq!(fetch(&mut claims, 51, 2, 9), [1, 2]);
        claims.push(member(4), member(0), None, CAP);
        assert_eq!(fetch(&mut claims, 52, 9, 9), [4, 1, 3, 2]);
    }

    #[test]
    fn p6_one_item_per_subject_and_a_newer_one_starts_anew() {
        let mut claims = queue(&[1, 1, 1]);
        assert_eq!(claims.len, 1);
        assert_eq!(fetch(&mut claims, 50, 9, 2), [1]);
        claims.push(member(1), member(0), None, CAP);
        assert_eq!(fetch(&mut claims, 50, 9, 2), [1], "the peer had only the older one");
        assert_eq!(fetch(&mut claims, 51, 9, 2), [1]);
        assert!(claims.is_empty());
        assert_eq!(claims.remove(member(1)), None);
    }

    #[test]
    fn p6_each_item_is_sent_to_distinct_peers_and_at_most_limit_times() {
        let mut claims = queue(&[1]);
        assert_eq!(fetch(&mut claims, 50, 9, 3), [1]);
        assert_eq!(fetch(&mut claims, 50, 9, 3), [0; 0], "it has it");
        claims.mark(member(1), member(51));
        assert_eq!(fetch(&mut claims, 51, 9, 3), [0; 0], "we heard it from there");
        assert_eq!(fetch(&mut claims, 52, 9, 3), [1]);
        assert_eq!(fetch(&mut claims, 500, 9, 3), [1], "members without a bit always get it");
        assert!(claims.is_empty());
    }

    #[test]
    fn an_item_that_everybody_has_is_done() {
        let mut claims = queue(&[1]);
        claims.mark(member(1), member(2));
        let mut finished = None;
        let audience = Audience { to: member(3), limit: 99, everybody: Some(0b1110) };
        let done = |subject: MemberIndex, sends| finished = Some((subject.as_u32(), sends));
        claims.fill(audience, |_, _| Offer::Taken, done);
        assert_eq!(finished, Some((1, 1)), "2 and 3 have it, and 1 is its subject");
        assert!(claims.is_empty());
    }

    #[test]
    fn m1_the_queue_has_a_cap() {
        let mut claims = Claims::default();
        assert!(claims.push(member(1), member(0), None, 2));
        assert!(claims.push(member(2), member(0), None, 2));
        assert!(!claims.push(member(3), member(0), None, 2));
        assert!(claims.push(member(2), member(0), None, 2), "replacing needs no room");
        let mut count = 0;
        claims.clear(|_, _| count += 1);
        assert_eq!((count, claims.len), (2, 0));
    }

    #[test]
    fn m2_room_is_given_back_when_all_is_told_and_not_before() {
        let subjects: Vec<u32> = (1..100).collect();
        let mut claims = queue(&subjects);
        claims.ticked();
        assert_eq!(fetch(&mut claims, 500, 99, 1).len(), 99, "nothing is lost");
        claims.ticked();
        assert!(claims.items.capacity() <= IDLE_CAPACITY && claims.free.capacity() == 0);
        assert!(claims.push(member(7), member(0), None, CAP));
        assert_eq!(fetch(&mut claims, 500, 9, 1), [7]);
    }
}
