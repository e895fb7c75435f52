//! What happens to one piece of a stream.
//!
//! A stream's luck is a function of the seed, of who dialed it, in which run and under which id,
//! and of nothing else: no other stream, link, node or fault takes part. Every kind of luck is
//! drawn apart, so that switching one fault off leaves the others as they were. (D4)

use swim_core::StreamId;

use crate::chance::{Chance, Purpose, mix, unit};

use super::link::Link;

/// The luck of one stream.
#[derive(Clone, Copy, Debug)]
pub struct StreamLuck(u64);

impl StreamLuck {
    /// The luck of the stream that the process of this run on this host dialed under this id.
    #[must_use]
    pub fn new(seed: u64, dialer: usize, run: u32, stream: StreamId) -> Self {
        let process = (dialer as u64) << 32 | u64::from(run);
        Self(mix(mix(mix(seed, Purpose::Stream as u64), process), stream.number()))
    }

    /// What happens to the `nth` piece (from 0) that this side writes, of this length.
    #[must_use]
    pub fn fate(self, side: usize, nth: u32, link: &Link, len: usize) -> PieceFate {
        let until =
            |kind| ((u128::from(self.word(side, nth, kind)) * (len as u128 + 1)) >> 64) as usize;
        let hits = |kind, share: f64| share > 0.0 && unit(self.word(side, nth, kind)) < share;
        if hits(Kind::Reset, link.stream_resets) {
            PieceFate::Reset { until: until(Kind::ResetAt) }
        } else if hits(Kind::Stall, link.stream_stalls) {
            PieceFate::Stall { until: until(Kind::StallAt) }
        } else {
            PieceFate::Whole
        }
    }

    /// What the delay of the `nth` thing (from 0) that this side sends is drawn from.
    #[must_use]
    pub const fn delay(self, side: usize, nth: u32) -> Chance {
        Chance::of(self.word(side, nth, Kind::Delay), Purpose::Stream, 0)
    }

    const fn word(self, side: usize, nth: u32, kind: Kind) -> u64 {
        mix(mix(self.0, (side as u64) << 32 | nth as u64), kind as u64)
    }
}

/// What happens to one piece of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PieceFate {
    /// It arrives.
    Whole,
    /// So many bytes of it arrive, and then both ends learn that the stream broke.
    Reset {
        /// How many.
        until: usize,
    },
    /// So many bytes of it arrive, and then nothing any more.
    Stall {
        /// How many.
        until: usize,
    },
}

#[derive(Clone, Copy)]
enum Kind {
    Delay = 1,
    Reset,
    ResetAt,
    Stall,
    StallAt,
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: Link = Link { stream_resets: 0.3, stream_stalls: 0.3, ..Link::LAN };

    fn luck(dialer: usize, run: u32, nth: u64) -> StreamLuck {
        StreamLuck::new(7, dialer, run, StreamId::accepted(nth))
    }

    #[test]
    fn d4_streams_have_luck_of_their_own() {
        let delay = |luck: StreamLuck, side, nth| luck.delay(side, nth).word();
        let mut all = vec![
            delay(luck(0, 1, 0), 0, 0),
            delay(luck(1, 1, 0), 0, 0),
            delay(luck(0, 2, 0), 0, 0),
            delay(luck(0, 1, 1), 0, 0),
            delay(luck(0, 1, 0), 1, 0),
            delay(luck(0, 1, 0), 0, 1),
        ];
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 6);
    }

    /// D4: without resets the same pieces stall at the same byte.
    #[test]
    fn d4_one_fault_of_streams_does_not_change_the_other() {
        let fates = |link: Link| (0..500).map(move |nth| luck(0, 1, 0).fate(0, nth, &link, 1_000));
        let without = fates(Link { stream_resets: 0.0, ..LINK });
        let mut seen = [0; 3];
        for (both, alone) in fates(LINK).zip(without) {
            match both {
                PieceFate::Reset { until } => {
                    assert!(until <= 1_000);
                    seen[0] += 1;
                }
                PieceFate::Stall { .. } => {
                    assert_eq!(both, alone);
                    seen[1] += 1;
                }
                PieceFate::Whole => {
                    assert_eq!(both, alone);
                    seen[2] += 1;
                }
            }
        }
        assert!(seen.iter().all(|&count| count > 50), "{seen:?}");
    }
}
