//! How large runs may be.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::span;

/// How large runs may be. They are part of what a seed means: the same seed with other limits is
/// another run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Limits {
    /// The fewest nodes.
    pub nodes_min: usize,
    /// The most nodes.
    pub nodes_max: usize,
    /// How long things go wrong at most.
    #[serde(with = "span")]
    pub chaos_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { nodes_min: 1, nodes_max: 64, chaos_max: Duration::from_secs(120) }
    }
}
