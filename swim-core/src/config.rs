//! How a node is set up. [`Options`] is what people write; [`Config`] is what passed the checks.
//!
//! The presets are memberlist's (`config.go`: `DefaultLANConfig` and its siblings), where its
//! values are sound.

use alloc::{string::String, sync::Arc, vec::Vec};
use core::{fmt, net::SocketAddr, ops::Deref, str::FromStr, time::Duration};

use bytes::Bytes;

use crate::{
    dialect::Dialect,
    keyring::Keyring,
    label::Label,
    limits,
    member::VersionRange,
    name::{Meta, Name},
    policy::{AllowAll, AllowList, Policy},
    stamp::Life,
};

mod check;

/// Everything that can be set. Start from a preset, change fields, then [`build`](Self::build).
#[derive(Clone)]
pub struct Options {
    /// The node's name, unique in the cluster. See [`Name`] for what it may be.
    pub name: String,
    /// The address at which the others reach this node, by packets and by streams.
    pub addr: SocketAddr,
    /// This run of the process: must be larger than in every earlier run, or the others will take
    /// the node for its former self. Milliseconds since 1970 where a wall clock exists, else a
    /// counter that is kept across runs.
    pub life: Life,
    /// The wall clock, as time since 1970, at the instant given to `Node::new`. With it, stale
    /// packets and lives from the future are recognised. `None`: there is no such clock.
    pub unix_time: Option<Duration>,
    /// What the node says about itself, at most 512 bytes.
    pub meta: Bytes,
    /// Names the cluster, so that packets of another one are refused. At most 64 bytes; empty for
    /// none.
    pub label: String,
    /// Keys: everything is sealed, and plaintext is refused. `None`: nothing is.
    pub keyring: Option<Keyring>,
    /// The application's own version numbers, announced to the others.
    pub application: VersionRange,
    /// Which bytes the cluster speaks. In memberlist's dialect nobody has a `life`, `repair` does
    /// nothing, and a `reclaim_after` of zero means never, as it does there.
    pub dialect: Dialect,

    /// Time between two probes, 10 ms to 1 h. Stretched by the node's own ill health.
    pub probe_interval: Duration,
    /// How long a direct ping may take before helpers are asked; less than `probe_interval`.
    pub probe_timeout: Duration,
    /// How many helpers are asked to ping on our behalf, 0 to 16. SWIM 3.1: k.
    pub indirect_probes: usize,
    /// Whether a failing probe is also tried over a stream.
    pub stream_pings: bool,
    /// The worst health score, 0 to 63; 0 turns health off. Lifeguard, LHA-Probe: S.
    pub health_max: u32,
    /// How many probe intervals (times log10 of the cluster's size) a suspect has at least, 1 to
    /// 32. Lifeguard: alpha.
    pub suspicion_mult: u32,
    /// How many times the least suspicion timeout the longest is, 1 to 32. Lifeguard: beta.
    pub suspicion_max_mult: u32,

    /// Least time between two rounds of gossip; zero turns gossip off and leaves piggybacking.
    pub gossip_interval: Duration,
    /// To how many members each round goes, 0 to 32; 0 turns gossip off.
    pub gossip_nodes: usize,
    /// For how long the dead are still gossiped to, so that those who live can say so.
    pub gossip_to_dead: Duration,
    /// How many times log10 of the cluster's size one update is sent by each node, 1 to 16.
    pub retransmit_mult: u32,
    /// Time between two exchanges of whole tables with a random member; grows with the cluster.
    /// Zero turns them off.
    pub push_pull_interval: Duration,
    /// Whether pings and acks compare what both sides know, and repair holes at once.
    pub repair: bool,

    /// For how long a dead member keeps its entry.
    pub reap_after: Duration,
    /// How long a member must be dead before a new life at another address may take its name.
    /// `None`: only once it is reaped. One that left keeps its name for three probe intervals and
    /// the time that gossip takes, whatever this says.
    pub reclaim_after: Option<Duration>,
    /// Time between two attempts to reach a dead or forgotten member; zero turns them off.
    pub reconnect_interval: Duration,
    /// For how long a reaped member's address is remembered, so that a long partition heals.
    pub remember_for: Duration,

    /// How long a stream may stand still; three times as long it may take in all.
    pub stream_timeout: Duration,
    /// The longest datagram sent, in bytes, 576 to 9216.
    pub packet_len_max: usize,
    /// How many members are known at most, of every state.
    pub members_max: usize,
    /// How many streams peers may have open with us, 1 to 256.
    pub streams_max: usize,
    /// How many of those from one address.
    pub streams_per_addr_max: usize,
    /// How many bytes of application state an exchange carries at most, up to 64 MiB. In
    /// memberlist's dialect up to 20 MiB, of which this node sends up to 16.
    pub state_len_max: usize,
    /// How many bytes a reliable message has at most, up to 64 MiB. In memberlist's dialect up to
    /// 20 MiB, of which this node sends up to 16.
    pub message_len_max: usize,
    /// For how long a broadcast is carried and remembered. Nobody delivers an older one.
    pub broadcast_lifetime: Duration,

    /// Whether each answered probe is reported with its round-trip time.
    pub report_probes: bool,
    /// Which addresses members may have; `None` for all.
    pub allow: Option<AllowList>,
    /// Decisions that belong to the application.
    pub policy: Arc<dyn Policy>,
}

impl Options {
    /// For one data centre: detection in seconds.
    #[must_use]
    pub fn lan(name: impl Into<String>, addr: SocketAddr) -> Self {
        Self {
            name: name.into(),
            addr,
            life: Life(1),
            unix_time: None,
            meta: Bytes::new(),
            label: String::new(),
            keyring: None,
            application: VersionRange::default(),
            dialect: Dialect::Native,
            probe_interval: Duration::from_secs(1),
            probe_timeout: Duration::from_millis(500),
            indirect_probes: 3,
            stream_pings: true,
            health_max: 7,
            suspicion_mult: 4,
            suspicion_max_mult: 6,
            gossip_interval: Duration::from_millis(200),
            gossip_nodes: 3,
            gossip_to_dead: Duration::from_secs(30),
            retransmit_mult: 4,
            push_pull_interval: Duration::from_secs(30),
            repair: true,
            reap_after: Duration::from_secs(30),
            reclaim_after: Some(Duration::ZERO),
            reconnect_interval: Duration::from_secs(30),
            remember_for: Duration::from_secs(24 * 60 * 60),
            stream_timeout: Duration::from_secs(10),
            packet_len_max: 1400,
            members_max: limits::MEMBERS_DEFAULT,
            streams_max: 128,
            streams_per_addr_max: 4,
            state_len_max: limits::TRANSFER_DEFAULT,
            message_len_max: limits::TRANSFER_DEFAULT,
            broadcast_lifetime: Duration::from_secs(30),
            report_probes: false,
            allow: None,
            policy: Arc::new(AllowAll),
        }
    }

    /// For clusters across the internet: slower, with smaller packets.
    #[must_use]
    pub fn wan(name: impl Into<String>, addr: SocketAddr) -> Self {
        Self {
            probe_interval: Duration::from_secs(5),
            probe_timeout: Duration::from_secs(3),
            suspicion_mult: 6,
            gossip_interval: Duration::from_millis(500),
            gossip_nodes: 4,
            gossip_to_dead: Duration::from_secs(60),
            push_pull_interval: Duration::from_secs(60),
            reap_after: Duration::from_secs(60),
            stream_timeout: Duration::from_secs(30),
            packet_len_max: 1232,
            ..Self::lan(name, addr)
        }
    }

    /// For one machine and for tests: fast.
    #[must_use]
    pub fn local(name: impl Into<String>, addr: SocketAddr) -> Self {
        Self {
            probe_timeout: Duration::from_millis(200),
            indirect_probes: 1,
            suspicion_mult: 3,
            gossip_interval: Duration::from_millis(100),
            gossip_to_dead: Duration::from_secs(15),
            push_pull_interval: Duration::from_secs(15),
            reap_after: Duration::from_secs(15),
            stream_timeout: Duration::from_secs(1),
            ..Self::lan(name, addr)
        }
    }

    /// The preset of this name.
    #[must_use]
    pub fn preset(profile: Profile, name: impl Into<String>, addr: SocketAddr) -> Self {
        match profile {
            Profile::Lan => Self::lan(name, addr),
            Profile::Wan => Self::wan(name, addr),
            Profile::Local => Self::local(name, addr),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("name", &self.name)
            .field("addr", &self.addr)
            .field("life", &self.life)
            .field("label", &self.label)
            .field("sealed", &self.keyring.is_some())
            .finish_non_exhaustive()
    }
}

/// The presets by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// [`Options::lan`].
    Lan,
    /// [`Options::wan`].
    Wan,
    /// [`Options::local`].
    Local,
}

impl FromStr for Profile {
    type Err = ProfileError;

    fn from_str(text: &str) -> Result<Self, ProfileError> {
        match text {
            "lan" => Ok(Self::Lan),
            "wan" => Ok(Self::Wan),
            "local" => Ok(Self::Local),
            _ => Err(ProfileError { text: text.into() }),
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Lan => "lan",
            Self::Wan => "wan",
            Self::Local => "local",
        })
    }
}

/// A text that names no preset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileError {
    text: String,
}

impl core::error::Error for ProfileError {}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not a profile; there are lan, wan and local", self.text)
    }
}

/// Checked options. One that exists is valid.
#[derive(Clone, Debug)]
pub struct Config {
    options: Options,
    name: Name,
    meta: Meta,
    label: Label,
}

impl Config {
    /// The node's name.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// What the node says about itself at first.
    #[must_use]
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// The cluster's label.
    #[must_use]
    pub fn label(&self) -> &Label {
        &self.label
    }

    /// Whether views are compared, which takes a dialect with digests.
    #[must_use]
    pub(crate) fn repairs(&self) -> bool {
        self.repair && self.dialect.is_native()
    }

    /// How long a member must be dead before another address may take its name.
    #[must_use]
    pub(crate) fn reclaims_after(&self) -> Option<Duration> {
        self.reclaim_after.filter(|after| self.dialect.is_native() || !after.is_zero())
    }

    /// Whether there are rounds of gossip, or only piggybacking.
    #[must_use]
    pub(crate) fn gossips(&self) -> bool {
        self.gossip_nodes > 0 && !self.gossip_interval.is_zero()
    }
}

/// Reads the options as they were given; they can't be changed any more.
impl Deref for Config {
    type Target = Options;

    fn deref(&self) -> &Options {
        &self.options
    }
}

/// Why options can't be used: every fault that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The faults, in the order of the fields.
    pub faults: Vec<Fault>,
}

/// One thing wrong with the options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The field of [`Options`].
    pub field: &'static str,
    /// What is wrong with its value, and what would be right.
    pub problem: String,
}

impl core::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.faults.iter().enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{}: {}", fault.field, fault.problem)?;
        }
        Ok(())
    }
}
