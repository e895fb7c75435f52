//! What can be wrong with a command. The caller's faults only; what a peer does wrong is a
//! [`Reject`](crate::Reject). No error changes any state.

use core::fmt;

use crate::name::MetaError;

/// Why a join did not start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JoinError {
    /// No seed was given.
    NoSeeds,
    /// More seeds than one join takes.
    TooManySeeds {
        /// How many were given.
        len: usize,
        /// How many are allowed.
        max: usize,
    },
    /// Too many joins are under way; wait for one to finish or cancel it.
    TooManyJoins,
    /// The node is leaving; wait for it to finish.
    Leaving,
}

/// Why a leave did not start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LeaveError {
    /// The node is leaving already.
    Leaving,
    /// The node has left.
    Left,
}

/// Why the metadata was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UpdateError {
    /// It is too long.
    Meta(MetaError),
    /// It is too long for a packet together with the node's name.
    TooLargeForPacket {
        /// The bytes a packet would need.
        needed: usize,
        /// The bytes it may have.
        max: usize,
    },
    /// The node is leaving or has left.
    Left,
}

/// Why a message or broadcast was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// It does not fit.
    TooLarge {
        /// Its length in bytes.
        len: usize,
        /// The longest that fits.
        max: usize,
    },
    /// No live member has this name.
    UnknownMember,
    /// The node has left.
    Left,
    /// Too many are under way; wait for some to finish.
    Busy,
}

/// Why a member was not declared gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RemoveError {
    /// Nobody has this name.
    UnknownMember,
    /// The member is alive. Only a dead one can be declared gone.
    Alive,
}

impl core::error::Error for JoinError {}
impl core::error::Error for LeaveError {}
impl core::error::Error for UpdateError {}
impl core::error::Error for SendError {}
impl core::error::Error for RemoveError {}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSeeds => f.write_str("no seed was given to join"),
            Self::TooManySeeds { len, max } => {
                write!(f, "{len} seeds are too many for one join: the limit is {max}")
            }
            Self::TooManyJoins => f.write_str("too many joins are under way; wait or cancel one"),
            Self::Leaving => f.write_str("the node is leaving; join again once it has left"),
        }
    }
}

impl fmt::Display for LeaveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Leaving => "the node is leaving already",
            Self::Left => "the node has left",
        })
    }
}

impl fmt::Display for UpdateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Meta(error) => error.fmt(f),
            Self::TooLargeForPacket { needed, max } => write!(
                f,
                "with this metadata the node's claim may need a packet of {needed} bytes: the \
                 limit is {max}"
            ),
            Self::Left => f.write_str("the node is leaving or has left"),
        }
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { len, max } => {
                write!(f, "a payload of {len} bytes is too long: the limit is {max}")
            }
            Self::UnknownMember => f.write_str("no live member has this name"),
            Self::Left => f.write_str("the node has left; join again first"),
            Self::Busy => f.write_str("too many sends are under way; wait for some to finish"),
        }
    }
}

impl fmt::Display for RemoveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownMember => "nobody has this name",
            Self::Alive => "the member is alive; only a dead one can be declared gone",
        })
    }
}
