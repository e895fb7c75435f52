//! Which settings of gossip suit a cluster: measured, not guessed.
//!
//! For each choice of gossip interval, fan-out and probe interval a cluster is run, some times with
//! different luck, through the same four phases: it idles; one more node joins; nodes broadcast;
//! one node crashes. [`recommend`] then picks a choice for a goal.

pub use choosing::{Goal, recommend};
pub use measuring::measure;
pub use question::{Choice, Measurement, Question, Row};

mod choosing;
mod measuring;
mod question;
