//! The open streams of a loop that never blocks: what is still to be written, and how far each is.
//! The readiness loop and the bare one share it; it knows neither, and needs no operating system.

use alloc::{
    collections::{BTreeMap, VecDeque},
    vec::Vec,
};
use core::time::Duration;

use swim_core::{Bytes, Input, Instant, Node, StreamEvent, StreamId};

/// What came of an attempt that must not wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt<T> {
    /// It is done.
    Done(T),
    /// Not now: try again when the connection is ready.
    Later,
    /// The connection is broken.
    Broken,
}

/// A connection that never waits. Dropping it closes it at once.
pub trait Connection {
    /// Whether a connection that was dialled is there.
    fn open(&mut self) -> Attempt<()>;
    /// Reads into `buffer`; 0 bytes mean that the peer will send no more.
    fn read(&mut self, buffer: &mut [u8]) -> Attempt<usize>;
    /// Writes from `data`; how many bytes were taken. None is as good as `Later`.
    fn write(&mut self, data: &[u8]) -> Attempt<usize>;
    /// Tells the peer that no more will come.
    fn finish(&mut self);
}

/// The open streams.
#[derive(Debug)]
pub struct Links<C>(BTreeMap<StreamId, Link<C>>);

#[derive(Debug)]
struct Link<C> {
    connection: C,
    unsent: VecDeque<Bytes>,
    is_open: bool,
    /// Until when the peer may take to close as well, once the node has closed.
    close_by: Option<Instant>,
    /// We have told the peer that no more will come.
    is_finished: bool,
    /// The peer will send no more, and the node knows.
    is_peer_finished: bool,
}

impl<C> Default for Links<C> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<C: Connection> Links<C> {
    /// Adds a stream that a peer opened or that is being dialled.
    pub fn add(&mut self, id: StreamId, connection: C) {
        let link = Link {
            connection,
            unsent: VecDeque::new(),
            is_open: id.is_accepted(),
            close_by: None,
            is_finished: false,
            is_peer_finished: false,
        };
        self.0.insert(id, link);
    }

    /// `Output::Write`.
    pub fn write(&mut self, id: StreamId, data: Bytes) {
        if let Some(link) = self.0.get_mut(&id) {
            link.unsent.push_back(data);
        }
    }

    /// `Output::Close`: what was written still goes out. To close with something unread would reset
    /// the connection, and the peer might never read it: so the peer is given time to close first.
    /// The node has forgotten such a stream: if too many take their time, this one gets none.
    pub fn close(&mut self, id: StreamId, now: Instant) {
        let lingering = self.0.values().filter(|link| link.close_by.is_some()).count();
        if let Some(link) = self.0.get_mut(&id) {
            link.close_by = Some(if lingering < LINGERING_MAX { now + LINGER } else { now });
        }
    }

    /// `Output::Abort`.
    pub fn abort(&mut self, id: StreamId) {
        self.0.remove(&id);
    }

    /// When to call [`Links::advance`] at the latest, though no connection is ready.
    pub fn due_at(&self) -> Option<Instant> {
        self.0.values().filter_map(|link| link.close_by).min()
    }

    /// All connections, to mark those that are ready.
    pub fn connections(&mut self) -> impl Iterator<Item = &mut C> {
        self.0.values_mut().map(|link| &mut link.connection)
    }

    /// Lets every stream get on by one step, and tells the node. Whether any did.
    pub fn advance(&mut self, node: &mut Node, now: Instant, buffer: &mut [u8]) -> bool {
        let mut is_busy = false;
        for id in self.0.keys().copied().collect::<Vec<_>>() {
            let Some(link) = self.0.get_mut(&id) else { continue };
            let said = link.advance(buffer);
            if matches!(said, Some(StreamEvent::Failed)) || link.is_over(now) {
                self.0.remove(&id);
            }
            if let Some(event) = said {
                is_busy = true; // The node ignores what comes of streams that it closed.
                node.handle(now, Input::Stream { id, event });
            }
        }
        is_busy
    }
}

impl<C: Connection> Link<C> {
    fn advance<'a>(&mut self, buffer: &'a mut [u8]) -> Option<StreamEvent<'a>> {
        if !self.is_open {
            return match self.connection.open() {
                Attempt::Done(()) => {
                    self.is_open = true;
                    Some(StreamEvent::Connected)
                }
                Attempt::Later => None,
                Attempt::Broken => Some(StreamEvent::Failed),
            };
        }
        let had_unsent = !self.unsent.is_empty();
        match self.send() {
            Attempt::Done(()) => {
                if self.close_by.is_some() && !self.is_finished {
                    self.is_finished = true;
                    self.connection.finish();
                }
                if had_unsent {
                    return Some(StreamEvent::Drained);
                }
            }
            Attempt::Later => {}
            Attempt::Broken => return Some(StreamEvent::Failed),
        }
        if self.is_peer_finished {
            return None; // Said once: a node that has more to write goes on writing.
        }
        match self.connection.read(buffer) {
            Attempt::Done(0) => {
                self.is_peer_finished = true;
                Some(StreamEvent::Finished)
            }
            Attempt::Done(len) => Some(StreamEvent::Chunk(&buffer[..len])),
            Attempt::Later => None,
            Attempt::Broken => Some(StreamEvent::Failed),
        }
    }

    /// Writes what waits, as far as it goes. Done if nothing waits any more.
    fn send(&mut self) -> Attempt<()> {
        while let Some(data) = self.unsent.front_mut() {
            if data.is_empty() {
                self.unsent.pop_front();
                continue;
            }
            match self.connection.write(data) {
                Attempt::Done(0) | Attempt::Later => return Attempt::Later,
                Attempt::Done(len) => drop(data.split_to(len)),
                Attempt::Broken => return Attempt::Broken,
            }
        }
        Attempt::Done(())
    }

    /// Whether the node has closed it, and both sides have said all, or have had their time.
    fn is_over(&self, now: Instant) -> bool {
        let has_ended = self.is_finished && self.is_peer_finished;
        self.close_by.is_some_and(|at| has_ended || now >= at)
    }
}

/// How long a peer may take to close what the node has closed.
pub const LINGER: Duration = Duration::from_secs(10);

/// How many streams may be lingering at a time.
pub const LINGERING_MAX: usize = 64;
