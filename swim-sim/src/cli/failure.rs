//! Why a command came to nothing, and the exit status that says so.

use std::fmt;

/// What is told to the user, in one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The command line or the scenario can't be followed: exit status 2.
    Usage(String),
    /// They were fine and the world was not: exit status 1.
    Runtime(String),
}

impl Failure {
    /// The exit status of the process.
    pub(crate) const fn status(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Runtime(_) => 1,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) | Self::Runtime(message) => f.write_str(message),
        }
    }
}
