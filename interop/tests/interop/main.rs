//! Our nodes and HashiCorp's in one cluster.
//!
//! ```text
//! cargo test -p swim-interop --test interop -- --ignored --skip soak --test-threads 6
//! cargo test -p swim-interop --test interop -- --ignored soak # takes ten minutes
//! ```

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod addresses;
mod claims;
mod confirmations;
mod conflict;
mod delegate;
mod differential;
mod fallback;
mod golden;
mod harness;
mod helpers;
mod keys;
mod malformed;
mod partition;
mod program;
mod refusal;
mod refutations;
mod repair;
mod rules;
mod samples;
mod serf;
mod size;
mod soak;
mod stand;
mod story;
mod suspicion;
