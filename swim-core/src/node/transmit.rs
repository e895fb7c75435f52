//! Packets: what a packet is for, and what rides along on it. SWIM 4.1: dissemination by
//! piggybacking on pings and acks.

use core::{iter::Peekable, net::SocketAddr, slice, time::Duration};

use bytes::Bytes;

use super::Node;
use crate::{
    claims::{Audience, Offer},
    event::EventKind,
    io::Output,
    math,
    member::State,
    name::NameRef,
    outbox::Outbox,
    sabotage::sabotaged,
    stamp::Stamp,
    table::{MemberIndex, Record, Table},
    time::Instant,
    wire::{
        Accusation, Broadcast, Claim, Departure, Digest, Message, PacketWriter, Receiver, Sender,
        Wire,
    },
};

/// Every so many packets, user broadcasts are served before membership news.
const USER_TURN: u64 = 4;

impl Node {
    /// Sends `messages` to a member, with as much news as fits. A member that is in doubt is told
    /// so, that it can refute at once. Lifeguard, Buddy System. Returns our stamp if the packet
    /// introduces us under it.
    pub(super) fn send_to_member(
        &mut self,
        to: MemberIndex,
        messages: &[Message<'_>],
    ) -> Option<Stamp> {
        self.send_with_rider(to, messages, None).1
    }

    /// The same with a claim that rides along if it fits; says also whether it did.
    pub(super) fn send_with_rider(
        &mut self,
        to: MemberIndex,
        messages: &[Message<'_>],
        rider: Option<Claim<'_>>,
    ) -> (bool, Option<Stamp>) {
        let record = self.table.get(to);
        let addr = record.addr();
        let mut writer = begin(
            &mut self.wire,
            &self.table,
            self.name.by_ref(),
            self.wall,
            Some(receiver(record)),
        );
        push_all(&mut writer, messages);
        if let Some(doubt) = doubt_about(record, self.name.by_ref()) {
            writer.push(&Message::Claim(doubt));
        }
        let rides = rider.is_some_and(|claim| writer.push(&Message::Claim(claim)));
        let introduced = self.unheard_stamp().filter(|_| self.introduce(&mut writer));
        // Who can't be sure yet that we are here answers in no more bytes than it is asked in. An
        // ack with a digest has as many as a ping, but for the names of those who send them. (X6)
        let is_short = record.name().as_bytes().len() > self.name.len();
        let is_asked = messages.iter().any(|message| matches!(message, Message::Ping(_)));
        if is_asked && is_short && introduced.is_none() && !record.is_validated() {
            self.introduce(&mut writer);
        }
        self.fill(&mut writer, to);
        self.send(addr, writer);
        (rides, introduced)
    }

    /// Sends messages to an address, and nothing else, if they take no more than so many bytes: we
    /// don't know who is there. Returns whether they were sent. (X6)
    pub(super) fn send_to_stranger(
        &mut self,
        addr: SocketAddr,
        to: Option<Receiver<'_>>,
        messages: &[Message<'_>],
        len_max: usize,
    ) -> bool {
        let writer = begin(&mut self.wire, &self.table, self.name.by_ref(), self.wall, to);
        let is_sent = self.send_within(addr, writer, messages, len_max);
        self.stats.answers_withheld += u64::from(!is_sent);
        is_sent
    }

    /// The same to a member that has yet to show that it is at its address; what is not sent is the
    /// caller's to count, who may try fewer words.
    pub(super) fn send_to_unvalidated(
        &mut self,
        to: MemberIndex,
        message: &Message<'_>,
        len_max: usize,
    ) -> bool {
        let record = self.table.get(to);
        let (addr, own_name, to) = (record.addr(), self.name.by_ref(), receiver(record));
        let writer = begin(&mut self.wire, &self.table, own_name, self.wall, Some(to));
        self.send_within(addr, writer, slice::from_ref(message), len_max)
    }

    fn send_within(
        &mut self,
        to: SocketAddr,
        mut writer: PacketWriter,
        messages: &[Message<'_>],
        len_max: usize,
    ) -> bool {
        push_all(&mut writer, messages);
        let data = self.wire.finish_packet(writer);
        let fits = data.len() <= len_max;
        if fits {
            self.put(to, data);
        }
        fits
    }

    /// Sends a round's packet of news to a member; false if there was none for it.
    pub(super) fn gossip_to(&mut self, to: MemberIndex) -> bool {
        let record = self.table.get(to);
        let addr = record.addr();
        let mut writer = begin(
            &mut self.wire,
            &self.table,
            self.name.by_ref(),
            self.wall,
            Some(receiver(record)),
        );
        if let Some(doubt) = doubt_about(record, self.name.by_ref()) {
            writer.push(&Message::Claim(doubt));
        }
        let is_unheard = self.unheard_stamp().is_some();
        self.fill(&mut writer, to);
        if writer.is_empty() {
            self.wire.discard_packet(writer);
            return false;
        }
        if is_unheard {
            self.introduce(&mut writer);
        }
        self.send(addr, writer);
        true
    }

    /// Sends as many of these broadcasts to a member as one packet holds.
    pub(super) fn send_broadcasts(
        &mut self,
        to: MemberIndex,
        places: &mut Peekable<impl Iterator<Item = usize>>,
    ) {
        let record = self.table.get(to);
        let addr = record.addr();
        let mut writer = begin(
            &mut self.wire,
            &self.table,
            self.name.by_ref(),
            self.wall,
            Some(receiver(record)),
        );
        while let Some(&place) = places.peek() {
            let message = Message::Broadcast(self.broadcasts.at(place, self.now));
            let is_first = writer.is_empty();
            if !writer.push(&message) && !is_first {
                break;
            }
            places.next();
        }
        self.send(addr, writer);
    }

    /// What our view looks like, in a few bytes.
    pub(super) fn digest(&mut self) -> Digest {
        let window = self.dissemination_window();
        Digest {
            members: self.table.digest(),
            broadcasts: self.broadcasts.digest(self.now, window),
            settled: self.table.changed_at() + window <= self.now || self.is_stormy(),
        }
    }

    /// How many bytes the largest single message may have, its part header included.
    pub(super) fn message_room(&self) -> usize {
        self.wire.packet_capacity(self.name.len())
    }

    pub(super) fn dissemination_window(&self) -> Duration {
        math::dissemination_window(self.gossip_pace(), self.table.live())
    }

    /// How often news is passed on: with rounds, or else with probes.
    pub(super) fn gossip_pace(&self) -> Duration {
        let gossips = self.config.gossips();
        if gossips { self.config.gossip_interval } else { self.config.probe_interval }
    }

    /// How often one update is sent by this node.
    pub(super) fn send_limit(&self) -> u32 {
        math::retransmit_limit(self.config.retransmit_mult, self.table.live())
    }

    fn send(&mut self, to: SocketAddr, writer: PacketWriter) {
        let data = self.wire.finish_packet(writer);
        self.put(to, data);
    }

    fn put(&mut self, to: SocketAddr, data: Bytes) {
        debug_assert!(data.len() <= self.config.packet_len_max);
        let data = if sabotaged!(self, SendsLongPackets) {
            Bytes::from(alloc::vec![0; self.config.packet_len_max + 1])
        } else {
            data
        };
        self.stats.packets_sent += 1;
        self.stats.bytes_sent += data.len() as u64;
        if sabotaged!(self, SendsUnderOneNonceTwice) {
            self.outbox.push(Output::SendPacket { to, data: data.clone() });
        }
        self.outbox.push(Output::SendPacket { to, data });
    }

    /// Our stamp, as long as nobody is known to have heard what stands under it: every packet shows
    /// it, and whoever knows that alone can't tell others. `None` too while that waits to be
    /// gossiped, because then it rides along as other news does.
    fn unheard_stamp(&self) -> Option<Stamp> {
        let is_alive = self.table.get(MemberIndex::SELF).state() == State::Alive;
        let is_due = is_alive && !self.claims.is_waiting(MemberIndex::SELF);
        self.unheard.own().filter(|_| is_due)
    }

    /// Says what we are, if it fits.
    fn introduce(&self, writer: &mut PacketWriter) -> bool {
        let own = self.table.get(MemberIndex::SELF).profile();
        writer.push(&Message::Claim(Claim::Alive(own.alive())))
    }

    /// Fills a packet with news: claims first, then broadcasts; every fourth packet the other way
    /// round, so that a storm of claims does not starve the broadcasts.
    fn fill(&mut self, writer: &mut PacketWriter, to: MemberIndex) {
        if !self.has_news() {
            return;
        }
        // Whoever has come lately may not know what others were told before.
        let is_complete = self.welcomed_at + self.dissemination_window() <= self.now;
        let everybody = self.table.low_live().filter(|_| is_complete);
        let is_endless = sabotaged!(self, RepeatsClaimsForEver);
        let limit = if is_endless { u32::MAX } else { self.send_limit() };
        let audience = Audience { to, limit, everybody };
        let broadcasts_first = self.stats.packets_sent.is_multiple_of(USER_TURN);
        if broadcasts_first {
            self.fill_broadcasts(writer, audience);
        }
        self.fill_claims(writer, audience);
        if !broadcasts_first {
            self.fill_broadcasts(writer, audience);
        }
    }

    fn fill_claims(&mut self, writer: &mut PacketWriter, audience: Audience) {
        let (now, capacity) = (self.now, self.message_room());
        let Self { claims, table, name, outbox, update, .. } = self;
        let offer = |subject: MemberIndex, accuser: MemberIndex| {
            let Some(claim) = claim_about(table, subject, accuser, name.by_ref()) else {
                return Offer::Obsolete;
            };
            fit(writer, &Message::Claim(claim), capacity)
        };
        claims.fill(audience, offer, |subject, sends| {
            report_sent(outbox, update, now, subject, sends);
        });
    }

    fn fill_broadcasts(&mut self, writer: &mut PacketWriter, audience: Audience) {
        let capacity = self.message_room();
        let Self { broadcasts, outbox, now, .. } = self;
        let offer =
            |broadcast: &Broadcast<'_>| fit(writer, &Message::Broadcast(*broadcast), capacity);
        broadcasts.fill(audience, *now, offer, |id, sends| {
            outbox.event(*now, EventKind::BroadcastSent { id, sends });
        });
    }
}

/// A claim was sent as often as it will be; if it is our own change of metadata, says so.
pub(super) fn report_sent(
    outbox: &mut Outbox,
    update: &mut Option<Stamp>,
    now: Instant,
    subject: MemberIndex,
    sends: u32,
) {
    if subject == MemberIndex::SELF
        && let Some(stamp) = update.take()
    {
        outbox.event(now, EventKind::UpdateSent { stamp, sends });
    }
}

/// Writes news into a packet if it fits. What would not fit into an empty one is left to members
/// with larger packets, and to exchanges.
fn fit(writer: &mut PacketWriter, news: &Message<'_>, capacity: usize) -> Offer {
    if writer.push(news) {
        Offer::Taken
    } else if writer.encoded_len(news) > capacity {
        Offer::Obsolete
    } else {
        Offer::TooLarge
    }
}

/// What is to be said about `subject`, read from the table.
fn claim_about<'a>(
    table: &'a Table,
    subject: MemberIndex,
    accuser: MemberIndex,
    own_name: NameRef<'a>,
) -> Option<Claim<'a>> {
    let record = table.try_get(subject)?;
    let stamp = record.stamp();
    let from = table.try_get(accuser).map_or(own_name, Record::name);
    let accusation = Accusation { name: record.name(), stamp, from };
    match record.state() {
        State::Alive if record.profile_is_current() => Some(Claim::Alive(record.profile().alive())),
        State::Alive => None, // Only it can say what it is in its new incarnation.
        State::Suspect => Some(Claim::Suspect(accusation)),
        State::Dead => Some(Claim::Dead(accusation)),
        State::Left => {
            let reason = record.reason();
            Some(Claim::Left(Departure { name: record.name(), stamp, reason }))
        }
    }
}

/// What a member should know that we believe of it.
fn doubt_about<'a>(record: &'a Record, own_name: NameRef<'a>) -> Option<Claim<'a>> {
    let (name, stamp) = (record.name(), record.stamp());
    let accusation = Accusation { name, stamp, from: own_name };
    match record.state() {
        State::Alive => None,
        State::Suspect => Some(Claim::Suspect(accusation)),
        State::Dead => Some(Claim::Dead(accusation)),
        State::Left => Some(Claim::Left(Departure { name, stamp, reason: record.reason() })),
    }
}

fn begin(
    wire: &mut Wire,
    table: &Table,
    own_name: NameRef<'_>,
    wall: Option<u32>,
    to: Option<Receiver<'_>>,
) -> PacketWriter {
    let sender = Sender { name: own_name, stamp: table.get(MemberIndex::SELF).stamp() };
    wire.begin_packet(wall, sender, to)
}

fn receiver(record: &Record) -> Receiver<'_> {
    let (profile, life) = (record.profile(), record.stamp().life);
    Receiver { name: profile.name(), life, protocol_max: profile.versions().protocol.max }
}

fn push_all(writer: &mut PacketWriter, messages: &[Message<'_>]) {
    for message in messages {
        let fits = writer.push(message);
        debug_assert!(fits, "what a packet is for was measured beforehand");
    }
}
