//! A runtime that counts the tasks it runs and their turns, whatever runtime runs them.

use core::{
    future::{Future, poll_fn},
    net::SocketAddr,
    pin::pin,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
};
use std::{
    io,
    net::{TcpListener, UdpSocket},
    sync::Arc,
    time::Instant,
};

use swim_driver::Runtime;

/// Spawns on `R`, and knows how many of its tasks are alive and how often they were woken.
#[derive(Clone, Debug)]
pub(crate) struct Counted<R> {
    inner: R,
    alive: Arc<AtomicUsize>,
    turns: Arc<AtomicUsize>,
}

impl<R> Counted<R> {
    /// Counts what is spawned on `inner` from here on.
    pub(crate) fn new(inner: R) -> Self {
        Self { inner, alive: Arc::default(), turns: Arc::default() }
    }

    /// How many tasks were spawned and have not ended.
    pub(crate) fn alive(&self) -> usize {
        self.alive.load(SeqCst)
    }

    /// How often tasks had a turn.
    pub(crate) fn turns(&self) -> usize {
        self.turns.load(SeqCst)
    }
}

struct Alive(Arc<AtomicUsize>);

impl Alive {
    fn begin(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

impl<R: Runtime> Runtime for Counted<R> {
    type Udp = R::Udp;
    type Listener = R::Listener;
    type Stream = R::Stream;
    type Timer = R::Timer;

    fn current() -> io::Result<Self> {
        R::current().map(Self::new)
    }

    fn udp(&self, socket: UdpSocket) -> io::Result<R::Udp> {
        self.inner.udp(socket)
    }

    fn listener(&self, socket: TcpListener) -> io::Result<R::Listener> {
        self.inner.listener(socket)
    }

    fn connect(&self, to: SocketAddr) -> impl Future<Output = io::Result<R::Stream>> + Send {
        self.inner.connect(to)
    }

    fn timer(&self, at: Instant) -> R::Timer {
        self.inner.timer(at)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let (alive, turns) = (Alive::begin(&self.alive), Arc::clone(&self.turns));
        self.inner.spawn(async move {
            // Moved in before the task, and so dropped after it.
            let _alive = alive;
            let mut task = pin!(task);
            poll_fn(|cx| {
                turns.fetch_add(1, SeqCst);
                task.as_mut().poll(cx)
            })
            .await;
        });
    }
}
