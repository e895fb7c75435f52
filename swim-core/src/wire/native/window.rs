//! A sliding window over the counters of one session: which were seen, and which are too old to
//! tell.
//!
//! A ring of 1,024 bits, indexed by the counter's low bits (RFC 6479 has the idea). A counter above
//! the highest moves the window and wipes the bits it passes over, at most the whole ring.

use super::limits::WINDOW_LEN;

const WORDS: usize = WINDOW_LEN as usize / 64;

/// Whether a counter was seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Novelty {
    New,
    Repeated,
    /// So far behind the highest that nobody can tell.
    Overtaken,
}

/// The counters seen in one session.
pub(crate) struct Window {
    highest: u32,
    seen: [u64; WORDS],
}

impl Window {
    /// A window that has seen this one counter.
    pub(crate) fn starting_at(counter: u32) -> Self {
        let mut window = Self { highest: counter, seen: [0; WORDS] };
        window.mark(counter);
        window
    }

    /// Takes note of `counter` if it is new.
    pub(crate) fn accept(&mut self, counter: u32) -> Novelty {
        if counter > self.highest {
            self.slide_to(counter);
        } else if self.highest - counter >= WINDOW_LEN {
            return Novelty::Overtaken;
        } else if self.has(counter) {
            return Novelty::Repeated;
        }
        self.mark(counter);
        Novelty::New
    }

    fn slide_to(&mut self, counter: u32) {
        if counter - self.highest >= WINDOW_LEN {
            self.seen = [0; WORDS];
        } else {
            for passed in self.highest + 1..=counter {
                let (word, bit) = place(passed);
                self.seen[word] &= !bit;
            }
        }
        self.highest = counter;
    }

    fn has(&self, counter: u32) -> bool {
        let (word, bit) = place(counter);
        self.seen[word] & bit != 0
    }

    fn mark(&mut self, counter: u32) {
        let (word, bit) = place(counter);
        self.seen[word] |= bit;
    }
}

/// The word and the bit in it that stand for a counter.
const fn place(counter: u32) -> (usize, u64) {
    let at = counter % WINDOW_LEN;
    ((at / 64) as usize, 1 << (at % 64))
}

#[cfg(test)]
mod tests {
    use alloc::{collections::BTreeSet, vec::Vec};

    use proptest::{collection, prelude::*};

    use super::*;

    /// The obviously correct twin: it remembers everything.
    #[derive(Default)]
    struct Twin {
        seen: BTreeSet<u32>,
    }

    impl Twin {
        fn accept(&mut self, counter: u32) -> bool {
            let highest = self.seen.last().copied().unwrap_or(0);
            let is_too_old = counter < highest && highest - counter >= WINDOW_LEN;
            !is_too_old && self.seen.insert(counter)
        }
    }

    fn agrees(counters: &[u32]) {
        let mut twin = Twin::default();
        let mut window: Option<Window> = None;
        for &counter in counters {
            let accepted = match &mut window {
                None => {
                    window = Some(Window::starting_at(counter));
                    true
                }
                Some(window) => window.accept(counter) == Novelty::New,
            };
            assert_eq!(accepted, twin.accept(counter), "{counter} of {counters:?}");
        }
    }

    #[test]
    fn m1_a_window_has_one_bit_for_each_counter() {
        assert_eq!(size_of_val(&Window::starting_at(0).seen) * 8, WINDOW_LEN as usize);
    }

    #[test]
    fn x4_the_edges_of_the_window() {
        let end = u32::MAX;
        agrees(&[0, 0, 1, 1023, 0, 1, 1024, 0, 1, 2, 1023, 1024]);
        agrees(&[5000, 5000 - 1023, 5000 - 1024, 5000 - 1023, 6023, 5000, 6024, 5001]);
        agrees(&[end, end, end - 1023, end - 1024, 0]);
        agrees(&[0, end, 0, end - 1, end - 1]);
        let all: Vec<u32> = (0..3000).chain(0..3000).collect();
        agrees(&all);
    }

    proptest! {
        #[test]
        fn x4_the_window_agrees_with_a_naive_set(
            steps in collection::vec((any::<bool>(), 0_u32..1500), 1..400),
            start in prop_oneof![Just(0_u32), Just(1 << 20), Just(u32::MAX - 2000)],
        ) {
            let mut at = start;
            let counters: Vec<u32> = steps
                .into_iter()
                .map(|(ahead, by)| {
                    at = if ahead { at.saturating_add(by / 8) } else { at };
                    if ahead { at } else { at.saturating_sub(by) }
                })
                .collect();
            agrees(&counters);
        }
    }

    /// All sequences of five counters at the edges of words and of the window, from the first
    /// counter there is to the last. (X4)
    #[test]
    fn c3_x4_the_window_is_the_naive_set_for_all_short_sequences_at_its_edges() {
        const LENGTH: u32 = 5;
        let steps = [0, 1, 63, 64, 1022, 1023, 1024, 1025, 1087, 2047, 2048];
        let mut sequences = 0;
        for base in [0, 1 << 31, u32::MAX - 2048] {
            for nth in 0..steps.len().pow(LENGTH) {
                let digit = |place| nth / steps.len().pow(place) % steps.len();
                let counters: [u32; LENGTH as usize] =
                    core::array::from_fn(|place| base + steps[digit(place as u32)]);
                agrees(&counters);
                sequences += 1;
            }
        }
        assert_eq!(sequences, 3 * 161_051);
    }
}
