//! What happens to real clusters on real networks.
//!
//! ```text
//! cargo test -p swim-netlab -- --ignored
//! ```

mod crash;
mod harness;
