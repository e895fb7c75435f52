//! What puppets say, and what is said to them as text, so that a test reads like the exchange it
//! is about.

use core::net::{Ipv4Addr, SocketAddr};
use std::{boxed::Box, format, string::String, vec::Vec};

use crate::{
    member::{LeaveReason, State, VersionRange, Versions},
    name::named,
    stamp::Stamp,
    wire::{Accusation, Alive, Claim, Departure, Entry, Message},
};

/// The versions every puppet announces: those of the node.
pub(super) const VERSIONS: Versions = Versions {
    protocol: VersionRange { min: 1, max: 1, current: 1 },
    application: VersionRange { min: 0, max: 0, current: 0 },
};

/// The node under test.
pub(super) const NODE: usize = 0;

/// The name of the nth: "n" for the node under test, "p1" and so on for its puppets.
pub(super) fn name(nth: usize) -> &'static str {
    match nth {
        NODE => "n",
        1 => "p1",
        2 => "p2",
        3 => "p3",
        _ => Box::leak(format!("p{nth}").into_boxed_str()),
    }
}

/// The address of the nth.
pub(super) fn addr(nth: usize) -> SocketAddr {
    let ip = Ipv4Addr::from_bits(0x0A00_0001 + u32::try_from(nth).unwrap());
    SocketAddr::from((ip, 7946))
}

/// The nth says that it is there, under `life.incarnation`.
pub(super) fn alive(nth: usize, life: u64, incarnation: u64) -> Alive<'static> {
    let stamp = Stamp::new(life, incarnation);
    Alive {
        name: named(name(nth)),
        stamp,
        addr: addr(nth),
        mapped: false,
        versions: VERSIONS,
        meta: b"",
    }
}

/// The same as something to send.
pub(super) fn is_alive(nth: usize, life: u64, incarnation: u64) -> Message<'static> {
    Message::Claim(Claim::Alive(alive(nth, life, incarnation)))
}

/// `from` could not reach the nth.
pub(super) fn is_suspect(nth: usize, stamp: (u64, u64), from: usize) -> Message<'static> {
    Message::Claim(Claim::Suspect(accusation(nth, stamp, from)))
}

/// `from` saw the suspicion of the nth run out.
pub(super) fn is_dead(nth: usize, stamp: (u64, u64), from: usize) -> Message<'static> {
    Message::Claim(Claim::Dead(accusation(nth, stamp, from)))
}

/// The nth says goodbye.
pub(super) fn has_left(nth: usize, life: u64, incarnation: u64) -> Message<'static> {
    let stamp = Stamp::new(life, incarnation);
    let reason = LeaveReason::Graceful;
    Message::Claim(Claim::Left(Departure { name: named(name(nth)), stamp, reason }))
}

/// The nth as it stands in a table.
pub(super) fn entry(alive: Alive<'static>, state: State) -> Message<'static> {
    let stamp = alive.stamp;
    Message::Entry(Entry { alive, state, stamp, reason: LeaveReason::Graceful })
}

fn accusation(nth: usize, (life, incarnation): (u64, u64), from: usize) -> Accusation<'static> {
    Accusation {
        name: named(name(nth)),
        stamp: Stamp::new(life, incarnation),
        from: named(name(from)),
    }
}

/// The claims among `messages`, as text: `alive p1 1.1`, `suspect p1 1.1 by p2`, `left p1 1.1`.
pub(super) fn claims(messages: impl Iterator<Item = Message<'static>>) -> Vec<String> {
    let claims = messages.into_iter().filter_map(|message| match message {
        Message::Claim(Claim::Alive(Alive { name, stamp, .. })) => {
            Some(format!("alive {name} {stamp}"))
        }
        Message::Claim(Claim::Suspect(Accusation { name, stamp, from })) => {
            Some(format!("suspect {name} {stamp} by {from}"))
        }
        Message::Claim(Claim::Dead(Accusation { name, stamp, from })) => {
            Some(format!("dead {name} {stamp} by {from}"))
        }
        Message::Claim(Claim::Left(Departure { name, stamp, .. })) => {
            Some(format!("left {name} {stamp}"))
        }
        _ => None,
    });
    claims.collect()
}
