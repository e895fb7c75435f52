//! A chat over broadcasts: everybody in the cluster hears what is said, each line once.
//!
//! A broadcast fits into one packet and arrives in a fraction of a second, in no order: two lines
//! of two people, or even of one, may change places. Each line has its author's number, by which a
//! reader can sort; this chat shows them as they come.

use core::fmt;
use std::collections::{BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};
use swim_driver::{
    Error, Handle,
    swim_core::{EventKind, Member, Name},
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
    /// So many events were missed, because nobody read them in time: lines may be among them.
    Missed(u64),
}

#[derive(Serialize, Deserialize)]
struct Line<'a> {
    room: &'a str,
    text: &'a str,
}

/// A chat on one node.
#[derive(Debug)]
pub struct Chat {
    mirror: Mirror,
    present: BTreeSet<Name>,
    happenings: VecDeque<Happening>,
}

impl Chat {
    /// Listens on this node.
    #[must_use]
    pub fn new(mirror: Mirror) -> Self {
        Self { mirror, present: BTreeSet::new(), happenings: VecDeque::new() }
    }

    /// The node.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        self.mirror.handle()
    }

    /// Waits for what happens next; `None` once the node has stopped. Cancel safe.
    pub async fn next(&mut self) -> Option<Happening> {
        loop {
            if let Some(happening) = self.happenings.pop_front() {
                return Some(happening);
            }
            match self.mirror.next().await? {
                Seen::Member(_, member) => self.look_at(&member),
                Seen::Anew { missed, members } => {
                    self.happenings.push_back(Happening::Missed(missed));
                    self.present.retain(|name| {
                        let is_listed = members.iter().any(|member| member.name == *name);
                        if !is_listed {
                            self.happenings.push_back(Happening::Went(name.clone()));
                        }
                        is_listed
                    });
                    members.iter().for_each(|member| self.look_at(member));
                }
                Seen::Other(EventKind::Broadcast { origin, payload, .. }) => {
                    // Others may broadcast something else in this cluster.
                    if let Ok(Line { room, text }) = postcard::from_bytes(&payload) {
                        let (room, text) = (room.to_owned(), text.to_owned());
                        return Some(Happening::Said { by: origin, room, text });
                    }
                }
                Seen::Other(_) => {}
            }
        }
    }

    fn look_at(&mut self, member: &Member) {
        let name = member.name.clone();
        if member.state.is_live() {
            if self.present.insert(name.clone()) {
                self.happenings.push_back(Happening::Came(name));
            }
        } else if self.present.remove(&name) {
            self.happenings.push_back(Happening::Went(name));
        }
    }
}

/// Says something.
///
/// # Errors
///
/// [`Unsaid`]: nobody will hear it.
pub async fn say(handle: &Handle, room: &str, text: &str) -> Result<(), Unsaid> {
    let line = postcard::to_allocvec(&Line { room, text }).map_err(Unsaid::Encoding)?;
    handle.broadcast(line).await.map(drop).map_err(Unsaid::Broadcast)
}

/// Why something was not said.
#[derive(Debug)]
pub enum Unsaid {
    /// It has no form as bytes.
    Encoding(postcard::Error),
    /// [`Error::Send`] when it does not fit into a packet; [`Error::Stopped`].
    Broadcast(Error),
}

impl std::error::Error for Unsaid {}

impl fmt::Display for Unsaid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoding(error) => error.fmt(f),
            Self::Broadcast(error) => error.fmt(f),
        }
    }
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
            Self::Missed(events) => {
                write!(f, "* lines may be missing: {events} events were missed")
            }
        }
    }
}
