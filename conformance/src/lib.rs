//! What a node does on every runtime: one suite of tests, written once.
//!
//! A crate for a runtime implements [`Platform`] in its tests and writes `conform!`, which makes a
//! test of every case. [`assert_complete`] holds it to the list.

mod counted;
pub mod heap;
mod nodes;
mod platform;
mod suite;
#[expect(missing_docs, clippy::unwrap_used, reason = "names say it; a failure is a failed test")]
pub mod tests;
mod waiting;

pub use platform::Platform;
pub use suite::{ALONE, TOGETHER, assert_complete, run_case};

/// Names all that the crate of a runtime must offer, so that a lack does not compile.
#[macro_export]
macro_rules! assert_surface {
    ($krate:ident, $runtime:ident) => {
        #[expect(unused_imports, reason = "that they are there is the test")]
        use $krate::{
            AddrProblem, Builder, Bytes, Counts, Error, Event, EventKind, Events, Handle, Instant,
            IoStats, JOIN_TIMEOUT, JoinFailed, Joined, Key, KeyId, Keyring, LeaveFailed, Left,
            Life, Listing, Machine, Member, MemberChange, Metric, MetricKind, MetricUnit,
            MetricValue, Name, Node, Notice, Options, Policy, Profile, Reading, Remote, Runtime,
            Sample, SeedReport, SeedResult, Snapshot, Stamp, StartError, State, Stats, StopReason,
            Stopped, Ticket, metrics,
        };

        /// The same types, not only the same names.
        #[test]
        fn the_surface_is_that_of_every_runtime() {
            let _: fn($krate::Handle) -> swim_driver::Handle = |handle| handle;
            let _: fn($krate::Events) -> swim_driver::Events = |events| events;
            let _: fn($krate::Builder) -> swim_driver::Builder<$krate::$runtime> = |it| it;
        }
    };
}

/// The programs in the README of the repository are tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}
