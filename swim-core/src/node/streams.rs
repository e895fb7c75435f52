//! Streams: opening, closing, and what flows out on them. What flows in is read in `exchange`.
//!
//! Tables leave frame by frame, the next one when the driver says that the last went out, so that
//! a slow reader costs no memory. memberlist net.go: `sendAndReceiveState`, `handleConn`.

use alloc::{collections::BTreeMap, format, vec::Vec};
use core::{iter, net::SocketAddr};

use bytes::Bytes;

use super::Node;
use crate::{
    event::{DeliveryError, EventKind, SeedOutcome},
    io::{Output, StreamId, Timer},
    limits::STREAMS_DIALED_MAX,
    name::Name,
    reject::Reject,
    sabotage::sabotaged,
    stream::{Incoming, Outgoing, Purpose, Recipient, Role, Stream},
    table::MemberIndex,
    wire::{
        Channel, DeliveryHead, Digest, ExchangeHead, FrameWriter, Message, Ping, Refusal, Sender,
        Wire,
    },
};

/// A piece of application state or of a delivery is at most this long: a few fill a frame.
const PIECE_LEN: usize = 16 * 1024;
/// Frames written before the driver has to say that there is room for more.
const FRAMES_AHEAD: usize = 2;
/// A stream may take this many times its idle timeout in all.
const TOTAL_TIMEOUT_MULT: u32 = 3;

impl Node {
    /// Opens a stream to a member; `None` if too many are open.
    pub(super) fn dial_member(&mut self, index: MemberIndex, purpose: Purpose) -> Option<StreamId> {
        let record = self.table.get(index);
        let (addr, name, life) = (record.addr(), record.name(), record.stamp().life);
        self.dial(addr, Some(Recipient { name: Name::from_checked(name), life }), purpose)
    }

    /// Opens a stream to this node, or to whoever is at the address; `None` if too many are open.
    pub(super) fn dial(
        &mut self,
        to: SocketAddr,
        recipient: Option<Recipient>,
        purpose: Purpose,
    ) -> Option<StreamId> {
        let dialed = self.streams.keys().filter(|id| !id.is_accepted()).count();
        if dialed >= STREAMS_DIALED_MAX {
            return None;
        }
        let id = StreamId::dialed(self.next_stream);
        self.next_stream += 1;
        self.stats.streams_dialed += 1;
        self.add_stream(id, to, Role::Asks(purpose), self.wire.dialer());
        self.address_stream(id, recipient);
        self.outbox.push(Output::Dial { id, to });
        Some(id)
    }

    pub(super) fn on_stream_accepted(&mut self, id: StreamId, from: SocketAddr) {
        let allowed = self.config.allow.as_ref().is_none_or(|list| list.allows(from.ip()));
        let accepted = self.streams.iter().filter(|(id, _)| id.is_accepted());
        let (total, same_addr) = accepted.fold((0, 0), |(total, same), (_, stream)| {
            (total + 1, same + usize::from(stream.peer.ip() == from.ip()))
        });
        let per_addr_max = if from.ip().is_loopback() {
            usize::MAX // Many nodes of one machine share the address.
        } else {
            self.config.streams_per_addr_max
        };
        let is_welcome = allowed && same_addr < per_addr_max;
        let is_full = total >= self.config.streams_max;
        if !is_welcome || is_full && !self.make_room_for_a_stream() {
            self.stats.streams_refused += 1;
            self.outbox.push(Output::Abort { id });
            return;
        }
        self.stats.streams_accepted += 1;
        self.add_stream(id, from, Role::Serves(None), self.wire.listener());
    }

    pub(super) fn on_stream_connected(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if stream.is_connected {
            return;
        }
        stream.is_connected = true;
        let Role::Asks(purpose) = &stream.role else { return };
        match purpose.clone() {
            Purpose::Exchange { seed } => {
                let is_known = self.streams.get(&id).is_some_and(|it| it.recipient.is_some());
                if self.wire.must_be_addressed() && !is_known {
                    // It has to be asked again, of the one who answers: the question is enough.
                    let (join, entries, state_len) = (seed.is_some(), 0, 0);
                    let head = ExchangeHead { join, entries, state_len };
                    self.write_one(id, &Message::ExchangeHead(head));
                } else {
                    self.begin_table(id, seed.is_some());
                }
            }
            Purpose::Ping { nonce, .. } => {
                let digest = Digest::default();
                self.write_one(id, &Message::Ping(Ping { nonce, digest }));
            }
            Purpose::Deliver { payload, .. } => {
                let outgoing = Outgoing::Delivery { head_sent: false, rest: payload };
                self.begin_sending(id, outgoing);
            }
        }
        self.touch_stream(id);
    }

    /// The driver has room for more: all that was written is on its way.
    pub(super) fn on_stream_drained(&mut self, id: StreamId) {
        if self.is_to_be_written(id) {
            return self.on_written(id);
        }
        self.pump(id, 1);
        self.touch_stream(id);
    }

    /// The peer will say nothing more. Fine if it has said all there was to say, or has nothing to
    /// say at all.
    pub(super) fn on_stream_finished(&mut self, id: StreamId) {
        let said_all = |stream: &Stream| stream.channel.has_received_all();
        if !self.streams.get(&id).is_some_and(said_all) && !self.is_to_be_written(id) {
            self.on_stream_ended(id);
        }
    }

    /// Whether this is a delivery that nobody will confirm, as in memberlist's dialect, and that is
    /// over once the last of it is on its way.
    fn is_to_be_written(&self, id: StreamId) -> bool {
        let is_delivery =
            |stream: &Stream| matches!(stream.role, Role::Asks(Purpose::Deliver { .. }));
        !self.config.dialect.is_native()
            && self.streams.get(&id).is_some_and(|stream| is_delivery(stream) && stream.is_answered)
    }

    /// A delivery is on its way, and that is all there is to know.
    fn on_written(&mut self, id: StreamId) {
        if let Some(Stream { role: Role::Asks(Purpose::Deliver { send, .. }), .. }) =
            self.close_stream(id)
        {
            self.emit(EventKind::SendFinished { send, result: Ok(()) });
        }
    }

    /// The stream ended before its time.
    pub(super) fn on_stream_ended(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get(&id) else { return };
        if matches!(stream.role, Role::Serves(_)) && stream.is_answered {
            self.close_stream(id);
            return;
        }
        self.stats.streams_failed += 1;
        let outcome =
            if stream.is_connected { SeedOutcome::Closed } else { SeedOutcome::Unreachable };
        self.fail_stream(id, &outcome);
    }

    /// A stream stood still for too long.
    pub(super) fn on_stream_due(&mut self, id: StreamId) {
        if self.streams.contains_key(&id) {
            self.stats.streams_failed += 1;
            self.fail_stream(id, &SeedOutcome::TimedOut);
        }
    }

    /// Begins to send our table, as request or as answer.
    pub(super) fn begin_table(&mut self, id: StreamId, join: bool) {
        let state = self.local_state.clone();
        let next = MemberIndex::SELF;
        self.begin_sending(id, Outgoing::Table { head_sent: false, join, next, state });
    }

    fn begin_sending(&mut self, id: StreamId, outgoing: Outgoing) {
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.outgoing = Some(outgoing);
            self.pump(id, FRAMES_AHEAD);
        }
    }

    /// Writes a frame with this one message, which is all this side says.
    pub(super) fn write_one(&mut self, id: StreamId, message: &Message<'_>) {
        let Some(mut writer) = self.begin_frame(id) else { return };
        let fits = writer.push(message);
        debug_assert!(fits, "a single short message fits into a frame");
        self.write_frame(id, writer, true);
    }

    /// Writes a frame that says no, after the entry of the one who is in the way, if it is that.
    pub(super) fn write_refusal(
        &mut self,
        id: StreamId,
        refusal: &Refusal<'_>,
        holder: Option<MemberIndex>,
    ) {
        // To whoever asked: two may go by the name that it has.
        self.address_stream(id, None);
        let Some(mut writer) = self.begin_frame(id) else { return };
        if let Some(holder) = holder {
            writer.push(&Message::Entry(self.table.get(holder).entry()));
        }
        let fits = writer.push(&Message::Refused(*refusal));
        debug_assert!(fits, "an entry and a text fit into a frame");
        self.write_frame(id, writer, true);
    }

    /// Writes the next frames of what is being sent.
    fn pump(&mut self, id: StreamId, frames: usize) {
        for _ in 0..frames {
            let Some(stream) = self.streams.get_mut(&id) else { return };
            let Some(mut outgoing) = stream.outgoing.take() else { return };
            let Some(mut writer) = self.begin_frame(id) else { return };
            let is_last = self.fill_frame(&mut writer, &mut outgoing);
            if !is_last && let Some(stream) = self.streams.get_mut(&id) {
                stream.outgoing = Some(outgoing);
            }
            self.write_frame(id, writer, is_last);
        }
    }

    /// Puts as much as fits into a frame; true if that was all.
    fn fill_frame(&mut self, writer: &mut FrameWriter, outgoing: &mut Outgoing) -> bool {
        match outgoing {
            Outgoing::Table { head_sent, join, next, state } => {
                if !*head_sent {
                    let entries = u32::try_from(self.table.counts().total());
                    let state_len = u32::try_from(state.len());
                    writer.push(&Message::ExchangeHead(ExchangeHead {
                        join: *join,
                        entries: entries.expect("at most 2^20 members"),
                        state_len: state_len.expect("at most 64 MiB"),
                    }));
                    *head_sent = true;
                }
                if !self.push_entries(writer, next) {
                    return false;
                }
                push_pieces(writer, state, |piece| Message::StatePiece(piece))
            }
            Outgoing::Delivery { head_sent, rest } => {
                if !*head_sent {
                    let len = u32::try_from(rest.len()).expect("at most 64 MiB");
                    writer.push(&Message::DeliveryHead(DeliveryHead { len }));
                    *head_sent = true;
                }
                push_pieces(writer, rest, |piece| Message::DeliveryPiece(piece))
            }
        }
    }

    /// Puts as many entries as fit into a frame, from the place `next` on; true if the table needs
    /// no further frame.
    fn push_entries(&mut self, writer: &mut FrameWriter, next: &mut MemberIndex) -> bool {
        let end = self.table.end();
        while *next < end {
            if let Some(record) = self.table.try_get(self.table_turn.at(*next, end))
                && !writer.push(&Message::Entry(record.entry()))
            {
                if self.config.dialect.is_native() {
                    return false;
                }
                // A table is one message there: the rest is for the next exchange to begin with.
                let left_out = |&place: &MemberIndex| {
                    self.table.try_get(self.table_turn.at(place, end)).is_some()
                };
                let rest = iter::successors(Some(*next), |place| Some(place.following()));
                let left_out = rest.take_while(|&place| place < end).filter(left_out).count();
                self.stats.entries_left_out += left_out as u64;
                self.table_turn = self.table_turn.then(*next, end);
                *next = end;
                return true;
            }
            *next = next.following();
        }
        true
    }

    /// Begins a frame of this stream for whoever is at its other end.
    fn begin_frame(&mut self, id: StreamId) -> Option<FrameWriter> {
        let sender = Sender { name: self.name.by_ref(), stamp: self.own_stamp() };
        let to = self.streams.get(&id)?.recipient.as_ref().map(Recipient::by_ref);
        Some(self.wire.begin_frame(self.wall, sender, to))
    }

    /// What is said on this stream is for this node.
    pub(super) fn address_stream(&mut self, id: StreamId, recipient: Option<Recipient>) {
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.recipient = recipient;
        }
    }

    fn write_frame(&mut self, id: StreamId, writer: FrameWriter, is_last: bool) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let data = self.wire.finish_frame(writer, &mut stream.channel, is_last);
        if !data.is_empty() {
            self.stats.stream_bytes_sent += data.len() as u64;
            self.outbox.push(Output::Write { id, data });
        }
        if !is_last {
            return;
        }
        stream.is_answered = true;
        match &stream.role {
            Role::Serves(_) => {
                self.close_stream(id);
            }
            Role::Asks(_) => {}
        }
    }

    /// A stream made progress: its idle timeout begins anew, within its total.
    pub(super) fn touch_stream(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let timeout = self.config.stream_timeout;
        let total = stream.started_at + timeout * TOTAL_TIMEOUT_MULT;
        let (old, new) = (stream.deadline, total.min(self.now + timeout));
        stream.deadline = new;
        self.timers.reset(Timer::Stream, id.number(), Some(old), Some(new));
    }

    /// The peer sent something that can't be accepted.
    pub(super) fn reject_stream(&mut self, id: StreamId, reject: Reject) {
        let Some(stream) = self.streams.get(&id) else { return };
        let is_question = stream.is_mute();
        let (peer, is_told) = (stream.peer, is_question && Wire::may_be_told(&stream.channel));
        self.reject(reject, peer);
        if sabotaged!(self, ActsOnRefusedStreams) {
            self.queue_claim(MemberIndex::SELF, MemberIndex::SELF, self.own_word());
        }
        if is_told {
            let text = match reject {
                Reject::Sealed => "what was sent is encrypted, and this node has no key".into(),
                _ => format!("what was sent can't be read: {reject}"),
            };
            return self.write_refusal(id, &Refusal { text: &text }, None);
        }
        self.fail_stream(id, &SeedOutcome::Rejected(reject));
    }

    /// Gives a stream up, with what that means for whoever waits for it.
    pub(super) fn fail_stream(&mut self, id: StreamId, outcome: &SeedOutcome) {
        let Some(stream) = self.remove_stream(id) else { return };
        self.outbox.push(Output::Abort { id });
        match stream.role {
            Role::Asks(purpose) => self.on_purpose_failed(&purpose, stream.is_connected, outcome),
            Role::Serves(Some(crate::stream::Request::Exchange { .. })) => {
                self.stats.exchanges_failed += 1;
            }
            Role::Serves(_) => {}
        }
    }

    pub(super) fn on_purpose_failed(
        &mut self,
        purpose: &Purpose,
        was_connected: bool,
        why: &SeedOutcome,
    ) {
        match purpose {
            Purpose::Exchange { seed } => {
                self.stats.exchanges_failed += u64::from(*why != SeedOutcome::Myself);
                if let Some((join, seed)) = *seed {
                    self.on_seed_done(join, seed, why.clone());
                }
            }
            Purpose::Ping { .. } => self.probe_stream = None,
            Purpose::Deliver { send, .. } => {
                let error = match (was_connected, why) {
                    (false, _) => DeliveryError::Unreachable,
                    (true, SeedOutcome::Refused { .. }) => DeliveryError::Refused,
                    (true, _) => DeliveryError::Unconfirmed,
                };
                self.emit(EventKind::SendFinished { send: *send, result: Err(error) });
            }
        }
    }

    /// Ends a stream after its last byte; for served streams and for answered questions.
    pub(super) fn close_stream(&mut self, id: StreamId) -> Option<Stream> {
        let stream = self.remove_stream(id)?;
        self.outbox.push(Output::Close { id });
        Some(stream)
    }

    /// Ends a stream that nobody waits for any more.
    pub(super) fn abort_stream(&mut self, id: StreamId) {
        if self.remove_stream(id).is_some() {
            self.outbox.push(Output::Abort { id });
        }
    }

    /// Ends all streams, because the node has left.
    pub(super) fn end_all_streams(&mut self) {
        let ids: Vec<StreamId> = self.streams.keys().copied().collect();
        ids.into_iter().for_each(|id| self.fail_stream(id, &SeedOutcome::Cancelled));
    }

    fn add_stream(&mut self, id: StreamId, peer: SocketAddr, role: Role, channel: Channel) {
        let deadline = self.now + self.config.stream_timeout;
        let is_connected = matches!(role, Role::Serves(_));
        let stream = Stream {
            peer,
            recipient: None,
            is_second: false,
            role,
            channel,
            outgoing: None,
            incoming: Incoming::default(),
            is_connected,
            is_answered: false,
            was_alone: self.table.others() == 0,
            started_at: self.now,
            deadline,
        };
        self.timers.reset(Timer::Stream, id.number(), None, Some(deadline));
        self.streams.insert(id, stream);
    }

    pub(super) fn remove_stream(&mut self, id: StreamId) -> Option<Stream> {
        let stream = self.streams.remove(&id)?;
        if self.streams.is_empty() {
            self.streams = BTreeMap::new(); // One that was emptied keeps kilobytes.
        }
        self.timers.reset(Timer::Stream, id.number(), Some(stream.deadline), None);
        Some(stream)
    }
}

/// Puts bytes into a frame, piece by piece; true if nothing is left.
fn push_pieces(
    writer: &mut FrameWriter,
    rest: &mut Bytes,
    piece: impl for<'a> Fn(&'a [u8]) -> Message<'a>,
) -> bool {
    while !rest.is_empty() {
        let len = rest.len().min(PIECE_LEN);
        if !writer.push(&piece(&rest[..len])) {
            return false;
        }
        let _ = rest.split_to(len);
    }
    true
}
