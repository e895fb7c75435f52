//! The state of one stream: how far both halves are, and what binds the second to the first.
//!
//! Every frame is authenticated together with its direction, its number and the nonce of the
//! stream's very first frame. So frames can't be dropped, doubled, reordered, turned around or
//! moved to another stream, an answer belongs to its question, and a stream that was cut off is
//! noticed because its last frame is missing.

use super::{cipher::CONTEXT_LEN, deframe::Deframer, header::Nonce};
use crate::reject::Reject;

/// Which way a frame goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    FromDialer,
    FromListener,
}

/// One end of a stream.
#[derive(Debug)]
pub(crate) struct Channel {
    sends: Direction,
    /// The nonce of the dialer's first frame; zeros in that frame itself and without a key.
    binding: [u8; 12],
    sent: u32,
    received: u32,
    finished_sending: bool,
    finished_receiving: bool,
    broken: Option<Reject>,
    deframer: Deframer,
}

impl Channel {
    /// The end that dialed.
    pub(crate) fn dialer() -> Self {
        Self::new(Direction::FromDialer)
    }

    /// The end that was dialed.
    pub(crate) fn listener() -> Self {
        Self::new(Direction::FromListener)
    }

    /// Whether the peer's last frame has come. A stream that ends before was cut off.
    pub(crate) const fn has_received_all(&self) -> bool {
        self.finished_receiving
    }

    /// Takes the rest of the current frame from `chunk`; true when it is complete. After a refusal
    /// the stream stays refused: what follows has no place any more.
    pub(super) fn fill(&mut self, chunk: &mut &[u8]) -> Result<bool, Reject> {
        if let Some(reject) = self.broken {
            return Err(reject);
        }
        if self.finished_receiving && !chunk.is_empty() {
            return Err(Reject::Misplaced);
        }
        self.deframer.fill(chunk)
    }

    pub(super) fn frame_mut(&mut self) -> &mut [u8] {
        self.deframer.frame_mut()
    }

    /// What surrounds the next frame to come.
    pub(super) fn receive_context(&self) -> [u8; CONTEXT_LEN] {
        let from = match self.sends {
            Direction::FromDialer => Direction::FromListener,
            Direction::FromListener => Direction::FromDialer,
        };
        context(from, self.received, self.binding)
    }

    /// What surrounds the next frame to go.
    pub(super) fn send_context(&self) -> [u8; CONTEXT_LEN] {
        context(self.sends, self.sent, self.binding)
    }

    /// Whether the next frame to come is the first of the whole stream. All others are bound to it,
    /// so it is the only one that could be a replay.
    pub(super) fn awaits_opening(&self) -> bool {
        self.sends == Direction::FromListener && self.received == 0
    }

    /// The end that talks with this one, to read the answer to what this one has received.
    pub(crate) fn other_end(&self) -> Self {
        let sends = match self.sends {
            Direction::FromDialer => Direction::FromListener,
            Direction::FromListener => Direction::FromDialer,
        };
        Self { binding: self.binding, ..Self::new(sends) }
    }

    /// Notes a frame that was accepted.
    pub(super) fn on_received(&mut self, nonce: Option<Nonce>, last: bool) -> Result<(), Reject> {
        if let Some(nonce) = nonce.filter(|_| self.awaits_opening()) {
            self.binding = nonce.0;
        }
        self.received = self.received.checked_add(1).ok_or(Reject::Excess)?;
        self.finished_receiving = last;
        self.deframer.clear();
        Ok(())
    }

    /// Notes a frame that was refused.
    pub(super) fn on_refused(&mut self, reject: Reject) {
        self.broken = Some(reject);
        self.deframer = Deframer::default();
    }

    /// Notes a frame that goes out.
    pub(super) fn on_sent(&mut self, nonce: Option<Nonce>, last: bool) {
        debug_assert!(!self.finished_sending, "nothing may follow a last frame");
        if let Some(nonce) = nonce.filter(|_| self.sends == Direction::FromDialer && self.sent == 0)
        {
            self.binding = nonce.0;
        }
        self.sent += 1;
        self.finished_sending = last;
    }

    fn new(sends: Direction) -> Self {
        Self {
            sends,
            binding: [0; 12],
            sent: 0,
            received: 0,
            finished_sending: false,
            finished_receiving: false,
            broken: None,
            deframer: Deframer::default(),
        }
    }
}

fn context(from: Direction, index: u32, binding: [u8; 12]) -> [u8; CONTEXT_LEN] {
    let mut context = [0; CONTEXT_LEN];
    context[0] = match from {
        Direction::FromDialer => 0,
        Direction::FromListener => 1,
    };
    context[1..5].copy_from_slice(&index.to_le_bytes());
    context[5..].copy_from_slice(&binding);
    context
}
