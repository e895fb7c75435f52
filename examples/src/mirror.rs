//! What every application of membership begins with: events, and a way back when some were missed.
//!
//! The events of a node wait in a queue of bounded length. A reader that was too slow is told so,
//! once; then the members as they are now take the place of what it believed.

use std::sync::Arc;

use swim_driver::{
    Events, Handle, Notice,
    swim_core::{EventKind, Member, MemberChange},
};

/// The events of one node, without gaps.
#[derive(Debug)]
pub struct Mirror {
    handle: Handle,
    events: Events,
    /// Earlier events are part of the members that were handed out already.
    next_seq: u64,
}

/// What happened.
#[derive(Debug)]
pub enum Seen {
    /// A member changed.
    Member(MemberChange, Arc<Member>),
    /// Events were missed.
    Anew {
        /// How many, at least.
        missed: u64,
        /// The members of every state now: forget all others.
        members: Vec<Arc<Member>>,
    },
    /// Something else.
    Other(EventKind),
}

impl Mirror {
    /// Mirrors the node of this handle.
    #[must_use]
    pub fn new(handle: Handle, events: Events) -> Self {
        Self { handle, events, next_seq: 0 }
    }

    /// The node.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Waits for what happens next; `None` once the node has stopped. Cancel safe.
    pub async fn next(&mut self) -> Option<Seen> {
        loop {
            match self.events.next().await? {
                Notice::Event(event) if event.seq < self.next_seq => {}
                Notice::Event(event) => match event.kind {
                    EventKind::Member { change, member } => {
                        return Some(Seen::Member(change, member));
                    }
                    other => return Some(Seen::Other(other)),
                },
                Notice::Lagged { missed } => {
                    let snapshot = self.handle.snapshot();
                    self.next_seq = snapshot.next_seq;
                    return Some(Seen::Anew { missed, members: snapshot.members });
                }
            }
        }
    }
}
