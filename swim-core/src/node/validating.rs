//! Which members are where they are said to be: they have answered a number that was sent there and
//! nowhere else, or spoken on a stream with that address. As long as one has not, whoever is there
//! may never have heard of the cluster, and packets from there may be somebody else's. It is probed
//! and told the news as every member is, but gets one answer for one question, and none that is
//! longer; and once it is dead, it is soon forgotten. (X6, X10)

use super::Node;
use crate::{
    io::StreamId,
    stream::Role,
    table::MemberIndex,
    wire::{Ack, Message, Sender},
};

impl Node {
    /// A member answers under this nonce.
    pub(super) fn validate_by_answer(&mut self, from: MemberIndex, nonce: u64) {
        let record = self.table.get(from);
        if record.is_validated() {
            return;
        }
        // From then on helpers know the number of a probe, too.
        let is_probed = self.probe.as_ref().is_some_and(|probe| {
            probe.nonce == nonce && probe.target == from && probe.timeout_at.is_some()
        });
        let is_pinged =
            || self.pings.get(&nonce).is_some_and(|ping| record.name() == ping.target.by_ref());
        let is_compared = || self.repair.asked(nonce, self.now) == Some(record.addr());
        let is_told = || self.leave.as_ref().is_some_and(|leave| leave.asked(nonce) == Some(from));
        if is_probed
            || self.relays.target(nonce) == Some(from)
            || is_pinged()
            || is_compared()
            || is_told()
        {
            self.table.validate(from);
        }
    }

    /// A peer has said on a stream all that it will say.
    pub(super) fn validate_by_stream(&mut self, id: StreamId, by: Option<Sender<'_>>) {
        let Some(stream) = self.streams.get(&id) else { return };
        let peer = match (&stream.role, by) {
            (Role::Asks(_), _) => self.peer_at(stream.peer, by),
            // It dials from any port.
            (Role::Serves(_), Some(by)) => self
                .table
                .find(by.name)
                .filter(|&index| self.table.get(index).addr().ip() == stream.peer.ip()),
            (Role::Serves(_), None) => None,
        };
        if let Some(peer) = peer {
            self.table.validate(peer);
        }
    }

    /// Answers a member that has asked in so many bytes.
    pub(super) fn answer(&mut self, peer: MemberIndex, message: &Message<'_>, asked_len: usize) {
        if self.table.get(peer).is_validated() {
            self.send_to_member(peer, core::slice::from_ref(message));
        } else {
            let is_sent = self.send_to_unvalidated(peer, message, asked_len);
            self.stats.answers_withheld += u64::from(!is_sent);
        }
    }

    /// Acknowledges a ping with as much as may be said; false if that is nothing.
    pub(super) fn acknowledge_unvalidated(
        &mut self,
        peer: MemberIndex,
        ack: Ack<'_>,
        len: usize,
    ) -> bool {
        let briefly = Ack { payload: &[], ..ack };
        let barely = Ack::bare(ack.nonce);
        let lengths = [Some(ack), Some(briefly).filter(|it| *it != ack), Some(barely)];
        let mut acks = lengths.into_iter().flatten();
        let sent = acks.position(|ack| self.send_to_unvalidated(peer, &Message::Ack(ack), len));
        self.stats.answers_withheld += u64::from(sent != Some(0));
        sent.is_some()
    }
}
