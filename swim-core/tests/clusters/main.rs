//! Clusters of nodes in one process and in virtual time, and what must become of them.
//!
//! One binary for all of them: each would link the core, and compile `support`, anew.

mod cold_start;
mod detection;
mod determinism;
mod idle_traffic;
mod joining;
mod key_rotation;
mod lasting_differences;
mod leaving;
mod loss;
mod memberlist;
mod membership;
mod merge_laws;
mod name_conflict;
mod no_late_broadcast;
mod one_way_cut;
mod packet_limit;
mod paper;
mod partition;
mod pause;
#[cfg(feature = "simulation")]
mod recordings;
mod repair;
mod restart;
mod sick_node;
mod support;
mod swarm;
mod three_thousand;
