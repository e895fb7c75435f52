//! Memberlist's gossip alone: how one update spreads by ticks.
//!
//! Every member that knows the update sends it at each of its ticks to some others, until it has
//! sent it so often. Ticks have a random phase; nothing else happens. (experiments.md 5)

use super::swim2002::other_than;
use crate::chance::Chance;

/// Who gossips, and how.
#[derive(Clone, Copy, Debug)]
pub struct Gossip {
    /// Members.
    pub n: usize,
    /// Seconds between two ticks of a member.
    pub interval: f64,
    /// To how many others a tick sends.
    pub fanout: usize,
    /// The chance of a datagram to be lost.
    pub loss: f64,
}

/// How one update spread.
#[derive(Clone, Debug)]
pub struct Spread {
    /// When each member knew it, in seconds, ascending; members never reached are left out.
    pub known: Vec<f64>,
    /// Members.
    pub n: usize,
    /// Datagrams sent.
    pub sent: u64,
}

impl Spread {
    /// When this share of all members knew it; nothing if it never came so far.
    #[must_use]
    pub fn when(&self, share: f64) -> Option<f64> {
        let members = libm::ceil(share * self.n as f64).max(1.0) as usize;
        self.known.get(members - 1).copied()
    }

    /// When the last of those who learned it did.
    #[must_use]
    pub fn last(&self) -> f64 {
        self.known.last().copied().unwrap_or(0.0)
    }

    /// How many never learned it.
    #[must_use]
    pub fn missed(&self) -> usize {
        self.n - self.known.len()
    }
}

impl Gossip {
    /// How often a member sends an update: memberlist's multiplier 4.
    #[must_use]
    pub fn sends(&self) -> u32 {
        4 * libm::ceil(libm::log10(self.n as f64 + 1.0)) as u32
    }

    /// Spreads one update, which some member has at time 0.
    #[must_use]
    pub fn spread(&self, chance: &mut Chance) -> Spread {
        // Members are numbered by phase, so that one walk over them is one interval in order of
        // time. Whom a tick chooses is even among all others, so the numbering shows nowhere.
        let mut phases: Vec<f64> = (0..self.n).map(|_| chance.unit() * self.interval).collect();
        phases.sort_unstable_by(f64::total_cmp);
        let mut known_at = vec![f64::INFINITY; self.n];
        let mut left = vec![self.sends(); self.n];
        known_at[chance.below(self.n as u64) as usize] = 0.0;
        let mut sent = 0;
        let mut round = 0.0;
        loop {
            let mut is_over = true;
            for member in 0..self.n {
                if left[member] == 0 || known_at[member] == f64::INFINITY {
                    continue;
                }
                is_over = false;
                let now = round * self.interval + phases[member];
                if known_at[member] > now {
                    continue;
                }
                let mut chosen = [member as u64; FANOUT_MAX + 1];
                for place in 1..=self.fanout.min(self.n - 1) {
                    if left[member] == 0 {
                        break;
                    }
                    let target = other_than(&chosen[..place], self.n as u64, chance);
                    chosen[place] = target;
                    left[member] -= 1;
                    sent += 1;
                    if !chance.hits(self.loss) {
                        let known = now + DELAY.0 + (DELAY.1 - DELAY.0) * chance.unit() + HANDLING;
                        let at = &mut known_at[target as usize];
                        *at = at.min(known);
                    }
                }
            }
            if is_over {
                break;
            }
            round += 1.0;
        }
        let mut known: Vec<f64> = known_at.into_iter().filter(|at| at.is_finite()).collect();
        known.sort_unstable_by(f64::total_cmp);
        Spread { known, n: self.n, sent }
    }

    /// What Serf's page says: seconds until this share of all members knows an update.
    #[must_use]
    pub fn serf_time(&self, share: f64) -> f64 {
        let odds = libm::log(share / (1.0 - share));
        let rounds = (libm::log(self.n as f64 + 1.0) + odds)
            / (0.5 * self.fanout as f64 * (1.0 - self.loss));
        rounds * self.interval
    }
}

/// The most members that one tick may choose.
const FANOUT_MAX: usize = 8;

/// The one-way delay on the network "lan", least and most, in seconds.
const DELAY: (f64, f64) = (80e-6, 200e-6);

/// What handling a datagram takes, in seconds.
const HANDLING: f64 = 50e-6;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Purpose;

    #[test]
    fn gc1_serfs_formula() {
        for (n, interval, fanout, loss, expected) in [
            (30, 0.2, 3, 0.0, 1.69),
            (1_000, 0.5, 4, 0.0, 4.03),
            (10_000, 1.0, 3, 0.0, 12.28),
            (100_000, 0.2, 3, 0.5, 5.53),
        ] {
            let found = Gossip { n, interval, fanout, loss }.serf_time(0.9999);
            assert!((found - expected).abs() < 0.006, "n={n}: {found}");
        }
    }

    #[test]
    fn gc1_a_thousand_members_know_within_a_second() {
        let gossip = Gossip { n: 1_000, interval: 0.2, fanout: 3, loss: 0.0 };
        let mut spreads =
            (1..=20).map(|seed| gossip.spread(&mut Chance::new(seed, Purpose::Model)));
        let all_at = spreads.try_fold(0.0, |sum: f64, spread| Some(sum + spread.when(0.99)?));
        let mean = all_at.expect("99 % are reached every time") / 20.0;
        assert!((mean / 0.81 - 1.0).abs() < 0.1, "{mean}");
    }

    #[test]
    fn every_member_sends_so_often_and_no_more() {
        let gossip = Gossip { n: 128, interval: 0.2, fanout: 3, loss: 0.0 };
        let spread = gossip.spread(&mut Chance::new(1, Purpose::Model));
        assert_eq!((gossip.sends(), spread.missed()), (12, 0));
        assert_eq!(spread.sent, 12 * 128);
    }
}
