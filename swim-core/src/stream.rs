//! One stream and what it is for. Each carries one request and one answer.

use alloc::vec::Vec;
use core::net::SocketAddr;

use bytes::Bytes;

use crate::{
    event::SendId,
    heap,
    io::StreamId,
    name::{NAME_LEN_MAX, Name},
    stamp::Life,
    table::MemberIndex,
    time::Instant,
    wire::{Channel, Receiver, Sender},
};

/// A stream under way.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) peer: SocketAddr,
    /// Whom its frames are for, as far as that is known.
    pub(crate) recipient: Option<Recipient>,
    /// Whether it asks again what was asked of a former life, or of whoever is there.
    pub(crate) is_second: bool,
    pub(crate) role: Role,
    pub(crate) channel: Channel,
    /// What this side still has to send.
    pub(crate) outgoing: Option<Outgoing>,
    /// Bytes of application state or of a delivery that came in pieces.
    pub(crate) incoming: Incoming,
    /// Whether the dial succeeded (always true for accepted streams).
    pub(crate) is_connected: bool,
    /// Whether the last frame of this side was written.
    pub(crate) is_answered: bool,
    /// Whether this node knew nobody when the stream began.
    pub(crate) was_alone: bool,
    pub(crate) started_at: Instant,
    pub(crate) deadline: Instant,
}

/// Who is at the other end of a stream, and in which of its lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recipient {
    pub(crate) name: Name,
    pub(crate) life: Life,
}

impl Recipient {
    /// The one who speaks here.
    pub(crate) fn of(sender: Sender<'_>) -> Self {
        Self { name: Name::from_checked(sender.name), life: sender.stamp.life }
    }

    pub(crate) fn by_ref(&self) -> Receiver<'_> {
        Receiver { name: self.name.by_ref(), life: self.life, protocol_max: 0 }
    }
}

/// Which side of the stream this node is.
#[derive(Debug)]
pub(crate) enum Role {
    /// It dialled, for this.
    Asks(Purpose),
    /// A peer dialled, for this; `None` until its first frame has come.
    Serves(Option<Request>),
}

impl Stream {
    /// How many bytes are kept of what came in on it: what is there and not handed on, or what was
    /// handed on of a state or a message that is not there as a whole. Of what is handed on piece
    /// by piece both are there for a moment.
    pub(crate) fn held(&self) -> usize {
        self.channel.held().max(self.incoming.bytes.len())
    }

    /// Whether a peer opened it and has not said a word on it yet that can be believed.
    pub(crate) const fn is_mute(&self) -> bool {
        matches!(self.role, Role::Serves(None))
    }

    /// What so many take on the heap at most, but for what comes in on them and is kept.
    pub(crate) const fn heap_max(streams: u64) -> u64 {
        // The other side, who it says it is, and why it refuses.
        let names = 3 * heap::shared(NAME_LEN_MAX);
        heap::btree(streams, size_of::<(StreamId, Self)>())
            .saturating_add(streams.saturating_mul(names))
    }
}

impl Role {
    /// The name of the other side, as far as it is known beforehand.
    pub(crate) fn peer(&self) -> Option<&Name> {
        match self {
            Self::Asks(Purpose::Ping { target: name, .. } | Purpose::Deliver { to: name, .. })
            | Self::Serves(Some(
                Request::Exchange { peer: name, .. } | Request::Delivery { from: name },
            )) => Some(name),
            Self::Asks(Purpose::Exchange { .. }) | Self::Serves(None) => None,
        }
    }
}

/// What this node dialled for.
#[derive(Clone, Debug)]
pub(crate) enum Purpose {
    /// To exchange tables; for a seed of a join, or on its own account.
    Exchange {
        /// The join's number and the seed's place in it.
        seed: Option<(u64, usize)>,
    },
    /// To see whether a member that does not answer packets answers at all.
    Ping {
        /// The nonce of the probe.
        nonce: u64,
        /// The member.
        target: Name,
    },
    /// To deliver a message.
    Deliver {
        /// The message's number.
        send: SendId,
        /// Who is to get it.
        to: Name,
        /// What it says.
        payload: Bytes,
    },
}

/// What a peer dialled for.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    /// To exchange tables.
    Exchange {
        /// Who asks.
        peer: Name,
        /// Whether it is joining.
        join: bool,
    },
    /// To deliver a message.
    Delivery {
        /// Who sends it.
        from: Name,
    },
}

/// What is being sent, frame by frame, as fast as the peer takes it.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// The table from this index on, then the application's state from this offset on.
    Table {
        /// The head goes first.
        head_sent: bool,
        /// Whether this is part of a join.
        join: bool,
        /// The next record.
        next: MemberIndex,
        /// The application's state as it was at the start.
        state: Bytes,
    },
    /// A message.
    Delivery {
        /// The head goes first.
        head_sent: bool,
        /// What is left of it.
        rest: Bytes,
    },
}

/// What has come in so far.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    /// Whether the head of the answer or request has come.
    pub(crate) has_head: bool,
    /// How many bytes the head promised.
    pub(crate) expected: usize,
    /// The bytes so far.
    pub(crate) bytes: Vec<u8>,
    /// Who answers, once known.
    pub(crate) peer: Option<Name>,
    /// A refusal that came instead of an answer.
    pub(crate) refused: Option<alloc::string::String>,
    /// Whether it is refused because our name is kept for a while for one that has left.
    pub(crate) is_too_soon: bool,
    /// How many events its entries led to.
    pub(crate) told: u64,
    /// A ping was answered, or a delivery confirmed.
    pub(crate) is_confirmed: bool,
    /// Whether the other side is joining.
    pub(crate) join: bool,
}

impl Incoming {
    /// Takes a piece; false if it is more than was promised.
    pub(crate) fn take(&mut self, piece: &[u8]) -> bool {
        let fits = self.bytes.len() + piece.len() <= self.expected;
        if fits {
            self.bytes.extend_from_slice(piece);
        }
        fits
    }

    /// Whether everything promised has come.
    pub(crate) fn is_complete(&self) -> bool {
        self.has_head && self.bytes.len() == self.expected
    }
}
