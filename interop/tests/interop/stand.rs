//! One of Go's nodes and one of ours, alone with us: the same is sent to both, and shown to have
//! been taken by what each does then.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    io::{ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    thread,
    time::Duration,
};

use aes_gcm::{Aes128Gcm, Aes256Gcm, KeyInit, aead::AeadInOut};
use serde_json::Value;
use swim_core::{
    Key,
    inspect::{Explained, Inspector},
};
use swim_interop::{
    cluster::Cluster,
    peer::{Kind, Peer, Row},
    tape::until,
};

use crate::{
    claims::{alive, wait_read},
    harness::{PLAIN, Variant, empty},
    samples::{Place, Run, addr, number, runs, text},
};

/// The agents that samples speak of: their addresses are ours, and nobody answers there.
pub(crate) struct Agents {
    sockets: BTreeMap<SocketAddr, UdpSocket>,
    /// That of somebody who is none of them.
    stranger: UdpSocket,
    heard: Arc<Mutex<Vec<Heard>>>,
}

/// A datagram that came to an agent.
#[derive(Clone)]
struct Heard {
    to: SocketAddr,
    from: SocketAddr,
    bytes: Vec<u8>,
}

impl Agents {
    /// Those of all runs. One test at a time has them, for each has one address.
    pub(crate) fn all() -> MutexGuard<'static, Self> {
        static ALL: OnceLock<Mutex<Agents>> = OnceLock::new();
        let all = ALL.get_or_init(|| {
            let addrs: BTreeSet<_> =
                runs().iter().flat_map(Run::addrs).map(|(_, addr)| addr).collect();
            Mutex::new(Self::at(&addrs))
        });
        all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes these addresses, once whoever else has them is done.
    fn at(addrs: &BTreeSet<SocketAddr>) -> Self {
        let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
        let socket = |&to: &SocketAddr| {
            let socket = until(&format!("{to} is free"), || UdpSocket::bind(to));
            let (listening, heard) = (socket.try_clone().unwrap(), Arc::clone(&heard));
            thread::spawn(move || {
                let mut buffer = vec![0; 1 << 16];
                while let Ok((len, from)) = listening.recv_from(&mut buffer) {
                    heard.lock().unwrap().push(Heard { to, from, bytes: buffer[..len].into() });
                }
            });
            (to, socket)
        };
        let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
        Self { sockets: addrs.iter().map(socket).collect(), stranger, heard }
    }
}

/// Both nodes, of one name.
pub(crate) struct Stand<'a> {
    run: &'a Run,
    agents: &'a Agents,
    cluster: Cluster,
    /// Where they listen, which may not be where they say that they are.
    binds: Vec<SocketAddr>,
    /// Who is known by now, or accused.
    subjects: BTreeSet<String>,
    name: String,
    markers: u32,
    sealed: u32,
    answers: RefCell<Inspector>,
}

/// Nothing happens by itself.
const STILL: [&str; 4] = [
    "--set=probe_interval=1h",
    "--set=push_pull_interval=1h",
    "--set=suspicion_mult=32",
    // And nobody is cut off for want of a turn.
    "--set=stream_timeout=30s",
];

/// Where samples' agents listen, and where nodes listen in version 1 of the protocol.
const PORT: u16 = 7946;

impl<'a> Stand<'a> {
    /// Two nodes of this name, which are where the agent of this name is, if there is one.
    pub(crate) fn start(run: &'a Run, agents: &'a Agents, name: &str) -> Self {
        let mut stand = Self::without_nodes(run, agents, name);
        for kind in [Kind::Go, Kind::Swim] {
            stand.add(kind, &[]);
        }
        stand
    }

    fn without_nodes(run: &'a Run, agents: &'a Agents, name: &str) -> Self {
        let variant = Variant { protocol: run.protocol(), ..PLAIN };
        let mut cluster = empty(variant, &STILL).with_port(PORT);
        let keys: Vec<_> = run.keys.iter().map(|key| Key::new(key).unwrap().to_base64()).collect();
        if let [primary, others @ ..] = &keys[..] {
            cluster.flags.push(format!("--key={primary}"));
            cluster.flags.extend(others.iter().map(|key| format!("--keys={key}")));
        }
        if run.name.starts_with("serf") {
            cluster.flags.push("--application=2,5,5".into());
        }
        let (binds, subjects) = (Vec::new(), BTreeSet::new());
        let answers = RefCell::new(run.inspector(0));
        let name = name.to_owned();
        Self { run, agents, cluster, binds, subjects, name, markers: 0, sealed: 0, answers }
    }

    fn add(&mut self, kind: Kind, flags: &[&str]) {
        let bind = self.cluster.fresh_addr().unwrap();
        let addrs = self.run.addrs();
        let own = addrs.iter().find(|(name, _)| *name == self.name);
        let own = own.map(|(_, addr)| format!("--advertise={addr}"));
        let bind_flag = format!("--bind={bind}");
        let mut all = vec![bind_flag.as_str()];
        all.extend(own.as_deref());
        all.extend(flags);
        self.cluster.start(kind, &self.name, &all);
        self.binds.push(bind);
    }

    /// Whether what is said here would still be news.
    pub(crate) fn is_news(&self, name: &str, said: &[Explained]) -> bool {
        self.name == name && self.subjects.is_disjoint(&subjects(said, name))
    }

    /// Sends a packet to both, and sees that each does what it asks for.
    pub(crate) fn packet(&mut self, packet: &[u8], said: &[Explained]) {
        self.greet(said);
        let asks = |it: &&Explained| it.kind == "ping" || it.kind == "indirect_ping";
        let asking = said.iter().find(asks);
        let from = asking.map(|it| addr(it, "source_addr", "source_port"));
        let heard = self.agents.heard.lock().unwrap().len();
        let marks: Vec<_> = self.cluster.peers.iter().map(Peer::mark).collect();
        self.send(from, packet);
        self.mark();
        for (at, &mark) in marks.iter().enumerate() {
            self.see_members(at, said);
            for message in said {
                match message.kind {
                    "ping" => self.hear(at, heard, from.unwrap(), |it| {
                        it.kind == "ack" && number(it, "seq_no") == number(message, "seq_no")
                    }),
                    "indirect_ping" => {
                        let target = addr(message, "target", "port");
                        self.hear(at, heard, target, |it| {
                            it.kind == "ping" && text(it, "node") == text(message, "node")
                        });
                    }
                    "user" => self.see_line(at, mark, "message", &text(message, "payload")),
                    _ => {}
                }
            }
        }
    }

    /// Says this on a stream to each, and sees that it does what it is asked.
    pub(crate) fn request(&mut self, request: &[u8], said: &[Explained]) {
        self.subjects.extend(subjects(said, &self.name));
        for at in 0..self.binds.len() {
            let mark = self.cluster.peers[at].mark();
            let mut stream = TcpStream::connect(self.binds[at]).unwrap();
            stream.write_all(request).unwrap();
            let mut answer = Vec::new();
            let is_user = said[0].kind == "user";
            if !is_user {
                stream.read_to_end(&mut answer).unwrap();
                let answer = self.answers.borrow_mut().stream(b"", &answer).answer.remove(0);
                assert!(answer.is_understood(), "{answer:?}");
                let first = &answer.messages[0];
                if said[0].kind == "ping" {
                    assert_eq!(first.kind, "ack");
                    assert_eq!(number(first, "seq_no"), number(&said[0], "seq_no"));
                } else {
                    assert_eq!((said[0].kind, first.kind), ("push_pull", "push_pull"));
                }
            }
            self.see_streamed(at, mark, said);
        }
    }

    /// What is said to two new nodes that have asked to join.
    pub(crate) fn response(
        run: &'a Run,
        agents: &'a Agents,
        name: &str,
        response: &[u8],
        said: &[Explained],
    ) -> Self {
        let mut stand = Self::without_nodes(run, agents, name);
        for (at, kind) in [Kind::Go, Kind::Swim].into_iter().enumerate() {
            let seed = TcpListener::bind("127.0.0.1:0").unwrap();
            seed.set_nonblocking(true).unwrap();
            stand.add(kind, &[&format!("--join={}", seed.local_addr().unwrap())]);
            let (mut stream, _) = until(&format!("{kind:?} wants to join"), || seed.accept());
            stream.set_nonblocking(false).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            stream.write_all(response).unwrap();
            let mut request = Vec::new();
            stream.read_to_end(&mut request).unwrap();
            assert!(!request.is_empty(), "{kind:?}");
            if said[0].kind == "error" {
                stand.see_line(at, 0, "refused", &text(&said[0], "error"));
            } else {
                stand.see_streamed(at, 0, said);
                stand.cluster.peers[at].wait("it has joined", |line| line["event"] == "joined");
            }
        }
        stand
    }

    fn see_streamed(&mut self, at: usize, mark: usize, said: &[Explained]) {
        let alive: Vec<_> = said.iter().filter(|it| tells_alive(it)).cloned().collect();
        self.see_members(at, &alive);
        for message in said {
            match message.kind {
                "user" => self.see_line(at, mark, "message", &text(message, "payload")),
                "user_state" => self.see_line(at, mark, "state", &text(message, "payload")),
                _ => {}
            }
        }
    }

    /// Says this to the nodes of these kinds, whatever it is, in a packet or on a stream until they
    /// close it; and waits until both have had all of it.
    pub(crate) fn throw(&mut self, place: Place, bytes: &[u8], kinds: &[Kind]) {
        let peers = self.cluster.peers.iter().zip(&self.binds);
        for (_, bind) in peers.filter(|(peer, _)| kinds.contains(&peer.kind)) {
            if place == Place::Packet {
                self.agents.stranger.send_to(bytes, bind).unwrap();
                continue;
            }
            let mut stream = TcpStream::connect(bind).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let written = stream.write_all(bytes).and_then(|()| stream.shutdown(Shutdown::Write));
            let closed = written.and_then(|()| stream.read_to_end(&mut Vec::new()));
            // Who does not want the rest may reset the connection, before it is shut down as well.
            let closed = closed.map(drop).map_err(|error| error.kind());
            let is_reset = closed.is_err_and(|kind| RESET.contains(&kind));
            assert!(closed.is_ok() || is_reset, "{closed:?}");
        }
        self.mark();
    }

    /// What each holds, but for markers: Go's node, and ours.
    pub(crate) fn tables(&mut self) -> [BTreeMap<String, Row>; 2] {
        [0, 1].map(|at| {
            let mut rows = self.cluster.peers[at].members();
            rows.retain(|name, _| !name.starts_with("marker-") && *name != self.name);
            rows
        })
    }

    /// How much ours has refused, by reason; and how many streams were over too soon.
    pub(crate) fn rejected(&mut self) -> BTreeMap<String, u64> {
        let stats = self.cluster.peers[1].ask("stats");
        let failed = (&"unfinished".to_owned(), &stats["streams_failed"]);
        let counts = stats["rejected"].as_object().unwrap().iter().chain([failed]);
        counts.map(|(reason, count)| (reason.clone(), count.as_u64().unwrap())).collect()
    }

    /// How often Go's node has complained.
    pub(crate) fn complaints_of_go(&self) -> usize {
        self.cluster.peers[0].complaints().len()
    }

    /// Nobody has complained.
    pub(crate) fn finish(self) {
        for peer in &self.cluster.peers {
            let mut complaints = peer.complaints();
            complaints.retain(|complaint| !HARMLESS.iter().any(|words| complaint.contains(words)));
            assert_eq!(complaints, [""; 0], "{:?} in {}", peer.kind, self.run.name);
        }
    }

    /// Who is accused must be known, and so must be who asks for help and who is to be pinged.
    fn greet(&mut self, said: &[Explained]) {
        let mut greeted: BTreeMap<String, u32> = BTreeMap::new();
        let mut greet = |name: String, incarnation: u64| {
            let least = greeted.entry(name).or_default();
            *least = u32::try_from(incarnation).unwrap().max(*least);
        };
        for message in said {
            match message.kind {
                "suspect" | "dead" => greet(text(message, "node"), number(message, "incarnation")),
                "indirect_ping" => {
                    greet(text(message, "node"), 1);
                    greet(text(message, "source_node"), 1);
                }
                _ => {}
            }
        }
        self.subjects.extend(subjects(said, &self.name));
        for (name, incarnation) in greeted {
            if name == self.name {
                continue;
            }
            let addrs = self.run.addrs();
            let (_, addr) = addrs.iter().find(|(known, _)| *known == name).unwrap();
            let is_known = |peer: &mut Peer| peer.members().contains_key(&name);
            if !self.cluster.peers.iter_mut().all(is_known) {
                let greeting = self.seal(&alive(&name, *addr, incarnation));
                self.send(None, &greeting);
                self.wait_known(&name);
            }
        }
    }

    /// Sends what always changes something: who has taken it has had all that came before.
    fn mark(&mut self) {
        self.markers += 1;
        let name = format!("marker-{}", self.markers);
        let [high, low] = u16::try_from(self.markers).unwrap().to_be_bytes();
        let marker = alive(&name, SocketAddr::from(([127, 8, high, low], PORT)), 1);
        let marker = self.seal(&marker);
        self.send(None, &marker);
        self.wait_known(&name);
        self.cluster.peers.iter_mut().for_each(wait_read);
    }

    fn wait_known(&mut self, name: &str) {
        for peer in &mut self.cluster.peers {
            until(&format!("{:?} knows {name}", peer.kind), || {
                let is_known = peer.members().contains_key(name);
                if is_known { Ok(()) } else { Err(format!("{:?}", peer.complaints())) }
            });
        }
    }

    /// Sends a packet to both, as this agent or as a stranger.
    fn send(&self, from: Option<SocketAddr>, packet: &[u8]) {
        let agents = &self.agents;
        let socket = from.map_or(&agents.stranger, |from| &agents.sockets[&from]);
        for bind in &self.binds {
            socket.send_to(packet, bind).unwrap();
        }
    }

    /// In an envelope of version 1, if there is a key.
    fn seal(&mut self, message: &[u8]) -> Vec<u8> {
        let Some(key) = self.run.keys.first() else { return message.into() };
        self.sealed += 1;
        let mut nonce = [0xA5; 12];
        nonce[..4].copy_from_slice(&self.sealed.to_be_bytes());
        let mut sealed = message.to_vec();
        let buffer: &mut dyn aes_gcm::aead::Buffer = &mut sealed;
        match key.len() {
            16 => {
                Aes128Gcm::new_from_slice(key).unwrap().encrypt_in_place(&nonce.into(), b"", buffer)
            }
            _ => {
                Aes256Gcm::new_from_slice(key).unwrap().encrypt_in_place(&nonce.into(), b"", buffer)
            }
        }
        .unwrap();
        [&[1][..], &nonce, &sealed].concat()
    }

    /// The claims have made the table so.
    fn see_members(&mut self, at: usize, said: &[Explained]) {
        let peer = &mut self.cluster.peers[at];
        for (name, (incarnation, state)) in last_words(said) {
            until(&format!("{:?} holds {name} {state} at {incarnation}", peer.kind), || {
                let rows = peer.members();
                let Some(row) = rows.get(&name) else { return Err("nobody".into()) };
                let is_so = if name == self.name {
                    // It knows better.
                    let is_refuted = row.incarnation > incarnation || state == "alive";
                    row.state == "alive" && row.incarnation >= incarnation && is_refuted
                } else {
                    // A verdict counts for us once its subject could have answered. (65)
                    let is_doubted = peer.kind == Kind::Swim && state == "dead";
                    let is_held = row.state == state || is_doubted && row.state == "suspect";
                    row.incarnation == incarnation && is_held
                };
                if is_so { Ok(()) } else { Err(format!("{row:?}")) }
            });
        }
    }

    /// A message like this came from the node to this agent.
    fn hear(&self, at: usize, mark: usize, to: SocketAddr, is_it: impl Fn(&Explained) -> bool) {
        until(&format!("{:?} sends something to {to}", self.cluster.peers[at].kind), || {
            let heard = self.agents.heard.lock().unwrap()[mark..].to_vec();
            let mut heard = heard.iter().filter(|it| it.to == to && it.from == self.binds[at]);
            let is_there = heard.any(|it| {
                let said = self.answers.borrow_mut().packet(&it.bytes);
                said.messages.iter().any(&is_it)
            });
            if is_there { Ok(()) } else { Err("nothing like that") }
        });
    }

    /// The node tells this text in an event of this name.
    fn see_line(&self, at: usize, mark: usize, event: &str, words: &str) {
        // Which bytes are no text, both say in ways of their own.
        let texts = |text: &str| text.replace('\u{FFFD}', "");
        let peer = &self.cluster.peers[at];
        until(&format!("{:?} tells of {event} {words:?}", peer.kind), || {
            let is_it = |line: &Value| {
                line["event"] == event
                    && texts(line["text"].as_str().unwrap_or_default()).contains(&texts(words))
            };
            peer.find(mark, is_it).map(drop).ok_or("not yet")
        });
    }
}

fn tells_alive(message: &Explained) -> bool {
    message.kind == "node" && text(message, "state") == "alive"
}

/// Whom claims are about, but for the node itself.
fn subjects(said: &[Explained], own_name: &str) -> BTreeSet<String> {
    let claims = said.iter().filter(|it| ["alive", "suspect", "dead", "node"].contains(&it.kind));
    claims.map(|it| text(it, "node")).filter(|name| name != own_name).collect()
}

/// For each name the claim of the highest incarnation, and the heaviest among those.
fn last_words(said: &[Explained]) -> BTreeMap<String, (u64, &'static str)> {
    let mut last: BTreeMap<String, (u64, &'static str)> = BTreeMap::new();
    for message in said {
        let state = match message.kind {
            "alive" => "alive",
            "node" if tells_alive(message) => "alive",
            "suspect" => "suspect",
            "dead" if text(message, "node") == text(message, "from") => "left",
            "dead" => "dead",
            _ => continue,
        };
        let claim = (number(message, "incarnation"), state);
        let weight = |(incarnation, state): (u64, &str)| {
            (incarnation, ["alive", "suspect", "dead", "left"].iter().position(|it| *it == state))
        };
        let held = last.entry(text(message, "node")).or_insert(claim);
        if weight(claim) > weight(*held) {
            *held = claim;
        }
    }
    last
}

/// What Go's node says that hears something of itself, and ours of an ack or a nack that nobody
/// waits for: Go takes those no more, but does not say so.
const HARMLESS: [&str; 2] = ["Refuting a", "reject: Stranger"];

/// What becomes of writing to, of shutting down and of reading what the other end has reset.
const RESET: [ErrorKind; 3] =
    [ErrorKind::BrokenPipe, ErrorKind::NotConnected, ErrorKind::ConnectionReset];

/// How long a node may take to read an answer.
const PATIENCE: Duration = Duration::from_secs(40);
