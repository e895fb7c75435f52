//! Streams between hosts: pieces in order, late where packets would be lost, broken or stuck where
//! the link says so.

use std::net::SocketAddr;

use bytes::Bytes;
use swim_core::{Instant, StreamId};

use crate::{
    host::{Arrival, End, Piece, Process},
    machine::Machine,
    malice::Flaw,
    network::{HostId, PieceFate, RETRANSMIT_FIRST, StreamLuck},
};

use super::{
    Due, World,
    connection::{Connection, Parcel, Side},
};

impl<M: Machine> World<M> {
    pub(super) fn dial(&mut self, id: HostId, stream: StreamId, to: SocketAddr) {
        self.tally.streams_dialed += 1;
        self.dialed.push(to);
        let run = self.hosts[id].starts;
        let Some(other) = self.at(to) else {
            // Nobody has this address: the dialer's own network says so.
            self.queue.push(self.now, Due::Unreachable { to: id, run, stream });
            return;
        };
        let serial = self.tally.streams_dialed as u32;
        let ends = [Side::new(id, run, stream), Side::new(other, 0, StreamId::accepted(0))];
        let luck = StreamLuck::new(self.seed, id, run, stream);
        let end = self.connect(Connection { ends, serial, luck, flaw: None, is_strange: false });
        if let Some(process) = &mut self.hosts[id].process {
            process.streams.insert(stream, end);
        }
        self.put(end, Parcel::Dial);
    }

    /// Finds a place for a connection; returns the dialer's end of it.
    pub(super) fn connect(&mut self, connection: Connection) -> End {
        let serial = connection.serial;
        let place = self.connections_free.pop().unwrap_or_else(|| {
            self.connections.push(None);
            self.connections.len() as u32 - 1
        });
        self.connections[place as usize] = Some(connection);
        End { connection: place, side: 0, serial }
    }

    pub(super) fn write(&mut self, id: HostId, stream: StreamId, data: Bytes) {
        self.tally.stream_bytes_sent += data.len() as u64;
        if !self.checkers.is_empty() {
            self.written.push((stream, data.clone()));
        }
        let Some(end) = self.end(id, stream) else { return };
        let Some(connection) = self.connection(end) else { return };
        let luck = connection.luck;
        let to = connection.ends[1 - end.side].host;
        self.record((id, stream), to, end, &data);
        let Some(connection) = self.connection(end) else { return };
        let side = &mut connection.ends[end.side];
        let nth = side.written;
        side.written += 1;
        match luck.fate(end.side, nth, self.network.link(id, to), data.len()) {
            PieceFate::Whole => self.put(end, Parcel::Piece(Piece::Chunk(data))),
            PieceFate::Reset { until } => {
                self.put(end, Parcel::Piece(Piece::Chunk(data.slice(..until))));
                self.put(end, Parcel::Break);
                self.tally.streams_reset += 1;
            }
            PieceFate::Stall { until } => {
                self.put(end, Parcel::Piece(Piece::Chunk(data.slice(..until))));
                if let Some(connection) = self.connection(end) {
                    connection.ends[end.side].is_stuck = true;
                }
                self.tally.streams_stalled += 1;
            }
        }
    }

    pub(super) fn close(&mut self, id: HostId, stream: StreamId) {
        self.put_last(id, stream, Parcel::Piece(Piece::Finished));
    }

    pub(super) fn abort(&mut self, id: HostId, stream: StreamId) {
        self.put_last(id, stream, Parcel::Break);
    }

    /// The streams of a process that ended break.
    pub(super) fn break_streams(&mut self, process: Process<M>) {
        for (_, end) in process.streams {
            self.put(end, Parcel::Break);
        }
    }

    /// The last thing a process says on a stream.
    fn put_last(&mut self, id: HostId, stream: StreamId, parcel: Parcel) {
        let Some(end) = self.end(id, stream) else { return };
        if let Some(process) = &mut self.hosts[id].process {
            process.streams.remove(&stream);
        }
        self.put(end, parcel);
    }

    /// Sends something to the other end.
    pub(super) fn put(&mut self, end: End, parcel: Parcel) {
        let Some(connection) = self.connection(end) else { return };
        let side = &mut connection.ends[end.side];
        if side.is_stuck {
            return;
        }
        side.pipe.push_back(parcel);
        if !side.is_pumping {
            side.is_pumping = true;
            self.schedule_pump(end);
        }
    }

    /// Says when the next parcel arrives.
    fn schedule_pump(&mut self, end: End) {
        let Some(connection) = &mut self.connections[end.connection as usize] else { return };
        let (from, to) = (connection.ends[end.side].host, connection.ends[1 - end.side].host);
        let serial = connection.serial;
        let luck = connection.luck.delay(end.side, connection.ends[end.side].sent);
        connection.ends[end.side].sent += 1;
        let len = match connection.ends[end.side].pipe.front() {
            Some(Parcel::Piece(Piece::Chunk(data))) => data.len() as u64,
            _ => 0,
        };
        let mut at = self.now.max(self.hosts[from].card.held_until);
        at = at + self.network.stream_delay(luck, self.now, from, to);
        let bandwidth = self.network.ends(from).bandwidth;
        if let Some(takes) = (len * 1_000_000_000).checked_div(bandwidth) {
            at = at + std::time::Duration::from_nanos(takes);
        }
        self.queue.push(at, Due::Pump { connection: end.connection, side: end.side, serial });
    }

    /// The next parcel of a pipe arrives, or is sent again.
    pub(super) fn pump(&mut self, place: u32, number: usize, serial: u32) {
        let end = End { connection: place, side: number, serial };
        let Some(connection) = self.connection(end) else { return };
        let [from, to] = [number, 1 - number].map(|n| connection.ends[n].host);
        let held_until = self.hosts[to].card.held_until;
        if !self.network.is_connected(from, to) || held_until > self.now {
            self.put_off(end, held_until);
            return;
        }
        let Some(connection) = self.connection(end) else { return };
        let side = &mut connection.ends[number];
        side.losses = 0;
        let Some(parcel) = side.pipe.pop_front() else { return };
        side.is_pumping = !side.pipe.is_empty();
        if side.is_pumping {
            self.schedule_pump(end);
        }
        self.deliver(end, parcel);
    }

    /// The hosts' network stacks go on trying, ever more rarely; the machines may give up.
    fn put_off(&mut self, end: End, held_until: Instant) {
        let now = self.now;
        let Some(connection) = self.connection(end) else { return };
        let side = &mut connection.ends[end.side];
        side.losses += 1;
        if side.losses > LOSSES_MAX {
            self.drop_connection(end.connection);
            return;
        }
        let again = RETRANSMIT_FIRST * (1 << side.losses.min(BACKOFF_MAX));
        let at = (now + again).max(held_until);
        let End { connection, side, serial } = end;
        self.queue.push(at, Due::Pump { connection, side, serial });
    }

    /// Hands a parcel to the process at the other end.
    fn deliver(&mut self, end: End, parcel: Parcel) {
        let Some(connection) = &self.connections[end.connection as usize] else { return };
        let [us, them] = [end.side, 1 - end.side]
            .map(|number| &connection.ends[number])
            .map(|side| (side.host, side.run, side.stream));
        match parcel {
            Parcel::Dial => self.accept(end, us.0, them.0),
            Parcel::Accept => self.arrive_stream(them.0, them.1, them.2, Piece::Connected),
            Parcel::Piece(piece) => {
                let is_chunk = matches!(piece, Piece::Chunk(_));
                let is_last = matches!(piece, Piece::Finished);
                self.arrive_stream(them.0, them.1, them.2, piece);
                if is_chunk {
                    self.arrive_stream(us.0, us.1, us.2, Piece::Drained);
                }
                if is_last && self.is_over(end.connection) {
                    self.drop_connection(end.connection);
                }
            }
            Parcel::Break => {
                self.arrive_stream(them.0, them.1, them.2, Piece::Failed);
                self.arrive_stream(us.0, us.1, us.2, Piece::Failed);
                self.drop_connection(end.connection);
            }
        }
    }

    /// A stream reaches the host that it was dialed to.
    fn accept(&mut self, end: End, from: HostId, id: HostId) {
        let addr = self.hosts[from].addr;
        let host = &mut self.hosts[id];
        let run = host.starts;
        let Some(process) = &mut host.process else {
            // Nobody listens.
            self.deliver(End { side: 1, ..end }, Parcel::Break);
            return;
        };
        let stream = StreamId::accepted(process.next_accepted);
        process.next_accepted += 1;
        process.streams.insert(stream, End { side: 1, ..end });
        if let Some(connection) = &mut self.connections[end.connection as usize] {
            connection.ends[1].stream = stream;
            connection.ends[1].run = run;
        }
        self.put(End { side: 1, ..end }, Parcel::Accept);
        self.arrive_stream(id, run, stream, Piece::Accepted { from: addr });
    }

    pub(super) fn arrive_stream(&mut self, id: HostId, run: u32, stream: StreamId, what: Piece) {
        if self.hosts[id].starts == run && self.hosts[id].is_running() {
            self.arrive(id, Arrival::Stream { id: stream, what });
        }
    }

    /// Whether both sides said all they had to say.
    fn is_over(&self, place: u32) -> bool {
        let Some(connection) = &self.connections[place as usize] else { return true };
        connection.ends.iter().all(|side| {
            let host = &self.hosts[side.host];
            let is_open = host.process.as_ref().is_some_and(|process| {
                host.starts == side.run && process.streams.contains_key(&side.stream)
            });
            side.pipe.is_empty() && !is_open
        })
    }

    fn drop_connection(&mut self, place: u32) {
        if self.connections[place as usize].take().is_some() {
            self.connections_free.push(place);
        }
    }

    /// Why nothing that comes over this stream of a host may count, if that is so.
    pub(super) fn flaw_of(&self, id: HostId, stream: StreamId) -> Option<Flaw> {
        let end = self.end(id, stream)?;
        let connection = self.connections[end.connection as usize].as_ref()?;
        connection.flaw.filter(|_| connection.serial == end.serial && end.side == 1)
    }

    fn end(&self, id: HostId, stream: StreamId) -> Option<End> {
        self.hosts[id].process.as_ref()?.streams.get(&stream).copied()
    }

    /// The connection of this end, unless it is over.
    fn connection(&mut self, end: End) -> Option<&mut Connection> {
        let connection = self.connections[end.connection as usize].as_mut();
        connection.filter(|connection| connection.serial == end.serial)
    }
}

/// How often in a row a piece is sent again before the hosts give up (Linux: `tcp_retries2`, 15).
const LOSSES_MAX: u32 = 15;

/// The pause before a piece is sent again doubles so often.
const BACKOFF_MAX: u32 = 8;
