//! Help for the unit tests.

use core::{
    future::Future,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, Waker},
};
use std::{
    collections::VecDeque,
    io,
    net::{TcpListener, UdpSocket},
    sync::{Arc, Mutex},
    time::Instant,
};

use crate::{
    lock::lock,
    runtime::{Listener, Runtime, Stream, Timer, Udp},
};

/// A context that wakes nobody.
pub(crate) fn context() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

/// The future's value if it has one at once.
pub(crate) fn poll_once<F: Future>(future: Pin<&mut F>) -> Option<F::Output> {
    match future.poll(&mut context()) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// The future's value, however long it takes.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = core::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// A runtime in which nothing moves by itself.
#[derive(Clone, Default)]
pub(crate) struct Still {
    /// What the next attempts to accept give.
    pub(crate) accepts: Arc<Mutex<VecDeque<io::Result<()>>>>,
    /// What the next attempts to receive a datagram give.
    pub(crate) packets: Arc<Mutex<VecDeque<io::Result<Vec<u8>>>>>,
    /// When timers were set to expire. A timer expires at its second poll.
    pub(crate) timers: Arc<Mutex<Vec<Instant>>>,
    /// How many tasks were spawned. They are dropped at once.
    pub(crate) tasks: Arc<Mutex<usize>>,
}

/// What the [`Still`] runtime has instead of streams.
#[derive(Default)]
pub(crate) struct Nothing {
    /// Reading it panics.
    pub(crate) panics: bool,
}

pub(crate) struct StillUdp(Arc<Mutex<VecDeque<io::Result<Vec<u8>>>>>);

pub(crate) struct StillListener(Arc<Mutex<VecDeque<io::Result<()>>>>);

pub(crate) struct StillTimer {
    polls: u32,
    timers: Arc<Mutex<Vec<Instant>>>,
}

impl Runtime for Still {
    type Udp = StillUdp;
    type Listener = StillListener;
    type Stream = Nothing;
    type Timer = StillTimer;

    fn current() -> io::Result<Self> {
        Ok(Self::default())
    }

    fn udp(&self, _socket: UdpSocket) -> io::Result<StillUdp> {
        Ok(StillUdp(Arc::clone(&self.packets)))
    }

    fn listener(&self, _socket: TcpListener) -> io::Result<StillListener> {
        Ok(StillListener(Arc::clone(&self.accepts)))
    }

    async fn connect(&self, _to: SocketAddr) -> io::Result<Nothing> {
        core::future::pending().await
    }

    fn timer(&self, at: Instant) -> StillTimer {
        let mut timer = StillTimer { polls: 0, timers: Arc::clone(&self.timers) };
        timer.set(at);
        timer
    }

    fn spawn(&self, _task: impl Future<Output = ()> + Send + 'static) {
        *lock(&self.tasks) += 1;
    }
}

impl Udp for StillUdp {
    fn poll_recv_from(
        &self,
        _cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        let from = SocketAddr::from(([127, 0, 0, 1], 1));
        let Some(result) = lock(&self.0).pop_front() else { return Poll::Pending };
        Poll::Ready(result.map(|data| {
            buffer[..data.len()].copy_from_slice(&data);
            (data.len(), from)
        }))
    }
}

impl Listener for StillListener {
    type Stream = Nothing;

    fn poll_accept(&self, _cx: &mut Context<'_>) -> Poll<io::Result<(Nothing, SocketAddr)>> {
        let from = SocketAddr::from(([127, 0, 0, 1], 1));
        match lock(&self.0).pop_front() {
            Some(result) => Poll::Ready(result.map(|()| (Nothing::default(), from))),
            None => Poll::Pending,
        }
    }
}

impl Stream for Nothing {
    fn set_nodelay(&self) -> io::Result<()> {
        Ok(())
    }

    fn set_zero_linger(&self) -> io::Result<()> {
        Ok(())
    }

    fn poll_read(&mut self, _cx: &mut Context<'_>, _buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        assert!(!self.panics, "on purpose");
        Poll::Pending
    }

    fn poll_write(&mut self, _cx: &mut Context<'_>, _data: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Pending
    }

    fn poll_shutdown(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl Timer for StillTimer {
    fn set(&mut self, at: Instant) {
        self.polls = 0;
        lock(&self.timers).push(at);
    }

    fn poll_expired(&mut self, _cx: &mut Context<'_>) -> Poll<()> {
        self.polls += 1;
        if self.polls > 1 { Poll::Ready(()) } else { Poll::Pending }
    }
}
