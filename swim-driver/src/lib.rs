//! The loop that gives a pure [`Node`] sockets, time and callers. Written once: a runtime such as
//! tokio implements [`Runtime`], which is little more than naming its types.
//!
//! Applications use the crate of their runtime (`swim-tokio`, `swim-smol`), which re-exports all
//! of this. What is here beside [`Builder`], [`Handle`] and [`Events`] is for those who bring a
//! runtime or drive a [`Machine`] of their own.
//!
//! # How it holds together
//!
//! One task owns the machine and both sockets. Every stream has a small task of its own that moves
//! bytes and reports. Commands come to the loop as closures, one at a time, so there is no lock
//! around the machine; results go back through one-shot slots. Events fold into the published
//! members first and then go to the application. All of it ends together: with the last handle,
//! with [`Handle::shutdown`], with a panic, or with the runtime.
//!
//! # Memory
//!
//! `Config::memory_max` bounds what the machine takes. Beside it there are the events that nobody
//! has read yet (so many of them, [`Builder::events_capacity`], with so many bytes of messages,
//! broadcasts and states, [`Builder::events_bytes`]), the published members, 1,024 commands, 64 KiB
//! for each thread, and for each stream what was written to it and the peer has not read: natively
//! two frames of 64 KiB, in memberlist's dialect a whole table of up to 20 MiB.

mod alarm;
mod backoff;
mod bind;
mod buffer;
mod builder;
mod clock;
mod concurrently;
mod contained;
mod driver;
mod error;
mod events;
#[cfg(feature = "metrics")]
mod export;
mod handle;
mod host;
mod interface;
mod join;
mod latch;
mod link;
mod lock;
mod lookup;
mod machine;
mod mailbox;
mod oneshot;
mod remote;
mod runtime;
mod sample;
mod seldom;
mod stream;
mod streams;
mod tally;
#[cfg(test)]
mod testing;
mod trace;
mod view;
mod wakers;

pub use builder::Builder;
pub use error::{Error, JoinFailed, LeaveFailed, SeedReport, SeedResult, StartError, Stopped};
pub use events::{Events, Notice};
#[cfg(feature = "metrics")]
pub use export::describe_metrics;
pub use handle::{Handle, JOIN_TIMEOUT, Left};
pub use host::AddrProblem;
pub use join::Joined;
pub use machine::{Listing, Machine, Ticket};
pub use remote::{Remote, StopReason};
pub use runtime::{Listener, Runtime, Stream, Timer, Udp};
pub use sample::{Metric, MetricKind, MetricUnit, MetricValue, Reading, Sample, metrics};
pub use swim_core;
#[doc(no_inline)]
pub use swim_core::Node;
pub use tally::IoStats;
pub use view::Snapshot;

/// What the crate of every runtime re-exports, so that they all offer the same. `Builder` and the
/// runtime's own name come on top.
pub mod surface {
    pub use swim_core::*;

    #[cfg(feature = "metrics")]
    pub use crate::describe_metrics;
    pub use crate::{
        AddrProblem, Error, Events, Handle, IoStats, JOIN_TIMEOUT, JoinFailed, Joined, LeaveFailed,
        Left, Listing, Machine, Metric, MetricKind, MetricUnit, MetricValue, Notice, Reading,
        Remote, Runtime, Sample, SeedReport, SeedResult, Snapshot, StartError, StopReason, Stopped,
        Ticket, metrics,
    };
}

/// The handle and the futures of its methods may be sent and shared: this compiles or does not.
#[cfg(test)]
mod promises {
    use core::time::Duration;

    use super::{Builder, Events, Handle, Remote, testing::Still};

    fn is_shared<T: Send + Sync + Clone + core::fmt::Debug + 'static>() {}
    fn is_sent<T: Send>(_: &T) {}

    #[expect(dead_code, reason = "to compile is enough")]
    fn all_can_be_sent(handle: &Handle, events: &mut Events, builder: Builder<Still>) {
        is_shared::<Handle>();
        is_shared::<Remote<swim_core::Node>>();
        let no_send = std::rc::Rc::new(());
        let seeds = ["a"].into_iter().inspect(move |_| drop(no_send.clone()));
        is_sent(&handle.join(seeds));
        is_sent(&handle.leave(Duration::ZERO));
        is_sent(&handle.shutdown());
        is_sent(&handle.update_meta("x"));
        is_sent(&handle.send_reliable("a", vec![1]));
        is_sent(&handle.call(|_, _| ()));
        is_sent(&builder.start());
        is_sent(&events.next());
    }
}
