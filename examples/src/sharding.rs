//! Sharding by rendezvous hashing: for every key, each node weighs all live members, and the
//! heaviest has it. All who see the same members agree, without a word about it.
//!
//! When a member goes, only its own keys move; when one comes, it takes its share and no other key
//! moves (Thaler and Ravishankar, 1998). While views differ, two may hold one key for a moment:
//! membership is no lock.

use std::{collections::BTreeSet, sync::Arc};

use swim_driver::swim_core::Member;

use crate::mirror::{Mirror, Seen};

/// Who has `key`; `None` of nobody.
pub fn owner<'a>(key: &[u8], members: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    members.into_iter().max_by_key(|member| (weight(key, member), *member))
}

/// The `replicas` members that have `key`, the first of them first.
#[must_use]
pub fn owners<'a>(key: &[u8], members: &'a [Arc<Member>], replicas: usize) -> Vec<&'a str> {
    let mut names = members.iter().map(|member| member.name.as_str()).collect::<Vec<_>>();
    names.sort_unstable_by_key(|name| core::cmp::Reverse((weight(key, name), *name)));
    names.truncate(replicas);
    names
}

/// The keys that one node has, of those that all share.
#[derive(Debug)]
pub struct Shard {
    mirror: Mirror,
    shared: Vec<String>,
    keys: BTreeSet<String>,
}

/// Keys that moved, to this node and away from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Those that it has now.
    pub gained: Vec<String>,
    /// Those that others have now.
    pub lost: Vec<String>,
}

impl Shard {
    /// The share of this node; nothing until [`Shard::next`] says so.
    pub fn new(mirror: Mirror, shared: impl IntoIterator<Item = String>) -> Self {
        Self { mirror, shared: shared.into_iter().collect(), keys: BTreeSet::new() }
    }

    /// The keys that this node has.
    #[must_use]
    pub fn keys(&self) -> &BTreeSet<String> {
        &self.keys
    }

    /// Waits until keys have moved; `None` once the node has stopped. Cancel safe.
    pub async fn next(&mut self) -> Option<Moved> {
        loop {
            if let Seen::Other(_) = self.mirror.next().await? {
                continue;
            }
            let keys = self.share();
            if keys != self.keys {
                let gained = keys.difference(&self.keys).cloned().collect();
                let lost = self.keys.difference(&keys).cloned().collect();
                self.keys = keys;
                return Some(Moved { gained, lost });
            }
        }
    }

    fn share(&self) -> BTreeSet<String> {
        let (me, live) = (self.mirror.handle().name().as_str(), self.mirror.handle().members());
        let owner =
            |key: &str| owner(key.as_bytes(), live.iter().map(|member| member.name.as_str()));
        self.shared.iter().filter(|key| owner(key) == Some(me)).cloned().collect()
    }
}

/// How much `member` weighs for `key`: the same on every machine and in every version.
fn weight(key: &[u8], member: &str) -> u64 {
    // FNV-1a, which leaves the high bits to the last bytes, and the end of MurmurHash3, which
    // mixes.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for &byte in member.as_bytes().iter().chain(&[0xff]).chain(key) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: u32 = 10_000;

    fn owners_of_all<'a>(members: &[&'a str]) -> Vec<&'a str> {
        let owner_of = |key: u32| owner(&key.to_be_bytes(), members.iter().copied()).unwrap();
        (0..KEYS).map(owner_of).collect()
    }

    #[test]
    fn only_keys_of_the_lost_move_and_they_spread() {
        let before = owners_of_all(&["a", "b", "c", "d", "e"]);
        let after = owners_of_all(&["a", "b", "d", "e"]);
        let mut heirs = [0; 4];
        for (former, now) in before.iter().zip(&after) {
            if *former != "c" {
                assert_eq!(former, now);
            } else {
                heirs[["a", "b", "d", "e"].iter().position(|name| name == now).unwrap()] += 1;
            }
        }
        assert!(heirs.iter().all(|count| (400..600).contains(count)), "{heirs:?}");
    }

    #[test]
    fn a_new_member_takes_its_share_and_nothing_else_moves() {
        let before = owners_of_all(&["a", "b", "c", "d"]);
        let after = owners_of_all(&["a", "b", "c", "d", "e"]);
        let moved = before.iter().zip(&after).filter(|(former, now)| former != now);
        let moved = moved.map(|(_, now)| *now).collect::<Vec<_>>();
        assert!(moved.iter().all(|now| *now == "e"));
        assert!((1_800..2_200).contains(&moved.len()), "{}", moved.len());
    }

    #[test]
    fn the_weights_never_change() {
        assert_eq!(weight(b"key", "member"), weight(b"key", "member"));
        assert_ne!(weight(b"rkey", "membe"), weight(b"key", "member"), "names end somewhere");
    }
}
