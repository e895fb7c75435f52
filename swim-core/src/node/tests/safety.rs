//! Invariants that are best shown by themselves: what the node is to itself, what it counts, and
//! that a run can be repeated. (S4, S10, D1)

use std::{format, string::String, time::Duration, vec::Vec};

use super::{
    stage::Stage,
    words::{NODE, addr, alive, entry, has_left, is_alive, is_dead, is_suspect},
};
use crate::{
    Node, Options, Output,
    io::Input,
    member::State,
    name::named,
    stamp::Stamp,
    stats::Counts,
    time::Instant,
    wire::{Alive, Claim, Departure, Entry, ExchangeHead, Message},
};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn s4_whatever_is_said_of_it_a_running_node_is_alive_as_itself() {
    let elsewhere = |life| {
        let claim = Alive { addr: addr(50), meta: b"other", ..alive(NODE, life, 1) };
        Message::Claim(Claim::Alive(claim))
    };
    let forced =
        Departure { name: named("n"), stamp: Stamp::new(5, 9), reason: crate::LeaveReason::Forced };
    let said = [
        is_suspect(NODE, (5, 1), 1),
        is_dead(NODE, (5, 3), 1),
        has_left(NODE, 5, 5),
        Message::Claim(Claim::Left(forced)),
        is_alive(NODE, 9, 9),
        elsewhere(4),
        elsewhere(5),
        elsewhere(99),
    ];
    let mut stage = Stage::with(2, |options| options.meta = "mine".into());
    for message in said {
        stage.say(1, &[message]);
        let own = stage.node.local();
        assert_eq!((own.state, own.addr), (State::Alive, addr(NODE)), "{message:?}");
        assert_eq!(own.meta.as_bytes(), b"mine", "{message:?}");
    }
    assert!(stage.changes().is_empty(), "nothing of it is an event about ourselves");
    assert!(!stage.node.is_leaving() && !stage.node.has_left());
}

#[test]
fn s4_nor_does_a_table_change_what_it_is() {
    for state in [State::Alive, State::Suspect, State::Dead, State::Left] {
        let mut stage = Stage::with(2, |options| options.meta = "mine".into());
        let id = stage.accept(1);
        let head = ExchangeHead { join: true, entries: 1, state_len: 0 };
        let lie = Alive { meta: b"theirs", ..alive(NODE, 6, 2) };
        stage.reply(id, &[Message::ExchangeHead(head), entry(lie, state)], true);
        let own = stage.node.local();
        assert_eq!((own.state, own.meta.as_bytes()), (State::Alive, &b"mine"[..]), "{state}");
        assert!(own.stamp > Stamp::new(6, 2), "{state}");
    }
}

#[test]
fn s10_members_are_counted_by_state() {
    let mut stage = Stage::with(6, |_| {});
    stage.fail(2, (1, 1), 6);
    stage.say(6, &[is_suspect(1, (1, 1), 6), has_left(3, 1, 1)]);
    let counts = stage.node.counts();
    assert_eq!(counts, Counts { alive: 4, suspect: 1, dead: 1, left: 1 });
    assert_eq!((counts.live(), counts.total()), (5, 7));
    stage.say(6, &[is_alive(1, 1, 2), is_alive(2, 1, 2), is_alive(3, 2, 1)]);
    assert_eq!(stage.node.counts(), Counts { alive: 7, suspect: 0, dead: 0, left: 0 });
    stage.say(6, &[has_left(3, 2, 1)]);
    stage.answering = true;
    stage.run(30 * SECOND);
    assert_eq!(stage.node.counts(), Counts { alive: 6, suspect: 0, dead: 0, left: 0 });
    assert_eq!(stage.node.members().count(), 6);
}

#[test]
fn s6_the_dead_return_by_a_larger_claim_or_after_they_were_forgotten() {
    let mut stage = Stage::with(3, |_| {});
    stage.say(2, &[is_alive(1, 3, 3)]);
    stage.fail(1, (3, 3), 2);
    stage.clear();
    let hearsay = |state, stamp| {
        let alive = alive(1, 3, 3);
        let reason = crate::LeaveReason::Graceful;
        Message::Entry(Entry { alive, state, stamp, reason })
    };
    let id = stage.accept(2);
    let head = ExchangeHead { join: false, entries: 2, state_len: 0 };
    let entries = [State::Alive, State::Suspect].map(|state| hearsay(state, Stamp::new(3, 3)));
    stage.reply(id, &[Message::ExchangeHead(head), entries[0], entries[1]], true);
    stage.say(2, &[is_alive(1, 3, 3), is_alive(1, 2, 9), is_suspect(1, (3, 3), 2)]);
    stage.speaks_under(1, 3, 3);
    stage.say(1, &[Message::Direct(b"I live")]);
    assert_eq!(stage.belief(1), "dead 3.3");
    assert!(stage.changes().is_empty());
    stage.run(30 * SECOND);
    assert_eq!(stage.changes(), ["p1 reaped"], "an observable end");
    stage.say(2, &[is_alive(1, 1, 1)]);
    assert_eq!(stage.belief(1), "alive 1.1");
}

/// Everything a node puts out over a busy while.
fn run(seed: u8) -> Vec<String> {
    let mut stage = Stage::lan(7, |_| {});
    let inputs: Vec<_> = (1..=7)
        .map(|nth| (addr(nth), stage.packet(nth, &[is_alive(nth, 1, 1), is_alive(nth + 10, 2, 1)])))
        .collect();
    let mut options = Options::lan("n", addr(NODE));
    options.push_pull_interval = 3 * SECOND;
    let mut now = Instant::from_millis(5_000);
    let mut node = Node::new(options.build().unwrap(), [seed; 32], now);
    let mut outputs = Vec::new();
    let mut timer = now;
    for step in 0..200 {
        if let Some((from, data)) = inputs.get(step) {
            node.handle(now, Input::Packet { from: *from, data });
        }
        while let Some(output) = node.poll_output() {
            if let Output::ScheduleTimer { at, .. } = output {
                timer = at;
            }
            outputs.push(format!("{output:?}"));
        }
        now = now.max(timer);
        node.handle(now, Input::Tick);
    }
    outputs
}

#[test]
fn d1_equal_seeds_and_inputs_give_equal_outputs_byte_for_byte() {
    let one = run(1);
    assert!(one.len() > 200, "{}", one.len());
    assert_eq!(one, run(1));
    assert_ne!(one, run(2), "and the seed decides");
}
