//! A member's share of the digest of a table: 64 bits that depend on its name, its stamps and what
//! it says of itself.
//!
//! The shares of all live members are added up, so that the sum is kept up to date with two shares
//! for each change, and does not depend on any order. A share is computed twice for every claim
//! that is news, hence a function of a few multiplications (`docs/wire.md`, section 4). It is no
//! secret and stops no forger: whoever holds the key can hide a difference from a digest in simpler
//! ways, and nothing but the time of a repair hangs on it.

use core::net::IpAddr;

use crate::{stamp::Stamp, wire::Alive};

/// The share of a member that is believed to live under `believed` and last said this. What it said
/// counts by itself, too: a liar may have told some of other words under the same stamp. (X7)
pub(crate) fn of(said: &Alive<'_>, believed: Stamp) -> u64 {
    let name = said.name.as_bytes();
    let mut hash = name.len() as u64;
    for stamp in [believed, said.stamp] {
        hash = mix(mix(hash, stamp.life.0), stamp.incarnation.0);
    }
    hash = mix_bytes(hash, name);
    hash = match said.addr.ip() {
        IpAddr::V4(ip) => mix_bytes(hash, &ip.octets()),
        IpAddr::V6(ip) => mix_bytes(hash, &ip.octets()),
    };
    let versions = said.versions;
    for range in [versions.protocol, versions.application] {
        hash = mix(hash, u64::from_le_bytes([range.min, range.max, range.current, 0, 0, 0, 0, 0]));
    }
    hash = mix(hash, u64::from(said.addr.port()));
    hash = mix(mix_bytes(hash, said.meta), said.meta.len() as u64);
    mix(hash, 0)
}

/// Eight at a time, the last word filled up with zeros.
fn mix_bytes(mut hash: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        hash = mix(hash, u64::from_le_bytes(*word));
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    mix(hash, u64::from_le_bytes(last))
}

const fn mix(hash: u64, word: u64) -> u64 {
    /// 2^64 divided by the golden ratio.
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let product = (hash ^ word).wrapping_mul(FACTOR);
    product ^ (product >> 32)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, format};

    use super::*;
    use crate::{
        member::{VersionRange, Versions},
        name::named,
    };

    fn said(name: &'static str, (life, incarnation): (u64, u64)) -> Alive<'static> {
        Alive {
            name: named(name),
            stamp: Stamp::new(life, incarnation),
            addr: "10.0.0.3:7946".parse().unwrap(),
            meta: b"rack 7",
            versions: Versions::default(),
            mapped: false,
        }
    }

    fn share(name: &'static str, (life, incarnation): (u64, u64), stamp: (u64, u64)) -> u64 {
        of(&said(name, stamp), Stamp::new(life, incarnation))
    }

    /// The vector of `docs/wire.md`.
    #[test]
    fn the_share_is_the_documented_one() {
        let stamp = (1_799_999_999_000, 3);
        let line = format!("`{:016x}`", share("alice", stamp, stamp));
        let document = include_str!("../../docs/wire.md");
        assert!(document.contains(&line), "docs/wire.md does not have {line}");
    }

    #[test]
    fn everything_counts() {
        let base = share("node-1", (5, 1), (5, 1));
        let stamp = Stamp::new(5, 1);
        let plain = said("node-1", (5, 1));
        let range = |current| VersionRange { current, ..VersionRange::default() };
        let (newer, other) = (
            Versions { protocol: range(1), ..Versions::default() },
            Versions { application: range(1), ..Versions::default() },
        );
        let others = [
            share("node-2", (5, 1), (5, 1)),
            share("node-1", (6, 1), (5, 1)),
            share("node-1", (5, 2), (5, 1)),
            share("node-1", (5, 1), (4, 1)),
            share("node-1", (5, 1), (5, 0)),
            share("node-1a", (5, 1), (5, 1)),
            share("node-12345678", (5, 1), (5, 1)),
            of(&Alive { addr: "10.0.0.4:7946".parse().unwrap(), ..plain }, stamp),
            of(&Alive { addr: "10.0.0.3:7947".parse().unwrap(), ..plain }, stamp),
            of(&Alive { addr: "[2001:db8::3]:7946".parse().unwrap(), ..plain }, stamp),
            of(&Alive { meta: b"rack 8", ..plain }, stamp),
            of(&Alive { meta: b"rack 7\0", ..plain }, stamp),
            of(&Alive { meta: b"", ..plain }, stamp),
            of(&Alive { versions: newer, ..plain }, stamp),
            of(&Alive { versions: other, ..plain }, stamp),
        ];
        let all: BTreeSet<_> = others.iter().chain([&base]).collect();
        assert_eq!(all.len(), others.len() + 1);
    }

    /// Names and stamps as clusters have them: near each other in everything.
    #[test]
    fn shares_of_similar_members_differ_in_all_bits() {
        let mut shares = BTreeSet::new();
        let mut ones = [0_u32; 64];
        for nth in 0..20_000_u64 {
            let stamp = (1_700_000_000_000 + nth % 100, 1 + nth % 3);
            let (name, stamp) = (format!("node-{nth}"), Stamp::new(stamp.0, stamp.1));
            let share = of(&Alive { name: named(&name), stamp, ..said("n", (0, 0)) }, stamp);
            shares.insert(share);
            for (bit, ones) in ones.iter_mut().enumerate() {
                *ones += u32::from(share >> bit & 1 == 1);
            }
        }
        assert_eq!(shares.len(), 20_000);
        assert!(ones.iter().all(|ones| (9_500..10_500).contains(ones)), "{ones:?}");
    }
}
