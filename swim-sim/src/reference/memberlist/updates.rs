//! Claims about members, the datagrams that carry them, and the queue in which they wait.

/// What is claimed of a member.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Claim {
    #[default]
    Alive,
    Suspect,
    Dead,
}

/// A claim about a member, as it is passed on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Update {
    pub(super) incarnation: u32,
    pub(super) subject: u16,
    /// Who claims it.
    pub(super) from: u16,
    pub(super) claim: Claim,
}

impl Update {
    /// Bytes on the wire within a compound: memberlist's msgpack with names of eight letters.
    const fn size(self) -> usize {
        match self.claim {
            Claim::Alive => 64 + 2,
            Claim::Suspect | Claim::Dead => 43 + 2,
        }
    }
}

/// What a datagram is besides the updates in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Head {
    #[default]
    Gossip,
    Ping,
    /// Please ping this member for me.
    PingRequest(u16),
    Ack,
    Nack,
}

impl Head {
    /// Bytes on the wire, of the release that the paper used (pings did not name their source).
    pub(super) const fn size(self) -> usize {
        match self {
            Self::Gossip => 0,
            Self::Ping => 25,
            Self::PingRequest(_) => 51,
            Self::Ack => 20,
            Self::Nack => 11,
        }
    }
}

/// A datagram.
#[derive(Clone, Debug, Default)]
pub(super) struct Packet {
    pub(super) head: Head,
    pub(super) from: u16,
    pub(super) to: u16,
    /// The sender's number of a ping; an ack repeats it.
    pub(super) sequence: u16,
    /// Whether a helper pings for another, with a number of its own.
    pub(super) is_relayed: bool,
    /// Bytes.
    pub(super) size: u16,
    pub(super) count: u8,
    pub(super) updates: [Update; UPDATES_MAX],
}

impl Packet {
    /// Adds an update that must come along.
    pub(super) fn add(&mut self, update: Update) {
        self.updates[usize::from(self.count)] = update;
        self.count += 1;
        self.size += update.size() as u16;
    }
}

/// How many updates fit: 1,400 bytes of suspicions.
pub(super) const UPDATES_MAX: usize = 31;

/// Bytes of a datagram at most.
const PACKET_MAX: usize = 1_400;

/// The updates that a member passes on, each so many times. A newer update about a member replaces
/// the older one; those sent least often go first, of these the longest, of these the newest.
#[derive(Clone, Debug, Default)]
pub(super) struct Pending {
    /// In the order in which they go.
    items: Vec<Item>,
    newest: u32,
}

#[derive(Clone, Copy, Debug)]
struct Item {
    /// Times sent, then what is left of the greatest length, then of the greatest number.
    order: u64,
    update: Update,
}

impl Item {
    const SENT: u32 = 40;

    const fn sent(self) -> u8 {
        (self.order >> Self::SENT) as u8
    }
}

impl Pending {
    /// Puts an update in place of any other about the same member.
    pub(super) fn put(&mut self, update: Update) {
        let stale = self.items.iter().position(|item| item.update.subject == update.subject);
        if let Some(stale) = stale {
            self.items.remove(stale);
        }
        self.newest += 1;
        let order = (0xff - update.size() as u64) << 32 | u64::from(u32::MAX - self.newest);
        let place = self.items.partition_point(|item| item.order < order);
        self.items.insert(place, Item { order, update });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Fills a datagram up. An update that was sent so many times is done.
    pub(super) fn fill(&mut self, packet: &mut Packet, sends: u8) {
        if self.items.is_empty() {
            return;
        }
        let (mut taken, mut is_done) = (0, false);
        let all = self.items.len();
        for item in &mut self.items {
            let fits = usize::from(packet.size) + item.update.size() <= PACKET_MAX
                && usize::from(packet.count) < UPDATES_MAX;
            if fits {
                packet.add(item.update);
                item.order += 1 << Item::SENT;
                is_done |= item.sent() >= sends;
                taken += 1;
            }
        }
        if is_done {
            self.items.retain(|item| item.sent() < sends);
        }
        // If all were taken, they stand in the same order as before. Otherwise two sorted runs
        // have to be merged, which the stable sort notices.
        if taken < all {
            self.items.sort_by_key(|item| item.order);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(subject: u16, claim: Claim) -> Update {
        Update { subject, claim, ..Update::default() }
    }

    fn fill(pending: &mut Pending, sends: u8) -> Vec<u16> {
        let mut packet = Packet { size: 2, ..Packet::default() };
        pending.fill(&mut packet, sends);
        packet.updates[..usize::from(packet.count)].iter().map(|update| update.subject).collect()
    }

    #[test]
    fn the_newer_replaces_the_older_and_starts_anew() {
        let mut pending = Pending::default();
        pending.put(update(1, Claim::Suspect));
        assert_eq!(fill(&mut pending, 2), [1]);
        pending.put(update(1, Claim::Dead));
        pending.put(update(2, Claim::Suspect));
        pending.put(update(3, Claim::Alive));
        assert_eq!(fill(&mut pending, 2), [3, 2, 1]);
        assert_eq!(fill(&mut pending, 2), [3, 2, 1]);
        assert!(pending.is_empty());
    }

    #[test]
    fn the_least_sent_go_first() {
        let mut pending = Pending::default();
        (0..40).for_each(|subject| pending.put(update(subject, Claim::Suspect)));
        let first = fill(&mut pending, 12);
        assert_eq!(first, (9..40).rev().collect::<Vec<_>>());
        let second = fill(&mut pending, 12);
        assert_eq!(second[..9], (0..9).rev().collect::<Vec<_>>());
        assert_eq!(second.len(), UPDATES_MAX);
    }
}
