//! Whether nodes agree, from what they say of themselves and what they believe of each other.
//!
//! It knows no world, so that real clusters are held to the same rule.

use std::{collections::BTreeMap, net::SocketAddr};

use bytes::Bytes;
use swim_core::{Member, Stamp, State};

/// What some nodes say of themselves.
#[derive(Clone, Debug, Default)]
pub struct Truth {
    own: BTreeMap<SocketAddr, (String, Stamp, Bytes)>,
}

impl Truth {
    /// From each node's own entry.
    pub fn of(nodes: impl Iterator<Item = Member>) -> Self {
        let said = |own: Member| {
            let meta = Bytes::copy_from_slice(own.meta.as_bytes());
            (own.addr, (own.name.to_string(), own.stamp, meta))
        };
        Self { own: nodes.map(said).collect() }
    }

    /// L1: whether somebody who knows these members knows all the nodes, as alive, under the stamps
    /// they speak under and with what they say about themselves. Other members are not looked at.
    pub fn is_known_from(&self, members: impl Iterator<Item = Member>) -> bool {
        let mut count = 0;
        for member in members {
            let Some((name, stamp, meta)) = self.own.get(&member.addr) else { continue };
            if *name != *member.name {
                continue;
            }
            let is_true = member.state == State::Alive
                && member.stamp == *stamp
                && member.meta.as_bytes() == meta;
            if !is_true {
                return false;
            }
            count += 1;
        }
        count == self.own.len()
    }
}
