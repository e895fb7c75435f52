//! A loop on readiness, with `mio`: one thread, one poll, sockets that never block. The poll's time
//! limit is the node's next deadline. `polling`, `epoll` or `kqueue` themselves look much the same.
//!
//! A socket is announced once, and again only after it was found empty: so the loop remembers which
//! may have something, takes a bounded amount from each in every turn, and sleeps when none has.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr},
    ops::ControlFlow,
};

use mio::{
    Events, Interest, Poll, Token,
    net::{TcpListener, TcpStream, UdpSocket},
};
use swim_core::{Event, Input, Instant, Node, Output, StreamEvent, StreamId};

use crate::{
    ground::{Clock, Ports, Wall},
    links::{Attempt, Connection, Links},
};

/// Runs `node` until `look`, which sees it in every turn and with every event, has seen enough.
///
/// # Errors
///
/// The sockets or the poll break.
pub fn run(
    mut node: Node,
    clock: Clock,
    ports: Ports,
    mut look: impl FnMut(&Node, Option<&Event>) -> ControlFlow<()>,
) -> io::Result<()> {
    let (mut host, mut links) = (Host::new(ports)?, Links::default());
    let (mut events, mut buffer) = (Events::with_capacity(64), vec![0; 65_536]);
    let (mut wall, mut tick_at) = (Wall::default(), None);
    loop {
        let mut is_over = look(&node, None).is_break();
        while let Some(output) = node.poll_output() {
            match output {
                Output::SendPacket { to, data } => drop(host.udp.send_to(&data, to)), // Or lost.
                Output::ScheduleTimer { at, why: _ } => tick_at = Some(at),
                Output::Event(event) => is_over |= look(&node, Some(&event)).is_break(),
                Output::Dial { id, to } => match host.dial(to) {
                    Ok(wired) => links.add(id, wired),
                    Err(_) => stream(&mut node, clock.now(), id, StreamEvent::Failed),
                },
                Output::Write { id, data } => links.write(id, data),
                Output::Close { id } => links.close(id, clock.now()),
                Output::Abort { id } => links.abort(id),
            }
        }
        if is_over {
            return Ok(());
        }
        let now = clock.now();
        if tick_at.is_some_and(|at| now >= at) {
            tick_at = None;
            wall.tell(&mut node, now);
            node.handle(now, Input::Tick);
        }
        let has_packets = host.take_packets(&mut node, now, &mut buffer);
        let accepted = host.accept();
        let is_busy = has_packets | accepted.is_some() | links.advance(&mut node, now, &mut buffer);
        if let Some((id, wired, from)) = accepted {
            links.add(id, wired);
            stream(&mut node, now, id, StreamEvent::Accepted { from });
        }
        if !is_busy {
            let due_at = tick_at.into_iter().chain(links.due_at()).min();
            match host.poll.poll(&mut events, due_at.map(|at| clock.until(at))) {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
                Ok(()) | Err(_) => {}
            }
            for event in &events {
                host.has_packets |= event.token() == UDP;
                host.has_streams |= event.token() == TCP;
                let woken = links.connections().find(|wired| wired.token == event.token());
                woken.into_iter().for_each(|wired| wired.is_ready = true);
            }
        }
    }
}

fn stream(node: &mut Node, now: Instant, id: StreamId, event: StreamEvent<'_>) {
    node.handle(now, Input::Stream { id, event });
}

/// The sockets, and which of them may have something.
struct Host {
    poll: Poll,
    udp: UdpSocket,
    tcp: TcpListener,
    has_packets: bool,
    has_streams: bool,
    accepted: u64,
    tokens: usize,
}

impl Host {
    fn new(ports: Ports) -> io::Result<Self> {
        ports.udp.set_nonblocking(true)?;
        ports.tcp.set_nonblocking(true)?;
        let (mut udp, mut tcp) = (UdpSocket::from_std(ports.udp), TcpListener::from_std(ports.tcp));
        let poll = Poll::new()?;
        poll.registry().register(&mut udp, UDP, Interest::READABLE)?;
        poll.registry().register(&mut tcp, TCP, Interest::READABLE)?;
        let (has_packets, has_streams, accepted, tokens) = (true, true, 0, TCP.0);
        Ok(Self { poll, udp, tcp, has_packets, has_streams, accepted, tokens })
    }

    fn take_packets(&mut self, node: &mut Node, now: Instant, buffer: &mut [u8]) -> bool {
        for _ in 0..PACKETS_PER_TURN {
            if !self.has_packets {
                break;
            }
            match self.udp.recv_from(buffer) {
                Ok((len, from)) => node.handle(now, Input::Packet { from, data: &buffer[..len] }),
                // Other errors are about packets that could not be delivered.
                Err(error) => self.has_packets = error.kind() != ErrorKind::WouldBlock,
            }
        }
        self.has_packets
    }

    fn accept(&mut self) -> Option<(StreamId, Wired, SocketAddr)> {
        let (stream, from) = if self.has_streams { self.tcp.accept().ok() } else { None }?;
        self.accepted += 1;
        Some((StreamId::accepted(self.accepted), self.wire(stream).ok()?, from))
    }

    fn dial(&mut self, to: SocketAddr) -> io::Result<Wired> {
        self.wire(TcpStream::connect(to)?)
    }

    fn wire(&mut self, mut stream: TcpStream) -> io::Result<Wired> {
        self.tokens += 1;
        let (token, both) = (Token(self.tokens), Interest::READABLE | Interest::WRITABLE);
        self.poll.registry().register(&mut stream, token, both)?;
        Ok(Wired { stream, token, is_ready: false })
    }
}

/// A connection that the poll watches.
struct Wired {
    stream: TcpStream,
    token: Token,
    is_ready: bool,
}

impl Connection for Wired {
    fn open(&mut self) -> Attempt<()> {
        if !self.is_ready {
            return Attempt::Later;
        }
        match self.stream.take_error() {
            Ok(None) => self.stream.peer_addr().map(drop).into(),
            Ok(Some(_)) | Err(_) => Attempt::Broken,
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> Attempt<usize> {
        self.stream.read(buffer).into()
    }

    fn write(&mut self, data: &[u8]) -> Attempt<usize> {
        self.stream.write(data).into()
    }

    fn finish(&mut self) {
        drop(self.stream.shutdown(Shutdown::Write)); // If it fails, reading will say so.
    }
}

const UDP: Token = Token(0);
const TCP: Token = Token(1);

/// Few enough that a deadline is not missed.
const PACKETS_PER_TURN: usize = 64;
