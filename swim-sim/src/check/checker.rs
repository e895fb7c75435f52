//! What looks at every step of a world, and what it may find.

use core::fmt;

use swim_core::{Instant, Node};

use crate::{
    malice::Forged,
    network::HostId,
    step::{Moment, Step},
};

/// Looks at every step and says what is wrong.
pub trait Checker {
    /// The invariants it stands for, as in the comments of the code: `S1`, `E2`.
    fn id(&self) -> &'static str;

    /// Meets a node that runs already when the checker begins to watch.
    fn meet(&mut self, _host: HostId, _node: &Node) {}

    /// Learns of something that nobody in the cluster wrote, before it arrives. What is said in it
    /// is a lie that nodes may believe where they can't tell it from an honest word; nothing else.
    fn forged(&mut self, _forged: &Forged) {}

    /// Whether it looks at what nodes heard, which costs time to keep.
    fn needs_hearsay(&self) -> bool {
        false
    }

    /// Looks at one step.
    ///
    /// # Errors
    ///
    /// What is wrong, with the values that show it.
    fn check(&mut self, step: &Step<'_>) -> Result<(), String>;

    /// How often it had something to look at: one that never had proves nothing.
    fn looks(&self) -> u64;
}

/// What a checker remembers of the process that runs on each host, forgotten when another starts.
#[derive(Debug)]
pub(super) struct PerHost<T>(Vec<(u32, T)>);

impl<T: Default> PerHost<T> {
    /// Whether the process of this step was seen before, or begins with it. One that runs already
    /// when it is met has a past that is not known.
    pub(super) fn has_met(&self, step: &Step<'_>) -> bool {
        matches!(step.moment, Moment::Started)
            || self.0.get(step.host).is_some_and(|(run, _)| *run == step.run)
    }

    /// What is remembered of the process of this step.
    pub(super) fn of(&mut self, step: &Step<'_>) -> &mut T {
        while self.0.len() <= step.host {
            self.0.push((0, T::default()));
        }
        let (run, seen) = &mut self.0[step.host];
        if *run != step.run {
            *run = step.run;
            *seen = T::default();
        }
        seen
    }
}

impl<T> Default for PerHost<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// Something that must never be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// When it was found.
    pub at: Instant,
    /// On which host.
    pub host: HostId,
    /// Who found it.
    pub checker: &'static str,
    /// What was found.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, host, checker, what } = self;
        write!(f, "{checker} violated at {at} on host {host}: {what}")
    }
}
