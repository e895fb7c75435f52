//! The loop's side of all streams: who is open, who is closing, and what their tasks report.

use core::{net::SocketAddr, task::Context, time::Duration};
use std::{
    collections::BTreeMap,
    io,
    sync::Arc,
    task::{Poll, ready},
};

use bytes::Bytes;

use swim_core::StreamId;

use crate::{
    backoff::Backoff,
    clock::Clock,
    link::{Link, Report, Reports, Wish},
    mailbox::Mailbox,
    runtime::{Listener, Runtime},
    stream::StreamTask,
};

/// All streams of a node.
pub(crate) struct Streams<R: Runtime> {
    runtime: R,
    clock: Clock,
    close_timeout: Duration,
    /// None once the node takes no more.
    listener: Option<R::Listener>,
    accepting: Backoff<R::Timer>,
    accepted: u64,
    links: BTreeMap<StreamId, Entry>,
    /// How many of those that peers opened were told to close and still are there.
    closing: usize,
    reports: Reports,
}

/// One stream whose task is running.
struct Entry {
    link: Arc<Link>,
    /// The machine has closed it and is told no more of it.
    is_closing: bool,
}

impl Entry {
    /// What is wanted of the stream when the node stops.
    fn last_wish(&self) -> Wish {
        if self.is_closing { Wish::Hurry } else { Wish::Abort }
    }
}

impl<R: Runtime> Streams<R> {
    pub(crate) fn new(
        runtime: R,
        clock: Clock,
        listener: R::Listener,
        close_timeout: Duration,
    ) -> Self {
        Self {
            runtime,
            clock,
            close_timeout,
            listener: Some(listener),
            accepting: Backoff::new(),
            accepted: 0,
            links: BTreeMap::new(),
            closing: 0,
            reports: Arc::new(Mailbox::new(0)),
        }
    }

    /// The next connection that a peer opened. After an error that may be about something that
    /// lasts, the next attempt waits a little: it must neither stop the node nor keep it busy.
    pub(crate) fn poll_accept(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<(StreamId, R::Stream, SocketAddr)>> {
        ready!(self.accepting.poll_ready(cx));
        let Some(listener) = &self.listener else { return Poll::Pending };
        match ready!(listener.poll_accept(cx)) {
            Ok((stream, from)) => {
                self.accepting.succeeded();
                self.accepted += 1;
                Poll::Ready(Ok((StreamId::accepted(self.accepted), stream, from)))
            }
            Err(error) => {
                if !is_about_one_connection(&error) {
                    self.accepting.failed(&self.runtime, self.clock);
                }
                Poll::Ready(Err(error))
            }
        }
    }

    /// Serves a connection that a peer opened.
    pub(crate) fn accept(&mut self, id: StreamId, stream: R::Stream) {
        let task = self.open(id);
        self.runtime.spawn(task.accepted(stream));
    }

    /// Opens a connection.
    pub(crate) fn dial(&mut self, id: StreamId, to: SocketAddr) {
        let task = self.open(id);
        self.runtime.spawn(task.dialed(to));
    }

    pub(crate) fn write(&self, id: StreamId, data: Bytes) {
        if let Some(entry) = self.links.get(&id) {
            entry.link.write(data);
        }
    }

    /// Closes a stream once what was written went out. If too many that peers opened are closing,
    /// this one may not wait for its peer.
    pub(crate) fn close(&mut self, id: StreamId) {
        let may_wait = !id.is_accepted() || self.closing < CLOSING_MAX;
        self.end(id, if may_wait { Wish::Close } else { Wish::Hurry });
        self.make_room();
    }

    /// Where streams that are closing hold too much together, those that hold the most wait for
    /// their peers no longer, the oldest of them first: it had the most time.
    fn make_room(&self) {
        let held = || self.links.values().map(|entry| (entry.link.held_at_close(), entry));
        let mut all: usize = held().map(|(len, _)| len).sum();
        while all > CLOSING_BYTES_MAX {
            let Some((len, entry)) = held().rev().max_by_key(|(len, _)| *len) else { return };
            entry.link.wish(Wish::Hurry);
            all -= len;
        }
    }

    /// Closes a stream at once.
    pub(crate) fn abort(&mut self, id: StreamId) {
        self.end(id, Wish::Abort);
    }

    /// The next report that the machine should hear of.
    pub(crate) fn poll_report(&mut self, cx: &Context<'_>) -> Poll<(StreamId, Report)> {
        loop {
            let Some((id, report)) = ready!(self.reports.poll_take(cx)) else {
                return Poll::Pending; // Never closed.
            };
            let is_closing = self.links.get(&id).is_none_or(|entry| entry.is_closing);
            if let Report::Ended = report {
                let former = self.links.remove(&id);
                if self.links.is_empty() {
                    self.links = BTreeMap::new(); // One that was emptied keeps a node of its tree.
                }
                let was_counted = id.is_accepted() && former.is_some_and(|entry| entry.is_closing);
                self.closing -= usize::from(was_counted);
            }
            match report {
                _ if is_closing => {}
                // More was written since the task said so, and it will say so again.
                Report::Drained if !self.is_drained(id) => {}
                _ => return Poll::Ready((id, report)),
            }
        }
    }

    fn is_drained(&self, id: StreamId) -> bool {
        self.links.get(&id).is_some_and(|entry| entry.link.is_drained())
    }

    /// Lets a stream read its next chunk.
    pub(crate) fn read_on(&self, id: StreamId) {
        if let Some(entry) = self.links.get(&id) {
            entry.link.read_on();
        }
    }

    /// Takes no more streams and ends those there are; what was written to a stream that is closing
    /// still goes out as far as it can without waiting. Ready when every task is over.
    pub(crate) fn poll_stop(&mut self, cx: &Context<'_>) -> Poll<()> {
        self.listener = None;
        let wishes: Vec<_> =
            self.links.iter().map(|(id, entry)| (*id, entry.last_wish())).collect();
        for (id, wish) in wishes {
            self.end(id, wish);
        }
        while self.poll_report(cx).is_ready() {} // All are closing, so there is nothing to hear.
        if self.links.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    }

    fn open(&mut self, id: StreamId) -> StreamTask<R> {
        let link = Arc::new(Link::new());
        let former = self.links.insert(id, Entry { link: Arc::clone(&link), is_closing: false });
        debug_assert!(former.is_none(), "the id of {id} was used before");
        StreamTask {
            id,
            link,
            reports: Arc::clone(&self.reports),
            runtime: self.runtime.clone(),
            clock: self.clock,
            close_timeout: self.close_timeout,
        }
    }

    fn end(&mut self, id: StreamId, wish: Wish) {
        let Some(entry) = self.links.get_mut(&id) else { return };
        self.closing += usize::from(id.is_accepted() && !entry.is_closing);
        entry.is_closing = true;
        entry.link.wish(wish);
    }
}

/// However the loop ended, no task outlives it.
impl<R: Runtime> Drop for Streams<R> {
    fn drop(&mut self) {
        for entry in self.links.values() {
            entry.link.wish(Wish::Abort);
        }
    }
}

/// Whether an error when accepting says something of one connection only, whose peer was gone
/// before it was accepted: nobody may slow down the others by that.
fn is_about_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(error.kind(), Kind::ConnectionAborted | Kind::ConnectionReset | Kind::Interrupted)
}

/// Streams opened by peers that may take their time with closing. The machine no longer counts
/// them, so without this bound a peer could collect any number by reading nothing.
const CLOSING_MAX: usize = 128;

/// Bytes that all streams which are closing may hold together, three answers in memberlist's
/// dialect of the longest there are: each of them is written as a whole, and whoever asks and does
/// not read would have us keep it for as long as a stream may take. (M1, X11)
const CLOSING_BYTES_MAX: usize = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        lock::lock,
        testing::{Still, context},
    };

    fn streams(runtime: &Still) -> Streams<Still> {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let listener = runtime.listener(socket).unwrap();
        Streams::new(runtime.clone(), Clock::start(), listener, Duration::from_secs(1))
    }

    #[test]
    fn errors_when_accepting_slow_down_and_end_with_the_first_success() {
        let runtime = Still::default();
        let mut streams = streams(&runtime);
        let failures = (0..10).map(|_| Err(io::Error::other("no file descriptors")));
        lock(&runtime.accepts).extend(failures.chain([Ok(()), Ok(())]));
        let mut began_at = Vec::new();
        for _ in 0..10 {
            began_at.push(streams.clock.at(streams.clock.now()));
            assert!(matches!(streams.poll_accept(&mut context()), Poll::Ready(Err(_))));
            assert!(streams.poll_accept(&mut context()).is_pending(), "it must wait");
        }
        let set = lock(&runtime.timers).clone();
        let pauses: Vec<_> = set.iter().zip(&began_at).map(|(at, began)| *at - *began).collect();
        assert!(pauses[0] >= Duration::from_millis(5), "{pauses:?}");
        assert!(pauses[1] >= Duration::from_millis(10), "{pauses:?}");
        assert!(pauses[9] >= Duration::from_secs(1), "{pauses:?}");
        for _ in 0..2 {
            assert!(matches!(streams.poll_accept(&mut context()), Poll::Ready(Ok(_))));
        }
        assert_eq!(lock(&runtime.timers).len(), 10, "no pause after a success");
    }

    #[test]
    fn a_peer_that_is_gone_before_it_is_accepted_slows_nobody_down() {
        let runtime = Still::default();
        let mut streams = streams(&runtime);
        let gone = (0..10).map(|_| Err(io::ErrorKind::ConnectionAborted.into()));
        lock(&runtime.accepts).extend(gone.chain([Ok(())]));
        for _ in 0..10 {
            assert!(matches!(streams.poll_accept(&mut context()), Poll::Ready(Err(_))));
        }
        assert!(matches!(streams.poll_accept(&mut context()), Poll::Ready(Ok(_))));
        assert_eq!(*lock(&runtime.timers), []);
    }

    #[test]
    fn a_task_that_is_dropped_counts_as_failed_and_a_stop_waits_for_none() {
        let runtime = Still::default();
        let mut streams = streams(&runtime);
        let id = StreamId::accepted(1);
        streams.dial(id, SocketAddr::from(([127, 0, 0, 1], 1)));
        assert_eq!(*lock(&runtime.tasks), 1);
        let report = streams.poll_report(&context());
        assert!(matches!(report, Poll::Ready((of, Report::Ended)) if of == id), "{report:?}");
        streams.dial(id, SocketAddr::from(([127, 0, 0, 1], 1)));
        streams.close(id);
        assert!(streams.poll_stop(&context()).is_ready());
        assert_eq!(streams.closing, 0);
    }

    #[test]
    fn what_is_written_is_out_when_the_last_piece_is() {
        let runtime = Still::default();
        let mut streams = streams(&runtime);
        let id = StreamId::accepted(1);
        let task = streams.open(id);
        let (mut unsent, mut may_read) = (Default::default(), false);
        let mut go_out = |streams: &mut Streams<Still>, before_it_is_told: &[&'static [u8]]| {
            task.link.take(&context(), &mut unsent, &mut may_read);
            unsent.clear();
            before_it_is_told.iter().for_each(|piece| streams.write(id, (*piece).into()));
            task.link.drained();
            task.reports.post((id, Report::Drained)).unwrap();
            streams.poll_report(&context()).is_ready()
        };
        streams.write(id, b"one".as_slice().into());
        assert!(!go_out(&mut streams, &[b"two", b"three"]), "of these the task did not know");
        assert!(go_out(&mut streams, &[]));
        streams.write(id, b"four".as_slice().into());
        task.reports.post((id, Report::Drained)).unwrap();
        task.link.take(&context(), &mut Default::default(), &mut false);
        assert!(streams.poll_report(&context()).is_pending(), "an old report, and one is written");
    }

    #[test]
    fn a_crowd_that_is_closing_may_not_wait() {
        let runtime = Still::default();
        let mut streams = streams(&runtime);
        let tasks: Vec<_> = (0..200).map(|nth| streams.open(StreamId::accepted(nth))).collect();
        let (mut unsent, mut may_read) = (Default::default(), false);
        let mut wishes = Vec::new();
        for task in &tasks {
            streams.close(task.id);
            wishes.push(task.link.take(&context(), &mut unsent, &mut may_read));
        }
        assert!(wishes[..CLOSING_MAX].iter().all(|wish| *wish == Wish::Close));
        assert!(wishes[CLOSING_MAX..].iter().all(|wish| *wish == Wish::Hurry));
        drop(tasks);
        assert!(streams.poll_stop(&context()).is_ready());
        assert_eq!(streams.closing, 0);
    }

    #[test]
    fn m1_x11_who_asks_and_does_not_read_holds_only_so_much() {
        let runtime = Still::default();
        let mut streams = streams(&runtime);
        let mut tasks = Vec::new();
        // The streams that may not wait after one more was answered and closed.
        let mut hurried_after = |len| {
            let id = StreamId::accepted(tasks.len() as u64);
            tasks.push(streams.open(id));
            streams.write(id, vec![0; len].into());
            streams.close(id);
            let hurries = |task: &StreamTask<Still>| {
                let wish = task.link.take(&context(), &mut Default::default(), &mut false);
                if len == 0 {
                    task.link.drained(); // All of them, and what they have taken.
                }
                wish == Wish::Hurry
            };
            (0..tasks.len()).filter(|nth| hurries(&tasks[*nth])).collect::<Vec<_>>()
        };
        let (long, longest) = (CLOSING_BYTES_MAX / 4, CLOSING_BYTES_MAX / 4 + 2);
        for len in [1, long, longest, longest] {
            assert_eq!(hurried_after(len), [0; 0]);
        }
        assert_eq!(hurried_after(long), [2], "the oldest of the longest");
        assert_eq!(hurried_after(longest), [2, 3]);
        assert_eq!(hurried_after(0), [2, 3]);
        // What went out is held no more.
        for len in [long, long, long, long] {
            assert_eq!(hurried_after(len), [2, 3]);
        }
        assert_eq!(hurried_after(1), [2, 3, 7], "the bound itself is allowed");
    }
}
