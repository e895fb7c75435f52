//! What the benches measure, and on what: real nodes, and packets that other real nodes sent.
//!
//! - `heap`: an allocator that counts.
//! - `nodes`: nodes, and the streams between two of them, in memory.
//! - `traffic`: packets of every kind that a node gets, made by the nodes that would send them.
//! - `packets`, `tables`, `ticks`, `seals`, `refusals`: the works.
//!
//! Nothing here reaches into a node: what can't be done through its public surface is not measured.

#![allow(dead_code, reason = "each bench and test uses the part it needs")]
#![allow(unreachable_pub, reason = "shared by benches and tests, which are crates of their own")]

pub mod heap;
pub mod nodes;
pub mod packets;
pub mod refusals;
pub mod seals;
pub mod tables;
pub mod ticks;
pub mod traffic;

/// Something a node does over and over.
pub trait Work {
    /// What one time needs; made beforehand, outside of what is measured.
    type Input;

    /// Makes ready for the next time.
    fn prepare(&mut self) -> Self::Input;

    /// Does it once: this is measured.
    fn run(&mut self, input: Self::Input);

    /// Panics unless the node really did it, `times` times in all: what is refused is cheap.
    fn check(&self, times: u64);
}

/// Xorshift: chance enough to pick members with, and the same in every run.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    pub const fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// A number of 64 bits.
    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.number() % n as u64).expect("below a usize")
    }

    /// The numbers of `range` in a random order.
    pub fn shuffled(&mut self, range: core::ops::Range<usize>) -> Vec<usize> {
        let mut numbers: Vec<usize> = range.collect();
        for last in (1..numbers.len()).rev() {
            numbers.swap(last, self.below(last + 1));
        }
        numbers
    }
}
