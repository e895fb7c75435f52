//! What is promised as a rate and not for each run: who is failed falsely, who is taken back in
//! time, and what an idle cluster sends. All of it in virtual time, with the settings for one data
//! centre.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    time::Duration,
};

use swim_core::{EventKind, MemberChange, Node, State};
use swim_sim::{
    Step, World,
    check::Checker,
    network::{HostId, Latency},
};

const SECOND: Duration = Duration::from_secs(1);

/// Who failed whom.
type Failures = Rc<RefCell<BTreeMap<HostId, BTreeSet<String>>>>;

/// Writes down who failed whom.
struct Witness(Failures);

impl Checker for Witness {
    fn id(&self) -> &'static str {
        "witness"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        for event in step.events {
            if let EventKind::Member { change: MemberChange::Failed, member } = &event.kind {
                let mut failures = self.0.borrow_mut();
                failures.entry(step.host).or_default().insert(member.name.to_string());
            }
        }
        Ok(())
    }

    fn looks(&self) -> u64 {
        1
    }
}

fn witnessed(size: usize, seed: u64) -> (World, Failures) {
    let mut world: World<Node> = World::acquainted(size, seed, |_, _| {});
    let failures = Failures::default();
    world.watch(Box::new(Witness(Rc::clone(&failures))));
    (world, failures)
}

/// How many healthy nodes were failed at healthy ones while `sick` was sick.
fn harm(seed: u64, sick: HostId, make_sick: impl Fn(&mut World)) -> usize {
    let (mut world, failures) = witnessed(NODES, seed);
    world.run(3 * SECOND);
    make_sick(&mut world);
    world.run(90 * SECOND);
    let sick_name = world.name_of(sick);
    let failures = failures.borrow();
    let healthy = failures.iter().filter(|(host, _)| **host != sick);
    healthy.map(|(_, failed)| failed.iter().filter(|name| **name != sick_name).count()).sum()
}

#[test]
fn l6_a_node_that_hears_nothing_harms_itself_only() {
    for seed in 0..SEEDS {
        let harm = harm(seed, SICK, |world| world.network.ends_mut(SICK).loss_received = 1.0);
        assert_eq!(harm, 0, "seed {seed}");
    }
}

#[test]
fn l6_a_node_that_loses_half_of_everything_harms_itself_only() {
    for seed in 0..SEEDS {
        let harm = harm(seed, SICK, |world| {
            let ends = world.network.ends_mut(SICK);
            (ends.loss_sent, ends.loss_received) = (0.5, 0.5);
        });
        assert_eq!(harm, 0, "seed {seed}");
    }
}

#[test]
fn l6_a_node_that_gets_no_processor_harms_itself_only() {
    for seed in 0..SEEDS {
        let harm = harm(seed, SICK, |world| {
            world.starve(SICK, SECOND / 10, 8 * SECOND, 90 * SECOND);
        });
        assert_eq!(harm, 0, "seed {seed}");
    }
}

#[test]
fn l3_nobody_is_failed_for_a_little_loss() {
    for seed in 0..4 {
        let (mut world, failures) = witnessed(NODES, seed);
        world.network.link.loss = 0.05;
        world.run(600 * SECOND);
        assert!(failures.borrow().is_empty(), "seed {seed}: {:?}", failures.borrow());
    }
}

/// L3 as it is promised, for six minutes: the experiment of that name is the long version.
#[test]
fn l3_nobody_is_failed_for_a_little_loss_on_a_slow_network() {
    let (mut world, failures) = witnessed(128, 1);
    let quarter = world.node(0).audit_options().probe_interval / 4;
    world.network.link.loss = 0.05;
    world.network.link.latency = Latency::Uniform(Duration::ZERO, quarter);
    world.run(360 * SECOND);
    assert!(failures.borrow().is_empty(), "{:?}", failures.borrow());
    assert!(world.tally.changes(MemberChange::Suspected) > 0, "nobody was even suspected");
}

/// L2: whoever dies at any time of a period is suspected within two periods, in the mean. It is so
/// close to them that a mean of some hundred crashes lies above now and then: it must not do so by
/// more than it scatters.
#[test]
fn l2_a_crash_is_noticed_within_two_periods() {
    const CRASHES: u32 = 400;
    let mut waits = Vec::new();
    for seed in 0..CRASHES {
        let mut world: World<Node> = World::acquainted(NODES, u64::from(seed), |_, _| {});
        let period = world.node(0).audit_options().probe_interval;
        world.run(2 * SECOND);
        world.crash(SICK);
        let is_noticed = |world: &World| {
            world.taking_part().any(|id| world.view(id, SICK) == Some(State::Suspect))
        };
        let wait = world.run_until(60 * SECOND, is_noticed).expect("somebody misses it");
        waits.push(wait.as_secs_f64() / period.as_secs_f64());
    }
    let mean = waits.iter().sum::<f64>() / f64::from(CRASHES);
    let variance = waits.iter().map(|wait| (wait - mean) * (wait - mean)).sum::<f64>();
    let error = variance.sqrt() / f64::from(CRASHES);
    assert!(mean - 2.0 * error <= 2.0, "{mean} +- {error} periods in the mean");
    assert!(mean > 1.0, "{mean} periods are less than any probe takes");
}

/// L7: who joins knows and is known, both of it soon and by all.
#[test]
fn l7_who_joins_is_known_everywhere_soon() {
    const JOINS: u64 = 1_000;
    let mut late = 0;
    for seed in 0..JOINS {
        let mut world: World<Node> = World::acquainted(NODES, seed, |_, _| {});
        world.run(SECOND / 10);
        world.start(NODES, |_| {});
        world.join(NODES, &[SICK]);
        late += u64::from(world.run_until(SECOND, World::agree).is_none());
    }
    assert!(late * 1_000 <= JOINS, "{late} of {JOINS} were not known everywhere after a second");
}

/// L4: a node reaches nobody until somebody suspects it. From then on the suspicion may last for a
/// shortest time, within which all must have taken it back.
#[test]
fn l4_a_false_suspicion_is_taken_back_in_time() {
    let (mut tries, mut late) = (0, 0);
    for seed in 0..50 {
        let mut world: World<Node> = World::acquainted(NODES, seed, |_, _| {});
        world.run(2 * SECOND);
        let ends = world.network.ends_mut(SICK);
        (ends.loss_sent, ends.loss_received) = (1.0, 1.0);
        let others = || (0..NODES).filter(|&id| id != SICK);
        let is_suspected =
            |world: &World| others().any(|id| world.view(id, SICK) == Some(State::Suspect));
        world.run_until(60 * SECOND, is_suspected).expect("somebody misses it");
        let ends = world.network.ends_mut(SICK);
        (ends.loss_sent, ends.loss_received) = (0.0, 0.0);
        tries += 1;
        let is_alive =
            |world: &World| others().all(|id| world.view(id, SICK) == Some(State::Alive));
        late += usize::from(world.run_until(SHORTEST, is_alive).is_none());
    }
    assert_eq!((tries, late), (50, 0));
}

/// M3: a ping and an ack for each node and interval; gossip only where there is news; and the rare
/// exchange of tables, which needs no packets.
#[test]
fn m3_an_idle_cluster_is_idle() {
    let mut world: World<Node> = World::acquainted(NODES, 1, |_, _| {});
    world.run(10 * SECOND);
    let (packets, rounds) = (world.tally.packets_sent, world.sum(|stats| stats.gossip_rounds));
    let seconds = 120;
    world.run(seconds * SECOND);
    let sent = world.tally.packets_sent - packets;
    let most = 2 * NODES as u64 * u64::from(seconds);
    assert!(sent <= most + NODES as u64, "{sent} packets, {most} are two for each interval");
    assert_eq!(world.sum(|stats| stats.gossip_rounds), rounds, "there was no news");
    for id in world.running() {
        let audit = world.node(id).audit();
        assert!(audit.claims == 0 && !audit.broadcast_waits, "host {id} has something to tell");
    }
}

/// M3: queues are empty again when everybody knows.
#[test]
fn m3_news_is_told_and_done() {
    let mut world: World<Node> = World::acquainted(NODES, 2, |_, _| {});
    world.run(5 * SECOND);
    assert!(world.update(3) && world.shout(4));
    let is_done = |world: &World| {
        world.running().all(|id| {
            let audit = world.node(id).audit();
            audit.claims == 0 && !audit.broadcast_waits
        })
    };
    world.run(SECOND / 100);
    assert!(!is_done(&world));
    world.run_until(15 * SECOND, is_done).expect("an end of the news");
    assert_eq!(world.tally.arrivals.len(), NODES - 1);
    assert!(world.agree(), "{}", world.disagreements());
}

/// M3: neither the packets of an idle node nor how many there are grow with the cluster.
#[test]
fn m3_an_idle_node_sends_as_much_among_many_as_among_few() {
    let bytes = |size: usize| {
        let mut world: World<Node> = World::acquainted(size, 1, |_, _| {});
        world.run(30 * SECOND);
        let (packets, bytes) = (world.tally.packets_sent, world.tally.packet_bytes_sent);
        (bytes / packets, packets / size as u64)
    };
    let (few, many) = (bytes(8), bytes(256));
    assert!(many.0 <= few.0 + 4 && many.1 <= few.1 + 2, "{few:?} and {many:?}");
}

/// So many nodes there are.
const NODES: usize = 24;

/// One of them is not well.
const SICK: HostId = 5;

/// So many clusters are tried.
const SEEDS: u64 = 12;

/// The shortest suspicion among so many: four intervals, times the logarithm of their number.
const SHORTEST: Duration = Duration::from_millis(5_520);
