//! Streams that were opened to a former life of a node, or to whoever is there. Either may be a
//! recording, of what was said before that node started or to somebody else, which it has no other
//! means to tell: so it says who it is, and in which life, and is asked again. A recording
//! can't. (X4) So it goes with one whose numbers are far behind others that were seen.

use super::Node;
use crate::{
    event::SeedOutcome,
    io::{Output, StreamId},
    reject::Reject,
    sabotage::sabotaged,
    stream::{Purpose, Recipient, Role},
    table::MemberIndex,
    wire::{Lane, Message, Sender},
};

impl Node {
    /// Asks to be asked again, of us as we are now. Nothing was taken from the request.
    pub(super) fn ask_to_readdress(&mut self, id: StreamId) {
        self.stats.streams_readdressed += 1;
        self.write_one(id, &Message::Readdress);
    }

    /// Asks again of the one who wants it so, in its present life: but once only, and nobody else
    /// than was asked.
    pub(super) fn ask_again(&mut self, id: StreamId, by: Sender<'_>) -> Result<(), Reject> {
        let Some(stream) = self.streams.get(&id) else { return Ok(()) };
        let is_another = stream.recipient.as_ref().is_some_and(|to| to.name.by_ref() != by.name);
        if is_another || stream.is_second {
            return Err(Reject::Misplaced);
        }
        let Some(stream) = self.remove_stream(id) else { return Ok(()) };
        // If it was for whom it was meant, somebody else uses up our numbers; and if it was not,
        // this may be so besides.
        if !sabotaged!(self, KeepsUsedUpNumbers) {
            self.wire.begin_session(Lane::Streams);
        }
        self.outbox.push(Output::Abort { id });
        let Role::Asks(purpose) = stream.role else { return Err(Reject::Misplaced) };
        let peer = self.peer_at(stream.peer, Some(by));
        if let Some(peer) = peer.filter(|&peer| peer != MemberIndex::SELF) {
            self.on_sender_stamp(peer, by.stamp);
        }
        let again = self.dial(stream.peer, Some(Recipient::of(by)), purpose.clone());
        let Some(again) = again else {
            self.on_purpose_failed(&purpose, true, &SeedOutcome::Closed);
            return Ok(());
        };
        if let Some(second) = self.streams.get_mut(&again) {
            second.is_second = true;
            // The same request, in the time that it has.
            (second.was_alone, second.started_at) = (stream.was_alone, stream.started_at);
        }
        self.touch_stream(again);
        match purpose {
            Purpose::Exchange { seed: Some((join, seed)) } => {
                if let Some(join) = self.joins.get_mut(&join) {
                    join.set_stream(seed, again);
                }
            }
            // A ping changes nothing, and is answered whomever it is for.
            Purpose::Exchange { seed: None } | Purpose::Ping { .. } | Purpose::Deliver { .. } => {}
        }
        Ok(())
    }
}
