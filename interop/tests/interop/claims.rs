//! Claims as memberlist writes them, in packets and in tables; and that each arrived.
//!
//! What a claim changes shows that it arrived. What changes nothing shows nothing; so each packet
//! and each table ends with a marker, a claim about a name of its own that always changes
//! something. Whoever took the marker has had all that stands before it.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::{IpAddr, SocketAddr, TcpStream, UdpSocket},
    thread,
    time::Duration,
};

use swim_interop::{
    peer::{Peer, Row},
    tape::until,
};

use crate::rules::{Claim, Kind, PROTOCOL, addr, meta, name, protocol};

/// So many claims make a packet, and so many packets a burst that no buffer or queue is too small
/// for.
const PACKET: usize = 10;
const BURST: usize = 20;

/// Carries claims to peers.
pub(crate) struct Courier {
    socket: UdpSocket,
    /// From this name on, names are those of markers.
    markers: usize,
    /// The incarnation of the last markers: greater with each delivery, so that each is news.
    delivery: u32,
}

impl Courier {
    /// Names from `markers` on are for its own use.
    pub(crate) fn new(markers: usize) -> Self {
        Self { socket: UdpSocket::bind("127.0.0.1:0").unwrap(), markers, delivery: 0 }
    }

    /// Sends claims in packets, and waits until the peer has applied all of them.
    pub(crate) fn send(&mut self, peer: &mut Peer, claims: &[Claim]) {
        self.delivery += 1;
        let packets: Vec<_> = claims.chunks(PACKET).collect();
        let mut missing: Vec<_> = (0..packets.len()).collect();
        until(&format!("{} has had every packet", peer.name), || {
            for burst in missing.chunks(BURST) {
                for &number in burst {
                    let marker = self.marker(number, ALIVE);
                    let packet = compound(&[packets[number], &[marker]].concat());
                    self.socket.send_to(&packet, peer.addr).unwrap();
                }
                wait_read(peer);
            }
            thread::sleep(PAUSE);
            let rows = peer.members();
            missing.retain(|&number| !self.is_marked(&rows, number, "alive"));
            if missing.is_empty() { Ok(()) } else { Err(format!("{missing:?} are missing")) }
        });
        wait_read(peer);
        // The last of it may be in work: what comes now is taken after it.
        for (kind, state) in [(ALIVE, "alive"), (Kind::Left, "left")] {
            until(&format!("{} has had the last marker", peer.name), || {
                let packet = compound(&[self.marker(packets.len(), kind)]);
                self.socket.send_to(&packet, peer.addr).unwrap();
                thread::sleep(PAUSE);
                let rows = peer.members();
                if self.is_marked(&rows, packets.len(), state) { Ok(()) } else { Err(state) }
            });
        }
    }

    /// Exchanges a table of these claims with the peer, and waits until it has applied all of it.
    /// Returns its own table, as it came.
    pub(crate) fn exchange(&mut self, peer: &mut Peer, claims: &[Claim]) -> Vec<u8> {
        self.delivery += 1;
        let mut stream = TcpStream::connect(peer.addr).unwrap();
        stream.write_all(&table(&[claims, &[self.marker(0, ALIVE)]].concat())).unwrap();
        // Go's library says what it holds, and then takes what we said.
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        until(&format!("{} has had the table", peer.name), || {
            let rows = peer.members();
            if self.is_marked(&rows, 0, "alive") { Ok(()) } else { Err("not marked") }
        });
        answer
    }

    fn marker(&self, number: usize, kind: Kind) -> Claim {
        let subject = self.markers + number;
        Claim { subject, kind, incarnation: self.delivery, accuser: subject }
    }

    fn is_marked(&self, rows: &BTreeMap<String, Row>, number: usize, state: &str) -> bool {
        let row = rows.get(&name(self.markers + number));
        row.is_some_and(|row| row.incarnation == u64::from(self.delivery) && row.state == state)
    }
}

/// Waits until a peer has taken all that was sent to it out of its queue, of which Go's library has
/// one with room for a thousand claims. We have none.
pub(crate) fn wait_read(peer: &mut Peer) {
    until(&format!("{} has nothing left to read", peer.name), || {
        let stats = peer.ask("stats");
        let is_done = stats["unread"].as_u64().is_none_or(|unread| unread == 0);
        if is_done { Ok(()) } else { Err(stats) }
    });
}

/// Several claims as one message.
pub(crate) fn compound(claims: &[Claim]) -> Vec<u8> {
    let parts: Vec<_> = claims.iter().map(|&claim| part(claim)).collect();
    let mut packet = vec![7, u8::try_from(parts.len()).unwrap()];
    for part in &parts {
        packet.extend(u16::try_from(part.len()).unwrap().to_be_bytes());
    }
    packet.extend(parts.concat());
    packet
}

/// The claim of somebody of this name that it is there, as a message.
pub(crate) fn alive(name: &str, addr: SocketAddr, incarnation: u32) -> Vec<u8> {
    alive_saying(name, addr, incarnation, b"")
}

/// The same with metadata.
pub(crate) fn alive_saying(name: &str, addr: SocketAddr, incarnation: u32, meta: &[u8]) -> Vec<u8> {
    let mut part = vec![4, 0x86];
    number(&mut part, b"Incarnation", incarnation);
    text(&mut part, b"Node");
    text(&mut part, name.as_bytes());
    place(&mut part, addr, meta, PROTOCOL);
    part
}

/// What somebody says against somebody of this name, as a message: `Suspect`, `Dead` or `Left`.
pub(crate) fn verdict(kind: Kind, name: &str, from: &str, incarnation: u32) -> Vec<u8> {
    let mut part = vec![if kind == Kind::Suspect { 3 } else { 5 }, 0x83];
    number(&mut part, b"Incarnation", incarnation);
    text(&mut part, b"Node");
    text(&mut part, name.as_bytes());
    text(&mut part, b"From");
    text(&mut part, if kind == Kind::Left { name } else { from }.as_bytes());
    part
}

/// A claim in a packet: its kind, and a map in msgpack.
fn part(claim: Claim) -> Vec<u8> {
    let Claim { subject, kind, incarnation, accuser } = claim;
    if !matches!(kind, Kind::Alive { .. }) {
        return verdict(kind, &name(subject), &name(accuser), incarnation);
    }
    let mut part = vec![4, 0x86];
    number(&mut part, b"Incarnation", incarnation);
    text(&mut part, b"Node");
    text(&mut part, name(subject).as_bytes());
    description(&mut part, claim);
    part
}

/// Claims as a table: what is sent for an exchange.
fn table(claims: &[Claim]) -> Vec<u8> {
    let mut table = vec![6, 0x83];
    number(&mut table, b"Nodes", u32::try_from(claims.len()).unwrap());
    number(&mut table, b"UserStateLen", 0);
    text(&mut table, b"Join");
    table.push(0xc2);
    for &claim in claims {
        table.push(0x87);
        text(&mut table, b"Name");
        text(&mut table, name(claim.subject).as_bytes());
        number(&mut table, b"Incarnation", claim.incarnation);
        let state = match claim.kind {
            Kind::Alive { .. } => 0,
            Kind::Suspect => 1,
            Kind::Dead => 2,
            Kind::Left => 3,
        };
        text(&mut table, b"State");
        table.push(state);
        description(&mut table, claim);
    }
    table
}

/// Where the subject is and what it says of itself.
fn description(out: &mut Vec<u8>, Claim { subject, kind, incarnation, .. }: Claim) {
    let addr = addr(subject, kind == Kind::Alive { is_elsewhere: true });
    place(out, addr, meta(incarnation).as_bytes(), protocol(incarnation));
}

fn place(out: &mut Vec<u8>, addr: SocketAddr, meta: &[u8], protocol: u8) {
    let IpAddr::V4(ip) = addr.ip() else { unreachable!("subjects have addresses of IPv4") };
    text(out, b"Addr");
    text(out, &ip.octets());
    text(out, b"Port");
    out.push(0xcd);
    out.extend(addr.port().to_be_bytes());
    text(out, b"Meta");
    text(out, meta);
    text(out, b"Vsn");
    text(out, &[1, 5, protocol, 0, 0, 0]);
}

fn number(out: &mut Vec<u8>, field: &[u8], number: u32) {
    text(out, field);
    out.push(0xce);
    out.extend(number.to_be_bytes());
}

/// At most 31 bytes.
fn text(out: &mut Vec<u8>, text: &[u8]) {
    out.push(0xa0 | u8::try_from(text.len()).unwrap());
    out.extend(text);
}

const ALIVE: Kind = Kind::Alive { is_elsewhere: false };

/// What a packet takes to be read where nothing is in its way.
const PAUSE: Duration = Duration::from_millis(20);
