//! What the loops with an operating system need beside the loop: a clock, two sockets on one port,
//! and a node that was seeded as it must be.

use std::{
    error::Error,
    io,
    net::{SocketAddr, TcpListener, UdpSocket},
    time::{Instant as StdInstant, SystemTime},
};

use swim_core::{Instant, Life, Node, Options};

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
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
pub fn node(mut options: Options, clock: Clock) -> Result<Node, Box<dyn Error>> {
    let unix_time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    options.unix_time = Some(unix_time);
    options.life = Life(u64::try_from(unix_time.as_millis())?);
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(io::Error::other)?;
    Ok(Node::new(options.build()?, seed, clock.now()))
}
