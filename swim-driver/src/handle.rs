//! A running node from outside: a cheap handle that can be cloned, sent and shared.

use core::{fmt, future::Future, net::SocketAddr, time::Duration};
use std::sync::Arc;

use bytes::Bytes;

use swim_core::{
    Counts, EventKind, Instant, Key, KeyId, KeyringError, LeaveError, Member, Name, Node, Pong,
    Stamp, Stats,
};

use crate::{
    error::{Error, JoinFailed, LeaveFailed},
    join::{self, Joined},
    machine::Ticket,
    remote::{Remote, StopReason},
    sample::Sample,
    tally::IoStats,
    view::Snapshot,
};

/// A handle to a running node. Clones are cheap and name the same node; dropping the last one stops
/// it, without a goodbye to the others: [`leave`](Self::leave) first for that.
///
/// What reads members asks nobody and is never late by more than what the node itself does not know
/// yet. Everything else is a command that the node runs between two packets.
///
/// Cancellation: a command is in line once its future was polled, and runs even if the future is
/// then dropped, except where a method says otherwise. (If a thousand commands are in line already,
/// the future first waits for room; dropped there, it has done nothing.)
#[derive(Clone)]
pub struct Handle {
    remote: Remote<Node>,
}

impl Handle {
    pub(crate) fn new(remote: Remote<Node>) -> Self {
        Self { remote }
    }

    /// Joins the cluster of `seeds`, with [`JOIN_TIMEOUT`]. See [`join_within`](Self::join_within).
    ///
    /// # Errors
    ///
    /// [`JoinFailed`] says of every seed what came of it.
    pub fn join(
        &self,
        seeds: impl IntoIterator<Item = impl Into<String>>,
    ) -> impl Future<Output = Result<Joined, JoinFailed>> + Send {
        self.join_within(seeds, JOIN_TIMEOUT)
    }

    /// Joins the cluster of `seeds`, and returns when every seed was dealt with or `timeout` is
    /// over.
    ///
    /// A seed is written `host`, `host:port`, `address` or `[address]:port`; without a port, this
    /// node's own bound port is meant. Names are resolved again on every call, and all their
    /// addresses are tried. One seed that answers is enough; it is also a success if this node
    /// itself is the only seed that could be resolved, as on the first node of a cluster where all
    /// are given the same list.
    ///
    /// Cancel safe: dropping the future cancels the join. Members that were learnt stay.
    ///
    /// # Errors
    ///
    /// [`JoinFailed`] says of every seed what came of it. The node goes on either way; try again
    /// later.
    pub fn join_within(
        &self,
        seeds: impl IntoIterator<Item = impl Into<String>>,
        timeout: Duration,
    ) -> impl Future<Output = Result<Joined, JoinFailed>> + Send {
        let seeds = seeds.into_iter().map(Into::into).collect();
        join::join(&self.remote, seeds, timeout)
    }

    /// Tells the others goodbye, and returns when enough of them know or `timeout` is over. The
    /// node is silent afterwards, until it joins again or is shut down. If a leave is under way
    /// already, this waits for that one.
    ///
    /// `Ok` says that the leave is over, not that anybody heard of it: where [`Left::confirmed`] is
    /// 0 and [`Left::members`] is not, no member answered in time, and the others may take this
    /// node for failed.
    ///
    /// Cancel safe: dropping the future does not stop the leave.
    ///
    /// # Errors
    ///
    /// [`LeaveFailed`] when the node has left already or stops before it is done.
    pub async fn leave(&self, timeout: Duration) -> Result<Left, LeaveFailed> {
        let end = self.remote.request(move |node, now| match node.leave(now, timeout) {
            Ok(()) | Err(LeaveError::Leaving) => Ok(Ticket::Leave),
            Err(error) => Err(error),
        });
        let event = end.await?.map_err(LeaveFailed::Refused)?;
        match event.kind {
            EventKind::LeaveFinished { confirmed, told, members } => {
                Ok(Left { confirmed, told, members })
            }
            _ => unreachable!("only the end of a leave has the ticket of a leave"),
        }
    }

    /// Stops the node and waits until its sockets are closed and all its tasks are over. Calls
    /// under way end with `Stopped`, and the events end. May be called again and by many.
    ///
    /// Cancel safe: the node stops even if the future is dropped after its first poll.
    pub async fn shutdown(&self) -> StopReason {
        self.remote.shutdown().await
    }

    /// Waits until the node has stopped, without asking for it. Cancel safe.
    pub async fn stopped(&self) -> StopReason {
        self.remote.stopped().await
    }

    /// Whether the node takes commands.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.remote.is_running()
    }

    /// Changes what this node says about itself, and returns the stamp of the change as soon as the
    /// node has begun to tell; `EventKind::UpdateSent` with that stamp follows when it was told.
    ///
    /// # Errors
    ///
    /// [`Error::Update`] when it is too long or the node has left; [`Error::Stopped`].
    pub async fn update_meta(&self, meta: impl Into<Bytes>) -> Result<Stamp, Error> {
        let meta = meta.into();
        let updated = self.remote.call(move |node, now| node.update_meta(now, meta)).await?;
        updated.map_err(Error::Update)
    }

    /// Sends `payload` to all members by gossip, each of which sees it once, and returns its id as
    /// soon as the node has it; `EventKind::BroadcastSent` with that id follows when this node has
    /// sent it as often as it will.
    ///
    /// # Errors
    ///
    /// [`Error::Send`] when it does not fit into a packet or the node has left; [`Error::Stopped`].
    pub async fn broadcast(&self, payload: impl Into<Bytes>) -> Result<u64, Error> {
        let payload = payload.into();
        Ok(self.remote.call(move |node, now| node.broadcast(now, payload)).await??)
    }

    /// Sends `payload` to the member `to` in one packet, which may get lost.
    ///
    /// # Errors
    ///
    /// [`Error::Send`] when it does not fit into a packet or there is no such live member;
    /// [`Error::Stopped`].
    pub async fn send_best_effort(&self, to: &str, payload: impl Into<Bytes>) -> Result<(), Error> {
        let (to, payload) = (to.to_owned(), payload.into());
        let sent =
            self.remote.call(move |node, now| node.send_best_effort(now, &to, &payload)).await?;
        Ok(sent?)
    }

    /// Sends `payload` to the member `to` over a stream, and returns when its node has confirmed
    /// that it has it. Whether the application there has read it is not confirmed: it may be slow,
    /// and then miss it ([`Notice::Lagged`](crate::Notice::Lagged)). Dropping the future does not
    /// stop the message.
    ///
    /// # Errors
    ///
    /// [`Error::Send`] when it was not sent; [`Error::Delivery`] when it is not known to have
    /// arrived; [`Error::Stopped`], and then it may have arrived too.
    pub async fn send_reliable(&self, to: &str, payload: impl Into<Bytes>) -> Result<(), Error> {
        let (to, payload) = (to.to_owned(), payload.into());
        let end = self
            .remote
            .request(move |node, now| node.send_reliable(now, &to, payload).map(Ticket::Send));
        match end.await??.kind {
            EventKind::SendFinished { result, .. } => result.map_err(Error::Delivery),
            _ => unreachable!("only the end of a send has the ticket of a send"),
        }
    }

    /// Pings the member `to` and waits for its answer. Dropping the future does no harm.
    ///
    /// # Errors
    ///
    /// [`Error::NoAnswer`]; [`Error::Send`] when there is no such live member; [`Error::Stopped`].
    pub async fn ping(&self, to: &str) -> Result<Pong, Error> {
        let to = to.to_owned();
        let end = self.remote.request(move |node, now| node.ping(now, &to).map(Ticket::Ping));
        match end.await??.kind {
            EventKind::PingFinished { pong, .. } => pong.ok_or(Error::NoAnswer),
            _ => unreachable!("only the end of a ping has the ticket of a ping"),
        }
    }

    /// Declares a dead member gone for good, everywhere.
    ///
    /// # Errors
    ///
    /// [`Error::Remove`] when it is alive or unknown; [`Error::Stopped`].
    pub async fn remove(&self, name: &str) -> Result<(), Error> {
        let name = name.to_owned();
        let removed = self.remote.call(move |node, now| node.remove(now, &name)).await?;
        removed.map_err(Error::Remove)
    }

    /// Sets the application's state that goes along with every exchange of tables, from now on.
    ///
    /// # Errors
    ///
    /// [`Error::Send`] when it is longer than `Options::state_len_max`; [`Error::Stopped`].
    pub async fn set_local_state(&self, state: impl Into<Bytes>) -> Result<(), Error> {
        let state = state.into();
        Ok(self.remote.call(move |node, _| node.set_local_state(state)).await??)
    }

    /// Sets what goes along with every answer to a ping, from now on.
    ///
    /// # Errors
    ///
    /// [`Error::Send`] when it is longer than an answer may carry; [`Error::Stopped`].
    pub async fn set_ack_payload(&self, payload: impl Into<Bytes>) -> Result<(), Error> {
        let payload = payload.into();
        Ok(self.remote.call(move |node, _| node.set_ack_payload(payload)).await??)
    }

    /// Adds a key with which packets may be sealed, to open with but not to seal with.
    ///
    /// # Errors
    ///
    /// [`Error::Keyring`] when the node has no keyring or no room in it; [`Error::Stopped`].
    pub async fn add_key(&self, key: Key) -> Result<KeyId, Error> {
        self.keyring(move |node, now| node.add_key(now, key)).await
    }

    /// Seals with this key from now on.
    ///
    /// # Errors
    ///
    /// [`Error::Keyring`] when there is no such key; [`Error::Stopped`].
    pub async fn use_key(&self, id: KeyId) -> Result<(), Error> {
        self.keyring(move |node, now| node.use_key(now, id)).await
    }

    /// Forgets a key.
    ///
    /// # Errors
    ///
    /// [`Error::Keyring`] when there is no such key or it is the one sealed with;
    /// [`Error::Stopped`].
    pub async fn remove_key(&self, id: KeyId) -> Result<(), Error> {
        self.keyring(move |node, now| node.remove_key(now, id)).await
    }

    /// The ids of the keys, the one sealed with first; none without a keyring.
    ///
    /// # Errors
    ///
    /// [`Error::Stopped`].
    pub async fn key_ids(&self) -> Result<Vec<KeyId>, Error> {
        self.call(|node, _| match node.keyring() {
            Some(keyring) => keyring.keys().map(Key::id).collect(),
            None => Vec::new(),
        })
        .await
    }

    /// What the node has done and seen.
    ///
    /// # Errors
    ///
    /// [`Error::Stopped`].
    pub async fn stats(&self) -> Result<Stats, Error> {
        self.call(|node, _| node.stats().clone()).await
    }

    /// The node's own health score; 0 is best. Lifeguard, LHA-Probe.
    ///
    /// # Errors
    ///
    /// [`Error::Stopped`].
    pub async fn health(&self) -> Result<u32, Error> {
        self.call(|node, _| node.health()).await
    }

    /// All that the node counts and measures, read at one moment and at the cost of one command. To
    /// be exported by the name of each metric: [`Sample::for_each`].
    ///
    /// # Errors
    ///
    /// [`Error::Stopped`].
    pub async fn sample(&self) -> Result<Sample, Error> {
        let commands_waiting = self.remote.commands_waiting();
        let said = |node: &mut Node, _| Sample {
            stats: node.stats().clone(),
            counts: node.counts(),
            queues: node.queues(),
            health: node.health(),
            sealed_with_key: node.sealed_with_key(),
            ..Sample::default()
        };
        let sample = self.call(said).await?;
        let (io, events_waiting) = (self.io_stats(), self.remote.events_waiting());
        Ok(Sample { io, events_waiting, commands_waiting, ..sample })
    }

    /// Takes a [`sample`](Self::sample) and sets every counter and gauge of the `metrics` crate to
    /// it, at the recorder of the program. Call it when the numbers are wanted, as in the answer to
    /// a scrape of Prometheus: nothing is recorded in between.
    ///
    /// # Errors
    ///
    /// [`Error::Stopped`].
    #[cfg(feature = "metrics")]
    pub async fn record_metrics(&self) -> Result<(), Error> {
        self.sample().await?.record();
        Ok(())
    }

    /// Runs `command` on the node itself, between two packets, and returns what it returns. It must
    /// be quick, because the node stands still meanwhile, and must call neither `handle` nor
    /// `poll_output`. If it panics, the node stops.
    ///
    /// # Errors
    ///
    /// [`Error::Stopped`].
    pub async fn call<T: Send + 'static>(
        &self,
        command: impl FnOnce(&mut Node, Instant) -> T + Send + 'static,
    ) -> Result<T, Error> {
        Ok(self.remote.call(command).await?)
    }

    /// This node's name.
    #[must_use]
    pub fn name(&self) -> &Name {
        self.remote.name()
    }

    /// The address at which the others reach this node.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.remote.addr()
    }

    /// The address that the sockets are bound to, with the port that was chosen.
    #[must_use]
    pub fn bound_addr(&self) -> SocketAddr {
        self.remote.bound_addr()
    }

    /// The time on this node's clock: the one of `Event::at` and `Member::since`.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.remote.now()
    }

    /// The live members, this node included, sorted by name. Costs O(n). Works after the stop too.
    #[must_use]
    pub fn members(&self) -> Vec<Arc<Member>> {
        self.remote.members()
    }

    /// The members of every state, sorted by name.
    #[must_use]
    pub fn all_members(&self) -> Vec<Arc<Member>> {
        self.remote.snapshot().members
    }

    /// The members of every state together with their place among the events: what a reader of
    /// events that fell behind starts again from.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.remote.snapshot()
    }

    /// The member of this name, in whatever state.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<Arc<Member>> {
        self.remote.member(name)
    }

    /// How many members are in which state, this node included.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.remote.counts()
    }

    /// What went wrong between the node and the operating system.
    #[must_use]
    pub fn io_stats(&self) -> IoStats {
        self.remote.io_stats()
    }

    async fn keyring<T: Send + 'static>(
        &self,
        command: impl FnOnce(&mut Node, Instant) -> Result<T, KeyringError> + Send + 'static,
    ) -> Result<T, Error> {
        self.remote.call(command).await?.map_err(Error::Keyring)
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("name", self.name())
            .field("addr", &self.addr())
            .field("is_running", &self.is_running())
            .finish_non_exhaustive()
    }
}

/// What came of a leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// How many members confirmed that they heard it: three, or all there are, unless the time was
    /// over before. With 0 the goodbye may have been heard by nobody.
    pub confirmed: usize,
    /// To how many members it was sent.
    pub told: usize,
    /// How many live members there were.
    pub members: usize,
}

/// How long [`Handle::join`] takes at most, name servers included.
pub const JOIN_TIMEOUT: Duration = Duration::from_secs(30);
