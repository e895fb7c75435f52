//! A cluster of both kinds of peers, and when its members agree.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
    path::PathBuf,
    process::Command,
    sync::atomic::{AtomicU16, Ordering},
};

use swim_netlab::{Faults, Lab};

use crate::{
    peer::{Kind, Peer, Row},
    tape::until,
};

/// The programs of both kinds.
#[derive(Clone, Debug)]
pub struct Programs {
    /// HashiCorp's library.
    pub go: PathBuf,
    /// Ours.
    pub swim: PathBuf,
}

/// Peers that know each other.
#[derive(Debug)]
pub struct Cluster {
    programs: Programs,
    /// What all are told that start from now on.
    pub flags: Vec<String>,
    /// Those that run, in the order of their start.
    pub peers: Vec<Peer>,
    /// Those that are dead or gone, and whose names nobody else has taken.
    gone: Vec<Gone>,
    /// The names of all that ended or stood still, as often as they did.
    taken: Vec<String>,
    /// How many were started.
    started: usize,
    /// Whether their processes go before all others of the machine.
    is_favoured: bool,
    /// Last: peers end before their hosts.
    place: Place,
}

/// Where peers run.
#[derive(Debug)]
enum Place {
    /// At loopback addresses of their own, at ports that the system chooses.
    Ports,
    /// At loopback addresses of their own, all at this port.
    Addrs(u16),
    /// All at the one loopback address of IPv6, at ports that the system chooses.
    Ipv6,
    /// On hosts with network stacks of their own: the first peer on the first, and so on.
    Hosts(Lab),
}

/// Somebody who is no member any more.
#[derive(Debug)]
struct Gone {
    name: String,
    addr: SocketAddr,
    /// `dead` or `left`.
    state: &'static str,
    /// The numbers of those that ran when it went.
    witnesses: BTreeSet<usize>,
}

/// What is said of streams to somebody who is dead and not known to be so yet.
const REFUSED: &str = "connection refused";

/// What is said of a stream that somebody was in the middle of when it ended.
const BROKEN_OFF: [&str; 3] = ["connection reset by peer", "broken pipe", ": EOF"];

/// Of such streams there are so many at most between two: one that each has opened, for its
/// exchange or its ping.
const BROKEN_OFF_MAX: usize = 2;

/// Leaves out what comes of so many ends of others, and no more than can come of them.
pub fn excuse_ends(complaints: &mut Vec<String>, ends: usize) {
    if ends == 0 {
        return;
    }
    let mut left = BROKEN_OFF_MAX * ends;
    complaints.retain(|complaint| {
        let is_broken = left > 0 && BROKEN_OFF.iter().any(|word| complaint.contains(word));
        left -= usize::from(is_broken);
        !is_broken && !complaint.contains(REFUSED)
    });
}

impl Cluster {
    /// An empty cluster whose peers will have these flags.
    #[must_use]
    pub fn new(programs: Programs, flags: Vec<String>) -> Self {
        let (peers, gone, taken) = (Vec::new(), Vec::new(), Vec::new());
        let (started, is_favoured, place) = (0, false, Place::Ports);
        Self { programs, flags, peers, gone, taken, started, is_favoured, place }
    }

    /// All peers will have the same port, each at a loopback address of its own: in version 1 of
    /// memberlist's protocol nobody tells ports, and all are taken to have one's own.
    #[must_use]
    pub fn with_port(self, port: u16) -> Self {
        Self { place: Place::Addrs(port), ..self }
    }

    /// All peers will be at the loopback address of IPv6.
    #[must_use]
    pub fn on_ipv6(self) -> Self {
        Self { place: Place::Ipv6, ..self }
    }

    /// Each peer will have a host of this lab to itself, and all of them the same port.
    #[must_use]
    pub fn on(self, lab: Lab) -> Self {
        Self { place: Place::Hosts(lab), ..self }
    }

    /// The peers' processes go before all others of the machine, as far as whoever runs this may
    /// say so: for tests of how long members bear with each other while the machine has much else
    /// to do. Whoever gets no turn for seconds has failed, and rightly so.
    #[must_use]
    pub fn favoured(self) -> Self {
        Self { is_favoured: true, ..self }
    }

    /// Changes what the network does to packets between hosts, of which the first peer that was
    /// started has number 0, and so on.
    ///
    /// # Panics
    ///
    /// When the peers have no hosts, or the system refuses it.
    pub fn change_network(&mut self, change: impl FnOnce(&mut Faults)) {
        let Place::Hosts(lab) = &mut self.place else { panic!("there is no network here") };
        lab.change(change).expect("a lab that runs takes rules");
    }

    /// An address that nobody has right now, for a peer that is started.
    ///
    /// # Errors
    ///
    /// When the system has none.
    pub fn fresh_addr(&self) -> io::Result<SocketAddr> {
        self.addr_on(self.started)
    }

    /// The same, on this host if there are any.
    fn addr_on(&self, host: usize) -> io::Result<SocketAddr> {
        match &self.place {
            // What another program takes meanwhile it takes of another address.
            Place::Ports => Ok((fresh_ip(), free_addr()?.port()).into()),
            Place::Addrs(port) => Ok((fresh_ip(), *port).into()),
            Place::Ipv6 => TcpListener::bind((Ipv6Addr::LOCALHOST, 0))?.local_addr(),
            Place::Hosts(lab) => Ok((lab.addr(host), PORT).into()),
        }
    }

    /// How a program is run that takes the place of one more peer, and where it is to listen.
    ///
    /// # Panics
    ///
    /// When there is no address for it.
    pub fn place(&mut self, program: &str) -> (Command, SocketAddr) {
        self.place_on(self.started, program)
    }

    fn place_on(&mut self, host: usize, program: &str) -> (Command, SocketAddr) {
        let addr = self.addr_on(host).expect("an address more");
        let mut command = match &self.place {
            Place::Hosts(lab) => lab.command(host, program),
            _ if self.is_favoured => Command::new("nice"),
            _ => Command::new(program),
        };
        if command.get_program() == "nice" {
            // It runs the program also where it may not do so in a better place.
            command.args(["-n", FAVOUR, program]);
        }
        self.started += 1;
        (command, addr)
    }

    /// Starts a peer that does not join anybody.
    ///
    /// # Panics
    ///
    /// When it does not come up.
    pub fn start(&mut self, kind: Kind, name: &str, flags: &[&str]) -> &mut Peer {
        self.start_on(self.started, kind, name, flags)
    }

    /// The same, on the host of the peer that was started as this number, if there are any hosts.
    ///
    /// # Panics
    ///
    /// When it does not come up.
    pub fn start_on(&mut self, host: usize, kind: Kind, name: &str, flags: &[&str]) -> &mut Peer {
        let program = match kind {
            Kind::Go => &self.programs.go,
            Kind::Swim => &self.programs.swim,
        };
        let program = program.to_str().expect("a path that is text").to_owned();
        let number = self.started;
        let (mut command, bind) = self.place_on(host, &program);
        command.args(["--name", name]).args(&self.flags).arg(format!("--bind={bind}")).args(flags);
        let peer = Peer::start(command, kind, name, number);
        self.gone.retain(|gone| gone.name != name);
        self.peers.push(peer);
        self.peers.last_mut().expect("it was just added")
    }

    /// Starts a peer that joins through the first one of the other kind, or of any, or is the
    /// first itself.
    pub fn add(&mut self, kind: Kind, name: &str, flags: &[&str]) -> &mut Peer {
        let other = self.peers.iter().find(|peer| peer.kind != kind).or(self.peers.first());
        let seed = other.map(|peer| peer.addr.to_string());
        let join = seed.iter().flat_map(|seed| ["--join", seed]);
        let flags: Vec<_> = flags.iter().copied().chain(join).collect();
        self.start(kind, name, &flags)
    }

    /// The peer of this name.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn peer(&mut self, name: &str) -> &mut Peer {
        let peer = self.peers.iter_mut().find(|peer| peer.name == name);
        peer.unwrap_or_else(|| panic!("no peer {name}"))
    }

    /// Takes a peer out of the list; it is killed when it is dropped.
    ///
    /// # Panics
    ///
    /// When there is none of this name.
    pub fn take(&mut self, name: &str) -> Peer {
        let place = self.peers.iter().position(|peer| peer.name == name);
        self.taken.push(name.to_owned());
        self.peers.remove(place.unwrap_or_else(|| panic!("no peer {name}")))
    }

    /// SIGKILL; the others are to find out, and this waits until they have.
    pub fn kill(&mut self, name: &str) {
        let peer = self.take(name);
        self.bury(peer, "dead");
        self.settle();
    }

    /// A peer says goodbye and ends; this waits until all know.
    pub fn leave(&mut self, name: &str) {
        let mut peer = self.take(name);
        peer.ask("leave");
        self.wait_state(name, "left");
        self.bury(peer, "left");
        self.settle();
    }

    /// Ends a peer that was taken, and expects of those that run that they hold it to be in this
    /// state from now on.
    pub fn bury(&mut self, peer: Peer, state: &'static str) {
        let witnesses = self.peers.iter().map(|peer| peer.number).collect();
        self.gone.push(Gone { name: peer.name.clone(), addr: peer.addr, state, witnesses });
        drop(peer);
    }

    /// What a peer complained of, but for what comes of another's end, or of its own before it was
    /// started again.
    #[must_use]
    pub fn complaints(&self, peer: &Peer) -> Vec<String> {
        let mut complaints = peer.complaints();
        excuse_ends(&mut complaints, self.taken.len());
        if self.taken.contains(&peer.name) {
            let own_leave = format!("Refuting a dead message (from: {})", peer.name);
            complaints.retain(|complaint| !complaint.contains(&own_leave));
        }
        complaints
    }

    /// Waits until all peers hold `name` to be in this state.
    pub fn wait_state(&mut self, name: &str, state: &str) {
        self.wait(&format!("all see {name} {state}"), |tables| {
            tables.values().all(|table| table.get(name).is_some_and(|row| row.state == state))
        });
    }

    /// Waits until the table of each peer is just what it must be: all that run are alive at their
    /// addresses, with one opinion about what they say of themselves, under one incarnation; who
    /// is dead or left is so, at the last address, for all that were there when it went; and there
    /// is nobody else.
    ///
    /// Those that came later know nothing of the dead and the gone, and are told nothing: Go takes
    /// no bad news of somebody unknown, and neither do we (G26). Nobody is forgotten while a test
    /// runs: their settings see to that. The incarnation under which somebody is dead may differ:
    /// it is that of whichever accusation came first.
    pub fn settle(&mut self) {
        let should: BTreeMap<_, _> =
            self.peers.iter().map(|peer| (peer.name.clone(), self.table_of(peer))).collect();
        self.wait(&format!("all hold {should:#?}"), |tables| {
            let mut lives = tables.values().map(living);
            let first = lives.next();
            tables.iter().all(|(name, table)| of_names(table) == should[name])
                && lives.all(|other| Some(&other) == first.as_ref())
        });
    }

    /// Waits until no peer has anything left to gossip: every claim and every broadcast was sent as
    /// often as it is. (memberlist: `TransmitLimitedQueue`)
    pub fn drain(&mut self) {
        until("all is said", || {
            let queued = self.peers.iter_mut().map(|peer| peer.ask("stats")["queued"].clone());
            let queued: Vec<_> = queued.collect();
            if queued.iter().all(|queued| *queued == 0) {
                Ok(())
            } else {
                Err(format!("{queued:?}"))
            }
        });
    }

    /// What a peer must hold of whom: address and state, by name.
    fn table_of(&self, peer: &Peer) -> BTreeMap<String, (SocketAddr, String)> {
        let running =
            self.peers.iter().map(|peer| (peer.name.clone(), (peer.addr, "alive".into())));
        let gone = self.gone.iter().filter(|gone| gone.witnesses.contains(&peer.number));
        let gone = gone.map(|gone| (gone.name.clone(), (gone.addr, gone.state.into())));
        running.chain(gone).collect()
    }

    /// Waits until the tables of all peers, by the peers' names, are so.
    ///
    /// # Panics
    ///
    /// When they are not in time.
    pub fn wait(
        &mut self,
        what: &str,
        is_so: impl Fn(&BTreeMap<String, BTreeMap<String, Row>>) -> bool,
    ) {
        until(what, || {
            let peers = self.peers.iter_mut();
            let tables = peers.map(|peer| (peer.name.clone(), peer.members())).collect();
            if is_so(&tables) { Ok(()) } else { Err(format!("{tables:#?}")) }
        });
    }
}

/// An address of 127.0.0.1 that nobody has right now.
///
/// # Errors
///
/// When the system has none.
pub fn free_addr() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// A loopback address that no peer of this program had before.
fn fresh_ip() -> Ipv4Addr {
    static LAST: AtomicU16 = AtomicU16::new(1);
    let [high, low] = LAST.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    Ipv4Addr::new(127, 7, high, low)
}

fn of_names(table: &BTreeMap<String, Row>) -> BTreeMap<String, (SocketAddr, String)> {
    table.iter().map(|(name, row)| (name.clone(), (row.addr, row.state.clone()))).collect()
}

fn living(table: &BTreeMap<String, Row>) -> BTreeMap<&String, &Row> {
    table.iter().filter(|(_, row)| row.state == "alive").collect()
}

/// The best place that `nice` has but for those that some systems keep for themselves.
const FAVOUR: &str = "-15";

/// Where peers listen that have a host to themselves: memberlist's port.
const PORT: u16 = 7946;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_excuse_what_they_bring_and_no_more() {
        let said = |count, word: &str| vec![format!("a stream: {word}"); count];
        let left = |mut complaints: Vec<String>, ends| {
            excuse_ends(&mut complaints, ends);
            complaints.len()
        };
        for word in BROKEN_OFF {
            assert_eq!(left(said(1, word), 0), 1, "nobody ended");
            assert_eq!(left(said(4, word), 2), 0);
            assert_eq!(left(said(5, word), 2), 1, "more than two streams each");
        }
        assert_eq!((left(said(9, REFUSED), 0), left(said(9, REFUSED), 1)), (9, 0));
        assert_eq!(left(said(1, "i/o timeout"), 9), 1);
    }
}
