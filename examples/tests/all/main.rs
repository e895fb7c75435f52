//! The applications on real nodes, on tokio and on smol.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod apps;
mod metrics;
mod nodes;
