//! Nodes on loopback with real sockets. One program, so that it is linked once.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod cancelling;
mod cluster;
mod common;
mod driving;
mod lagging;
mod sealed;
mod starting;
