//! Sending and receiving: datagrams one after the other, streams, gossip, push/pull.

use super::{
    cluster::{Belief, Cluster, Hanging, Relay, State, StreamKind},
    events::Event,
    rules::{
        DELAY, Flavour, GOSSIP_NODES, GOSSIP_TO_THE_DEAD, NACK_AFTER, PROBE_TIMEOUT,
        STREAM_TIMEOUT, push_pull_interval, sends,
    },
    updates::{Claim, Head, Update},
};

impl Cluster {
    /// Makes up a datagram, with as many updates as fit.
    pub(super) fn make(&mut self, from: usize, to: u16, head: Head, sequence: u16) -> u32 {
        let place = self.make_bare(from, to, head, sequence);
        self.fill(from, place);
        place
    }

    /// Makes up a datagram without updates.
    pub(super) fn make_bare(&mut self, from: usize, to: u16, head: Head, sequence: u16) -> u32 {
        let place = self.packets.take();
        let packet = self.packets.at(place);
        packet.head = head;
        packet.from = from as u16;
        packet.to = to;
        packet.sequence = sequence;
        packet.is_relayed = false;
        packet.count = 0;
        // A compound's head and the length of its first part.
        packet.size = head.size() as u16 + if head == Head::Gossip { 2 } else { 4 };
        place
    }

    /// Adds as many updates as fit.
    pub(super) fn fill(&mut self, from: usize, place: u32) {
        let node = &mut self.nodes[from];
        node.pending.fill(self.packets.at(place), sends(node.ring.len()));
    }

    /// Sends a datagram.
    pub(super) fn send(&mut self, place: u32) {
        let packet = self.packets.at(place);
        // A message by itself needs no compound.
        let compound = if packet.head != Head::Gossip && packet.count == 0 { 4 } else { 0 };
        let size = u64::from(packet.size) - compound;
        let (from, to) = (usize::from(packet.from), usize::from(packet.to));
        self.tally.datagrams += 1;
        self.tally.bytes += size;
        self.nodes[from].traffic.sent += size;
        self.nodes[to].traffic.received += size;
        if self.holds(from) {
            self.nodes[from].held.push(place);
        } else {
            self.leave(place);
        }
    }

    /// A datagram is on its way.
    pub(super) fn leave(&mut self, place: u32) {
        let at = self.now + self.delay();
        self.events.push(at, Event::Arrive { packet: place });
    }

    /// What goes by stream is on its way.
    pub(super) fn leave_by_stream(&mut self, slot: u32) {
        let at = self.now + 2 * self.delay();
        self.events.push(at, Event::Stream { slot });
    }

    fn delay(&mut self) -> u64 {
        DELAY.0 + self.chance.below(DELAY.1 - DELAY.0 + 1)
    }

    /// A datagram has come; it is handled after those before it, and not during a block.
    pub(super) fn arrive(&mut self, place: u32) {
        let node = usize::from(self.packets.at(place).to);
        self.nodes[node].inbox.push_back(place);
        self.go_on_handling(node);
    }

    /// Begins to handle the first datagram, if there is one and nothing stands against it.
    pub(super) fn go_on_handling(&mut self, node: usize) {
        let it = &mut self.nodes[node];
        if !it.is_blocked && !it.is_handling && !it.inbox.is_empty() {
            it.is_handling = true;
            let (least, most) = it.cost;
            // Nothing is drawn where there is nothing to choose.
            let more = if most > least { self.chance.below(most - least + 1) } else { 0 };
            self.events.push(self.now + least + more, Event::Handle { node });
        }
    }

    /// Handling the first datagram has taken its time.
    pub(super) fn handle(&mut self, node: usize) {
        self.nodes[node].is_handling = false;
        if self.nodes[node].is_blocked {
            // It was received, and waits.
            return;
        }
        let Some(place) = self.nodes[node].inbox.pop_front() else { return };
        let packet = self.packets.at(place);
        let (head, from, sequence) = (packet.head, packet.from, packet.sequence);
        let (is_relayed, count) = (packet.is_relayed, packet.count);
        match head {
            Head::Gossip => {}
            Head::Ping => {
                let ack = self.make(node, from, Head::Ack, sequence);
                self.packets.at(ack).is_relayed = is_relayed;
                self.send(ack);
            }
            Head::PingRequest(target) => self.relay(node, from, target, sequence),
            Head::Ack if is_relayed => self.relayed_ack(node, sequence),
            Head::Ack => self.probe_ack(node, sequence),
            Head::Nack => self.probe_nack(node, sequence),
        }
        for number in 0..usize::from(count) {
            let update = self.packets.at(place).updates[number];
            self.apply(node, update);
        }
        self.packets.give_back(place);
        self.go_on_handling(node);
        self.catch_up(node);
    }

    /// Pings a member for another.
    fn relay(&mut self, node: usize, requester: u16, target: u16, requester_sequence: u16) {
        let deadline = self.now + PROBE_TIMEOUT;
        let it = &mut self.nodes[node];
        it.relays.retain(|relay| relay.deadline > self.now);
        it.relay_sequence = it.relay_sequence.wrapping_add(1);
        let sequence = it.relay_sequence;
        it.relays.push(Relay { sequence, requester, requester_sequence, deadline });
        if self.rules.has_local_health {
            self.events.push(self.now + NACK_AFTER, Event::Nack { node, sequence });
        }
        let ping = self.make_ping(node, target, sequence);
        self.packets.at(ping).is_relayed = true;
        self.send(ping);
    }

    /// Makes up a ping; as a buddy's, it carries what is suspected of its receiver.
    pub(super) fn make_ping(&mut self, node: usize, target: u16, sequence: u16) -> u32 {
        let belief = self.belief(node, target);
        let ping = self.make_bare(node, target, Head::Ping, sequence);
        if self.rules.is_buddy && belief.state == State::Suspect {
            self.packets.at(ping).add(Update {
                claim: Claim::Suspect,
                incarnation: belief.incarnation,
                subject: target,
                from: node as u16,
            });
        }
        self.fill(node, ping);
        ping
    }

    fn relayed_ack(&mut self, node: usize, sequence: u16) {
        let now = self.now;
        // A frozen process handles what waits before its timers forget the relay.
        let is_late = |deadline| deadline <= now && self.rules.flavour != Flavour::Stall;
        let wanted = |relay: &Relay| relay.sequence == sequence && !is_late(relay.deadline);
        let relays = &mut self.nodes[node].relays;
        let Some(place) = relays.iter().position(wanted) else { return };
        let relay = relays.swap_remove(place);
        let ack = self.make(node, relay.requester, Head::Ack, relay.requester_sequence);
        self.send(ack);
    }

    /// A helper has heard nothing for long enough to say so.
    pub(super) fn nack(&mut self, node: usize, sequence: u16) {
        let relays = &self.nodes[node].relays;
        let Some(relay) = relays.iter().find(|relay| relay.sequence == sequence) else { return };
        let (to, sequence) = (relay.requester, relay.requester_sequence);
        if self.hangs(node) {
            self.nodes[node].hanging.push(Hanging::Nack { to, sequence });
            return;
        }
        let nack = self.make(node, to, Head::Nack, sequence);
        self.send(nack);
    }

    /// A gossip tick; one is remembered while a round hangs.
    pub(super) fn gossip_tick(&mut self, node: usize) {
        let it = &mut self.nodes[node];
        if it.gossip.is_busy {
            it.gossip.is_tick_waiting = true;
        } else if !it.pending.is_empty() {
            self.gossip_round(node);
        }
    }

    fn gossip_round(&mut self, node: usize) {
        let now = self.now;
        let targets = self.choose(node, GOSSIP_NODES, |_, belief| match belief.state {
            State::Alive | State::Suspect => true,
            State::Dead => now - belief.changed_at <= GOSSIP_TO_THE_DEAD,
            State::Unknown => false,
        });
        let gossip = &mut self.nodes[node].gossip;
        gossip.is_busy = true;
        gossip.next = 0;
        gossip.count = targets.len();
        gossip.targets[..targets.len()].copy_from_slice(&targets);
        self.go_on_gossiping(node);
    }

    /// Sends what is left of a gossip round.
    pub(super) fn go_on_gossiping(&mut self, node: usize) {
        loop {
            let it = &mut self.nodes[node];
            if it.gossip.next == it.gossip.count || it.pending.is_empty() {
                break;
            }
            let to = it.gossip.targets[it.gossip.next];
            it.gossip.next += 1;
            let packet = self.make(node, to, Head::Gossip, 0);
            if self.hangs(node) {
                self.nodes[node].hanging.push(Hanging::Gossip { packet });
                return;
            }
            self.send(packet);
        }
        let gossip = &mut self.nodes[node].gossip;
        gossip.is_busy = false;
        if std::mem::take(&mut gossip.is_tick_waiting) {
            self.gossip_tick(node);
        }
    }

    /// Up to so many different others that are fit for it.
    pub(super) fn choose(
        &mut self,
        node: usize,
        count: usize,
        is_fit: impl Fn(u16, Belief) -> bool,
    ) -> Chosen {
        let mut chosen = Chosen::default();
        let row = node * self.rules.n;
        let ring = &self.nodes[node].ring;
        for _ in 0..3 * ring.len() {
            if chosen.count == count {
                break;
            }
            let member = ring[self.chance.below(ring.len() as u64) as usize];
            let belief = self.beliefs[row + usize::from(member)];
            if usize::from(member) != node && !chosen.contains(&member) && is_fit(member, belief) {
                chosen.members[chosen.count] = member;
                chosen.count += 1;
            }
        }
        chosen
    }

    /// The time for a push/pull; one is remembered while another hangs.
    pub(super) fn push_pull_tick(&mut self, node: usize) {
        let it = &mut self.nodes[node];
        let next = self.now + push_pull_interval(it.ring.len());
        self.events.push(next, Event::PushPull { node });
        if it.push_pull.is_busy {
            it.push_pull.is_tick_waiting = true;
            return;
        }
        let partner = self.choose(node, 1, |_, belief| belief.state == State::Alive);
        let Some(&to) = partner.first() else { return };
        self.nodes[node].push_pull.is_busy = true;
        if self.hangs(node) {
            self.nodes[node].hanging.push(Hanging::PushPull { to });
            return;
        }
        self.push(node, to);
    }

    /// Sends the whole table and asks for the other's.
    pub(super) fn push(&mut self, node: usize, to: u16) {
        let push_pull = &mut self.nodes[node].push_pull;
        push_pull.sequence = push_pull.sequence.wrapping_add(1);
        let sequence = push_pull.sequence;
        self.events.push(self.now + STREAM_TIMEOUT, Event::PushPullTimeout { node, sequence });
        self.send_stream(StreamKind::Push, node, to, sequence);
    }

    /// A push/pull has come to its end, one way or the other.
    pub(super) fn end_push_pull(&mut self, node: usize, sequence: u16) {
        let push_pull = &mut self.nodes[node].push_pull;
        if push_pull.is_busy && push_pull.sequence == sequence {
            push_pull.is_busy = false;
            if std::mem::take(&mut push_pull.is_tick_waiting) {
                self.events.push(self.now, Event::PushPull { node });
            }
        }
    }

    /// Sends something by stream.
    pub(super) fn send_stream(&mut self, kind: StreamKind, from: usize, to: u16, sequence: u16) {
        let slot = self.streams.take();
        let row = from * self.rules.n;
        let stream = self.streams.at(slot);
        (stream.kind, stream.from, stream.to) = (kind, from as u16, to);
        stream.sequence = sequence;
        stream.table.clear();
        let size = match kind {
            StreamKind::Ping => Head::Ping.size() as u64,
            StreamKind::Ack => Head::Ack.size() as u64,
            StreamKind::Push | StreamKind::Pull => {
                stream.table.extend_from_slice(&self.beliefs[row..row + self.rules.n]);
                let known = self.nodes[from].ring.len() as u64;
                TABLE_HEAD + TABLE_ENTRY * known
            }
        };
        self.tally.stream_bytes += size;
        self.nodes[from].traffic.stream_sent += size;
        self.nodes[usize::from(to)].traffic.stream_received += size;
        if self.holds(from) {
            self.nodes[from].held_streams.push(slot);
        } else {
            self.leave_by_stream(slot);
        }
    }

    /// Something has come by stream.
    pub(super) fn stream_arrives(&mut self, slot: u32) {
        let stream = self.streams.at(slot);
        let (node, kind, sequence) = (usize::from(stream.to), stream.kind, stream.sequence);
        if !self.nodes[node].is_blocked {
            self.handle_stream(slot);
            return;
        }
        self.nodes[node].streams.push(slot);
        if kind == StreamKind::Ack && self.rules.flavour == Flavour::Task {
            self.stream_ack_waits(node, sequence);
        }
    }

    /// Handles what has come by stream.
    pub(super) fn handle_stream(&mut self, slot: u32) {
        let stream = self.streams.at(slot);
        let (node, from) = (usize::from(stream.to), stream.from);
        let (kind, sequence) = (stream.kind, stream.sequence);
        let table = std::mem::take(&mut stream.table);
        match kind {
            StreamKind::Ping => self.send_stream(StreamKind::Ack, node, from, sequence),
            StreamKind::Ack => self.stream_ack(node, sequence),
            StreamKind::Push => {
                self.send_stream(StreamKind::Pull, node, from, sequence);
                self.merge(node, &table);
            }
            StreamKind::Pull => {
                let push_pull = self.nodes[node].push_pull;
                if push_pull.is_busy && push_pull.sequence == sequence {
                    self.merge(node, &table);
                    self.end_push_pull(node, sequence);
                }
            }
        }
        self.streams.at(slot).table = table;
        self.streams.give_back(slot);
    }

    /// Takes over what another believes. Its dead are only suspected.
    fn merge(&mut self, node: usize, table: &[Belief]) {
        for (subject, belief) in (0..).zip(table) {
            let incarnation = belief.incarnation;
            let (claim, from) = match belief.state {
                State::Alive => (Claim::Alive, subject),
                State::Suspect | State::Dead => (Claim::Suspect, node as u16),
                State::Unknown => continue,
            };
            self.apply(node, Update { claim, incarnation, subject, from });
        }
    }
}

/// Members chosen for something: never more than a gossip round needs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Chosen {
    members: [u16; GOSSIP_NODES],
    count: usize,
}

impl std::ops::Deref for Chosen {
    type Target = [u16];

    fn deref(&self) -> &[u16] {
        &self.members[..self.count]
    }
}

/// Bytes of a push/pull besides its entries.
const TABLE_HEAD: u64 = 31;
/// Bytes of an entry with a name of eight letters and no metadata.
const TABLE_ENTRY: u64 = 70;
