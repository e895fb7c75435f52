//! The task of one stream: moves bytes between a connection and its [`Link`].
//!
//! It knows no protocol. It ends when the loop wants it to, when the connection breaks, or when a
//! stream that was told to close takes too long: the machine has forgotten it by then, so nobody
//! else would notice.

use core::{
    future::{Future, poll_fn},
    net::SocketAddr,
    pin::pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use std::{collections::VecDeque, io, sync::Arc};

use bytes::{Buf, Bytes};

use swim_core::StreamId;

use crate::{
    buffer,
    clock::Clock,
    contained::contained,
    link::{Doing, Link, Report, Reports, Wish},
    runtime::{Runtime, Stream, Timer},
};

/// Everything the task of a stream needs beside the connection.
pub(crate) struct StreamTask<R> {
    pub(crate) id: StreamId,
    pub(crate) link: Arc<Link>,
    pub(crate) reports: Reports,
    pub(crate) runtime: R,
    pub(crate) clock: Clock,
    /// How long a stream that was told to close may still take.
    pub(crate) close_timeout: Duration,
}

impl<R: Runtime> StreamTask<R> {
    /// Serves a connection that a peer opened.
    pub(crate) async fn accepted(self, stream: R::Stream) {
        self.serve(Pump::new(stream), Patience { timer: None }).await;
    }

    /// Opens a connection and serves it.
    pub(crate) async fn dialed(self, to: SocketAddr) {
        let mut patience = Patience { timer: None };
        let (mut unsent, mut may_read) = (VecDeque::new(), false);
        let connected = {
            let mut connecting = pin!(self.runtime.connect(to));
            let mut poll = |cx: &mut Context<'_>| {
                let wish = self.link.take(cx, &mut unsent, &mut may_read);
                if patience.poll_over(cx, &self, wish).is_ready() {
                    return Poll::Ready(None);
                }
                connecting.as_mut().poll(cx).map(Some)
            };
            poll_fn(|cx| contained(|| poll(cx))).await.flatten()
        };
        let stream = match connected {
            Some(Ok(stream)) => stream,
            Some(Err(error)) => return self.report_broken(Doing::Dialing(to), error),
            None => return,
        };
        self.report(Report::Connected);
        self.serve(Pump { unsent, may_read, ..Pump::new(stream) }, patience).await;
    }

    async fn serve(&self, mut pump: Pump<R::Stream>, mut patience: Patience<R::Timer>) {
        // Small messages wait for each other otherwise; a stream without it works all the same.
        let _slow = pump.stream.set_nodelay();
        let mut poll = |cx: &mut Context<'_>| {
            let wish = self.link.take(cx, &mut pump.unsent, &mut pump.may_read);
            if wish == Wish::Hurry {
                return pump.hurry(cx);
            }
            if patience.poll_over(cx, self, wish).is_ready() {
                // Without it, what the kernel still has would be delivered, and end in order.
                let _closed_in_order = pump.stream.set_zero_linger();
                return Poll::Ready(());
            }
            match wish {
                Wish::Open => self.poll_open(cx, &mut pump),
                Wish::Close => self.poll_close(cx, &mut pump),
                Wish::Hurry | Wish::Abort => Poll::Ready(()),
            }
        };
        let _panicked = poll_fn(|cx| contained(|| poll(cx))).await;
    }

    /// Writes what there is and reads one chunk. Ready when the connection is broken.
    fn poll_open(&self, cx: &mut Context<'_>, pump: &mut Pump<R::Stream>) -> Poll<()> {
        let had_unsent = !pump.unsent.is_empty();
        match pump.poll_write(cx) {
            Poll::Ready(Ok(())) if had_unsent => {
                self.link.drained();
                self.report(Report::Drained);
            }
            Poll::Ready(Ok(())) | Poll::Pending => {}
            Poll::Ready(Err(error)) => {
                self.report_broken(Doing::Writing, error);
                return Poll::Ready(());
            }
        }
        if pump.is_finished || !pump.may_read {
            return Poll::Pending;
        }
        match ready!(pump.poll_read(cx)) {
            Ok(chunk) if chunk.is_empty() => {
                pump.is_finished = true;
                self.report(Report::Finished);
                Poll::Pending
            }
            Ok(chunk) => {
                pump.may_read = false;
                self.report(Report::Chunk(chunk));
                Poll::Pending
            }
            Err(error) => {
                self.report_broken(Doing::Reading, error);
                Poll::Ready(())
            }
        }
    }

    /// Writes what there is, and says when nothing of it is held any more. Ready at the end.
    fn poll_close(&self, cx: &mut Context<'_>, pump: &mut Pump<R::Stream>) -> Poll<()> {
        let over = pump.poll_close(cx);
        if pump.unsent.is_empty() {
            self.link.drained();
        }
        over
    }

    fn report_broken(&self, doing: Doing, error: io::Error) {
        self.report(Report::Broken { doing, error });
    }

    fn report(&self, report: Report) {
        let _never_closed = self.reports.post((self.id, report));
    }
}

/// Reports the end, however the task ends: also when it panics, or is dropped with its runtime.
impl<R> Drop for StreamTask<R> {
    fn drop(&mut self) {
        let _never_closed = self.reports.post((self.id, Report::Ended));
    }
}

/// How long a stream may still take once it was told to close.
struct Patience<T> {
    timer: Option<T>,
}

impl<T: Timer> Patience<T> {
    /// Ready when the stream must end now.
    fn poll_over<R: Runtime<Timer = T>>(
        &mut self,
        cx: &mut Context<'_>,
        task: &StreamTask<R>,
        wish: Wish,
    ) -> Poll<()> {
        match wish {
            Wish::Open => Poll::Pending,
            Wish::Hurry | Wish::Abort => Poll::Ready(()),
            Wish::Close => self
                .timer
                .get_or_insert_with(|| {
                    task.runtime.timer(task.clock.at(task.clock.now() + task.close_timeout))
                })
                .poll_expired(cx),
        }
    }
}

/// A connection with what is still to be written.
struct Pump<S> {
    stream: S,
    unsent: VecDeque<Bytes>,
    /// The loop is done with the last chunk.
    may_read: bool,
    /// The peer will send no more.
    is_finished: bool,
    is_shut_down: bool,
}

impl<S: Stream> Pump<S> {
    fn new(stream: S) -> Self {
        let unsent = VecDeque::new();
        Self { stream, unsent, may_read: false, is_finished: false, is_shut_down: false }
    }

    /// The next chunk; an empty one when the peer sends no more.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Box<[u8]>>> {
        buffer::lend(|buffer| {
            let chunk = &mut buffer[..CHUNK_LEN];
            self.stream.poll_read(cx, chunk).map_ok(|len| chunk[..len].into())
        })
    }

    /// Ready when everything was written, or the connection is broken.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(data) = self.unsent.front_mut() {
            if data.is_empty() {
                self.unsent.pop_front();
                continue;
            }
            match ready!(self.stream.poll_write(cx, data)) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(len) => data.advance(len),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Writes everything, says so, and waits until the peer closes too. To close with unread bytes
    /// would make the operating system reset the connection, and what was just written might never
    /// be read: a refusal, say, that is sent while the peer is still talking.
    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let is_written = match self.poll_write(cx) {
            Poll::Ready(Ok(())) => match self.poll_shutdown(cx) {
                Poll::Ready(Ok(())) => true,
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Pending => false,
            },
            Poll::Ready(Err(_)) => return Poll::Ready(()),
            Poll::Pending => false,
        };
        if !self.is_finished {
            self.is_finished = self.poll_discard(cx).is_ready();
        }
        if is_written && self.is_finished { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Writes what can be written without waiting, and closes with as little unread as possible.
    fn hurry(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.poll_write(cx).is_ready() && self.poll_shutdown(cx).is_ready() {
            let _unread = self.poll_discard(cx);
        }
        Poll::Ready(())
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.is_shut_down {
            ready!(self.stream.poll_shutdown(cx))?;
            self.is_shut_down = true;
        }
        Poll::Ready(Ok(()))
    }

    /// Reads and throws away. Ready when the peer sends no more.
    fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        buffer::lend(|buffer| {
            for _ in 0..DISCARDS_PER_TURN {
                match ready!(self.stream.poll_read(cx, &mut buffer[..CHUNK_LEN])) {
                    Ok(0) | Err(_) => return Poll::Ready(()),
                    Ok(_) => {}
                }
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
    }
}

/// How many chunks are thrown away before others get their turn.
const DISCARDS_PER_TURN: usize = 16;

/// Large enough that a table of 10,000 members takes some sixty chunks, small enough that hundreds
/// of streams do not add up.
const CHUNK_LEN: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use core::pin::pin;

    use super::*;
    use crate::{
        mailbox::Mailbox,
        testing::{Nothing, Still, context, poll_once},
    };

    /// Serves a stream until nothing happens on it any more; the last report, if there is one.
    fn last_report(panics: bool) -> Option<Report> {
        let reports = Arc::new(Mailbox::new(0));
        let task = StreamTask {
            id: StreamId::accepted(1),
            link: Arc::new(Link::new()),
            reports: Arc::clone(&reports),
            runtime: Still::default(),
            clock: Clock::start(),
            close_timeout: Duration::from_secs(1),
        };
        let mut serving = pin!(task.accepted(Nothing { panics }));
        let is_over = poll_once(serving.as_mut()).is_some();
        assert_eq!(is_over, panics);
        match reports.poll_take(&context()) {
            Poll::Ready(report) => report.map(|(_, report)| report),
            Poll::Pending => None,
        }
    }

    #[test]
    fn x13_a_stream_that_panics_ends_alone_and_says_so() {
        assert!(last_report(false).is_none(), "nothing happens on it");
        assert!(matches!(last_report(true), Some(Report::Ended)));
    }
}
