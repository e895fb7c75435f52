//! L6: one sick node causes no failures of healthy nodes at healthy nodes. Lifeguard's reason to
//! be: "slow message processing .. causes healthy members to be accused".

use crate::support::{self, Id, MILLISECOND, MINUTE, SECOND, World};
use swim_core::{EventKind, MemberChange};

const SICK: Id = 4;

/// It hears no packets at all, and accuses everybody it probes.
#[test]
fn l6_deaf_to_packets() {
    for (n, seed) in [(8, 1), (8, 2), (32, 1), (64, 1)] {
        let mut world = World::cluster(n, seed, |_| {});
        world.network.deafen(SICK, 0..n);
        world.run(10 * MINUTE);
        healthy_nodes_are_not_failed(&world);
    }
}

/// And no streams either: only its own words get out.
#[test]
fn l6_deaf_to_everything() {
    for (n, seed) in [(8, 1), (8, 2), (32, 1), (64, 1)] {
        let mut world = World::cluster(n, seed, |_| {});
        world.network.cuts.extend((0..n).filter(|&id| id != SICK).map(|id| (id, SICK)));
        world.run(10 * MINUTE);
        healthy_nodes_are_not_failed(&world);
        world.network.heal();
        world.run_until(2 * MINUTE, "all to know all", World::agree);
        world.check_mirrors();
    }
}

#[test]
fn l6_half_of_its_packets_are_lost_both_ways() {
    for (n, seed) in [(8, 1), (8, 2), (32, 1), (64, 1)] {
        let mut world = World::cluster(n, seed, |_| {});
        world.network.node_loss = vec![(SICK, 500, 500)];
        world.run(10 * MINUTE);
        healthy_nodes_are_not_failed(&world);
        world.network.heal();
        world.run_until(MINUTE, "all to know all", World::agree);
    }
}

/// It runs for a moment and stands still for seconds, again and again, as a starved process does.
#[test]
fn l6_stopped_again_and_again() {
    for (n, run, stop) in [(8, 4, 508), (8, 50, 2_000), (32, 20, 8_000), (32, 500, 20_000)] {
        let mut world = World::cluster(n, 1, |_| {});
        let rounds = 5 * 60_000 / (run + stop);
        for _ in 0..rounds {
            world.pause(SICK, stop * MILLISECOND);
            world.run((run + stop) * MILLISECOND);
        }
        healthy_nodes_are_not_failed(&world);
        world.run_until(2 * MINUTE, "all to know all", World::agree);
        world.check_mirrors();
    }
}

/// Its own opinion of itself falls, and it probes more slowly. Lifeguard, LHA-Probe.
#[test]
fn a_deaf_node_knows_that_it_is_sick() {
    let mut world = World::cluster(8, 1, |options| options.stream_pings = false);
    world.network.deafen(SICK, 0..8);
    world.run(30 * SECOND);
    assert_eq!(world.node(SICK).health(), 7, "as bad as it gets");
    for id in world.running().into_iter().filter(|&id| id != SICK) {
        assert!(world.node(id).health() <= 3, "{id} thinks it is the sick one");
    }
}

fn healthy_nodes_are_not_failed(world: &World) {
    let sick = support::name(SICK);
    for id in world.running().into_iter().filter(|&id| id != SICK) {
        for event in &world.host(id).events {
            if let EventKind::Member { change: MemberChange::Failed, member } = &event.kind {
                assert_eq!(*member.name, *sick, "{id} failed it at {}", event.at);
            }
        }
    }
}
