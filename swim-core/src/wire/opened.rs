//! What comes out of an opened packet or stream frame: who spoke, and what was said.

use core::fmt;

use super::message::{Message, Sender};

/// A packet or frame that was checked as a whole: authentic, in time, for us, every message well
/// formed. (S9)
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opened<'s> {
    pub(crate) sender: Sender<'s>,
    /// It named this node as its receiver, instead of whoever happens to read it.
    pub(crate) addressed: bool,
    pub(crate) messages: Messages<'s>,
    /// How many messages of kinds unknown here were skipped. (W5)
    pub(crate) unknown: u32,
    /// *Stream.* The sender's half of the stream is complete: nothing may follow.
    pub(crate) last: bool,
}

/// The messages of one packet or frame, in the order of the wire.
///
/// They are read from the bytes once more as they are asked for. That costs little, and in return
/// the number of messages costs no memory, neither here nor for whoever floods us with short ones.
#[derive(Clone, Copy)]
pub(crate) struct Messages<'s> {
    rest: &'s [u8],
    len: usize,
    next: NextMessage<'s>,
}

/// Takes the next message from the front of bytes that the dialect has checked before.
pub(crate) type NextMessage<'s> = fn(&mut &'s [u8]) -> Option<Message<'s>>;

impl<'s> Messages<'s> {
    /// The `len` messages that `next` finds in `bytes`.
    pub(crate) const fn new(bytes: &'s [u8], len: usize, next: NextMessage<'s>) -> Self {
        Self { rest: bytes, len, next }
    }
}

impl<'s> Iterator for Messages<'s> {
    type Item = Message<'s>;

    fn next(&mut self) -> Option<Message<'s>> {
        let message = (self.next)(&mut self.rest)?;
        self.len -= 1;
        Some(message)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len, Some(self.len))
    }
}

impl ExactSizeIterator for Messages<'_> {}

impl fmt::Debug for Messages<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(*self).finish()
    }
}
