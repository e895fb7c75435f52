//! What the wire takes on the heap at most in memberlist's dialect.

use super::{
    limits::{INBOUND_MAX, INCOMING_MAX, PACKET_INFLATED_MAX, SEALED_LEN_MAX, STREAM_LEN_MAX},
    nonces::Nonces,
    seal::Sealing,
};
use crate::{
    config::Config,
    heap,
    name::{META_LEN_MAX, NAME_LEN_MAX},
    wire::settings::{Room, WireMemory},
};

/// What streams may hold.
pub(crate) const fn stream_room() -> Room {
    Room { longest: INCOMING_MAX, all: INBOUND_MAX }
}

/// What it takes on the heap at most.
pub(crate) fn heap_max(config: &Config) -> WireMemory {
    /// A message as its parts, as a whole, compressed, sealed: not all of them at once, but
    /// each as long as twice what it holds, and compression may lengthen it by a half.
    const COPIES_SENT: u64 = 8;
    /// A message beside what came: inflated, and with its lists written anew.
    const COPIES_READ: u64 = 2;
    /// What a line of a table has beside name and metadata: the names of its fields, numbers.
    const LINE: usize = 160;
    /// What a packet is inflated into: two buffers that take turns, each as long as twice what it
    /// holds, and one with its lists written anew.
    const COPIES_INFLATED: u64 = 6;
    /// The codes of LZW, and more than its coders keep for each: an encoder was seen to take 78
    /// bytes, and a decoder always takes 14.
    const CODES: u64 = 4096;
    const CODE: usize = 256;
    /// Packets that one input is answered with.
    const PACKETS: u64 = 512;
    let replays = config
        .keyring
        .as_ref()
        .map_or(0, |_| Sealing::KEYS_HEAP_MAX.saturating_add(Nonces::HEAP_MAX));
    let lines = heap::wide(LINE + NAME_LEN_MAX + META_LEN_MAX);
    let longest = heap::wide(config.state_len_max.max(config.message_len_max));
    let table = heap::wide(config.members_max).saturating_mul(lines).saturating_add(longest);
    let sent = table.min(heap::wide(SEALED_LEN_MAX));
    let packet = heap::vec(heap::wide(config.packet_len_max), 1);
    WireMemory {
        replays,
        // What is handed on of one of them is there twice for a moment.
        streams: heap::vec(heap::wide(INBOUND_MAX).saturating_add(longest), 1),
        buffers: heap::vec(heap::wide(STREAM_LEN_MAX), 1)
            .saturating_mul(COPIES_READ)
            .saturating_add(sent.saturating_mul(COPIES_SENT))
            .saturating_add(packet.saturating_mul(PACKETS))
            .saturating_add(heap::wide(PACKET_INFLATED_MAX).saturating_mul(COPIES_INFLATED))
            .saturating_add(heap::exact(CODES, CODE)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dialect, MemberlistOptions, Options};

    #[test]
    fn m1_each_member_is_a_line_of_the_table_that_is_sent() {
        let buffers = |members_max| {
            let mut options = Options::lan("a", "127.0.0.1:7946".parse().unwrap());
            options.dialect = Dialect::Memberlist(MemberlistOptions::default());
            options.members_max = members_max;
            heap_max(&options.build().unwrap()).buffers
        };
        // Fields and numbers, a name, metadata; in eight copies.
        assert_eq!(buffers(101) - buffers(100), 8 * (160 + 128 + 512));
    }
}
