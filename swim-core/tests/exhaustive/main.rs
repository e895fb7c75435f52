//! Three real nodes, and everything that can happen to them in so many steps: every order in which
//! packets arrive, one of them lost, one node restarted, timers before packets and after them.
//!
//! What a test of chance may miss is not missed here, up to the bound. Equal states are looked at
//! once: a node is what it was told, and when. (C3)

use std::{collections::BTreeSet, time::Duration};

use swim_core::State;

mod local;
mod world;

use local::{Nodes, Rules};
use world::{Budget, World};

/// What was looked at.
#[derive(Debug, Default)]
struct Tally {
    states: usize,
    suspecting: usize,
    dead: usize,
    /// Where somebody took a third incarnation, and what comes after was not looked at.
    beyond: usize,
    ends: usize,
}

/// One packet is lost, whichever: nobody comes to doubt anybody.
#[test]
fn c3_l3_one_loss_puts_nobody_in_doubt_in_whatever_order_things_happen() {
    for helpers in [0, 1] {
        let tally = explore(Rules::with(helpers), Budget { losses: 1, restarts: 0, delays: 1 }, 24);
        assert!(tally.states > 3_000 && tally.ends > 300, "{tally:?}");
        assert_eq!(tally.suspecting, 0, "one packet is not enough");
    }
}

/// Two packets are lost, and nobody helps: who is in doubt says that it lives, and is believed.
#[test]
fn c3_l1_l4_doubt_is_healed_in_whatever_order_things_happen() {
    let tally = explore(Rules::with(0), Budget { losses: 2, restarts: 0, delays: 1 }, 26);
    assert!(tally.states > 20_000 && tally.ends > 2_000, "{tally:?}");
    assert!(tally.suspecting > 100, "somebody came to be in doubt: {tally:?}");
}

/// One node begins anew, knowing nobody, at any moment.
#[test]
fn c3_l9_a_restart_is_healed_in_whatever_order_things_happen() {
    let tally = explore(Rules::with(1), Budget { losses: 0, restarts: 1, delays: 1 }, 12);
    assert!(tally.states > 75_000 && tally.ends > 30_000, "{tally:?}");
}

/// One node begins anew, and one packet is lost.
#[test]
fn c3_l1_l9_a_loss_and_a_restart_are_healed_in_whatever_order_things_happen() {
    let tally = explore(Rules::with(1), Budget { losses: 1, restarts: 1, delays: 1 }, 9);
    assert!(tally.states > 45_000 && tally.ends > 25_000, "{tally:?}");
}

/// Nodes with a fault on purpose don't pass.
#[cfg(feature = "sabotage")]
#[test]
fn c2_faults_on_purpose_are_found() {
    use swim_core::Sabotage;
    let budget = Budget { losses: 2, restarts: 0, delays: 0 };
    explore(Rules::with(0), budget, 22); // Without one, nothing is found.
    for fault in [
        Sabotage::NeverRefutes,
        Sabotage::RefutesTooLow,
        Sabotage::BelievesItsOwnDeath,
        Sabotage::GoesBackToItsFirstStamp,
        Sabotage::KeepsOldSuspicions,
        Sabotage::InventsIncarnations,
    ] {
        let rules = Rules { fault: Some(fault), ..Rules::with(0) };
        let found = std::panic::catch_unwind(|| explore(rules, budget, 22));
        assert!(found.is_err(), "{fault:?} is not found");
    }
}

/// By then all agree: the longest suspicion, a round of probes, gossip.
const CALM: Duration = Duration::from_secs(30);

/// Looks at every state that can be reached in so many steps, level by level, and lets each of the
/// last level come to rest.
fn explore(rules: Rules, budget: Budget, steps: usize) -> Tally {
    let mut nodes = Nodes::new(rules);
    let first = World::new(&mut nodes, budget);
    assert!(first.agrees(&mut nodes), "they know each other");
    let mut seen = BTreeSet::from([first.key()]);
    let mut level = vec![first];
    let mut tally = Tally::default();
    for step in 0..steps {
        let mut next = Vec::new();
        for world in level {
            for choice in world.choices() {
                let after = world.after(&mut nodes, choice);
                if !after.is_within_two_incarnations() {
                    tally.beyond += 1;
                } else if seen.insert(after.key()) {
                    tally.suspecting += usize::from(after.holds(&mut nodes, State::Suspect));
                    tally.dead += usize::from(after.holds(&mut nodes, State::Dead));
                    next.push(after);
                }
            }
        }
        level = next;
        eprintln!("{step}: {} states, {} histories", level.len(), nodes.told());
    }
    tally.states = seen.len();
    tally.ends = level.len();
    assert_eq!(tally.beyond, 0, "some of what follows was left out");
    assert_eq!(tally.dead, 0, "no suspicion lasts for so few steps");
    for mut world in level {
        world.pass(&mut nodes, CALM);
        assert!(world.agrees(&mut nodes), "L1: at rest\n{}", world.beliefs(&mut nodes));
    }
    eprintln!("{budget:?}, {steps} steps: {tally:?}, {} histories", nodes.told());
    tally
}
