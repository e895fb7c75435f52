//! What comes in on streams: exchanges of tables, deliveries, pings, and their answers.
//! memberlist net.go: `handleConn`, `mergeRemoteState`.
//!
//! A frame is applied as soon as it has come, so that a table of any size costs one frame of
//! memory. Whoever is asked answers only after it has applied the question: who gets an answer is
//! known to the one who gave it.

use alloc::{format, string::String};

use bytes::Bytes;

use super::{
    Node,
    membership::{Source, Succession},
};
use crate::{
    event::{EventKind, SeedOutcome},
    io::StreamId,
    limits::EVENTS_SPARE,
    member::State,
    name::{self, Name, NameRef},
    policy::ExchangePeer,
    reject::Reject,
    stream::{Purpose, Recipient, Request, Role},
    table::MemberIndex,
    wire::{Ack, Alive, Digest, Entry, ExchangeHead, Message, Opened, Refusal, To},
};

impl Node {
    pub(super) fn on_stream_chunk(&mut self, id: StreamId, mut data: &[u8]) {
        self.stats.stream_bytes_received += data.len() as u64;
        self.touch_stream(id);
        let mut scratch = core::mem::take(&mut self.scratch);
        while let Some(stream) = self.streams.get_mut(&id) {
            let opened =
                self.wire.open_frame(self.wall, &mut stream.channel, &mut data, &mut scratch);
            match opened.and_then(|opened| self.make_room_for_bytes(id).map(|()| opened)) {
                Ok(Some(opened)) => self.on_frame(id, &opened),
                Ok(None) => break,
                Err(reject) => self.reject_stream(id, reject),
            }
        }
        self.scratch = scratch;
    }

    fn on_frame(&mut self, id: StreamId, opened: &Opened<'_>) {
        self.stats.messages_unknown += u64::from(opened.unknown);
        let Some(stream) = self.streams.get(&id) else { return };
        let (peer, is_request) = (stream.peer, stream.is_mute());
        opened.refused.iter().for_each(|&reject| self.reject(reject, peer));
        let result =
            if is_request { self.on_request(id, opened) } else { self.on_messages(id, opened, 0) };
        if let Err(reject) = result {
            return self.reject_stream(id, reject);
        }
        if opened.last {
            // What may be a recording shows nobody to be there.
            if opened.to == To::Us {
                self.validate_by_stream(id, opened.sender);
            }
            self.on_half_complete(id);
        }
    }

    /// The first frame of a stream that a peer opened: what it wants.
    fn on_request(&mut self, id: StreamId, opened: &Opened<'_>) -> Result<(), Reject> {
        let first = *opened.messages.first().ok_or(Reject::Misplaced)?;
        let addr = self.streams.get(&id).ok_or(Reject::Misplaced)?.peer;
        let peer = self.name_at(addr, opened.sender);
        self.address_stream(id, opened.sender.map(Recipient::of));
        let changes_nothing = matches!(first, Message::Ping(_));
        if opened.to != To::Us && !changes_nothing {
            self.ask_to_readdress(id);
            return Ok(());
        }
        let stream = self.streams.get_mut(&id).ok_or(Reject::Misplaced)?;
        match first {
            Message::Ping(ping) => {
                let nonce = ping.nonce;
                // Go has nothing to say there. memberlist net.go: `handleConn`.
                let is_native = self.config.dialect.is_native();
                let payload = if is_native { self.ack_payload.clone() } else { Bytes::new() };
                let ack = Ack { nonce, digest: Digest::default(), payload: &payload };
                self.write_one(id, &Message::Ack(ack));
                Ok(())
            }
            Message::ExchangeHead(head) => {
                if head.state_len as usize > self.config.state_len_max {
                    return Err(Reject::Oversize);
                }
                stream.role = Role::Serves(Some(Request::Exchange { peer, join: head.join }));
                stream.incoming.has_head = true;
                stream.incoming.expected = head.state_len as usize;
                stream.incoming.join = head.join;
                if let Err(reason) = self.admit_exchange(id, opened, &head) {
                    self.refuse(id, &reason, None);
                    return Ok(());
                }
                self.on_messages(id, opened, 1)
            }
            Message::DeliveryHead(head) => {
                if head.len as usize > self.config.message_len_max {
                    return Err(Reject::Oversize);
                }
                stream.role = Role::Serves(Some(Request::Delivery { from: peer }));
                stream.incoming.has_head = true;
                stream.incoming.expected = head.len as usize;
                self.on_messages(id, opened, 1)
            }
            _ => Err(Reject::Misplaced),
        }
    }

    /// Applies the messages of a frame, from one on.
    fn on_messages(
        &mut self,
        id: StreamId,
        opened: &Opened<'_>,
        skip: usize,
    ) -> Result<(), Reject> {
        for &message in opened.messages.iter().skip(skip) {
            let Some(stream) = self.streams.get_mut(&id) else { return Ok(()) };
            if !belongs(&stream.role, &message) {
                return Err(Reject::Misplaced);
            }
            match message {
                Message::ExchangeHead(head) => self.on_answer_head(id, opened, &head)?,
                Message::Entry(entry) => {
                    if !stream.incoming.has_head {
                        self.on_name_holder(id, &entry)?;
                        continue;
                    }
                    // What a node that was alone learns is old news to the rest of the cluster.
                    let (addr, is_news) = (stream.peer, !stream.was_alone);
                    let (first_hand, carrier) = match opened.sender {
                        Some(by) => (entry.alive.name == by.name, self.table.find(by.name)),
                        None => (entry.alive.addr == addr, self.peer_at(addr, None)),
                    };
                    let says_so_itself = first_hand || opened.sender.is_none();
                    let in_person = says_so_itself && entry.alive.addr.ip() == addr.ip();
                    let (conflicts, told) = (self.stats.conflicts, self.outbox.next_seq());
                    let source = Source { addr, carrier, is_news, first_hand, in_person };
                    let is_too_soon = first_hand && self.is_too_soon(&entry.alive);
                    self.on_entry(&entry, source);
                    self.count_told(id, told)?;
                    if is_too_soon || first_hand && self.stats.conflicts > conflicts {
                        self.refuse_taken_name(id, entry.alive.name, is_too_soon);
                    }
                }
                Message::StatePiece(piece) | Message::DeliveryPiece(piece) => {
                    if !stream.incoming.take(piece) {
                        return Err(Reject::Misplaced);
                    }
                    self.make_room_for_bytes(id)?;
                }
                Message::Ack(ack) => self.on_stream_ack(id, opened, &ack)?,
                Message::Delivered => {
                    let by_receiver = stream
                        .role
                        .peer()
                        .zip(opened.sender)
                        .is_some_and(|(to, by)| by.name == *to);
                    stream.incoming.is_confirmed = by_receiver;
                }
                Message::Refused(refusal) => {
                    stream.incoming.refused = Some(String::from(refusal.text));
                }
                Message::Readdress => {
                    let by = opened.sender.ok_or(Reject::Misplaced)?;
                    self.ask_again(id, by)?;
                }
                Message::Ping(_)
                | Message::IndirectPing(_)
                | Message::RelayedAck(_)
                | Message::Nack(_)
                | Message::Claim(_)
                | Message::Broadcast(_)
                | Message::BroadcastSummary(_)
                | Message::Direct(_)
                | Message::DeliveryHead(_) => return Err(Reject::Misplaced),
            }
        }
        Ok(())
    }

    /// Whoever tells a table tells each member once, which is two events at most: it came or
    /// changed, and is in doubt or gone. What changes its mind in one table again and again would
    /// fill the memory with events before anybody could take them. (M1)
    fn count_told(&mut self, id: StreamId, since: u64) -> Result<(), Reject> {
        let told = self.outbox.next_seq() - since;
        let Some(stream) = self.streams.get_mut(&id) else { return Ok(()) };
        stream.incoming.told += told;
        let max = 2 * self.config.members_max as u64 + EVENTS_SPARE;
        if stream.incoming.told <= max { Ok(()) } else { Err(Reject::Excess) }
    }

    /// Before it refuses us, a peer shows who has our name. (L11)
    fn on_name_holder(&mut self, id: StreamId, entry: &Entry<'_>) -> Result<(), Reject> {
        if entry.alive.name != self.name || entry.alive.addr == self.config.addr {
            return Err(Reject::Misplaced);
        }
        // A former life of ours, most likely: no conflict, and soon past.
        if entry.state == State::Left && entry.stamp.life < self.own_stamp().life {
            if let Some(stream) = self.streams.get_mut(&id) {
                stream.incoming.is_too_soon = true;
            }
            return Ok(());
        }
        self.on_conflict(MemberIndex::SELF, &entry.alive);
        Ok(())
    }

    /// The answer to an exchange begins.
    fn on_answer_head(
        &mut self,
        id: StreamId,
        opened: &Opened<'_>,
        head: &ExchangeHead,
    ) -> Result<(), Reject> {
        if head.state_len as usize > self.config.state_len_max {
            return Err(Reject::Oversize);
        }
        let own_life = self.own_stamp().life;
        let is_myself =
            opened.sender.is_some_and(|by| by.name == self.name && by.stamp.life == own_life);
        let peer = self.streams.get(&id).map(|stream| self.name_at(stream.peer, opened.sender));
        let Some(stream) = self.streams.get_mut(&id) else { return Ok(()) };
        if !matches!(stream.role, Role::Asks(Purpose::Exchange { .. })) || stream.incoming.has_head
        {
            return Err(Reject::Misplaced);
        }
        stream.incoming.has_head = true;
        stream.incoming.expected = head.state_len as usize;
        stream.incoming.peer = peer;
        stream.incoming.join = head.join;
        if is_myself {
            self.fail_stream(id, &SeedOutcome::Myself);
        } else if let Err(reason) = self.admit_exchange(id, opened, head) {
            self.fail_stream(id, &SeedOutcome::Refused { reason });
        }
        Ok(())
    }

    fn on_stream_ack(
        &mut self,
        id: StreamId,
        opened: &Opened<'_>,
        ack: &Ack<'_>,
    ) -> Result<(), Reject> {
        let Some(stream) = self.streams.get_mut(&id) else { return Ok(()) };
        let Role::Asks(Purpose::Ping { nonce, target }) = &stream.role else {
            return Err(Reject::Misplaced);
        };
        stream.incoming.is_confirmed =
            *nonce == ack.nonce && opened.sender.is_none_or(|by| by.name == *target);
        if stream.incoming.is_confirmed
            && let Some(by) = opened.sender
            && let Some(sender) = self.table.find(by.name)
        {
            self.on_sender_stamp(sender, by.stamp);
        }
        Ok(())
    }

    /// The peer has said everything it will say on this stream.
    fn on_half_complete(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get(&id) else { return };
        match &stream.role {
            Role::Serves(None) => self.reject_stream(id, Reject::Misplaced),
            Role::Serves(Some(request)) => {
                if !stream.incoming.is_complete() {
                    return self.reject_stream(id, Reject::Truncated);
                }
                let request = request.clone();
                self.on_request_complete(id, request);
            }
            // Whoever answers before the question is out whole can't have applied it.
            Role::Asks(_) if !stream.is_answered => self.reject_stream(id, Reject::Misplaced),
            Role::Asks(_) => self.on_answer_complete(id),
        }
    }

    /// A request was applied as a whole: answers it.
    fn on_request_complete(&mut self, id: StreamId, request: Request) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let bytes = Bytes::from(core::mem::take(&mut stream.incoming.bytes));
        let addr = stream.peer;
        match request {
            Request::Exchange { peer, join } => {
                self.stats.exchanges += 1;
                self.deliver_state(peer, join, bytes);
                self.begin_table(id, join);
            }
            Request::Delivery { from } => {
                self.write_one(id, &Message::Delivered);
                self.emit(EventKind::Message { from, addr, payload: bytes, reliable: true });
            }
        }
    }

    /// An answer came as a whole.
    fn on_answer_complete(&mut self, id: StreamId) {
        let Some(stream) = self.close_stream(id) else { return };
        let Role::Asks(purpose) = stream.role else { return };
        let incoming = stream.incoming;
        if let Some(reason) = incoming.refused {
            let refused = SeedOutcome::Refused { reason };
            if incoming.is_too_soon && self.comes_again_later(&purpose) {
                return;
            }
            return self.on_purpose_over(&purpose, Err(refused));
        }
        let result = match (&purpose, incoming.peer) {
            (Purpose::Exchange { .. }, Some(name)) if incoming.bytes.len() == incoming.expected => {
                self.stats.exchanges += 1;
                // Who doesn't say who it is, has just told it with its table.
                let is_known = self.config.dialect.is_native();
                let name = if is_known { name } else { self.name_at(stream.peer, None) };
                self.deliver_state(name.clone(), incoming.join, incoming.bytes.into());
                Ok(SeedOutcome::Joined { name })
            }
            (Purpose::Exchange { .. }, _) => Err(SeedOutcome::Rejected(Reject::Truncated)),
            (Purpose::Ping { .. } | Purpose::Deliver { .. }, _) if incoming.is_confirmed => {
                Ok(SeedOutcome::Myself) // Only success matters here.
            }
            (Purpose::Ping { .. } | Purpose::Deliver { .. }, _) => Err(SeedOutcome::Closed),
        };
        self.on_purpose_over(&purpose, result);
    }

    fn on_purpose_over(&mut self, purpose: &Purpose, result: Result<SeedOutcome, SeedOutcome>) {
        let outcome = match result {
            Ok(outcome) => outcome,
            Err(why) => return self.on_purpose_failed(purpose, true, &why),
        };
        match purpose {
            Purpose::Exchange { seed: Some((join, seed)) } => {
                self.on_seed_done(*join, *seed, outcome);
            }
            Purpose::Exchange { seed: None } => {}
            Purpose::Ping { nonce, .. } => self.on_probe_saved_by_stream(*nonce),
            Purpose::Deliver { send, .. } => {
                self.emit(EventKind::SendFinished { send: *send, result: Ok(()) });
            }
        }
    }

    fn deliver_state(&mut self, from: Name, join: bool, state: Bytes) {
        if !state.is_empty() {
            self.emit(EventKind::RemoteState { from, join, state });
        }
    }

    fn admit_exchange(
        &self,
        id: StreamId,
        opened: &Opened<'_>,
        head: &ExchangeHead,
    ) -> Result<(), String> {
        let Some(stream) = self.streams.get(&id) else { return Ok(()) };
        let name = self.name_at(stream.peer, opened.sender);
        let peer = ExchangePeer {
            name: name.as_str(),
            addr: stream.peer,
            join: head.join,
            entries: head.entries,
        };
        self.config.policy.admit_exchange(&peer).map_err(|refused| refused.reason)
    }

    /// Whether this one comes a little too soon for the name of a member that has left.
    fn is_too_soon(&self, alive: &Alive<'_>) -> bool {
        let known = self.table.find(alive.name);
        known.is_some_and(|index| {
            self.table.get(index).addr() != alive.addr
                && self.succession(index, alive) == Succession::TooSoon
        })
    }

    fn refuse_taken_name(&mut self, id: StreamId, name: NameRef<'_>, is_too_soon: bool) {
        let Some(index) = self.table.find(name) else { return };
        let (name, addr) = (name.as_str(), self.table.get(index).addr());
        let reason = if is_too_soon {
            format!("the name {name} is kept for a member at {addr} that has just left")
        } else if self.table.get(index).state().is_live() {
            format!("the name {name} belongs to a live member at {addr}")
        } else {
            format!("the name {name} belonged to a member at {addr} whose life began no sooner")
        };
        self.refuse(id, &reason, Some(index));
    }

    /// Says no to a request and why, and who has the name if that is why; or gives up an answer.
    fn refuse(&mut self, id: StreamId, reason: &str, holder: Option<MemberIndex>) {
        self.stats.exchanges_failed += 1;
        if id.is_accepted() {
            let text = name::cleaned(reason); // It may come from a policy.
            self.write_refusal(id, &Refusal { text: &text }, holder);
        } else {
            self.fail_stream(id, &SeedOutcome::Refused { reason: reason.into() });
        }
    }
}

/// Whether a message may follow the first one of such a stream.
fn belongs(role: &Role, message: &Message<'_>) -> bool {
    match role {
        Role::Asks(Purpose::Exchange { .. }) => matches!(
            message,
            Message::ExchangeHead(_)
                | Message::Entry(_)
                | Message::StatePiece(_)
                | Message::Refused(_)
                | Message::Readdress
        ),
        Role::Asks(Purpose::Deliver { .. }) => {
            matches!(message, Message::Delivered | Message::Refused(_) | Message::Readdress)
        }
        Role::Asks(Purpose::Ping { .. }) => matches!(message, Message::Ack(_)),
        Role::Serves(Some(Request::Exchange { .. })) => {
            matches!(message, Message::Entry(_) | Message::StatePiece(_))
        }
        Role::Serves(Some(Request::Delivery { .. })) => {
            matches!(message, Message::DeliveryPiece(_))
        }
        Role::Serves(None) => false,
    }
}
