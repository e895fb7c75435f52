//! The cluster's keys while they are changed: at each moment all understand each other.

use std::collections::BTreeMap;

use swim_core::{KeyId, Keyring};

use crate::{
    network::HostId,
    step::{Moment, Step},
};

use super::checker::Checker;

/// L10: what one seals the others can open, as long as operators change keys in order.
#[derive(Debug)]
pub struct Keys {
    /// The cluster is on the hosts below this one; those above are guests, who may be shut out.
    size: usize,
    rings: BTreeMap<HostId, Ring>,
    looks: u64,
}

/// The keys of one node.
#[derive(Debug, PartialEq, Eq)]
struct Ring {
    primary: KeyId,
    accepted: Vec<KeyId>,
}

impl Keys {
    /// For a cluster on the hosts below this one.
    #[must_use]
    pub const fn among(size: usize) -> Self {
        Self { size, rings: BTreeMap::new(), looks: 0 }
    }
}

impl Checker for Keys {
    fn id(&self) -> &'static str {
        "L10"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        if step.host >= self.size {
            return Ok(());
        }
        let is_gone = matches!(step.moment, Moment::Crashed);
        let Some(ring) = step.node.keyring().filter(|_| !is_gone) else {
            self.rings.remove(&step.host);
            return Ok(());
        };
        if self.rings.get(&step.host).is_some_and(|known| known.is(ring)) {
            return Ok(());
        }
        let ring = Ring::of(ring);
        for (other, its) in self.rings.iter().filter(|(other, _)| **other != step.host) {
            self.looks += 1;
            if !ring.opens(its) || !its.opens(&ring) {
                return Err(format!("L10: {ring:?}, and host {other} has {its:?}"));
            }
        }
        self.rings.insert(step.host, ring);
        Ok(())
    }

    fn looks(&self) -> u64 {
        self.looks
    }
}

impl Ring {
    fn of(ring: &Keyring) -> Self {
        let accepted = ring.keys().map(swim_core::Key::id).collect();
        Self { primary: ring.primary().id(), accepted }
    }

    fn is(&self, ring: &Keyring) -> bool {
        ring.keys().map(swim_core::Key::id).eq(self.accepted.iter().copied())
    }

    /// Whether its node can open what the node with the other one seals.
    fn opens(&self, other: &Self) -> bool {
        self.accepted.contains(&other.primary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l10_who_adds_first_and_removes_last_is_understood() {
        let ring = |keys: &[u32]| Ring {
            primary: KeyId(keys[0]),
            accepted: keys.iter().map(|&key| KeyId(key)).collect(),
        };
        let understand = |one: &[u32], other: &[u32]| {
            ring(one).opens(&ring(other)) && ring(other).opens(&ring(one))
        };
        assert!(understand(&[1], &[1, 2]), "added here");
        assert!(understand(&[1, 2], &[2, 1]), "used here");
        assert!(understand(&[2, 1], &[2]), "removed here");
        assert!(!understand(&[1], &[2, 1]), "used before all had it");
        assert!(!understand(&[1, 2], &[2]), "removed before all used the other");
    }
}
