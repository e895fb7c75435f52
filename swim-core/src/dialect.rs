//! Which bytes a cluster speaks: ours, or those of HashiCorp's memberlist and Serf.

use crate::member::VersionRange;

/// What a node writes and reads. All members of a cluster must have the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// Ours: authentic, versioned, safe against replays, with lives.
    #[default]
    Native,
    /// That of memberlist and Serf, to be a member of a cluster of theirs. What it can't carry,
    /// and what is less safe with it, is in `docs/departures.md`.
    Memberlist(MemberlistOptions),
}

/// What can be set in memberlist's dialect alone, with memberlist's names and defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberlistOptions {
    /// The versions of memberlist's protocol: the one that is spoken, and those announced as
    /// understood, within 1 and 5. In version 1 envelopes are padded (`ProtocolVersion`).
    pub protocol: VersionRange,
    /// With a keyring: whether only what is sealed is taken (`GossipVerifyIncoming`).
    pub verify_incoming: bool,
    /// With a keyring: whether what is sent is sealed (`GossipVerifyOutgoing`).
    pub verify_outgoing: bool,
    /// With a keyring: whether padded envelopes (version 0) are taken also when another version of
    /// the protocol than 1 is spoken. Their version is not authenticated, and who flips it makes
    /// one of an envelope of ours; so that this is for clusters with members that speak 1. Go
    /// always takes them.
    pub accept_padded: bool,
    /// Whether what gets shorter by it is compressed, in packets and in streams
    /// (`EnableCompression`).
    pub compression: bool,
    /// Whether labels are taken off by somebody before this node, so that it must see none
    /// (`SkipInboundLabelCheck`).
    pub skip_inbound_label_check: bool,
    /// The port this node listens at, if that of its address is another (`BindPort`). It stands for
    /// the port of those that give none, and for that of all while version 1 of the protocol is
    /// spoken: there a cluster has one port, and those in messages are not believed.
    pub bind_port: Option<u16>,
}

/// The lowest and the highest version of memberlist's protocol that there is.
pub(crate) const PROTOCOL_RANGE: [u8; 2] = [1, 5];

/// From this version on, as the one that is spoken, the ports in messages are believed.
pub(crate) const PORTS_SINCE: u8 = 2;

/// From this version on, as the highest that a node of memberlist understands, it answers pings
/// over streams.
const STREAM_PINGS_SINCE: u8 = 3;

/// From this one on, it sends nacks.
const NACKS_SINCE: u8 = 4;

impl Default for MemberlistOptions {
    fn default() -> Self {
        let [min, max] = PROTOCOL_RANGE;
        Self {
            protocol: VersionRange { min, max, current: 2 },
            verify_incoming: true,
            verify_outgoing: true,
            accept_padded: false,
            compression: true,
            skip_inbound_label_check: false,
            bind_port: None,
        }
    }
}

impl Dialect {
    /// Whether it knows lives, senders of packets and digests.
    pub(crate) const fn is_native(self) -> bool {
        match self {
            Self::Native => true,
            Self::Memberlist(_) => false,
        }
    }

    /// Whether a member that understands these versions of the protocol sends nacks.
    pub(crate) const fn has_nacks(self, protocol: VersionRange) -> bool {
        self.is_native() || protocol.max >= NACKS_SINCE
    }

    /// Whether a member that understands these versions of the protocol answers pings over streams.
    pub(crate) const fn has_stream_pings(self, protocol: VersionRange) -> bool {
        self.is_native() || protocol.max >= STREAM_PINGS_SINCE
    }
}
