//! Clusters of our nodes in memberlist's dialect: the same machine, with words that say less.

use std::time::Duration;

use crate::support::{self, Id, MINUTE, SECOND, World};
use swim_core::{
    Bytes, Dialect, EventKind, Key, Keyring, Life, MemberChange, MemberlistOptions, Options,
    SeedOutcome, State, Stats,
};

const SIZE: usize = 8;

/// The ways in which a cluster of this dialect may be set up.
#[derive(Clone, Copy, Debug)]
enum Setup {
    Plain,
    Sealed,
    /// In version 1 of the protocol, with padded envelopes and nothing compressed.
    Old,
}

impl Setup {
    const ALL: [Self; 3] = [Self::Plain, Self::Sealed, Self::Old];

    fn apply(self, options: &mut Options) {
        let mut memberlist = MemberlistOptions::default();
        match self {
            Self::Plain => {}
            Self::Sealed => {
                options.label = "blue".into();
                options.keyring = Some(Keyring::new(key(1)));
            }
            Self::Old => {
                memberlist.protocol.current = 1;
                memberlist.compression = false;
                options.keyring = Some(Keyring::new(key(1)));
            }
        }
        options.dialect = Dialect::Memberlist(memberlist);
    }
}

fn key(number: u8) -> Key {
    Key::generate([number; 32])
}

fn plain(options: &mut Options) {
    Setup::Plain.apply(options);
}

/// Who got which messages.
fn messages(world: &World, id: Id) -> Vec<(String, Bytes, bool)> {
    let events = world.host(id).events.iter();
    let message = |kind: &EventKind| match kind {
        EventKind::Message { from, payload, reliable, .. } => {
            Some((from.as_str().to_owned(), payload.clone(), *reliable))
        }
        _ => None,
    };
    events.filter_map(|event| message(&event.kind)).collect()
}

#[test]
fn o1_all_find_together_and_nobody_fails() {
    for setup in Setup::ALL {
        for seed in 1..=3 {
            let mut world = World::cluster(SIZE, seed, |options| setup.apply(options));
            world.run(2 * MINUTE);
            assert!(world.agree(), "{setup:?}");
            world.check_mirrors();
            assert_eq!(world.count(MemberChange::Failed), 0, "{setup:?}");
            assert_eq!(world.sum(Stats::rejected), 0, "all understood each other: {setup:?}");
            let through = SeedOutcome::Joined { name: "n0".parse().expect("a name") };
            assert_eq!(world.seed_outcomes(3), [through]);
            assert!((0..SIZE).all(|id| world.node(id).stamp().life == Life(0)));
        }
    }
}

#[test]
fn who_crashes_is_failed_and_comes_back_under_its_name() {
    for setup in Setup::ALL {
        let mut world = World::cluster(SIZE, 1, |options| setup.apply(options));
        world.crash(3);
        let failed = |w: &World| w.count(MemberChange::Failed) == SIZE as u64 - 1;
        world.run_until(MINUTE, "all to notice", failed);
        // It begins at incarnation 1 again, hears that it is dead, and outbids that.
        world.start(3, |options| setup.apply(options));
        world.join(3, &[0]);
        world.run_until(MINUTE, "all to know all", World::agree);
        assert!(world.node(3).stamp().incarnation.0 > 1);
        world.check_mirrors();
    }
}

#[test]
fn l4_the_falsely_suspected_refute() {
    let mut world = World::cluster(SIZE, 1, |options| {
        plain(options);
        options.stream_pings = false; // They would save every probe: streams lose nothing here.
    });
    world.network.loss = 200;
    world.run(10 * MINUTE);
    world.network.loss = 0;
    world.run_until(MINUTE, "all to know all", World::agree);
    assert!(world.sum(|stats| stats.refutations) > 0, "somebody was suspected");
    assert!(world.sum(|stats| stats.probes_saved_by_relay) > 0, "helpers passed acks on");
    assert_eq!(world.count(MemberChange::Failed), 0);
    world.check_mirrors();
}

#[test]
fn nacks_keep_the_score_of_the_healthy() {
    let mut world = World::cluster(SIZE, 1, plain);
    world.crash(5);
    world.run(20 * SECOND);
    assert!(world.sum(|stats| stats.nacks) > 0);
    assert_eq!(world.node(0).health(), 0);
}

#[test]
fn l5_a_partition_heals() {
    let mut world = World::cluster(SIZE, 2, plain);
    world.network.partition(&[0, 1, 2], &[3, 4, 5, 6, 7]);
    world.run(2 * MINUTE);
    assert_eq!(world.node(0).counts().live(), 3);
    world.network.heal();
    world.run_until(3 * MINUTE, "all to know all", World::agree);
    world.check_mirrors();
}

#[test]
fn who_leaves_is_gone_and_may_return() {
    for setup in Setup::ALL {
        let mut world = World::cluster(SIZE, 1, |options| setup.apply(options));
        world.leave(2);
        world.run_until(10 * SECOND, "the leave to finish", |w| w.node(2).has_left());
        world.run_until(10 * SECOND, "all to know", |w| {
            (0..SIZE).all(|id| id == 2 || w.view(id, 2) == Some(State::Left))
        });
        assert_eq!(world.count(MemberChange::Failed), 0, "{setup:?}");
        let before = world.node(2).stamp();
        world.join(2, &[5]);
        world.run_until(10 * SECOND, "all to know all", World::agree);
        let after = world.node(2).stamp();
        assert!(after.life == Life(0) && after > before, "the next incarnation: {after}");
        world.check_mirrors();
    }
}

/// One that left frees its name, as in Go, for whoever comes next and wherever it is.
#[test]
fn the_name_of_one_that_left_is_free() {
    let mut world = World::cluster(SIZE, 1, plain);
    world.update(2);
    world.update(2); // So that the next one of that name has a lower incarnation.
    world.leave(2);
    world.run_until(10 * SECOND, "the leave to finish", |w| w.node(2).has_left());
    world.run(5 * SECOND);
    world.crash(2);
    let elsewhere = support::addr(77);
    world.start(2, |options| {
        plain(options);
        options.addr = elsewhere;
    });
    world.join(2, &[0]);
    world.run(20 * SECOND);
    for id in [0, 1, 3, 7] {
        let member = world.member(id, 2).expect("it is known");
        assert_eq!((member.addr, member.state), (elsewhere, State::Alive), "to {id}");
    }
    world.check_mirrors();
}

#[test]
fn a_name_in_use_is_not() {
    let mut world = World::cluster(SIZE, 1, plain);
    world.start(20, |options| {
        plain(options);
        options.name = support::name(4);
    });
    world.join(20, &[0]);
    world.run(30 * SECOND);
    for id in [0, 1, 5] {
        let member = world.member(id, 4).expect("it is known");
        assert_eq!((member.addr, member.state), (support::addr(4), State::Alive));
    }
    assert!(world.sum(|stats| stats.conflicts) > 0);
}

#[test]
fn messages_and_broadcasts_arrive_as_words_without_a_source_but_their_address() {
    for setup in Setup::ALL {
        let mut world = World::cluster(5, 1, |options| setup.apply(options));
        let long = Bytes::from(vec![7; 300_000]);
        world.call(1, |node, now| node.broadcast(now, Bytes::from_static(b"all"))).expect("fits");
        world.call(1, |node, now| node.send_best_effort(now, "n2", b"one")).expect("fits");
        let reliable = long.clone();
        world.call(1, |node, now| node.send_reliable(now, "n3", reliable)).expect("fits");
        world.run(10 * SECOND);
        for id in [0, 2, 3, 4] {
            let all = ("n1".to_owned(), Bytes::from_static(b"all"), false);
            let got = messages(&world, id).into_iter().filter(|message| *message == all).count();
            assert_eq!(got, 1, "{setup:?}: {id} is told by whom it knows to be there");
        }
        assert!(messages(&world, 2).contains(&(
            "n1".to_owned(),
            Bytes::from_static(b"one"),
            false
        )));
        // A stream comes from any port: who dialed is not known.
        let whole = |message: &(String, Bytes, bool)| message.1 == long && message.2;
        assert_eq!(messages(&world, 3).into_iter().filter(whole).count(), 1);
        let finished =
            |kind: &EventKind| matches!(kind, EventKind::SendFinished { result: Ok(()), .. });
        assert_eq!(world.host(1).events.iter().filter(|event| finished(&event.kind)).count(), 1);
    }
}

#[test]
fn metadata_and_state_reach_all() {
    let mut world = World::new(1);
    for id in 0..4 {
        world.start(id, plain);
        let state = Bytes::from(vec![id as u8; 100_000]);
        world.call(id, |node, _| node.set_local_state(state)).expect("fits");
    }
    for id in 1..4 {
        world.join(id, &[0]);
    }
    world.run_until(MINUTE, "all to know all", World::agree);
    world.call(3, |node, now| node.update_meta(now, Bytes::from_static(b"new"))).expect("fits");
    world.run(5 * SECOND);
    assert!((0..4).all(|id| world.member(id, 3).is_some_and(|member| &member.meta[..] == b"new")));
    let states = |id: Id| {
        let events = world.host(id).events.iter();
        events.filter(|event| match &event.kind {
            EventKind::RemoteState { state, join, .. } => state.len() == 100_000 && *join,
            _ => false,
        })
    };
    assert_eq!(states(0).count(), 3);
    assert_eq!(states(2).count(), 1);
}

#[test]
fn l10_keys_are_rotated() {
    let mut world = World::cluster(SIZE, 1, |options| Setup::Sealed.apply(options));
    let mut each = |step: &dyn Fn(&mut swim_core::Node, swim_core::Instant)| {
        for id in 0..SIZE {
            world.call(id, step);
            world.run(SECOND);
        }
    };
    each(&|node, now| assert_eq!(node.add_key(now, key(2)), Ok(key(2).id())));
    each(&|node, now| node.use_key(now, key(2).id()).expect("it is there"));
    each(&|node, now| node.remove_key(now, key(1).id()).expect("no primary"));
    world.run(MINUTE);
    assert!(world.agree());
    assert_eq!(world.count(MemberChange::Failed), 0);
    assert_eq!(world.sum(Stats::rejected), 0);
    // One without the new key is shut out.
    world.start(30, |options| Setup::Sealed.apply(options));
    world.join(30, &[0]);
    world.run(15 * SECOND);
    assert_eq!(world.node(30).counts().live(), 1);
    assert_eq!(world.node(0).counts().live(), SIZE);
}

#[test]
fn d1_equal_runs_are_equal_to_the_byte() {
    let trace = || {
        let mut world = World::new(9);
        world.trace = Some(0);
        world.start_all(SIZE, |options| Setup::Sealed.apply(options));
        world.network.loss = 100;
        world.run(MINUTE);
        world.trace
    };
    assert_eq!(trace(), trace());
}

#[test]
fn w1_packets_keep_to_their_limit() {
    for setup in Setup::ALL {
        let mut world = World::new(1);
        world.capture = Some(Vec::new());
        world.start_all(30, |options| {
            setup.apply(options);
            options.packet_len_max = 1_024;
            options.meta = Bytes::from(vec![0x5A; 512]);
            options.name = format!("{}-{}", "x".repeat(100), options.name);
        });
        world.run(30 * SECOND);
        let packets = world.capture.take().expect("asked for");
        let longest = packets.iter().map(|(_, _, data)| data.len()).max();
        assert!(longest.is_some_and(|len| len <= 1_024), "{setup:?}: {longest:?}");
        assert_eq!(world.node(0).counts().live(), 30);
    }
}

/// What a reader of the native dialect has to go by is absent here, and nothing is done for it.
#[test]
fn nothing_is_repaired_that_no_digest_shows() {
    let mut world = World::cluster(SIZE, 1, plain);
    world.run(Duration::from_secs(300));
    assert_eq!(world.sum(|stats| stats.repairs + stats.broadcast_repairs), 0);
    assert!(world.sum(|stats| stats.exchanges) > 0, "tables are exchanged now and then");
}
