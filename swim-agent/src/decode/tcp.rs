//! The bytes of TCP connections, put together from segments in whatever order.

use std::{collections::BTreeMap, net::SocketAddr};

use etherparse::TcpSlice;

use crate::clock::Timestamp;

/// Connections in the order in which they began.
#[derive(Default)]
pub(super) struct Connections {
    all: Vec<Connection>,
    /// The latest between two addresses, the lower one first.
    open: BTreeMap<[SocketAddr; 2], usize>,
}

/// What both sides sent.
pub(super) struct Connection {
    pub(super) dialer: Side,
    pub(super) listener: Side,
}

/// What one side sent.
pub(super) struct Side {
    pub(super) addr: SocketAddr,
    /// When its first byte came by.
    pub(super) time: Option<Timestamp>,
    /// The number of its first byte.
    base: Option<u32>,
    /// By their distance from the first byte.
    segments: BTreeMap<u32, Vec<u8>>,
}

impl Connections {
    /// Takes a segment.
    pub(super) fn add(
        &mut self,
        time: Timestamp,
        [from, to]: [SocketAddr; 2],
        segment: &TcpSlice<'_>,
    ) {
        let key = [from.min(to), from.max(to)];
        let is_first = segment.syn() && !segment.ack();
        let base = segment.sequence_number().wrapping_add(u32::from(segment.syn()));
        let known = self.open.get(&key).copied().filter(|&at| {
            // The same ports again, unless it is the same segment again.
            !is_first || self.all[at].dialer.addr == from && self.all[at].dialer.base == Some(base)
        });
        let at = known.unwrap_or_else(|| {
            // Of a connection that was open before, whoever speaks first must have dialed.
            let [dialer, listener] =
                if segment.syn() && segment.ack() { [to, from] } else { [from, to] };
            let [dialer, listener] = [dialer, listener].map(Side::new);
            self.all.push(Connection { dialer, listener });
            self.all.len() - 1
        });
        self.open.insert(key, at);
        let Connection { dialer, listener } = &mut self.all[at];
        let side = if dialer.addr == from { dialer } else { listener };
        side.add(time, base, segment.payload());
    }

    /// All connections on which anything was said.
    pub(super) fn finish(self) -> impl Iterator<Item = Connection> {
        let is_used = |side: &Side| side.time.is_some();
        self.all.into_iter().filter(move |all| is_used(&all.dialer) || is_used(&all.listener))
    }
}

impl Side {
    fn new(addr: SocketAddr) -> Self {
        Self { addr, time: None, base: None, segments: BTreeMap::new() }
    }

    fn add(&mut self, time: Timestamp, number: u32, payload: &[u8]) {
        let base = *self.base.get_or_insert(number);
        let distance = number.wrapping_sub(base);
        if payload.is_empty() || distance > u32::MAX / 2 {
            return; // Nothing, or from before the beginning, as keep-alives are.
        }
        self.time.get_or_insert(time);
        let kept = self.segments.entry(distance).or_default();
        if kept.len() < payload.len() {
            *kept = payload.into();
        }
    }

    /// All bytes up to the first one that is missing.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (&distance, segment) in &self.segments {
            let Some(known) = bytes.len().checked_sub(distance as usize) else { break };
            bytes.extend_from_slice(segment.get(known..).unwrap_or_default());
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn segments_come_in_any_order_and_more_than_once() {
        let time = Timestamp::of(Duration::ZERO);
        let mut side = Side::new("127.0.0.1:1".parse().unwrap());
        let first = u32::MAX - 1;
        side.add(time, first, b"");
        let at = |distance: u32| first.wrapping_add(distance);
        side.add(time, at(3), b"def");
        assert_eq!(side.bytes(), b"");
        side.add(time, at(0), b"ab");
        side.add(time, at(0), b"a");
        assert_eq!(side.bytes(), b"ab");
        side.add(time, at(1), b"bcde");
        side.add(time, first.wrapping_sub(1), b"x");
        side.add(time, at(9), b"beyond");
        assert_eq!(side.bytes(), b"abcdef");
    }
}
