//! What the driver needs, in smol's words. No decisions here.

use core::{
    fmt,
    future::Future,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use std::{
    io,
    net::{Shutdown, TcpListener, TcpStream, UdpSocket},
    sync::{Arc, Weak},
    time::Instant,
};

use smol::{
    Async, Executor,
    io::{AsyncRead, AsyncWrite},
};

use socket2::SockRef;

use swim_driver::{Listener, Runtime, Stream, Timer, Udp};

/// The executor that a node runs on: smol's global one, unless the builder is given another.
///
/// Sockets and timers always live in the one reactor that smol has in every process.
#[derive(Clone)]
pub struct Smol {
    place: Place,
}

#[derive(Clone)]
enum Place {
    Global,
    Static(&'static Executor<'static>),
    /// Not held: the tasks of a node must not keep the executor alive that holds them.
    Shared(Weak<Executor<'static>>),
}

impl Smol {
    /// The global executor, of `smol::spawn`. It has threads of its own, as many as the environment
    /// variable `SMOL_THREADS` says, and runs until the process ends.
    #[must_use]
    pub const fn global() -> Self {
        Self { place: Place::Global }
    }

    /// An executor of the application, which somebody has to run. When its last owner drops it, the
    /// nodes on it end.
    #[must_use]
    pub fn on(executor: &Arc<Executor<'static>>) -> Self {
        Self { place: Place::Shared(Arc::downgrade(executor)) }
    }

    /// An executor in a `static`, which somebody has to run.
    #[must_use]
    pub const fn on_static(executor: &'static Executor<'static>) -> Self {
        Self { place: Place::Static(executor) }
    }
}

impl fmt::Debug for Smol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smol")
            .field("is_global", &matches!(self.place, Place::Global))
            .finish_non_exhaustive()
    }
}

impl Runtime for Smol {
    type Udp = UdpPort;
    type Listener = TcpPort;
    type Stream = Connection;
    type Timer = Alarm;

    /// The global executor: an executor does not tell its tasks that they run on it, and the global
    /// one is always there.
    fn current() -> io::Result<Self> {
        Ok(Self::global())
    }

    fn udp(&self, socket: UdpSocket) -> io::Result<UdpPort> {
        Async::new_nonblocking(socket).map(UdpPort)
    }

    fn listener(&self, socket: TcpListener) -> io::Result<TcpPort> {
        Async::new_nonblocking(socket).map(TcpPort)
    }

    async fn connect(&self, to: SocketAddr) -> io::Result<Connection> {
        Async::<TcpStream>::connect(to).await.map(Connection)
    }

    fn timer(&self, at: Instant) -> Alarm {
        Alarm(smol::Timer::at(at))
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        match &self.place {
            Place::Global => smol::spawn(task).detach(),
            Place::Static(executor) => executor.spawn(task).detach(),
            // Where the executor has ended, so has every task.
            Place::Shared(executor) => {
                if let Some(executor) = executor.upgrade() {
                    executor.spawn(task).detach();
                }
            }
        }
    }
}

/// A UDP socket.
#[derive(Debug)]
pub struct UdpPort(Async<UdpSocket>);

impl Udp for UdpPort {
    fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        loop {
            match self.0.get_ref().recv_from(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                received => return Poll::Ready(received),
            }
            ready!(self.0.poll_readable(cx))?;
        }
    }
}

/// A listening TCP socket.
#[derive(Debug)]
pub struct TcpPort(Async<TcpListener>);

impl Listener for TcpPort {
    type Stream = Connection;

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(Connection, SocketAddr)>> {
        loop {
            // Asked first, unlike for packets: connections are rare, and trying costs a system call
            // in every turn of the loop.
            ready!(self.0.poll_readable(cx))?;
            match self.0.get_ref().accept() {
                Ok((stream, from)) => {
                    return Poll::Ready(Async::new(stream).map(|it| (Connection(it), from)));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

/// A TCP connection.
#[derive(Debug)]
pub struct Connection(Async<TcpStream>);

impl Stream for Connection {
    fn set_nodelay(&self) -> io::Result<()> {
        self.0.get_ref().set_nodelay(true)
    }

    fn set_zero_linger(&self) -> io::Result<()> {
        SockRef::from(self.0.get_ref()).set_linger(Some(Duration::ZERO))
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, data)
    }

    fn poll_shutdown(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.0.get_ref().shutdown(Shutdown::Write) {
            // The peer was faster.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Poll::Ready(Ok(())),
            shut => Poll::Ready(shut),
        }
    }
}

/// A timer.
#[derive(Debug)]
pub struct Alarm(smol::Timer);

impl Timer for Alarm {
    fn set(&mut self, at: Instant) {
        self.0.set_at(at);
    }

    fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx).map(|_at| ())
    }
}
