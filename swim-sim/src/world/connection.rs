//! A stream between two hosts, as data: what each side sent and the other did not get yet.

use std::collections::VecDeque;

use swim_core::StreamId;

use crate::{
    host::Piece,
    malice::Flaw,
    network::{HostId, StreamLuck},
};

/// Two ends, and what is on its way between them.
#[derive(Debug)]
pub(super) struct Connection {
    /// The dialer's end and the other.
    pub(super) ends: [Side; 2],
    /// Tells this connection from an earlier one at the same place.
    pub(super) serial: u32,
    /// What all luck of both directions comes from.
    pub(super) luck: StreamLuck,
    /// Why nothing that the dialer says may count, if it is somebody who means harm.
    pub(super) flaw: Option<Flaw>,
    /// Whether the dialer is nobody's process.
    pub(super) is_strange: bool,
}

/// One end of it.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) host: HostId,
    pub(super) run: u32,
    pub(super) stream: StreamId,
    /// What this side sent and the other did not get yet.
    pub(super) pipe: VecDeque<Parcel>,
    pub(super) is_pumping: bool,
    /// Nothing that this side sends arrives any more.
    pub(super) is_stuck: bool,
    /// How often the next piece was lost in a row.
    pub(super) losses: u32,
    /// How many pieces this side wrote.
    pub(super) written: u32,
    /// How many things of this side were sent on their way.
    pub(super) sent: u32,
}

impl Side {
    pub(super) const fn new(host: HostId, run: u32, stream: StreamId) -> Self {
        Self {
            host,
            run,
            stream,
            pipe: VecDeque::new(),
            is_pumping: false,
            is_stuck: false,
            losses: 0,
            written: 0,
            sent: 0,
        }
    }
}

/// What a pipe carries.
#[derive(Debug)]
pub(super) enum Parcel {
    Dial,
    Accept,
    Piece(Piece),
    /// The stream breaks when this arrives.
    Break,
}
