//! Our core as it spreads updates: a world of members that know each other, one of which says
//! something new about itself.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    rc::Rc,
    time::Duration,
};

use swim_core::{EventKind, MemberChange, Node, Options, SeedOutcome};

use crate::{
    chance::{Chance, Purpose, mix},
    check::Checker,
    network::HostId,
    reference::gossip::{Gossip, Spread},
    step::Step,
    world::World,
};

/// How our core spread updates.
#[derive(Clone, Debug, Default)]
pub(super) struct Spreading {
    /// One after the other.
    pub(super) spreads: Vec<Spread>,
    /// Bytes of packets that a member sent in a second while an update was on its way.
    pub(super) busy_rate: f64,
    /// Bytes that a member sent in a second before, by packet and by stream. Only without loss.
    pub(super) idle_rate: f64,
}

/// Lets our core spread so many updates, one after the other, with everything on that we ship but
/// for the interval and the fan-out.
pub(super) fn spread(gossip: Gossip, updates: usize, seed: u64) -> Spreading {
    let n = gossip.n;
    let interval = Duration::try_from_secs_f64(gossip.interval).expect("intervals are short");
    let salt = mix(n as u64, mix(gossip.loss.to_bits(), gossip.interval.to_bits()));
    let mut world: World<Node> = World::acquainted(n, mix(seed, salt), |_, own| {
        own.gossip_interval = interval;
        own.gossip_nodes = gossip.fanout;
    });
    prepare(&mut world);
    world.run(SETTLING);
    let mut found = Spreading::default();
    if gossip.loss == 0.0 {
        let before = world.tally.packet_bytes_sent + world.tally.stream_bytes_sent;
        world.run(IDLE);
        let sent = world.tally.packet_bytes_sent + world.tally.stream_bytes_sent - before;
        found.idle_rate = sent as f64 / n as f64 / IDLE.as_secs_f64();
    }
    world.network.link.loss = gossip.loss;
    let mut luck = Chance::of(seed, Purpose::Workload, salt);
    let (mut bytes, mut span) = (0, Duration::ZERO);
    for _ in 0..updates {
        let sent = (world.tally.packets_sent, world.tally.packet_bytes_sent);
        world.tally.updates.clear();
        assert!(world.update(luck.below(n as u64) as HostId), "nothing keeps it from speaking");
        let all = |world: &World<Node>| world.tally.updates.len() + 1 >= n;
        let took = world.run_until(PATIENCE, all).unwrap_or(PATIENCE);
        (bytes, span) = (bytes + world.tally.packet_bytes_sent - sent.1, span + took);
        let mut known = vec![0.0];
        known.extend(world.tally.updates.iter().map(Duration::as_secs_f64));
        known.sort_unstable_by(f64::total_cmp);
        found.spreads.push(Spread { known, n, sent: world.tally.packets_sent - sent.0 });
        // What is left of this update goes out before the next one.
        world.run(BETWEEN);
    }
    found.busy_rate = bytes as f64 / n as f64 / span.as_secs_f64();
    found
}

/// What members missed of updates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Missed {
    /// Once nobody had anything to send any more.
    pub(super) after_gossip: usize,
    /// After one exchange of tables for each member. Not measured where members repair by
    /// themselves.
    pub(super) after_exchange: usize,
    /// How many exchanges came to nothing and were begun again.
    pub(super) again: usize,
    /// Fail events on the way.
    pub(super) failed: u64,
}

/// Each member says something new, one every tenth of a second, while so much is lost. Without
/// `repair` there is gossip and nothing else, and in the end each member exchanges tables with
/// another, once.
pub(super) fn repair(n: usize, loss: f64, has_repair: bool, seed: u64) -> Missed {
    let bare = |own: &mut Options| {
        own.repair = false;
        own.push_pull_interval = Duration::ZERO;
        // Nobody probes, so that nothing rides along on probes and nobody is suspected.
        own.probe_interval = Duration::from_secs(60 * 60);
    };
    let mut world: World<Node> = World::acquainted(n, mix(seed, n as u64), |_, own| {
        if !has_repair {
            bare(own);
        }
    });
    prepare(&mut world);
    world.network.link.loss = loss;
    world.run(SETTLING);
    let mut luck = Chance::of(seed, Purpose::Workload, n as u64);
    for host in luck.sample(n, n) {
        assert!(world.update(host), "nothing keeps it from speaking");
        world.run(UPDATE_EVERY);
    }
    world.run(QUIET);
    let mut missed = Missed { after_gossip: holes(&world), ..Missed::default() };
    if !has_repair {
        missed.again = exchange(&mut world, &mut luck);
        missed.after_exchange = holes(&world);
    }
    missed.failed = world.tally.changes(MemberChange::Failed);
    missed
}

/// Each member exchanges tables with another one, drawn at random. Streams run over the same
/// network and some break for it: whoever could not tries again, with somebody else, until each has
/// had its exchange. Returns how many had to.
fn exchange(world: &mut World<Node>, luck: &mut Chance) -> usize {
    let n = world.hosts().len();
    let done = Rc::new(RefCell::new(BTreeSet::new()));
    world.watch(Box::new(Exchanges(Rc::clone(&done))));
    let mut begun = 0;
    for _ in 0..TRIES_MAX {
        let waiting: Vec<HostId> = (0..n).filter(|host| !done.borrow().contains(host)).collect();
        if waiting.is_empty() {
            break;
        }
        begun += waiting.len();
        for host in waiting {
            let other = (host + 1 + luck.below(n as u64 - 1) as usize) % n;
            world.join(host, &[other]);
            world.run(Duration::from_millis(10));
        }
        world.run(QUIET);
    }
    assert_eq!(done.borrow().len(), n, "each had its exchange");
    begun - n
}

/// Whose exchange was answered.
#[derive(Debug)]
struct Exchanges(Rc<RefCell<BTreeSet<HostId>>>);

impl Checker for Exchanges {
    fn id(&self) -> &'static str {
        "exchanges"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        for event in step.events {
            if let EventKind::Seed { outcome: SeedOutcome::Joined { .. }, .. } = &event.kind {
                self.0.borrow_mut().insert(step.host);
            }
        }
        Ok(())
    }

    fn looks(&self) -> u64 {
        self.0.borrow().len() as u64
    }
}

fn prepare(world: &mut World<Node>) {
    for host in 0..world.hosts().len() {
        world.host_mut(host).cpu.receive_cost = HANDLING;
    }
}

/// How many members lack what another says of itself, summed over both.
fn holes(world: &World<Node>) -> usize {
    let said: BTreeMap<SocketAddr, Vec<u8>> = (0..world.hosts().len())
        .map(|host| world.node(host).local())
        .map(|own| (own.addr, own.meta.as_bytes().to_vec()))
        .collect();
    let known = |host| {
        let members = world.node(host).members();
        members.filter(|member| said[&member.addr] == member.meta.as_bytes()).count()
    };
    (0..said.len()).map(|host| said.len() - known(host)).sum()
}

/// What handling a packet takes.
const HANDLING: Duration = Duration::from_micros(50);
/// Before anything is measured.
const SETTLING: Duration = Duration::from_secs(2);
/// For how long idle traffic is counted.
const IDLE: Duration = Duration::from_secs(20);
/// After this an update that has not reached all is given up.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two updates.
const BETWEEN: Duration = Duration::from_secs(2);
/// Each update is sent 16 times by each of 1,000 members, three packets a round: more of them in a
/// second would not fit.
const UPDATE_EVERY: Duration = Duration::from_millis(100);
/// So often at most a member tries to exchange tables.
const TRIES_MAX: usize = 20;
/// By then nobody has anything to send any more.
const QUIET: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gc1_all_know_in_half_of_serfs_time() {
        for loss in [0.0, 0.25] {
            let gossip = Gossip { n: 128, interval: 0.2, fanout: 3, loss };
            let found = spread(gossip, 3, 1);
            for spread in &found.spreads {
                assert_eq!(spread.missed(), 0, "loss {loss}");
                let took = spread.when(0.999).expect("nobody missed it");
                // The bar is about the mean; a single update may be somewhat later.
                assert!(took <= gossip.serf_time(0.999) / 2.0 * 1.3, "loss {loss}: {took} s");
            }
            assert!(found.busy_rate < 1_400.0 * 3.0 / 0.2 * 2.0, "{}", found.busy_rate);
        }
    }

    #[test]
    fn gc1_who_idles_sends_as_much_among_many_as_among_few() {
        let rate = |n| spread(Gossip { n, interval: 0.2, fanout: 3, loss: 0.0 }, 1, 1).idle_rate;
        let (few, many) = (rate(30), rate(300));
        assert!((many / few - 1.0).abs() < 0.1, "{few} {many} B/s");
    }

    #[test]
    fn gc2_one_exchange_fills_what_gossip_left() {
        let missed = repair(100, 0.5, false, 1);
        assert!(missed.after_gossip > 0, "half of all packets were lost");
        assert_eq!(missed.after_exchange, 0, "{missed:?}");
        // As shipped, probes find most holes before that.
        let shipped = repair(100, 0.5, true, 1);
        assert_eq!(shipped.after_exchange, 0, "{shipped:?}");
        assert!(shipped.after_gossip < missed.after_gossip, "{shipped:?}, {missed:?}");
    }
}
