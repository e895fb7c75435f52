//! The application's broadcasts: those that wait to be passed on, and those remembered so that
//! none is delivered twice and none that a peer misses is out of reach.
//!
//! All nodes agree, to within a network delay, on how old a broadcast is, because its age travels
//! with it. So they can compare a digest of the ones that are old enough to have reached everybody
//! and young enough to matter; where it differs, somebody has a hole, and it is filled at once.

use alloc::{
    collections::{BTreeSet, VecDeque},
    vec::Vec,
};
use core::{hash::Hasher, time::Duration};

use bytes::Bytes;
use siphasher::sip::SipHasher13;

use crate::{
    claims::{Audience, Offer, bit},
    heap,
    limits::{BROADCASTS_MAX, PACKET_LEN_MAX},
    name::{NAME_LEN_MAX, Name, NameRef},
    time::Instant,
    wire::Broadcast,
};

mod edges;

/// What became of a broadcast that came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It is new: deliver it and pass it on.
    New,
    /// It was here before.
    Repeated,
    /// It is past its lifetime, or older than what had to be forgotten for lack of room.
    Stale,
}

#[derive(Debug)]
struct Entry {
    origin: Name,
    life: u64,
    id: u64,
    payload: Bytes,
    /// On the log's own clock, see [`shifted`].
    born_at: Instant,
    hash: u64,
    holders: u128,
    sends: u32,
    waiting: bool,
    /// It was issued here, and the application waits to hear that it went out.
    own: bool,
}

/// The broadcasts of the last while, oldest first.
#[derive(Debug)]
pub(crate) struct Broadcasts {
    log: VecDeque<Entry>,
    /// The hashes of those in `log`. Ordered: an insider who picks numbers whose hashes go together
    /// gains nothing. (X14)
    known: BTreeSet<u64>,
    /// How many of `log` wait to be sent.
    waiting: usize,
    /// How many of those were not sent to anybody yet.
    unsent: usize,
    lifetime: Duration,
    /// The part of `log` that the digest covers: its start, its end, its sum.
    digest_from: usize,
    digest_to: usize,
    digest: u64,
    /// What is not younger than this was forgotten early and must not come back.
    floor: Option<Instant>,
    dropped: u64,
    changed_at: Instant,
}

impl Broadcasts {
    pub(crate) fn new(lifetime: Duration) -> Self {
        Self {
            log: VecDeque::new(),
            known: BTreeSet::new(),
            waiting: 0,
            unsent: 0,
            lifetime,
            digest_from: 0,
            digest_to: 0,
            digest: 0,
            floor: None,
            dropped: 0,
            changed_at: Instant::ORIGIN,
        }
    }

    /// What they take on the heap at most: as many as are remembered, each as long as a packet can
    /// be. What is looked for in a packet or a summary is listed for a moment.
    pub(crate) const fn heap_max() -> u64 {
        const COUNT: u64 = BROADCASTS_MAX as u64;
        let bytes = heap::shared(NAME_LEN_MAX).saturating_add(heap::shared(PACKET_LEN_MAX) + 8);
        heap::vec(COUNT, size_of::<Entry>())
            .saturating_add(heap::btree(COUNT, size_of::<u64>()))
            .saturating_add(COUNT.saturating_mul(bytes))
            .saturating_add(heap::vec(2 * COUNT, size_of::<usize>()))
    }

    /// Takes in a broadcast issued by this node, under the first number from `id` on under which
    /// nobody has told of it in our name. Returns that.
    pub(crate) fn issue(
        &mut self,
        origin: &Name,
        life: u64,
        mut id: u64,
        data: Bytes,
        now: Instant,
    ) -> u64 {
        let hash = loop {
            let hash = hash(origin.by_ref(), life, id, &data);
            if !self.known.contains(&hash) {
                break hash;
            }
            id += 1;
        };
        let entry = Entry {
            origin: origin.clone(),
            life,
            id,
            payload: data,
            born_at: shifted(now),
            hash,
            holders: 0,
            sends: 0,
            waiting: true,
            own: true,
        };
        self.insert(entry);
        id
    }

    /// Takes in a broadcast that those with these bits have.
    pub(crate) fn hear(&mut self, broadcast: &Broadcast<'_>, holders: u128, now: Instant) -> Heard {
        let hash = hash(broadcast.origin, broadcast.life, broadcast.id, broadcast.payload);
        if self.known.contains(&hash) {
            self.mark(hash, holders);
            return Heard::Repeated;
        }
        let age = Duration::from_millis(u64::from(broadcast.age_millis));
        let born_at = shifted(now) - age;
        if age > self.lifetime || self.floor.is_some_and(|floor| born_at <= floor) {
            return Heard::Stale;
        }
        self.insert(Entry {
            origin: Name::from_checked(broadcast.origin),
            life: broadcast.life,
            id: broadcast.id,
            payload: Bytes::copy_from_slice(broadcast.payload),
            born_at,
            hash,
            holders,
            sends: 0,
            waiting: true,
            own: false,
        });
        Heard::New
    }

    /// Offers the waiting broadcasts for one packet to `to`, those sent least and newest first.
    /// Those done are handed to `done`, with their id if they were issued here.
    pub(crate) fn fill(
        &mut self,
        audience: Audience,
        now: Instant,
        mut offer: impl FnMut(&Broadcast<'_>) -> Offer,
        mut done: impl FnMut(u64, u32),
    ) {
        if self.waiting == 0 {
            return;
        }
        let to_bit = bit(audience.to);
        let digest_from = self.digest_from;
        // Only the young wait, and they stand at the end.
        let mut order: Vec<usize> = (0..self.log.len())
            .rev()
            .filter(|&i| self.log[i].waiting)
            .take(self.waiting.min(SCAN_MAX))
            .collect();
        order.sort_by_key(|&i| self.log[i].sends);
        let mut misfits = 0;
        for i in order {
            let entry = &mut self.log[i];
            let mut is_done = audience.is_everybody(entry.holders);
            if !is_done && entry.holders & to_bit == 0 {
                match offer(&entry.message(now)) {
                    Offer::Taken => {
                        self.unsent -= usize::from(entry.sends == 0);
                        entry.sends += 1;
                        entry.holders |= to_bit;
                        is_done =
                            entry.sends >= audience.limit || audience.is_everybody(entry.holders);
                    }
                    Offer::TooLarge => misfits += 1,
                    Offer::Obsolete => is_done = true,
                }
            }
            if is_done {
                entry.waiting = false;
                self.waiting -= 1;
                self.unsent -= usize::from(entry.sends == 0);
                if i < digest_from {
                    entry.payload = Bytes::new(); // Nobody will ask for it any more.
                }
                if entry.own {
                    done(entry.id, entry.sends);
                }
            }
            if misfits > MISFITS_MAX {
                break;
            }
        }
    }

    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting > 0
    }

    /// Whether there is a broadcast that was not sent to anybody yet.
    pub(crate) fn has_unsent(&self) -> bool {
        self.unsent > 0
    }

    /// Nobody is there to be told.
    pub(crate) fn stop_waiting(&mut self, mut done: impl FnMut(u64, u32)) {
        for entry in &mut self.log {
            if core::mem::take(&mut entry.waiting) && entry.own {
                done(entry.id, entry.sends);
            }
        }
        self.waiting = 0;
        self.unsent = 0;
    }

    /// The digest over what is older than `window` and young enough to be worth repairing.
    pub(crate) fn digest(&mut self, now: Instant, window: Duration) -> u32 {
        self.expire(now);
        let now = shifted(now);
        while let Some(entry) = self.log.get(self.digest_to)
            && entry.born_at + window <= now
        {
            self.digest = self.digest.wrapping_add(entry.hash);
            self.digest_to += 1;
        }
        let repairable = self.repairable();
        while self.digest_from < self.digest_to
            && self.log[self.digest_from].born_at + repairable <= now
        {
            let entry = &mut self.log[self.digest_from];
            self.digest = self.digest.wrapping_sub(entry.hash);
            if !entry.waiting {
                entry.payload = Bytes::new(); // Nobody will ask for it any more.
            }
            self.digest_from += 1;
        }
        folded(self.digest)
    }

    /// The hashes of the newest broadcasts, as many as `len` bytes hold.
    pub(crate) fn summary(&self, len: usize) -> Vec<u8> {
        let newest = self.log.iter().rev().take(len / 8);
        newest.flat_map(|entry| entry.hash.to_le_bytes()).collect()
    }

    /// The broadcasts not in a peer's summary that are young enough to send, and whether the
    /// summary has some that are not known here.
    pub(crate) fn missing_from(&self, summary: &[u8], now: Instant) -> (Vec<usize>, bool) {
        let mut theirs: Vec<u64> = summary
            .chunks_exact(8)
            .map(|hash| u64::from_le_bytes(hash.try_into().expect("chunks of 8")))
            .collect();
        theirs.sort_unstable();
        let young = |entry: &Entry| entry.born_at + self.repairable() > shifted(now);
        let missing = (0..self.log.len())
            .filter(|&i| young(&self.log[i]) && theirs.binary_search(&self.log[i].hash).is_err())
            .collect();
        let unknown = theirs.iter().any(|hash| !self.known.contains(hash));
        (missing, unknown)
    }

    /// The broadcast at a place given by [`missing_from`](Self::missing_from).
    pub(crate) fn at(&self, place: usize, now: Instant) -> Broadcast<'_> {
        self.log[place].message(now)
    }

    /// When the youngest was issued.
    pub(crate) fn changed_at(&self) -> Instant {
        self.changed_at - AGE_MAX
    }

    /// How many are remembered.
    pub(crate) fn len(&self) -> usize {
        self.log.len().max(self.known.len())
    }

    /// How many were forgotten early for lack of room.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    fn mark(&mut self, hash: u64, holders: u128) {
        if self.waiting == 0 {
            return;
        }
        let mut waiting = self.log.iter_mut().rev().take(SCAN_MAX);
        if let Some(entry) = waiting.find(|entry| entry.hash == hash) {
            entry.holders |= holders;
        }
    }

    /// Puts an entry where its age belongs. What comes late is older than the window already, and
    /// enters the digest with its place.
    fn insert(&mut self, entry: Entry) {
        if self.log.len() >= BROADCASTS_MAX {
            self.drop_oldest();
        }
        self.changed_at = self.changed_at.max(entry.born_at);
        self.waiting += usize::from(entry.waiting);
        self.unsent += usize::from(entry.waiting);
        self.known.insert(entry.hash);
        let younger = self.log.iter().rev().take_while(|e| e.born_at > entry.born_at).count();
        let place = self.log.len() - younger;
        if place < self.digest_from {
            self.digest_from += 1;
            self.digest_to += 1;
        } else if place < self.digest_to {
            self.digest = self.digest.wrapping_add(entry.hash);
            self.digest_to += 1;
        }
        self.log.insert(place, entry);
    }

    fn drop_oldest(&mut self) {
        /// Copies of one broadcast differ in age by network delays; none differs by more.
        const SKEW: Duration = Duration::from_secs(1);
        let oldest = self.log.front().map(|entry| entry.born_at + SKEW);
        self.floor = self.floor.max(oldest);
        self.dropped += 1;
        self.pop_front();
    }

    /// Forgets what is long past. Twice the lifetime would do if all ages were right; but a node
    /// that was stopped takes what waited meanwhile for younger than it is, and passes it on as
    /// such.
    fn expire(&mut self, now: Instant) {
        let remember_for = REMEMBERED_FOR.max(self.lifetime * 2);
        while self.log.front().is_some_and(|it| it.born_at + remember_for <= shifted(now)) {
            self.pop_front();
        }
    }

    fn pop_front(&mut self) {
        let Some(entry) = self.log.pop_front() else { return };
        if self.digest_from > 0 {
            self.digest_from -= 1;
        } else if self.digest_to > 0 {
            self.digest = self.digest.wrapping_sub(entry.hash);
        }
        self.digest_to = self.digest_to.saturating_sub(1);
        self.waiting -= usize::from(entry.waiting);
        self.unsent -= usize::from(entry.waiting && entry.sends == 0);
        self.known.remove(&entry.hash);
    }

    /// Up to which age a hole is worth filling: early enough that the copy arrives in time.
    fn repairable(&self) -> Duration {
        self.lifetime * 3 / 4
    }
}

/// The same moment on a clock that began so long before this node's that whatever a peer may speak
/// of was born on it. A node that has just begun hears broadcasts that are older than itself, and
/// must pass them on as old as they are.
fn shifted(now: Instant) -> Instant {
    now + AGE_MAX
}

/// The greatest age that can be told of: what fits into the field of the message.
const AGE_MAX: Duration = Duration::from_millis(u32::MAX as u64);
/// For how long the number of a broadcast is remembered, without what it said.
const REMEMBERED_FOR: Duration = Duration::from_secs(60 * 60);
/// Entries looked at for one packet at most.
const SCAN_MAX: usize = 256;
/// Broadcasts that don't fit into a packet, looked past for a smaller one.
const MISFITS_MAX: usize = 4;

impl Entry {
    fn message(&self, now: Instant) -> Broadcast<'_> {
        let age = shifted(now).saturating_since(self.born_at).as_millis();
        Broadcast {
            origin: self.origin.by_ref(),
            life: self.life,
            id: self.id,
            age_millis: u32::try_from(age).unwrap_or(u32::MAX),
            payload: &self.payload,
        }
    }
}

/// A sum of hashes as it travels.
fn folded(sum: u64) -> u32 {
    (sum ^ (sum >> 32)) as u32
}

/// What tells broadcasts apart; the same on all nodes, because digests and summaries are made of
/// it. What is said belongs to it: numbers can be foreseen, and whoever uses up another's says
/// something else under them. (A3)
fn hash(origin: NameRef<'_>, life: u64, id: u64, payload: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new_with_keys(0x7377_696d, 0x6272_6f61_6463);
    // No other name, life, number and payload have the same bytes.
    hasher.write(&(origin.as_bytes().len() as u64).to_le_bytes());
    hasher.write(origin.as_bytes());
    hasher.write(&life.to_le_bytes());
    hasher.write(&id.to_le_bytes());
    hasher.write(payload);
    hasher.finish()
}

#[cfg(test)]
mod tests;
