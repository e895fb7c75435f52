//! What is known of one member.

use core::net::SocketAddr;

use crate::{
    member::{LeaveReason, Member, State},
    name::{Meta, Name, NameRef},
    precedence::Belief,
    profile::Profile,
    stamp::Stamp,
    time::Instant,
    wire::Entry,
};

/// One member.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(super) profile: Profile,
    /// What `state` is about. At least the stamp of the profile; above it while all we have about
    /// the newer incarnation is hearsay.
    pub(super) stamp: Stamp,
    pub(super) since: Instant,
    pub(super) state: State,
    pub(super) reason: LeaveReason,
    /// It has shown that it is at its address.
    pub(super) validated: bool,
    /// It has asked us in this life, and was answered: we have shown it that we are at ours.
    pub(super) was_answered: bool,
    pub(super) arrival: Arrival,
}

/// The how-manieth member one was to come into the table. Unlike its place, that is nobody else's
/// once it was reaped: what is kept of a member by it need not be looked for and forgotten with it.
/// After 2^32 of them numbers come again, by when nothing is left of the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrival(u32);

impl Arrival {
    pub(crate) const fn new(nth: u32) -> Self {
        Self(nth)
    }
}

impl Record {
    pub(crate) fn belief(&self) -> Belief {
        Belief::new(self.stamp, self.state)
    }

    pub(crate) fn stamp(&self) -> Stamp {
        self.stamp
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    pub(crate) fn reason(&self) -> LeaveReason {
        self.reason
    }

    pub(crate) fn since(&self) -> Instant {
        self.since
    }

    pub(crate) fn is_validated(&self) -> bool {
        self.validated
    }

    pub(crate) fn was_answered(&self) -> bool {
        self.was_answered
    }

    /// What tells it from all that had its place before and may have it later.
    pub(crate) fn arrival(&self) -> Arrival {
        self.arrival
    }

    pub(crate) fn profile(&self) -> &Profile {
        &self.profile
    }

    pub(crate) fn name(&self) -> NameRef<'_> {
        self.profile.name()
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.profile.addr()
    }

    /// Whether the profile is the one of the believed stamp.
    pub(crate) fn profile_is_current(&self) -> bool {
        self.profile.stamp() == self.stamp
    }

    /// The record as it goes into an exchange.
    pub(crate) fn entry(&self) -> Entry<'_> {
        Entry {
            alive: self.profile.alive(),
            state: self.state,
            stamp: self.stamp,
            reason: self.reason,
        }
    }

    /// The record as the application sees it.
    pub(crate) fn member(&self) -> Member {
        Member {
            name: Name::from_checked(self.name()),
            addr: self.addr(),
            meta: Meta::from_checked(self.profile.meta()),
            state: self.state,
            reason: (self.state == State::Left).then_some(self.reason),
            stamp: self.stamp,
            versions: self.profile.versions(),
            since: self.since,
        }
    }
}
