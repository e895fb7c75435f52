//! A node as it was at one moment, to be held against another: all that a packet which is refused
//! must leave as it is. It only looks, and is no part of the interface: only there with the feature
//! `simulation`.

use alloc::{format, string::String, vec::Vec};

use super::Node;
use crate::{
    keyring::{Key, KeyId},
    member::Member,
    time::Instant,
};

/// What a node believes, keeps and waits for, but for its counters.
#[derive(Clone, Debug, PartialEq)]
pub struct Glimpse {
    members: Vec<Member>,
    own: Member,
    health: u32,
    is_leaving: bool,
    has_left: bool,
    keys: Vec<KeyId>,
    /// Queues, streams, timers and what else there is, as text: it is compared and shown.
    inside: String,
}

impl Glimpse {
    /// The node as it is now. Left out are the time, which whatever comes in brings along, and
    /// conflicts of names, of which a refusal may tell.
    #[must_use]
    pub fn of(node: &Node) -> Self {
        let mut audit = node.audit();
        (audit.now, audit.conflicts) = (Instant::ORIGIN, 0);
        let (claims, suspicions) = (node.audit_claims(), node.audit_suspicions());
        Self {
            members: node.members().collect(),
            own: node.local(),
            health: node.health(),
            is_leaving: node.is_leaving(),
            has_left: node.has_left(),
            keys: node.keyring().into_iter().flat_map(|ring| ring.keys().map(Key::id)).collect(),
            inside: format!("{audit:?} {claims:?} {:?}", suspicions.collect::<Vec<_>>()),
        }
    }
}
