//! What the application sees of a member: an immutable snapshot with its real state.

use core::{fmt, net::SocketAddr};

use crate::{
    name::{Meta, Name},
    stamp::Stamp,
    time::Instant,
};

/// What is believed about a member. The order is the order of precedence within one stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It answers, or nobody has said otherwise.
    Alive,
    /// Somebody could not reach it; it has time to say otherwise. It still counts as a member.
    Suspect,
    /// The suspicion ran out.
    Dead,
    /// It left of its own will, or was declared gone by an operator.
    Left,
}

impl State {
    /// Whether a member in this state counts as part of the cluster: alive or suspect.
    #[must_use]
    pub const fn is_live(self) -> bool {
        match self {
            Self::Alive | Self::Suspect => true,
            Self::Dead | Self::Left => false,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Alive => "alive",
            Self::Suspect => "suspect",
            Self::Dead => "dead",
            Self::Left => "left",
        })
    }
}

/// Why a member is [`State::Left`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LeaveReason {
    /// The member said goodbye itself.
    Graceful,
    /// An operator declared a dead member gone.
    Forced,
}

impl fmt::Display for LeaveReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Graceful => "graceful",
            Self::Forced => "forced",
        })
    }
}

/// A version number and the range its node understands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct VersionRange {
    /// The lowest version it understands.
    pub min: u8,
    /// The highest version it understands.
    pub max: u8,
    /// The version it speaks.
    pub current: u8,
}

impl VersionRange {
    /// Whether `current` lies within `min` and `max`.
    #[must_use]
    pub const fn is_valid(self) -> bool {
        self.min <= self.current && self.current <= self.max
    }
}

/// The versions a member announces (memberlist: the six bytes of `Vsn`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Versions {
    /// Of the membership protocol itself.
    pub protocol: VersionRange,
    /// Of the application above it (memberlist: "delegate" versions).
    pub application: VersionRange,
}

/// A member as one node sees it at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name, unique in the cluster.
    pub name: Name,
    /// Where it is reached, by packets and by streams.
    pub addr: SocketAddr,
    /// What it says about itself.
    pub meta: Meta,
    /// What is believed about it.
    pub state: State,
    /// Why it left; only with [`State::Left`].
    pub reason: Option<LeaveReason>,
    /// The life and incarnation that this belief is about. While a newer incarnation is known only
    /// from hearsay or from its packets, what it says about itself is still that of an older one.
    pub stamp: Stamp,
    /// The versions it announces.
    pub versions: Versions,
    /// When its state last changed, on this node's clock.
    pub since: Instant,
}
