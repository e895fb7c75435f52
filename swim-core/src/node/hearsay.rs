//! What reached a node and bears on whom it believes in: for a model that reckons along. Only there
//! with the feature `simulation`, and only kept where it is asked for.

use core::net::SocketAddr;

use alloc::{string::String, vec::Vec};

use super::{Node, membership::Source};
use crate::{
    member::{State, Versions},
    name::{Meta, NameRef},
    stamp::Stamp,
    table::MemberIndex,
    time::Instant,
    wire::{Alive, Claim, Entry},
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

impl Node {
    /// Keeps what is heard from now on, until it is taken.
    pub fn keep_hearsay(&mut self) {
        self.heard.get_or_insert_default();
    }

    /// What was heard since it was last taken.
    pub fn take_hearsay(&mut self) -> Vec<Heard> {
        self.heard.as_mut().map(core::mem::take).unwrap_or_default()
    }

    /// Keeps something heard.
    pub(super) fn note(&mut self, what: impl FnOnce(&Self) -> Hearsay) {
        if self.heard.is_some() {
            let (at, unix_millis, what) = (self.now, self.unix_millis(), what(self));
            self.heard.get_or_insert_default().push(Heard { at, unix_millis, what });
        }
    }

    /// Keeps something about a member.
    pub(super) fn note_of(&mut self, index: MemberIndex, what: impl FnOnce(String) -> Hearsay) {
        self.note(|node| what(text(node.table.get(index).name())));
    }

    /// Keeps a claim.
    pub(super) fn note_claim(&mut self, claim: &Claim<'_>) {
        self.note(|_| match claim {
            Claim::Alive(alive) => Hearsay::Alive(said(alive)),
            Claim::Suspect(accusation) | Claim::Dead(accusation) => Hearsay::Accused {
                name: text(accusation.name),
                stamp: accusation.stamp,
                from: text(accusation.from),
                dead: matches!(claim, Claim::Dead(_)),
            },
            Claim::Left(departure) => {
                Hearsay::Left { name: text(departure.name), stamp: departure.stamp }
            }
        });
    }

    /// Keeps a line of a peer's table.
    pub(super) fn note_entry(&mut self, entry: &Entry<'_>, source: Source) {
        self.note(|node| Hearsay::Entry {
            said: said(&entry.alive),
            state: entry.state,
            stamp: entry.stamp,
            first_hand: source.first_hand,
            carrier: source.carrier.map(|carrier| text(node.table.get(carrier).name())),
        });
    }
}

fn said(alive: &Alive<'_>) -> Said {
    Said {
        name: text(alive.name),
        stamp: alive.stamp,
        addr: alive.addr,
        meta: Meta::from_checked(alive.meta),
        versions: alive.versions,
    }
}

fn text(name: NameRef<'_>) -> String {
    String::from(name.as_str())
}
