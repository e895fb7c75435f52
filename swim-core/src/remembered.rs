//! Addresses of members that were reaped, so that two halves of a cluster that lost each other for
//! longer than the dead are kept can still find together again.
//!
//! Only an address to try now and then: nothing is believed about whoever answers there.

use alloc::{collections::VecDeque, vec::Vec};
use core::{net::SocketAddr, time::Duration};

use crate::{limits::REMEMBERED_MAX, name::Name, time::Instant};

/// Former members, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    peers: VecDeque<Peer>,
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

    /// The addresses still worth trying.
    pub(crate) fn addrs(&mut self, now: Instant, remember_for: Duration) -> Vec<SocketAddr> {
        while self.peers.front().is_some_and(|peer| peer.reaped_at + remember_for <= now) {
            self.peers.pop_front();
        }
        self.peers.iter().map(|peer| peer.addr).collect()
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

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
