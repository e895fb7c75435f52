//! What the driver needs from an async runtime, and nothing else.
//!
//! Sockets arrive bound and configured: a runtime only registers them with its reactor. An
//! implementation translates calls; whatever would have to be decided belongs into the driver.

use core::{
    future::Future,
    net::SocketAddr,
    task::{Context, Poll},
};
use std::{
    io,
    net::{TcpListener, UdpSocket},
    time::Instant,
};

/// An async runtime.
pub trait Runtime: Clone + Send + Sync + 'static {
    /// A UDP socket that can be waited for.
    type Udp: Udp;
    /// A listening TCP socket that can be waited for.
    type Listener: Listener<Stream = Self::Stream>;
    /// A TCP connection.
    type Stream: Stream;
    /// A timer.
    type Timer: Timer;

    /// The runtime that the caller runs in.
    ///
    /// # Errors
    ///
    /// The caller runs in none; the text says what to do.
    fn current() -> io::Result<Self>;

    /// Whether this runtime can do all that a node will ask for.
    ///
    /// # Errors
    ///
    /// It can't; the text says what to do.
    fn check(&self) -> io::Result<()> {
        Ok(())
    }

    /// Registers a bound, non-blocking UDP socket.
    ///
    /// # Errors
    ///
    /// The reactor refuses the socket.
    fn udp(&self, socket: UdpSocket) -> io::Result<Self::Udp>;

    /// Registers a listening, non-blocking TCP socket.
    ///
    /// # Errors
    ///
    /// The reactor refuses the socket.
    fn listener(&self, socket: TcpListener) -> io::Result<Self::Listener>;

    /// Opens a TCP connection. Dropping the future gives up. Polled in a spawned task only.
    fn connect(&self, to: SocketAddr) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// A timer that expires at `at`. Called in a spawned task only.
    fn timer(&self, at: Instant) -> Self::Timer;

    /// Runs a task in the background. When the runtime ends, the task is dropped.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static);
}

/// A UDP socket that can be waited for. Sending needs no waiting: the driver does it itself, and a
/// datagram that does not go out at once is lost.
pub trait Udp: Send + Sync + 'static {
    /// Receives one datagram into `buffer`; its length and where it came from. The buffer may be
    /// another one each time, and must not be kept when this returns.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>>;
}

/// A listening TCP socket.
pub trait Listener: Send + Sync + 'static {
    /// What it accepts.
    type Stream;

    /// Accepts one connection, and says from where.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(Self::Stream, SocketAddr)>>;
}

/// A TCP connection. Dropping it closes it.
pub trait Stream: Send + 'static {
    /// Sends small segments at once (`TCP_NODELAY`).
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    fn set_nodelay(&self) -> io::Result<()>;

    /// Makes the drop of this connection reset it (`SO_LINGER` of zero): what was written and not
    /// sent is thrown away, and the peer meets an error instead of an end.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    fn set_zero_linger(&self) -> io::Result<()>;

    /// Reads into `buffer`, which is not empty; 0 bytes mean that the peer will send no more. The
    /// buffer may be another one each time, and must not be kept when this returns.
    ///
    /// # Errors
    ///
    /// The connection is broken.
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Writes from `data`, which is not empty; how many bytes were taken.
    ///
    /// # Errors
    ///
    /// The connection is broken.
    fn poll_write(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>>;

    /// Tells the peer that no more will come.
    ///
    /// # Errors
    ///
    /// The connection is broken.
    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

/// A timer that can be set again and again.
pub trait Timer: Send + 'static {
    /// Expires at `at` instead.
    fn set(&mut self, at: Instant);

    /// Waits for the set time. Once expired it must be set again before it is polled again.
    fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}
