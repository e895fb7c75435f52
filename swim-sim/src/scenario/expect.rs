//! What a scenario says must be so.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{belief::Belief, network::HostId, span};

use super::hosts;

/// Something that must be so. [`ASSERTIONS`](super::verbs::ASSERTIONS) says what each means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "that", deny_unknown_fields)]
pub enum Expectation {
    /// All nodes that take part agree.
    Agree {
        /// Only these; all if none.
        #[serde(default)]
        among: Vec<HostId>,
        /// From when on one looks.
        #[serde(default, with = "span")]
        at: Duration,
        /// How soon after that it must be so.
        #[serde(with = "span")]
        within: Duration,
    },
    /// Nobody is declared failed who runs, is awake and can be reached.
    NoFalseFailure {
        /// From when on one looks.
        #[serde(default, with = "span")]
        from: Duration,
        /// Until when; the end if nothing is said.
        #[serde(default = "end", with = "span")]
        until: Duration,
        /// About whom it does not matter.
        #[serde(default)]
        except: Vec<HostId>,
    },
    /// Somebody knows that these failed.
    FailedSomewhere {
        /// Who.
        hosts: Vec<HostId>,
        /// From when on one looks.
        #[serde(with = "span")]
        at: Duration,
        /// How soon after that it must be so.
        #[serde(with = "span")]
        within: Duration,
    },
    /// All that take part know that these failed.
    FailedEverywhere {
        /// Who.
        hosts: Vec<HostId>,
        /// From when on one looks.
        #[serde(with = "span")]
        at: Duration,
        /// How soon after that it must be so.
        #[serde(with = "span")]
        within: Duration,
    },
    /// All know that these left, and nobody called them failed.
    LeftNotFailed {
        /// Who.
        hosts: Vec<HostId>,
        /// From when on one looks.
        #[serde(with = "span")]
        at: Duration,
        /// How soon after that it must be so.
        #[serde(with = "span")]
        within: Duration,
    },
    /// Some believe others to be in a state.
    Believed {
        /// Who is in it.
        hosts: Vec<HostId>,
        /// Which.
        r#as: Belief,
        /// Who believes it; all if none.
        #[serde(default)]
        by: Vec<HostId>,
        /// From when on one looks.
        #[serde(with = "span")]
        at: Duration,
        /// How soon after that it must be so.
        #[serde(with = "span")]
        within: Duration,
    },
    /// Broadcasts reach all.
    BroadcastsDelivered {
        /// How soon.
        #[serde(with = "span")]
        within: Duration,
        /// How many of all deliveries are enough.
        #[serde(default = "all")]
        share: f64,
    },
    /// Nodes send no more than so much.
    Traffic {
        /// Bytes a second.
        per_node_at_most: u64,
        /// From when on one measures.
        #[serde(default, with = "span")]
        from: Duration,
        /// Until when.
        #[serde(default = "end", with = "span")]
        until: Duration,
    },
}

impl Expectation {
    /// From when until when it must become so once; `None` if it is looked at in the end.
    #[must_use]
    pub const fn window(&self) -> Option<(Duration, Duration)> {
        match self {
            Self::Agree { at, within, .. }
            | Self::FailedSomewhere { at, within, .. }
            | Self::FailedEverywhere { at, within, .. }
            | Self::LeftNotFailed { at, within, .. }
            | Self::Believed { at, within, .. } => Some((*at, *within)),
            Self::NoFalseFailure { .. }
            | Self::BroadcastsDelivered { .. }
            | Self::Traffic { .. } => None,
        }
    }

    /// From when until when something must be so all the time; the second is [`end`] for the end.
    #[must_use]
    pub(crate) const fn range(&self) -> Option<(Duration, Duration)> {
        match self {
            Self::NoFalseFailure { from, until, .. } | Self::Traffic { from, until, .. } => {
                Some((*from, *until))
            }
            _ => None,
        }
    }

    /// The hosts it names.
    #[must_use]
    pub fn hosts(&self) -> Vec<HostId> {
        match self {
            Self::Agree { among, .. } => among.clone(),
            Self::NoFalseFailure { except, .. } => except.clone(),
            Self::FailedSomewhere { hosts, .. }
            | Self::FailedEverywhere { hosts, .. }
            | Self::LeftNotFailed { hosts, .. } => hosts.clone(),
            Self::Believed { hosts, by, .. } => [&hosts[..], by].concat(),
            Self::BroadcastsDelivered { .. } | Self::Traffic { .. } => Vec::new(),
        }
    }

    /// The expectation in a few words.
    #[must_use]
    pub fn summary(&self) -> String {
        let of = |hosts: &[HostId]| {
            let plural = if hosts.len() == 1 { "host" } else { "hosts" };
            format!("{plural} {}", hosts::write(hosts))
        };
        let span = |it: &Duration| span::short(*it);
        let window = |at: &Duration, within: &Duration| {
            format!("within {} after {}", span(within), span(at))
        };
        let range = |from: &Duration, until: &Duration| match (from.is_zero(), *until == end()) {
            (true, true) => String::new(),
            (false, true) => format!(" after {}", span(from)),
            (true, false) => format!(" until {}", span(until)),
            (false, false) => format!(" from {} until {}", span(from), span(until)),
        };
        match self {
            Self::Agree { among, at, within } if among.is_empty() => {
                format!("all agree {}", window(at, within))
            }
            Self::Agree { among, at, within } => {
                format!("{} agree {}", of(among), window(at, within))
            }
            Self::NoFalseFailure { from, until, except } => {
                let but =
                    if except.is_empty() { String::new() } else { format!(", but {}", of(except)) };
                format!("no false failure{}{but}", range(from, until))
            }
            Self::FailedSomewhere { hosts, at, within } => {
                format!("{} failed somewhere {}", of(hosts), window(at, within))
            }
            Self::FailedEverywhere { hosts, at, within } => {
                format!("{} failed everywhere {}", of(hosts), window(at, within))
            }
            Self::LeftNotFailed { hosts, at, within } => {
                format!("{} left, not failed, {}", of(hosts), window(at, within))
            }
            Self::Believed { hosts, r#as, by, at, within } => {
                let by = if by.is_empty() { "all".into() } else { of(by) };
                let (who, name) = (of(hosts), r#as.name());
                format!("{who} believed {name} by {by} {}", window(at, within))
            }
            Self::BroadcastsDelivered { within, share } => {
                let share = 100.0 * share;
                format!("{share} % of broadcasts delivered within {}", span(within))
            }
            Self::Traffic { per_node_at_most, from, until } => {
                format!("traffic at most {per_node_at_most} B/s per node{}", range(from, until))
            }
        }
    }
}

/// Stands for the end of the run: no run is as long.
pub(crate) const fn end() -> Duration {
    Duration::from_secs(9 * 365 * 24 * 60 * 60)
}

const fn all() -> f64 {
    1.0
}
