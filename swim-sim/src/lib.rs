//! Deterministic simulation of SWIM clusters.

pub mod chance;
pub mod queue;
