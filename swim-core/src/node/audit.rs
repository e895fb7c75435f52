//! What a node keeps inside, for checkers of simulations to read. It only looks, and is no part of
//! the interface: only there with the feature `simulation`.

use alloc::vec::Vec;
use core::time::Duration;

use super::Node;
use crate::{
    config::Options,
    event::JoinId,
    io::{StreamId, Timer},
    leave::Leave,
    name::Name,
    stamp::{Life, Stamp},
    table::MemberIndex,
    time::Instant,
    transitions::Transition,
};

/// A node's inside at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Audit {
    /// The node's own time: the latest it was told.
    pub now: Instant,
    /// The next deadline, if there is any, and what for.
    pub next_due: Option<(Instant, Timer)>,
    /// A digest of what is believed of members: stamps of the live ones.
    pub digest: u64,
    /// How many members the timers reckon with.
    pub live: usize,
    /// Suspicions under way.
    pub suspicions: usize,
    /// Claims that wait to be gossiped.
    pub claims: usize,
    /// So often each of them is sent at most.
    pub send_limit: u32,
    /// Broadcasts carried and remembered.
    pub broadcasts: usize,
    /// Whether one of them waits to be gossiped.
    pub broadcast_waits: bool,
    /// Streams that peers opened.
    pub streams_accepted: usize,
    /// Streams that this node opened.
    pub streams_dialed: usize,
    /// Pings under way for others.
    pub relays: usize,
    /// Members whose share in this node's help is kept.
    pub relay_budgets: usize,
    /// Pings that the application asked for.
    pub pings: usize,
    /// Joins under way, and when each must be over.
    pub joins: Vec<(JoinId, Instant)>,
    /// When the leave under way must be over.
    pub leave_deadline: Option<Instant>,
    /// Former members remembered.
    pub remembered: usize,
    /// Graves kept.
    pub graves: usize,
    /// Accusations that nobody is known to have heard.
    pub unheard: usize,
    /// Conflicts reported lately, those included whose members are gone.
    pub conflicts: usize,
    /// The probe under way.
    pub probe: Option<AuditedProbe>,
    /// What has a length besides.
    pub lengths: AuditedLengths,
}

/// How long is what a node goes through and tidies up as it goes, or fills from what comes in: it
/// says nothing of what the node believes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuditedLengths {
    /// The ring of those to be probed.
    pub probe_ring: usize,
    /// The ring of those to be gossiped to.
    pub gossip_ring: usize,
    /// The ring of the dead.
    pub dead_ring: usize,
    /// Deadlines.
    pub timers: usize,
    /// Bytes of states and messages that came on streams of peers and are kept for the rest.
    pub bytes_accepted: usize,
    /// The same on streams that this node opened.
    pub bytes_dialed: usize,
    /// Pings of the leave under way whose answers are waited for.
    pub leave_asked: usize,
    /// Who asked after the leave and was told of it.
    pub told_of_leave: usize,
}

/// The probe under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditedProbe {
    /// Who is probed.
    pub target: Name,
    /// Its number.
    pub nonce: u64,
    /// When others are to be asked for help, if they were not.
    pub timeout_at: Option<Instant>,
    /// When it fails.
    pub deadline: Instant,
}

/// A suspicion under way.
#[derive(Clone, Debug)]
pub struct AuditedSuspicion {
    /// Who is suspected.
    pub name: Name,
    /// What the suspicion is about.
    pub stamp: Stamp,
    /// What the member is known under.
    pub known: Stamp,
    /// When it began, or began anew.
    pub begun_at: Instant,
    /// From when on its time is counted: what the node slept through is none.
    pub started_at: Instant,
    /// When it runs out.
    pub deadline: Instant,
    /// The shortest it may be.
    pub min: Duration,
    /// The longest.
    pub max: Duration,
    /// How many confirmed it.
    pub confirmations: u32,
    /// How many make it the shortest.
    pub needed: u32,
}

/// The queue of claims, looked through.
#[derive(Clone, Copy, Debug)]
pub struct AuditedClaims {
    /// How many there are said to be.
    pub len: usize,
    /// How many there are.
    pub linked: usize,
    /// The most sends of one that still waits.
    pub sends_max: u32,
}

impl Node {
    /// What it keeps inside. Costs the same however many members there are.
    #[must_use]
    pub fn audit(&self) -> Audit {
        let accepted = self.streams.keys().filter(|id: &&StreamId| id.is_accepted()).count();
        Audit {
            now: self.now,
            next_due: self.timers.next(),
            digest: self.table.digest(),
            live: self.table.live(),
            suspicions: self.suspicions.len(),
            claims: self.claims.len(),
            send_limit: self.send_limit(),
            broadcasts: self.broadcasts.len(),
            broadcast_waits: self.broadcasts.is_waiting(),
            streams_accepted: accepted,
            streams_dialed: self.streams.len() - accepted,
            relays: self.relays.len(),
            relay_budgets: self.relays.audit_budgets(),
            pings: self.pings.len(),
            joins: self.joins.iter().map(|(&id, join)| (JoinId(id), join.deadline)).collect(),
            leave_deadline: self.leave.as_ref().map(|leave| leave.deadline),
            remembered: self.remembered.len(),
            graves: self.graveyard.len(),
            unheard: self.unheard.audit_len(),
            conflicts: self.conflicts.audit_len(),
            probe: self.probe.as_ref().map(|probe| AuditedProbe {
                target: Name::from_checked(self.table.get(probe.target).name()),
                nonce: probe.nonce,
                timeout_at: probe.timeout_at,
                deadline: probe.deadline,
            }),
            lengths: self.audit_lengths(),
        }
    }

    fn audit_lengths(&self) -> AuditedLengths {
        let bytes = |is_accepted| {
            let streams = self.streams.iter().filter(|(id, _)| id.is_accepted() == is_accepted);
            streams.map(|(_, stream)| stream.incoming.bytes.len()).sum()
        };
        AuditedLengths {
            probe_ring: self.probe_ring.len(),
            gossip_ring: self.gossip_ring.len(),
            dead_ring: self.dead_ring.len(),
            timers: self.timers.audit_len(),
            bytes_accepted: bytes(true),
            bytes_dialed: bytes(false),
            leave_asked: self.leave.as_ref().map_or(0, Leave::audit_asked),
            told_of_leave: self.told_of_leave.len(),
        }
    }

    /// The changes of the table since the last call; from the first call on they are kept.
    pub fn audit_transitions(&mut self) -> Vec<Transition> {
        self.table.take_transitions()
    }

    /// Whom that is for which is said on a stream, and in which life, as far as this node knows.
    pub fn audit_recipient(&self, stream: StreamId) -> Option<(Name, Life)> {
        let recipient = self.streams.get(&stream)?.recipient.as_ref()?;
        Some((recipient.name.clone(), recipient.life))
    }

    /// The suspicions under way.
    pub fn audit_suspicions(&self) -> impl Iterator<Item = AuditedSuspicion> + '_ {
        self.suspicions.iter().filter(|(index, _)| **index != MemberIndex::SELF).map(
            |(&index, suspicion)| {
                let record = self.table.get(index);
                let ([started_at, deadline], [min, max], [confirmations, needed]) =
                    suspicion.audit();
                AuditedSuspicion {
                    name: Name::from_checked(record.name()),
                    stamp: suspicion.stamp(),
                    known: record.stamp(),
                    begun_at: suspicion.begun_at(),
                    started_at,
                    deadline,
                    min,
                    max,
                    confirmations,
                    needed,
                }
            },
        )
    }

    /// The queue of claims, looked through from one end to the other.
    #[must_use]
    pub fn audit_claims(&self) -> AuditedClaims {
        let (len, linked, sends_max) = self.claims.audit();
        AuditedClaims { len, linked, sends_max }
    }

    /// What it takes for the time on the wall, if it has such a clock.
    #[must_use]
    pub fn audit_unix_time(&self) -> Option<Duration> {
        let since_origin = Duration::from_nanos(self.now.as_nanos());
        self.unix_offset.map(|offset| offset.saturating_add(since_origin))
    }

    /// How it was set up.
    #[must_use]
    pub fn audit_options(&self) -> &Options {
        &self.config
    }
}
