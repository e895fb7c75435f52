//! A large cluster is no slower in what matters: broadcasts, updates, joins and leaves reach three
//! thousand members within a second, and a crash is noticed by all.

use std::time::Duration;

use crate::support::{MILLISECOND, MINUTE, SECOND, World, network::Chance, preset, tally::Tally};
use swim_core::{MemberChange, Profile};

const SIZE: usize = 3_000;
const SHOUTS: usize = 6;

#[test]
fn with_lan_settings() {
    a_day_in_a_large_cluster(Profile::Lan);
}

#[test]
#[ignore = "takes as long again; the lan settings run always"]
fn with_local_settings() {
    a_day_in_a_large_cluster(Profile::Local);
}

fn a_day_in_a_large_cluster(profile: Profile) {
    let mut world = World::acquainted(SIZE, 1, preset(profile));
    world.run(3 * SECOND);
    idle(profile, &mut world);
    for loss in [0, 50] {
        world.network.loss = loss;
        shout(profile, &mut world);
    }
    world.network.loss = 0;
    world.update(17);
    world.run(3 * SECOND);
    println!("{profile}, update: {}", world.updates);
    assert_eq!(world.updates.len(), SIZE - 1);
    assert!(world.updates.max() <= 1500 * MILLISECOND, "{}", world.updates);
    join(profile, &mut world);
    leave(profile, &mut world);
    world.crash(23);
    let took = world.run_until(3 * MINUTE, "all to notice a crash", World::is_settled);
    println!("{profile}, crash known everywhere after {took:?}");
    assert_eq!(world.count(MemberChange::Failed), world.running().len() as u64);
}

fn idle(profile: Profile, world: &mut World) {
    let (packets, bytes) = traffic(world, |world| world.run(3 * SECOND));
    println!("{profile}, idle: {packets:.2} packets, {bytes:.1} bytes per node and second");
    assert!(packets <= 2.01 && bytes <= 217.0);
}

/// Three broadcasts a second.
fn shout(profile: Profile, world: &mut World) {
    let mut chance = Chance::new(2);
    let loss = world.network.loss;
    world.arrivals.clear();
    let (packets, bytes) = traffic(world, |world| {
        for _ in 0..SHOUTS {
            world.shout(chance.below(SIZE as u64) as usize);
            world.run(SECOND / 3);
        }
    });
    world.run(4 * SECOND);
    println!(
        "{profile}, {}% loss: {}; {} later than 1 s; {packets:.1} packets, {bytes:.0} bytes per \
         node and second",
        loss / 10,
        world.arrivals,
        world.arrivals.later_than(SECOND),
    );
    assert_eq!(world.arrivals.len(), SHOUTS * (SIZE - 1), "everybody hears everything once");
    let bound = if loss == 0 { SECOND } else { 5 * SECOND };
    assert!(world.arrivals.max() <= bound, "{}", world.arrivals);
}

/// Packets and bytes per node and second while something happens.
fn traffic(world: &mut World, what: impl FnOnce(&mut World)) -> (f64, f64) {
    let (start, packets, bytes) = (world.now, world.network.packets, world.network.bytes);
    what(world);
    let span = world.now.saturating_since(start).as_secs_f64() * SIZE as f64;
    let per_node = |count: u64| count as f64 / span;
    (per_node(world.network.packets - packets), per_node(world.network.bytes - bytes))
}

fn join(profile: Profile, world: &mut World) {
    world.start(SIZE, preset(profile));
    world.join(SIZE, &[0]);
    let took = world.run_until(MINUTE, "all to know the newcomer", World::is_settled);
    println!("{profile}, newcomer known everywhere after {took:?}");
    assert!(took <= Duration::from_millis(1500), "{took:?}");
}

fn leave(profile: Profile, world: &mut World) {
    let mut spans = Tally::default();
    for id in 0..20 {
        world.leave(id);
        spans.push(world.run_until(MINUTE, "all to know", World::is_settled));
        world.crash(id);
    }
    println!("{profile}, leaves known everywhere: {spans}");
    assert!(spans.max() <= Duration::from_millis(1500), "{spans}");
    assert_eq!(world.count(MemberChange::Failed), 0);
    let observers = world.running().len() as u64;
    assert_eq!(world.count(MemberChange::Left), 20 * observers, "all see them all leave");
}
