//! What the loops with an operating system need beside the loop: clocks, two sockets on one port,
//! and a node that was seeded as it must be.

use std::{
    error::Error,
    io::{self, ErrorKind},
    net::{SocketAddr, TcpListener, UdpSocket},
    time::{Duration, Instant as StdInstant, SystemTime, SystemTimeError},
};

use swim_core::{Instant, Life, Node, Options};

use crate::links::Attempt;

/// A monotonic clock with the origin that the node is told.
#[derive(Clone, Copy, Debug)]
pub struct Clock(StdInstant);

impl Clock {
    /// A clock that begins now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    pub fn start() -> Self {
        Self(StdInstant::now())
    }

    /// The time since then.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    pub fn now(self) -> Instant {
        Instant::ORIGIN + self.0.elapsed()
    }

    /// How long it is until `at`; never zero, which some sockets take for no limit.
    #[must_use]
    pub fn until(self, at: Instant) -> Duration {
        at.saturating_since(self.now()).max(Duration::from_millis(1))
    }
}

/// A UDP and a TCP socket on the same port: a member has one address.
#[derive(Debug)]
pub struct Ports {
    /// For packets.
    pub udp: UdpSocket,
    /// For streams that peers open.
    pub tcp: TcpListener,
    /// Where both listen.
    pub addr: SocketAddr,
}

impl Ports {
    /// Binds both. With port 0 the system chooses one, which another program may have in the other
    /// protocol: then a few more are tried.
    ///
    /// # Errors
    ///
    /// The port is taken.
    pub fn bind(addr: SocketAddr) -> io::Result<Self> {
        let mut attempts = if addr.port() == 0 { 16 } else { 1 };
        loop {
            let udp = UdpSocket::bind(addr)?;
            let addr = udp.local_addr()?;
            attempts -= 1;
            match TcpListener::bind(addr) {
                Ok(tcp) => return Ok(Self { udp, tcp, addr }),
                Err(error) if attempts == 0 => return Err(error),
                Err(_) => {}
            }
        }
    }
}

/// Makes a node whose life is the wall clock's, and whose seed nobody can guess: nonces come of it.
///
/// # Errors
///
/// The options are wrong, or the system has no randomness.
pub fn node(mut options: Options, clock: Clock) -> Result<Node, Box<dyn Error>> {
    let unix_time = unix_time()?;
    options.unix_time = Some(unix_time);
    options.life = Life(u64::try_from(unix_time.as_millis())?);
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(io::Error::other)?;
    Ok(Node::new(options.build()?, seed, clock.now()))
}

/// What a socket that never blocks says of an attempt.
impl<T> From<io::Result<T>> for Attempt<T> {
    fn from(result: io::Result<T>) -> Self {
        match result.map_err(|error| error.kind()) {
            Ok(value) => Self::Done(value),
            Err(ErrorKind::WouldBlock | ErrorKind::NotConnected | ErrorKind::Interrupted) => {
                Self::Later
            }
            Err(_) => Self::Broken,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
fn unix_time() -> Result<Duration, SystemTimeError> {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)
}
