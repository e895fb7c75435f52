//! What the loop and the task of one stream share: orders go one way, reports the other.
//!
//! Every direction is bounded. What is to be written is bounded by the machine, which waits for
//! [`Report::Drained`], and once it has closed a stream by `Streams`, to whom the link says what is
//! held; of what was read there is one chunk under way at most, because the task
//! reads the next one when the loop is done with the last.

use core::{
    fmt,
    net::SocketAddr,
    task::{Context, Waker},
};
use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex},
};

use bytes::Bytes;

use swim_core::StreamId;

use crate::{lock::lock, mailbox::Mailbox};

/// What the loop wants of a stream. The order is that of growing impatience.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wish {
    /// Go on.
    Open,
    /// Write what there is, then close.
    Close,
    /// Write what can be written without waiting, then close.
    Hurry,
    /// Close at once.
    Abort,
}

/// What the task tells the loop.
#[derive(Debug)]
pub(crate) enum Report {
    /// The dial succeeded.
    Connected,
    /// These bytes came in. The task reads on when it is told to.
    Chunk(Box<[u8]>),
    /// Everything written so far went out.
    Drained,
    /// The peer will send no more.
    Finished,
    /// The connection is broken, and why. The end follows.
    Broken { doing: Doing, error: io::Error },
    /// The task is over, and the stream with it. The last report of all.
    Ended,
}

/// What a stream was doing when it broke.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Doing {
    Dialing(SocketAddr),
    Reading,
    Writing,
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dialing(to) => write!(f, "dialing {to}"),
            Self::Reading => f.write_str("reading"),
            Self::Writing => f.write_str("writing"),
        }
    }
}

/// Where the reports of all streams go. Each stream has one of each kind under way at most.
pub(crate) type Reports = Arc<Mailbox<(StreamId, Report)>>;

/// The loop's orders to one stream.
#[derive(Debug)]
pub(crate) struct Link {
    orders: Mutex<Orders>,
}

#[derive(Debug)]
struct Orders {
    wish: Wish,
    outgoing: VecDeque<Bytes>,
    /// Bytes that were written since all before them went out.
    held: usize,
    /// The task has taken something that did not go out yet.
    is_writing: bool,
    /// The task may read a chunk.
    may_read: bool,
    task: Option<Waker>,
}

impl Link {
    pub(crate) fn new() -> Self {
        let orders = Orders {
            wish: Wish::Open,
            outgoing: VecDeque::new(),
            held: 0,
            is_writing: false,
            may_read: true,
            task: None,
        };
        Self { orders: Mutex::new(orders) }
    }

    /// Writes `data` after what was written before.
    pub(crate) fn write(&self, data: Bytes) {
        self.order(|orders| {
            orders.held += data.len();
            orders.outgoing.push_back(data);
        });
    }

    /// Wants this or what was wanted before, whichever is more impatient.
    pub(crate) fn wish(&self, wish: Wish) {
        if wish > lock(&self.orders).wish {
            self.order(|orders| orders.wish = wish); // Only the loop wishes, so nothing is between.
        }
    }

    /// Lets the task read the next chunk.
    pub(crate) fn read_on(&self) {
        self.order(|orders| orders.may_read = true);
    }

    /// Whether all that was written went out. What the task reports of it may be outdated when it
    /// is heard.
    pub(crate) fn is_drained(&self) -> bool {
        let orders = lock(&self.orders);
        orders.outgoing.is_empty() && !orders.is_writing
    }

    /// The bytes, or some more, that a stream holds which was told to close and waits for its peer
    /// to read them.
    pub(crate) fn held_at_close(&self) -> usize {
        let orders = lock(&self.orders);
        if orders.wish == Wish::Close { orders.held } else { 0 }
    }

    /// For the task: all that it has taken went out.
    pub(crate) fn drained(&self) {
        let mut orders = lock(&self.orders);
        orders.is_writing = false;
        orders.held = orders.outgoing.iter().map(Bytes::len).sum();
    }

    /// For the task: what is wanted, together with all that is to be written, and whether it may
    /// read. Wakes the task on the next order.
    pub(crate) fn take(
        &self,
        cx: &Context<'_>,
        outgoing: &mut VecDeque<Bytes>,
        may_read: &mut bool,
    ) -> Wish {
        let mut orders = lock(&self.orders);
        orders.is_writing |= !orders.outgoing.is_empty();
        outgoing.append(&mut orders.outgoing);
        *may_read |= core::mem::take(&mut orders.may_read);
        orders.task = Some(cx.waker().clone());
        orders.wish
    }

    fn order(&self, give: impl FnOnce(&mut Orders)) {
        let task = {
            let mut orders = lock(&self.orders);
            give(&mut orders);
            orders.task.take()
        };
        if let Some(task) = task {
            task.wake();
        }
    }
}
