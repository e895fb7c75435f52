//! Packets that come in, one after the other.

use swim_core::{Bytes, Node};

use super::{
    Dice, Work,
    nodes::{NUMBERS, START, SUBJECT, drain, member_of, options},
    traffic::{self, NEWS, Word, first_words},
};

/// So many packets are made and used again and again, where that makes no difference.
const KEPT: usize = 1_024;

/// Makes the next packet with its sender's number.
type Maker = Box<dyn FnMut(&mut Node) -> (usize, Bytes)>;

/// A node that gets packets, handles them and sends what follows.
pub struct Packets {
    pub subject: Node,
    make: Maker,
    told: Told,
}

/// What each packet says.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    pings: u64,
    stale: u64,
    news: u64,
}

impl Packets {
    /// Pings without news, from members picked at random.
    pub fn pings(n: usize) -> Self {
        let told = Told { pings: 1, ..Told::default() };
        Self::kept(n, told, |carrier, _| traffic::ping(&mut traffic::acquaintance(carrier, false)))
    }

    /// Pings with 8 claims each that say what the subject knows.
    pub fn pings_stale(n: usize) -> Self {
        let told = Told { pings: 1, stale: 8, news: 0 };
        let words = |others: &[usize]| first_words(&others[..8]);
        Self::kept(n, told, move |carrier, others| traffic::ping_with(carrier, &words(others)))
    }

    /// Pings with 30 claims each that are newer than what the subject knows.
    pub fn pings_news(n: usize) -> Self {
        let mut source = Updates::new(n);
        let told = Told { pings: 1, stale: 0, news: NEWS as u64 };
        Self::made(subject(n, false), told, move |_| {
            let (carrier, words) = source.next(NEWS);
            (carrier, traffic::ping_with(carrier, &words))
        })
    }

    /// Sealed pings without news, from `senders` members by turns.
    pub fn pings_sealed(n: usize, senders: usize) -> Self {
        /// A node waits for the answers to a thousand pings at most.
        const PINGS_EACH: usize = 1_000;
        let mut order = Dice::new(3).shuffled(1..n);
        order.truncate(senders);
        let peer = |number| (number, traffic::acquaintance(number, true), 0);
        let mut peers: Vec<_> = order.into_iter().map(peer).collect();
        let mut next = 0;
        let told = Told { pings: 1, ..Told::default() };
        Self::made(subject(n, true), told, move |_| {
            next = (next + 1) % peers.len();
            let (number, node, pings) = &mut peers[next];
            if *pings == PINGS_EACH {
                (*node, *pings) = (traffic::acquaintance(*number, true), 0);
            }
            *pings += 1;
            (*number, traffic::ping(node))
        })
    }

    /// Gossip of so many claims a packet that say what the subject knows.
    pub fn gossip_stale(n: usize, claims: usize) -> Self {
        let told = Told { stale: claims as u64, ..Told::default() };
        Self::kept(n, told, move |carrier, others| {
            traffic::gossip_with(carrier, &first_words(&others[..claims]))
        })
    }

    /// Gossip of so many claims a packet that are newer than what the subject knows.
    pub fn gossip_updates(n: usize, claims: usize) -> Self {
        let mut source = Updates::new(n);
        let told = Told { news: claims as u64, ..Told::default() };
        Self::made(subject(n, false), told, move |_| {
            let (carrier, words) = source.next(claims);
            (carrier, traffic::gossip_with(carrier, &words))
        })
    }

    /// Gossip of 30 claims a packet about members that the subject does not know; it has `n` at
    /// first, and again when it has twice as many.
    pub fn gossip_newcomers(n: usize) -> Self {
        let mut number = n;
        let told = Told { news: NEWS as u64, ..Told::default() };
        Self::made(subject(n, false), told, move |known| {
            if number + NEWS > (2 * n).min(NUMBERS) {
                number = n;
                *known = subject(n, false);
            }
            let newcomers: Vec<usize> = (number..number + NEWS).collect();
            number += NEWS;
            let carrier = 1 + number % (n - 1);
            (carrier, traffic::gossip_with(carrier, &first_words(&newcomers)))
        })
    }

    /// Packets that may come any number of times; `make` gets the carrier and the other members in
    /// a random order.
    fn kept(n: usize, told: Told, make: impl Fn(usize, &[usize]) -> Bytes) -> Self {
        let mut dice = Dice::new(2);
        let packets: Vec<_> = (0..KEPT.min(16 * n))
            .map(|_| {
                let members = some_members(&mut dice, n);
                (members[0], make(members[0], &members[1..]))
            })
            .collect();
        let mut next = 0;
        Self::made(subject(n, false), told, move |_| {
            next = (next + 1) % packets.len();
            packets[next].clone()
        })
    }

    fn made(
        subject: Node,
        told: Told,
        make: impl FnMut(&mut Node) -> (usize, Bytes) + 'static,
    ) -> Self {
        Self { subject, make: Box::new(make), told }
    }
}

impl Work for Packets {
    type Input = (usize, Bytes);

    fn prepare(&mut self) -> Self::Input {
        (self.make)(&mut self.subject)
    }

    fn run(&mut self, (from, data): Self::Input) {
        traffic::hand(&mut self.subject, START, from, &data);
        drain(&mut self.subject);
    }

    fn check(&self, times: u64) {
        let stats = self.subject.stats();
        // A subject that knew too many was replaced on the way.
        let times = times.min(stats.packets_received);
        assert_eq!((stats.rejected(), stats.packets_received), (0, times));
        assert_eq!(stats.claims_stale, self.told.stale * times);
        // What it knows at first it was told over a stream.
        let known = stats.claims_applied - self.told.news * times;
        assert!(known < self.subject.counts().alive as u64, "{known} applied unasked");
        assert!(stats.packets_sent >= self.told.pings * times);
    }
}

/// Members that change their mind one after the other.
struct Updates {
    dice: Dice,
    updates: Vec<usize>,
}

impl Updates {
    fn new(n: usize) -> Self {
        Self { dice: Dice::new(4), updates: vec![0; n] }
    }

    /// A carrier and the next words of some others.
    fn next(&mut self, words: usize) -> (usize, Vec<Word>) {
        let members = some_members(&mut self.dice, self.updates.len());
        let word = |&number: &usize| {
            self.updates[number] += 1;
            Word { number, updates: self.updates[number] }
        };
        (members[0], members[1..].iter().take(words).map(word).collect())
    }
}

/// Enough distinct members for a packet and its sender, or all there are.
fn some_members(dice: &mut Dice, n: usize) -> Vec<usize> {
    if n <= 2 * NEWS {
        return dice.shuffled(1..n);
    }
    let mut members = Vec::new();
    while members.len() <= NEWS {
        let member = 1 + dice.below(n - 1);
        if !members.contains(&member) {
            members.push(member);
        }
    }
    members
}

/// The node under test, among `n` members that all know each other.
fn subject(n: usize, sealed: bool) -> Node {
    member_of(options(SUBJECT, sealed), n, 1)
}
