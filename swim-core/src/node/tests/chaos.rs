//! Anything, in any order: the auditor must find nothing, and what is believed must not depend on
//! the order in which it was heard. (S1, S2, S8)

use std::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::String,
    time::Duration,
    vec,
    vec::Vec,
};

use proptest::{collection, prelude::*, strategy::ValueTree as _, test_runner::TestRunner};

use super::{
    stage::Stage,
    words::{NODE, addr, alive, entry, has_left, is_alive, is_dead, is_suspect, name},
};
use crate::{
    io::StreamEvent,
    member::State,
    name::named,
    stamp::Stamp,
    wire::{Ack, Alive, Claim, Digest, ExchangeHead, IndirectPing, Message, Ping},
};

/// How many names there are, the node's own included.
const NAMES: usize = 6;

#[derive(Clone, Copy, Debug)]
enum Claimed {
    Alive { moved: bool },
    Suspect { from: usize },
    Dead { from: usize },
    Left,
}

#[derive(Clone, Copy, Debug)]
struct Rumour {
    about: usize,
    stamp: (u64, u64),
    claimed: Claimed,
}

#[derive(Clone, Debug)]
enum Step {
    Hear { carrier: usize, rumours: Vec<Rumour> },
    Table { carrier: usize, rumours: Vec<Rumour> },
    Ping { carrier: usize },
    Ask { carrier: usize, target: usize },
    AckAll,
    Wait { millis: u64 },
    Sleep { seconds: u64 },
    Update,
    Broadcast,
    Join { seed: usize },
    Leave,
    Remove { nth: usize },
}

fn claimed() -> impl Strategy<Value = Claimed> {
    prop_oneof![
        5 => any::<bool>().prop_map(|moved| Claimed::Alive { moved }),
        3 => (0..NAMES + 2).prop_map(|from| Claimed::Suspect { from }),
        2 => (0..NAMES + 2).prop_map(|from| Claimed::Dead { from }),
        1 => Just(Claimed::Left),
    ]
}

fn rumour() -> impl Strategy<Value = Rumour> {
    let stamp = (1..4_u64, 0..5_u64);
    (0..NAMES, stamp, claimed()).prop_map(|(about, stamp, claimed)| {
        // The node itself lives its fifth life.
        let stamp = if about == NODE { (stamp.0 + 3, stamp.1) } else { stamp };
        Rumour { about, stamp, claimed }
    })
}

fn step() -> impl Strategy<Value = Step> {
    let carrier = 1..NAMES + 2;
    let rumours = || collection::vec(rumour(), 1..4);
    let hear = |(carrier, rumours)| Step::Hear { carrier, rumours };
    let table = |(carrier, rumours)| Step::Table { carrier, rumours };
    prop_oneof![
        8 => (carrier.clone(), rumours()).prop_map(hear),
        2 => (carrier.clone(), rumours()).prop_map(table),
        1 => carrier.clone().prop_map(|carrier| Step::Ping { carrier }),
        1 => (carrier, 0..NAMES).prop_map(|(carrier, target)| Step::Ask { carrier, target }),
        2 => Just(Step::AckAll),
        4 => (0..3_000_u64).prop_map(|millis| Step::Wait { millis }),
        1 => (1..40_u64).prop_map(|seconds| Step::Sleep { seconds }),
        1 => Just(Step::Update),
        1 => Just(Step::Broadcast),
        1 => (1..NAMES).prop_map(|seed| Step::Join { seed }),
        1 => Just(Step::Leave),
        1 => (0..NAMES).prop_map(|nth| Step::Remove { nth }),
    ]
}

/// What a member says of itself under a stamp; one stamp says one thing.
fn profile(about: usize, stamp: (u64, u64), moved: bool) -> Alive<'static> {
    let claim = alive(about, stamp.0, stamp.1);
    let meta: &[u8] = [&b""[..], b"a", b"b"][usize::try_from(stamp.0 + stamp.1).unwrap() % 3];
    Alive { addr: if moved { addr(about + 100) } else { claim.addr }, meta, ..claim }
}

fn message(Rumour { about, stamp, claimed }: Rumour) -> Message<'static> {
    match claimed {
        Claimed::Alive { moved } => Message::Claim(Claim::Alive(profile(about, stamp, moved))),
        Claimed::Suspect { from } => is_suspect(about, stamp, from),
        Claimed::Dead { from } => is_dead(about, stamp, from),
        Claimed::Left => has_left(about, stamp.0, stamp.1),
    }
}

fn in_table(Rumour { about, stamp, claimed }: Rumour) -> Message<'static> {
    let (state, moved) = match claimed {
        Claimed::Alive { moved } => (State::Alive, moved),
        Claimed::Suspect { .. } => (State::Suspect, false),
        Claimed::Dead { .. } => (State::Dead, false),
        Claimed::Left => (State::Left, false),
    };
    entry(profile(about, stamp, moved), state)
}

fn perform(stage: &mut Stage, step: Step) {
    let digest = Digest { members: 7, broadcasts: 7, settled: true };
    match step {
        Step::Hear { carrier, rumours } => {
            let messages: Vec<_> = rumours.into_iter().map(message).collect();
            stage.say(carrier, &messages);
        }
        Step::Table { carrier, rumours } => {
            let id = stage.accept(carrier);
            let head = ExchangeHead { join: true, entries: 0, state_len: 0 };
            let mut messages = vec![Message::ExchangeHead(head)];
            messages.extend(rumours.into_iter().map(in_table));
            if stage.ended(id).is_none() {
                stage.reply(id, &messages, true);
            }
        }
        Step::Ping { carrier } => stage.say(carrier, &[Message::Ping(Ping { nonce: 1, digest })]),
        Step::Ask { carrier, target } => {
            let (target, addr) = (named(name(target)), addr(target));
            stage.say(
                carrier,
                &[Message::IndirectPing(IndirectPing {
                    nonce: 2,
                    target: Some(target),
                    addr,
                    nack: true,
                })],
            );
        }
        Step::AckAll => {
            for nth in 1..NAMES {
                if let Some(nonce) = stage.pinged(nth) {
                    let ack = Ack { nonce, digest, payload: b"" };
                    stage.say(nth, &[Message::Ack(ack)]);
                }
            }
            for (id, _) in stage.dials() {
                stage.stream(id, StreamEvent::Failed);
            }
            stage.clear();
        }
        Step::Wait { millis } => {
            stage.run(Duration::from_millis(millis));
            let next = stage.node.timers.next().map(|(at, _)| at);
            assert!(next.is_none_or(|next| next > stage.now), "P5: {next:?} at {}", stage.now);
        }
        Step::Sleep { seconds } => stage.sleep(Duration::from_secs(seconds)),
        Step::Update => drop(stage.call(|node, now| node.update_meta(now, "new".into()))),
        Step::Broadcast => drop(stage.call(|node, now| node.broadcast(now, "words".into()))),
        Step::Join { seed } => {
            let _ = stage.call(|node, now| node.join(now, &[addr(seed)], Duration::from_secs(3)));
        }
        Step::Leave => {
            let _ = stage.call(|node, now| node.leave(now, Duration::from_secs(1)));
        }
        Step::Remove { nth } => drop(stage.call(|node, now| node.remove(now, name(nth)))),
    }
}

/// S2: nothing is believed of a stamp that nobody spoke of.
fn check_invented(stage: &Stage, spoken: &BTreeSet<(String, Stamp)>) {
    for member in stage.node.members().filter(|member| member.name != "n") {
        let known = (String::from(member.name.as_str()), member.stamp);
        assert!(spoken.contains(&known), "S2: nobody spoke of {known:?}");
    }
}

fn spoken(step: &Step) -> Vec<(String, Stamp)> {
    match step {
        Step::Hear { rumours, .. } | Step::Table { rumours, .. } => {
            let stamp = |rumour: &Rumour| Stamp::new(rumour.stamp.0, rumour.stamp.1);
            rumours.iter().map(|rumour| (name(rumour.about).into(), stamp(rumour))).collect()
        }
        _ => Vec::new(),
    }
}

fn beliefs(stage: &Stage) -> Vec<String> {
    (1..NAMES).map(|nth| format!("{}: {}", name(nth), stage.belief(nth))).collect()
}

/// A node's life from these steps; the auditor looks after each.
fn live_through(steps: Vec<Step>) -> Stage {
    let mut stage = Stage::new(|options| {
        options.probe_interval = Duration::from_secs(1);
        options.reap_after = Duration::from_secs(10);
        options.repair = true;
        options.push_pull_interval = Duration::from_secs(20);
        options.reconnect_interval = Duration::from_secs(20);
    });
    // Packets carry the first stamp of their senders.
    let mut known: BTreeSet<_> =
        (1..NAMES + 2).map(|nth| (name(nth).into(), Stamp::new(1, 1))).collect();
    for step in steps {
        known.extend(spoken(&step));
        let was_silent = stage.node.has_left();
        let done = (stage.node.stats().packets_sent, stage.node.stats().streams_dialed);
        perform(&mut stage, step);
        check_invented(&stage, &known);
        if was_silent && stage.node.has_left() {
            let stats = stage.node.stats();
            assert_eq!((stats.packets_sent, stats.streams_dialed), done, "S7: silent");
        }
    }
    stage
}

#[test]
fn c1_the_chaos_meets_what_it_is_about() {
    let mut runner = TestRunner::deterministic();
    let mut met: BTreeMap<&str, u64> = BTreeMap::new();
    for _ in 0..500 {
        let steps = collection::vec(step(), 40..60).new_tree(&mut runner).unwrap().current();
        let stage = live_through(steps);
        let stats = stage.node.stats();
        for (what, count) in [
            ("refutations", stats.refutations),
            ("conflicts", stats.conflicts),
            ("suspicions", stats.suspicions),
            ("expired suspicions", stats.suspicions_expired),
            ("pauses", stats.pauses),
            ("reaped members", stats.reaped),
            ("answered probes", stats.probes_acked),
            ("failed probes", stats.probes_failed),
            ("relayed pings", stats.relayed),
            ("exchanges", stats.exchanges),
            ("stale claims", stats.claims_stale),
            ("leaves", u64::from(stage.node.has_left())),
            ("lives", u64::from(stage.node.stamp().life.0 > 6)),
        ] {
            *met.entry(what).or_default() += count;
        }
    }
    let never: Vec<_> = met.iter().filter(|(_, count)| **count == 0).collect();
    assert!(never.is_empty(), "never met: {never:?} of {met:?}");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 500,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// What the auditor looks for after each step: that no belief goes down (S1), nor the node's
    /// own stamp (S3); that it is alive as itself (S4), that a stamp says one thing (S5), and that
    /// counts are those of the table (S10); that events make sense (E1), tell all (E2) and have no
    /// gaps (E3); that suspicions (P3) and health (P4) keep their bounds. And what the steps look
    /// for: that no stamp was invented (S2), that who left is silent (S7), and that time moves on
    /// (P5).
    #[test]
    fn what_one_node_promises_holds_after_every_step(steps in collection::vec(step(), 1..60)) {
        live_through(steps);
    }

    #[test]
    fn s8_the_order_of_claims_does_not_matter(
        rumours in collection::vec(rumour(), 1..12).prop_map(|rumours| {
            let others = rumours.into_iter().filter(|rumour| rumour.about != NODE);
            others.map(|rumour| match rumour.claimed {
                Claimed::Alive { .. } => {
                    Rumour { claimed: Claimed::Alive { moved: false }, ..rumour }
                }
                _ => rumour,
            }).collect::<Vec<_>>()
        }),
        before in collection::vec((1..4_u64, 0..5_u64, 0..3), NAMES - 1),
        order in any::<u64>(),
    ) {
        let hear = |rumours: &[Rumour]| {
            let mut stage = Stage::new(|_| {});
            // Somebody whom no rumour is about tells them: a live member, whose word counts. (X8)
            for nth in 1..=NAMES {
                stage.say(nth, &[is_alive(nth, 0, 1)]);
            }
            // Of some, a verdict counts when it comes; others are dead. (L6)
            for (nth, &(life, incarnation, _)) in (1..).zip(&before).filter(|(_, it)| it.2 > 0) {
                stage.say(NAMES, &[is_suspect(nth, (life, incarnation), NAMES)]);
            }
            stage.let_answer();
            for (nth, &(life, incarnation, _)) in (1..).zip(&before).filter(|(_, it)| it.2 > 1) {
                stage.say(NAMES, &[is_dead(nth, (life, incarnation), NAMES)]);
                assert_eq!(stage.state(nth), Some(State::Dead));
            }
            for &rumour in rumours {
                stage.say(NAMES, &[message(rumour)]);
            }
            stage
        };
        let mut shuffled = rumours.clone();
        let mut seed = order | 1;
        for i in (1..shuffled.len()).rev() {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.swap(i, (seed >> 33) as usize % (i + 1));
        }
        shuffled.extend_from_slice(&rumours[..rumours.len() / 2]);
        let (one, other) = (hear(&rumours), hear(&shuffled));
        prop_assert_eq!(beliefs(&one), beliefs(&other));
        for nth in 1..NAMES {
            let of = |stage: &Stage| stage.node.member(name(nth)).unwrap();
            let (a, b) = (of(&one), of(&other));
            if a.state == State::Alive {
                prop_assert_eq!(a.meta, b.meta);
            }
        }
    }
}
