//! X4: whoever recorded what nodes say to each other, and says it again, changes nothing: not in
//! what they believe, nor in what they queue, probe, wait for or tell their applications. Only
//! counters move, of what was received and refused.

use std::time::Duration;

use swim_core::{EventKind, Glimpse, Key, Keyring, Member, Options, Reject};

use crate::{
    key_rotation::{rotate, sealed},
    support::{Id, MILLISECOND, MINUTE, SECOND, World, addr, network::Chance},
};

type Recorded = [(Id, std::net::SocketAddr, swim_core::Bytes)];

/// X4, A2: what was recorded changes nothing when it comes again at once, after a restart of those
/// whom it was for, and after a rotation.
#[test]
fn x4_recorded_packets_are_worthless() {
    let mut world = World::cluster(5, 1, sealed);
    world.capture = Some(Vec::new());
    world.update(2);
    world.call(1, |node, now| node.broadcast(now, "words".into())).expect("room");
    world.leave(4);
    world.run(10 * SECOND);
    let recorded = world.capture.take().expect("switched on");
    assert!(recorded.len() > 50);
    replay(&mut world, &recorded, "at once");
    for id in [1, 3] {
        world.crash(id);
        world.start(id, sealed);
        world.join(id, &[0]);
    }
    world.run(10 * SECOND);
    let before = tables(&world);
    replay(&mut world, &recorded, "after a restart, to windows that forgot them");
    world.run(10 * SECOND);
    assert_eq!(tables(&world), before, "nor does it later");
    rotate(&mut world, &mut Chance::new(1), 1);
    replay(&mut world, &recorded, "after the rotation");
    assert!(world.sum(|stats| stats.rejected_for(Reject::Replayed)) > 50);
    assert!(world.sum(|stats| stats.rejected_for(Reject::UnknownKey)) > 50);
}

/// X4: what was said to a node before it started anew is worth nothing to it, at once and after it
/// has joined; whether there are clocks or not. It may be a recording.
#[test]
fn x4_nothing_recorded_counts_at_a_node_that_started_anew() {
    for has_clock in [true, false] {
        let sealed = |options: &mut Options| {
            options.keyring = Some(Keyring::new(Key::generate([1; 32])));
            options.unix_time = has_clock.then_some(Duration::from_secs(1_800_000_000));
        };
        let mut world = World::cluster(5, 1, sealed);
        world.capture = Some(Vec::new());
        world.update(2);
        world.leave(4);
        world.run(10 * SECOND);
        world.crash(3);
        world.run(MILLISECOND);
        let recorded = world.capture.take().expect("switched on");
        let to_it = recorded.iter().filter(|(_, to, _)| *to == addr(3)).count() as u64;
        assert!(to_it > 20);

        world.start(3, sealed);
        let alone = seen(&world, 3);
        let count = |world: &World| world.node(3).stats().rejected_for(Reject::FormerLife);
        for round in 1..=3 {
            for (from, _, data) in recorded.iter().chain(recorded.iter().rev()) {
                world.inject(3, addr(*from), data);
            }
            assert_eq!(count(&world), 2 * round * to_it);
        }
        assert_eq!(world.node(3).counts().total(), 1);
        assert_eq!(seen(&world, 3), alone);

        world.join(3, &[0]);
        let all_are_back = |world: &World| world.agree() && world.node(3).counts().live() == 4;
        world.run_until(MINUTE, "all to know all", all_are_back);
        let together = seen(&world, 3);
        for (from, _, data) in &recorded {
            world.inject(3, addr(*from), data);
        }
        assert_eq!(seen(&world, 3), together);
    }
}

/// Says all of it again, to everybody.
fn replay(world: &mut World, recorded: &Recorded, when: &str) {
    let ids = world.running();
    let before: Vec<_> = ids.iter().map(|&id| seen(world, id)).collect();
    for (from, _, data) in recorded {
        for &id in &ids {
            world.inject(id, addr(*from), data);
        }
    }
    for (&id, before) in ids.iter().zip(&before) {
        assert_eq!(seen(world, id), *before, "n{id}, replayed {when}");
    }
}

/// All that there is of a node: a glimpse, what it believes of its members and whom it suspects;
/// how many events it told, but for those of refusals; and how many streams it opened. Packets are
/// counted elsewhere: who started anew answers with who it is now, as it answers any packet for its
/// former life. (X6)
fn seen(world: &World, id: Id) -> (Glimpse, Vec<Member>, String, usize, u64) {
    let host = world.host(id);
    let members = host.node.members().chain([host.node.local()]).collect();
    let suspicions: Vec<_> = host.node.audit_suspicions().collect();
    let inside = format!("{:?} {suspicions:?}", host.node.audit_claims());
    let is_refusal = |kind: &EventKind| matches!(kind, EventKind::Rejected { .. });
    let told = host.events.iter().filter(|event| !is_refusal(&event.kind)).count();
    let glimpse = Glimpse::of(&host.node, &host.node.audit());
    (glimpse, members, inside, told, host.node.stats().streams_dialed)
}

fn tables(world: &World) -> Vec<Vec<Member>> {
    world.running().into_iter().map(|id| world.node(id).members().collect()).collect()
}
