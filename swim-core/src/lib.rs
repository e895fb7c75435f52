//! Cluster membership, failure detection and dissemination as a pure state machine.
//!
//! The protocol is SWIM (Das, Gupta, Motivala, DSN 2002) as HashiCorp memberlist extended it,
//! Lifeguard included. [`Node`] does no I/O, reads no clock and draws no randomness but what it was
//! seeded with: whoever owns sockets and a clock feeds it [`Input`]s and carries out its
//! [`Output`]s. The same code runs in production, in the simulator and under the fuzzer.
//!
//! Ready-made networking is in `swim-tokio`. This crate needs `alloc`, not `std`.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod broadcasts;
mod challenge;
mod claims;
mod config;
mod conflicts;
mod dialect;
mod error;
mod event;
mod explanation;
mod fingerprint;
mod graveyard;
mod health;
mod heap;
#[cfg(feature = "simulation")]
mod hearsay;
pub mod inspect;
mod io;
mod join;
mod keyring;
mod label;
mod leave;
pub mod limits;
mod math;
mod member;
mod memory;
mod name;
mod node;
mod outbox;
mod policy;
mod precedence;
mod probe;
mod profile;
mod reject;
mod relay;
mod remembered;
mod repair;
mod ring;
mod rng;
mod sabotage;
pub mod settings;
mod stamp;
mod stats;
mod stream;
mod suspicion;
mod table;
mod time;
mod timers;
#[cfg(feature = "simulation")]
mod transitions;
#[cfg(feature = "simulation")]
mod trap;
mod turn;
mod unheard;
mod urgency;
mod wire;

pub use bytes::Bytes;

pub use config::{Config, ConfigError, Fault, Options, Profile, ProfileError};
pub use dialect::{Dialect, MemberlistOptions};
pub use error::{JoinError, LeaveError, RemoveError, SendError, UpdateError};
pub use event::{
    DeliveryError, Event, EventKind, JoinId, MemberChange, PingId, Pong, SeedOutcome, SendId,
};
#[cfg(feature = "simulation")]
#[doc(hidden)]
pub use hearsay::{Heard, Hearsay, Said};
pub use io::{Input, Output, StreamEvent, StreamId, Timer};
pub use keyring::{KEYS_MAX, Key, KeyError, KeyId, Keyring, KeyringError};
pub use label::{LABEL_LEN_MAX, Label, LabelError, NATIVE_LABEL_LEN_MAX};
pub use member::{LeaveReason, Member, State, VersionRange, Versions};
pub use memory::Memory;
pub use name::{META_LEN_MAX, Meta, MetaError, NAME_LEN_MAX, Name, NameError};
pub use node::Node;
#[cfg(feature = "simulation")]
#[doc(hidden)]
pub use node::audit::{Audit, AuditedClaims, AuditedLengths, AuditedProbe, AuditedSuspicion};
#[cfg(feature = "simulation")]
#[doc(hidden)]
pub use node::forging::{Forger, Lie, Line};
#[cfg(feature = "simulation")]
#[doc(hidden)]
pub use node::glimpse::Glimpse;
pub use policy::{AllowAll, AllowList, Candidate, Cidr, CidrError, ExchangePeer, Policy, Refused};
pub use reject::Reject;
#[cfg(feature = "sabotage")]
#[doc(hidden)]
pub use sabotage::Sabotage;
pub use stamp::{INCARNATION_MAX, Incarnation, LIFE_MAX, Life, Stamp};
pub use stats::{Counts, Queues, Stats};
pub use time::{DURATION_MAX, Instant};
#[cfg(feature = "simulation")]
#[doc(hidden)]
pub use transitions::Transition;
#[cfg(feature = "simulation")]
#[doc(hidden)]
pub use trap::{Trap, bomb};
