//! memberlist's own messages, field by field as they stand on the wire. memberlist net.go.
//!
//! What they mean here is said in `meaning.rs`; this file neither checks names nor believes
//! anybody.

use alloc::vec::Vec;

use super::{pack::Packer, unpack::Reader};
use crate::reject::Reject;

/// The first byte of every message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Ping = 0,
    IndirectPing = 1,
    Ack = 2,
    Suspect = 3,
    Alive = 4,
    Dead = 5,
    PushPull = 6,
    Compound = 7,
    User = 8,
    Compress = 9,
    Encrypt = 10,
    Nack = 11,
    HasCrc = 12,
    Error = 13,
    Label = 244,
}

impl Kind {
    const ALL: [Self; 15] = [
        Self::Ping,
        Self::IndirectPing,
        Self::Ack,
        Self::Suspect,
        Self::Alive,
        Self::Dead,
        Self::PushPull,
        Self::Compound,
        Self::User,
        Self::Compress,
        Self::Encrypt,
        Self::Nack,
        Self::HasCrc,
        Self::Error,
        Self::Label,
    ];

    pub(crate) fn of(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|&kind| kind as u8 == byte)
    }
}

/// One message with a meaning of its own, as against those that only hold others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaf<'a> {
    Ping(Ping<'a>),
    IndirectPing(IndirectPing<'a>),
    Ack {
        seq: u32,
        payload: Option<&'a [u8]>,
    },
    Nack {
        seq: u32,
    },
    Suspect(Verdict<'a>),
    Alive(Alive<'a>),
    /// In which `from` and `node` are equal if the node left.
    Dead(Verdict<'a>),
    User(&'a [u8]),
    Error(&'a [u8]),
}

/// Who speaks, in its own words. All of it may be missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin<'a> {
    pub(crate) addr: &'a [u8],
    pub(crate) port: u16,
    pub(crate) node: &'a [u8],
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ping<'a> {
    pub(crate) seq: u32,
    /// Who is meant; empty for whoever reads it.
    pub(crate) node: &'a [u8],
    pub(crate) source: Origin<'a>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct IndirectPing<'a> {
    pub(crate) seq: u32,
    pub(crate) target: &'a [u8],
    pub(crate) port: u16,
    pub(crate) node: &'a [u8],
    pub(crate) nack: bool,
    pub(crate) source: Origin<'a>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict<'a> {
    pub(crate) incarnation: u32,
    pub(crate) node: &'a [u8],
    pub(crate) from: &'a [u8],
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Alive<'a> {
    pub(crate) incarnation: u32,
    pub(crate) node: &'a [u8],
    pub(crate) addr: &'a [u8],
    pub(crate) port: u16,
    pub(crate) meta: Option<&'a [u8]>,
    pub(crate) vsn: &'a [u8],
}

impl<'a> Leaf<'a> {
    /// Reads the body of a message of this kind. What follows it is ignored, as in Go. `None` for
    /// kinds that are no leaves.
    pub(crate) fn read(kind: Kind, body: &'a [u8]) -> Result<Option<Self>, Reject> {
        let mut from = Reader::new(body);
        Ok(Some(match kind {
            Kind::Ping => Self::Ping(Ping::read(&mut from)?),
            Kind::IndirectPing => Self::IndirectPing(IndirectPing::read(&mut from)?),
            Kind::Ack => {
                let (mut seq, mut payload) = (0, None);
                from.fields(&["SeqNo", "Payload"], |field, from| {
                    match field {
                        0 => seq = from.u32()?,
                        _ => payload = from.bytes()?,
                    }
                    Ok(())
                })?;
                Self::Ack { seq, payload }
            }
            Kind::Nack => {
                let mut seq = 0;
                from.fields(&["SeqNo"], |_, from| {
                    seq = from.u32()?;
                    Ok(())
                })?;
                Self::Nack { seq }
            }
            Kind::Suspect => Self::Suspect(Verdict::read(&mut from)?),
            Kind::Dead => Self::Dead(Verdict::read(&mut from)?),
            Kind::Alive => Self::Alive(Alive::read(&mut from)?),
            Kind::User => Self::User(body),
            Kind::Error => {
                let mut text = &[][..];
                from.fields(&["Error"], |_, from| {
                    text = from.bytes()?.unwrap_or_default();
                    Ok(())
                })?;
                Self::Error(text)
            }
            Kind::PushPull
            | Kind::Compound
            | Kind::Compress
            | Kind::Encrypt
            | Kind::HasCrc
            | Kind::Label => return Ok(None),
        }))
    }

    /// Puts the message, its type first, to the end of `out`.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        out.push(self.kind() as u8);
        let mut to = Packer::new(out);
        match *self {
            Self::Ping(ping) => {
                to.map(2 + ping.source.fields());
                to.bytes("Node", ping.node);
                to.number("SeqNo", ping.seq);
                ping.source.put(&mut to);
            }
            Self::IndirectPing(ping) => {
                to.map(5 + ping.source.fields());
                to.flag("Nack", ping.nack);
                to.bytes("Node", ping.node);
                to.number("Port", u32::from(ping.port));
                to.number("SeqNo", ping.seq);
                ping.source.put(&mut to);
                to.bytes("Target", ping.target);
            }
            Self::Ack { seq, payload } => {
                to.map(2);
                to.maybe_bytes("Payload", payload);
                to.number("SeqNo", seq);
            }
            Self::Nack { seq } => {
                to.map(1);
                to.number("SeqNo", seq);
            }
            Self::Suspect(verdict) | Self::Dead(verdict) => {
                to.map(3);
                to.bytes("From", verdict.from);
                to.number("Incarnation", verdict.incarnation);
                to.bytes("Node", verdict.node);
            }
            Self::Alive(alive) => {
                to.map(6);
                to.bytes("Addr", alive.addr);
                to.number("Incarnation", alive.incarnation);
                to.maybe_bytes("Meta", alive.meta);
                to.bytes("Node", alive.node);
                to.number("Port", u32::from(alive.port));
                to.bytes("Vsn", alive.vsn);
            }
            Self::User(payload) => out.extend_from_slice(payload),
            Self::Error(text) => {
                to.map(1);
                to.bytes("Error", text);
            }
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Ping(_) => Kind::Ping,
            Self::IndirectPing(_) => Kind::IndirectPing,
            Self::Ack { .. } => Kind::Ack,
            Self::Nack { .. } => Kind::Nack,
            Self::Suspect(_) => Kind::Suspect,
            Self::Alive(_) => Kind::Alive,
            Self::Dead(_) => Kind::Dead,
            Self::User(_) => Kind::User,
            Self::Error(_) => Kind::Error,
        }
    }
}

impl<'a> Origin<'a> {
    /// How many of its fields are not empty, and only those are written.
    fn fields(&self) -> usize {
        usize::from(!self.addr.is_empty())
            + usize::from(self.port != 0)
            + usize::from(!self.node.is_empty())
    }

    fn put(&self, to: &mut Packer<'_>) {
        if !self.addr.is_empty() {
            to.bytes("SourceAddr", self.addr);
        }
        if !self.node.is_empty() {
            to.bytes("SourceNode", self.node);
        }
        if self.port != 0 {
            to.number("SourcePort", u32::from(self.port));
        }
    }

    /// Reads one of `SourceAddr`, `SourcePort` and `SourceNode`, in this order.
    fn read(&mut self, field: usize, from: &mut Reader<'a>) -> Result<(), Reject> {
        match field {
            0 => self.addr = from.bytes()?.unwrap_or_default(),
            1 => self.port = from.u16()?,
            _ => self.node = from.bytes()?.unwrap_or_default(),
        }
        Ok(())
    }
}

impl<'a> Ping<'a> {
    pub(crate) fn read(from: &mut Reader<'a>) -> Result<Self, Reject> {
        const NAMES: [&str; 5] = ["SeqNo", "Node", "SourceAddr", "SourcePort", "SourceNode"];
        let mut ping = Self::default();
        from.fields(&NAMES, |field, from| {
            match field {
                0 => ping.seq = from.u32()?,
                1 => ping.node = from.bytes()?.unwrap_or_default(),
                _ => ping.source.read(field - 2, from)?,
            }
            Ok(())
        })?;
        Ok(ping)
    }
}

impl<'a> IndirectPing<'a> {
    fn read(from: &mut Reader<'a>) -> Result<Self, Reject> {
        const NAMES: [&str; 8] =
            ["SeqNo", "Target", "Port", "Node", "Nack", "SourceAddr", "SourcePort", "SourceNode"];
        let mut ping = Self::default();
        from.fields(&NAMES, |field, from| {
            match field {
                0 => ping.seq = from.u32()?,
                1 => ping.target = from.bytes()?.unwrap_or_default(),
                2 => ping.port = from.u16()?,
                3 => ping.node = from.bytes()?.unwrap_or_default(),
                4 => ping.nack = from.flag()?,
                _ => ping.source.read(field - 5, from)?,
            }
            Ok(())
        })?;
        Ok(ping)
    }
}

impl<'a> Verdict<'a> {
    fn read(from: &mut Reader<'a>) -> Result<Self, Reject> {
        let mut verdict = Self::default();
        from.fields(&["Incarnation", "Node", "From"], |field, from| {
            match field {
                0 => verdict.incarnation = from.u32()?,
                1 => verdict.node = from.bytes()?.unwrap_or_default(),
                _ => verdict.from = from.bytes()?.unwrap_or_default(),
            }
            Ok(())
        })?;
        Ok(verdict)
    }
}

impl<'a> Alive<'a> {
    fn read(from: &mut Reader<'a>) -> Result<Self, Reject> {
        const NAMES: [&str; 6] = ["Incarnation", "Node", "Addr", "Port", "Meta", "Vsn"];
        let mut alive = Self::default();
        from.fields(&NAMES, |field, from| {
            match field {
                0 => alive.incarnation = from.u32()?,
                1 => alive.node = from.bytes()?.unwrap_or_default(),
                2 => alive.addr = from.bytes()?.unwrap_or_default(),
                3 => alive.port = from.u16()?,
                4 => alive.meta = from.bytes()?,
                _ => alive.vsn = from.bytes()?.unwrap_or_default(),
            }
            Ok(())
        })?;
        Ok(alive)
    }
}
