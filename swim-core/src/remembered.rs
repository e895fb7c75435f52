//! Addresses of members that were reaped, so that two halves of a cluster that lost each other for
//! longer than the dead are kept can still find together again.
//!
//! Only an address to try now and then: nothing is believed about whoever answers there.

use alloc::{
    collections::{BTreeSet, VecDeque},
    vec::Vec,
};
use core::{net::SocketAddr, time::Duration};

use crate::{limits::REMEMBERED_MAX, name::Name, rng::Rng, time::Instant};

/// Former members, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    peers: VecDeque<Peer>,
    /// Whose turn it is, of these and of the dead.
    pub(crate) turns: Turns,
}

#[derive(Debug)]
struct Peer {
    name: Name,
    addr: SocketAddr,
    reaped_at: Instant,
}

impl Remembered {
    /// Remembers a member; the oldest goes if there are too many.
    pub(crate) fn insert(&mut self, name: Name, addr: SocketAddr, now: Instant) {
        self.forget(&name, addr);
        if self.peers.len() >= REMEMBERED_MAX {
            self.peers.pop_front();
        }
        self.peers.push_back(Peer { name, addr, reaped_at: now });
    }

    /// Forgets a name or address that belongs to a member again.
    pub(crate) fn forget(&mut self, name: &str, addr: SocketAddr) {
        if !self.peers.is_empty() {
            self.peers.retain(|peer| peer.name != *name && peer.addr != addr);
        }
    }

    #[cfg(feature = "simulation")]
    pub(crate) fn audit_len(&self) -> usize {
        self.peers.len()
    }

    /// The addresses still worth trying.
    pub(crate) fn addrs(&mut self, now: Instant, remember_for: Duration) -> Vec<SocketAddr> {
        while self.peers.front().is_some_and(|peer| peer.reaped_at + remember_for <= now) {
            self.peers.pop_front();
        }
        self.peers.iter().map(|peer| peer.addr).collect()
    }
}

/// Whose turn it is to be tried again: rounds in a fresh random order, each of which visits every
/// peer once, so that nobody waits for its luck.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    /// Those that had their turn in this round.
    visited: BTreeSet<SocketAddr>,
}

impl Turns {
    /// The next of `peers`; none only if there are none. They may be others each time.
    pub(crate) fn next(
        &mut self,
        peers: &BTreeSet<SocketAddr>,
        rng: &mut Rng,
    ) -> Option<SocketAddr> {
        self.visited.retain(|peer| peers.contains(peer));
        if self.visited.len() == peers.len() {
            self.visited.clear();
        }
        let left = peers.len() - self.visited.len();
        if left == 0 {
            return None;
        }
        let next = *peers.difference(&self.visited).nth(rng.below(left))?;
        self.visited.insert(next);
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;
    use crate::rng;

    #[test]
    fn each_round_tries_everybody_once_also_while_peers_come_and_go() {
        let (mut rng, _) = rng::streams([3; 32]);
        let addr = |n: u8| SocketAddr::from(([10, 0, 0, n], 7946));
        let (mut turns, mut peers) = (Turns::default(), (1..=20).map(addr).collect());
        let mut orders = BTreeSet::new();
        for _ in 0..10 {
            let order: Vec<_> = (0..20).filter_map(|_| turns.next(&peers, &mut rng)).collect();
            assert_eq!(order.iter().copied().collect::<BTreeSet<_>>(), peers);
            orders.insert(order);
        }
        assert_eq!(orders.len(), 10, "each in an order of its own");
        let first = turns.next(&peers, &mut rng).unwrap();
        peers.remove(&first);
        peers.insert(addr(99));
        let rest: BTreeSet<_> = (0..20).filter_map(|_| turns.next(&peers, &mut rng)).collect();
        assert_eq!(rest, peers);
        assert_eq!(turns.next(&BTreeSet::new(), &mut rng), None);
    }

    #[test]
    fn m1_former_members_are_remembered_for_a_while_and_in_number() {
        let mut remembered = Remembered::default();
        let addr = |n: usize| SocketAddr::from(([10, 0, (n / 250) as u8, (n % 250) as u8], 7946));
        for n in 0..=REMEMBERED_MAX {
            let name = Name::new(&format!("node-{n}")).unwrap();
            remembered.insert(name, addr(n), Instant::ORIGIN);
        }
        let day = Duration::from_secs(86_400);
        assert_eq!(remembered.addrs(Instant::ORIGIN, day).len(), REMEMBERED_MAX);
        remembered.forget("node-7", addr(8));
        assert_eq!(remembered.addrs(Instant::ORIGIN, day).len(), REMEMBERED_MAX - 2);
        assert!(remembered.addrs(Instant::ORIGIN + day, day).is_empty());
    }
}
