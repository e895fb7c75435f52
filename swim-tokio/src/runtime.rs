//! What the driver needs, in tokio's words. No decisions here.

use core::{
    future::Future,
    net::SocketAddr,
    panic::AssertUnwindSafe,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use std::{io, net, panic::catch_unwind, time::Instant};

#[cfg(unix)]
use tokio::io::{Interest, unix::AsyncFd};
#[cfg(not(unix))]
use tokio::net::UdpSocket;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    time::Sleep,
};

use swim_driver::{Listener, Runtime, Stream, Timer, Udp};

/// The tokio runtime that a node runs in: the one that it is started in, unless the builder is
/// given another.
#[derive(Clone, Debug)]
pub struct Tokio {
    handle: tokio::runtime::Handle,
}

impl Tokio {
    /// The runtime of this handle, with I/O and time enabled.
    #[must_use]
    pub const fn on(handle: tokio::runtime::Handle) -> Self {
        Self { handle }
    }

    /// What `part` of the runtime makes. That it is not enabled, tokio says by a panic only.
    fn enabled<T>(&self, part: &str, make: impl FnOnce() -> T) -> io::Result<T> {
        let _context = self.handle.enter();
        catch_unwind(AssertUnwindSafe(make)).map_err(|_| {
            let advice = "build it with `enable_all`";
            io::Error::other(format!("{part} is not enabled in this tokio runtime: {advice}"))
        })
    }
}

impl Runtime for Tokio {
    type Udp = UdpPort;
    type Listener = TcpPort;
    type Stream = Connection;
    type Timer = Alarm;

    fn current() -> io::Result<Self> {
        let handle = tokio::runtime::Handle::try_current().map_err(|error| {
            io::Error::other(format!("{error}; start the node from within a tokio runtime"))
        })?;
        Ok(Self { handle })
    }

    fn check(&self) -> io::Result<()> {
        self.enabled("time", || drop(tokio::time::sleep(Duration::ZERO)))
    }

    fn udp(&self, socket: net::UdpSocket) -> io::Result<UdpPort> {
        self.enabled("I/O", || UdpPort::new(socket))?
    }

    fn listener(&self, socket: net::TcpListener) -> io::Result<TcpPort> {
        self.enabled("I/O", || TcpListener::from_std(socket).map(TcpPort))?
    }

    async fn connect(&self, to: SocketAddr) -> io::Result<Connection> {
        TcpStream::connect(to).await.map(Connection)
    }

    fn timer(&self, at: Instant) -> Alarm {
        Alarm(Box::pin(tokio::time::sleep_until(at.into())))
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.handle.spawn(task);
    }
}

/// A UDP socket, only ever waited for to be read. Where it can be, the reactor is told so: it would
/// otherwise wake the process after every datagram sent, to say that there is room for another.
#[derive(Debug)]
pub struct UdpPort(#[cfg(unix)] AsyncFd<net::UdpSocket>, #[cfg(not(unix))] UdpSocket);

#[cfg(unix)]
impl UdpPort {
    #[expect(deprecated, reason = "sound for a socket of `std`; its successor is unsafe for all")]
    fn new(socket: net::UdpSocket) -> io::Result<Self> {
        AsyncFd::with_interest(socket, Interest::READABLE).map(Self)
    }
}

#[cfg(unix)]
impl Udp for UdpPort {
    fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        loop {
            let mut ready = ready!(self.0.poll_read_ready(cx))?;
            if let Ok(received) = ready.try_io(|socket| socket.get_ref().recv_from(buffer)) {
                return Poll::Ready(received);
            }
        }
    }
}

#[cfg(not(unix))]
impl UdpPort {
    fn new(socket: net::UdpSocket) -> io::Result<Self> {
        UdpSocket::from_std(socket).map(Self)
    }
}

#[cfg(not(unix))]
impl Udp for UdpPort {
    fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        let mut buffer = ReadBuf::new(buffer);
        let from = ready!(self.0.poll_recv_from(cx, &mut buffer))?;
        Poll::Ready(Ok((buffer.filled().len(), from)))
    }
}

/// A listening TCP socket.
#[derive(Debug)]
pub struct TcpPort(TcpListener);

impl Listener for TcpPort {
    type Stream = Connection;

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(Connection, SocketAddr)>> {
        let (stream, from) = ready!(self.0.poll_accept(cx))?;
        Poll::Ready(Ok((Connection(stream), from)))
    }
}

/// A TCP connection.
#[derive(Debug)]
pub struct Connection(TcpStream);

impl Stream for Connection {
    fn set_nodelay(&self) -> io::Result<()> {
        self.0.set_nodelay(true)
    }

    fn set_zero_linger(&self) -> io::Result<()> {
        self.0.set_zero_linger()
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        ready!(Pin::new(&mut self.0).poll_read(cx, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, data)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// A timer.
#[derive(Debug)]
pub struct Alarm(Pin<Box<Sleep>>);

impl Timer for Alarm {
    /// By a new timer in the place of the old one: one that is only put off by `reset` stays where
    /// it is in tokio's wheel, and wakes the process at the former time for nothing.
    fn set(&mut self, at: Instant) {
        self.0.set(tokio::time::sleep_until(at.into()));
    }

    fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}
