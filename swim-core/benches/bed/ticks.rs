//! What a node does when its time has come: probes and rounds of gossip, in a quiet cluster.

use std::{hint::black_box, time::Duration};

use swim_core::{Bytes, Input, Instant, Node, Output, Timer};

use super::{
    Dice, Work,
    nodes::{START, SUBJECT, addr, drain, member_of, number_at, options, packet_from},
    traffic::{self, Word},
};

/// A node with nothing to do but to probe, and what it last asked for.
struct Prober {
    subject: Node,
    now: Instant,
    due: (Instant, Timer),
}

impl Prober {
    fn new(n: usize) -> Self {
        let mut options = options(SUBJECT, false);
        options.push_pull_interval = Duration::ZERO;
        options.reconnect_interval = Duration::ZERO;
        let due = (START, Timer::Gossip);
        let mut prober = Self { subject: member_of(options, n, 1), now: START, due };
        // A tick makes the node say when it wants the next one.
        prober.tick();
        prober
    }

    /// Lets time go by until a probe is due.
    fn wait(&mut self) {
        while self.due.1 != Timer::ProbeInterval {
            self.tick();
        }
    }

    /// Lets the time come; returns who gets a packet, and the packet.
    fn tick(&mut self) -> Option<(usize, Bytes)> {
        self.now = self.due.0;
        self.subject.handle(self.now, Input::Tick);
        self.collect()
    }

    fn hand(&mut self, (from, data): &(usize, Bytes)) {
        traffic::hand(&mut self.subject, self.now, *from, data);
        self.collect();
    }

    /// So many probes, of which all but the last `open` were answered.
    fn check(&self, times: u64, open: u64) {
        let stats = self.subject.stats();
        assert_eq!((stats.probes, stats.probes_acked), (times, times - open));
        assert!(stats.packets_sent >= times);
        assert_eq!(stats.rejected(), 0);
    }

    fn collect(&mut self) -> Option<(usize, Bytes)> {
        let mut packet = None;
        while let Some(output) = self.subject.poll_output() {
            match output {
                Output::ScheduleTimer { at, why } => self.due = (at, why),
                Output::SendPacket { to, data } => packet = Some((number_at(to), data)),
                _ => {}
            }
        }
        packet
    }
}

/// What a member answers to a ping from the subject.
fn answer(to: usize, ping: &[u8]) -> (usize, Bytes) {
    let mut target = traffic::acquaintance(to, false);
    target.handle(START, Input::Packet { from: addr(SUBJECT), data: ping });
    (to, packet_from(&mut target))
}

/// A tick at which a probe begins.
pub struct ProbeTicks {
    prober: Prober,
    ping: Option<(usize, Bytes)>,
}

impl ProbeTicks {
    pub fn new(n: usize) -> Self {
        Self { prober: Prober::new(n), ping: None }
    }
}

impl Work for ProbeTicks {
    type Input = ();

    fn prepare(&mut self) {
        if let Some((to, ping)) = self.ping.take() {
            self.prober.hand(&answer(to, &ping));
        }
        self.prober.wait();
    }

    fn run(&mut self, (): ()) {
        self.ping = self.prober.tick();
    }

    fn check(&self, times: u64) {
        self.prober.check(times, 1);
    }
}

/// The ack that ends a probe.
pub struct ProbeAcks(Prober);

impl ProbeAcks {
    pub fn new(n: usize) -> Self {
        Self(Prober::new(n))
    }
}

impl Work for ProbeAcks {
    type Input = (usize, Bytes);

    fn prepare(&mut self) -> Self::Input {
        self.0.wait();
        let (to, ping) = self.0.tick().expect("a probe is due");
        answer(to, &ping)
    }

    fn run(&mut self, ack: Self::Input) {
        self.0.hand(&ack);
    }

    fn check(&self, times: u64) {
        self.0.check(times, 0);
    }
}

/// A tick at which nothing is due.
pub struct IdleTicks(Node);

impl IdleTicks {
    pub fn new(n: usize) -> Self {
        Self(member_of(options(SUBJECT, false), n, 1))
    }
}

impl Work for IdleTicks {
    type Input = ();

    fn prepare(&mut self) {}

    fn run(&mut self, (): ()) {
        self.0.handle(START, Input::Tick);
        drain(&mut self.0);
    }

    fn check(&self, _times: u64) {
        assert_eq!(self.0.stats().packets_sent, 0);
    }
}

/// A round of gossip: three packets with the claims that wait.
pub struct GossipTicks {
    subject: Node,
    claims: usize,
    updates: usize,
    /// Packets in the rounds that were measured.
    measured: u64,
    now: Instant,
    /// What the node last asked to be woken for.
    due: Timer,
    dice: Dice,
    n: usize,
}

impl GossipTicks {
    /// Among `n` members, with `claims` claims that wait.
    pub fn new(n: usize, claims: usize) -> Self {
        let mut options = options(SUBJECT, false);
        options.push_pull_interval = Duration::ZERO;
        options.reconnect_interval = Duration::ZERO;
        // Hardly ever does a probe fall between the rounds.
        options.probe_interval = Duration::from_secs(3_600);
        options.gossip_interval = INTERVAL;
        let subject = member_of(options, n, 1);
        let dice = Dice::new(7);
        let (claims, now, due) = (claims.min(n - 2), START, Timer::Gossip);
        Self { subject, claims, updates: 0, measured: 0, now, due, dice, n }
    }

    fn round(&mut self) -> u64 {
        let before = self.subject.stats().packets_sent;
        self.now = self.now + INTERVAL;
        self.subject.handle(self.now, Input::Tick);
        self.collect();
        self.subject.stats().packets_sent - before
    }

    fn collect(&mut self) {
        while let Some(output) = self.subject.poll_output() {
            if let Output::ScheduleTimer { why, .. } = black_box(output) {
                self.due = why;
            }
        }
    }
}

/// Time between two rounds.
const INTERVAL: Duration = Duration::from_millis(10);

impl Work for GossipTicks {
    type Input = ();

    fn prepare(&mut self) {
        // What waited before goes out, and what changed is compared with some members, until there
        // is silence; then there is news.
        while matches!(self.due, Timer::Gossip | Timer::Compare) {
            self.round();
        }
        self.updates += 1;
        let Self { updates, .. } = *self;
        let carrier = 1 + self.dice.below(self.n - 1);
        let others = (1..self.n).filter(|&number| number != carrier);
        let words: Vec<Word> =
            others.take(self.claims).map(|number| Word { number, updates }).collect();
        let packet = traffic::gossip_with(carrier, &words);
        // A round goes out at once if the last one is long ago: before what is measured.
        traffic::hand(&mut self.subject, self.now, carrier, &packet);
        self.collect();
    }

    fn run(&mut self, (): ()) {
        self.measured += self.round();
    }

    fn check(&self, times: u64) {
        // Three each, but among ten now and then nobody is left for the third, and now and then
        // a probe falls between the rounds.
        let packets = self.measured;
        assert!(2 * times < packets && packets < 4 * times, "{packets} packets");
        assert_eq!(self.subject.stats().rejected(), 0);
    }
}
