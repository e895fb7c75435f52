//! What a member last said about itself, in one allocation.
//!
//! A node may know a hundred thousand members, and the simulator holds thousands of such nodes, so
//! that every byte here counts: the fields are packed into one shared slice.
//!
//! Layout: life 8, incarnation 8, address 16, port 2, family 1, versions 6, name length 1, name,
//! metadata.

use alloc::{sync::Arc, vec::Vec};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::{
    member::{VersionRange, Versions},
    name::NAME_LEN_MAX,
    stamp::Stamp,
    wire::Alive,
};

/// A packed [`Alive`] claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Profile(Arc<[u8]>);

const INCARNATION: usize = 8;
const ADDRESS: usize = 16;
const PORT: usize = 32;
const FAMILY: usize = 34;
const VERSIONS: usize = 35;
const NAME_LEN: usize = 41;
const NAME: usize = 42;

/// The longest header and name; metadata is appended from the claim itself.
const HEAD_LEN_MAX: usize = NAME + NAME_LEN_MAX;

impl Profile {
    /// Packs a claim that the wire has checked.
    pub(crate) fn new(alive: &Alive<'_>) -> Self {
        let mut head = [0; HEAD_LEN_MAX];
        head[..INCARNATION].copy_from_slice(&alive.stamp.life.0.to_le_bytes());
        head[INCARNATION..ADDRESS].copy_from_slice(&alive.stamp.incarnation.0.to_le_bytes());
        let (octets, family) = match alive.addr.ip() {
            IpAddr::V4(ip) => (ip.to_ipv6_mapped().octets(), 4),
            IpAddr::V6(ip) => (ip.octets(), 6),
        };
        head[ADDRESS..PORT].copy_from_slice(&octets);
        head[PORT..FAMILY].copy_from_slice(&alive.addr.port().to_le_bytes());
        head[FAMILY] = family;
        let VersionRange { min, max, current } = alive.versions.protocol;
        head[VERSIONS..VERSIONS + 3].copy_from_slice(&[min, max, current]);
        let VersionRange { min, max, current } = alive.versions.application;
        head[VERSIONS + 3..NAME_LEN].copy_from_slice(&[min, max, current]);
        head[NAME_LEN] = u8::try_from(alive.name.len()).expect("names are at most 128 bytes");
        let head_len = NAME + alive.name.len();
        head[NAME..head_len].copy_from_slice(alive.name.as_bytes());
        let head = &head[..head_len];
        if alive.meta.is_empty() {
            return Self(head.into());
        }
        let mut packed = Vec::with_capacity(head_len + alive.meta.len());
        packed.extend_from_slice(head);
        packed.extend_from_slice(alive.meta);
        Self(packed.into())
    }

    /// The claim as it was made.
    pub(crate) fn alive(&self) -> Alive<'_> {
        Alive {
            name: self.name(),
            stamp: self.stamp(),
            addr: self.addr(),
            versions: self.versions(),
            meta: self.meta(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        core::str::from_utf8(self.name_bytes()).expect("packed from text")
    }

    /// For comparisons, which need no proof that the bytes are text.
    pub(crate) fn name_bytes(&self) -> &[u8] {
        &self.0[NAME..self.meta_at()]
    }

    pub(crate) fn meta(&self) -> &[u8] {
        &self.0[self.meta_at()..]
    }

    pub(crate) fn stamp(&self) -> Stamp {
        Stamp::new(self.u64_at(0), self.u64_at(INCARNATION))
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        let octets: [u8; 16] = self.0[ADDRESS..PORT].try_into().expect("16 bytes");
        let ip = if self.0[FAMILY] == 4 {
            let [.., a, b, c, d] = octets;
            IpAddr::V4(Ipv4Addr::new(a, b, c, d))
        } else {
            IpAddr::V6(Ipv6Addr::from(octets))
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
            && self.name_bytes() == alive.name.as_bytes()
    }

    fn meta_at(&self) -> usize {
        NAME + usize::from(self.0[NAME_LEN])
    }

    fn u64_at(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.0[at..at + 8].try_into().expect("8 bytes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_loses_nothing() {
        let range = |min, max, current| VersionRange { min, max, current };
        for addr in ["10.1.2.3:7946", "[::ffff:10.1.2.3]:1", "[2001:db8::7]:65535"] {
            for (name, meta) in
                [("a", &b""[..]), ("web-1.example", b"role=web"), (&"x".repeat(128), &[0; 512])]
            {
                let alive = Alive {
                    name,
                    stamp: Stamp::new(1_700_000_000_000, 9),
                    addr: addr.parse().unwrap(),
                    versions: Versions { protocol: range(1, 5, 2), application: range(2, 5, 4) },
                    meta,
                };
                let profile = Profile::new(&alive);
                assert_eq!(profile.alive(), alive);
                assert!(profile.says_the_same(&alive));
                assert!(!profile.says_the_same(&Alive { meta: b"other", ..alive }));
            }
        }
    }
}
