//! What those who watch a world get to see: one moment of one host.

use std::net::SocketAddr;

use bytes::Bytes;
use swim_core::{Audit, Event, Instant, Life, Node};

use crate::network::HostId;

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
    /// What happened.
    pub moment: &'a Moment,
    /// What the node told its application in this moment.
    pub events: &'a [Event],
    /// The packets it sent in this moment.
    pub sent: &'a [(SocketAddr, Bytes)],
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
    Stream,
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
