//! What comes out of an opened packet or stream frame: who spoke, and what was said.

use smallvec::SmallVec;

use super::message::{Message, Sender};
use crate::reject::Reject;

/// A packet or frame that was checked as a whole: authentic, in time, for us, every message well
/// formed. (S9)
#[derive(Clone, Debug)]
pub(crate) struct Opened<'s> {
    /// Who sent it, in a dialect that says so.
    pub(crate) sender: Option<Sender<'s>>,
    pub(crate) to: To,
    pub(crate) messages: Messages<'s>,
    /// How many messages of kinds unknown here were skipped. (W5)
    pub(crate) unknown: u32,
    /// What was wrong with messages that were left out, in a dialect that goes on without them.
    pub(crate) refused: Refusals,
    /// *Stream.* The sender's half of the stream is complete: nothing may follow.
    pub(crate) last: bool,
}

/// Who a packet or frame is for. One for another node never comes so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum To {
    /// This node, as it is since it started; or, where nothing is sealed, whoever reads it.
    Us,
    /// This node before it started: a recording, or from who has not heard of its new life.
    FormerUs,
    /// *Stream.* Whoever reads it: it may have been said to somebody else, or long ago.
    Anybody,
    /// This node, in a session of which far later numbers were seen: a recording, or from one whose
    /// numbers somebody else uses up who has the key.
    Overtaken,
}

/// Why messages were left out, at most one for each.
pub(crate) type Refusals = SmallVec<[Reject; 8]>;

/// The messages of one packet or frame, in the order of the wire.
///
/// Those of most packets take no memory but the stack's. There are at most 255 in a packet and
/// 4,096 in a frame, of [`MESSAGE_SIZE_MAX`] bytes each.
pub(crate) type Messages<'s> = SmallVec<[Message<'s>; MESSAGES_USUAL]>;

/// A ping or an ack, and the few claims that ride along on it.
const MESSAGES_USUAL: usize = 10;

/// The least part has three bytes: so much memory for each, and decoding takes less than 64 times
/// what came in. (W3)
const MESSAGE_SIZE_MAX: usize = 3 * 64;

const _: () = assert!(size_of::<Message<'static>>() <= MESSAGE_SIZE_MAX);
