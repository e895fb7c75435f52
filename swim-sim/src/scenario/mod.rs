//! Scenarios: what a user writes down to happen to a cluster, and what must be so.
//!
//! A scenario is a TOML file; `swim-sim/README.md` is its guide and `swim-sim/scenarios` holds
//! examples. It is read strictly: what is not understood is refused, never skipped.

pub use expect::Expectation;
pub use fields::{Fault, parse_share};
pub use judge::{Verdict, no_false_failure};
pub use plan::{Beginning, Expected, Scenario, configure};
pub use running::Outcome;
pub use swim_core::settings::Assignment;
pub use wire::Wire;

mod expect;
mod fields;
pub mod hosts;
mod judge;
mod length;
mod plan;
mod read;
mod running;
pub mod settings;
mod subjects;
pub mod verbs;
pub mod wire;

#[cfg(test)]
mod tests;
