//! What is to happen in the model, in order of time.
//!
//! Two heaps and two wheels. What a datagram causes lies within a millisecond and hardly anything
//! waits at one time, so that heap is tiny; timers lie far ahead and most are void when they come,
//! so they have their own. Ticks come at fixed phases and need no heap at all. An event is one
//! number: time, then order of cause, then what and who. (435 million datagrams per configuration
//! pass through here.)

use std::{cmp::Reverse, collections::BinaryHeap};

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A datagram reaches its member.
    Arrive { packet: u32 },
    /// A member has handled its first datagram.
    Handle { node: usize },
    /// Something reaches its member by stream.
    Stream { slot: u32 },
    /// No ack came to the ping of this round.
    ProbeTimeout { node: usize, round: u16 },
    /// The probe of this round is over.
    ProbeDeadline { node: usize, round: u16 },
    /// A suspicion may have run out.
    Suspicion { node: usize, subject: usize },
    /// A helper has waited for long enough.
    Nack { node: usize, sequence: u16 },
    /// The time for a push/pull.
    PushPull { node: usize },
    /// A push/pull has taken too long.
    PushPullTimeout { node: usize, sequence: u16 },
    /// A gossip tick.
    Gossip { node: usize },
    /// A probe tick.
    Probe { node: usize },
}

impl Event {
    /// The member whose timer this is, unless it is something on its way or being handled.
    pub(super) const fn timer_of(self) -> Option<usize> {
        match self {
            Self::Arrive { .. } | Self::Handle { .. } | Self::Stream { .. } => None,
            Self::ProbeTimeout { node, .. }
            | Self::ProbeDeadline { node, .. }
            | Self::Suspicion { node, .. }
            | Self::Nack { node, .. }
            | Self::PushPull { node }
            | Self::PushPullTimeout { node, .. }
            | Self::Gossip { node }
            | Self::Probe { node } => Some(node),
        }
    }
}

/// Everything that is to happen.
#[derive(Debug)]
pub(super) struct Events {
    near: BinaryHeap<Reverse<u128>>,
    far: BinaryHeap<Reverse<u128>>,
    gossip: Ticks,
    probe: Ticks,
    sequence: u32,
}

impl Events {
    /// Only ticks, each kind with an interval and one phase per member.
    pub(super) fn new(gossip: (u64, &[u64]), probe: (u64, &[u64])) -> Self {
        Self {
            near: BinaryHeap::new(),
            far: BinaryHeap::new(),
            gossip: Ticks::new(gossip.0, gossip.1),
            probe: Ticks::new(probe.0, probe.1),
            sequence: 0,
        }
    }

    /// Lets something happen at a time.
    pub(super) fn push(&mut self, at: u64, event: Event) {
        let (heap, what) = match event {
            Event::Arrive { packet } => (&mut self.near, packet << 4),
            Event::Handle { node } => (&mut self.near, word(1, node, 0)),
            Event::Stream { slot } => (&mut self.near, slot << 4 | 2),
            Event::ProbeTimeout { node, round } => (&mut self.far, word(3, node, round)),
            Event::ProbeDeadline { node, round } => (&mut self.far, word(4, node, round)),
            Event::Suspicion { node, subject } => (&mut self.far, word(5, node, subject as u16)),
            Event::Nack { node, sequence } => (&mut self.far, word(6, node, sequence)),
            Event::PushPull { node } => (&mut self.far, word(7, node, 0)),
            Event::PushPullTimeout { node, sequence } => (&mut self.far, word(8, node, sequence)),
            Event::Gossip { .. } | Event::Probe { .. } => unreachable!("ticks come by themselves"),
        };
        self.sequence += 1;
        heap.push(Reverse(
            u128::from(at) << 64 | u128::from(self.sequence) << 32 | u128::from(what),
        ));
    }

    /// The next event before this time.
    pub(super) fn pop_before(&mut self, limit: u64) -> Option<(u64, Event)> {
        let time = |heap: &BinaryHeap<Reverse<u128>>| {
            heap.peek().map_or(u64::MAX, |Reverse(key)| (key >> 64) as u64)
        };
        let (near, far) = (time(&self.near), time(&self.far));
        let (gossip, probe) = (self.gossip.next_at(), self.probe.next_at());
        let at = near.min(far).min(gossip.min(probe));
        if at >= limit {
            return None;
        }
        let event = if at == near {
            event(self.near.pop())
        } else if at == far {
            event(self.far.pop())
        } else if at == gossip {
            Event::Gossip { node: self.gossip.take() }
        } else {
            Event::Probe { node: self.probe.take() }
        };
        Some((at, event))
    }
}

fn word(kind: u32, node: usize, number: u16) -> u32 {
    u32::from(number) << 16 | (node as u32) << 4 | kind
}

fn event(key: Option<Reverse<u128>>) -> Event {
    let Some(Reverse(key)) = key else { unreachable!("it was seen on top") };
    let word = key as u32;
    let number = (word >> 16) as u16;
    let node = (word >> 4 & 0xfff) as usize;
    match word & 0xf {
        0 => Event::Arrive { packet: word >> 4 },
        1 => Event::Handle { node },
        2 => Event::Stream { slot: word >> 4 },
        3 => Event::ProbeTimeout { node, round: number },
        4 => Event::ProbeDeadline { node, round: number },
        5 => Event::Suspicion { node, subject: usize::from(number) },
        6 => Event::Nack { node, sequence: number },
        7 => Event::PushPull { node },
        _ => Event::PushPullTimeout { node, sequence: number },
    }
}

/// Ticks of all members at one interval, each at its own phase.
#[derive(Debug)]
struct Ticks {
    interval: u64,
    /// Phase and member, in order of phase.
    order: Vec<(u64, usize)>,
    place: usize,
    round: u64,
}

impl Ticks {
    fn new(interval: u64, phases: &[u64]) -> Self {
        let mut order: Vec<_> = phases.iter().enumerate().map(|(node, &at)| (at, node)).collect();
        order.sort_unstable();
        Self { interval, order, place: 0, round: 0 }
    }

    fn next_at(&self) -> u64 {
        self.round + self.order[self.place].0
    }

    fn take(&mut self) -> usize {
        let node = self.order[self.place].1;
        self.place += 1;
        if self.place == self.order.len() {
            self.place = 0;
            self.round += self.interval;
        }
        node
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_in_order_and_unchanged() {
        let mut events = Events::new((200, &[7, 3]), (1_000, &[5, 4]));
        let wanted = [
            (3, Event::Gossip { node: 1 }),
            (4, Event::Probe { node: 1 }),
            (5, Event::Nack { node: 4_095, sequence: u16::MAX }),
            (5, Event::Probe { node: 0 }),
            (6, Event::Arrive { packet: 123_456 }),
            (7, Event::Suspicion { node: 12, subject: 4_095 }),
            (7, Event::Gossip { node: 0 }),
            (203, Event::Gossip { node: 1 }),
        ];
        for &(at, event) in wanted.iter().rev() {
            if !matches!(event, Event::Gossip { .. } | Event::Probe { .. }) {
                events.push(at, event);
            }
        }
        for expected in wanted {
            assert_eq!(events.pop_before(204), Some(expected));
        }
        assert_eq!(events.pop_before(204), None);
    }
}
