//! Room for streams and for what they bring: who has to go where there is none. (X11)
//!
//! A limit alone would be a gift to whoever fills it up and stays. So what is worth least to this
//! node makes room for what comes: streams on which nothing was said that can be believed, and then
//! those that hold most. What this node asked for is never given up for what others begin.

use alloc::vec::Vec;
use core::cmp::Reverse;

use super::Node;
use crate::{
    event::SeedOutcome,
    io::StreamId,
    reject::Reject,
    stream::Stream,
    wire::{Room, Wire},
};

impl Node {
    /// Gives up the oldest stream on which a peer has not said a word that can be believed. Whoever
    /// belongs here says one within a round trip; who only holds streams open, from however many
    /// addresses, must open a whole table of them anew within that to keep others out. Where all of
    /// them are young, it is by lot: when many come at once, some get through.
    pub(super) fn make_room_for_a_stream(&mut self) -> bool {
        let mute = self.streams.iter().filter(|(_, stream)| stream.is_mute());
        let mute: Vec<_> = mute.map(|(id, stream)| (*id, stream.started_at)).collect();
        let Some(&(oldest, started_at)) = mute.first() else { return false };
        let is_young = self.now < started_at + self.config.probe_timeout;
        let given_up = if is_young { mute[self.rng.below(mute.len())].0 } else { oldest };
        self.give_up(given_up);
        true
    }

    /// Sees that there is room for what a stream holds by now. All that streams keep as it comes in
    /// has an end, and so has what comes from one address. What others begin leaves room for an
    /// answer that this node asked for. (M1)
    ///
    /// Where there is none, the stream that holds the most makes room: one on which nothing was
    /// said yet that can be believed for any that holds less, another one only for one that holds
    /// little. If large ones made room for each other, the one nearest to its end would always be
    /// the one to go, and where many come at once, few would ever end.
    pub(super) fn make_room_for_bytes(&mut self, id: StreamId) -> Result<(), Reject> {
        let Some(held) = self.streams.get(&id).map(Stream::held).filter(|&held| held > 0) else {
            return Ok(());
        };
        let Room { longest, all } = Wire::room(&self.config);
        if self.held_by_source_of(id) > longest {
            return Err(Reject::NoRoom);
        }
        let max = if id.is_accepted() { all - longest } else { all };
        let held_by_all: usize = self.streams.values().map(Stream::held).sum();
        if held_by_all > max {
            // Nobody has to go in vain.
            let missing = (held_by_all - max).max(held + 1);
            let given_up = self.largest(missing, held <= max / LITTLE).ok_or(Reject::NoRoom)?;
            self.give_up(given_up);
        }
        Ok(())
    }

    /// What all streams of this kind hold that were opened from, or to, the address of this one.
    fn held_by_source_of(&self, id: StreamId) -> usize {
        let Some(source) = self.streams.get(&id).map(|stream| stream.peer.ip()) else { return 0 };
        let is_same = |(other, stream): &(&StreamId, &Stream)| {
            // Many nodes of one machine share that address.
            let is_same = stream.peer.ip() == source && !source.is_loopback();
            **other == id || is_same && other.is_accepted() == id.is_accepted()
        };
        self.streams.iter().filter(is_same).map(|(_, stream)| stream.held()).sum()
    }

    /// Which stream of a peer holds the most, and no less than this; of several, the oldest.
    fn largest(&self, least: usize, for_little: bool) -> Option<StreamId> {
        let may_go = |(id, stream): &(&StreamId, &Stream)| {
            id.is_accepted() && stream.held() >= least && (for_little || stream.is_mute())
        };
        let large = self.streams.iter().filter(may_go);
        large.max_by_key(|(id, stream)| (stream.held(), Reverse(**id))).map(|(id, _)| *id)
    }

    fn give_up(&mut self, id: StreamId) {
        self.stats.streams_given_up += 1;
        self.fail_stream(id, &SeedOutcome::Rejected(Reject::NoRoom));
    }
}

/// A stream holds little that holds no more than one part in so many of what all that others began
/// may hold: in the native dialect 2 MiB of 32 by default. In a model with three times as many
/// large ones at once as have room, four of five end of those that end where none has to go; with
/// an eighth it is half of them.
const LITTLE: usize = 16;
