//! What memberlist's messages mean to us, and ours in its words.
//!
//! Where the old wire says less, nothing is made up: lives are constant, digests empty, and whoever
//! speaks in a packet is known by nothing but its address.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{
    leaf::{self, Leaf, Origin, Verdict},
    limits::VERSIONS_LEN,
    push_pull,
};
use crate::{
    member::{LeaveReason, State, VersionRange, Versions},
    name::{META_LEN_MAX, Name, NameRef},
    reject::Reject,
    stamp::{Incarnation, Life, Stamp},
    wire::message::{
        Accusation, Ack, Alive, Claim, Departure, Digest, Entry, IndirectPing, Message, Nack, Ping,
    },
};

/// What a node says of itself beside its claims.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) name: Name,
    pub(crate) addr: Octets,
    pub(crate) port: u16,
    pub(crate) ports: Ports,
}

/// At which port others are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    /// The one at which this node listens.
    pub(crate) bound: u16,
    /// Whether all of the cluster listen at the same.
    pub(crate) are_all_one: bool,
}

/// An IP address as bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Octets {
    bytes: [u8; 16],
    len: usize,
}

impl Octets {
    /// The bytes of an address; `mapped` dresses one of IPv4 as one of IPv6.
    pub(crate) fn of(ip: IpAddr, mapped: bool) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) if !mapped => {
                let mut bytes = [0; 16];
                bytes[..4].copy_from_slice(&ip.octets());
                Self { bytes, len: 4 }
            }
            IpAddr::V4(ip) => Self { bytes: ip.to_ipv6_mapped().octets(), len: 16 },
            IpAddr::V6(ip) => Self { bytes: ip.octets(), len: 16 },
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// What a message in a packet means.
pub(crate) fn message<'a>(leaf: Leaf<'a>, own: &Identity) -> Result<Message<'a>, Reject> {
    Ok(match leaf {
        Leaf::Ping(ping) => Message::Ping(ping_to(&ping, own)?),
        Leaf::IndirectPing(ping) => {
            let (addr, _) = address(ping.target, ping.port, own)?;
            let (nonce, target) = (u64::from(ping.seq), NameRef::new(ping.node));
            Message::IndirectPing(IndirectPing { nonce, target, addr, nack: ping.nack })
        }
        Leaf::Ack { seq, payload } => Message::Ack(ack(seq, payload)),
        Leaf::Nack { seq } => Message::Nack(Nack { nonce: u64::from(seq) }),
        Leaf::Suspect(verdict) => Message::Claim(Claim::Suspect(accusation(&verdict)?)),
        Leaf::Dead(verdict) if verdict.node == verdict.from => {
            let Accusation { name, stamp, .. } = accusation(&verdict)?;
            let reason = LeaveReason::Graceful;
            Message::Claim(Claim::Left(Departure { name, stamp, reason }))
        }
        Leaf::Dead(verdict) => Message::Claim(Claim::Dead(accusation(&verdict)?)),
        Leaf::Alive(claim) => Message::Claim(Claim::Alive(alive(&claim, own)?)),
        Leaf::User(payload) => Message::Direct(payload),
        Leaf::Error(_) => return Err(Reject::Misplaced),
    })
}

/// A ping that is meant for us, or for whoever reads it.
pub(crate) fn ping_to(ping: &leaf::Ping<'_>, own: &Identity) -> Result<Ping, Reject> {
    if !ping.node.is_empty() && ping.node != own.name.as_bytes() {
        return Err(Reject::NotForUs);
    }
    Ok(Ping { nonce: u64::from(ping.seq), digest: Digest::default() })
}

pub(crate) fn ack(seq: u32, payload: Option<&[u8]>) -> Ack<'_> {
    let (nonce, digest) = (u64::from(seq), Digest::default());
    Ack { nonce, digest, payload: payload.unwrap_or_default() }
}

/// What a line of a table means. Of one about a member that is not alive, nothing counts but whom
/// it is about, under which incarnation, and the state: a wrong word beside those must not keep it
/// alive. memberlist state.go: `mergeState`.
pub(crate) fn entry<'a>(node: &push_pull::Node<'a>, own: &Identity) -> Result<Entry<'a>, Reject> {
    let state = match node.state {
        0 => State::Alive,
        1 => State::Suspect,
        2 => State::Dead,
        3 => State::Left,
        _ => return Err(Reject::Malformed),
    };
    let alive = match alive(&node.alive, own) {
        Err(_) if state != State::Alive => nowhere(&node.alive)?,
        alive => alive?,
    };
    Ok(Entry { alive, state, stamp: alive.stamp, reason: LeaveReason::Graceful })
}

/// Puts a message of ours to the end of `out`; `to` is who gets it, if that is known. False if
/// this wire has no word for it.
pub(crate) fn put(message: &Message<'_>, to: &[u8], own: &Identity, out: &mut Vec<u8>) -> bool {
    let source = Origin { addr: own.addr.as_bytes(), port: own.port, node: own.name.as_bytes() };
    match message {
        Message::Ping(ping) => {
            Leaf::Ping(leaf::Ping { seq: seq(ping.nonce), node: to, source }).put(out);
        }
        Message::IndirectPing(ping) => {
            let target = Octets::of(ping.addr.ip(), false);
            let (target, port) = (target.as_bytes(), ping.addr.port());
            let node = ping.target.map_or(&[][..], NameRef::as_bytes);
            let (seq, nack) = (seq(ping.nonce), ping.nack);
            Leaf::IndirectPing(leaf::IndirectPing { seq, target, port, node, nack, source })
                .put(out);
        }
        Message::Ack(Ack { nonce, payload, .. }) => {
            let payload = Some(*payload).filter(|payload| !payload.is_empty());
            Leaf::Ack { seq: seq(*nonce), payload }.put(out);
        }
        Message::RelayedAck(ack) => Leaf::Ack { seq: seq(ack.nonce), payload: None }.put(out),
        Message::Nack(nack) => Leaf::Nack { seq: seq(nack.nonce) }.put(out),
        Message::Claim(claim) => put_claim(claim, own, out),
        Message::Broadcast(broadcast) => Leaf::User(broadcast.payload).put(out),
        Message::Direct(payload) => Leaf::User(payload).put(out),
        Message::Refused(refusal) => Leaf::Error(refusal.text.as_bytes()).put(out),
        Message::BroadcastSummary(_)
        | Message::Readdress
        | Message::ExchangeHead(_)
        | Message::Entry(_)
        | Message::StatePiece(_)
        | Message::DeliveryHead(_)
        | Message::DeliveryPiece(_)
        | Message::Delivered => return false,
    }
    true
}

/// Puts a line of our table to the end of `out`.
pub(crate) fn put_entry(entry: &Entry<'_>, out: &mut Vec<u8>) {
    // Nobody but itself can say what a member is under a stamp that it was only heard to have.
    let stamp = match entry.state {
        State::Alive => entry.alive.stamp,
        State::Suspect | State::Dead | State::Left => entry.stamp,
    };
    let state = match entry.state {
        State::Alive => 0,
        State::Suspect => 1,
        State::Dead => 2,
        State::Left => 3,
    };
    with_alive(&Alive { stamp, ..entry.alive }, |alive| push_pull::Node { alive, state }.put(out));
}

fn put_claim(claim: &Claim<'_>, own: &Identity, out: &mut Vec<u8>) {
    match claim {
        Claim::Alive(alive) => with_alive(alive, |alive| Leaf::Alive(alive).put(out)),
        Claim::Suspect(accusation) => Leaf::Suspect(verdict(accusation)).put(out),
        Claim::Dead(accusation) => {
            // Whose accuser is nobody, must not seem to have left.
            let is_nobodys = accusation.from == accusation.name;
            let from = if is_nobodys { own.name.by_ref() } else { accusation.from };
            Leaf::Dead(verdict(&Accusation { from, ..*accusation })).put(out);
        }
        Claim::Left(Departure { name, stamp, .. }) => {
            Leaf::Dead(verdict(&Accusation { name: *name, stamp: *stamp, from: *name })).put(out);
        }
    }
}

/// Hands a claim on in memberlist's words.
fn with_alive(alive: &Alive<'_>, put: impl FnOnce(leaf::Alive<'_>)) {
    let addr = Octets::of(alive.addr.ip(), alive.mapped);
    let Versions { protocol, application } = alive.versions;
    let vsn = [
        protocol.min,
        protocol.max,
        protocol.current,
        application.min,
        application.max,
        application.current,
    ];
    put(leaf::Alive {
        incarnation: incarnation(alive.stamp),
        node: alive.name.as_bytes(),
        addr: addr.as_bytes(),
        port: alive.addr.port(),
        meta: Some(alive.meta).filter(|meta| !meta.is_empty()),
        vsn: &vsn,
    });
}

fn verdict<'a>(accusation: &Accusation<'a>) -> Verdict<'a> {
    Verdict {
        incarnation: incarnation(accusation.stamp),
        node: accusation.name.as_bytes(),
        from: accusation.from.as_bytes(),
    }
}

/// Who does not say who accuses, or not in a name, accuses all the same: in nobody's name, for
/// which that of the accused stands.
fn accusation<'a>(verdict: &Verdict<'a>) -> Result<Accusation<'a>, Reject> {
    let name = name(verdict.node)?;
    let from = NameRef::new(verdict.from).unwrap_or(name);
    Ok(Accusation { name, stamp: stamp(verdict.incarnation), from })
}

/// A member of which only its name and its incarnation are known.
fn nowhere<'a>(said: &leaf::Alive<'a>) -> Result<Alive<'a>, Reject> {
    let (name, stamp) = subject(said)?;
    let none = VersionRange { min: 0, max: 0, current: 0 };
    Ok(Alive {
        name,
        stamp,
        addr: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
        mapped: false,
        versions: Versions { protocol: none, application: none },
        meta: &[],
    })
}

/// Who is meant, under which incarnation.
fn subject<'a>(said: &leaf::Alive<'a>) -> Result<(NameRef<'a>, Stamp), Reject> {
    if said.incarnation == 0 {
        // Every node begins at 1. Go would keep it as dead, and of one that is gone already it says
        // what nobody has ever said.
        return Err(Reject::Implausible);
    }
    Ok((name(said.node)?, stamp(said.incarnation)))
}

fn alive<'a>(said: &leaf::Alive<'a>, own: &Identity) -> Result<Alive<'a>, Reject> {
    let (name, stamp) = subject(said)?;
    let (addr, mapped) = address(said.addr, said.port, own)?;
    let meta = said.meta.unwrap_or_default();
    if meta.len() > META_LEN_MAX {
        return Err(Reject::Oversize);
    }
    Ok(Alive { name, stamp, addr, mapped, versions: versions(said.vsn)?, meta })
}

/// A claim without versions would end every exchange of all who hold it: Go compares them all.
fn versions(vsn: &[u8]) -> Result<Versions, Reject> {
    let &[min, max, current, application @ ..] =
        <&[u8; VERSIONS_LEN]>::try_from(vsn).map_err(|_| Reject::Version)?;
    let protocol = VersionRange { min, max, current };
    let [min, max, current] = application;
    if protocol.min == 0 || !protocol.is_valid() {
        return Err(Reject::Version);
    }
    Ok(Versions { protocol, application: VersionRange { min, max, current } })
}

/// An address at which somebody can be reached, and whether it is one of IPv4 dressed as one of
/// IPv6: it must be passed on as it came, because Go compares bytes. Without a port it is the
/// one at which the reader listens. memberlist net.go: `handleAlive`. (X19)
fn address(ip: &[u8], port: u16, own: &Identity) -> Result<(SocketAddr, bool), Reject> {
    let ip = self::ip(ip).ok_or(Reject::Address)?;
    let canonical = ip.to_canonical();
    let is_nobody = canonical.is_unspecified()
        || canonical.is_multicast()
        || matches!(canonical, IpAddr::V4(ip) if ip.is_broadcast());
    if is_nobody {
        return Err(Reject::Address);
    }
    let Ports { bound, are_all_one } = own.ports;
    let port = if port == 0 || are_all_one { bound } else { port };
    Ok((SocketAddr::new(canonical, port), canonical != ip))
}

/// The address that stands there, if it is one.
pub(crate) fn ip(bytes: &[u8]) -> Option<IpAddr> {
    match (<[u8; 4]>::try_from(bytes), <[u8; 16]>::try_from(bytes)) {
        (Ok(ip), _) => Some(IpAddr::V4(Ipv4Addr::from(ip))),
        (_, Ok(ip)) => Some(IpAddr::V6(Ipv6Addr::from(ip))),
        (Err(_), Err(_)) => None,
    }
}

fn name(bytes: &[u8]) -> Result<NameRef<'_>, Reject> {
    NameRef::new(bytes).ok_or(Reject::Text)
}

/// The nonces of this wire have 32 bits: see [`super::Memberlist::NONCE_MASK`].
fn seq(nonce: u64) -> u32 {
    debug_assert!(u32::try_from(nonce).is_ok(), "nonces are cut when they are drawn");
    nonce as u32
}

fn stamp(incarnation: u32) -> Stamp {
    Stamp { life: Life::NONE, incarnation: Incarnation(u64::from(incarnation)) }
}

fn incarnation(stamp: Stamp) -> u32 {
    debug_assert!(stamp.life == Life::NONE, "this wire has no lives");
    u32::try_from(stamp.incarnation.0).unwrap_or(u32::MAX)
}
