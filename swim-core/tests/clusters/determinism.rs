//! One run is one list: the same seeds and inputs give the same outputs, byte for byte, in this
//! process and in another. (D1, D4)

use std::process::Command;

use crate::support::{self, Id, MILLISECOND, SECOND, World, network::Chance};
use swim_core::{EventKind, Key, Keyring, Name, Options};

/// Set in the second process, which prints its digests and ends.
const CHILD: &str = "SWIM_TEST_PRINT_DIGESTS";
const SEEDS: std::ops::RangeInclusive<u64> = 1..=8;

#[test]
fn d1_two_runs_are_equal() {
    for seed in SEEDS {
        assert_eq!(turbulence(seed), turbulence(seed), "seed {seed}");
    }
    assert_ne!(turbulence(1), turbulence(2), "the digest sees differences");
}

/// Another process has other addresses in memory, another environment, other hash seeds.
#[test]
fn d1_two_processes_are_equal() {
    let digests: Vec<String> = SEEDS.map(|seed| format!("{:016x}", turbulence(seed))).collect();
    let digests = digests.join(" ");
    if is_child() {
        println!("digests: {digests}");
        return;
    }
    let binary = std::env::current_exe().expect("a test runs from a file");
    let child = Command::new(binary)
        .args([
            "--exact",
            "determinism::d1_two_processes_are_equal",
            "--nocapture",
            "--test-threads",
            "1",
        ])
        .env(CHILD, "1")
        .env("SOMETHING_ELSE", "x".repeat(10_000))
        .output()
        .expect("the test can run itself");
    let text = String::from_utf8_lossy(&child.stdout);
    let printed = text.lines().find_map(|line| line.split_once("digests: "));
    assert_eq!(printed.expect("the child prints its digests").1, digests);
}

/// D4: a node that has nothing to do with the others changes nothing for them.
#[test]
fn d4_a_stranger_does_not_shift_the_luck_of_others() {
    let traces = |with_stranger: bool| {
        let mut world = World::new(3);
        world.trace = Some(0);
        world.network.loss = 100;
        world.start_all(6, |_| {});
        if with_stranger {
            world.start(6, |_| {});
            world.start(7, |_| {});
            world.join(7, &[6]);
        }
        for step in 0..30 {
            world.shout(step % 6);
            world.run(SECOND);
        }
        (0..6).map(|id| world.host(id).trace).collect::<Vec<u64>>()
    };
    let undisturbed = traces(false);
    assert_eq!(undisturbed, traces(true));
    assert!(undisturbed.iter().all(|trace| *trace != 0), "there is something to compare");
}

/// Nonces come from a stream of their own, so that sealing does not change who is probed when.
#[test]
fn sealing_does_not_change_who_is_probed() {
    let probes = |sealed: bool| {
        let mut world = World::new(5);
        world.start_all(8, |options| {
            options.report_probes = true;
            options.keyring = sealed.then(|| Keyring::new(Key::generate([1; 32])));
        });
        for step in 0..60 {
            world.update(step % 8);
            world.run(SECOND);
        }
        assert_eq!(world.sum(swim_core::Stats::rejected), 0);
        (0..8).map(|id| probed(&world, id)).collect::<Vec<_>>()
    };
    let plain = probes(false);
    assert!(plain.iter().all(|order| order.len() >= 58));
    assert_eq!(plain, probes(true));
}

/// Asking a node about itself is no input.
#[test]
fn looking_changes_nothing() {
    let trace = |look: bool| {
        let mut world = World::new(6);
        world.trace = Some(0);
        world.start_all(5, |_| {});
        for _ in 0..50 {
            world.run(100 * MILLISECOND);
            if look {
                let node = world.node(2);
                let members = node.members().count() + node.counts().total();
                let _ = (members, node.health(), node.stats().clone(), node.local(), node.stamp());
                let _ = (node.member("n3"), node.member_at(support::addr(1)), format!("{node:?}"));
            }
        }
        world.trace
    };
    assert_eq!(trace(false), trace(true));
}

/// A run in which much happens.
fn turbulence(seed: u64) -> u64 {
    let mut world = World::new(seed);
    world.trace = Some(0);
    let sealed = |options: &mut Options| {
        options.keyring = seed.is_multiple_of(2).then(|| Keyring::new(Key::generate([9; 32])));
    };
    world.start_all(9, sealed);
    let mut chance = Chance::new(seed);
    for _ in 0..60 {
        world.network.loss = chance.pick(&[0, 0, 50, 300]);
        world.network.doubles = chance.pick(&[0, 100]);
        world.network.stragglers = (chance.pick(&[0, 200]), 300 * MILLISECOND);
        let id = chance.below(9) as Id;
        match (chance.below(8), world.is_running(id)) {
            (0, true) if world.running().len() > 3 => world.crash(id),
            (0..4, false) => {
                let seeds = world.running();
                world.start(id, sealed);
                world.join(id, &seeds);
            }
            (1, true) => world.pause(id, chance.span(10 * SECOND)),
            (2, true) => world.shout(id),
            (3, true) => world.update(id),
            (4, true) => world.network.partition(&[id], &[(id + 1) % 9, (id + 2) % 9]),
            (5, _) => world.network.heal(),
            _ => {}
        }
        world.run(chance.span(3 * SECOND));
    }
    world.trace.expect("it traces")
}

fn probed(world: &World, id: Id) -> Vec<(u64, Name)> {
    let probes = world.host(id).events.iter().filter_map(|event| match &event.kind {
        EventKind::Probed { member, pong } => {
            Some(((event.at - pong.rtt).as_nanos(), member.clone()))
        }
        _ => None,
    });
    probes.collect()
}

#[expect(clippy::disallowed_methods, reason = "the test tells its child so")]
fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}
