//! SWIM's dissemination alone: one update that rides on pings and acks.
//!
//! Everybody pings one other per period, at a phase of its own. Whoever knows the update attaches
//! it to each message, until it has done so for so many times. (DSN 2002, 4.1)

use super::swim2002::other_than;
use crate::chance::Chance;

/// When each of `n` members but the first received an update that the first has at time 0, in
/// periods, ascending. Members whom it never reached are left out.
#[must_use]
pub fn infect(n: usize, chance: &mut Chance) -> Vec<f64> {
    // Members are numbered by phase, so that one walk over them is one period in order of time.
    let mut phases: Vec<f64> = (0..n).map(|_| chance.unit()).collect();
    phases.sort_unstable_by(f64::total_cmp);
    let mut carriers =
        Carriers { received_at: vec![f64::INFINITY; n], left: vec![sends(n); n], infectious: 1 };
    let first = chance.below(n as u64) as usize;
    carriers.received_at[first] = 0.0;
    let mut period = 0.0;
    while carriers.infectious > 0 {
        for (member, phase) in phases.iter().enumerate() {
            let now = period + phase;
            let target = other_than(&[member as u64], n as u64, chance) as usize;
            carriers.send(member, target, now);
            carriers.send(target, member, now);
        }
        period += 1.0;
    }
    let mut received_at = carriers.received_at;
    received_at.swap_remove(first);
    received_at.retain(|at| at.is_finite());
    received_at.sort_unstable_by(f64::total_cmp);
    received_at
}

/// How often a member sends an update: `3*ceil(ln(n+1))` times.
#[must_use]
pub fn sends(n: usize) -> u32 {
    3 * libm::ceil(libm::log(n as f64 + 1.0)) as u32
}

struct Carriers {
    received_at: Vec<f64>,
    left: Vec<u32>,
    /// How many know the update and still send it.
    infectious: usize,
}

impl Carriers {
    /// A message between two; that it takes a 10,000th of a period is of no account.
    fn send(&mut self, from: usize, to: usize, now: f64) {
        if self.received_at[from].is_infinite() || self.left[from] == 0 {
            return;
        }
        self.left[from] -= 1;
        self.infectious -= usize::from(self.left[from] == 0);
        if self.received_at[to].is_infinite() {
            self.received_at[to] = now;
            self.infectious += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{chance::Purpose, measure::percentile};

    #[test]
    fn sw2_half_know_when_the_model_says() {
        let half = |seed| percentile(&infect(128, &mut Chance::new(seed, Purpose::Model)), 0.5);
        let mean = (1..=100).map(half).sum::<f64>() / 100.0;
        assert!((mean / 2.43 - 1.0).abs() < 0.25, "{mean}");
        assert_eq!((sends(6), sends(128)), (6, 15));
    }
}
