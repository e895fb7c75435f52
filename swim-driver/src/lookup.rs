//! Turns what people write for a seed into addresses. Names are asked for anew each time: behind
//! the same name there may be other machines tomorrow.
//!
//! Asking for a name blocks, for many seconds where a name server is down. So each question has a
//! thread of its own for as long as it takes, and whoever asked waits for no longer than he wants.

use core::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use std::{
    io,
    net::ToSocketAddrs,
    sync::{
        atomic::{AtomicUsize, Ordering::Relaxed},
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
};

use crate::{clock::Clock, host::HostPort, oneshot::oneshot};

/// What a text was found to mean.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) given: String,
    /// At least one address, or why there is none.
    pub(crate) result: Result<Vec<SocketAddr>, String>,
}

/// How to look things up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// For texts without a port.
    pub(crate) port: u16,
    /// The family that the node is bound to. It could not talk to the other one by UDP, and a
    /// cluster that is joined by TCP alone takes the newcomer for dead.
    pub(crate) is_ipv4: bool,
    /// How long to wait for name servers.
    pub(crate) limit: Duration,
    pub(crate) clock: Clock,
}

/// What can be said of `given` without asking anybody: addresses, and mistakes.
pub(crate) fn look_up_literal(given: &str, terms: Terms) -> Option<Found> {
    let result = match HostPort::parse(given) {
        Ok(parsed) => {
            let addr = SocketAddr::new(parsed.ip()?, parsed.port.unwrap_or(terms.port));
            usable(vec![addr], terms)
        }
        Err(problem) => Err(problem.to_string()),
    };
    Some(Found { given: given.into(), result })
}

/// Asks for the addresses behind `names`, and answers in their order. Dropping the future ends the
/// wait at once.
pub(crate) async fn look_up(names: Vec<String>, terms: Terms) -> Vec<Found> {
    let mut results: Vec<_> = names.iter().map(|_| None).collect();
    let (tx, answers) = oneshot();
    let (abandon, inbox) = mpsc::channel();
    let _abandon = Abandon(abandon.clone());
    let asked = (0..).zip(&names).map(|(index, text)| Name { index, text: text.clone() }).collect();
    let clerk = thread::Builder::new().name("swim-lookup".into());
    let hired = clerk.spawn(move || tx.send(ask_all(asked, &abandon, &inbox, terms)));
    if hired.is_ok() {
        for (index, result) in answers.await.unwrap_or_default() {
            results[index] = Some(result);
        }
    }
    let unanswered = || Err("the name was not resolved in time".into());
    let found = names.into_iter().zip(results);
    found
        .map(|(given, result)| Found { given, result: result.unwrap_or_else(unanswered) })
        .collect()
}

struct Name {
    index: usize,
    text: String,
}

type Answer = (usize, Result<Vec<SocketAddr>, String>);

/// Ends the wait when the asker is gone.
struct Abandon(Sender<Option<Answer>>);

impl Drop for Abandon {
    fn drop(&mut self) {
        let _nobody_waits = self.0.send(None);
    }
}

/// Asks for every name, so many at the same time, and collects what is answered in time.
fn ask_all(
    mut names: Vec<Name>,
    answers: &Sender<Option<Answer>>,
    inbox: &Receiver<Option<Answer>>,
    terms: Terms,
) -> Vec<Answer> {
    let deadline = terms.clock.now() + terms.limit;
    let mut found = Vec::new();
    let wanted = names.len();
    names.reverse();
    for name in names.split_off(names.len().saturating_sub(NAMES_PARALLEL)).into_iter().rev() {
        ask(name, answers.clone(), terms);
    }
    while found.len() < wanted {
        let remaining = deadline.saturating_since(terms.clock.now());
        if remaining.is_zero() {
            break;
        }
        match inbox.recv_timeout(remaining) {
            Ok(Some(answer)) => found.push(answer),
            Ok(None) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
        }
        if let Some(name) = names.pop() {
            ask(name, answers.clone(), terms);
        }
    }
    found
}

/// Asks for one name on a thread of its own, which can't be stopped and may outlive the question.
fn ask(name: Name, answers: Sender<Option<Answer>>, terms: Terms) {
    let (index, unable) = (name.index, answers.clone());
    let asked = Asking::begin().and_then(|asking| {
        thread::Builder::new().name("swim-lookup".into()).spawn(move || {
            let answer = resolve(&name.text, terms);
            drop(asking);
            let _too_late = answers.send(Some((name.index, answer)));
        })
    });
    if let Err(error) = asked {
        let _too_late = unable.send(Some((index, Err(error.to_string()))));
    }
}

/// Counts the threads of this process that ask for a name.
struct Asking;

impl Asking {
    fn begin() -> io::Result<Self> {
        let asking = Self;
        if ASKING.fetch_add(1, Relaxed) < ASKING_MAX {
            return Ok(asking);
        }
        Err(io::Error::other("too many names are being resolved already"))
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        ASKING.fetch_sub(1, Relaxed);
    }
}

static ASKING: AtomicUsize = AtomicUsize::new(0);

fn resolve(text: &str, terms: Terms) -> Result<Vec<SocketAddr>, String> {
    let HostPort { host, port } = HostPort::parse(text).map_err(|problem| problem.to_string())?;
    let resolved: io::Result<_> = (host, port.unwrap_or(terms.port)).to_socket_addrs();
    let addrs = resolved.map_err(|error| format!("the name could not be resolved: {error}"))?;
    usable(addrs.collect(), terms)
}

/// Those that the node can talk to, each once.
fn usable(addrs: Vec<SocketAddr>, terms: Terms) -> Result<Vec<SocketAddr>, String> {
    let mut usable: Vec<SocketAddr> = Vec::new();
    for addr in addrs {
        let addr = SocketAddr::new(canonical(addr.ip()), addr.port());
        if addr.is_ipv4() == terms.is_ipv4 && !usable.contains(&addr) {
            usable.push(addr);
        }
    }
    if usable.is_empty() {
        let family = if terms.is_ipv4 { "IPv4" } else { "IPv6" };
        return Err(format!("has no {family} address, and this node is bound to {family}"));
    }
    Ok(usable)
}

fn canonical(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}

/// Names that one call asks for at the same time; each costs a thread.
const NAMES_PARALLEL: usize = 8;

/// Names that the process asks for at the same time, those included whose asker is gone: where a
/// name server is down and joins are tried again and again, threads must not pile up.
const ASKING_MAX: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::block_on;

    fn terms(is_ipv4: bool) -> Terms {
        Terms { port: 7946, is_ipv4, limit: Duration::from_secs(20), clock: Clock::start() }
    }

    #[test]
    fn addresses_need_no_waiting() {
        let given = ["10.0.0.1", "10.0.0.2:80", "[::1]:80", "::ffff:10.0.0.3", "a:b:c"];
        let addrs = |index: usize| look_up_literal(given[index], terms(true)).unwrap().result;
        assert_eq!(addrs(0), Ok(vec!["10.0.0.1:7946".parse().unwrap()]));
        assert_eq!(addrs(1), Ok(vec!["10.0.0.2:80".parse().unwrap()]));
        assert!(addrs(2).unwrap_err().contains("bound to IPv4"));
        assert_eq!(addrs(3), Ok(vec!["10.0.0.3:7946".parse().unwrap()]));
        assert!(addrs(4).unwrap_err().contains("IPv6"));
    }

    #[test]
    fn names_are_resolved_in_their_order() {
        let given: Vec<_> = (0..20).map(|n| format!("localhost:{}", 8000 + n)).collect();
        assert_eq!(look_up_literal(&given[0], terms(true)), None);
        let found = block_on(look_up(given, terms(true)));
        for (n, found) in (0..).zip(&found) {
            let addr: SocketAddr = format!("127.0.0.1:{}", 8000 + n).parse().unwrap();
            assert!(found.result.as_ref().unwrap().contains(&addr), "{found:?}");
        }
    }

    #[test]
    fn a_name_that_takes_too_long_is_given_up() {
        let terms = Terms { limit: Duration::ZERO, ..terms(true) };
        let found = block_on(look_up(vec!["localhost".into()], terms));
        assert!(found[0].result.as_ref().unwrap_err().contains("in time"), "{found:?}");
    }
}
