//! A member's share of the digest of a table: 64 bits that depend on its name and its stamps.
//!
//! The shares of all live members are added up, so that the sum is kept up to date with two shares
//! for each change, and does not depend on any order. A share is computed twice for every claim
//! that is news, hence a function of a few multiplications (`docs/wire.md`, section 4). It is no
//! secret and stops no forger: whoever holds the key can hide a difference from a digest in simpler
//! ways, and nothing but the time of a repair hangs on it.

use crate::{name::NameRef, stamp::Stamp};

/// The share of a member that is believed to live under `believed` and of whom we have what it said
/// under `said`.
pub(crate) fn of(name: NameRef<'_>, believed: Stamp, said: Stamp) -> u64 {
    let name = name.as_bytes();
    let mut hash = name.len() as u64;
    for stamp in [believed, said] {
        hash = mix(mix(hash, stamp.life.0), stamp.incarnation.0);
    }
    let (words, rest) = name.as_chunks::<8>();
    for word in words {
        hash = mix(hash, u64::from_le_bytes(*word));
    }
    // Filled up with zeros, which no name has.
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    mix(mix(hash, u64::from_le_bytes(last)), 0)
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

    fn share(name: &str, believed: (u64, u64), said: (u64, u64)) -> u64 {
        let stamp = |(life, incarnation)| Stamp::new(life, incarnation);
        of(NameRef::from_checked(name.as_bytes()), stamp(believed), stamp(said))
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
        let others = [
            share("node-2", (5, 1), (5, 1)),
            share("node-1", (6, 1), (5, 1)),
            share("node-1", (5, 2), (5, 1)),
            share("node-1", (5, 1), (4, 1)),
            share("node-1", (5, 1), (5, 0)),
            share("node-1a", (5, 1), (5, 1)),
            share("node-12345678", (5, 1), (5, 1)),
        ];
        assert!(others.iter().all(|other| *other != base));
    }

    /// Names and stamps as clusters have them: near each other in everything.
    #[test]
    fn shares_of_similar_members_differ_in_all_bits() {
        let mut shares = BTreeSet::new();
        let mut ones = [0_u32; 64];
        for nth in 0..20_000_u64 {
            let stamp = (1_700_000_000_000 + nth % 100, 1 + nth % 3);
            let share = share(&format!("node-{nth}"), stamp, stamp);
            shares.insert(share);
            for (bit, ones) in ones.iter_mut().enumerate() {
                *ones += u32::from(share >> bit & 1 == 1);
            }
        }
        assert_eq!(shares.len(), 20_000);
        assert!(ones.iter().all(|ones| (9_500..10_500).contains(ones)), "{ones:?}");
    }
}
