//! What the machine tells the application.
//!
//! The member events alone are enough to keep an exact mirror of the members: every change of
//! state, address, metadata or versions emits one. (E2)

use alloc::{sync::Arc, vec::Vec};
use core::{fmt, net::SocketAddr, time::Duration};

use bytes::Bytes;

use crate::{
    keyring::KeyId,
    member::{Member, State},
    name::{Meta, Name},
    reject::Reject,
    stamp::{Life, Stamp},
    time::Instant,
};

/// Something that happened, with its place in the node's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Counts the events of this node from 0, without gaps. (E3)
    pub seq: u64,
    /// When it happened, on this node's clock.
    pub at: Instant,
    /// What happened.
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// A member's entry changed. Folding these from the start gives exactly the members.
    Member {
        /// How it changed.
        change: MemberChange,
        /// The member after the change (for `Reaped`: as it was last). Whoever keeps events or
        /// members shares it.
        member: Arc<Member>,
    },
    /// Another node claims a name that is taken; the holder keeps it.
    Conflict {
        /// The member that holds the name.
        holder: Arc<Member>,
        /// Where the other one says it is reached.
        other_addr: SocketAddr,
        /// The life and incarnation the other one speaks under.
        other_stamp: Stamp,
        /// What the other one says about itself.
        other_meta: Meta,
    },
    /// A broadcast of another member arrived. At most once per broadcast; who holds the key may
    /// have told of one under the same number that says something else.
    Broadcast {
        /// Who issued it.
        origin: Name,
        /// In which life.
        life: Life,
        /// Its number, counted by the origin in that life.
        id: u64,
        /// What it says.
        payload: Bytes,
    },
    /// One of our broadcasts was sent as often as it will be.
    BroadcastSent {
        /// Its id, as returned by the command.
        id: u64,
        /// To how many members this node itself sent it.
        sends: u32,
    },
    /// A message meant for this node arrived.
    Message {
        /// Who sent it.
        from: Name,
        /// From where.
        addr: SocketAddr,
        /// What it says.
        payload: Bytes,
        /// Whether it came as a reliable message.
        reliable: bool,
    },
    /// The peer of an exchange sent its application state (memberlist: `MergeRemoteState`).
    RemoteState {
        /// Who sent it.
        from: Name,
        /// Whether the exchange was part of a join.
        join: bool,
        /// The state.
        state: Bytes,
    },
    /// A seed of a join was dealt with.
    Seed {
        /// The join.
        join: JoinId,
        /// The seed.
        seed: SocketAddr,
        /// What came of it.
        outcome: SeedOutcome,
    },
    /// A join is over: every seed was dealt with, or its time ran out.
    JoinFinished {
        /// The join.
        join: JoinId,
        /// What came of each seed, in the order given.
        seeds: Vec<(SocketAddr, SeedOutcome)>,
    },
    /// The new metadata went out to as many members as one update is sent to.
    UpdateSent {
        /// The stamp the update was made under.
        stamp: Stamp,
        /// To how many members this node itself sent it.
        sends: u32,
    },
    /// A leave is over; from now on the node is silent, or answers pings at most, in memberlist's
    /// dialect.
    LeaveFinished {
        /// How many members confirmed that they heard it.
        confirmed: usize,
        /// To how many members it was sent.
        told: usize,
        /// How many live members there were.
        members: usize,
    },
    /// A ping asked for by the application is over.
    PingFinished {
        /// The ping.
        ping: PingId,
        /// The answer; `None` when none came in time.
        pong: Option<Pong>,
    },
    /// A reliable message is over.
    SendFinished {
        /// The message.
        send: SendId,
        /// Whether the receiver confirmed that it has it; in memberlist's dialect, where nobody
        /// confirms anything, whether all of it went out.
        result: Result<(), DeliveryError>,
    },
    /// A probe was answered by its target directly; only with `report_probes`.
    Probed {
        /// The member that answered.
        member: Name,
        /// What the answer carried.
        pong: Pong,
    },
    /// A member answers on streams but not to packets: its datagrams are lost or filtered.
    PacketsLost {
        /// The member.
        member: Name,
    },
    /// The local health score changed; 0 is best. Lifeguard, LHA-Probe.
    Health {
        /// The new score.
        score: u32,
    },
    /// The keyring changed.
    KeyringChanged {
        /// The key that seals from now on.
        primary: KeyId,
    },
    /// Only in memberlist's dialect: the key that seals was used so often that it should be
    /// changed. Told at 2^31 messages and again at 2^32, from which on it is not safe any more.
    /// (O5)
    KeyWorn {
        /// The key.
        key: KeyId,
        /// How many messages all members sealed with it, if each sent as many as this node since
        /// it has the key.
        sealed: u64,
    },
    /// Input of this kind was refused. Reported at the first one, then at most once every ten
    /// seconds per kind; the statistics count each.
    Rejected {
        /// Why.
        reject: Reject,
        /// Where the latest one came from.
        from: SocketAddr,
        /// How many there were since the last report of this kind.
        count: u64,
    },
    /// Somebody says of this node what it can't outbid any more: an incarnation at the top of the
    /// range. The node has taken a new life. (X7)
    LifeRaised {
        /// The stamp from now on.
        stamp: Stamp,
    },
    /// Only in memberlist's dialect: somebody says that this node is suspect, dead or gone under a
    /// stamp so high that the node can't outbid it. Members that believe it will hold the node for
    /// gone, until they have forgotten it; under another name it could join again.
    Unbeatable {
        /// What was said.
        stamp: Stamp,
    },
}

/// How a member's entry changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberChange {
    /// It became a member, for the first time or again.
    Joined,
    /// Its address, metadata or versions changed.
    Updated,
    /// It is suspected to have failed; it still counts as a member.
    Suspected,
    /// The suspicion was refuted.
    Recovered,
    /// It failed.
    Failed,
    /// It left.
    Left,
    /// It is no member any more and its entry was removed.
    Reaped,
}

impl MemberChange {
    /// The change that an entry's way `from` one state (`None`: no entry) `to` another means for
    /// its members' list, if any.
    pub(crate) fn between(from: Option<State>, to: State) -> Option<Self> {
        match (from, to) {
            (None | Some(State::Dead | State::Left), State::Alive | State::Suspect) => {
                Some(Self::Joined)
            }
            (Some(State::Alive), State::Suspect) => Some(Self::Suspected),
            (Some(State::Suspect), State::Alive) => Some(Self::Recovered),
            (Some(State::Alive | State::Suspect), State::Dead) => Some(Self::Failed),
            (Some(State::Alive | State::Suspect | State::Dead), State::Left) => Some(Self::Left),
            (Some(State::Alive), State::Alive)
            | (Some(State::Suspect), State::Suspect)
            | (Some(State::Dead), State::Dead)
            | (Some(State::Left), State::Left | State::Dead)
            | (None, State::Dead | State::Left) => None,
        }
    }
}

impl fmt::Display for MemberChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Joined => "joined",
            Self::Updated => "updated",
            Self::Suspected => "suspected",
            Self::Recovered => "recovered",
            Self::Failed => "failed",
            Self::Left => "left",
            Self::Reaped => "reaped",
        })
    }
}

/// What came of one seed of a join.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SeedOutcome {
    /// Tables were exchanged: we know its members and it knows us.
    Joined {
        /// The seed's name.
        name: Name,
    },
    /// The seed is this node itself.
    Myself,
    /// No connection could be made.
    Unreachable,
    /// The connection was closed without a valid answer. Keys or labels may differ.
    Closed,
    /// The answer could not be accepted.
    Rejected(Reject),
    /// The seed said no, and why.
    Refused {
        /// Its words.
        reason: alloc::string::String,
    },
    /// The join's time ran out first.
    TimedOut,
    /// The join was cancelled first.
    Cancelled,
}

impl SeedOutcome {
    /// Whether the seed knows us now and we know it.
    #[must_use]
    pub const fn is_joined(&self) -> bool {
        matches!(self, Self::Joined { .. })
    }
}

impl fmt::Display for SeedOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Joined { name } => write!(f, "joined through {name}"),
            Self::Myself => f.write_str("is this node itself"),
            Self::Unreachable => f.write_str("could not be reached"),
            Self::Closed => f.write_str(
                "closed the connection without an answer; check that key and label are the same \
                 on both sides",
            ),
            Self::Rejected(reject) => write!(f, "gave an answer that was rejected: {reject}"),
            Self::Refused { reason } => write!(f, "refused: {reason}"),
            Self::TimedOut => f.write_str("did not answer in time"),
            Self::Cancelled => f.write_str("was not tried to the end: the join was cancelled"),
        }
    }
}

/// The answer to a ping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pong {
    /// The time from the ping's sending to the answer's handling.
    pub rtt: Duration,
    /// What the target attaches to its answers; empty if it does not know us, which it says in as
    /// few bytes as it can.
    pub payload: Bytes,
}

/// Why a reliable message is not known to have arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeliveryError {
    /// No connection could be made.
    Unreachable,
    /// The connection broke or went silent before the receiver confirmed. It may have the message.
    Unconfirmed,
    /// The receiver refused it.
    Refused,
}

impl core::error::Error for DeliveryError {}

impl fmt::Display for DeliveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreachable => "the member could not be reached",
            Self::Unconfirmed => {
                "the connection ended before the member confirmed; it may have the message"
            }
            Self::Refused => "the member refused the message",
        })
    }
}

/// Names a join.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JoinId(pub(crate) u64);

/// Names a ping asked for by the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PingId(pub(crate) u64);

/// Names a reliable message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SendId(pub(crate) u64);
