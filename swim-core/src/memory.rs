//! How much memory a node may take: an upper bound in bytes, from its limits alone, whatever its
//! peers do. It is what each component says of itself, put together.
//!
//! It bounds what a node asks of the heap between one input and the next, and while it handles one,
//! if its outputs are taken after each input. An allocator needs some more for itself, and for a
//! moment the size of the largest table again where it can't let one grow in place. Not in it is
//! what the application hands over (state, messages to send, payloads, the seeds of joins) and what
//! was taken out of the node: its events and packets belong to whoever took them.

use core::fmt;

use crate::{
    broadcasts::Broadcasts,
    claims::Claims,
    config::Config,
    conflicts::Conflicts,
    graveyard::Graveyard,
    heap,
    join::Join,
    leave::Leave,
    limits::{EVENTS_SPARE, JOINS_MAX, PINGS_MAX, RELAYS_MAX, STREAMS_DIALED_MAX},
    member::Member,
    name::{META_LEN_MAX, NAME_LEN_MAX},
    outbox::Outbox,
    probe::AppPing,
    relay::Relays,
    remembered::Remembered,
    ring::Ring,
    stream::Stream,
    suspicion::Suspicion,
    table::{MemberIndex, Table},
    timers::Timers,
    wire::Wire,
};

/// The most bytes that a node takes on the heap, part by part. `{}` writes it as a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Memory {
    /// Members of every state, the dead and the gone included: what they say of themselves, the
    /// indexes to find them by, the order in which they are probed, gossiped to and forgotten, and
    /// how often each asked for help.
    pub members: u64,
    /// Suspicions of all of them, and their deadlines.
    pub suspicions: u64,
    /// The queue of claims to gossip, one about each member.
    pub claims: u64,
    /// The application's broadcasts, as many as are remembered and as long as packets can be.
    pub broadcasts: u64,
    /// Former members.
    pub remembered: u64,
    /// What packets are told from replays by: with a key, windows for two sessions of each member,
    /// or the last nonces in memberlist's dialect, and the ciphers of peers.
    pub replays: u64,
    /// Streams, the frames that come in on them, and the application states and messages that they
    /// may hold together.
    pub streams: u64,
    /// Pings, relays, joins and a leave under way, and conflicts of names told of late.
    pub requests: u64,
    /// What one input can lead to: events about all members, and packets.
    pub outputs: u64,
    /// Packets and frames while they are read and written.
    pub buffers: u64,
}

impl Memory {
    /// All of it.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.members
            .saturating_add(self.suspicions)
            .saturating_add(self.claims)
            .saturating_add(self.broadcasts)
            .saturating_add(self.remembered)
            .saturating_add(self.replays)
            .saturating_add(self.streams)
            .saturating_add(self.requests)
            .saturating_add(self.outputs)
            .saturating_add(self.buffers)
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (part, bytes) in [
            ("members", self.members),
            ("suspicions", self.suspicions),
            ("claims", self.claims),
            ("broadcasts", self.broadcasts),
            ("remembered", self.remembered),
            ("replays", self.replays),
            ("streams", self.streams),
            ("requests", self.requests),
            ("outputs", self.outputs),
            ("buffers", self.buffers),
        ] {
            writeln!(f, "{part:<12}{bytes:>14}")?;
        }
        write!(f, "{:<12}{:>14}", "total", self.total())
    }
}

impl Config {
    /// The most bytes that a node of this configuration takes on the heap, whatever its peers do.
    /// `members_max` decides most of it; then `state_len_max` and `message_len_max`, and
    /// `streams_max`.
    #[must_use]
    pub fn memory_max(&self) -> Memory {
        let members = heap::wide(self.members_max);
        let streams = heap::wide(self.streams_max + STREAMS_DIALED_MAX);
        let wire = Wire::heap_max(self);
        Memory {
            members: members_max(members),
            suspicions: suspicions_max(members, self.suspicion_mult),
            claims: Claims::heap_max(members),
            broadcasts: Broadcasts::heap_max(),
            remembered: Remembered::heap_max(),
            replays: wire.replays,
            streams: Stream::heap_max(streams).saturating_add(wire.streams),
            requests: requests_max(members, streams),
            outputs: outputs_max(members),
            buffers: wire.buffers,
        }
    }
}

fn members_max(members: u64) -> u64 {
    /// To be probed, to be gossiped to, to be tried again.
    const RINGS: u64 = 3;
    Table::heap_max(members)
        .saturating_add(Ring::heap_max(members).saturating_mul(RINGS))
        .saturating_add(Graveyard::heap_max(members))
}

fn suspicions_max(members: u64, mult: u32) -> u64 {
    heap::btree(members, size_of::<(MemberIndex, Suspicion)>())
        .saturating_add(members.saturating_mul(Suspicion::heap_max(mult)))
        .saturating_add(Timers::heap_max(members))
}

fn requests_max(members: u64, streams: u64) -> u64 {
    /// The node's own deadlines, one of each kind.
    const OWN_DEADLINES: u64 = 16;
    /// What is remembered of differences, accusations, helpers and reports, all of them few.
    const FEW: u64 = 16 * 1024;
    let pings = heap::btree(heap::wide(PINGS_MAX), size_of::<(u64, AppPing)>());
    let targets = heap::shared(NAME_LEN_MAX).saturating_mul(heap::wide(PINGS_MAX));
    let deadlines = heap::wide(PINGS_MAX + RELAYS_MAX + JOINS_MAX) + OWN_DEADLINES;
    pings
        .saturating_add(targets)
        .saturating_add(Relays::heap_max(members))
        .saturating_add(Join::heap_max())
        .saturating_add(Leave::heap_max(members))
        .saturating_add(Conflicts::heap_max())
        .saturating_add(Timers::heap_max(deadlines.saturating_add(streams)))
        .saturating_add(FEW)
}

/// Two events for each member, which one table can bring, and some more.
fn outputs_max(members: u64) -> u64 {
    // The counts before a shared member, and those before its metadata.
    const COUNTS: usize = 2 * 8;
    const MEMBER: u64 = heap::exact(1, COUNTS + size_of::<Member>())
        .saturating_add(heap::shared(NAME_LEN_MAX))
        .saturating_add(heap::shared(META_LEN_MAX));
    let events = members.saturating_mul(2).saturating_add(EVENTS_SPARE);
    Outbox::heap_max(events).saturating_add(events.saturating_mul(MEMBER))
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;
    use crate::{
        Dialect, Key, Keyring, MemberlistOptions, Options, limits::MEMBERS_MAX,
        limits::STREAMS_MAX, limits::TRANSFER_MAX,
    };

    fn options() -> Options {
        Options::lan("a", "127.0.0.1:7946".parse().unwrap())
    }

    fn memory(change: impl FnOnce(&mut Options)) -> Memory {
        let mut options = options();
        change(&mut options);
        options.build().unwrap().memory_max()
    }

    #[test]
    fn m1_every_limit_that_costs_memory_is_in_the_bound() {
        let usual = memory(|_| {});
        assert!(memory(|o| o.members_max /= 2).total() < usual.total());
        assert!(memory(|o| o.streams_max /= 2).streams < usual.streams);
        assert!(memory(|o| o.message_len_max *= 2).streams > usual.streams);
        assert!(memory(|o| o.state_len_max *= 2).streams > usual.streams);
        assert!(memory(|o| o.suspicion_mult = 32).suspicions > usual.suspicions);
        assert!(memory(|o| o.packet_len_max = 9_000).buffers > usual.buffers);
        let key = || Keyring::new(Key::new(&[1; 16]).unwrap());
        assert!(memory(|o| o.keyring = Some(key())).replays > usual.replays);
        let memberlist = Dialect::Memberlist(MemberlistOptions::default());
        assert!(memory(|o| o.dialect = memberlist).buffers > usual.buffers);
    }

    #[test]
    fn m1_the_largest_node_has_a_bound_that_is_a_number() {
        let largest = memory(|o| {
            o.members_max = MEMBERS_MAX;
            o.streams_max = STREAMS_MAX;
            o.state_len_max = TRANSFER_MAX;
            o.suspicion_mult = 32;
        });
        assert!(largest.total() < 16 << 30, "{largest}");
        assert!(memory(|_| {}).total() < 1 << 30);
        let table = memory(|_| {}).to_string();
        assert_eq!(table.lines().count(), 11, "{table}");
    }
}
