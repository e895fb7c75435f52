//! Why a command came to nothing, and the exit status that says so.

use std::fmt;

/// What is told to the user, in one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The command line can't be followed: exit status 2, as for every wrong flag.
    Usage(String),
    /// The command line was fine and the world was not: exit status 1.
    Runtime(String),
}

impl Failure {
    /// The exit status of the process.
    pub(crate) fn status(&self) -> u8 {
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
