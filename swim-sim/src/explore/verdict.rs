//! What came of a run.

use std::{fmt, time::Duration};

use crate::check::Violation;

use super::{counters::Counters, plan::Plan};

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The run's seed.
    pub seed: u64,
    /// What went wrong; `None`: all held.
    pub failure: Option<Failure>,
    /// How long all took to agree once everything was mended.
    pub converged_in: Option<Duration>,
    /// What was exercised.
    pub counters: Counters,
    /// The digest of all that happened, if the run was traced.
    pub digest: Option<u64>,
    /// How much virtual time passed.
    pub virtual_time: Duration,
    /// How many things happened.
    pub steps: u64,
}

/// Why a run failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A checker found something.
    Violation(Violation),
    /// They did not agree in time, or not for good, or failed somebody without a reason.
    Liveness {
        /// The invariant.
        id: &'static str,
        /// What was still pending.
        pending: String,
    },
    /// The code panicked.
    Panic {
        /// What it said.
        message: String,
    },
}

impl Failure {
    /// Who found it: the same for all failures of one cause, so that a smaller run can be told to
    /// fail in the same way.
    #[must_use]
    pub fn finder(&self) -> &str {
        match self {
            Self::Violation(violation) => violation.checker,
            Self::Liveness { id, .. } => id,
            Self::Panic { .. } => "panic",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Violation(violation) => violation.fmt(f),
            Self::Liveness { id, pending } => write!(f, "{id} violated: {pending}"),
            Self::Panic { message } => write!(f, "panic: {message}"),
        }
    }
}

impl Verdict {
    /// Whether all held.
    #[must_use]
    pub const fn is_ok(&self) -> bool {
        self.failure.is_none()
    }

    /// A run that ended in a panic.
    pub(super) fn panicked(plan: &Plan, message: String) -> Self {
        Self {
            seed: plan.seed,
            failure: Some(Failure::Panic { message }),
            converged_in: None,
            counters: Counters::default(),
            digest: None,
            virtual_time: Duration::ZERO,
            steps: 0,
        }
    }
}
