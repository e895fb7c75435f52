//! What makes the world go round: the queue of what is to happen, and the carrying out of what the
//! nodes want.

use std::{cmp::Ordering, collections::BinaryHeap, net::SocketAddr, time::Duration};

use swim_core::{
    Bytes, Event, EventKind, Input, Instant, MemberChange, Output, StreamEvent, StreamId,
};

use super::{Host, Id, Watch, World};

/// What is to happen, in order of time, then of cause.
#[derive(Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Due>,
    sequence: u64,
}

struct Due {
    at: Instant,
    sequence: u64,
    to: Id,
    /// Which run of `to` it is for.
    start: u64,
    delivery: Delivery,
}

enum Delivery {
    Packet(SocketAddr, Bytes),
    Timer,
    Stream(StreamId, Arrival),
    Dialed(Id, StreamId),
}

enum Arrival {
    Connected,
    Chunk(Bytes),
    Drained,
    Finished,
    Failed,
}

impl World {
    pub(crate) fn run(&mut self, span: Duration) {
        let end = self.now + span;
        while self.queue.heap.peek().is_some_and(|due| due.at <= end) {
            self.step();
        }
        self.now = end;
    }

    /// Runs until `done`, looked at after every step (in large worlds: every few); returns how long
    /// it took.
    pub(crate) fn run_until(
        &mut self,
        limit: Duration,
        what: &str,
        mut done: impl FnMut(&Self) -> bool,
    ) -> Duration {
        let start = self.now;
        let stride = 1 + self.hosts.len() as u64 / 16;
        let mut steps = 0_u64;
        while !(steps.is_multiple_of(stride) && done(self)) {
            let waited = self.now.saturating_since(start);
            if waited >= limit {
                panic!("waited {waited:?} for {what}: {}", self.disagreements());
            }
            assert!(self.step(), "nothing is scheduled while waiting for {what}");
            steps += 1;
        }
        self.now.saturating_since(start)
    }

    /// When the next thing happens.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        self.queue.heap.peek().map(|due| due.at)
    }

    /// Lets the next thing happen.
    pub(crate) fn step(&mut self) -> bool {
        let Some(due) = self.queue.heap.pop() else { return false };
        self.now = self.now.max(due.at);
        let now = self.now;
        let id = due.to;
        let is_same_run = self.starts[id] == due.start;
        let Some(host) = self.hosts[id].as_mut().filter(|_| is_same_run) else {
            if let Delivery::Dialed(from, stream) = due.delivery {
                self.deliver(from, Delivery::Stream(stream, Arrival::Failed));
            }
            return true;
        };
        if host.paused_until > now {
            let until = host.paused_until;
            self.schedule(until, id, due.delivery);
            return true;
        }
        match due.delivery {
            Delivery::Packet(from, data) => {
                host.node.handle(now, Input::Packet { from, data: &data });
            }
            Delivery::Timer => {
                if host.timer.is_none_or(|timer| timer > now) {
                    return true; // Replaced meanwhile.
                }
                host.timer = None;
                host.tick(now);
            }
            Delivery::Stream(stream, arrival) => self.arrive(id, stream, &arrival),
            Delivery::Dialed(from, stream) => self.accept(id, from, stream),
        }
        self.drain(id);
        true
    }

    fn accept(&mut self, id: Id, from: Id, stream: StreamId) {
        let now = self.now;
        let addr = self.addr_of(from);
        let host = self.host_mut(id);
        let own = StreamId::accepted(host.next_accepted);
        host.next_accepted += 1;
        host.peers.insert(own, (from, stream));
        let event = StreamEvent::Accepted { from: addr };
        host.node.handle(now, Input::Stream { id: own, event });
        if let Some(dialer) = &mut self.hosts[from] {
            dialer.peers.insert(stream, (id, own));
            self.deliver(from, Delivery::Stream(stream, Arrival::Connected));
        }
    }

    fn arrive(&mut self, id: Id, stream: StreamId, arrival: &Arrival) {
        let now = self.now;
        let host = self.host_mut(id);
        let event = match arrival {
            Arrival::Connected => StreamEvent::Connected,
            Arrival::Chunk(data) => StreamEvent::Chunk(data),
            Arrival::Drained => StreamEvent::Drained,
            Arrival::Finished => StreamEvent::Finished,
            Arrival::Failed => StreamEvent::Failed,
        };
        if matches!(arrival, Arrival::Failed) {
            host.peers.remove(&stream);
        }
        host.node.handle(now, Input::Stream { id: stream, event });
    }

    /// Carries out what a node wants done.
    pub(super) fn drain(&mut self, id: Id) {
        while let Some(output) = self.host_mut(id).node.poll_output() {
            self.carry_out(id, output);
        }
        self.settle(id);
        if self.watch == Watch::Safety
            && let Some(host) = &mut self.hosts[id]
        {
            self.safety.check(host);
        }
    }

    pub(super) fn carry_out(&mut self, id: Id, output: Output<Event>) {
        if self.trace.is_some() {
            self.trace_output(id, &output);
        }
        match output {
            Output::SendPacket { to, data } => self.send(id, to, &data),
            Output::Dial { id: stream, to } => self.dial(id, stream, to),
            Output::Write { id: stream, data } => self.write(id, stream, data),
            Output::Close { id: stream } => self.close(id, stream, Arrival::Finished),
            Output::Abort { id: stream } => self.close(id, stream, Arrival::Failed),
            Output::ScheduleTimer { at, .. } => {
                self.host_mut(id).timer = Some(at);
                self.schedule(at.max(self.now), id, Delivery::Timer);
            }
            Output::Event(event) => self.record(id, event),
        }
    }

    /// Keeps up to date who sees everybody.
    fn settle(&mut self, id: Id) {
        let members = self.members;
        let host = self.host_mut(id);
        let (was, is) = (host.is_settled, host.sees(members));
        host.is_settled = is;
        self.unsettled = self.unsettled + usize::from(!is) - usize::from(!was);
    }

    fn record(&mut self, id: Id, event: Event) {
        let since = |bytes: &[u8]| {
            let issued = bytes.first_chunk().copied().map(u64::from_le_bytes);
            let issued = issued.map(Instant::from_nanos).filter(|&at| at <= self.now);
            issued.map(|at| self.now.saturating_since(at))
        };
        match &event.kind {
            EventKind::Broadcast { payload, .. } => {
                if let Some(span) = since(payload) {
                    self.arrivals.push(span);
                }
            }
            EventKind::Member { change: MemberChange::Updated, member }
                if member.addr != self.host(id).addr =>
            {
                if let Some(span) = since(member.meta.as_bytes()) {
                    self.updates.push(span);
                }
            }
            EventKind::LeaveFinished { .. } => self.recount(),
            _ => {}
        }
        let came_back = matches!(&event.kind,
            EventKind::Member { change: MemberChange::Joined, member }
                if member.addr == self.host(id).addr);
        self.host_mut(id).record(event);
        if came_back {
            self.recount();
        }
    }

    fn send(&mut self, id: Id, to: SocketAddr, data: &Bytes) {
        self.network.packets += 1;
        self.network.bytes += data.len() as u64;
        if let Some(capture) = &mut self.capture {
            capture.push((id, to, data.clone()));
        }
        let from = self.host(id).addr;
        let Some(to) = self.at(to) else { return };
        let fate = self.network.fate(id, to, data.len());
        let data = fate.flip.map_or_else(|| data.clone(), |bit| flip(data, bit));
        for latency in fate.copies {
            self.schedule(self.now + latency, to, Delivery::Packet(from, data.clone()));
        }
    }

    fn dial(&mut self, id: Id, stream: StreamId, to: SocketAddr) {
        match self.at(to) {
            Some(to) if !self.network.is_cut(id, to) && !self.network.is_cut(to, id) => {
                self.deliver(to, Delivery::Dialed(id, stream));
            }
            Some(_) => {} // Black hole: the stream's own timeout must end it.
            None => self.deliver(id, Delivery::Stream(stream, Arrival::Failed)),
        }
    }

    fn write(&mut self, id: Id, stream: StreamId, data: Bytes) {
        self.network.stream_bytes += data.len() as u64;
        let Some(&(peer, other)) = self.host(id).peers.get(&stream) else { return };
        if self.network.is_cut(id, peer) {
            self.host_mut(id).peers.remove(&stream); // Nothing gets through any more.
            return;
        }
        self.deliver(peer, Delivery::Stream(other, Arrival::Chunk(data)));
        self.deliver(id, Delivery::Stream(stream, Arrival::Drained));
    }

    fn close(&mut self, id: Id, stream: StreamId, how: Arrival) {
        if let Some((peer, other)) = self.host_mut(id).peers.remove(&stream)
            && !self.network.is_cut(id, peer)
        {
            self.deliver(peer, Delivery::Stream(other, how));
        }
    }

    /// Tells the peers of a crashed node's streams.
    pub(super) fn break_streams(&mut self, host: Host) {
        for (_, (peer, stream)) in host.peers {
            self.deliver(peer, Delivery::Stream(stream, Arrival::Failed));
        }
    }

    /// Brings something of a stream to a node; streams keep their order.
    fn deliver(&mut self, id: Id, delivery: Delivery) {
        self.schedule(self.now + self.network.latency.1, id, delivery);
    }

    fn schedule(&mut self, at: Instant, to: Id, delivery: Delivery) {
        let sequence = self.queue.sequence;
        self.queue.sequence += 1;
        let start = self.starts[to];
        self.queue.heap.push(Due { at, sequence, to, start, delivery });
    }

    fn trace_output(&mut self, id: Id, output: &Output<Event>) {
        let text = format!("{} {id} {output:?}", self.now);
        let host = self.host_mut(id);
        host.trace = digest(host.trace, text.as_bytes());
        self.trace = self.trace.map(|trace| digest(trace, text.as_bytes()));
    }
}

impl Host {
    /// P5: time may stand still for a few ticks, never for good.
    fn tick(&mut self, now: Instant) {
        const TICKS_MAX: u32 = 64;
        self.ticks = if self.ticks.0 == now { (now, self.ticks.1 + 1) } else { (now, 1) };
        assert!(self.ticks.1 <= TICKS_MAX, "P5: a livelock at {now}");
        self.node.handle(now, Input::Tick);
    }
}

/// Adds bytes to a digest (FNV-1a).
pub(crate) fn digest(start: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(start ^ 0xcbf2_9ce4_8422_2325, |digest, byte| {
        (digest ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn flip(data: &Bytes, bit: u64) -> Bytes {
    let mut data = data.to_vec();
    data[bit as usize / 8] ^= 1 << (bit % 8);
    data.into()
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    /// The earliest is the greatest: a heap hands out the greatest first.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.sequence).cmp(&(self.at, self.sequence))
    }
}
