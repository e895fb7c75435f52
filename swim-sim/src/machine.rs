//! What can run on a host: a [`Node`], or an application's own machine around one.

use core::fmt::Debug;

use swim_core::{Config, Event, Input, Instant, Node, Output};

/// A state machine that owns a [`Node`] (or is one), as the world drives it.
///
/// An application that wants to be simulated puts its own state beside the node: it drains the
/// node inside `handle`, lets packets, streams and timers pass, and turns the node's events into
/// its own.
pub trait Machine: Sized {
    /// What it tells its surroundings.
    type Event: Clone + Debug;

    /// A machine that was just started with this configuration.
    fn start(config: Config, seed: [u8; 32], now: Instant) -> Self;

    /// Takes an input.
    fn handle(&mut self, now: Instant, input: Input<'_>);

    /// The next thing to be done.
    fn poll_output(&mut self) -> Option<Output<Self::Event>>;

    /// The node inside, which the checkers look at.
    fn node(&self) -> &Node;

    /// The node inside, for commands. What they lead to comes out of `poll_output`.
    fn node_mut(&mut self) -> &mut Node;

    /// The node's own event that this one is or carries. A machine that hides some of its node's
    /// events can't be checked for what those say.
    fn node_event(event: &Self::Event) -> Option<&Event>;
}

impl Machine for Node {
    type Event = Event;

    fn start(config: Config, seed: [u8; 32], now: Instant) -> Self {
        Self::new(config, seed, now)
    }

    fn handle(&mut self, now: Instant, input: Input<'_>) {
        self.handle(now, input);
    }

    fn poll_output(&mut self) -> Option<Output<Event>> {
        self.poll_output()
    }

    fn node(&self) -> &Node {
        self
    }

    fn node_mut(&mut self) -> &mut Node {
        self
    }

    fn node_event(event: &Event) -> Option<&Event> {
        Some(event)
    }
}
