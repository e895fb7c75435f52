//! What those do who mean harm, as data: who they are, what they say, how much of it at once, and
//! what they do with streams.

use std::net::SocketAddr;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use swim_core::{Dialect, Instant, KeyId, Meta, Name, Stamp, State};

use crate::network::HostId;

/// Who writes in the name of others: what he knows of the cluster's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Forger {
    /// Nothing. He takes the sealed cluster for an open one. (A0)
    Outsider,
    /// One that the host refuses by now. (A2)
    Former,
    /// The one that the host seals with; in an open cluster everybody is one. (A3)
    Insider,
}

/// What somebody says who lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Lie {
    /// About whose node. Where nothing ever ran there is none, and it is invented.
    pub about: HostId,
    /// About the nodes of how many hosts after that one too.
    #[serde(default, skip_serializing_if = "is_none")]
    pub more: usize,
    /// What.
    pub says: Says,
    /// How many incarnations ahead of what the member spoke under, or as far as numbers go.
    pub ahead: u64,
    /// How many lives ahead.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub lives: u64,
    /// Whether it is told as a table, over a stream.
    #[serde(default, skip_serializing_if = "is_not")]
    pub table: bool,
    /// How many bytes of application state come with the table. Compressed they take a fortieth of
    /// that, no more than what is believed. (X12)
    #[serde(default, skip_serializing_if = "is_none")]
    pub bloat: usize,
}

/// What is said of a member, or asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Says {
    /// That it is in doubt.
    Suspect,
    /// That it is dead.
    Dead,
    /// That it left.
    Left,
    /// That it lives, and says something else of itself.
    Alive,
    /// The same, and that it is on another host.
    At(HostId),
    /// Nothing: it is a question.
    Ping,
    /// Nothing: it is a request to ask that one.
    Help,
    /// Nothing: it is compressed, and not what it says it is. (X12)
    Trap(Trap),
    /// Whatever was recorded.
    Recorded,
    /// Next to nothing, but under the numbers that the member seals with itself, so many ahead.
    /// (X4)
    Theft,
}

/// How something that is compressed deceives whoever inflates it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trap {
    /// It says that it holds less than it does.
    Less,
    /// It says that it holds more than it does.
    More,
    /// It holds more than is believed of what is so short.
    Dense,
}

/// Packets that somebody sends all at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Flood {
    /// What they are.
    pub of: Torrent,
    /// How many.
    pub times: usize,
    /// Decides the rest.
    pub word: u64,
}

/// What many packets are that come at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Torrent {
    /// Noise.
    Noise,
    /// Questions that are sealed with a key that nobody here has. (A0)
    Strange,
    /// A lie, told of one member after the other, and each time round of the next incarnation.
    Lies {
        /// Which.
        lie: Lie,
        /// Who tells it.
        by: Forger,
    },
}

/// A stream that somebody opens who does not belong here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Assault {
    /// What goes over it.
    pub with: Payload,
    /// How long the pieces are in which it comes; 0: as they are.
    pub cut: usize,
    /// Whether it stands still before its last byte, for ever.
    pub stalls: bool,
    /// How many there are, each from another host.
    pub times: usize,
    /// Decides the rest.
    pub word: u64,
}

/// What goes over a stream of somebody who does not belong here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Payload {
    /// Nothing.
    Silence,
    /// So many bytes of noise.
    Noise(usize),
    /// The announcement of a frame of this length, and less of it than was announced.
    Length(u32),
    /// What somebody said on another stream, recorded. (A1)
    Recording,
}

/// What betrays something that nobody in the cluster wrote, or not to this node or now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It is not sealed.
    Open,
    /// It is sealed with this key, which the receiver does not accept any more.
    Key(KeyId),
    /// It is no message at all.
    Noise,
    /// It was recorded.
    Recorded,
}

/// Something that nobody in the cluster wrote.
#[derive(Clone, Debug)]
pub struct Forged {
    /// Where it is going to arrive.
    pub host: HostId,
    /// When.
    pub at: Instant,
    /// In whose name it is written, and from where it seems to come, if that is not where he is.
    pub posing: Option<(Name, SocketAddr)>,
    /// The packet; none if it comes over a stream.
    pub packet: Option<Bytes>,
    /// The address of somebody who did not send the packet, and can't be told from who did.
    pub victim: Option<SocketAddr>,
    /// What it says.
    pub tales: Vec<Tale>,
    /// Why it must be refused; `None`: nobody can know that it is a lie.
    pub flaw: Option<Flaw>,
}

/// What is said of a member.
#[derive(Clone, Debug)]
pub struct Tale {
    /// Of whom.
    pub name: Name,
    /// Under which stamp.
    pub stamp: Stamp,
    /// What it is said to be.
    pub state: State,
    /// Where it is said to be, and what it is said to say of itself, if that is told.
    pub profile: Option<(SocketAddr, Meta)>,
    /// The word for it in counters.
    pub kind: &'static str,
}

impl Forger {
    /// The word for him in counters.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Outsider => "outsider",
            Self::Former => "former",
            Self::Insider => "insider",
        }
    }
}

impl Lie {
    /// The word for it in counters.
    pub(crate) const fn kind(&self) -> &'static str {
        if self.more > 0 { "crowd" } else { self.says.kind() }
    }
}

impl Says {
    /// The word for it in counters.
    pub(crate) const fn kind(self) -> &'static str {
        match self {
            Self::Suspect | Self::Dead => "accusation",
            Self::Left => "farewell",
            Self::Alive => "poison",
            Self::At(_) => "hijack",
            Self::Ping | Self::Help => "question",
            Self::Recorded => "recording",
            Self::Trap(_) => "trap",
            Self::Theft => "theft",
        }
    }

    /// What the member is said to be, if anything is said of it.
    pub(crate) const fn state(self) -> Option<State> {
        match self {
            Self::Suspect => Some(State::Suspect),
            Self::Dead => Some(State::Dead),
            Self::Left => Some(State::Left),
            Self::Alive | Self::At(_) => Some(State::Alive),
            Self::Ping | Self::Help | Self::Recorded | Self::Trap(_) | Self::Theft => None,
        }
    }
}

impl Payload {
    /// The word for it in counters.
    pub(crate) const fn kind(self) -> &'static str {
        match self {
            Self::Silence => "silence",
            Self::Noise(_) => "noise",
            Self::Length(_) => "length",
            Self::Recording => "recording",
        }
    }
}

impl From<Trap> for swim_core::Trap {
    fn from(trap: Trap) -> Self {
        match trap {
            Trap::Less => Self::Less,
            Trap::More => Self::More,
            Trap::Dense => Self::Dense,
        }
    }
}

/// The counter of what somebody does who means harm. What is done to nodes that speak memberlist's
/// dialect says nothing of the others, and is counted by itself. (C1)
pub(crate) fn counter(dialect: Dialect, what: &str) -> String {
    match dialect {
        Dialect::Native => what.to_owned(),
        Dialect::Memberlist(_) => format!("memberlist {what}"),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
const fn is_none(more: &usize) -> bool {
    *more == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
const fn is_nothing(lives: &u64) -> bool {
    *lives == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
const fn is_not(table: &bool) -> bool {
    !*table
}
