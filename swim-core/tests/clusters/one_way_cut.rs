//! L5: where not every path is cut, nobody is failed: helpers and streams find a way around.

use crate::support::{self, Id, MINUTE, SECOND, World};
use swim_core::{EventKind, MemberChange, Options};

/// SWIM 3.1: "k members at random" are asked to ping on our behalf, because the path between two
/// members may be broken while both live.
#[test]
fn l5_one_direction_between_two() {
    for seed in 1..=5 {
        let mut world = World::cluster(8, seed, |_| {});
        world.network.cuts.insert((2, 5));
        nobody_fails(&mut world);
        assert!(world.sum(|stats| stats.probes_saved_by_relay) > 10, "helpers were needed");
    }
}

#[test]
fn l5_both_directions_between_two() {
    for seed in 1..=5 {
        let mut world = World::cluster(8, seed, |_| {});
        world.network.partition(&[2], &[5]);
        nobody_fails(&mut world);
    }
}

/// Two halves that share one member, which alone can talk to all.
#[test]
fn l5_two_halves_with_a_bridge() {
    for seed in 1..=5 {
        let all_helpers = |options: &mut Options| options.indirect_probes = 8;
        let mut world = World::cluster(9, seed, all_helpers);
        world.network.partition(&[0, 1, 2, 3], &[5, 6, 7, 8]);
        nobody_fails(&mut world);
    }
}

/// One node can send nothing to half of the others, but they reach it. Its accusations must not
/// all be lost there: when they were (seeds 7, 21, 186, and with rare exchanges one in twenty),
/// nobody could refute them.
#[test]
fn l5_one_node_that_half_of_the_others_do_not_hear() {
    for seed in 1..=200 {
        let mut world = World::cluster(9, seed, |_| {});
        world.network.cuts.extend([5, 6, 7, 8].map(|other| (0, other)));
        nobody_fails(&mut world);
    }
}

/// A filter that drops datagrams but lets streams pass: the stream ping saves the probe, and the
/// application is told.
#[test]
fn l5_packets_only_are_lost_between_one_and_all() {
    for seed in 1..=3 {
        let mut world = World::cluster(6, seed, |_| {});
        world.network.silence(4, 0..6);
        nobody_fails(&mut world);
        assert!(world.sum(|stats| stats.probes_saved_by_stream) > 100);
        for id in [0, 1, 2, 3, 5] {
            assert!(packets_lost(&world, id, 4), "{id} was not told, seed {seed}");
        }
    }
}

/// Without stream pings there is no other path, and the member is failed.
#[test]
fn packets_are_all_there_is_without_stream_pings() {
    let mut world = World::cluster(6, 1, |options| options.stream_pings = false);
    world.network.silence(4, 0..6);
    world.run(2 * MINUTE);
    assert_eq!(
        world.changes(0, 4)[..3],
        [MemberChange::Joined, MemberChange::Suspected, MemberChange::Failed]
    );
}

/// Five minutes of it, then calm.
fn nobody_fails(world: &mut World) {
    world.run(5 * MINUTE);
    assert_eq!(world.count(MemberChange::Failed), 0, "{}", world.disagreements());
    world.network.heal();
    world.run_until(30 * SECOND, "all to know all", World::agree);
    world.check_mirrors();
}

fn packets_lost(world: &World, id: Id, about: Id) -> bool {
    let about = support::name(about);
    world
        .host(id)
        .events
        .iter()
        .any(|event| matches!(&event.kind, EventKind::PacketsLost { member } if **member == *about))
}
