//! The world itself: it repeats, and it does what it is told.

use std::time::Duration;

use swim_core::{Dialect, Key, Keyring, MemberChange, MemberlistOptions, Node, Options, Reject};
use swim_sim::{Action, Flood, Forger, History, Lie, Says, Torrent, Trace, Trap, World, check};

const SECOND: Duration = Duration::from_secs(1);

fn eventful(seed: u64) -> World {
    eventful_with(seed, Trace::new(), None)
}

fn eventful_with(seed: u64, trace: Trace, history: Option<History>) -> World {
    let mut world: World<Node> = World::new(seed);
    (world.trace, world.history) = (Some(trace), history);
    world.network.link.loss = 0.1;
    for id in 0..8 {
        world.start(id, |_| {});
        world.join(id, &[0]);
    }
    world.run(5 * SECOND);
    world.freeze(2, 3 * SECOND);
    world.crash(5);
    world.run(20 * SECOND);
    world.start(5, |_| {});
    world.join(5, &[1, 2]);
    world.leave(3);
    world.run(20 * SECOND);
    world
}

#[test]
fn d1_one_seed_has_one_history() {
    let digest = |seed| eventful(seed).trace.map(|trace| trace.digest());
    assert_eq!(digest(1), digest(1));
    assert_ne!(digest(1), digest(2));
}

/// D4: what happens does not depend on how much of it is written down.
#[test]
fn d4_a_line_in_a_log_changes_nothing() {
    let digest = |trace: Trace, history: Option<History>| {
        let mut world = eventful_with(1, trace, history);
        world.trace.take().map(|mut trace| (trace.finish().is_ok(), trace.digest()))
    };
    let silent = digest(Trace::new(), None);
    assert_eq!(silent, digest(Trace::to(Box::new(Vec::new())), Some(History::default())));
    assert_eq!(silent.map(|(is_written, _)| is_written), Some(true));
}

#[test]
fn acquainted_nodes_have_nothing_to_tell() {
    let mut world: World<Node> = World::acquainted(50, 1, |_, _| {});
    assert!(world.agree(), "{}", world.disagreements());
    world.run(30 * SECOND);
    assert!(world.agree(), "{}", world.disagreements());
    assert_eq!(world.tally.changes(MemberChange::Suspected), 0);
}

#[test]
fn a_frozen_node_is_suspected_and_recovers() {
    let mut world: World<Node> = World::acquainted(10, 1, |_, _| {});
    world.run(5 * SECOND);
    world.freeze(4, 4 * SECOND);
    world.run(30 * SECOND);
    assert!(world.tally.changes(MemberChange::Suspected) > 0);
    assert_eq!(world.tally.changes(MemberChange::Failed), 0);
    assert!(world.agree(), "{}", world.disagreements());
}

#[test]
fn a_held_node_is_heard_afterwards() {
    let mut world: World<Node> = World::acquainted(10, 1, |_, _| {});
    world.run(5 * SECOND);
    world.hold(4, 3 * SECOND);
    world.run(30 * SECOND);
    assert!(world.agree(), "{}", world.disagreements());
}

/// Five nodes that have a key, and all that looks on.
fn sealed(dialect: Dialect) -> World {
    let options = |_, options: &mut Options| {
        options.dialect = dialect;
        options.keyring = Some(Keyring::new(Key::generate([1; 32])));
    };
    let mut world = World::acquainted(5, 1, options);
    for checker in check::for_world(5, dialect) {
        world.watch(checker);
    }
    world.run(5 * SECOND);
    world
}

fn dialects() -> [Dialect; 2] {
    [Dialect::Native, Dialect::Memberlist(MemberlistOptions::default())]
}

const fn lie(says: Says) -> Lie {
    Lie { about: 2, more: 0, says, ahead: 0, lives: 0, table: false, bloat: 0 }
}

/// X2: of thousands of packets within a second, those are answered that somebody sealed who may,
/// the others are refused, and nobody is failed for it.
#[test]
fn x2_a_flood_is_refused_or_answered_and_fails_nobody() {
    for dialect in dialects() {
        let mut world = sealed(dialect);
        let asked = |by| Torrent::Lies { lie: lie(Says::Ping), by };
        let outsiders = [Torrent::Noise, Torrent::Strange, asked(Forger::Outsider)];
        for of in outsiders.into_iter().chain([asked(Forger::Insider)]) {
            let (before, refused) = (world.tally.packets_sent, world.node(0).stats().rejected());
            for word in 0..10 {
                let flood = Flood { of, times: 400, word };
                assert!(world.act(&Action::Flood { host: 0, from: 1, flood }, &|_, _| {}));
                world.run(SECOND / 10);
            }
            let refused = world.node(0).stats().rejected() - refused;
            let is_believed = of == asked(Forger::Insider);
            assert_eq!(refused, if is_believed { 0 } else { 4_000 }, "{of:?}");
            assert_eq!(world.tally.packets_sent - before >= 4_000, is_believed, "{of:?}");
        }
        world.run(60 * SECOND);
        assert!(world.violation().is_none(), "{:?}", world.violation());
        assert_eq!(world.tally.changes(MemberChange::Failed), 0);
        assert!(world.agree(), "{}", world.disagreements());
    }
}

/// X12: what takes a fortieth on the wire is taken in where there is room for it; what is not what
/// it says it is, is refused.
#[test]
fn x12_bombs_are_believed_and_traps_are_refused() {
    for dialect in dialects() {
        let mut world = sealed(dialect);
        let tell = |world: &mut World, lie| {
            let by = Forger::Insider;
            let action = Action::Forge { host: 0, from: 1, lie, by, victim: None };
            assert!(world.act(&action, &|_, _| {}));
            world.run(5 * SECOND);
            world.node(0).stats().rejected_for(Reject::Compression)
        };
        let bomb = Lie { table: true, bloat: 4 << 20, ahead: 1, ..lie(Says::Alive) };
        assert_eq!(tell(&mut world, bomb), 0);
        for (nth, trap) in [Trap::Less, Trap::More, Trap::Dense].into_iter().enumerate() {
            assert_eq!(tell(&mut world, lie(Says::Trap(trap))), 1 + nth as u64, "{trap:?}");
        }
        world.run(30 * SECOND);
        assert!(world.violation().is_none(), "{:?}", world.violation());
        assert!(world.agree(), "{}", world.disagreements());
        let mut told = world.tally.malice.keys();
        assert!(told.any(|what| what.ends_with("told bomb by insider")), "{dialect:?}");
    }
}
