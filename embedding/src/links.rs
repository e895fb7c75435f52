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
    /// Writes from `data`; how many bytes were taken.
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
    is_finished: bool,
}

impl<C> Default for Links<C> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<C: Connection> Links<C> {
    /// Adds a stream that a peer opened or that is being dialled.
    pub fn add(&mut self, id: StreamId, connection: C) {
        let (unsent, is_open) = (VecDeque::new(), id.is_accepted());
        let link = Link { connection, unsent, is_open, close_by: None, is_finished: false };
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
    pub fn close(&mut self, id: StreamId, now: Instant) {
        if let Some(link) = self.0.get_mut(&id) {
            link.close_by = Some(now + LINGER);
        }
    }

    /// `Output::Abort`.
    pub fn abort(&mut self, id: StreamId) {
        self.0.remove(&id);
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
            let is_over = match said {
                Some(StreamEvent::Failed) => true,
                Some(StreamEvent::Finished) => link.close_by.is_some(),
                _ => link.close_by.is_some_and(|at| now >= at),
            };
            if is_over {
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
        while let Some(data) = self.unsent.front_mut() {
            match self.connection.write(data) {
                Attempt::Done(len) => drop(data.split_to(len)),
                Attempt::Later => break,
                Attempt::Broken => return Some(StreamEvent::Failed),
            }
            if data.is_empty() {
                self.unsent.pop_front();
                if self.unsent.is_empty() {
                    return Some(StreamEvent::Drained);
                }
            }
        }
        if self.close_by.is_some() && self.unsent.is_empty() && !self.is_finished {
            self.is_finished = true;
            self.connection.finish();
        }
        match self.connection.read(buffer) {
            Attempt::Done(0) => Some(StreamEvent::Finished),
            Attempt::Done(len) => Some(StreamEvent::Chunk(&buffer[..len])),
            Attempt::Later => None,
            Attempt::Broken => Some(StreamEvent::Failed),
        }
    }
}

/// How long a peer may take to close what the node has closed.
const LINGER: Duration = Duration::from_secs(10);
