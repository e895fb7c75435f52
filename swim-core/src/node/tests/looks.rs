//! What a test sees of the stage: beliefs, and what the node said and did, as text where that
//! reads best.

use core::net::SocketAddr;
use std::{format, string::String, vec::Vec};

use super::{
    stage::{Stage, Step},
    words::{self, addr, name},
};
use crate::{
    event::{EventKind, SeedOutcome},
    io::StreamId,
    member::{Member, State},
    stats::Stats,
    time::Instant,
    wire::Message,
};

impl Stage {
    /// What the node believes of the nth.
    pub(super) fn state(&self, nth: usize) -> Option<State> {
        self.node.member(name(nth)).map(|member| member.state)
    }

    /// The same with the stamp it is about, as text: `suspect 1.2`.
    pub(super) fn belief(&self, nth: usize) -> String {
        match self.node.member(name(nth)) {
            Some(member) => format!("{} {}", member.state, member.stamp),
            None => "unknown".into(),
        }
    }

    /// Everything that a packet could change, but for the counters of input itself.
    pub(super) fn essence(&self) -> (Vec<Member>, Stats, Option<Instant>, bool) {
        let stats = Stats {
            packets_received: 0,
            bytes_received: 0,
            stream_bytes_received: 0,
            rejects: Default::default(),
            acks_unexpected: 0,
            ..self.node.stats().clone()
        };
        let deadline = self.node.timers.next().map(|(at, _)| at);
        (self.node.members().collect(), stats, deadline, self.node.claims.is_empty())
    }

    /// All that was sent to the nth.
    pub(super) fn told(&self, nth: usize) -> impl Iterator<Item = &Message<'static>> {
        let to_nth = self.sent.iter().filter(move |sent| sent.to == addr(nth));
        to_nth.flat_map(|sent| &sent.messages)
    }

    /// The claims among that, as text.
    pub(super) fn claims_to(&self, nth: usize) -> Vec<String> {
        words::claims(self.told(nth).copied())
    }

    /// The claims sent to anybody, as text.
    pub(super) fn claims_to_any(&self) -> Vec<String> {
        words::claims(self.sent.iter().flat_map(|sent| sent.messages.iter().copied()))
    }

    /// The nonce of the last ping to the nth.
    pub(super) fn pinged(&self, nth: usize) -> Option<u64> {
        let pings = self.told(nth).filter_map(|message| match message {
            Message::Ping(ping) => Some(ping.nonce),
            _ => None,
        });
        pings.last()
    }

    /// What members did according to events, as text: `p1 suspected`.
    pub(super) fn changes(&self) -> Vec<String> {
        let changes = self.events.iter().filter_map(|event| match event {
            EventKind::Member { change, member } => Some(format!("{} {change}", member.name)),
            _ => None,
        });
        changes.collect()
    }

    /// The application messages and broadcasts that arrived, as text.
    pub(super) fn payloads(&self) -> Vec<&str> {
        let payloads = self.events.iter().filter_map(|event| match event {
            EventKind::Broadcast { payload, .. } | EventKind::Message { payload, .. } => {
                Some(core::str::from_utf8(payload).unwrap())
            }
            _ => None,
        });
        payloads.collect()
    }

    /// What came of the seeds of joins, in the order of events.
    pub(super) fn seed_outcomes(&self) -> Vec<SeedOutcome> {
        let outcomes = self.events.iter().filter_map(|event| match event {
            EventKind::Seed { outcome, .. } => Some(outcome.clone()),
            _ => None,
        });
        outcomes.collect()
    }

    /// The streams the node opened, and where to.
    pub(super) fn dials(&self) -> Vec<(StreamId, SocketAddr)> {
        let dials = self.steps.iter().filter_map(|step| match *step {
            Step::Dial { id, to } => Some((id, to)),
            Step::Frame { .. } | Step::Close { .. } | Step::Abort { .. } => None,
        });
        dials.collect()
    }

    /// The messages the node wrote to a stream, and whether that was all.
    pub(super) fn written(&self, wanted: StreamId) -> (Vec<Message<'static>>, bool) {
        let mut written = (Vec::new(), false);
        for step in &self.steps {
            if let Step::Frame { id, messages, last } = step
                && *id == wanted
            {
                written.0.extend_from_slice(messages);
                written.1 |= last;
            }
        }
        written
    }

    /// How the node ended a stream: true for gracefully.
    pub(super) fn ended(&self, wanted: StreamId) -> Option<bool> {
        self.steps.iter().find_map(|step| match *step {
            Step::Close { id } if id == wanted => Some(true),
            Step::Abort { id } if id == wanted => Some(false),
            _ => None,
        })
    }
}
