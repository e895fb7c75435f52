//! Members that were reaped: their addresses, so that two halves of a cluster that lost each other
//! for longer than the dead are kept can still find together again, and under which stamps they
//! died, so that the last rumours about them don't raise them.
//!
//! An address is only tried now and then: nothing is believed about whoever answers there.

use alloc::collections::VecDeque;
use core::{net::SocketAddr, time::Duration};

use crate::{
    heap,
    limits::REMEMBERED_MAX,
    member::Member,
    name::{NAME_LEN_MAX, Name},
    rng::Rng,
    stamp::Stamp,
    time::Instant,
};

/// Former members, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    peers: VecDeque<Peer>,
}

#[derive(Debug)]
struct Peer {
    name: Name,
    addr: SocketAddr,
    stamp: Stamp,
    reaped_at: Instant,
    /// It had shown that it was at its address: there may be somebody.
    is_validated: bool,
    /// It had its turn in this round.
    tried: bool,
}

impl Remembered {
    /// What they take on the heap at most.
    pub(crate) const fn heap_max() -> u64 {
        let names = heap::shared(NAME_LEN_MAX).saturating_mul(REMEMBERED_MAX as u64);
        heap::vec(REMEMBERED_MAX as u64, size_of::<Peer>()).saturating_add(names)
    }

    /// Remembers a member that died. If there are too many, the oldest of those goes that were not
    /// validated, and else the oldest: names that nobody had push out nobody. (X10)
    pub(crate) fn insert(&mut self, member: &Member, is_validated: bool, now: Instant) {
        if self.peers.len() >= REMEMBERED_MAX {
            let least = self.peers.iter().position(|peer| !peer.is_validated);
            if least.is_none() && !is_validated {
                return;
            }
            self.peers.remove(least.unwrap_or_default());
        }
        let Member { ref name, addr, stamp, .. } = *member;
        let (name, reaped_at) = (name.clone(), now);
        self.peers.push_back(Peer { name, addr, stamp, reaped_at, is_validated, tried: false });
    }

    /// Forgets those that were reaped too long ago, and those whose name or address belongs to a
    /// member again.
    pub(crate) fn sift(
        &mut self,
        now: Instant,
        remember_for: Duration,
        is_back: impl Fn(&Name, SocketAddr) -> bool,
    ) {
        self.peers
            .retain(|peer| peer.reaped_at + remember_for > now && !is_back(&peer.name, peer.addr));
    }

    /// Whether the one of this name is known to have died under this stamp or a later one.
    pub(crate) fn outlived(&self, name: &str, stamp: Stamp) -> bool {
        self.peers.iter().any(|peer| peer.stamp >= stamp && peer.name == *name)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.peers.len()
    }

    /// Whose turn it is to be tried again: rounds in a fresh random order, each of which visits
    /// everybody once, so that nobody waits for its luck.
    pub(crate) fn next(&mut self, rng: &mut Rng) -> Option<SocketAddr> {
        if self.peers.iter().all(|peer| peer.tried) {
            self.peers.iter_mut().for_each(|peer| peer.tried = false);
        }
        let left = self.peers.iter().filter(|peer| !peer.tried).count();
        if left == 0 {
            return None;
        }
        let peer = self.peers.iter_mut().filter(|peer| !peer.tried).nth(rng.below(left))?;
        peer.tried = true;
        Some(peer.addr)
    }
}

#[cfg(test)]
mod tests {
    use alloc::{collections::BTreeSet, format, vec::Vec};

    use super::*;
    use crate::{
        member::{State, Versions},
        name::Meta,
        rng,
    };

    fn peer(n: usize) -> (Name, SocketAddr) {
        let addr = SocketAddr::from(([10, 0, (n / 250) as u8, (n % 250) as u8], 7946));
        (Name::new(&format!("node-{n}")).unwrap(), addr)
    }

    fn died(name: Name, addr: SocketAddr) -> Member {
        Member {
            name,
            addr,
            meta: Meta::default(),
            state: State::Dead,
            reason: None,
            stamp: Stamp::new(1, 2),
            versions: Versions::default(),
            since: Instant::ORIGIN,
        }
    }

    fn reaped(range: core::ops::Range<usize>) -> Remembered {
        let mut remembered = Remembered::default();
        for (name, addr) in range.map(peer) {
            remembered.insert(&died(name, addr), true, Instant::ORIGIN);
        }
        remembered
    }

    #[test]
    fn each_round_tries_everybody_once_also_while_peers_come_and_go() {
        let (mut rng, _) = rng::streams([3; 32]);
        let mut remembered = reaped(0..20);
        let round = |remembered: &mut Remembered, rng: &mut Rng| -> Vec<_> {
            (0..20).filter_map(|_| remembered.next(rng)).collect()
        };
        let everybody: BTreeSet<_> = (0..20).map(|n| peer(n).1).collect();
        let mut orders = BTreeSet::new();
        for _ in 0..10 {
            let order = round(&mut remembered, &mut rng);
            assert_eq!(order.iter().copied().collect::<BTreeSet<_>>(), everybody);
            orders.insert(order);
        }
        assert_eq!(orders.len(), 10, "each in an order of its own");
        let first = remembered.next(&mut rng).unwrap();
        remembered.sift(Instant::ORIGIN, Duration::from_secs(1), |_, addr| addr == first);
        let (name, addr) = peer(99);
        remembered.insert(&died(name, addr), true, Instant::ORIGIN);
        let rest: BTreeSet<_> = round(&mut remembered, &mut rng).into_iter().collect();
        assert!(rest.contains(&addr) && !rest.contains(&first) && rest.len() == 20);
        assert_eq!(Remembered::default().next(&mut rng), None);
    }

    #[test]
    fn x10_names_that_nobody_had_push_out_nobody() {
        let mut remembered = reaped(0..REMEMBERED_MAX - 1);
        for nth in 9_000..9_010 {
            let (name, addr) = peer(nth);
            remembered.insert(&died(name, addr), false, Instant::ORIGIN);
        }
        let is_there =
            |remembered: &Remembered, nth| remembered.outlived(&peer(nth).0, Stamp::new(1, 2));
        assert!(is_there(&remembered, 0) && is_there(&remembered, 9_009));
        assert_eq!(remembered.len(), REMEMBERED_MAX);
        let (name, addr) = peer(8_000);
        remembered.insert(&died(name, addr), true, Instant::ORIGIN);
        assert!(is_there(&remembered, 0) && !is_there(&remembered, 9_009));
        let (name, addr) = peer(9_009);
        remembered.insert(&died(name, addr), false, Instant::ORIGIN);
        assert!(!is_there(&remembered, 9_009), "there is no room for it");
    }

    #[test]
    fn m1_former_members_are_remembered_for_a_while_and_in_number() {
        let mut remembered = reaped(0..REMEMBERED_MAX + 1);
        let [dead, first] = [9, 0].map(|nth| peer(nth).0);
        assert!(remembered.outlived(&dead, Stamp::new(1, 2)));
        assert!(!remembered.outlived(&dead, Stamp::new(1, 3)), "it has spoken since");
        assert!(!remembered.outlived(&first, Stamp::new(1, 1)), "the oldest went");
        let day = Duration::from_secs(86_400);
        remembered.sift(Instant::ORIGIN, day, |_, _| false);
        assert_eq!(remembered.len(), REMEMBERED_MAX);
        let (back, moved) = (peer(7).0, peer(8).1);
        remembered.sift(Instant::ORIGIN, day, |name, addr| *name == back || addr == moved);
        assert_eq!(remembered.len(), REMEMBERED_MAX - 2);
        remembered.sift(Instant::ORIGIN + day, day, |_, _| false);
        assert_eq!(remembered.len(), 0);
    }
}
