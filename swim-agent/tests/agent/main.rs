//! The agent as its users meet it: real processes, real sockets on loopback, real signals.
//!
//! One test runs at a time: they measure how long things take, and a machine with two cores has no
//! time for two clusters. Limits are those that were promised, not those that are usual.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bounds;
#[cfg(target_os = "linux")]
mod clock;
mod command_line;
mod control;
#[cfg(target_os = "linux")]
mod crowding;
mod decode;
#[cfg(target_os = "linux")]
mod descriptors;
mod detection;
mod dialect;
mod forming;
mod garbage;
mod harness;
mod leaving;
mod messages;
mod output;
mod pausing;
mod strangers;
mod tape;
mod thirty;
