//! Deterministic simulation of SWIM clusters.

pub mod chance;
pub mod experiment;
pub mod measure;
pub mod queue;
pub mod reference;
