//! memberlist as a model: the program that the Lifeguard paper measured.
//!
//! The program consists of independent tasks: one probes, one gossips, one exchanges tables, one
//! receives. A member that is blocked stops just before it sends and just after it has received;
//! the task that sends waits with its send, and the others go on, as do all timers. That decides
//! the paper's results by two orders of magnitude, and our core, which has no tasks, cannot behave
//! so. Hence this model, from the description alone. It knows the other flavours too, for our core
//! to be compared with it in the same. (experiments.md 1.1, 1.3, 3.1)

mod beliefs;
mod blocking;
mod cluster;
mod crash;
mod events;
mod probe;
mod rules;
mod run;
mod traffic;
mod updates;

pub use self::{
    cluster::{Tally, Traffic},
    crash::{Collapse, crash},
    rules::{Configuration, Flavour, MILLISECOND, Rules, SECOND},
    run::{Anomaly, Report, Starvation, interval, starved, threshold},
};
