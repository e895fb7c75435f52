//! Real nodes on real networks: hosts in network namespaces of one machine, real faults, and the
//! simulator's own rules to judge what the nodes tell.
//!
//! Needs Linux, root, and the tools `ip`, `nft` and `nsenter`.

mod account;
pub mod clock;
mod cluster;
mod faults;
mod janitor;
mod lab;
pub mod lines;
mod node;
mod program;
pub mod reality;
mod tape;
mod tool;
mod truth;
mod usage;
mod wiretap;

pub use account::Account;
pub use cluster::{Cluster, PORT, Setup, name};
pub use faults::{End, Faults};
pub use lab::Lab;
pub use node::Node;
pub use program::Program;
pub use tape::Tape;
pub use tool::missing;
pub use truth::Truth;
pub use usage::Usage;
