//! What the application asks for, and what it may look at.

use core::{net::SocketAddr, time::Duration};

use bytes::Bytes;

use super::{Node, Phase};
use crate::{
    error::{RemoveError, SendError, UpdateError},
    event::{EventKind, MemberChange, PingId, SendId},
    io::{StreamId, Timer},
    keyring::{Key, KeyId, Keyring, KeyringError},
    limits,
    limits::{ACK_PAYLOAD_MAX, MEMBERLIST_SENT_MAX, PINGS_MAX},
    member::{LeaveReason, Member, State},
    name::{Meta, Name, NameRef},
    probe::AppPing,
    sabotage::sabotaged,
    stamp::Stamp,
    stats::{Counts, Queues, Stats},
    stream::Purpose,
    table::MemberIndex,
    time::Instant,
    wire::{Broadcast, Departure, Message, Ping},
};

impl Node {
    /// Changes what this node says about itself (memberlist: `UpdateNode`). Returns the stamp of
    /// the change; `UpdateSent` follows once it went out. What it says already is no change: the
    /// stamp then is that of the change under way, or else the present one, of which `UpdateSent`
    /// is told at once.
    ///
    /// # Errors
    ///
    /// [`UpdateError`]: it is too long, or the node has left.
    pub fn update_meta(&mut self, now: Instant, meta: Bytes) -> Result<Stamp, UpdateError> {
        self.advance(now);
        if self.phase != Phase::Running {
            return Err(UpdateError::Left);
        }
        let meta = Meta::new(meta).map_err(UpdateError::Meta)?;
        let needed = limits::packet_len_needed(self.name.len(), meta.len());
        if needed > self.config.packet_len_max {
            return Err(UpdateError::TooLargeForPacket { needed, max: self.config.packet_len_max });
        }
        let own = self.own_stamp();
        if self.table.get(MemberIndex::SELF).member().meta == meta {
            if self.update.is_none() {
                self.emit(EventKind::UpdateSent { stamp: own, sends: 0 });
            }
            self.settle();
            return Ok(self.update.unwrap_or(own));
        }
        let stamp = self.stamp_above(own);
        if let Some(stamp) = self.update.take() {
            // An earlier change is overtaken by this one.
            let sends = self.claims.remove(MemberIndex::SELF).unwrap_or(0);
            self.emit(EventKind::UpdateSent { stamp, sends });
        }
        #[cfg(feature = "simulation")]
        self.note(|_| crate::hearsay::Hearsay::Updated { meta: meta.clone() });
        self.take_stamp(stamp, Some(&meta));
        self.update = Some(stamp);
        self.emit_member(MemberIndex::SELF, MemberChange::Updated);
        self.settle();
        Ok(stamp)
    }

    /// Spreads `payload` to all members, each of which gets it once. Returns the broadcast's
    /// number; `BroadcastSent` follows once this node has sent it as often as it will. This node
    /// itself gets no event of it.
    ///
    /// # Errors
    ///
    /// [`SendError`]: it does not fit into a packet, or the node has left.
    pub fn broadcast(&mut self, now: Instant, payload: Bytes) -> Result<u64, SendError> {
        self.advance(now);
        self.check_running()?;
        let (life, id) = (self.own_stamp().life.0, self.next_broadcast);
        let empty = Message::Broadcast(Broadcast {
            origin: self.name.by_ref(),
            life,
            id,
            age_millis: u32::MAX,
            payload: &[],
        });
        self.check_len(payload.len(), &empty)?;
        let id = self.broadcasts.issue(&self.name, life, id, payload, self.now);
        self.next_broadcast = id + 1;
        self.stats.broadcasts_sent += 1;
        self.stats.broadcasts_dropped = self.broadcasts.dropped();
        self.settle();
        Ok(id)
    }

    /// Sends `payload` to one member in a packet, which may be lost (memberlist: `SendBestEffort`).
    ///
    /// # Errors
    ///
    /// [`SendError`]: it does not fit into a packet, nobody has this name, or the node has left.
    pub fn send_best_effort(
        &mut self,
        now: Instant,
        to: &str,
        payload: &[u8],
    ) -> Result<(), SendError> {
        self.advance(now);
        self.check_running()?;
        self.check_len(payload.len(), &Message::Direct(&[]))?;
        let to = self.find_live(to)?;
        self.send_to_member(to, &[Message::Direct(payload)]);
        self.settle();
        Ok(())
    }

    /// Sends `payload` to one member over a stream (memberlist: `SendReliable`). `SendFinished`
    /// tells whether the member confirmed that it has it.
    ///
    /// # Errors
    ///
    /// [`SendError`]: it is longer than `message_len_max`, nobody has this name, too many sends
    /// are under way, or the node has left.
    pub fn send_reliable(
        &mut self,
        now: Instant,
        to: &str,
        payload: Bytes,
    ) -> Result<SendId, SendError> {
        self.advance(now);
        self.check_running()?;
        let (len, max) = (payload.len(), self.sent_max(self.config.message_len_max));
        if len > max {
            return Err(SendError::TooLarge { len, max });
        }
        let index = self.find_live(to)?;
        let send = SendId(self.fresh_id());
        let to = Name::from_checked(self.table.get(index).name());
        let purpose = Purpose::Deliver { send, to, payload };
        self.dial_member(index, purpose).ok_or(SendError::Busy)?;
        self.settle();
        Ok(send)
    }

    /// Pings one member (memberlist: `Ping`). `PingFinished` tells the outcome within the probe
    /// timeout.
    ///
    /// # Errors
    ///
    /// [`SendError`]: nobody has this name, too many pings are under way, or the node has left.
    pub fn ping(&mut self, now: Instant, to: &str) -> Result<PingId, SendError> {
        self.advance(now);
        self.check_running()?;
        let index = self.find_live(to)?;
        if self.pings.len() >= PINGS_MAX {
            return Err(SendError::Busy);
        }
        let id = PingId(self.fresh_id());
        let nonce = self.fresh_nonce();
        let deadline = self.now + self.config.probe_timeout;
        let target = Name::from_checked(self.table.get(index).name());
        self.pings.insert(nonce, AppPing { id, target, sent_at: self.now, deadline });
        self.timers.reset(Timer::Ping, nonce, None, Some(deadline));
        let digest = self.digest();
        self.send_to_member(index, &[Message::Ping(Ping { nonce, digest })]);
        self.settle();
        Ok(id)
    }

    /// Declares a dead member gone, for all to see (Serf: `force-leave`).
    ///
    /// # Errors
    ///
    /// [`RemoveError`]: nobody has this name, or the member is not dead.
    pub fn remove(&mut self, now: Instant, name: &str) -> Result<(), RemoveError> {
        self.advance(now);
        let index = self.find(name).ok_or(RemoveError::UnknownMember)?;
        let record = self.table.get(index);
        match record.state() {
            State::Alive | State::Suspect => return Err(RemoveError::Alive),
            State::Left => return Ok(()),
            State::Dead => {}
        }
        let (name, stamp) = (Name::from_checked(record.name()), record.stamp());
        #[cfg(feature = "simulation")]
        self.note_of(index, |name| crate::hearsay::Hearsay::Removed { name });
        let source = self.own_word();
        let name = name.by_ref();
        self.on_left(&Departure { name, stamp, reason: LeaveReason::Forced }, source);
        self.settle();
        Ok(())
    }

    /// Sets the application state that goes with every exchange of tables (memberlist:
    /// `LocalState`). The peer gets it as `RemoteState`.
    ///
    /// # Errors
    ///
    /// [`SendError::TooLarge`] when it is longer than `state_len_max`.
    pub fn set_local_state(&mut self, state: Bytes) -> Result<(), SendError> {
        let (len, max) = (state.len(), self.sent_max(self.config.state_len_max));
        if len > max {
            return Err(SendError::TooLarge { len, max });
        }
        self.local_state = state;
        Ok(())
    }

    /// How much of what may be received may be sent.
    fn sent_max(&self, received: usize) -> usize {
        if self.config.dialect.is_native() { received } else { received.min(MEMBERLIST_SENT_MAX) }
    }

    /// Sets what this node attaches to its answers to pings (memberlist: `AckPayload`).
    ///
    /// # Errors
    ///
    /// [`SendError::TooLarge`] when it is longer than 256 bytes.
    pub fn set_ack_payload(&mut self, payload: Bytes) -> Result<(), SendError> {
        let (len, max) = (payload.len(), ACK_PAYLOAD_MAX);
        if len > max {
            return Err(SendError::TooLarge { len, max });
        }
        self.ack_payload = payload;
        Ok(())
    }

    /// Tells what time it is on the wall: for when that clock was set.
    pub fn set_unix_time(&mut self, now: Instant, unix_time: Duration) {
        self.advance(now);
        let since_origin = Duration::from_nanos(self.now.as_nanos());
        self.unix_offset = Some(unix_time.saturating_sub(since_origin));
        self.advance(now);
    }

    /// The keys, primary first; `None` if nothing is sealed.
    #[must_use]
    pub fn keyring(&self) -> Option<&Keyring> {
        self.wire.keyring()
    }

    /// Adds a key that is accepted from now on; the primary goes on sealing. A key that is there
    /// already is no error.
    ///
    /// # Errors
    ///
    /// [`KeyringError`]: the ring is full, or the node has none.
    pub fn add_key(&mut self, now: Instant, key: Key) -> Result<KeyId, KeyringError> {
        self.change_keyring(now, |ring| ring.add(key))
    }

    /// Makes a key of the ring the one that seals.
    ///
    /// # Errors
    ///
    /// [`KeyringError`]: the ring does not have it, or the node has none.
    pub fn use_key(&mut self, now: Instant, key: KeyId) -> Result<(), KeyringError> {
        let drops = sabotaged!(self, DropsTheFormerKey);
        self.change_keyring(now, |ring| {
            let former = ring.primary().id();
            ring.set_primary(key)?;
            if drops && former != key { ring.remove(former) } else { Ok(()) }
        })
    }

    /// Takes a key out of the ring: what is sealed with it is refused from now on.
    ///
    /// # Errors
    ///
    /// [`KeyringError`]: it is the primary, the ring does not have it, or the node has none.
    pub fn remove_key(&mut self, now: Instant, key: KeyId) -> Result<(), KeyringError> {
        self.change_keyring(now, |ring| ring.remove(key))
    }

    /// The node's name.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The life and incarnation that the node speaks under.
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        self.own_stamp()
    }

    /// The node as a member.
    #[must_use]
    pub fn local(&self) -> Member {
        self.table.get(MemberIndex::SELF).member()
    }

    /// The member of this name, in whatever state.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<Member> {
        self.find(name).map(|index| self.table.get(index).member())
    }

    /// The member that is reached at this address.
    #[must_use]
    pub fn member_at(&self, addr: SocketAddr) -> Option<Member> {
        self.table.find_addr(addr).map(|index| self.table.get(index).member())
    }

    /// All members of every state, this node included, in an order that equal runs share.
    pub fn members(&self) -> impl Iterator<Item = Member> + '_ {
        self.table.iter().map(|(_, record)| record.member())
    }

    /// How many members are in which state.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let counts = self.table.counts();
        if sabotaged!(self, CountsTheDead) {
            return Counts { alive: counts.alive + counts.dead, dead: 0, ..counts };
        }
        counts
    }

    /// The node's own health score, 0 being best (memberlist: `GetHealthScore`).
    #[must_use]
    pub fn health(&self) -> u32 {
        self.health.score()
    }

    /// The number that the next event will have: folding those below it gives the members as they
    /// are now. (E2)
    #[must_use]
    pub const fn next_seq(&self) -> u64 {
        self.outbox.next_seq()
    }

    /// What the node has done and seen.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// How much is under way and in the queues right now.
    #[must_use]
    pub fn queues(&self) -> Queues {
        let accepted = self.streams.keys().filter(|id: &&StreamId| id.is_accepted()).count();
        Queues {
            claims: self.claims.len(),
            broadcasts: self.broadcasts.len(),
            suspicions: self.suspicions.len(),
            relays: self.relays.len(),
            streams_accepted: accepted,
            streams_dialed: self.streams.len() - accepted,
            remembered: self.remembered.len(),
        }
    }

    /// About how many messages all members have sealed with the key that seals, in memberlist's
    /// dialect; see [`EventKind::KeyWorn`]. Natively 0: there it does not matter.
    #[must_use]
    pub fn sealed_with_key(&self) -> u64 {
        self.wire.sealed_estimate(self.table.counts().live() as u64)
    }

    /// Whether a leave is under way.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.phase == Phase::Leaving
    }

    /// Whether the node has left and is silent; in memberlist's dialect, but for answers to pings.
    #[must_use]
    pub fn has_left(&self) -> bool {
        self.phase == Phase::Left
    }

    fn change_keyring<T>(
        &mut self,
        now: Instant,
        change: impl FnOnce(&mut Keyring) -> Result<T, KeyringError>,
    ) -> Result<T, KeyringError> {
        self.advance(now);
        #[cfg(feature = "sabotage")]
        self.keep_keys();
        let result = self.wire.change_keyring(change).ok_or(KeyringError::NoKeyring)??;
        if let Some(ring) = self.wire.keyring() {
            let primary = ring.primary().id();
            self.emit(EventKind::KeyringChanged { primary });
        }
        self.settle();
        Ok(result)
    }

    fn check_running(&self) -> Result<(), SendError> {
        if self.phase == Phase::Running { Ok(()) } else { Err(SendError::Left) }
    }

    /// Whether a payload of this length fits into a packet, in a message that is as long without.
    fn check_len(&self, len: usize, empty: &Message<'_>) -> Result<(), SendError> {
        /// The length of the payload may take two bytes more than that of an empty one.
        const LENGTH: usize = 2;
        let used = self.wire.encoded_len(empty) + LENGTH;
        let max = self.message_room().saturating_sub(used);
        if len > max { Err(SendError::TooLarge { len, max }) } else { Ok(()) }
    }

    /// Learns in no time all that another node of the same simulator knows, as an exchange of
    /// tables would teach it, and shares with it the memory of what members said. The application
    /// is told nothing: its simulator knows. Returns whether it could be done: only a node that
    /// knows nobody yet can, from one that knows it as it is and nobody who is not alive.
    ///
    /// The nodes then share the key of their hash tables: not for nodes that strangers can reach.
    #[cfg(feature = "simulation")]
    pub fn adopt(&mut self, now: Instant, other: &Self) -> bool {
        self.advance(now);
        let is_done = self.table.adopt(&other.table, self.now);
        if is_done {
            self.welcomed_at = self.now;
            self.probe_ring.fill(self.table.end());
            self.gossip_ring.fill(self.table.end());
        }
        self.settle();
        is_done
    }

    fn find(&self, name: &str) -> Option<MemberIndex> {
        self.table.find(NameRef::from_checked(name.as_bytes()))
    }

    fn find_live(&self, name: &str) -> Result<MemberIndex, SendError> {
        let index = self.find(name).ok_or(SendError::UnknownMember)?;
        let is_live = self.table.get(index).state().is_live();
        if is_live && index != MemberIndex::SELF {
            Ok(index)
        } else {
            Err(SendError::UnknownMember)
        }
    }
}
