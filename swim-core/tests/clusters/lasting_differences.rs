//! Where two nodes can't agree for good, comparing them must not make them exchange tables without
//! end: a lasting difference may cost about as much as push/pull does, not more.

use std::sync::Arc;

use crate::support::{Id, MINUTE, World, addr, name};
use swim_core::{Candidate, MemberChange, Options, Policy, Refused, State};

const SIZE: usize = 12;
/// What push/pull costs: each node asks one every half a minute, and both sides count it.
const PUSH_PULL_PER_MINUTE: f64 = 4.0;

/// Refuses one member.
struct Veto(String);

impl Policy for Veto {
    fn admit_member(&self, candidate: &Candidate<'_>) -> Result<(), Refused> {
        if candidate.name == self.0 { Err(Refused::new("not this one")) } else { Ok(()) }
    }
}

#[test]
fn one_node_refuses_one_member() {
    let mut world = World::new(1);
    let veto = |options: &mut Options| options.policy = Arc::new(Veto(name(7)));
    for id in 0..SIZE {
        if id == 3 { world.start(id, veto) } else { world.start(id, |_| {}) }
    }
    (1..SIZE).for_each(|id| world.join(id, &[0]));
    world.run(MINUTE);
    assert_eq!(world.view(3, 7), None);
    assert_eq!(world.view(4, 7), Some(State::Alive));
    no_storm(&mut world, &[3]);
    assert_eq!(world.count(MemberChange::Failed), 0);
}

/// L11, and what it costs: two clusters, each with a member of the same name, become one.
#[test]
fn two_members_of_one_name() {
    let mut world = World::new(2);
    let same_name = |options: &mut Options| {
        options.name = name(3);
        options.life = swim_core::Life(2_000);
    };
    for id in 0..SIZE {
        if id == 9 { world.start(id, same_name) } else { world.start(id, |_| {}) }
    }
    (1..6).for_each(|id| world.join(id, &[0]));
    (7..SIZE).for_each(|id| world.join(id, &[6]));
    world.run(MINUTE);
    world.join(7, &[1]);
    world.run(MINUTE);
    assert_eq!(world.member(0, 3).expect("a member").addr, addr(3));
    assert_eq!(world.member(6, 3).expect("a member").addr, addr(9));
    let camps: Vec<Id> = world.running();
    no_storm(&mut world, &camps);
}

/// A difference in what is refused by the address is a difference too.
#[test]
fn half_the_nodes_refuse_one_member() {
    let mut world = World::new(3);
    let veto = |options: &mut Options| options.policy = Arc::new(Veto(name(7)));
    for id in 0..SIZE {
        if id < 6 { world.start(id, veto) } else { world.start(id, |_| {}) }
    }
    (1..SIZE).for_each(|id| world.join(id, &[0]));
    world.run(MINUTE);
    assert_eq!(world.view(3, 7), None);
    no_storm(&mut world, &[]);
}

/// Ten minutes of it: neither the cluster nor those named take part in many exchanges.
fn no_storm(world: &mut World, especially: &[Id]) {
    let count = |world: &World, id: Id| {
        let stats = world.node(id).stats();
        stats.exchanges + stats.exchanges_failed
    };
    let before: Vec<u64> = (0..SIZE).map(|id| count(world, id)).collect();
    world.run(10 * MINUTE);
    let per_minute = |id: Id| (count(world, id) - before[id]) as f64 / 10.0;
    let mean = (0..SIZE).map(per_minute).sum::<f64>() / SIZE as f64;
    let worst = especially.iter().map(|&id| per_minute(id)).fold(0.0, f64::max);
    println!(
        "exchanges per minute: {mean:.1} per node, {worst:.1} at the worst of those concerned"
    );
    assert!(mean <= 2.0 * PUSH_PULL_PER_MINUTE, "{mean} exchanges per node and minute");
    assert!(worst <= 3.0 * PUSH_PULL_PER_MINUTE, "{worst} exchanges per minute at one node");
}
