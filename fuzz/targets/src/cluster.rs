//! Bytes as a script of what is done to three nodes and to the network between them, under the
//! simulator's checks and its reference model, which keeps step with every node.

use std::time::Duration;

use swim_core::{Dialect, Node};
use swim_sim::{Action, LinkChange, World, check};

use crate::script::Script;

/// A script of actions for a world of three nodes. The first byte is its seed.
///
/// # Panics
///
/// When a check finds something.
pub fn cluster(data: &[u8]) {
    let mut script = Script::new(data);
    let mut world: World<Node> = World::new(u64::from(script.byte()));
    for checker in check::for_world(SIZE, Dialect::Native) {
        world.watch(checker);
    }
    for id in 0..SIZE {
        world.start(id, |_| {});
        if id > 0 {
            world.join(id, &[0]);
        }
    }
    for _ in 0..STEPS_MAX {
        if script.is_over() {
            break;
        }
        let (action, after) = step(&mut script);
        world.act(&action, &|_, _| {});
        world.run(after);
        assert!(world.violation().is_none(), "{}", violation(&world));
    }
    world.act(&Action::Heal, &|_, _| {});
    world.run(END);
    assert!(world.violation().is_none(), "{}", violation(&world));
}

fn violation(world: &World<Node>) -> String {
    world.violation().map(ToString::to_string).unwrap_or_default()
}

/// One action, and how long the world runs after it.
fn step(script: &mut Script<'_>) -> (Action, Duration) {
    let (what, after) = (script.below(16), script.byte());
    let (host, other) = (script.below(SIZE), script.below(SIZE));
    let (host, other) = (host, if other == host { (other + 1) % SIZE } else { other });
    let amount = script.byte();
    let share = f64::from(amount) / 512.0;
    let span = Duration::from_millis(50) * u32::from(amount);
    let links = |change| Action::Links { change };
    let action = match what {
        0 => Action::Crash { host },
        1 => Action::Start { host, seeds: vec![other], forgetful: false },
        2 => Action::Leave { host },
        3 => Action::Join { host, seeds: vec![other] },
        4 => Action::Update { host },
        5 => Action::Broadcast { host },
        6 => Action::Freeze { host, span },
        7 => Action::Hold { host, span },
        8 => Action::Partition { groups: vec![vec![host]] },
        9 => Action::Mend,
        10 => links(LinkChange { loss: Some(share), ..LinkChange::default() }),
        11 => links(LinkChange {
            duplicates: Some(share),
            reordered: Some(share),
            ..LinkChange::default()
        }),
        12 => Action::Cut { from: vec![host], to: vec![other] },
        13 => Action::Remove { host, subject: other },
        14 => Action::Jump { host, span, back: amount & 1 == 1 },
        _ => links(LinkChange {
            flipped: Some(share),
            stream_resets: Some(share),
            ..LinkChange::default()
        }),
    };
    // Short steps mostly: most of what goes wrong needs things to happen at about the same time.
    let millis = u64::from(after) * u64::from(after) / 8;
    (action, Duration::from_millis(millis))
}

/// How many nodes there are.
const SIZE: usize = 3;

/// Actions of one script at most.
const STEPS_MAX: usize = 48;

/// For how long the world goes on once all is mended.
const END: Duration = Duration::from_secs(20);
