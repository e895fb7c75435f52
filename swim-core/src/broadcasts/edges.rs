//! Two digests of broadcasts that were taken at slightly different moments.

use core::time::Duration;

use super::{Broadcasts, Entry, folded, shifted};
use crate::time::Instant;

/// Clocks and digests on their way differ by less than this share of the window of gossip.
const SLACK_SHARE: u32 = 8;
/// Entries at an edge of the digest that may be on either side of it, at most.
const EDGE_MAX: usize = 16;

impl Broadcasts {
    /// Whether a peer's digest is ours, or was a moment ago or will be in one: what crosses an edge
    /// of the digest while it travels is no hole.
    pub(crate) fn agrees(&mut self, theirs: u32, now: Instant, window: Duration) -> bool {
        if self.digest(now, window) == theirs {
            return true;
        }
        let (slack, now) = (window / SLACK_SHARE, shifted(now));
        let is_near = |entry: &&Entry, age: Duration| {
            let edge = entry.born_at + age;
            edge <= now + slack && now <= edge + slack
        };
        let (from, to, repairable) = (self.digest_from, self.digest_to, self.repairable());
        // The sums with each edge moved backward and forward, entry by entry.
        let sums = |start: u64, at: usize, age: Duration, add_forward: bool| {
            let step = move |sum: &mut u64, entry: &Entry, adds: bool| {
                let (plus, minus) = (sum.wrapping_add(entry.hash), sum.wrapping_sub(entry.hash));
                *sum = if adds { plus } else { minus };
                Some(*sum)
            };
            let near = move |entry: &&Entry| is_near(entry, age);
            let back = self.log.range(..at).rev().take_while(near).take(EDGE_MAX);
            let ahead = self.log.range(at..).take_while(near).take(EDGE_MAX);
            let back = back.scan(start, move |sum, entry| step(sum, entry, !add_forward));
            let ahead = ahead.scan(start, move |sum, entry| step(sum, entry, add_forward));
            core::iter::once(start).chain(back).chain(ahead)
        };
        let mut starts = sums(self.digest, from, repairable, false);
        starts.any(|start| sums(start, to, window, true).any(|sum| folded(sum) == theirs))
    }
}
