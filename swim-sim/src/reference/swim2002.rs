//! SWIM as its paper reckons with it: rounds, targets, and messages that are lost by chance.
//!
//! The closed formulas of the paper (DSN 2002, sections 3.1 and 5) hold for these models exactly,
//! so they test our luck, our counting and our reading of the paper, before anything with a clock
//! is believed.

use crate::chance::Chance;

/// In which period, from 1, a crashed member is first chosen by a live one, when in every period
/// each live member picks one of the `n` entries of its list, its own among them. (That is what
/// `1-(1-1/n)^(n-1)` says.) Of the other members `live` are alive, at least one.
pub fn first_random_choice(n: u64, live: u64, chance: &mut Chance) -> u64 {
    for period in 1.. {
        if (0..live).any(|_| chance.below(n) == 0) {
            return period;
        }
    }
    unreachable!("somebody chooses it before the periods cannot be counted any more")
}

/// The same when each member walks through its own list of the others, in a random order that is
/// drawn anew for every walk. The crash comes at some time, so each walk is at some place.
pub fn first_round_robin_choice(n: u64, chance: &mut Chance) -> u64 {
    let others = n - 1;
    let wait = |chance: &mut Chance| {
        let cursor = chance.below(others);
        let place = chance.below(others);
        if place >= cursor {
            place - cursor + 1
        } else {
            others - cursor + chance.below(others) + 1
        }
    };
    (0..others).map(|_| wait(chance)).min().expect("there are others")
}

/// What one member sends and receives per period, on average over `periods` of `n` members that
/// all live on a network that loses nothing: the mean, and the least and most of any member.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Sent and received, halved, over all members.
    pub mean: f64,
    /// The least busy member.
    pub least: f64,
    /// The busiest member.
    pub most: f64,
}

impl Load {
    /// Of the messages that each member sent and received in so many periods.
    pub fn of(messages: &[u64], periods: u64) -> Self {
        let per_period = |count: u64| count as f64 / 2.0 / periods as f64;
        Self {
            mean: per_period(messages.iter().sum()) / messages.len() as f64,
            least: per_period(messages.iter().copied().min().unwrap_or(0)),
            most: per_period(messages.iter().copied().max().unwrap_or(0)),
        }
    }
}

/// Measures the load of a group of live members that probe each other, through `k` helpers if need
/// be: every message is counted where it is sent, and where it arrives.
pub fn load(n: u64, (k, loss): (usize, f64), periods: u64, chance: &mut Chance) -> Load {
    let mut mail = Mail { messages: vec![0; n as usize], loss, chance };
    for _ in 0..periods {
        for member in 0..n {
            mail.probe(member, k);
        }
    }
    Load::of(&mail.messages, periods)
}

/// Messages between members.
struct Mail<'a> {
    /// How many each member sent and received.
    messages: Vec<u64>,
    loss: f64,
    chance: &'a mut Chance,
}

impl Mail<'_> {
    /// A ping and its ack; if either is lost, all helpers are asked at once.
    fn probe(&mut self, member: u64, k: usize) {
        let n = self.messages.len() as u64;
        let target = other_than(&[member], n, self.chance);
        if self.arrives([member, target, member]) {
            return;
        }
        let mut asked = vec![member, target];
        for _ in 0..k.min(n as usize - 2) {
            let helper = other_than(&asked, n, self.chance);
            asked.push(helper);
            self.arrives([member, helper, target, helper, member]);
        }
    }

    /// Sends a message from the first to the second, who sends one to the third, and so on, until
    /// one is lost; returns whether none was.
    fn arrives<const STOPS: usize>(&mut self, stops: [u64; STOPS]) -> bool {
        stops.windows(2).all(|ends| {
            self.messages[ends[0] as usize] += 1;
            let arrives = !self.chance.hits(self.loss);
            self.messages[ends[1] as usize] += u64::from(arrives);
            arrives
        })
    }
}

/// What came of probing live members over a network that loses messages.
#[derive(Clone, Copy, Debug, Default)]
pub struct FalseFailures {
    /// How often a live member was declared failed.
    pub events: u64,
    /// In how many of all members' periods the member was chosen by anybody.
    pub chosen: u64,
}

/// Probes `n` live members for so many periods without suspicion: direct, then through `k` others.
/// Who is declared failed is reinstated everywhere at once.
///
/// The formula `(1-q^2)*(1-q^4)^k * e/(e-1)` is the chance of one probe to fail, over the chance of
/// a member to be chosen in a period at all: so it counts events per member *that is chosen*.
pub fn false_failures(
    n: u64,
    loss: f64,
    k: u64,
    periods: u64,
    chance: &mut Chance,
) -> FalseFailures {
    let mut found = FalseFailures::default();
    let mut last_chosen = vec![u64::MAX; n as usize];
    let arrive = |messages: u32, chance: &mut Chance| (0..messages).all(|_| !chance.hits(loss));
    for period in 0..periods {
        for member in 0..n {
            let target = other_than(&[member], n, chance);
            let last = &mut last_chosen[target as usize];
            found.chosen += u64::from(*last != period);
            *last = period;
            // Ping and ack; then request, ping, ack and the ack passed on, by each helper. Who
            // helps does not matter, as all are alive and all links are alike.
            if !arrive(2, chance) && !(0..k).any(|_| arrive(4, chance)) {
                found.events += 1;
            }
        }
    }
    found
}

/// One of `n` members who is none of these.
pub(super) fn other_than(these: &[u64], n: u64, chance: &mut Chance) -> u64 {
    loop {
        let member = chance.below(n);
        if !these.contains(&member) {
            return member;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Purpose;

    fn mean(n: u64, of: impl Fn(u64, &mut Chance) -> u64) -> f64 {
        let first = |seed| of(n, &mut Chance::new(seed, Purpose::Model)) as f64;
        (1..=4_000).map(first).sum::<f64>() / 4_000.0
    }

    #[test]
    fn sw1_random_choice_is_geometric() {
        for (n, expected) in [(8, 1.647), (28, 1.599), (128, 1.586)] {
            let found = mean(n, |n, chance| first_random_choice(n, n - 1, chance));
            assert!((found / expected - 1.0).abs() < 0.03, "n={n}: {found}");
        }
        let half = mean(101, |n, chance| first_random_choice(n, 50, chance));
        assert!((half / 2.54 - 1.0).abs() < 0.04, "{half}");
    }

    #[test]
    fn sw1_round_robin_is_bounded() {
        for n in [2, 3, 8] {
            for seed in 1..2_000 {
                let mut chance = Chance::new(seed, Purpose::Model);
                assert!(first_round_robin_choice(n, &mut chance) < 2 * n, "n={n} seed={seed}");
            }
        }
        let found = mean(128, first_round_robin_choice);
        assert!((1.3..1.8).contains(&found), "{found}");
    }

    #[test]
    fn sw3_load_grows_with_loss_as_reckoned() {
        for (k, loss) in [(1, 0.0), (1, 0.1), (3, 0.25)] {
            let load = load(28, (k, loss), 2_000, &mut Chance::new(1, Purpose::Model));
            let q: f64 = 1.0 - loss;
            let relayed = k as f64 * (1.0 - q * q) * (1.0 + q + q * q + q * q * q);
            // Of what is sent, a share of q is received.
            let expected = (1.0 + q) / 2.0 * (1.0 + q + relayed);
            assert!((load.mean / expected - 1.0).abs() < 0.01, "{load:?} {expected}");
            assert!(load.least < load.mean && load.most > load.mean, "{load:?}");
        }
    }

    #[test]
    fn sw5_the_formula_holds() {
        for (loss, k, expected) in [(0.05, 1, 2.86e-2), (0.1, 2, 3.55e-2), (0.25, 4, 1.51e-1)] {
            let mut chance = Chance::new(1, Purpose::Model);
            let found = false_failures(100, loss, k, 1_000, &mut chance);
            let rate = found.events as f64 / found.chosen as f64;
            assert!((rate / expected - 1.0).abs() < 0.1, "loss={loss} k={k}: {rate}");
        }
    }
}
