//! Why a packet or a stream frame was refused.
//!
//! A peer can never cause an error: what it sends is either accepted or counted here and dropped.
//! The variants stand in the order in which the layers look.

use core::fmt;

/// What was wrong with something received. [`Reject::index`] numbers the counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reject {
    /// Shorter than its header or its tag, or a stream that ended before its last frame.
    Truncated,
    /// Longer than any packet or frame may be.
    Oversize,
    /// Another major version of the format, or no packet of ours at all.
    Version,
    /// A flag that this version does not know or that does not belong there.
    Flags,
    /// From a cluster with another label.
    Label,
    /// Not sealed, although this node has a key.
    Plaintext,
    /// Sealed, although this node has no key.
    Sealed,
    /// Sealed with a key that this node does not hold.
    UnknownKey,
    /// Sealed, but changed on its way, or not with the key it names.
    Decrypt,
    /// Changed on its way.
    Checksum,
    /// Compressed wrongly, or to more than is allowed.
    Compression,
    /// Sealed too long ago, or by a node whose clock is far off.
    Stale,
    /// Meant for another node.
    NotForUs,
    /// Meant for this node as it was before it started anew.
    FormerLife,
    /// A packet that is meant for nobody.
    Unaddressed,
    /// Seen before, or too old to tell.
    Replayed,
    /// Bytes that are no message, or not the one encoding of it.
    Malformed,
    /// A name or a text with a forbidden character or length.
    Text,
    /// An address at which nobody can be reached.
    Address,
    /// A life or an incarnation that no correct node can have.
    Implausible,
    /// A message that does not belong in a packet, or in a stream, or at this place of it.
    Misplaced,
    /// More messages, or more probes, than one packet may have.
    Excess,
    /// From an address that the allow list does not have.
    Source,
    /// In this node's own name: its own packet come back, or another node of that name.
    OwnName,
    /// A request that only members may make, from somebody who is none.
    Stranger,
    /// A new member, but the table is full.
    TableFull,
    /// In order, but streams hold as much of states and messages as they may together.
    NoRoom,
}

impl Reject {
    /// How many kinds there are.
    pub const COUNT: usize = 27;

    /// All kinds, in the order of [`Reject::index`].
    pub const ALL: [Self; Self::COUNT] = [
        Self::Truncated,
        Self::Oversize,
        Self::Version,
        Self::Flags,
        Self::Label,
        Self::Plaintext,
        Self::Sealed,
        Self::UnknownKey,
        Self::Decrypt,
        Self::Checksum,
        Self::Compression,
        Self::Stale,
        Self::NotForUs,
        Self::FormerLife,
        Self::Unaddressed,
        Self::Replayed,
        Self::Malformed,
        Self::Text,
        Self::Address,
        Self::Implausible,
        Self::Misplaced,
        Self::Excess,
        Self::Source,
        Self::OwnName,
        Self::Stranger,
        Self::TableFull,
        Self::NoRoom,
    ];

    /// The place of this kind in [`Reject::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Whether it concerns one message of a packet or frame, of which the others count: all else
    /// was refused as a whole. (S9)
    #[must_use]
    pub const fn is_of_one_message(self) -> bool {
        matches!(self, Self::Implausible | Self::Misplaced | Self::Stranger | Self::TableFull)
    }

    /// A short name in snake case, fit for a metric.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::Oversize => "oversize",
            Self::Version => "version",
            Self::Flags => "flags",
            Self::Label => "label",
            Self::Plaintext => "plaintext",
            Self::Sealed => "sealed",
            Self::UnknownKey => "unknown_key",
            Self::Decrypt => "decrypt",
            Self::Checksum => "checksum",
            Self::Compression => "compression",
            Self::Stale => "stale",
            Self::NotForUs => "not_for_us",
            Self::FormerLife => "former_life",
            Self::Unaddressed => "unaddressed",
            Self::Replayed => "replayed",
            Self::Malformed => "malformed",
            Self::Text => "text",
            Self::Address => "address",
            Self::Implausible => "implausible",
            Self::Misplaced => "misplaced",
            Self::Excess => "excess",
            Self::Source => "source",
            Self::OwnName => "own_name",
            Self::Stranger => "stranger",
            Self::TableFull => "table_full",
            Self::NoRoom => "no_room",
        }
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_counter_and_name() {
        for (index, reject) in Reject::ALL.into_iter().enumerate() {
            assert_eq!(reject.index(), index, "{reject}");
            let same_name = Reject::ALL.iter().filter(|other| other.name() == reject.name());
            assert_eq!(same_name.count(), 1, "{reject}");
            assert!(reject.name().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
        }
    }
}
