//! How news about one member is ordered: by life, then by incarnation.
//!
//! A *life* is one run of a node's process: the wall clock at its start in milliseconds, or a
//! persisted counter. An *incarnation* counts, within a life, how often the node spoke up to
//! correct what others say of it. Both only grow, and only the node itself issues them, so that a
//! restarted node outranks every rumour about its former lives.

use core::fmt;

/// Incarnations above this are implausible (a node would have to refute a million times a
/// second for nine years) and are rejected by everybody alike, so that a poisoned claim can always
/// be beaten: at the top of the range a node raises its life instead. (X7)
pub const INCARNATION_MAX: u64 = (1 << 48) - 1;

/// The top of the life range. Wall-clock milliseconds stay below it for 8,900 years; keeping the
/// upper bits free means that `life + 1` never wraps.
pub const LIFE_MAX: u64 = (1 << 48) - 1;

/// One run of a node's process; a later run has a larger number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(test, derive(serde::Serialize, serde::Deserialize))]
pub struct Life(pub u64);

impl Life {
    /// The life of everybody in a dialect that knows none.
    pub(crate) const NONE: Self = Self(0);
}

/// How often a node has renewed its claim to be alive within one life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(test, derive(serde::Serialize, serde::Deserialize))]
pub struct Incarnation(pub u64);

/// The age of a claim about a member: its life, then its incarnation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(test, derive(serde::Serialize, serde::Deserialize))]
pub struct Stamp {
    /// The life of the member that the claim is about.
    pub life: Life,
    /// The incarnation within that life.
    pub incarnation: Incarnation,
}

impl Stamp {
    /// The first stamp of a life.
    #[must_use]
    pub const fn first(life: Life) -> Self {
        Self { life, incarnation: Incarnation(1) }
    }

    /// Builds a stamp from its two numbers.
    #[must_use]
    pub const fn new(life: u64, incarnation: u64) -> Self {
        Self { life: Life(life), incarnation: Incarnation(incarnation) }
    }

    /// Whether both numbers are in the range that a correct node can issue.
    #[must_use]
    pub const fn is_plausible(self) -> bool {
        self.life.0 <= LIFE_MAX && self.incarnation.0 <= INCARNATION_MAX
    }

    /// The smallest stamp above both `self` and `accused`: what a node takes to refute.
    /// At the top of the incarnation range the life is raised instead, so that nothing wraps. (S3)
    #[must_use]
    pub fn refuting(self, accused: Self) -> Self {
        let highest = self.max(accused);
        if highest.incarnation.0 < INCARNATION_MAX {
            Self::new(highest.life.0, highest.incarnation.0 + 1)
        } else {
            highest.next_life()
        }
    }

    /// The first stamp of the life after this one; at the very top, this one.
    #[must_use]
    pub const fn next_life(self) -> Self {
        if self.life.0 < LIFE_MAX { Self::first(Life(self.life.0 + 1)) } else { self }
    }
}

impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.life, self.incarnation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s3_a_refutation_takes_the_smallest_stamp_above_both() {
        let cases = [
            (Stamp::new(5, 1), Stamp::new(5, 1), Stamp::new(5, 2)),
            (Stamp::new(5, 1), Stamp::new(5, 7), Stamp::new(5, 8)),
            (Stamp::new(5, 9), Stamp::new(5, 7), Stamp::new(5, 10)),
            (Stamp::new(5, 9), Stamp::new(6, 0), Stamp::new(6, 1)),
            (Stamp::new(5, 1), Stamp::new(5, INCARNATION_MAX), Stamp::new(6, 1)),
        ];
        for (own, accused, expected) in cases {
            let refuted = own.refuting(accused);
            assert_eq!(refuted, expected, "{own} accused at {accused}");
            assert!(refuted > own && refuted > accused);
        }
        let top = Stamp::new(LIFE_MAX, INCARNATION_MAX);
        assert_eq!(Stamp::new(5, 1).refuting(top), top, "nothing wraps, nothing leaves the range");
    }
}
