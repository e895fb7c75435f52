//! The node that is measured: every byte that it asks for and gives back, and nobody else's.

use std::time::Duration;

use swim_core::{
    Config, Event, Input, Instant, Memory, Node, Output, Stats, StreamEvent, StreamId,
};

use crate::bed::heap;

/// A node, and what it has on the heap.
pub(crate) struct Subject {
    pub(crate) node: Node,
    pub(crate) now: Instant,
    /// Bytes now.
    pub(crate) live: i64,
    /// The most bytes since it was last asked for.
    peak: i64,
    /// The most bytes ever.
    highest: i64,
    bound: Memory,
    /// When it wants to be woken.
    wake_at: Option<Instant>,
    /// How many events it told of.
    pub(crate) events: u64,
    /// The streams it has dialled, as long as somebody looks.
    pub(crate) dialled: Vec<StreamId>,
}

impl Subject {
    pub(crate) fn new(config: Config, now: Instant) -> Self {
        let bound = config.memory_max();
        let (usage, node) = heap::usage_of(|| Node::new(config, [1; 32], now));
        let mut subject = Self {
            node,
            now,
            live: usage.live,
            peak: usage.peak,
            highest: usage.peak,
            bound,
            wake_at: None,
            events: 0,
            // What it dials is noted by us, and must not count as the node's.
            dialled: Vec::with_capacity(1 << 16),
        };
        subject.run(|_, _| {});
        subject
    }

    /// Does something with the node and takes its outputs; it must stay within its bound.
    pub(crate) fn run(&mut self, work: impl FnOnce(&mut Node, Instant)) {
        let Self { node, now, wake_at, dialled, events, .. } = self;
        let (usage, ()) = heap::usage_of(|| {
            work(node, *now);
            while let Some(output) = node.poll_output() {
                match output {
                    Output::ScheduleTimer { at, .. } => *wake_at = Some(at),
                    Output::Dial { id, .. } if dialled.len() < dialled.capacity() => {
                        dialled.push(id);
                    }
                    Output::Event(_) => *events += 1,
                    other => drop::<Output<Event>>(other),
                }
            }
        });
        self.peak = self.peak.max(self.live + usage.peak);
        self.live += usage.live;
        self.highest = self.highest.max(self.peak);
        let peak = self.peak.cast_unsigned();
        assert!(peak <= self.bound.total(), "M1: {peak} bytes, of\n{}", self.bound);
    }

    pub(crate) fn packet(&mut self, from: std::net::SocketAddr, data: &[u8]) {
        self.run(|node, now| node.handle(now, Input::Packet { from, data }));
    }

    pub(crate) fn stream(&mut self, id: StreamId, event: StreamEvent<'_>) {
        self.run(|node, now| node.handle(now, Input::Stream { id, event }));
    }

    /// Lets time pass, with all the ticks that the node asked for.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.wake_at.take_if(|at| *at <= end) {
            self.now = self.now.max(at);
            self.run(|node, now| node.handle(now, Input::Tick));
        }
        self.now = end;
    }

    /// The most bytes since the last call.
    pub(crate) fn take_peak(&mut self) -> i64 {
        std::mem::replace(&mut self.peak, self.live)
    }

    pub(crate) fn stats(&self) -> &Stats {
        self.node.stats()
    }

    /// The bound is a figure to plan with: the most that was really taken is no small part of it.
    pub(crate) fn assert_bound_is_useful(&self, what: &str, times: u64) {
        let (highest, bound) = (self.highest.cast_unsigned(), self.bound.total());
        eprintln!(
            "{what}: {highest} bytes at most, {:.1} times below the bound of {bound}\n{}",
            bound as f64 / highest as f64,
            self.bound
        );
        assert!(bound <= times * highest, "{what}: {highest} bytes at most, and {bound} may be");
    }
}
