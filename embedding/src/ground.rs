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

/// The clock on the wall, as the node was told of it: as what it showed at the [`Clock`]'s start.
/// It may be set, it drifts, and the other clock may stand still while the machine sleeps. With a
/// key, nobody takes what was sealed more than five minutes ago.
#[derive(Debug, Default)]
pub struct Wall(Option<Duration>);

impl Wall {
    /// Tells the node what time it is on the wall, if that is not what it knows.
    pub fn tell(&mut self, node: &mut Node, now: Instant) {
        // A clock that stands before 1970 is no clock.
        if let Some(news) = unix_time().ok().and_then(|actual| self.news(now, actual)) {
            node.set_unix_time(now, news);
        }
    }

    fn news(&mut self, now: Instant, actual: Duration) -> Option<Duration> {
        let at_start = actual.saturating_sub(now.saturating_since(Instant::ORIGIN));
        if self.0.is_some_and(|told| told.abs_diff(at_start) < STEP) {
            return None;
        }
        self.0 = Some(at_start);
        Some(actual)
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

/// A difference that is worth telling.
const STEP: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_node_is_told_of_steps_and_of_drift_that_adds_up_and_of_nothing_else() {
        let millis = Duration::from_millis;
        let mut wall = Wall::default();
        let mut news = |now, actual| wall.news(Instant::from_millis(now), millis(actual));
        assert_eq!(news(0, 1_000_000), Some(millis(1_000_000)), "first of all");
        assert_eq!(news(60_000, 1_060_000), None);
        assert_eq!(news(120_000, 1_120_600), None, "a drift");
        assert_eq!(news(180_000, 1_181_200), Some(millis(1_181_200)), "that has added up");
        assert_eq!(news(180_000, 1_181_200), None, "once");
        assert_eq!(news(240_000, 9_000_000), Some(millis(9_000_000)), "forwards");
        assert_eq!(news(300_000, 1_301_000), Some(millis(1_301_000)), "backwards");
        assert_eq!(news(360_000, 1_000), Some(millis(1_000)), "close to 1970");
    }
}
