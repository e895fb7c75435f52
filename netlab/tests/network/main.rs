//! What happens to real clusters on real networks.
//!
//! ```text
//! cargo test -p swim-netlab -- --ignored
//! ```

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod crash;
mod crowd;
mod flood;
mod harness;
mod keys;
mod partition;
mod reality;
mod restart;
mod runtimes;
mod sending;
mod sick;
mod streams;
mod wires;
