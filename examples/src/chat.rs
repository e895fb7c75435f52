//! A chat over broadcasts: everybody in the cluster hears what is said, each line once.
//!
//! A broadcast fits into one packet and arrives in a fraction of a second, in no order: two lines
//! of two people, or even of one, may change places. Each line has its author's number, by which a
//! reader can sort; this chat shows them as they come.

use core::fmt;

use serde::{Deserialize, Serialize};
use swim_driver::{
    Error, Handle,
    swim_core::{EventKind, MemberChange, Name},
};

use crate::mirror::{Mirror, Seen};

/// What goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// Somebody said something.
    Said {
        /// Who.
        by: Name,
        /// Where.
        room: String,
        /// What.
        text: String,
    },
    /// Somebody is here.
    Came(Name),
    /// Somebody is gone, one way or another.
    Went(Name),
}

#[derive(Serialize, Deserialize)]
struct Line<'a> {
    room: &'a str,
    text: &'a str,
}

/// A chat on one node.
#[derive(Debug)]
pub struct Chat(Mirror);

impl Chat {
    /// Listens on this node.
    #[must_use]
    pub fn new(mirror: Mirror) -> Self {
        Self(mirror)
    }

    /// The node.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        self.0.handle()
    }

    /// Waits for what happens next; `None` once the node has stopped. Cancel safe.
    pub async fn next(&mut self) -> Option<Happening> {
        loop {
            match self.0.next().await? {
                Seen::Member(MemberChange::Joined, member) => {
                    return Some(Happening::Came(member.name));
                }
                Seen::Member(MemberChange::Failed | MemberChange::Left, member) => {
                    return Some(Happening::Went(member.name));
                }
                Seen::Other(EventKind::Broadcast { origin, payload, .. }) => {
                    // Others may broadcast something else in this cluster.
                    if let Ok(Line { room, text }) = postcard::from_bytes(&payload) {
                        let (room, text) = (room.to_owned(), text.to_owned());
                        return Some(Happening::Said { by: origin, room, text });
                    }
                }
                Seen::Member(..) | Seen::Anew(_) | Seen::Other(_) => {}
            }
        }
    }
}

/// Says something.
///
/// # Errors
///
/// [`Error::Send`] when it does not fit into a packet; [`Error::Stopped`].
pub async fn say(handle: &Handle, room: &str, text: &str) -> Result<(), Error> {
    let line = postcard::to_allocvec(&Line { room, text }).unwrap_or_default();
    handle.broadcast(line).await.map(drop)
}

impl fmt::Display for Happening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // What somebody else wrote may try to move the cursor: it is escaped.
            Self::Said { by, room, text } => {
                write!(f, "{} {by}: {}", room.escape_debug(), text.escape_debug())
            }
            Self::Came(name) => write!(f, "* {name} is here"),
            Self::Went(name) => write!(f, "* {name} is gone"),
        }
    }
}
