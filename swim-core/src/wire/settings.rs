//! What a wire needs to know of its node.

use crate::{keyring::Keyring, label::Label, stamp::Life};

/// What a wire takes on the heap at most, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WireMemory {
    /// What packets are told from replays by, and the ciphers of peers.
    pub(crate) replays: u64,
    /// What has come on all streams and is not handed on yet.
    pub(crate) streams: u64,
    /// What is read and written, while it is.
    pub(crate) buffers: u64,
}

/// How many bytes streams may hold of states and messages that are not there, or not handed on, as
/// a whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// The longest that one of them can be.
    pub(crate) longest: usize,
    /// All of them together.
    pub(crate) all: usize,
}

/// The settings of a wire.
#[derive(Clone, Debug)]
pub(crate) struct WireSettings<'a> {
    pub(crate) label: &'a Label,
    /// With a ring everything is sealed and must be sealed; without one, nothing is and may be.
    pub(crate) keyring: Option<Keyring>,
    pub(crate) own_name: &'a str,
    /// The life in which the node started: what is for an earlier one is not for it.
    pub(crate) own_life: Life,
    /// The longest packet to send, 576 to 9,216 bytes.
    pub(crate) packet_len_max: usize,
    /// How many sessions of peers are remembered to recognise replays.
    pub(crate) sessions_max: usize,
    /// The most bytes of application state to take in an exchange.
    pub(crate) state_len_max: usize,
    /// The longest reliable message to take.
    pub(crate) message_len_max: usize,
}
