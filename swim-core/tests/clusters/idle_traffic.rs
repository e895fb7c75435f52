//! M3: a cluster in which nothing happens costs a ping and an ack per member and probe interval,
//! and nothing else: no gossip, no wakeups for nothing.

use crate::support::{MINUTE, SECOND, World, preset};
use swim_core::{Key, Keyring, MemberChange, Options, Profile};

/// Bytes of UDP payload sent per node and second, at most.
const BYTES_MAX: f64 = 217.0;
const BYTES_SEALED_MAX: f64 = 275.0;

#[test]
fn m3_an_idle_node_sends_two_packets_a_second() {
    for n in [2, 3, 30, 300] {
        let (packets, bytes) = idle(n, preset(Profile::Lan));
        println!("{n} members: {packets:.2} packets, {bytes:.1} bytes per node and second");
        assert!(packets <= 2.001, "{n} members: {packets} packets per node and second");
        assert!(bytes <= BYTES_MAX, "{n} members: {bytes} bytes per node and second");
    }
}

#[test]
fn m3_with_a_key_an_idle_node_sends_a_little_more() {
    let sealed = |options: &mut Options| {
        options.name = format!("ip-172-31-10-{}.ec2", &options.name[1..]);
        options.keyring = Some(Keyring::new(Key::generate([7; 32])));
    };
    let (packets, bytes) = idle(30, sealed);
    println!("sealed: {packets:.2} packets, {bytes:.1} bytes per node and second");
    assert!(packets <= 2.001 && bytes <= BYTES_SEALED_MAX);
}

/// After any burst of news the queues run dry, and gossip stops.
#[test]
fn m3_gossip_stops_when_all_is_said() {
    for n in [30, 100] {
        let mut world = World::acquainted(n, 1, |_| {});
        for id in 0..10 {
            world.shout(id);
            world.update(10 + id);
        }
        world.run(MINUTE);
        let rounds = world.sum(|stats| stats.gossip_rounds);
        let repairs = world.sum(|stats| stats.repairs + stats.broadcast_repairs);
        world.run(5 * MINUTE);
        assert_eq!(world.sum(|stats| stats.gossip_rounds), rounds, "gossip goes on");
        let later = world.sum(|stats| stats.repairs + stats.broadcast_repairs);
        assert_eq!(later, repairs, "repairs go on");
    }
}

/// A node that is alone says nothing at all, and wakes for nothing but its own timers.
#[test]
fn a_lone_node_is_silent() {
    let mut world = World::new(1);
    world.start(0, |_| {});
    world.shout(0);
    world.update(0);
    world.run(5 * MINUTE);
    assert_eq!(world.network.packets, 0);
}

/// Packets and bytes per node and second in a cluster that was left alone for a while.
fn idle(n: usize, options: impl Fn(&mut Options)) -> (f64, f64) {
    let mut world = World::acquainted(n, 1, options);
    world.run(30 * SECOND);
    let (packets, bytes) = (world.network.packets, world.network.bytes);
    let rounds = world.sum(|stats| stats.gossip_rounds);
    world.run(MINUTE);
    assert_eq!(world.sum(|stats| stats.gossip_rounds), rounds, "there is nothing to gossip");
    assert_eq!(world.count(MemberChange::Suspected), 0);
    let per_node = |count: u64| count as f64 / 60.0 / n as f64;
    (per_node(world.network.packets - packets), per_node(world.network.bytes - bytes))
}
