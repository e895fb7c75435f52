//! A cluster of both kinds of peers, and when its members agree.

use std::{
    collections::BTreeMap,
    net::Ipv4Addr,
    path::PathBuf,
    sync::atomic::{AtomicU16, Ordering},
};

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
    /// Where peers listen; `None`: at ports of 127.0.0.1 that the system chooses.
    port: Option<u16>,
    /// Those that run, in the order of their start.
    pub peers: Vec<Peer>,
}

impl Cluster {
    /// An empty cluster whose peers will have these flags.
    #[must_use]
    pub fn new(programs: Programs, flags: Vec<String>) -> Self {
        Self { programs, flags, port: None, peers: Vec::new() }
    }

    /// All peers will have the same port, each at a loopback address of its own: in version 1 of
    /// memberlist's protocol nobody tells ports, and all are taken to have one's own.
    #[must_use]
    pub fn with_port(self, port: u16) -> Self {
        Self { port: Some(port), ..self }
    }

    /// Starts a peer that does not join anybody.
    pub fn start(&mut self, kind: Kind, name: &str, flags: &[&str]) -> &mut Peer {
        let program = match kind {
            Kind::Go => &self.programs.go,
            Kind::Swim => &self.programs.swim,
        };
        let bind = self.port.map(|port| format!("--bind={}:{port}", fresh_host()));
        let own = flags.iter().map(|&flag| flag.into());
        let flags: Vec<_> = self.flags.iter().cloned().chain(bind).chain(own).collect();
        let peer = Peer::start(program, kind, name, &flags);
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
        self.peers.remove(place.unwrap_or_else(|| panic!("no peer {name}")))
    }

    /// SIGKILL; the others are to find out, and this waits until they have.
    pub fn kill(&mut self, name: &str) {
        drop(self.take(name));
        self.wait_state(name, "dead");
        self.settle();
    }

    /// A peer says goodbye and ends; this waits until all know.
    pub fn leave(&mut self, name: &str) {
        let mut peer = self.take(name);
        peer.ask("leave");
        self.wait_state(name, "left");
        drop(peer);
        self.settle();
    }

    /// Waits until all peers hold `name` to be in this state.
    pub fn wait_state(&mut self, name: &str, state: &str) {
        self.wait(&format!("all see {name} {state}"), |tables| {
            tables.values().all(|table| table.get(name).is_some_and(|row| row.state == state))
        });
    }

    /// Waits until all peers list all that run and nobody else as alive: at their addresses, with
    /// one opinion about what they say of themselves, under one incarnation.
    pub fn settle(&mut self) {
        let running = |peer: &Peer| (peer.name.clone(), peer.addr);
        let running: BTreeMap<_, _> = self.peers.iter().map(running).collect();
        self.wait(&format!("all agree on {running:?}"), |tables| {
            let mut lives = tables.values().map(living);
            let Some(first) = lives.next() else { return false };
            let is_running = |(name, row): (&&String, &&Row)| {
                row.state == "alive" && running.get(*name) == Some(&row.addr)
            };
            first.len() == running.len()
                && first.iter().all(is_running)
                && lives.all(|other| other == first)
        });
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

/// A loopback address that no peer of this program had before.
fn fresh_host() -> Ipv4Addr {
    static LAST: AtomicU16 = AtomicU16::new(1);
    let [high, low] = LAST.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    Ipv4Addr::new(127, 7, high, low)
}

fn living(table: &BTreeMap<String, Row>) -> BTreeMap<&String, &Row> {
    table.iter().filter(|(_, row)| matches!(row.state.as_str(), "alive" | "suspect")).collect()
}
