//! Deterministic simulation of SWIM clusters: thousands of nodes in virtual time, on the very
//! machines that production runs, with real packets.
//!
//! A [`World`] holds hosts, a [`Network`](network::Network) and a clock. Everything that happens is
//! decided by the seed and by what is asked of the world: the same calls give the same run, byte
//! for byte.

mod action;
mod agreement;
mod belief;
pub mod chance;
pub mod check;
mod clock;
pub mod experiment;
pub mod explore;
mod history;
mod host;
mod machine;
mod malice;
pub mod measure;
pub mod near;
pub mod network;
pub mod queue;
pub mod record;
pub mod reference;
pub mod report;
pub mod scenario;
pub mod span;
mod step;
mod tally;
mod trace;
pub mod tune;
mod world;

pub use action::{Action, Intruder, LinkChange, Rotation, Span, Timed, Way};
pub use agreement::Truth;
pub use belief::Belief;
pub use clock::Clock;
pub use history::{Entry, History};
pub use host::{Card, Cpu, Host, Starved, addr, name, unix_time};
pub use machine::Machine;
pub use malice::{Assault, Flaw, Flood, Forged, Forger, Lie, Payload, Says, Tale, Torrent, Trap};
pub use step::{Moment, Step};
pub use tally::{Fates, Felt, Tally, Waits};
pub use trace::Trace;
pub use world::World;

/// Compiles and runs the examples of the guide.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Guide;
