//! What a member last said about itself, in one allocation.
//!
//! A node may know a hundred thousand members, and the simulator holds thousands of such nodes, so
//! that every byte here counts: the fields are packed into one slice, which nodes of one simulator
//! share. A refutation, which changes nothing but the incarnation, is written over the former
//! claim.
//!
//! Layout: life 8, incarnation 8, versions 6, port 2, length of the IP address 1 (whose high bit
//! says that it was dressed as one of IPv6), length of the name 1, IP address 4 or 16, name,
//! metadata.

use alloc::{sync::Arc, vec::Vec};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::{
    heap,
    member::{VersionRange, Versions},
    name::{META_LEN_MAX, NAME_LEN_MAX, NameRef},
    stamp::Stamp,
    wire::Alive,
};

/// A packed [`Alive`] claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Profile(Arc<[u8]>);

const INCARNATION: usize = 8;
const VERSIONS: usize = 16;
const PORT: usize = 22;
const IP_LEN: usize = 24;
const NAME_LEN: usize = 25;
const IP: usize = 26;

/// Marks the length of an IPv4 address that its owner dresses as one of IPv6.
const MAPPED: u8 = 0x80;

/// The longest profile but for its metadata.
const HEAD_LEN_MAX: usize = IP + 16 + NAME_LEN_MAX;

impl Profile {
    /// What the longest takes on the heap.
    pub(crate) const HEAP_MAX: u64 = heap::shared(HEAD_LEN_MAX + META_LEN_MAX);

    /// Packs a claim that the wire has checked.
    pub(crate) fn new(alive: &Alive<'_>) -> Self {
        let mut head = [0; HEAD_LEN_MAX];
        let len = write_head(alive, &mut head);
        let mut packed = Vec::with_capacity(len + alive.meta.len());
        packed.extend_from_slice(&head[..len]);
        packed.extend_from_slice(alive.meta);
        Self(packed.into())
    }

    /// Packs a newer claim in place of this one, in the same memory if it has the same length.
    pub(crate) fn replace(&mut self, alive: &Alive<'_>) {
        let mut head = [0; HEAD_LEN_MAX];
        let len = write_head(alive, &mut head);
        let is_as_long = len + alive.meta.len() == self.0.len();
        match Arc::get_mut(&mut self.0).filter(|_| is_as_long) {
            Some(packed) => {
                packed[..len].copy_from_slice(&head[..len]);
                packed[len..].copy_from_slice(alive.meta);
            }
            None => *self = Self::new(alive),
        }
    }

    /// The claim as it was made.
    pub(crate) fn alive(&self) -> Alive<'_> {
        Alive {
            name: self.name(),
            stamp: self.stamp(),
            addr: self.addr(),
            mapped: self.0[IP_LEN] & MAPPED != 0,
            versions: self.versions(),
            meta: self.meta(),
        }
    }

    pub(crate) fn name(&self) -> NameRef<'_> {
        NameRef::from_checked(&self.0[self.name_at()..self.meta_at()])
    }

    pub(crate) fn meta(&self) -> &[u8] {
        &self.0[self.meta_at()..]
    }

    pub(crate) fn stamp(&self) -> Stamp {
        Stamp::new(self.u64_at(0), self.u64_at(INCARNATION))
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        let ip = &self.0[IP..self.name_at()];
        let ip = match <[u8; 4]>::try_from(ip) {
            Ok(octets) => IpAddr::V4(Ipv4Addr::from(octets)),
            Err(_) => {
                let octets: [u8; 16] = ip.try_into().expect("4 or 16 bytes");
                IpAddr::V6(Ipv6Addr::from(octets))
            }
        };
        SocketAddr::new(ip, u16::from_le_bytes([self.0[PORT], self.0[PORT + 1]]))
    }

    pub(crate) fn versions(&self) -> Versions {
        let range = |at: usize| VersionRange {
            min: self.0[at],
            max: self.0[at + 1],
            current: self.0[at + 2],
        };
        Versions { protocol: range(VERSIONS), application: range(VERSIONS + 3) }
    }

    /// Whether both say the same but for the stamp: then a new one is no news to the application.
    pub(crate) fn says_the_same(&self, alive: &Alive<'_>) -> bool {
        self.addr() == alive.addr
            && self.versions() == alive.versions
            && self.meta() == alive.meta
            && self.name() == alive.name
    }

    fn name_at(&self) -> usize {
        IP + usize::from(self.0[IP_LEN] & !MAPPED)
    }

    fn meta_at(&self) -> usize {
        self.name_at() + usize::from(self.0[NAME_LEN])
    }

    fn u64_at(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.0[at..at + 8].try_into().expect("8 bytes"))
    }
}

/// Writes everything but the metadata; returns how long that is.
fn write_head(alive: &Alive<'_>, head: &mut [u8; HEAD_LEN_MAX]) -> usize {
    head[..INCARNATION].copy_from_slice(&alive.stamp.life.0.to_le_bytes());
    head[INCARNATION..VERSIONS].copy_from_slice(&alive.stamp.incarnation.0.to_le_bytes());
    let VersionRange { min, max, current } = alive.versions.protocol;
    head[VERSIONS..VERSIONS + 3].copy_from_slice(&[min, max, current]);
    let VersionRange { min, max, current } = alive.versions.application;
    head[VERSIONS + 3..PORT].copy_from_slice(&[min, max, current]);
    head[PORT..IP_LEN].copy_from_slice(&alive.addr.port().to_le_bytes());
    let name_at = match alive.addr.ip() {
        IpAddr::V4(ip) => write_ip(head, &ip.octets()),
        IpAddr::V6(ip) => write_ip(head, &ip.octets()),
    };
    head[NAME_LEN] =
        u8::try_from(alive.name.as_bytes().len()).expect("names are at most 128 bytes");
    if alive.mapped {
        head[IP_LEN] |= MAPPED;
    }
    let end = name_at + alive.name.as_bytes().len();
    head[name_at..end].copy_from_slice(alive.name.as_bytes());
    end
}

fn write_ip(head: &mut [u8; HEAD_LEN_MAX], octets: &[u8]) -> usize {
    head[IP_LEN] = u8::try_from(octets.len()).expect("4 or 16 bytes");
    let end = IP + octets.len();
    head[IP..end].copy_from_slice(octets);
    end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::named;

    #[test]
    fn packing_loses_nothing() {
        let range = |min, max, current| VersionRange { min, max, current };
        for addr in ["10.1.2.3:7946", "[::ffff:10.1.2.3]:1", "[2001:db8::7]:65535"] {
            for (name, meta) in
                [("a", &b""[..]), ("web-1.example", b"role=web"), (&"x".repeat(128), &[0; 512])]
            {
                let alive = Alive {
                    name: named(name),
                    stamp: Stamp::new(1_700_000_000_000, 9),
                    addr: addr.parse().unwrap(),
                    mapped: meta.is_empty(),
                    versions: Versions { protocol: range(1, 5, 2), application: range(2, 5, 4) },
                    meta,
                };
                let profile = Profile::new(&alive);
                assert_eq!(profile.alive(), alive);
                assert!(profile.says_the_same(&alive));
                assert!(!profile.says_the_same(&Alive { meta: b"other", ..alive }));
                let newer = Alive { stamp: Stamp::new(1_700_000_000_000, 10), ..alive };
                for next in [newer, Alive { meta: b"other", ..newer }] {
                    let mut replaced = profile.clone();
                    replaced.replace(&next);
                    assert_eq!(replaced.alive(), next);
                }
            }
        }
    }
}
