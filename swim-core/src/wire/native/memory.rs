//! What the native wire takes on the heap at most.

use super::{
    contexts::Contexts,
    deframe::FRAME_PREFIX_LEN,
    limits::{PARTS_PER_FRAME_MAX, STREAM_FRAME_LEN_MAX},
    replay::ReplayGuard,
    seal::Sealing,
};
use crate::{
    config::Config,
    heap,
    keyring::{KEYS_MAX, Key},
    limits::{self, STREAMS_DIALED_MAX, TRANSFERS_MAX},
    wire::{
        message::Message,
        settings::{Room, WireMemory},
    },
};

/// What streams may hold beside a frame of each.
pub(crate) fn stream_room(config: &Config) -> Room {
    let longest = config.state_len_max.max(config.message_len_max);
    Room { longest, all: TRANSFERS_MAX * longest }
}

/// What it takes on the heap at most.
pub(crate) fn heap_max(config: &Config) -> WireMemory {
    /// Packets that one input is answered with: to all that a round of gossip goes to, or to
    /// those asked for help and for others, and what a packet of requests asks for.
    const PACKETS: u64 = 512;
    let replays = config.keyring.as_ref().map_or(0, |_| {
        let keys = heap::vec(heap::wide(KEYS_MAX), size_of::<Key>());
        heap::wide(size_of::<Sealing>())
            .saturating_add(ReplayGuard::heap_max(heap::wide(limits::sessions_max(
                config.members_max,
            ))))
            .saturating_add(Contexts::HEAP_MAX)
            .saturating_add(keys)
    });
    let kept = heap::vec(heap::wide(stream_room(config).all), 1);
    let messages = heap::exact(u64::from(PARTS_PER_FRAME_MAX), size_of::<Message<'static>>());
    let packet = heap::wide(config.packet_len_max).saturating_mul(2);
    WireMemory {
        replays,
        streams: FRAME
            .saturating_mul(heap::wide(config.streams_max + STREAMS_DIALED_MAX))
            .saturating_add(kept),
        buffers: FRAMES_MAX.saturating_add(messages).saturating_add(packet.saturating_mul(PACKETS)),
    }
}

/// A frame as it comes or goes.
const FRAME: u64 = heap::vec(heap::wide(FRAME_PREFIX_LEN + STREAM_FRAME_LEN_MAX), 1);

/// The two frames that one input is answered with, one that is read, and one in the making, each in
/// two copies while it is compressed.
pub(super) const FRAMES_MAX: u64 = FRAME.saturating_mul(4).saturating_mul(2);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;

    #[test]
    fn m1_each_stream_may_hold_a_whole_frame() {
        let streams = |streams_max| {
            let mut options = Options::lan("a", "127.0.0.1:7946".parse().unwrap());
            options.streams_max = streams_max;
            heap_max(&options.build().unwrap()).streams
        };
        // The length before it, the header, the body, the tag.
        assert_eq!(streams(101) - streams(100), heap::vec(4 + 22 + 64 * 1024 + 16, 1));
    }
}
