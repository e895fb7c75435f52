//! The published algorithms as small models, apart from our core.
//!
//! They share no line with `swim-core` and none with the simulated world, so that when both agree
//! with a paper, they agree for reasons of their own. What they are for: to show that an experiment
//! is set up as its authors had it, before our core is judged by it.

pub mod gossip;
pub mod infection;
pub mod joining;
pub mod memberlist;
pub mod swim2002;
