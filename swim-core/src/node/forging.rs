//! Packets that nobody in the cluster wrote, for simulations: what somebody says in the name of
//! another who knows all that is needed for it, but for the right key perhaps. Only there with the
//! feature `simulation`. A node never calls this.

use bytes::Bytes;
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng as _;

use super::Node;
use crate::{
    keyring::Keyring,
    name::{Name, NameRef},
    stamp::Stamp,
    wire::{Accusation, Claim, Message, Receiver, Sender, Wire, WireSettings},
};

/// An accusation that nobody made.
#[derive(Clone, Debug)]
pub struct Forgery {
    /// In whose name.
    pub from: Name,
    /// Under which stamp that one speaks.
    pub from_stamp: Stamp,
    /// Who is accused.
    pub about: Name,
    /// Under which stamp.
    pub stamp: Stamp,
    /// Whether it is said to be dead, and not only in doubt.
    pub is_dead: bool,
}

impl Node {
    /// A packet for this node that says so, dated now and sealed with the primary of these keys.
    /// The seed must not have been used before with the same keys.
    #[must_use]
    pub fn forge(&self, forgery: &Forgery, keyring: Option<Keyring>, seed: [u8; 32]) -> Bytes {
        let settings = WireSettings {
            label: self.config.label(),
            keyring,
            own_name: &forgery.from,
            own_life: forgery.from_stamp.life,
            packet_len_max: self.config.packet_len_max,
            sessions_max: 1,
            state_len_max: 0,
            message_len_max: 0,
        };
        let mut wire = Wire::native(settings, ChaCha8Rng::from_seed(seed));
        let from = name(&forgery.from);
        let accusation = Accusation { name: name(&forgery.about), stamp: forgery.stamp, from };
        let claim = match forgery.is_dead {
            true => Claim::Dead(accusation),
            false => Claim::Suspect(accusation),
        };
        let sender = Sender { name: from, stamp: forgery.from_stamp };
        let mut writer = wire.begin_packet(
            self.wall,
            sender,
            Some(Receiver { name: name(&self.name), life: self.config.life, protocol_max: 0 }),
        );
        let fits = writer.push(&Message::Claim(claim));
        debug_assert!(fits, "the largest single claim fits into a packet");
        wire.finish_packet(writer)
    }
}

fn name(name: &Name) -> NameRef<'_> {
    NameRef::from_checked(name.as_str().as_bytes())
}
