//! What a node missed is found by the next ping or ack, which compares what both sides know, and is
//! repaired at once. Push/pull is off throughout: it takes no part in this.
//!
//! One node neither gets nor sends packets for a second, in which the news makes its rounds and
//! dies
//! down. Its streams work, so that its probes and those of it are saved and nobody suspects it.
//! Then packets pass again, and the next comparison must show that it has a hole.

use std::time::Duration;

use crate::support::{Id, MINUTE, SECOND, World, preset, tally::Tally};
use swim_core::{Key, Keyring, MemberChange, Options, Profile, State};

const SIZE: usize = 16;
const DEAF: Id = 5;
/// Two probe intervals: within one the node probes somebody itself.
const SOON: Duration = Duration::from_secs(2);

fn without_push_pull(profile: Profile) -> impl Fn(&mut Options) {
    move |options| {
        preset(profile)(options);
        options.push_pull_interval = Duration::ZERO;
    }
}

#[test]
fn a_missed_broadcast() {
    let known = |w: &World| w.arrivals.len() == SIZE - 1;
    missed("a broadcast", |world| world.shout(3), known);
}

#[test]
fn a_missed_update() {
    let known = |w: &World| w.updates.len() == SIZE - 1;
    missed("an update", |world| world.update(3), known);
}

#[test]
fn a_missed_join() {
    let join = |world: &mut World| {
        world.start(SIZE, without_push_pull(Profile::Lan));
        world.join(SIZE, &[0]);
    };
    missed("a join", join, |w| w.view(DEAF, SIZE) == Some(State::Alive));
}

#[test]
fn a_missed_leave() {
    let known = |w: &World| w.view(DEAF, 3) == Some(State::Left);
    missed("a leave", |world| world.leave(3), known);
}

/// A member came back and asked nobody: the others know it, it does not know them. The first that
/// probes it must find that it is not known there.
#[test]
fn an_acquaintance_of_one_side() {
    for sealed in [false, true] {
        for seed in 1..=10 {
            let options = |options: &mut Options| {
                without_push_pull(Profile::Lan)(options);
                options.reconnect_interval = Duration::ZERO;
                options.keyring = sealed.then(|| Keyring::new(Key::generate([1; 32])));
            };
            let mut world = World::cluster(SIZE, seed, options);
            world.run(5 * SECOND);
            world.crash(DEAF);
            world.start(DEAF, options);
            let took = world.run_until(MINUTE, "all to know all", World::agree);
            assert!(took <= SOON + SECOND, "sealed {sealed}, seed {seed}: {took:?}");
        }
    }
}

/// Many holes at once are one hole: they are filled together.
#[test]
fn a_hundred_missed_broadcasts() {
    let shout = |world: &mut World| (0..100).for_each(|n| world.shout([0, 1, 2, 3][n % 4]));
    missed("a hundred broadcasts", shout, |w| w.arrivals.len() == 100 * (SIZE - 1));
}

fn missed(what: &str, news: impl Fn(&mut World), is_known: impl Fn(&World) -> bool) {
    let mut spans = Tally::default();
    for profile in [Profile::Lan, Profile::Local] {
        for seed in 1..=15 {
            let mut world = World::cluster(SIZE, seed, without_push_pull(profile));
            world.run(5 * SECOND);
            world.network.silence(DEAF, 0..=SIZE);
            news(&mut world);
            world.run(SECOND);
            assert!(!is_known(&world), "the hole was not made");
            let exchanges = world.sum(|stats| stats.exchanges);
            world.network.heal();
            let took = world.run_until(MINUTE, what, |w| is_known(w));
            spans.push(took);
            let exchanges = world.sum(|stats| stats.exchanges) - exchanges;
            world.run(MINUTE);
            world.check_mirrors();
            assert!(took <= SOON, "{what}, {profile} seed {seed}: {took:?}");
            assert!(exchanges <= 6, "{what}, {profile} seed {seed}: {exchanges} exchanges");
            assert_eq!(world.count(MemberChange::Failed), 0);
        }
    }
    println!("{what}: {spans}");
}
