//! What the driver needs from a machine. [`Node`] is one; a machine that owns a node and passes
//! its inputs on is another, driven by the same loop.

use core::time::Duration;
use std::sync::Arc;

use swim_core::{
    Event, EventKind, Input, Instant, JoinId, Member, MemberChange, Name, Node, Output, PingId,
    SendId, State,
};

/// A state machine without I/O.
pub trait Machine: Send + 'static {
    /// What it tells the application.
    type Event: Clone + core::fmt::Debug + Send + 'static;
    /// What it knows of a member.
    type Member: Send + Sync + 'static;
    /// Names something asked for that ends with an event.
    type Ticket: Ord + Send + 'static;

    /// Takes an input.
    fn handle(&mut self, now: Instant, input: Input<'_>);

    /// The next thing to be done.
    fn poll_output(&mut self) -> Option<Output<Self::Event>>;

    /// The wall clock was set to this time since 1970.
    fn set_unix_time(&mut self, now: Instant, unix_time: Duration);

    /// The event's place in the machine's history: 0, 1, 2 and so on.
    fn seq(event: &Self::Event) -> u64;

    /// How the event changes the published members.
    fn listing(event: &Self::Event) -> Option<Listing<Self::Member>>;

    /// How many bytes the event holds that the number of events does not bound, such as a message:
    /// it counts against [`Builder::events_bytes`](crate::Builder::events_bytes).
    fn payload_len(event: &Self::Event) -> usize;

    /// What the event ends, if anything.
    fn ticket(event: &Self::Event) -> Option<Self::Ticket>;

    /// The state of a member.
    fn state(member: &Self::Member) -> State;
}

/// One change of the published members.
#[derive(Clone, Debug)]
pub enum Listing<T> {
    /// The member of this name is now like this.
    Put {
        /// Its name.
        name: Name,
        /// The member.
        member: Arc<T>,
    },
    /// There is no member of this name any more.
    Remove {
        /// Its name.
        name: Name,
    },
}

/// Names something asked of a [`Node`] that ends with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ticket {
    /// A join ends with [`EventKind::JoinFinished`].
    Join(JoinId),
    /// A leave ends with [`EventKind::LeaveFinished`].
    Leave,
    /// A ping ends with [`EventKind::PingFinished`].
    Ping(PingId),
    /// A reliable message ends with [`EventKind::SendFinished`].
    Send(SendId),
}

impl Machine for Node {
    type Event = Event;
    type Member = Member;
    type Ticket = Ticket;

    fn handle(&mut self, now: Instant, input: Input<'_>) {
        self.handle(now, input);
    }

    fn poll_output(&mut self) -> Option<Output<Event>> {
        self.poll_output()
    }

    fn set_unix_time(&mut self, now: Instant, unix_time: Duration) {
        self.set_unix_time(now, unix_time);
    }

    fn seq(event: &Event) -> u64 {
        event.seq
    }

    fn listing(event: &Event) -> Option<Listing<Member>> {
        let EventKind::Member { change, member } = &event.kind else { return None };
        let name = member.name.clone();
        Some(match change {
            MemberChange::Reaped => Listing::Remove { name },
            MemberChange::Joined
            | MemberChange::Updated
            | MemberChange::Suspected
            | MemberChange::Recovered
            | MemberChange::Failed
            | MemberChange::Left => Listing::Put { name, member: Arc::clone(member) },
        })
    }

    fn payload_len(event: &Event) -> usize {
        match &event.kind {
            EventKind::Message { payload, .. } | EventKind::Broadcast { payload, .. } => {
                payload.len()
            }
            EventKind::RemoteState { state, .. } => state.len(),
            // A member is shared with the published ones, and what else is said has a short limit.
            _ => 0,
        }
    }

    fn ticket(event: &Event) -> Option<Ticket> {
        match &event.kind {
            EventKind::JoinFinished { join, .. } => Some(Ticket::Join(*join)),
            EventKind::LeaveFinished { .. } => Some(Ticket::Leave),
            EventKind::PingFinished { ping, .. } => Some(Ticket::Ping(*ping)),
            EventKind::SendFinished { send, .. } => Some(Ticket::Send(*send)),
            _ => None,
        }
    }

    fn state(member: &Member) -> State {
        member.state
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use swim_core::Life;

    use super::*;

    #[test]
    fn m1_what_others_write_into_an_event_counts() {
        let (name, text) = (Name::new("a").unwrap(), Bytes::from_static(b"four"));
        let addr = ([127, 0, 0, 1], 7946).into();
        let (from, origin, payload) = (name.clone(), name.clone(), text.clone());
        for (kind, expected) in [
            (EventKind::Message { from, addr, payload, reliable: true }, 4),
            (EventKind::RemoteState { from: name, join: true, state: text.clone() }, 4),
            (EventKind::Broadcast { origin, life: Life(1), id: 0, payload: text }, 4),
            (EventKind::Health { score: 1 }, 0),
        ] {
            let event = Event { seq: 0, at: Instant::ORIGIN, kind };
            assert_eq!(Node::payload_len(&event), expected, "{event:?}");
        }
    }
}
