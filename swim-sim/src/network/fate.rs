//! What happens to one packet.
//!
//! A packet's luck is a function of the seed, the direction and the time, and of nothing else: no
//! other packet, link, node or fault takes part in it. Every kind of luck is drawn apart, so that
//! switching one fault off leaves the others as they were. (D4)

use std::time::Duration;

use crate::chance::{Purpose, mix, unit};

use super::link::Link;

/// A packet's luck, from which the link makes its fate.
#[derive(Clone, Copy, Debug)]
pub struct Luck(u64);

impl Luck {
    /// The luck of the `nth` packet (from 0) that is sent in this direction at this very time.
    #[must_use]
    pub const fn new(seed: u64, from: u32, to: u32, nanos: u64, nth: u32) -> Self {
        let direction = (from as u64) << 32 | to as u64;
        let word = mix(mix(seed, Purpose::Link as u64), direction);
        Self(mix(mix(word, nanos), nth as u64))
    }

    /// What happens to a packet of this length on this link.
    #[must_use]
    pub fn fate(self, link: &Link, len: usize) -> Fate {
        let obstacle = match len > link.mtu {
            true => Some(Obstacle::Length),
            false => self.hits(Kind::Loss, link.loss).then_some(Obstacle::Luck),
        };
        let is_lost = obstacle.is_some();
        let mut first = link.latency.draw(self.of(Kind::Latency));
        let is_late = self.hits(Kind::Reordering, link.reordered);
        if is_late {
            first += scale(link.reordered_by, unit(self.of(Kind::Lateness)));
        }
        let is_double = self.hits(Kind::Duplicate, link.duplicates);
        Fate {
            first: (!is_lost).then_some(first),
            second: (is_double && !is_lost)
                .then(|| link.latency.draw(self.of(Kind::SecondLatency))),
            flipped: (self.hits(Kind::Flip, link.flipped) && len > 0)
                .then(|| self.of(Kind::FlippedBit) % (len as u64 * 8)),
            truncated: (self.hits(Kind::Truncation, link.truncated) && len > 0)
                .then(|| (self.of(Kind::TruncatedTo) % len as u64) as usize),
            obstacle,
            is_late: is_late && !link.reordered_by.is_zero(),
            is_clogged: false,
        }
    }

    /// Whether something of this probability happens to it on one host's own side of the way.
    pub(super) const fn is_lost_at_end(self, is_receiver: bool, probability: f64) -> bool {
        let kind = if is_receiver { Kind::LossAtReceiver } else { Kind::LossAtSender };
        self.hits(kind, probability)
    }

    const fn hits(self, kind: Kind, probability: f64) -> bool {
        probability > 0.0 && unit(self.of(kind)) < probability
    }

    const fn of(self, kind: Kind) -> u64 {
        mix(self.0, kind as u64)
    }
}

/// What happens to one packet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fate {
    /// How long it takes; `None`: it is lost.
    pub first: Option<Duration>,
    /// How long its double takes.
    pub second: Option<Duration>,
    /// The bit that is flipped.
    pub flipped: Option<u64>,
    /// What length is left of it.
    pub truncated: Option<usize>,
    /// What it was lost to.
    pub obstacle: Option<Obstacle>,
    /// Whether it may be overtaken.
    pub is_late: bool,
    /// Whether its direction stands still.
    pub is_clogged: bool,
}

/// What a packet is lost to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// A cut or a partition.
    Cut,
    /// A cut that streams pass.
    Filter,
    /// It is longer than what passes.
    Length,
    /// Luck.
    Luck,
}

impl Fate {
    /// Nothing arrives.
    #[must_use]
    pub const fn lost_to(obstacle: Obstacle) -> Self {
        Self {
            first: None,
            second: None,
            flipped: None,
            truncated: None,
            obstacle: Some(obstacle),
            is_late: false,
            is_clogged: false,
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Loss = 1,
    Latency,
    Reordering,
    Lateness,
    Duplicate,
    SecondLatency,
    Flip,
    FlippedBit,
    Truncation,
    TruncatedTo,
    LossAtSender,
    LossAtReceiver,
}

fn scale(span: Duration, factor: f64) -> Duration {
    Duration::from_nanos((span.as_nanos() as f64 * factor) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d4_one_fault_does_not_change_the_others() {
        let faulty = Link {
            loss: 0.2,
            duplicates: 0.2,
            flipped: 0.2,
            truncated: 0.2,
            reordered: 0.2,
            reordered_by: Duration::from_secs(1),
            ..Link::LAN
        };
        let calmer = Link { duplicates: 0.0, reordered: 0.0, ..faulty };
        for nanos in 0..2_000 {
            let luck = Luck::new(1, 2, 3, nanos, 0);
            let (one, other) = (luck.fate(&faulty, 100), luck.fate(&calmer, 100));
            assert_eq!(one.first.is_none(), other.first.is_none());
            assert_eq!((one.flipped, one.truncated), (other.flipped, other.truncated));
            assert_eq!(other.second, None);
        }
    }

    #[test]
    fn luck_is_as_often_as_said() {
        let link = Link { loss: 0.1, duplicates: 0.5, ..Link::LAN };
        let fates = (0..100_000).map(|nanos| Luck::new(1, 0, 1, nanos, 0).fate(&link, 10));
        let (mut lost, mut doubled) = (0, 0);
        for fate in fates {
            lost += i32::from(fate.first.is_none());
            doubled += i32::from(fate.second.is_some());
        }
        assert!((9_700..10_300).contains(&lost), "{lost}");
        assert!((44_000..46_000).contains(&doubled), "{doubled}");
    }

    #[test]
    fn directions_and_places_have_luck_of_their_own() {
        let word = |from, to, nanos, nth| Luck::new(1, from, to, nanos, nth).0;
        let all = [word(0, 1, 5, 0), word(1, 0, 5, 0), word(0, 1, 5, 1), word(0, 1, 6, 0)];
        let mut unique = all.to_vec();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), all.len());
    }
}
