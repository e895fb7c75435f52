//! Luck that repeats: every draw is a function of the seed and of what it is for.
//!
//! Nobody shares a generator with anybody else. A node, a link or a workload that is added, or a
//! fault that is switched on, draws from its own stream and shifts nobody else's. (D4)

use std::time::Duration;

/// What a stream of draws is for. The same purpose and number always give the same stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The seed of a node's own generator.
    Node = 1,
    /// When the timers of a node begin.
    Phase = 2,
    /// What happens to packets.
    Link = 3,
    /// What happens to streams.
    Stream = 4,
    /// Which settings a run has.
    Options = 5,
    /// Which faults a run has.
    Faults = 6,
    /// What the application does.
    Workload = 7,
    /// Which members an experiment chooses.
    Subjects = 8,
    /// The models of the papers.
    Model = 9,
    /// What is sent again by somebody on the way.
    Replay = 10,
    /// What is tried at the end of a run.
    Trial = 11,
    /// What those write who don't belong to the cluster.
    Forgery = 12,
}

/// A small generator (splitmix64): fast, and good enough for choices that nobody attacks.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// The stream of this seed for this purpose.
    #[must_use]
    pub const fn new(seed: u64, purpose: Purpose) -> Self {
        Self(mix(seed, purpose as u64))
    }

    /// The stream of this seed for the purpose's object of this number.
    #[must_use]
    pub const fn of(seed: u64, purpose: Purpose, number: u64) -> Self {
        Self(mix(mix(seed, purpose as u64), number))
    }

    /// 64 random bits.
    pub const fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        finish(self.0)
    }

    /// A number below `bound`, which must not be 0. (Lemire's multiplication; its bias of at most
    /// bound in 2^64 is of no account here.)
    pub const fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "nothing is below zero");
        ((self.word() as u128 * bound as u128) >> 64) as u64
    }

    /// A number from 0 up to, but not, 1.
    pub const fn unit(&mut self) -> f64 {
        unit(self.word())
    }

    /// True with this probability.
    pub const fn hits(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of these, which must not be empty.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    /// A span of up to `most`.
    pub fn span(&mut self, most: Duration) -> Duration {
        Duration::from_nanos(self.below(most.as_nanos() as u64 + 1))
    }

    /// An exponentially distributed span with this mean.
    pub fn exponential(&mut self, mean: Duration) -> Duration {
        let factor = -libm::log(1.0 - self.unit());
        Duration::from_nanos((mean.as_nanos() as f64 * factor) as u64)
    }

    /// Brings items into a random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.below(end as u64 + 1) as usize);
        }
    }

    /// `count` different numbers below `bound`, in random order.
    pub fn sample(&mut self, count: usize, bound: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..bound).collect();
        let count = count.min(bound);
        for place in 0..count {
            let other = place + self.below((bound - place) as u64) as usize;
            all.swap(place, other);
        }
        all.truncate(count);
        all
    }

    /// 32 random bytes, for a node's own generator.
    pub fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        for chunk in seed.chunks_exact_mut(8) {
            chunk.copy_from_slice(&self.word().to_le_bytes());
        }
        seed
    }
}

/// A number that depends on every bit of both.
#[must_use]
pub const fn mix(one: u64, other: u64) -> u64 {
    finish(finish(one.wrapping_add(GOLDEN)) ^ other.wrapping_mul(0xd6e8_feb8_6659_fd93))
}

/// Random bits as a number from 0 up to, but not, 1.
#[must_use]
pub const fn unit(word: u64) -> f64 {
    (word >> 11) as f64 / (1_u64 << 53) as f64
}

/// The place among so many that a word stands for: the same whatever the size of `usize`. (D2)
pub const fn place(word: u64, count: usize) -> usize {
    (word % count as u64) as usize
}

const fn finish(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d4_streams_are_apart() {
        let first = |purpose, number| Chance::of(7, purpose, number).word();
        assert_ne!(first(Purpose::Link, 0), first(Purpose::Link, 1));
        assert_ne!(first(Purpose::Link, 0), first(Purpose::Stream, 0));
        assert_eq!(first(Purpose::Link, 5), first(Purpose::Link, 5));
    }

    #[test]
    fn draws_are_even() {
        let mut chance = Chance::new(1, Purpose::Model);
        let mut counts = [0_u32; 10];
        for _ in 0..100_000 {
            counts[chance.below(10) as usize] += 1;
        }
        assert!(counts.iter().all(|&count| (9_500..10_500).contains(&count)), "{counts:?}");
        let mean: f64 = (0..100_000).map(|_| chance.unit()).sum::<f64>() / 1e5;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
    }

    #[test]
    fn samples_are_distinct() {
        let mut sample = Chance::new(3, Purpose::Subjects).sample(32, 128);
        sample.sort_unstable();
        sample.dedup();
        assert_eq!(sample.len(), 32);
    }
}
