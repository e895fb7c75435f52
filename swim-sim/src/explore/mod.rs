//! Exploration: clusters with random settings in which everything goes wrong at random, checked
//! after every step; then nothing is wrong any more, and all must agree within the bound computed
//! from the settings.
//!
//! A run is a function of its seed, its [`Mask`] and its [`Limits`]: first the settings are drawn,
//! then what is done to the world, as a [`Plan`]. [`run_seed`] runs one, a [`Campaign`] many on all
//! processors; [`command`] is the line that repeats one; [`shrink`] makes a failing one smaller,
//! and what is left is a plan that can be written to a file and run again with [`run`].
//!
//! ```
//! use swim_sim::explore::{Limits, Mask, run_seed};
//!
//! let limits = Limits { nodes_max: 5, ..Limits::default() };
//! let verdict = run_seed(7, Mask::default(), &limits, None);
//! assert!(verdict.is_ok(), "{:?}", verdict.failure);
//! ```

use crate::trace::Trace;

pub use campaign::{Campaign, LONG, Outcome, Progress};
pub use class::{Class, Mask};
pub use counters::{Counters, expected, unreachable};
pub use limits::Limits;
pub use plan::{Mode, Plan};
pub use releases::Release;
#[cfg(feature = "sabotage")]
pub use run::run_sabotaged;
pub use run::{run, run_recorded, run_with};
pub use settings::{FIRST_KEY, Settings, Skew, Speech};
pub use sheet::sheet;
pub use shrink::{Shrunk, shrink};
pub use verdict::{Failure, Verdict};

mod blame;
mod calm;
mod campaign;
mod class;
mod counters;
mod draw;
mod effects;
mod excuses;
mod faults;
mod hosts;
mod limits;
mod links;
mod malice;
mod plan;
mod releases;
mod run;
mod settings;
mod sheet;
mod shrink;
mod sick;
mod trial;
mod verdict;
mod watch;
mod work;

/// Runs one seed with all checkers. Never panics: a panic is a verdict.
#[must_use]
pub fn run_seed(seed: u64, mask: Mask, limits: &Limits, trace: Option<Trace>) -> Verdict {
    run(&Plan::draw(seed, mask, limits), trace)
}

/// Runs one seed again and takes the digest of all that happens: equal digests, equal runs. (D1)
#[must_use]
pub fn replay(seed: u64, mask: Mask, limits: &Limits) -> Verdict {
    run_seed(seed, mask, limits, Some(Trace::new()))
}

/// The command line that repeats a run. (D5)
#[must_use]
pub fn command(seed: u64, mask: Mask, limits: &Limits) -> String {
    let mut line = format!("swim-sim replay --seed {seed}");
    let usual = Limits::default();
    if !mask.is_empty() {
        line += &format!(" --mask {mask}");
    }
    if limits.nodes_min != usual.nodes_min {
        line += &format!(" --nodes-min {}", limits.nodes_min);
    }
    if limits.nodes_max != usual.nodes_max {
        line += &format!(" --nodes-max {}", limits.nodes_max);
    }
    if limits.chaos_max != usual.chaos_max {
        line += &format!(" --chaos-max '{}'", humantime::format_duration(limits.chaos_max));
    }
    line
}
