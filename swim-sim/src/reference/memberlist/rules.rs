//! The constants of memberlist ("ml-lan"), the five configurations of the Lifeguard paper, and what
//! it may mean that a member is blocked.

/// A configuration of the Lifeguard paper (table II).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Configuration {
    /// None of Lifeguard's parts.
    Swim,
    /// Local health: who doubts itself probes with more patience.
    LhaProbe,
    /// Suspicions that run out sooner, the more members confirm them.
    LhaSuspicion,
    /// A suspected member is told with every ping.
    Buddy,
    /// All three.
    Lifeguard,
}

impl Configuration {
    /// In the order of the paper's tables.
    pub const ALL: [Self; 5] =
        [Self::Swim, Self::LhaProbe, Self::LhaSuspicion, Self::Buddy, Self::Lifeguard];

    /// The paper's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Swim => "SWIM",
            Self::LhaProbe => "LHA-Probe",
            Self::LhaSuspicion => "LHA-Suspicion",
            Self::Buddy => "Buddy",
            Self::Lifeguard => "Lifeguard",
        }
    }
}

/// What a block does to a member. It decides the results by two orders of magnitude, so figures of
/// different flavours are never compared. (experiments.md 3.1)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// The paper's: a send waits, and its task with it; other tasks and all timers go on.
    Task,
    /// A slow link: all goes on, but packets in both directions wait until the end.
    Hold,
    /// A frozen process: nothing runs. In the end what waits comes first, then due timers.
    Stall,
}

impl Flavour {
    /// Its name in capitals.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Task => "TASK",
            Self::Hold => "HOLD",
            Self::Stall => "STALL",
        }
    }
}

/// What the members of a cluster go by.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Members, at most `MEMBERS_MAX`.
    pub n: usize,
    /// What a block does.
    pub flavour: Flavour,
    /// The least time of a suspicion: this times `log10(n)` probe intervals.
    pub alpha: f64,
    /// The most time of a suspicion: this times the least.
    pub beta: f64,
    /// Whether a member scales its probes by its health.
    pub has_local_health: bool,
    /// How many independent suspicions bring a suspicion down to its least time; 0 for none.
    pub confirmations: u8,
    /// Whether every ping to a suspected member carries the suspicion.
    pub is_buddy: bool,
}

impl Rules {
    /// The rules of a configuration with the paper's alpha of 5 and, with LHA-Suspicion, beta of 6.
    #[must_use]
    pub fn new(configuration: Configuration, n: usize) -> Self {
        assert!((2..=MEMBERS_MAX).contains(&n), "so many members fit into an event");
        let all = configuration == Configuration::Lifeguard;
        let has_suspicion = all || configuration == Configuration::LhaSuspicion;
        Self {
            n,
            flavour: Flavour::Task,
            alpha: 5.0,
            beta: if has_suspicion { 6.0 } else { 1.0 },
            has_local_health: all || configuration == Configuration::LhaProbe,
            confirmations: if has_suspicion { 3 } else { 0 },
            is_buddy: all || configuration == Configuration::Buddy,
        }
    }

    /// The same in another flavour.
    #[must_use]
    pub fn in_flavour(self, flavour: Flavour) -> Self {
        Self { flavour, ..self }
    }

    /// Lifeguard with other constants.
    #[must_use]
    pub fn lifeguard(alpha: f64, beta: f64, n: usize) -> Self {
        Self { alpha, beta, ..Self::new(Configuration::Lifeguard, n) }
    }

    /// How long a suspicion lasts after so many confirmations, when so many members are known.
    pub(super) fn suspicion(&self, confirmed: u8, known: usize) -> u64 {
        let least = self.alpha * libm::log10(known as f64).max(1.0) * SECOND as f64;
        let most = self.beta * least;
        let wanted = f64::from(self.confirmations);
        if self.confirmations == 0 || known < self.confirmations as usize + 2 {
            return least as u64;
        }
        let share = libm::log(f64::from(confirmed) + 1.0) / libm::log(wanted + 1.0);
        least.max(most - (most - least) * share) as u64
    }
}

/// How often an update is sent when so many members are known.
pub(super) fn sends(known: usize) -> u8 {
    // `ceil(log10(known + 1))`, without a logarithm for every datagram.
    let digits = match known {
        0..=9 => 1,
        10..=99 => 2,
        100..=999 => 3,
        _ => 4,
    };
    4 * digits
}

/// The time between two push/pulls when so many members are known.
pub(super) fn push_pull_interval(known: usize) -> u64 {
    let halvings = libm::ceil(libm::log2(known as f64) - 5.0).max(0.0);
    PUSH_PULL_INTERVAL * (halvings as u64 + 1)
}

/// Nanoseconds of a second.
pub const SECOND: u64 = 1_000_000_000;
/// Nanoseconds of a millisecond.
pub const MILLISECOND: u64 = 1_000_000;
/// Nanoseconds of a microsecond.
pub(super) const MICROSECOND: u64 = 1_000;

/// How many members a cluster may have: a member's number takes 12 bits of an event.
pub(super) const MEMBERS_MAX: usize = 1 << 12;

pub(super) const PROBE_INTERVAL: u64 = SECOND;
pub(super) const PROBE_TIMEOUT: u64 = 500 * MILLISECOND;
pub(super) const GOSSIP_INTERVAL: u64 = 200 * MILLISECOND;
pub(super) const PUSH_PULL_INTERVAL: u64 = 30 * SECOND;
/// How long either side of a push/pull waits for the other.
pub(super) const STREAM_TIMEOUT: u64 = 10 * SECOND;
/// How long the dead are still gossiped to, and remembered.
pub(super) const GOSSIP_TO_THE_DEAD: u64 = 30 * SECOND;
/// When a helper says that it has heard nothing: at 80 % of the probe's time-out.
pub(super) const NACK_AFTER: u64 = PROBE_TIMEOUT / 10 * 8;
pub(super) const HELPERS: usize = 3;
pub(super) const GOSSIP_NODES: usize = 3;
/// The worst local health; a member in it has nine times the patience.
pub(super) const HEALTH_MAX: u64 = 8;
/// What handling a datagram takes.
pub(super) const HANDLING: u64 = 50 * MICROSECOND;
/// The one-way delay of a datagram, least and most; that of a stream is twice as long.
pub(super) const DELAY: (u64, u64) = (80 * MICROSECOND, 200 * MICROSECOND);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suspicions_last_as_published() {
        let seconds = |rules: Rules, confirmed| rules.suspicion(confirmed, 128) / MILLISECOND;
        assert_eq!(seconds(Rules::new(Configuration::Swim, 128), 0), 10_536);
        let lifeguard = Rules::new(Configuration::Lifeguard, 128);
        assert_eq!(
            [0, 1, 2, 3].map(|heard| seconds(lifeguard, heard)),
            [63_216, 36_876, 21_468, 10_536]
        );
        assert_eq!((sends(9), sends(128), sends(1_000)), (4, 12, 16));
        assert_eq!([32, 64, 128].map(|n| push_pull_interval(n) / SECOND), [30, 60, 90]);
    }
}
