//! What stands in the messages of streams: tables, and the head of a reliable message.
//! memberlist net.go: `pushPullHeader`, `pushNodeState`, `userMsgHeader`.

use alloc::vec::Vec;

use super::{
    leaf::Alive,
    limits::{ENTRIES_MAX, TRANSFER_MAX},
    pack::Packer,
    unpack::Reader,
};
use crate::reject::Reject;

/// How a table begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) nodes: u32,
    pub(crate) state_len: u32,
    pub(crate) join: bool,
}

impl Head {
    pub(crate) fn read(from: &mut Reader<'_>) -> Result<Self, Reject> {
        let (mut nodes, mut state_len, mut join) = (0, 0, false);
        from.fields(&["Nodes", "UserStateLen", "Join"], |field, from| {
            match field {
                0 => nodes = from.signed()?,
                1 => state_len = from.signed()?,
                _ => join = from.flag()?,
            }
            Ok(())
        })?;
        let (nodes, state_len) = (within(nodes, ENTRIES_MAX)?, within(state_len, TRANSFER_MAX)?);
        Ok(Self { nodes, state_len, join })
    }

    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        let mut to = Packer::new(out);
        to.map(3);
        to.flag("Join", self.join);
        to.signed("Nodes", self.nodes);
        to.signed("UserStateLen", self.state_len);
    }
}

/// One member of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Node<'a> {
    /// What it says of itself, under the incarnation that `state` is about.
    pub(crate) alive: Alive<'a>,
    /// 0 alive, 1 suspect, 2 dead, 3 left; others mean nothing.
    pub(crate) state: i64,
}

impl<'a> Node<'a> {
    pub(crate) fn read(from: &mut Reader<'a>) -> Result<Self, Reject> {
        const NAMES: [&str; 7] = ["Name", "Addr", "Port", "Meta", "Incarnation", "State", "Vsn"];
        let mut node = Self::default();
        from.fields(&NAMES, |field, from| {
            match field {
                0 => node.alive.node = from.bytes()?.unwrap_or_default(),
                1 => node.alive.addr = from.bytes()?.unwrap_or_default(),
                2 => node.alive.port = from.u16()?,
                3 => node.alive.meta = from.bytes()?,
                4 => node.alive.incarnation = from.u32()?,
                5 => node.state = from.signed()?,
                _ => node.alive.vsn = from.bytes()?.unwrap_or_default(),
            }
            Ok(())
        })?;
        Ok(node)
    }

    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        let Alive { incarnation, node, addr, port, meta, vsn } = self.alive;
        let mut to = Packer::new(out);
        to.map(7);
        to.bytes("Addr", addr);
        to.number("Incarnation", incarnation);
        to.maybe_bytes("Meta", meta);
        to.bytes("Name", node);
        to.number("Port", u32::from(port));
        to.signed("State", u32::try_from(self.state).unwrap_or_default());
        to.bytes("Vsn", vsn);
    }
}

/// Reads the length of the reliable message that follows.
pub(crate) fn read_delivery(from: &mut Reader<'_>) -> Result<u32, Reject> {
    let mut len = 0;
    from.fields(&["UserMsgLen"], |_, from| {
        len = from.signed()?;
        Ok(())
    })?;
    within(len, TRANSFER_MAX)
}

/// Writes the length of the reliable message that follows.
pub(crate) fn put_delivery(len: u32, out: &mut Vec<u8>) {
    let mut to = Packer::new(out);
    to.map(1);
    to.signed("UserMsgLen", len);
}

/// A number that must not be negative or beyond a limit. (O6)
fn within(value: i64, max: i64) -> Result<u32, Reject> {
    u32::try_from(value).ok().filter(|_| value <= max).ok_or(Reject::Oversize)
}
