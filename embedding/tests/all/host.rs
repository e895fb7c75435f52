//! Nodes in threads of their own, one per loop, that can be looked at and killed.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket},
    ops::ControlFlow,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use embedding::{
    bare::{Bare, Nic},
    blocking,
    ground::{self, Clock, Ports},
    links::{Attempt, Connection},
    readiness,
};
use swim_core::{Node, Options, State};

/// Far longer than anything here takes on a machine that is not broken.
pub(crate) const GENEROUS: Duration = Duration::from_secs(30);

/// Which loop.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Blocking,
    Readiness,
    Bare,
}

/// A node in a thread.
pub(crate) struct Host {
    pub(crate) addr: SocketAddr,
    seen: Arc<Seen>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Seen {
    members: Mutex<BTreeMap<String, State>>,
    is_killed: AtomicBool,
}

impl Host {
    pub(crate) fn start(kind: Kind, name: &str, seeds: &[SocketAddr]) -> Self {
        let ports = Ports::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let clock = Clock::start();
        let mut node = ground::node(quick(name, ports.addr), clock).unwrap();
        if !seeds.is_empty() {
            node.join(clock.now(), seeds, GENEROUS).unwrap();
        }
        Self::run(kind, node, clock, ports)
    }

    pub(crate) fn run(kind: Kind, node: Node, clock: Clock, ports: Ports) -> Self {
        let (addr, seen, name) = (ports.addr, Arc::new(Seen::default()), node.name().to_string());
        let look = seen.clone();
        let thread = thread::Builder::new().name(name).spawn(move || match kind {
            Kind::Blocking => blocking::run(node, clock, ports, |node, _| look.at(node)).unwrap(),
            Kind::Readiness => readiness::run(node, clock, ports, |node, _| look.at(node)).unwrap(),
            Kind::Bare => run_bare(node, clock, ports, &look),
        });
        Self { addr, seen, thread: Some(thread.unwrap()) }
    }

    pub(crate) fn members(&self) -> BTreeMap<String, State> {
        self.seen.members.lock().unwrap().clone()
    }

    /// Ends it without a goodbye, and waits until its sockets are closed.
    pub(crate) fn kill(&mut self) {
        self.seen.is_killed.store(true, SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.seen.is_killed.store(true, SeqCst);
    }
}

impl Seen {
    fn at(&self, node: &Node) -> ControlFlow<()> {
        let members = node.members().map(|member| (member.name.to_string(), member.state));
        *self.members.lock().unwrap() = members.collect();
        if self.is_killed.load(SeqCst) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Options for a node that is quick to notice things.
pub(crate) fn quick(name: &str, addr: SocketAddr) -> Options {
    let mut options = Options::local(name, addr);
    options.probe_interval = Duration::from_millis(200);
    options.probe_timeout = Duration::from_millis(100);
    options.gossip_interval = Duration::from_millis(20);
    options
}

/// The bare loop on sockets that never block. A microcontroller would sleep until its interrupt.
fn run_bare(node: Node, clock: Clock, ports: Ports, seen: &Seen) {
    ports.udp.set_nonblocking(true).unwrap();
    ports.tcp.set_nonblocking(true).unwrap();
    let mut bare = Bare::new(node, Sockets { udp: ports.udp, tcp: ports.tcp });
    while seen.at(&bare.node).is_continue() {
        let now = clock.now();
        if bare.step(now, |_| ()) != Some(now) {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

struct Sockets {
    udp: UdpSocket,
    tcp: TcpListener,
}

impl Nic for Sockets {
    type Connection = Socket;

    fn receive(&mut self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        self.udp.recv_from(buffer).ok()
    }

    fn send(&mut self, to: SocketAddr, data: &[u8]) {
        drop(self.udp.send_to(data, to));
    }

    fn accept(&mut self) -> Option<(Socket, SocketAddr)> {
        let (stream, from) = self.tcp.accept().ok()?;
        stream.set_nonblocking(true).unwrap();
        Some((Socket(Some(stream)), from))
    }

    fn dial(&mut self, to: SocketAddr) -> Option<Socket> {
        // On loopback this does not wait.
        let stream = TcpStream::connect_timeout(&to, GENEROUS).ok();
        stream.iter().for_each(|stream| stream.set_nonblocking(true).unwrap());
        Some(Socket(stream))
    }
}

/// None if it could not be opened.
struct Socket(Option<TcpStream>);

impl Connection for Socket {
    fn open(&mut self) -> Attempt<()> {
        if self.0.is_some() { Attempt::Done(()) } else { Attempt::Broken }
    }

    fn read(&mut self, buffer: &mut [u8]) -> Attempt<usize> {
        self.0.as_mut().map_or(Attempt::Broken, |stream| stream.read(buffer).into())
    }

    fn write(&mut self, data: &[u8]) -> Attempt<usize> {
        self.0.as_mut().map_or(Attempt::Broken, |stream| stream.write(data).into())
    }

    fn finish(&mut self) {
        self.0.iter().for_each(|stream| drop(stream.shutdown(Shutdown::Write)));
    }
}
