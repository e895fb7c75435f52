//! What a node may believe of another, as files and reports name it.

use serde::{Deserialize, Serialize};
use swim_core::State;

/// What a node may believe of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Belief {
    /// Nothing: it never heard of it, or has forgotten it.
    Unknown,
    /// It lives.
    Alive,
    /// It may have failed.
    Suspect,
    /// It failed.
    Dead,
    /// It left.
    Left,
}

impl Belief {
    /// The names, for people and for files, in the order of their numbers.
    pub const NAMES: [&'static str; 5] = ["unknown", "alive", "suspect", "dead", "left"];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

impl From<Option<State>> for Belief {
    fn from(state: Option<State>) -> Self {
        match state {
            None => Self::Unknown,
            Some(State::Alive) => Self::Alive,
            Some(State::Suspect) => Self::Suspect,
            Some(State::Dead) => Self::Dead,
            Some(State::Left) => Self::Left,
        }
    }
}
