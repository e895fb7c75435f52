//! A loop without an operating system, as on a microcontroller: no thread, no sleep, nothing of the
//! standard library, and of the heap only what the node itself takes. Whoever owns the clock calls
//! [`Bare::step`] with the time, and is told when to call again at the latest.

use core::net::SocketAddr;

use swim_core::{Event, Input, Instant, Node, Output, StreamEvent, StreamId};

use crate::links::{Connection, Links};

/// A network interface with a stack that has UDP and TCP, in software (smoltcp) or in the chip
/// (W5500). Nothing waits.
pub trait Nic {
    /// A TCP connection.
    type Connection: Connection;
    /// Takes a datagram that came in: its length and where it is from.
    fn receive(&mut self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)>;
    /// Sends a datagram, or loses it.
    fn send(&mut self, to: SocketAddr, data: &[u8]);
    /// Takes a connection that a peer opened.
    fn accept(&mut self) -> Option<(Self::Connection, SocketAddr)>;
    /// Begins to open a connection, if there is a socket left.
    fn dial(&mut self, to: SocketAddr) -> Option<Self::Connection>;
}

/// A node on a network interface.
pub struct Bare<N: Nic> {
    /// The node: its commands may be called between two steps.
    pub node: Node,
    nic: N,
    links: Links<N::Connection>,
    accepted: u64,
    tick_at: Option<Instant>,
    /// As long as the longest packet: what is longer is no packet of ours.
    buffer: [u8; 1_500],
}

impl<N: Nic> Bare<N> {
    /// A node that has not run yet.
    pub fn new(node: Node, nic: N) -> Self {
        let (links, buffer) = (Links::default(), [0; 1_500]);
        Self { node, nic, links, accepted: 0, tick_at: None, buffer }
    }

    /// Does what there is to do at the time `now`, a bounded amount of it. Returns when to call
    /// again if nothing comes in before: `now` itself when there may be more to do.
    pub fn step(&mut self, now: Instant, mut tell: impl FnMut(&Event)) -> Option<Instant> {
        // 1. The node's deadline has come.
        if self.tick_at.is_some_and(|at| now >= at) {
            self.tick_at = None;
            self.node.handle(now, Input::Tick);
        }
        self.carry_out(now, &mut tell);

        // 2. A packet came in.
        let packet = self.nic.receive(&mut self.buffer);
        if let Some((len, from)) = packet {
            self.node.handle(now, Input::Packet { from, data: &self.buffer[..len] });
            self.carry_out(now, &mut tell);
        }

        // 3. A peer opened a stream.
        let accepted = self.nic.accept();
        let is_new = accepted.is_some();
        if let Some((connection, from)) = accepted {
            let id = StreamId::accepted(self.accepted);
            self.accepted += 1;
            self.links.add(id, connection);
            self.node.handle(now, Input::Stream { id, event: StreamEvent::Accepted { from } });
            self.carry_out(now, &mut tell);
        }

        // 4. Streams get on.
        let has_moved = self.links.advance(&mut self.node, now, &mut self.buffer);
        self.carry_out(now, &mut tell);

        // 5. When to come back.
        let due_at = self.tick_at.into_iter().chain(self.links.due_at()).min();
        if packet.is_some() || is_new || has_moved { Some(now) } else { due_at }
    }

    /// Does what the node wants done, in this order.
    fn carry_out(&mut self, now: Instant, tell: &mut impl FnMut(&Event)) {
        while let Some(output) = self.node.poll_output() {
            match output {
                Output::SendPacket { to, data } => self.nic.send(to, &data),
                Output::Dial { id, to } => match self.nic.dial(to) {
                    Some(connection) => self.links.add(id, connection),
                    None => {
                        self.node.handle(now, Input::Stream { id, event: StreamEvent::Failed });
                    }
                },
                Output::Write { id, data } => self.links.write(id, data),
                Output::Close { id } => self.links.close(id, now),
                Output::Abort { id } => self.links.abort(id),
                Output::ScheduleTimer { at, why: _ } => self.tick_at = Some(at),
                Output::Event(event) => tell(&event),
            }
        }
    }
}
