//! What those who watch a world get to see: one moment of one host.

use std::net::SocketAddr;

use bytes::Bytes;
use swim_core::{Audit, Event, Glimpse, Heard, Instant, Life, Node, StreamId, Transition};

use crate::{malice::Flaw, network::HostId};

/// One moment of one host, after everything it led to there was carried out.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// The world's time.
    pub now: Instant,
    /// The host's own time.
    pub local: Instant,
    /// Which host.
    pub host: HostId,
    /// How often a process was started there: tells one run from the next.
    pub run: u32,
    /// The host's address.
    pub addr: SocketAddr,
    /// The node, as it is now.
    pub node: &'a Node,
    /// What it keeps inside.
    pub audit: &'a Audit,
    /// What was seen of it after the moment before, if anybody looked.
    pub before: Option<&'a Glimpse>,
    /// What is seen of it now.
    pub after: &'a Glimpse,
    /// What happened.
    pub moment: &'a Moment,
    /// Every change of its table in this moment, in order.
    pub transitions: &'a [Transition],
    /// What the node told its application in this moment.
    pub events: &'a [Event],
    /// The packets it sent in this moment.
    pub sent: &'a [(SocketAddr, Bytes)],
    /// What it wrote to streams in this moment, piece by piece.
    pub written: &'a [(StreamId, Bytes)],
    /// To where it opened streams in this moment.
    pub dialed: &'a [SocketAddr],
    /// What it heard in this moment, if a checker needs that.
    pub heard: &'a [Heard],
}

/// What happened to a host.
#[derive(Clone, Debug)]
pub enum Moment {
    /// A process was started.
    Started,
    /// A packet was handled.
    Packet {
        /// Where it came from.
        from: SocketAddr,
        /// Its content.
        data: Bytes,
    },
    /// A piece of a stream was handled.
    Stream {
        /// Why nothing that comes over it may count, if it is of somebody who means harm.
        flaw: Option<Flaw>,
    },
    /// A timer fired.
    Tick,
    /// The application asked for something.
    Command,
    /// The application asked to leave.
    Leave,
    /// The application declared a member gone.
    Remove {
        /// Whom.
        name: String,
        /// In which life.
        life: Life,
    },
    /// The process is about to end without a word.
    Crashed,
}
