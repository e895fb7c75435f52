//! Deterministic simulation of SWIM clusters: thousands of nodes in virtual time, on the very
//! machines that production runs, with real packets.
//!
//! A [`World`] holds hosts, a [`Network`](network::Network) and a clock. Everything that happens is
//! decided by the seed and by what is asked of the world: the same calls give the same run, byte for
//! byte.

mod action;
pub mod chance;
pub mod check;
mod clock;
pub mod explore;
mod history;
mod host;
mod machine;
pub mod network;
pub mod queue;
pub mod span;
mod step;
mod tally;
mod trace;
mod world;

pub use action::{Action, Intruder, LinkChange, Rotation, Span, Timed, Way};
pub use clock::Clock;
pub use history::{Entry, History};
pub use host::{Card, Cpu, Host, Starved, addr, name};
pub use machine::Machine;
pub use step::{Moment, Step};
pub use tally::{Fates, Tally};
pub use trace::Trace;
pub use world::{World, key};
