//! Leaving: who is told, when it is over, and the silence after it. memberlist memberlist.go:
//! `Leave`. (S7, L8)

use std::{collections::BTreeSet, time::Duration, vec::Vec};

use bytes::Bytes;

use super::{
    puppet::nth_at,
    stage::Stage,
    words::{NODE, addr, alive, entry, has_left, is_alive, is_dead, is_suspect},
};
use crate::{
    error::{JoinError, LeaveError, SendError, UpdateError},
    event::EventKind,
    io::StreamEvent,
    member::{LeaveReason, State},
    name::named,
    stamp::Life,
    wire::{Ack, BroadcastSummary, Claim, Digest, ExchangeHead, IndirectPing, Message, Ping},
};

const SECOND: Duration = Duration::from_secs(1);

/// A node of `n` others that begins to leave.
fn leaving(n: usize) -> Stage {
    let mut stage = Stage::with(n, |_| {});
    stage.call(|node, now| node.leave(now, 5 * SECOND)).unwrap();
    stage
}

/// Who was asked to confirm, with the nonces.
fn asked(stage: &Stage) -> Vec<(usize, u64)> {
    let asked = stage.sent.iter().filter_map(|sent| {
        let nonce = sent.messages.iter().find_map(|message| match message {
            Message::Ping(ping) => Some(ping.nonce),
            _ => None,
        })?;
        let tells = sent.messages.iter().any(
            |message| matches!(message, Message::Claim(Claim::Left(left)) if left.name == "n"),
        );
        assert!(tells, "asks whether it heard what it is told");
        Some((nth_at(sent.to), nonce))
    });
    asked.collect()
}

fn finished(stage: &Stage) -> Option<(usize, usize, usize)> {
    stage.events.iter().find_map(|event| match *event {
        EventKind::LeaveFinished { confirmed, told, members } => Some((confirmed, told, members)),
        _ => None,
    })
}

#[test]
fn q22_three_that_confirm_are_enough() {
    let mut stage = leaving(10);
    assert_eq!(stage.changes(), ["n left"]);
    assert_eq!(stage.belief(NODE), "left 5.1");
    assert!(stage.node.is_leaving() && !stage.node.has_left());
    let asked = asked(&stage);
    let distinct: BTreeSet<_> = asked.iter().map(|(nth, _)| *nth).collect();
    assert!(distinct.len() == asked.len() && asked.len() >= 3);
    for (done, &(nth, nonce)) in asked[..3].iter().enumerate() {
        assert_eq!(finished(&stage), None, "after {done}");
        stage.ack(nth, nonce);
    }
    let (confirmed, told, members) = finished(&stage).unwrap();
    assert_eq!((confirmed, members), (3, 10));
    assert!(told >= asked.len());
    assert!(stage.node.has_left() && !stage.node.is_leaving());
}

#[test]
fn q22_fewer_members_are_fewer_confirmations() {
    for n in [1, 2] {
        let mut stage = leaving(n);
        for (nth, nonce) in asked(&stage) {
            assert_eq!(finished(&stage), None);
            stage.ack(nth, nonce);
        }
        assert_eq!(finished(&stage), Some((n, n, n)));
    }
}

#[test]
fn l8_alone_it_is_over_at_once() {
    let stage = leaving(0);
    assert_eq!(finished(&stage), Some((0, 0, 0)));
    assert!(stage.sent.is_empty());
}

#[test]
fn l8_who_does_not_confirm_is_told_again_until_the_deadline() {
    let mut stage = leaving(2);
    let begun = stage.now;
    stage.run(5 * SECOND - Duration::from_nanos(1));
    assert_eq!(finished(&stage), None);
    for nth in [1, 2] {
        let times = asked(&stage).iter().filter(|(to, _)| *to == nth).count();
        assert!((2..=11).contains(&times), "{times} times");
    }
    stage.run(Duration::from_nanos(1));
    assert_eq!(stage.now, begun + 5 * SECOND);
    assert_eq!(finished(&stage), Some((0, 2, 2)));
}

#[test]
fn l8_others_are_told_before_anybody_is_told_twice() {
    let mut stage = leaving(30);
    let mut told: BTreeSet<usize> = BTreeSet::new();
    for _ in 0..100 {
        for (nth, _) in asked(&stage) {
            assert!(told.insert(nth) || told.len() == 30, "p{nth} again, after {}", told.len());
        }
        stage.clear();
        if told.len() == 30 {
            return;
        }
        stage.run(Duration::from_millis(500));
    }
    panic!("only {} were told", told.len());
}

#[test]
fn p1_only_those_asked_confirm_and_once() {
    let mut stage = leaving(10);
    let asked = asked(&stage);
    let (nth, nonce) = asked[0];
    let (other, _) = asked[1];
    (0..5).for_each(|_| stage.ack(nth, nonce));
    stage.ack(other, nonce);
    stage.ack(other, 7);
    stage.say_from(addr(99), other, &[ack(asked[1].1)]);
    assert_eq!(finished(&stage), None);
    stage.ack(asked[1].0, asked[1].1);
    assert_eq!(finished(&stage), None);
    stage.ack(asked[2].0, asked[2].1);
    assert_eq!(finished(&stage).unwrap().0, 3);
}

fn ack(nonce: u64) -> Message<'static> {
    Message::Ack(Ack { nonce, digest: Digest::default(), payload: b"" })
}

#[test]
fn s7_the_goodbye_is_a_goodbye_in_packets_and_tables() {
    let mut stage = leaving(3);
    let told = stage.told(1).find_map(|message| match message {
        Message::Claim(Claim::Left(left)) => Some(*left),
        _ => None,
    });
    let told = told.unwrap();
    assert_eq!(
        (told.name, told.stamp, told.reason),
        (named("n"), stage.node.stamp(), LeaveReason::Graceful)
    );
    let id = stage.accept(1);
    let head = ExchangeHead { join: false, entries: 0, state_len: 0 };
    stage.reply(id, &[Message::ExchangeHead(head)], true);
    let (messages, _) = stage.written(id);
    let own = messages.iter().find_map(|message| match message {
        Message::Entry(entry) if entry.alive.name == "n" => Some(entry.state),
        _ => None,
    });
    assert_eq!(own, Some(State::Left));
}

#[test]
fn memberlist_14_pings_are_answered_while_leaving_and_nobody_is_probed() {
    let mut stage = Stage::lan(5, |_| {});
    stage.answering = false;
    let (target, _) = stage.run_to_probe();
    stage.call(|node, now| node.leave(now, 5 * SECOND)).unwrap();
    let probes = stage.node.stats().probes;
    stage.clear();
    stage.say(1, &[Message::Ping(Ping { nonce: 77, digest: Digest::default() })]);
    assert!(stage.told(1).any(|message| matches!(message, Message::Ack(Ack { nonce: 77, .. }))));
    stage.run(4 * SECOND);
    assert_eq!((stage.node.stats().probes, stage.node.stats().probes_failed), (probes, 0));
    assert_eq!(stage.state(target), Some(State::Alive));
}

#[test]
fn errors_of_leaving_twice_and_of_commands_after_it() {
    let mut stage = leaving(3);
    assert_eq!(stage.call(|node, now| node.leave(now, SECOND)), Err(LeaveError::Leaving));
    for left in [false, true] {
        if left {
            stage.run(5 * SECOND);
            assert!(stage.node.has_left());
            assert_eq!(stage.call(|node, now| node.leave(now, SECOND)), Err(LeaveError::Left));
        } else {
            let join = stage.call(|node, now| node.join(now, &[addr(1)], SECOND));
            assert_eq!(join, Err(JoinError::Leaving));
        }
        let update = stage.call(|node, now| node.update_meta(now, Bytes::new()));
        assert_eq!(update, Err(UpdateError::Left));
        let broadcast = stage.call(|node, now| node.broadcast(now, Bytes::new()));
        assert_eq!(broadcast, Err(SendError::Left));
        let direct = stage.call(|node, now| node.send_best_effort(now, "p1", b""));
        assert_eq!(direct, Err(SendError::Left));
        let reliable = stage.call(|node, now| node.send_reliable(now, "p1", Bytes::new()));
        assert_eq!(reliable, Err(SendError::Left));
        assert_eq!(stage.call(|node, now| node.ping(now, "p1")), Err(SendError::Left));
    }
}

/// A node of three others that has left, with everything it could still be busy with.
fn left() -> Stage {
    let mut stage = Stage::lan(5, |options| options.repair = true);
    stage.fail(3, (1, 1), 1);
    stage.answering = false;
    stage.run_to_probe();
    stage.say(1, &[is_suspect(2, (1, 1), 1)]);
    stage.say(
        1,
        &[Message::IndirectPing(IndirectPing {
            nonce: 5,
            target: Some(named("p2")),
            addr: addr(2),
            nack: true,
        })],
    );
    stage.call(|node, now| node.broadcast(now, "words".into())).unwrap();
    stage.call(|node, now| node.ping(now, "p1")).unwrap();
    stage.call(|node, now| node.send_reliable(now, "p1", "more words".into())).unwrap();
    stage.accept(1);
    stage.call(|node, now| node.leave(now, SECOND)).unwrap();
    stage.run(SECOND);
    assert!(stage.node.has_left());
    stage
}

#[test]
fn s7_who_has_left_sends_nothing_whatever_happens() {
    let mut stage = left();
    let waiting = |event: &&EventKind| {
        matches!(event, EventKind::PingFinished { .. } | EventKind::SendFinished { .. })
    };
    assert_eq!(stage.events.iter().filter(waiting).count(), 2, "nobody waits for ever");
    assert!(stage.node.streams.is_empty());
    stage.clear();
    stage.timer.get_or_insert((stage.now, crate::Timer::Leave));
    let handled = stage.node.stats().packets_received;
    let digest = Digest { members: 1, broadcasts: 1, settled: true };
    for nth in [1, 2, 3, 9] {
        stage.say(nth, &[Message::Ping(Ping { nonce: 1, digest })]);
        stage.say(nth, &[is_dead(NODE, (5, 1), nth), is_alive(NODE, 9, 1), is_alive(20, 1, 1)]);
        stage.say(
            nth,
            &[Message::IndirectPing(IndirectPing {
                nonce: 5,
                target: Some(named("p2")),
                addr: addr(2),
                nack: true,
            })],
        );
        stage.say(nth, &[Message::BroadcastSummary(BroadcastSummary { reply: true, hashes: &[] })]);
        let id = stage.accept(nth);
        assert_eq!(stage.ended(id), Some(false));
    }
    stage.call(|node, now| node.remove(now, "p3")).unwrap();
    stage.sleep(100 * SECOND);
    (0..10).for_each(|_| stage.handle(crate::Input::Tick));
    assert!(stage.sent.is_empty(), "{} packets", stage.sent.len());
    assert!(stage.dials().is_empty());
    assert_eq!(stage.belief(NODE), "left 5.1");
    let stats = stage.node.stats();
    assert_eq!((stats.packets_received, stats.packets_after_leave), (handled, 16), "not unseen");
}

#[test]
fn s7_the_packet_that_ends_the_leave_is_not_answered_either() {
    let others: [&[Message<'_>]; 4] = [
        &[Message::Ping(Ping { nonce: 1, digest: Digest::default() })],
        &[Message::IndirectPing(IndirectPing {
            nonce: 5,
            target: Some(named("p2")),
            addr: addr(2),
            nack: true,
        })],
        &[Message::BroadcastSummary(BroadcastSummary { reply: true, hashes: &[9; 8] })],
        &[is_alive(1, 1, 7), is_dead(2, (1, 1), 1), is_suspect(NODE, (5, 1), 1)],
    ];
    for messages in others {
        let mut stage = Stage::with(3, |options| options.repair = true);
        stage.call(|node, now| node.broadcast(now, "words".into())).unwrap();
        stage.settle();
        stage.sleep(10 * SECOND);
        stage.call(|node, now| node.leave(now, 5 * SECOND)).unwrap();
        let asked = asked(&stage);
        stage.ack(asked[0].0, asked[0].1);
        stage.ack(asked[1].0, asked[1].1);
        stage.clear();
        let (nth, nonce) = asked[2];
        let digest = Digest { members: 1, broadcasts: 1, settled: true };
        let mut said = std::vec![Message::Ack(Ack { nonce, digest, payload: b"" })];
        said.extend_from_slice(messages);
        stage.say(nth, &said);
        assert!(finished(&stage).is_some());
        let at = stage.events.iter().position(|e| matches!(e, EventKind::LeaveFinished { .. }));
        assert!(stage.sent.is_empty() && stage.dials().is_empty(), "{messages:?}");
        assert_eq!(at, Some(stage.events.len() - 1), "the last that is heard of it: {messages:?}");
    }
}

#[test]
fn a_join_after_a_leave_begins_a_new_life() {
    let mut stage = leaving(2);
    stage.run(5 * SECOND);
    stage.clear();
    stage.call(|node, now| node.join(now, &[addr(1)], 5 * SECOND)).unwrap();
    assert_eq!(
        (stage.belief(NODE), stage.changes()),
        ("alive 6.1".into(), std::vec!["n joined".into()])
    );
    let (id, _) = stage.dials()[0];
    stage.stream(id, StreamEvent::Connected);
    let own = stage.written(id).0.into_iter().find_map(|message| match message {
        Message::Entry(entry) if entry.alive.name == "n" => Some((entry.state, entry.stamp)),
        _ => None,
    });
    assert_eq!(own, Some((State::Alive, stage.node.stamp())));
    stage.run(SECOND);
    assert!(stage.claims_to_any().contains(&"alive n 6.1".into()));
}

#[test]
fn a_new_life_is_at_least_the_wall_clock() {
    let mut stage =
        Stage::new(|options| options.unix_time = Some(Duration::from_secs(1_700_000_000)));
    stage.call(|node, now| node.leave(now, SECOND)).unwrap();
    stage.run(10 * SECOND);
    stage.call(|node, now| node.join(now, &[addr(1)], SECOND)).unwrap();
    assert_eq!(stage.node.stamp().life, Life(1_700_000_010_000));
}

#[test]
fn p3_l2_after_coming_back_suspects_are_still_decided_on() {
    let mut stage = Stage::lan(4, |_| {});
    stage.silent.insert(2);
    stage.say(1, &[is_suspect(2, (1, 1), 1)]);
    stage.call(|node, now| node.leave(now, SECOND)).unwrap();
    stage.run(SECOND);
    assert!(stage.node.has_left());
    stage.call(|node, now| node.join(now, &[addr(1)], SECOND)).unwrap();
    let (id, _) = stage.dials()[0];
    stage.stream(id, StreamEvent::Connected);
    let head = ExchangeHead { join: true, entries: 2, state_len: 0 };
    let entries = [entry(alive(1, 1, 1), State::Alive), entry(alive(2, 1, 1), State::Suspect)];
    stage.reply(id, &[Message::ExchangeHead(head), entries[0], entries[1]], true);
    stage.run(60 * SECOND);
    assert!(!stage.state(2).is_some_and(State::is_live), "{}", stage.belief(2));
}

#[test]
fn after_coming_back_the_dead_are_still_reaped() {
    let mut stage = Stage::with(3, |_| {});
    stage.fail(2, (1, 1), 1);
    stage.say(1, &[has_left(3, 1, 1)]);
    stage.call(|node, now| node.leave(now, Duration::ZERO)).unwrap();
    stage.run(SECOND);
    stage.call(|node, now| node.join(now, &[addr(1)], SECOND)).unwrap();
    stage.run(61 * SECOND);
    assert_eq!((stage.state(2), stage.state(3)), (None, None));
}
