//! What reached a node and bears on whom it believes in: for a model in a simulator that reckons
//! along. Only there with the feature `simulation`.

use alloc::string::String;
use core::net::SocketAddr;

use crate::{
    member::{State, Versions},
    name::Meta,
    stamp::Stamp,
    time::Instant,
};

/// Something that a node heard, or that happened to it, before it drew any consequence.
#[derive(Clone, Debug)]
pub struct Heard {
    /// When, by the node's own time.
    pub at: Instant,
    /// The clock on the wall then, in milliseconds, if there is one.
    pub unix_millis: Option<u64>,
    /// What it was.
    pub what: Hearsay,
}

/// What a node heard. Members go by their names.
#[derive(Clone, Debug)]
pub enum Hearsay {
    /// That a member lives and is as it says.
    Alive(Said),
    /// That a member is in doubt or dead, by the word of another.
    Accused {
        /// Who.
        name: String,
        /// Under which stamp.
        stamp: Stamp,
        /// By whom.
        from: String,
        /// Who told it, if that is a member at its own address.
        carrier: Option<String>,
        /// Whether it is dead already.
        dead: bool,
    },
    /// That a member left.
    Left {
        /// Who.
        name: String,
        /// Under which stamp.
        stamp: Stamp,
    },
    /// A line of a peer's table.
    Entry {
        /// What the member said of itself, as far as the peer knows.
        said: Said,
        /// What the peer believes of it.
        state: State,
        /// What that is about.
        stamp: Stamp,
        /// Whether the peer speaks of itself.
        first_hand: bool,
        /// Whether it does so from the address that it claims.
        in_person: bool,
        /// Whether the member is remembered to have died under this stamp or a later one.
        outlived: bool,
        /// The peer, if it is known.
        carrier: Option<String>,
    },
    /// A member spoke under this stamp, from where it is known to be.
    Spoke {
        /// Who.
        name: String,
        /// Under which stamp.
        stamp: Stamp,
        /// Whether it answered to a number that only it was told.
        proven: bool,
    },
    /// An answer to a ping of this number came from a known member.
    Answered {
        /// The number.
        nonce: u64,
    },
    /// A probe came to nothing.
    Unanswered {
        /// Whose.
        name: String,
        /// What it was known under when the probe began.
        stamp: Stamp,
    },
    /// A suspicion ran out.
    Expired {
        /// Whose.
        name: String,
    },
    /// A member was gone long enough to be forgotten.
    Reaped {
        /// Who.
        name: String,
    },
    /// The application declared a member gone for good.
    Removed {
        /// Who.
        name: String,
    },
    /// The application changed what this node says of itself.
    Updated {
        /// To this.
        meta: Meta,
    },
    /// The application asked this node to leave.
    Departed,
    /// This node came back after it had left.
    Returned,
    /// That it was stopped, and heard nothing meanwhile.
    Slept,
}

/// What a member says of itself.
#[derive(Clone, Debug)]
pub struct Said {
    /// Its name.
    pub name: String,
    /// Under which stamp it said so.
    pub stamp: Stamp,
    /// Where it is.
    pub addr: SocketAddr,
    /// Its metadata.
    pub meta: Meta,
    /// The versions it speaks.
    pub versions: Versions,
}
