//! L10: keys are rotated in a living, lossy cluster: installed everywhere, used everywhere, the old
//! one removed everywhere, each node at a time of its own. No live node is failed by it.

use crate::support::{Id, MILLISECOND, MINUTE, SECOND, World, network::Chance};
use swim_core::{Key, KeyId, Keyring, KeyringError, MemberChange, Options, Reject};

const SIZE: usize = 10;

fn key(number: u8) -> Key {
    Key::generate([number; 32])
}

pub(crate) fn sealed(options: &mut Options) {
    options.keyring = Some(Keyring::new(key(1)));
}

#[test]
fn l10_under_loss() {
    for seed in 1..=5 {
        let mut world = World::cluster(SIZE, seed, sealed);
        world.network.loss = 150;
        let mut chance = Chance::new(seed);
        for round in 1..6 {
            rotate(&mut world, &mut chance, round);
        }
        calm(&mut world);
        assert_eq!(world.sum(swim_core::Stats::rejected), 0, "all understood each other");
    }
}

/// A node restarts in the midst of it, with the ring it had; another is stopped for a while.
#[test]
fn l10_with_a_restart_and_a_pause() {
    for seed in 1..=5 {
        let mut world = World::cluster(SIZE, seed, sealed);
        let mut chance = Chance::new(seed);
        let new = each(&mut world, &mut chance, |node, now| node.add_key(now, key(2)));
        world.crash(3);
        world.run(500 * MILLISECOND);
        let ring = Keyring::new(key(1)).with(key(2)).expect("room");
        world.start(3, |options| options.keyring = Some(ring));
        world.join(3, &[5]);
        world.pause(7, 3 * SECOND);
        each(&mut world, &mut chance, |node, now| node.use_key(now, new));
        world.run(5 * SECOND);
        each(&mut world, &mut chance, |node, now| node.remove_key(now, key(1).id()));
        calm(&mut world);
    }
}

/// Both halves of a partitioned cluster get all three steps; they meet again under the new key.
#[test]
fn l10_in_a_partition() {
    let mut world = World::cluster(SIZE, 1, sealed);
    let mut chance = Chance::new(1);
    world.network.partition(&[0, 1, 2, 3], &[4, 5, 6, 7, 8, 9]);
    world.run(20 * SECOND);
    rotate(&mut world, &mut chance, 1);
    world.network.heal();
    world.run_until(2 * MINUTE, "all to know all", World::agree);
    world.check_mirrors();
}

/// A node that missed the rotation is shut out, and let in once it has the key.
#[test]
fn l10_a_node_without_the_new_key_is_shut_out() {
    let mut world = World::cluster(4, 1, sealed);
    let new = key(2).id();
    for id in 0..3 {
        world.call(id, |node, now| node.add_key(now, key(2))).expect("room");
        world.call(id, |node, now| node.use_key(now, new)).expect("it is there");
        world.call(id, |node, now| node.remove_key(now, key(1).id())).expect("it is there");
    }
    world.run(MINUTE);
    assert!(world.sum(|stats| stats.rejected_for(Reject::UnknownKey)) > 0);
    assert_eq!(world.node(0).counts().live(), 3);
    world.call(3, |node, now| node.add_key(now, key(2))).expect("room");
    world.call(3, |node, now| node.use_key(now, new)).expect("it is there");
    world.join(3, &[0]);
    world.run_until(5 * SECOND, "all to know all", World::agree);
}

#[test]
fn commands_that_make_no_sense_are_errors() {
    let mut world = World::cluster(2, 1, sealed);
    let (one, two) = (key(1).id(), key(2).id());
    let error = world.call(0, |node, now| node.use_key(now, two));
    assert_eq!(error, Err(KeyringError::Unknown { id: two }));
    let error = world.call(0, |node, now| node.remove_key(now, one));
    assert_eq!(error, Err(KeyringError::Primary { id: one }));
    world.start(2, |_| {});
    let error = world.call(2, |node, now| node.add_key(now, key(1)));
    assert_eq!(error, Err(KeyringError::NoKeyring));
}

/// One whole rotation, from key `round` to the next.
pub(crate) fn rotate(world: &mut World, chance: &mut Chance, round: u8) {
    let (old, new) = (key(round), key(round + 1));
    each(world, chance, |node, now| node.add_key(now, new.clone()));
    each(world, chance, |node, now| node.use_key(now, new.id()));
    world.run(SECOND); // What is still under way was sealed with the old one.
    each(world, chance, |node, now| node.remove_key(now, old.id()));
}

/// Carries out a step at every node, in a random order and with pauses; returns the last result.
fn each<T>(
    world: &mut World,
    chance: &mut Chance,
    step: impl Fn(&mut swim_core::Node, swim_core::Instant) -> Result<T, KeyringError>,
) -> T {
    let mut ids: Vec<Id> = world.taking_part();
    chance.shuffle(&mut ids);
    let mut last = None;
    for id in ids {
        last = Some(world.call(id, &step).expect("a step in order"));
        world.run(chance.span(2 * SECOND));
    }
    last.expect("there are nodes")
}

fn calm(world: &mut World) {
    world.network.heal();
    world.run_until(MINUTE, "all to know all", World::agree);
    assert_eq!(world.count(MemberChange::Failed), 0, "a rotation fails nobody");
    let primary = |id: Id| world.node(id).keyring().expect("sealed").primary().id();
    let primaries: Vec<KeyId> = world.running().into_iter().map(primary).collect();
    assert!(primaries.iter().all(|id| *id == primaries[0]), "all use the same key");
    world.check_mirrors();
}
