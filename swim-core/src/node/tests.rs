//! Tests of the node by itself: every rule in virtual time, with puppets for peers.
//!
//! Tests are named after the rule they check: a section of memberlist's behaviour
//! (`memberlist_7_2_..`), or an invariant (`s7_..`, `x6_..`).

mod auditor;
mod puppet;
mod script;
mod words;

mod admission;
mod alive;
mod broadcast;
mod conflict;
mod dead;
mod gossip;
mod help;
mod join;
mod leave;
mod probe;
mod reap;
mod refute;
mod relay;
mod stranger;
mod suspect;
mod suspicion;
mod transitions;
