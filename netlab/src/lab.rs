//! Hosts with their own network stacks, on one bridge.
//!
//! The bridge lives in a namespace of its own, so that nothing of a lab exists outside of
//! namespaces that the lab made. Every packet from host to host crosses the bridge, where it can be
//! counted, lost or stopped; a host that loses packets finds out no sooner than on a real network.

use std::{
    fmt::Write as _,
    io,
    net::{Ipv4Addr, SocketAddrV4},
    process::{self, Command},
    sync::atomic::{AtomicU32, Ordering},
    thread::{self, JoinHandle},
    time::Duration,
};

use serde_json::Value;
use swim_sim::network::HostId;

use crate::{
    faults::{Faults, dropped, port},
    janitor::{Janitor, PREFIX, take_down_leftovers},
    tool, wiretap,
};

/// A bridge and hosts.
#[derive(Debug)]
pub struct Lab {
    /// What all its namespaces begin with.
    name: String,
    addrs: Vec<Ipv4Addr>,
    faults: Faults,
    /// Last: it waits until all is gone.
    _janitor: Janitor,
}

impl Lab {
    /// Makes so many hosts. Each has an address, and reaches all others.
    ///
    /// # Errors
    ///
    /// When the system refuses something; what was made is taken down again.
    pub fn new(hosts: usize) -> io::Result<Self> {
        static LABS: AtomicU32 = AtomicU32::new(0);
        take_down_leftovers()?;
        let number = LABS.fetch_add(1, Ordering::Relaxed);
        // The last dash keeps lab 1 from being a prefix of lab 10.
        let name = format!("{PREFIX}{}-{number}-", process::id());
        let janitor = Janitor::new(&name)?;
        let addrs = (0..hosts).map(addr).collect::<io::Result<_>>()?;
        let lab = Self { name, addrs, faults: Faults::default(), _janitor: janitor };
        lab.make()?;
        Ok(lab)
    }

    /// The address of a host.
    #[must_use]
    pub fn addr(&self, host: HostId) -> Ipv4Addr {
        self.addrs[host]
    }

    /// A command that runs `program` on a host.
    #[must_use]
    pub fn command(&self, host: HostId, program: &str) -> Command {
        tool::inside(&self.namespace(host), program)
    }

    /// Runs `work` in a thread on a host: what sockets it opens are the host's.
    ///
    /// # Errors
    ///
    /// When the system refuses the thread. That it can't be moved is what its join gives.
    pub fn spawn<T: Send + 'static>(
        &self,
        host: HostId,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> io::Result<JoinHandle<io::Result<T>>> {
        spawn_inside(self.namespace(host), work)
    }

    /// Records what is in the datagrams that cross the bridge to a host's port within some time,
    /// each content once.
    ///
    /// # Errors
    ///
    /// When the system refuses it.
    pub fn record(&self, host: HostId, port: u16, time: Duration) -> io::Result<Vec<Vec<u8>>> {
        let to = SocketAddrV4::new(self.addr(host), port);
        let recording = spawn_inside(self.bridge(), move || wiretap::datagrams(to, time))?;
        recording.join().map_err(|_| io::Error::other("the recording panicked"))?
    }

    /// Gives a host so many addresses beside its own.
    ///
    /// # Errors
    ///
    /// When the system refuses it, or there are no more for it.
    pub fn add_addrs(&self, host: HostId, count: u8) -> io::Result<Vec<Ipv4Addr>> {
        let [a, b, _, d] = self.addr(host).octets();
        // The first of them are for hosts that move.
        let addrs: Vec<_> = (0..count).map(|nth| Ipv4Addr::new(a, b, u8::MAX - nth, d)).collect();
        let batch: String =
            addrs.iter().map(|addr| format!("addr add {addr}/16 dev {CARD}\n")).collect();
        self.on(host, &batch)?;
        Ok(addrs)
    }

    /// Runs a tool on a host, with `input` on its standard input; what it printed.
    ///
    /// # Errors
    ///
    /// When it says that it failed.
    pub fn run(&self, host: HostId, words: &[&str], input: &str) -> io::Result<String> {
        tool::run(&[&["ip", "netns", "exec", &self.namespace(host)], words].concat(), input)
    }

    /// Changes what the network does to packets.
    ///
    /// # Errors
    ///
    /// When the system refuses it.
    pub fn change(&mut self, change: impl FnOnce(&mut Faults)) -> io::Result<()> {
        change(&mut self.faults);
        let script = self.faults.script();
        tool::run(&["ip", "netns", "exec", &self.bridge(), "nft", "-f", "-"], &script)?;
        Ok(())
    }

    /// What the network does to packets now.
    #[must_use]
    pub const fn faults(&self) -> &Faults {
        &self.faults
    }

    /// How many packets cuts and losses have taken since they were changed last.
    ///
    /// # Errors
    ///
    /// When the system refuses to say it.
    pub fn dropped(&self) -> io::Result<u64> {
        let list = ["ip", "netns", "exec", &self.bridge(), "nft", "list", "ruleset"];
        tool::run(&list, "").map(|listed| dropped(&listed))
    }

    /// Takes a host's interface down, or up again.
    ///
    /// # Errors
    ///
    /// When the system refuses it.
    pub fn set_up(&self, host: HostId, is_up: bool) -> io::Result<()> {
        let state = if is_up { "up" } else { "down" };
        self.on(host, &format!("link set {CARD} {state}\n"))
    }

    /// Lets a host's wire carry nothing longer than this, as a tunnel on the way does. What the
    /// host sends goes in pieces; what is sent to it and is longer vanishes, and nobody is told:
    /// the bridge is no router.
    ///
    /// # Errors
    ///
    /// When the system refuses it.
    pub fn set_mtu(&self, host: HostId, mtu: u32) -> io::Result<()> {
        self.on(host, &format!("link set {CARD} mtu {mtu}\n"))
    }

    /// How many packets to a host vanished because they were too long for its wire.
    ///
    /// # Errors
    ///
    /// When the system refuses to say it.
    pub fn too_long(&self, host: HostId) -> io::Result<u64> {
        let port = port(host);
        let words = ["ip", "-n", &self.bridge(), "-json", "-statistics", "link", "show", &port];
        let said = tool::run(&words, "")?;
        let links: Value = serde_json::from_str(&said).map_err(io::Error::other)?;
        let count = links[0]["stats64"]["tx"]["dropped"].as_u64();
        count.ok_or_else(|| io::Error::other(format!("no count of drops in {said}")))
    }

    /// Gives a host an address that no host had before. Connections and sockets keep the old one.
    ///
    /// # Errors
    ///
    /// When the system refuses it, or the host has had all that there are for it.
    pub fn move_host(&mut self, host: HostId) -> io::Result<()> {
        let [a, b, c, d] = self.addrs[host].octets();
        let c = c.checked_add(1).ok_or_else(|| io::Error::other("there are no more addresses"))?;
        let new = Ipv4Addr::new(a, b, c, d);
        self.on(host, &format!("addr flush dev {CARD}\naddr add {new}/16 dev {CARD}\n"))?;
        self.addrs[host] = new;
        Ok(())
    }

    fn make(&self) -> io::Result<()> {
        let (bridge, hosts) = (self.bridge(), 0..self.addrs.len());
        let mut namespaces = format!("netns add {bridge}\n");
        let mut links = format!("link add {BRIDGE} type bridge\nlink set {BRIDGE} up\n");
        for host in hosts.clone() {
            let (namespace, port) = (self.namespace(host), port(host));
            let _ = writeln!(namespaces, "netns add {namespace}");
            let _ = writeln!(links, "link add {port} type veth peer name {CARD} netns {namespace}");
            let _ = writeln!(links, "link set {port} master {BRIDGE} up");
        }
        tool::run(&["ip", "-batch", "-"], &namespaces)?;
        tool::run(&["ip", "-n", &bridge, "-batch", "-"], &links)?;
        for host in hosts {
            let addr = self.addrs[host];
            let batch =
                format!("link set lo up\naddr add {addr}/16 dev {CARD}\nlink set {CARD} up\n");
            self.on(host, &batch)?;
        }
        Ok(())
    }

    fn on(&self, host: HostId, batch: &str) -> io::Result<()> {
        tool::run(&["ip", "-n", &self.namespace(host), "-batch", "-"], batch).map(|_| ())
    }

    fn bridge(&self) -> String {
        format!("{}bridge", self.name)
    }

    fn namespace(&self, host: HostId) -> String {
        format!("{}{host}", self.name)
    }
}

fn spawn_inside<T: Send + 'static>(
    namespace: String,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<JoinHandle<io::Result<T>>> {
    thread::Builder::new().spawn(move || {
        tool::enter(&namespace)?;
        work()
    })
}

fn addr(host: HostId) -> io::Result<Ipv4Addr> {
    let last = u8::try_from(host + 1).ok().filter(|last| *last < u8::MAX);
    let last = last.ok_or_else(|| io::Error::other("there is no room for so many hosts"))?;
    Ok(Ipv4Addr::new(10, 77, 0, last))
}

/// The hosts' end of their wires.
const CARD: &str = "eth0";
const BRIDGE: &str = "lan";
