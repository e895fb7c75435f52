//! What goes into the machine and what comes out of it.
//!
//! Both enums are exhaustive on purpose: a new variant must break every driver at compile time.

use core::{fmt, net::SocketAddr};

use bytes::Bytes;

use crate::time::Instant;

/// What the world did.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// A datagram came in.
    Packet {
        /// The socket address it came from.
        from: SocketAddr,
        /// Its payload.
        data: &'a [u8],
    },
    /// Something happened on a stream.
    Stream {
        /// The stream.
        id: StreamId,
        /// What happened.
        event: StreamEvent<'a>,
    },
    /// The time last given by [`Output::ScheduleTimer`] has come. Early or repeated ticks are safe:
    /// they do nothing.
    Tick,
}

/// What happened on a stream.
#[derive(Clone, Copy, Debug)]
pub enum StreamEvent<'a> {
    /// A peer connected to us. The driver chooses the id, with [`StreamId::accepted`].
    Accepted {
        /// The peer's socket address.
        from: SocketAddr,
    },
    /// The dial succeeded; what was written so far may be sent.
    Connected,
    /// Bytes came in.
    Chunk(&'a [u8]),
    /// Everything written so far went out to the operating system: there is room for more. Lets a
    /// large table leave in pieces, as fast as the peer takes them, instead of all at once; and in
    /// memberlist's dialect, where nobody confirms a delivery, it is over with this.
    Drained,
    /// The peer will send nothing more.
    Finished,
    /// The dial failed or the connection broke; the stream is gone.
    Failed,
}

/// What the machine wants done, in this order.
#[derive(Clone, Debug)]
pub enum Output<E> {
    /// Send a datagram. Loss is expected; a send that would block may be dropped.
    SendPacket {
        /// Where to.
        to: SocketAddr,
        /// Its payload, no longer than the configured packet length.
        data: Bytes,
    },
    /// Open a stream; answer with [`StreamEvent::Connected`] or [`StreamEvent::Failed`].
    Dial {
        /// The stream's id, chosen by the machine.
        id: StreamId,
        /// Where to.
        to: SocketAddr,
    },
    /// Send bytes on a stream, after those written before.
    Write {
        /// The stream.
        id: StreamId,
        /// The bytes.
        data: Bytes,
    },
    /// Send what was written, then close. The machine will not mention the stream again, and
    /// ignores what is still reported of it.
    Close {
        /// The stream.
        id: StreamId,
    },
    /// Close at once and throw away what was not sent yet.
    Abort {
        /// The stream.
        id: StreamId,
    },
    /// Call with [`Input::Tick`] at this time. The newest replaces the earlier one, so a driver
    /// keeps a single timer.
    ScheduleTimer {
        /// When.
        at: Instant,
        /// For what: debugging starts with "why did it wake?".
        why: Timer,
    },
    /// Something the application may want to know.
    Event(E),
}

/// Names a stream between the machine and its driver.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(u64);

impl StreamId {
    /// The id of the `nth` stream that the driver accepted. Ids must not repeat.
    #[must_use]
    pub const fn accepted(nth: u64) -> Self {
        Self(nth << 1 | 1)
    }

    /// The id of the `nth` stream that the machine dialled.
    #[must_use]
    pub(crate) const fn dialed(nth: u64) -> Self {
        Self(nth << 1)
    }

    /// Its number: unlike that of any other stream of the same node.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The id with this number, as given by [`number`](Self::number).
    pub(crate) const fn from_u64(number: u64) -> Self {
        Self(number)
    }

    /// Whether the peer opened the stream.
    #[must_use]
    pub const fn is_accepted(self) -> bool {
        self.0 & 1 == 1
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = if self.is_accepted() { "in" } else { "out" };
        write!(f, "{side}-{}", self.0 >> 1)
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a deadline is for. The order breaks ties between equal deadlines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// The ping of the running probe has gone unanswered: helpers are asked now.
    ProbeTimeout,
    /// The running probe has failed.
    ProbeDeadline,
    /// The next member is due for a probe.
    ProbeInterval,
    /// A suspicion runs out.
    Suspicion,
    /// A requester waits for word about an indirect ping.
    Relay,
    /// A ping asked for by the application has gone unanswered.
    Ping,
    /// Something waits in the queues to be gossiped.
    Gossip,
    /// What changed lately has had time to spread: our view is compared with a member's.
    Compare,
    /// The next periodic exchange with a random member.
    PushPull,
    /// A stream has made no progress.
    Stream,
    /// A join has taken too long.
    Join,
    /// A leave repeats itself or gives up.
    Leave,
    /// Dead members are due to be forgotten.
    Reap,
    /// A dead or forgotten member is tried again.
    Reconnect,
}
