//! Captured packets and streams in words, for people who look into a cluster from outside.
//!
//! The decoders are those of the nodes, so that what is understood here is what a node would take
//! that has these keys and this label; but nothing here is for one node, nothing is too old, and
//! the same packet may come twice.

use alloc::vec::Vec;
use core::net::{Ipv4Addr, SocketAddr};

use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng as _;

pub use crate::explanation::{Explained, Explanation, Fields, Layer, Refusal, Value};
#[cfg(feature = "rewriting")]
use crate::reject::Reject;
use crate::{
    dialect::Dialect,
    keyring::Keyring,
    label::Label,
    limits,
    stamp::Life,
    wire::{Wire, WireSettings},
};

/// Reads what the members of one cluster say to each other.
///
/// ```
/// use swim_core::{Dialect, MemberlistOptions, inspect::{Inspector, Value}};
///
/// let dialect = Dialect::Memberlist(MemberlistOptions::default());
/// let mut inspector = Inspector::new(dialect, &"".parse()?, None);
/// let said = inspector.packet(b"\x0b\x81\xa5SeqNo\x07");
/// assert!(said.is_understood());
/// assert_eq!(said.messages[0].kind, "nack");
/// assert_eq!(said.messages[0].fields, [("seq_no", Value::Number(7))]);
/// # Ok::<(), swim_core::LabelError>(())
/// ```
pub struct Inspector {
    wire: Wire,
}

/// What was said on a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conversation {
    /// By the one who dialed, frame by frame. In memberlist's dialect a direction is one frame.
    pub request: Vec<Explanation>,
    /// By the one who was dialed.
    pub answer: Vec<Explanation>,
}

impl Inspector {
    /// Reads what nodes of this dialect, with this label and these keys, write.
    #[must_use]
    pub fn new(dialect: Dialect, label: &Label, keyring: Option<Keyring>) -> Self {
        let settings = WireSettings {
            label,
            keyring,
            own_name: NOBODY,
            own_life: Life::NONE,
            packet_len_max: limits::PACKET_LEN_MAX,
            sessions_max: 1,
            // Its nodes may be set to take any; what is looked at is here already.
            state_len_max: usize::MAX,
            message_len_max: usize::MAX,
        };
        let addr = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        // Nothing is ever sealed with it.
        let nonces = ChaCha8Rng::from_seed([0; 32]);
        Self { wire: Wire::new(dialect, settings, addr, nonces) }
    }

    /// Says what is in a packet: the payload of one UDP datagram.
    #[must_use]
    pub fn packet(&mut self, data: &[u8]) -> Explanation {
        self.wire.explain_packet(data)
    }

    /// Says what is in a stream: all bytes that the one who dialed sent, and all that the other
    /// one answered. Either may be empty if it was not captured; but what is sealed in the native
    /// dialect can be opened in an answer only with the request before it.
    #[must_use]
    pub fn stream(&mut self, request: &[u8], answer: &[u8]) -> Conversation {
        let [request, answer] = self.wire.explain_stream([request, answer]);
        Conversation { request, answer }
    }

    /// A packet written again by the writers of a node, field by field and layer by layer: the same
    /// to the byte wherever they write as its sender did, which in the native dialect is
    /// everywhere. In memberlist's, it is sealed under the nonce that it had.
    ///
    /// # Errors
    ///
    /// Why it is refused; in the native dialect also what is sealed, and what a later version says.
    #[cfg(feature = "rewriting")]
    pub fn rewrite_packet(&mut self, data: &[u8]) -> Result<Vec<u8>, Reject> {
        self.wire.rewrite_packet(data)
    }

    /// One direction of a stream, likewise: what the one who dialed said, or what was answered. A
    /// native frame that was compressed is compressed once more, not always to the same bytes.
    ///
    /// # Errors
    ///
    /// Why it is refused, as for a packet.
    #[cfg(feature = "rewriting")]
    pub fn rewrite_stream(&mut self, data: &[u8], is_request: bool) -> Result<Vec<u8>, Reject> {
        self.wire.rewrite_stream(data, is_request)
    }
}

/// The reader of everything, which nobody writes to.
const NOBODY: &str = "nobody";
