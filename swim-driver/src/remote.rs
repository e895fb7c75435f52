//! The machine from outside the loop: commands go in as closures, results come back.
//!
//! [`Handle`](crate::Handle) is this with the commands of a node spelt out; other machines use this
//! itself.

use core::{fmt, net::SocketAddr};
use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use swim_core::{Counts, Instant, Name};

use crate::{
    clock::Clock,
    error::Stopped,
    events::EventQueue,
    latch::Latch,
    machine::Machine,
    mailbox::Mailbox,
    oneshot::{Receiver, Sender, oneshot},
    tally::{IoStats, Tally},
    view::{Snapshot, View},
};

/// A cheap, cloneable handle to a running machine. Dropping the last one stops the machine.
pub struct Remote<M: Machine> {
    owner: Arc<Owner<M>>,
}

impl<M: Machine> Remote<M> {
    pub(crate) fn new(shared: Arc<Shared<M>>) -> Self {
        Self { owner: Arc::new(Owner { shared }) }
    }

    /// Runs `command` on the machine, between two of its inputs, and returns what it returns. It
    /// must be quick: the machine stands still meanwhile. It must leave inputs and outputs alone.
    ///
    /// Cancel safe: once the future was polled, the command either is refused or runs, whether the
    /// future is dropped or not; only if a thousand commands wait already it may still be taken
    /// back by dropping the future.
    ///
    /// # Errors
    ///
    /// [`Stopped`] when the machine stops before it ran the command, or while.
    pub async fn call<T: Send + 'static>(
        &self,
        command: impl FnOnce(&mut M, Instant) -> T + Send + 'static,
    ) -> Result<T, Stopped> {
        let (tx, rx) = oneshot();
        let command = move |turn: &mut Turn<'_, M>| tx.send(command(turn.machine, turn.now));
        self.send(Box::new(command)).await?;
        rx.await.ok_or(Stopped)
    }

    /// Runs a command that ends with an event, and waits for that event.
    ///
    /// Cancel safe in the same way: what was begun goes on.
    ///
    /// # Errors
    ///
    /// [`Stopped`] when the machine stops first; within it, the command's own error.
    pub async fn request<E: Send + 'static>(
        &self,
        command: impl FnOnce(&mut M, Instant) -> Result<M::Ticket, E> + Send + 'static,
    ) -> Result<Result<M::Event, E>, Stopped> {
        match self.begin(command).await? {
            Ok(end) => end.await.ok_or(Stopped).map(Ok),
            Err(error) => Ok(Err(error)),
        }
    }

    /// The first half of [`request`](Self::request).
    async fn begin<E: Send + 'static>(
        &self,
        command: impl FnOnce(&mut M, Instant) -> Result<M::Ticket, E> + Send + 'static,
    ) -> Result<Result<Receiver<M::Event>, E>, Stopped> {
        let (tx, rx) = oneshot();
        let command = move |turn: &mut Turn<'_, M>| {
            tx.send(command(turn.machine, turn.now).map(|ticket| turn.desk.wait_for(ticket)));
        };
        self.send(Box::new(command)).await?;
        rx.await.ok_or(Stopped)
    }

    /// Puts a command in line.
    pub(crate) async fn send(&self, command: Command<M>) -> Result<(), Stopped> {
        self.shared().commands.send(command).await.map_err(|_| Stopped)
    }

    /// Puts a command in line even if the line is full: for those who are being dropped.
    pub(crate) fn post(&self, command: Command<M>) {
        // With the loop gone there is nothing left to be tidied up.
        let _stopped = self.shared().commands.post(command);
    }

    /// Stops the machine and waits until its sockets are closed and all its tasks are over. Others
    /// are not told: to say goodbye, leave first. Calls under way end with [`Stopped`].
    ///
    /// May be called again and by many. Cancel safe: the machine stops even if the future is
    /// dropped after its first poll.
    pub async fn shutdown(&self) -> StopReason {
        self.shared().stop(StopReason::Shutdown);
        self.stopped().await
    }

    /// Waits until the machine has stopped, without asking for it. Cancel safe.
    pub async fn stopped(&self) -> StopReason {
        self.shared().ended.wait().await
    }

    /// Whether commands are still taken.
    #[must_use]
    pub fn is_running(&self) -> bool {
        !self.shared().commands.is_closed()
    }

    /// The name given in the configuration.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.shared().identity.name
    }

    /// The address at which the others reach this node.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.shared().identity.addr
    }

    /// The address that the sockets are bound to, with the port that was chosen.
    #[must_use]
    pub fn bound_addr(&self) -> SocketAddr {
        self.shared().identity.bound_addr
    }

    /// The time on the node's clock: the one of `Event::at` and `Member::since`.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.shared().clock.now()
    }

    /// The live members, sorted by name. Costs O(n).
    #[must_use]
    pub fn members(&self) -> Vec<Arc<M::Member>> {
        self.shared().view.live()
    }

    /// The members of every state, with the place in the history that they stand for.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot<M::Member> {
        self.shared().view.snapshot()
    }

    /// The member of this name, in whatever state.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<Arc<M::Member>> {
        self.shared().view.member(name)
    }

    /// How many members are in which state.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared().view.counts()
    }

    /// What went wrong between the node and the operating system.
    #[must_use]
    pub fn io_stats(&self) -> IoStats {
        self.shared().tally.read()
    }

    /// How many events wait to be read.
    #[must_use]
    pub fn events_waiting(&self) -> usize {
        self.shared().events.len()
    }

    /// How many commands wait for the machine.
    #[must_use]
    pub fn commands_waiting(&self) -> usize {
        self.shared().commands.len()
    }

    pub(crate) fn clock(&self) -> Clock {
        self.shared().clock
    }

    fn shared(&self) -> &Shared<M> {
        &self.owner.shared
    }
}

impl<M: Machine> Clone for Remote<M> {
    fn clone(&self) -> Self {
        Self { owner: Arc::clone(&self.owner) }
    }
}

impl<M: Machine> fmt::Debug for Remote<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote")
            .field("name", self.name())
            .field("addr", &self.addr())
            .field("is_running", &self.is_running())
            .finish_non_exhaustive()
    }
}

/// Why a machine has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// Somebody called `shutdown`.
    Shutdown,
    /// The last handle was dropped.
    HandlesDropped,
    /// The machine, a policy or a command panicked; the panic was reported in the usual way.
    Panicked,
    /// The runtime ended and took the loop with it.
    RuntimeEnded,
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Shutdown => "shut down",
            Self::HandlesDropped => "the last handle was dropped",
            Self::Panicked => "panicked",
            Self::RuntimeEnded => "the runtime ended",
        })
    }
}

/// A command on its way to the loop.
pub(crate) type Command<M> = Box<dyn FnOnce(&mut Turn<'_, M>) + Send>;

/// What a command works on.
pub(crate) struct Turn<'a, M: Machine> {
    pub(crate) machine: &'a mut M,
    pub(crate) now: Instant,
    pub(crate) desk: &'a mut Desk<M>,
}

/// Where those wait whose command ends with an event.
pub(crate) struct Desk<M: Machine> {
    waiting: BTreeMap<M::Ticket, Vec<Sender<M::Event>>>,
}

impl<M: Machine> Desk<M> {
    pub(crate) const fn new() -> Self {
        Self { waiting: BTreeMap::new() }
    }

    /// Waits for the event that ends `ticket`.
    pub(crate) fn wait_for(&mut self, ticket: M::Ticket) -> Receiver<M::Event> {
        let (tx, rx) = oneshot();
        let waiting = self.waiting.entry(ticket).or_default();
        waiting.retain(|sender| !sender.is_forsaken());
        waiting.push(tx);
        rx
    }

    /// Hands `event` to those who wait for it.
    pub(crate) fn serve(&mut self, event: &M::Event) {
        let waiting = M::ticket(event).and_then(|ticket| self.waiting.remove(&ticket));
        for sender in waiting.into_iter().flatten() {
            sender.send(event.clone());
        }
        if self.waiting.is_empty() {
            self.waiting = BTreeMap::new(); // One that was emptied keeps a node of its tree.
        }
    }
}

/// What the loop and all handles share.
pub(crate) struct Shared<M: Machine> {
    pub(crate) identity: Identity,
    pub(crate) clock: Clock,
    pub(crate) commands: Mailbox<Command<M>>,
    pub(crate) view: View<M>,
    pub(crate) events: Arc<EventQueue<M::Event>>,
    pub(crate) tally: Tally,
    reason: OnceLock<StopReason>,
    ended: Latch<StopReason>,
}

impl<M: Machine> Shared<M> {
    pub(crate) fn new(identity: Identity, clock: Clock, events: Arc<EventQueue<M::Event>>) -> Self {
        Self {
            identity,
            clock,
            commands: Mailbox::new(COMMANDS_MAX),
            view: View::new(),
            events,
            tally: Tally::default(),
            reason: OnceLock::new(),
            ended: Latch::new(),
        }
    }

    /// Takes no more commands, which makes the loop end. The first reason stays.
    pub(crate) fn stop(&self, reason: StopReason) {
        self.reason.get_or_init(|| reason);
        self.commands.close();
    }
}

/// How the node is called and reached.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) name: Name,
    pub(crate) addr: SocketAddr,
    pub(crate) bound_addr: SocketAddr,
}

/// Held by the loop and dropped as the last of all it holds, however it ends: by then sockets are
/// closed and callers told. Nobody is left waiting for a loop that is gone.
pub(crate) struct LoopEnd<M: Machine> {
    pub(crate) shared: Arc<Shared<M>>,
}

impl<M: Machine> Drop for LoopEnd<M> {
    fn drop(&mut self) {
        let reason = *self.shared.reason.get_or_init(|| StopReason::RuntimeEnded);
        self.shared.commands.close();
        self.shared.events.close();
        self.shared.ended.set(reason);
    }
}

/// Held by all handles together.
struct Owner<M: Machine> {
    shared: Arc<Shared<M>>,
}

impl<M: Machine> Drop for Owner<M> {
    fn drop(&mut self) {
        self.shared.stop(StopReason::HandlesDropped);
    }
}

/// Commands in line before those who bring more must wait.
const COMMANDS_MAX: usize = 1_024;
