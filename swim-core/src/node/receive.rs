//! Packets that came in: opened, checked as a whole, then applied message by message. (S9)

use alloc::string::ToString;
use core::net::SocketAddr;

use bytes::Bytes;

use super::{Node, Phase};
use crate::{
    event::EventKind,
    name::Name,
    probe::Probe,
    reject::Reject,
    sabotage::sabotaged,
    table::MemberIndex,
    wire::{Ack, Message, Nack, Opened, Ping, Receiver, Sender, To},
};

impl Node {
    pub(super) fn on_packet(&mut self, from: SocketAddr, data: &[u8]) {
        self.stats.packets_after_leave += u64::from(self.phase == Phase::Left);
        if self.is_silent() {
            return;
        }
        self.stats.packets_received += 1;
        self.stats.bytes_received += data.len() as u64;
        if self.config.allow.as_ref().is_some_and(|list| !list.allows(from.ip())) {
            return self.reject(Reject::Source, from);
        }
        let mut scratch = core::mem::take(&mut self.scratch);
        match self.wire.open_packet(self.wall, data, &mut scratch) {
            Ok(opened) => self.on_opened(from, data.len(), &opened),
            #[cfg(feature = "sabotage")]
            Err(reject) if self.swallows(reject, from, data) => {}
            Err(reject) => {
                self.reject(reject, from);
                if sabotaged!(self, ActsOnRefusedPackets) {
                    self.change_health(1);
                }
            }
        }
        self.scratch = scratch;
    }

    pub(super) fn on_opened(&mut self, from: SocketAddr, len: usize, opened: &Opened<'_>) {
        let is_ours = match opened.sender {
            Some(sender) => sender.name == self.name,
            None => from == self.config.addr,
        };
        if is_ours {
            // Our own packet coming back, or another node of our name: neither is to be believed.
            return self.reject(Reject::OwnName, from);
        }
        if self.phase == Phase::Left && !sabotaged!(self, SpeaksAfterLeaving) {
            return self.on_opened_after_leave(from, len, opened);
        }
        match opened.to {
            To::FormerUs if !sabotaged!(self, ReadsFormerLives) => {
                self.reject(Reject::FormerLife, from);
                return self.answer_as_stranger(from, len, opened);
            }
            To::Overtaken => return self.on_overtaken(from, len, opened),
            To::Us | To::FormerUs | To::Anybody => {}
        }
        self.stats.messages_unknown += u64::from(opened.unknown);
        opened.refused.iter().for_each(|&reject| self.reject(reject, from));
        let peer = self.peer_at(from, opened.sender);
        if let (Some(peer), Some(sender)) = (peer, opened.sender) {
            self.on_sender_stamp(peer, sender.stamp);
        }
        let mut ping = None;
        for &message in &opened.messages {
            if self.phase == Phase::Left && !sabotaged!(self, SpeaksAfterLeaving) {
                return; // What came before completed our leave: not another word. (S7)
            }
            match message {
                // Answered last, so that the answer knows what came with it.
                Message::Ping(the_ping) => ping = Some(the_ping),
                _ => self.on_message((from, len), peer, opened, &message),
            }
        }
        if let Some(ping) =
            ping.filter(|_| self.phase != Phase::Left || sabotaged!(self, SpeaksAfterLeaving))
        {
            self.on_ping(from, peer, opened, &ping, len);
        }
    }

    /// Whether nothing that comes is looked at: after a leave, until the node comes back or ends.
    /// (S7)
    fn is_silent(&self) -> bool {
        self.phase == Phase::Left
            && self.config.dialect.is_native()
            && !sabotaged!(self, SpeaksAfterLeaving)
    }

    /// In the old dialect, who has not heard of our leave asks on, and is told of it with the
    /// answer: whoever hears nothing but acks holds us for alive as long as this process runs, and
    /// has others take us in again once they have forgotten that we left. memberlist net.go:
    /// `handlePing`, bettered.
    fn on_opened_after_leave(&mut self, from: SocketAddr, len: usize, opened: &Opened<'_>) {
        for message in &opened.messages {
            if let Message::Ping(ping) = message {
                self.tell_of_leave_again(from, ping.nonce, len);
            }
        }
    }

    /// Far later numbers of this session were seen. It may be a recording, and changes nothing. Or
    /// somebody else who has the key uses up its sender's numbers: the answer makes the sender go
    /// on under others. Where that has happened to both, only that answer gets through: nobody else
    /// can know the number that it answers. (X4)
    fn on_overtaken(&mut self, from: SocketAddr, len: usize, opened: &Opened<'_>) {
        let peer = self.peer_at(from, opened.sender);
        for message in &opened.messages {
            if let (Some(peer), Some(sender), Message::Nack(nack)) = (peer, opened.sender, message)
                && self.answers_as_stranger(peer, sender, *nack)
            {
                return;
            }
        }
        self.reject(Reject::Replayed, from);
        self.answer_as_stranger(from, len, opened);
    }

    /// What was sent to this node before it started anew may be a recording, and changes nothing.
    /// It may also be from a member that has not heard of the new life: a ping is answered as
    /// that of a stranger, in fewer bytes than it has, and the answer shows that life. (X4, X6)
    fn answer_as_stranger(&mut self, from: SocketAddr, len: usize, opened: &Opened<'_>) {
        let is_ping = |message: &&Message<'_>| matches!(message, Message::Ping(_));
        if let Some(Message::Ping(ping)) = opened.messages.iter().find(is_ping)
            && let Some(receiver) = opened.sender.map(receiver_of)
        {
            let nack = Message::Nack(Nack { nonce: ping.nonce });
            self.send_to_stranger(from, Some(receiver), &[nack], len);
        }
    }

    fn on_message(
        &mut self,
        (from, len): (SocketAddr, usize),
        peer: Option<MemberIndex>,
        opened: &Opened<'_>,
        message: &Message<'_>,
    ) {
        match (message, peer) {
            (Message::Claim(claim), _) => {
                let source = self.heard_from(from, peer);
                self.on_claim(claim, source);
            }
            (Message::Broadcast(broadcast), _) => self.on_broadcast(broadcast, peer),
            (Message::Ack(ack), _) => {
                let peer = self.answerer(from, peer, opened.sender, ack.nonce);
                self.on_ack(peer, opened.sender, ack);
                // It may have ended our leave. (S7)
                if let Some(peer) = peer.filter(|_| self.phase != Phase::Left) {
                    self.on_ack_digest(peer, ack.digest);
                }
            }
            (Message::Direct(payload), _) => {
                self.emit(EventKind::Message {
                    from: self.name_at(from, opened.sender),
                    addr: from,
                    payload: Bytes::copy_from_slice(payload),
                    reliable: false,
                });
            }
            (Message::IndirectPing(request), Some(peer)) => {
                self.on_indirect_ping(peer, request, len);
            }
            (Message::RelayedAck(ack), Some(peer)) => self.on_relayed_ack(peer, ack),
            (Message::Nack(nack), Some(peer)) => {
                let peer = self.answerer(from, Some(peer), opened.sender, nack.nonce);
                peer.into_iter().for_each(|peer| self.on_nack(peer, opened.sender, *nack));
            }
            (Message::BroadcastSummary(summary), Some(peer)) => self.on_summary(peer, summary),
            // Strangers get no work done. (X6)
            (
                Message::IndirectPing(_)
                | Message::RelayedAck(_)
                | Message::Nack(_)
                | Message::BroadcastSummary(_),
                None,
            ) => self.reject(Reject::Stranger, from),
            (
                Message::Ping(_)
                | Message::ExchangeHead(_)
                | Message::Entry(_)
                | Message::StatePiece(_)
                | Message::DeliveryHead(_)
                | Message::DeliveryPiece(_)
                | Message::Delivered
                | Message::Refused(_)
                | Message::Readdress,
                _,
            ) => unreachable!("the wire lets these through in their place only"),
        }
    }

    /// Answers to where the packet came from, never to an address in it. A stranger is told only
    /// that we are here and don't know it, in fewer bytes than it asked. (X6)
    fn on_ping(
        &mut self,
        from: SocketAddr,
        peer: Option<MemberIndex>,
        opened: &Opened<'_>,
        ping: &Ping,
        len: usize,
    ) {
        let Some(peer) = peer else { return self.on_ping_of_stranger(from, opened, ping, len) };
        let digest = self.digest();
        let payload = self.ack_payload.clone();
        let ack = Ack { nonce: ping.nonce, digest, payload: &payload };
        let is_answered = if self.table.get(peer).is_validated() {
            self.send_with_unheard(peer, Message::Ack(ack));
            true
        } else {
            self.acknowledge_unvalidated(peer, ack, len)
        };
        if is_answered {
            self.table.note_answered(peer);
        }
        self.on_ping_digest(peer, ping.digest);
    }

    fn on_ping_of_stranger(
        &mut self,
        from: SocketAddr,
        opened: &Opened<'_>,
        ping: &Ping,
        len: usize,
    ) {
        let nonce = ping.nonce;
        let Some(sender) = opened.sender else {
            // The old dialect has no word for it: we are here, and that is all.
            self.send_to_stranger(from, None, &[Message::Ack(Ack::bare(nonce))], len);
            return;
        };
        let nack = Message::Nack(Nack { nonce });
        self.send_to_stranger(from, Some(receiver_of(sender)), &[nack], len);
        if sabotaged!(self, AnswersStrangersTwice) {
            self.send_to_stranger(from, Some(receiver_of(sender)), &[nack], len);
        }
    }

    /// The member that a packet from this address comes from. A name at another address than it is
    /// known to have is a stranger's; without a name, the address tells.
    pub(super) fn peer_at(
        &self,
        from: SocketAddr,
        sender: Option<Sender<'_>>,
    ) -> Option<MemberIndex> {
        match sender {
            Some(sender) => {
                let index = self.table.find(sender.name)?;
                (self.table.get(index).addr() == from).then_some(index)
            }
            None => self.table.find_addr(from).filter(|&index| index != MemberIndex::SELF),
        }
    }

    /// Who answers under this nonce. Where packets don't say who sent them, several members may be
    /// known at the address, and the one that was asked is meant.
    fn answerer(
        &self,
        from: SocketAddr,
        peer: Option<MemberIndex>,
        sender: Option<Sender<'_>>,
        nonce: u64,
    ) -> Option<MemberIndex> {
        if sender.is_some() {
            return peer;
        }
        let probe = self.probe.as_ref().filter(|probe| probe.nonce == nonce);
        let told = self.leave.as_ref().and_then(|leave| leave.asked(nonce));
        let pinged = self.pings.get(&nonce).and_then(|ping| self.table.find(ping.target.by_ref()));
        let asked = probe.into_iter().flat_map(Probe::asked);
        let mut asked = asked.chain(self.relays.target(nonce)).chain(told).chain(pinged);
        let is_there = |&index: &MemberIndex| {
            self.table.try_get(index).is_some_and(|record| record.addr() == from)
        };
        asked.find(is_there).or(peer)
    }

    /// What whoever speaks from this address is called. Where it doesn't say, and nobody is known
    /// to be there, its address must do.
    pub(super) fn name_at(&self, from: SocketAddr, sender: Option<Sender<'_>>) -> Name {
        let known = || self.table.find_addr(from).map(|index| self.table.get(index).name());
        match sender.map(|sender| sender.name).or_else(known) {
            Some(name) => Name::from_checked(name),
            None => Name::new(&from.to_string()).expect("an address is a short text"),
        }
    }
}

/// Who is answered: whoever has just spoken, in the life in which it spoke.
fn receiver_of(sender: Sender<'_>) -> Receiver<'_> {
    Receiver { name: sender.name, life: sender.stamp.life, protocol_max: 0 }
}
