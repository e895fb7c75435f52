//! Tests of the node by itself: every rule in virtual time, with puppets for peers.
//!
//! Tests are named after the rule they check: a section of memberlist's behaviour
//! (`memberlist_7_2_..`), or an invariant (`s7_..`, `x6_..`).

mod auditor;
mod looks;
mod puppet;
mod script;
mod stage;
mod words;

mod admission;
mod alive;
#[cfg(feature = "simulation")]
mod audit;
mod broadcast;
mod chaos;
mod clock;
mod commands;
mod conflict;
mod dead;
mod exchange;
mod former;
mod gossip;
mod help;
mod join;
mod large;
mod leave;
mod memberlist;
mod overtaken;
mod plausible;
mod probe;
mod reap;
mod refute;
mod relay;
mod room;
mod safety;
mod stranger;
mod streams;
mod suspect;
mod suspicion;
mod transitions;
mod validating;
mod verdict;
mod whole;
