//! What can go wrong with a call, and with starting a node.

use core::{fmt, net::SocketAddr};
use std::io;

use swim_core::{
    ConfigError, DeliveryError, JoinError, KeyringError, LeaveError, RemoveError, SeedOutcome,
    SendError, UpdateError,
};

use crate::host::AddrProblem;

/// The node has stopped, or stopped before it was done with the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

/// Why a call failed. None changes the node, except where [`Delivery`](Self::Delivery) says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The node has stopped, or stopped before it was done with the call.
    Stopped,
    /// The metadata was not changed.
    Update(UpdateError),
    /// The message or broadcast was not sent.
    Send(SendError),
    /// The message was sent, and is not known to have arrived.
    Delivery(DeliveryError),
    /// The ping was not answered in time.
    NoAnswer,
    /// The member was not removed.
    Remove(RemoveError),
    /// The keyring was not changed.
    Keyring(KeyringError),
}

/// Why a join did not lead into the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JoinFailed {
    /// The node has stopped.
    Stopped,
    /// The join did not begin.
    Refused(JoinError),
    /// None of the seeds could be joined. Each says why.
    NoSeed {
        /// What came of each seed, in the order given.
        seeds: Vec<SeedReport>,
    },
}

/// What came of one address of a seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeedReport {
    /// The seed as it was given.
    pub given: String,
    /// What came of it.
    pub result: SeedResult,
}

/// How far a seed got.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SeedResult {
    /// The text led to no address that could be used.
    Unresolved {
        /// Why.
        problem: String,
    },
    /// The address was tried.
    Tried {
        /// The address.
        addr: SocketAddr,
        /// What came of it.
        outcome: SeedOutcome,
    },
}

/// Why a leave did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LeaveFailed {
    /// The node has stopped.
    Stopped,
    /// The leave did not begin.
    Refused(LeaveError),
}

/// Why a node did not start. Nothing is left running or bound.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// There is no async runtime around, or it can't do what a node needs.
    Runtime {
        /// What the runtime says.
        source: io::Error,
    },
    /// A text is no address.
    Address {
        /// Whether it was given to `bind` or to `advertise`.
        setting: &'static str,
        /// The text.
        given: String,
        /// What is wrong with it.
        problem: AddrProblem,
    },
    /// There is no such interface, or it has no address that could be bound.
    Interface {
        /// The name given.
        name: String,
        /// The interfaces there are.
        known: Vec<String>,
    },
    /// The interfaces could not be listed.
    Interfaces {
        /// What the operating system says.
        source: io::Error,
    },
    /// UDP and TCP could not be bound to this address.
    Bind {
        /// The address.
        addr: SocketAddr,
        /// What the operating system says.
        source: io::Error,
    },
    /// There is no address that the others could be told.
    Advertise {
        /// The host to advertise, or the address bound if none was given.
        given: String,
        /// Why it does not do.
        problem: String,
    },
    /// The options are not valid.
    Config(ConfigError),
    /// The operating system gave no random numbers.
    Random {
        /// What it says.
        source: io::Error,
    },
}

impl From<Stopped> for Error {
    fn from(Stopped: Stopped) -> Self {
        Self::Stopped
    }
}

impl From<Stopped> for JoinFailed {
    fn from(Stopped: Stopped) -> Self {
        Self::Stopped
    }
}

impl From<Stopped> for LeaveFailed {
    fn from(Stopped: Stopped) -> Self {
        Self::Stopped
    }
}

impl From<SendError> for Error {
    fn from(error: SendError) -> Self {
        Self::Send(error)
    }
}

impl From<ConfigError> for StartError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

// The texts include those of their causes, so `source` stays silent: a report that walks the chain
// says everything once.
impl core::error::Error for Stopped {}
impl core::error::Error for Error {}
impl core::error::Error for JoinFailed {}
impl core::error::Error for LeaveFailed {}
impl core::error::Error for StartError {}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the node has stopped")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => Stopped.fmt(f),
            Self::Update(error) => error.fmt(f),
            Self::Send(error) => error.fmt(f),
            Self::Delivery(error) => error.fmt(f),
            Self::NoAnswer => f.write_str("the member did not answer the ping in time"),
            Self::Remove(error) => error.fmt(f),
            Self::Keyring(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for JoinFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => Stopped.fmt(f),
            Self::Refused(error) => error.fmt(f),
            Self::NoSeed { seeds } => {
                f.write_str("none of the seeds could be joined: ")?;
                for (i, seed) in seeds.iter().enumerate() {
                    let comma = if i > 0 { "; " } else { "" };
                    write!(f, "{comma}{seed}")?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for SeedReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let given = &self.given;
        match &self.result {
            SeedResult::Unresolved { problem } => write!(f, "{given}: {problem}"),
            SeedResult::Tried { addr, outcome } if *given == addr.to_string() => {
                write!(f, "{given} {outcome}")
            }
            SeedResult::Tried { addr, outcome } => write!(f, "{given} ({addr}) {outcome}"),
        }
    }
}

impl fmt::Display for LeaveFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => Stopped.fmt(f),
            Self::Refused(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Runtime { source } => source.fmt(f),
            Self::Address { setting, given, problem } => {
                write!(f, "can't {setting} {given:?}: {problem}")
            }
            Self::Interface { name, known } => write!(
                f,
                "can't bind {name:?}: it is no IP address, and no interface of this machine with a \
                 usable address; there are {}",
                known.join(", ")
            ),
            Self::Interfaces { source } => write!(
                f,
                "can't list the interfaces of this machine: {source}; give an IP address to bind \
                 and one to advertise"
            ),
            Self::Bind { addr, source } => {
                write!(f, "can't bind UDP and TCP to {addr}: {source}; {}", bind_advice(source))
            }
            Self::Advertise { given, problem } => write!(f, "can't advertise {given:?}: {problem}"),
            Self::Config(error) => write!(f, "the options are not valid: {error}"),
            Self::Random { source } => {
                write!(f, "the operating system gave no random numbers: {source}")
            }
        }
    }
}

fn bind_advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "choose another port, or 0 for any that is free",
        io::ErrorKind::AddrNotAvailable => "choose an address that this machine has",
        io::ErrorKind::PermissionDenied => {
            "choose a port from 1024 on, or run with the right to it"
        }
        _ => "choose another address or port",
    }
}
