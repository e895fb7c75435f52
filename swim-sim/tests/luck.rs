//! D4: luck belongs to what it is for. What is added to a world (nodes, a fault of a link, somebody
//! who writes down or checks) changes the draws of nobody else, neither of packets nor of streams.

use std::time::Duration;

use swim_core::{Dialect, Node};
use swim_sim::{
    Action, Forger, History, Lie, Says, Trace, World, check, network::Link, record::Recorder,
};

const SECOND: Duration = Duration::from_secs(1);

/// A link on which everything goes wrong now and then.
const BAD: Link = Link {
    loss: 0.2,
    duplicates: 0.1,
    reordered: 0.2,
    reordered_by: SECOND,
    flipped: 0.05,
    truncated: 0.05,
    stream_resets: 0.1,
    stream_stalls: 0.1,
    ..Link::LAN
};

/// What happened to three nodes with bad links, where `add` adds to the world what is none of
/// their business.
fn history_of_three(add: impl FnOnce(&mut World<Node>)) -> [u64; 3] {
    history(3, add)
}

/// The same with this seed.
fn history(seed: u64, add: impl FnOnce(&mut World<Node>)) -> [u64; 3] {
    let mut world: World<Node> = World::new(seed);
    world.trace = Some(Trace::new());
    for from in 0..3 {
        for to in 0..3 {
            world.network.set_link(from, to, BAD);
        }
    }
    add(&mut world);
    for id in 0..3 {
        world.start(id, |options| options.push_pull_interval = SECOND);
        world.join(id, &[0]);
    }
    world.run(60 * SECOND);
    assert!(world.tally.streams_reset > 3 && world.tally.streams_stalled > 3);
    let trace = world.trace.take().expect("it was traced");
    [0, 1, 2].map(|id| trace.digest_of(id))
}

/// A cluster of its own beside the three.
fn neighbours(world: &mut World<Node>, count: usize) {
    for id in 3..3 + count {
        world.start(id, |options| {
            options.label = "others".into();
            options.push_pull_interval = SECOND;
        });
        world.join(id, &[3]);
    }
}

#[test]
fn d4_other_nodes_change_nobodys_luck() {
    let alone = history_of_three(|_| {});
    for count in [1, 2, 5] {
        assert_eq!(history_of_three(|world| neighbours(world, count)), alone, "{count} more");
    }
    let other_seed = history(4, |_| {});
    assert_ne!(other_seed, alone, "a test that sees no luck at all");
}

#[test]
fn d4_faults_elsewhere_change_nobodys_luck() {
    let alone = history_of_three(|_| {});
    let faulty = |link: Link| {
        history_of_three(|world| {
            neighbours(world, 3);
            for (from, to) in [(3, 4), (4, 3), (5, 3), (3, 0), (1, 5)] {
                world.network.set_link(from, to, link);
            }
        })
    };
    for link in [
        BAD,
        Link { loss: 1.0, ..Link::LAN },
        Link { stream_resets: 1.0, ..Link::LAN },
        Link { stream_stalls: 1.0, ..Link::LAN },
    ] {
        assert_eq!(faulty(link), alone, "{link:?}");
    }
    let cut = history_of_three(|world| {
        neighbours(world, 3);
        world.network.cut(3, 4);
        world.crash(5);
    });
    assert_eq!(cut, alone);
}

#[test]
fn d4_who_looks_changes_nobodys_luck() {
    let alone = history_of_three(|_| {});
    let checked = history_of_three(|world| {
        for checker in check::for_world(3, Dialect::Native) {
            world.watch(checker);
        }
    });
    assert_eq!(checked, alone);
    let written = history_of_three(|world| {
        world.trace = Some(Trace::to(Box::new(std::io::sink())));
        world.history = Some(History::default());
        // A recorder begins with what it sees of the world.
        let _ = Recorder::new(world, "a record", 60 * SECOND);
    });
    assert_eq!(written, alone);
}

/// What is forged for one is no business of the luck of others either.
#[test]
fn d4_who_lies_to_others_changes_nobodys_luck() {
    let alone = history_of_three(|_| {});
    let with_liars = history_of_three(|world| {
        neighbours(world, 3);
        world.run(Duration::ZERO);
        let (about, says) = (3, Says::Dead);
        let lie = Lie { about, more: 0, says, ahead: 1, lives: 0, table: false, bloat: 0 };
        let action = Action::Forge { host: 5, from: 4, lie, by: Forger::Insider, victim: None };
        assert!(world.act(&action, &|_, _| {}));
    });
    assert_eq!(with_liars, alone);
}
