//! What a probe does when the target does not answer: helpers, nacks, and a stream. SWIM 3.1;
//! Lifeguard, LHA-Probe; memberlist state.go: `probeNode`.

use std::{sync::Arc, time::Duration, vec::Vec};

use super::{
    puppet::nth_at,
    stage::Stage,
    words::{addr, is_suspect, name},
};
use crate::{
    event::EventKind,
    io::{StreamEvent, StreamId, Timer},
    member::State,
    name::named,
    policy::Policy,
    stamp::Stamp,
    wire::{Ack, Digest, IndirectPing, Message, Nack, Ping, RelayedAck},
};

const MILLI: Duration = Duration::from_millis(1);

/// `n` members that don't answer.
fn silent(n: usize) -> Stage {
    let mut stage = Stage::lan(n, |_| {});
    stage.answering = false;
    stage
}

/// Lets the next probe time out: its target, its nonce, its helpers.
fn time_out(stage: &mut Stage) -> (usize, u64, Vec<usize>) {
    let (target, nonce) = stage.run_to_probe();
    stage.settle();
    stage.run_until(Timer::ProbeTimeout);
    let asked = stage.sent.iter().filter_map(|sent| {
        let request = sent.messages.iter().find_map(|message| match message {
            Message::IndirectPing(request) => Some(*request),
            _ => None,
        })?;
        assert_eq!(
            request,
            IndirectPing {
                nonce,
                target: Some(named(name(target))),
                addr: addr(target),
                nack: true
            }
        );
        Some(nth_at(sent.to))
    });
    let helpers = asked.collect();
    (target, nonce, helpers)
}

fn relayed(nonce: u64, target: usize, incarnation: u64) -> Message<'static> {
    let stamp = Stamp::new(1, incarnation);
    Message::RelayedAck(RelayedAck { nonce, target: named(name(target)), stamp })
}

fn nack(nonce: u64) -> Message<'static> {
    Message::Nack(Nack { nonce })
}

/// The stream that a probe opened, and where to.
fn dialed(stage: &Stage) -> Option<(StreamId, usize)> {
    stage.dials().first().map(|&(id, to)| (id, nth_at(to)))
}

#[test]
fn memberlist_9_step_5_three_others_are_asked_when_the_ping_times_out() {
    let mut stage = silent(8);
    for _ in 0..20 {
        let (target, nonce, mut helpers) = time_out(&mut stage);
        assert!(!helpers.contains(&target));
        helpers.sort_unstable();
        helpers.dedup();
        assert_eq!(helpers.len(), 3, "three different ones");
        stage.ack(target, nonce);
    }
}

#[test]
fn memberlist_9_step_5_helpers_are_drawn_at_random() {
    let mut stage = silent(8);
    let mut asked: Vec<usize> = Vec::new();
    for _ in 0..40 {
        let (target, nonce, helpers) = time_out(&mut stage);
        asked.extend(helpers);
        stage.ack(target, nonce);
    }
    for nth in 1..=8 {
        assert!(asked.contains(&nth), "p{nth} is never asked");
    }
}

#[test]
fn memberlist_9_step_5_suspects_are_not_asked() {
    let mut stage = silent(4);
    stage.say(1, &[is_suspect(2, (1, 1), 1), is_suspect(3, (1, 1), 1)]);
    for _ in 0..8 {
        let (target, nonce, helpers) = time_out(&mut stage);
        assert!(!helpers.contains(&2) && !helpers.contains(&3), "{helpers:?} for {target}");
        stage.ack(target, nonce);
    }
}

#[test]
fn a_lost_ping_is_sent_again_beside_the_requests_for_help() {
    let mut stage = silent(8);
    let (target, nonce) = stage.run_to_probe();
    stage.settle();
    stage.run_until(Timer::ProbeTimeout);
    assert_eq!(stage.pinged(target), Some(nonce), "the same probe");
    stage.ack(target, nonce);
    stage.ack(target, nonce);
    let stats = stage.node.stats();
    assert_eq!((stats.probes, stats.probes_acked, stats.probes_failed), (1, 1, 0));
}

#[test]
fn memberlist_9_step_5_few_members_are_few_helpers() {
    for (n, expected) in [(1, 0), (2, 1), (3, 2), (4, 3), (5, 3)] {
        let (_, _, helpers) = time_out(&mut silent(n));
        assert_eq!(helpers.len(), expected, "{n} members");
    }
}

#[test]
fn memberlist_9_step_7_a_helpers_word_saves_the_probe() {
    let mut stage = silent(5);
    stage.call(|node, _| node.change_health(2));
    let (target, nonce, helpers) = time_out(&mut stage);
    stage.say(helpers[0], &[relayed(nonce, target, 1)]);
    let stats = stage.node.stats();
    assert_eq!((stats.probes_saved_by_relay, stage.node.health()), (1, 1));
    stage.say(helpers[1], &[relayed(nonce, target, 1)]);
    stage.ack(target, nonce);
    stage.run(999 * MILLI);
    let stats = stage.node.stats();
    assert_eq!((stats.probes_saved_by_relay, stats.probes_acked, stats.probes_failed), (1, 0, 0));
    assert_eq!(stage.state(target), Some(State::Alive));
}

#[test]
fn p1_only_helpers_speak_for_the_target_of_this_probe() {
    let mut stage = silent(6);
    let (target, nonce, helpers) = time_out(&mut stage);
    let stranger = (1..=6).find(|nth| *nth != target && !helpers.contains(nth)).unwrap();
    let before = stage.essence();
    stage.say(stranger, &[relayed(nonce, target, 1)]);
    stage.say(helpers[0], &[relayed(nonce ^ 1, target, 1)]);
    stage.say(helpers[0], &[relayed(nonce, stranger, 1)]);
    stage.say_from(addr(50), helpers[0], &[relayed(nonce, target, 1)]);
    assert_eq!(stage.essence(), before);
    stage.run_until(Timer::ProbeDeadline);
    assert_eq!(stage.state(target), Some(State::Suspect));
    let before = stage.essence();
    stage.say(helpers[0], &[relayed(nonce, target, 1)]);
    assert_eq!(stage.essence(), before, "after the deadline");
}

#[test]
fn any_ack_refutes_also_one_that_was_relayed() {
    let mut stage = silent(5);
    let (target, nonce, helpers) = time_out(&mut stage);
    stage.say(helpers[0], &[is_suspect(target, (1, 1), helpers[0])]);
    assert_eq!(stage.state(target), Some(State::Suspect));
    stage.say(helpers[0], &[relayed(nonce, target, 2)]);
    assert_eq!(stage.belief(target), "alive 1.2");
}

#[test]
fn x7_a_relayed_stamp_must_be_plausible() {
    let mut stage = silent(5);
    let (target, nonce, helpers) = time_out(&mut stage);
    let stamp = Stamp::new(1 << 40, 1);
    let ack = RelayedAck { nonce, target: named(name(target)), stamp };
    stage.say(helpers[0], &[Message::RelayedAck(ack)]);
    assert_eq!(stage.belief(target), "alive 1.1");
}

#[test]
fn memberlist_10_health_follows_the_table() {
    // Members, how many of the helpers send a nack, the score before and after.
    let table = [
        (1, 0, 0, 1),
        (2, 0, 0, 1),
        (2, 1, 0, 0),
        (4, 0, 0, 3),
        (4, 1, 0, 2),
        (4, 2, 0, 1),
        (4, 3, 0, 0),
        (4, 0, 6, 7),
        (4, 3, 5, 5),
        (1, 0, 7, 7),
    ];
    for (members, nacks, before, after) in table {
        let mut stage = silent(members);
        stage.call(|node, _| node.change_health(before));
        let (_, nonce, helpers) = time_out(&mut stage);
        helpers.iter().take(nacks).for_each(|&helper| stage.say(helper, &[nack(nonce)]));
        stage.run_until(Timer::ProbeDeadline);
        let health = stage.node.health();
        assert_eq!(health, after, "{nacks} nacks of {members} members at {before}");
        assert_eq!(stage.node.stats().nacks, nacks as u64);
    }
}

#[test]
fn memberlist_10_success_of_any_kind_makes_healthier() {
    for how in ["direct", "relayed", "stream"] {
        let mut stage = silent(4);
        stage.call(|node, _| node.change_health(3));
        let (target, nonce, helpers) = time_out(&mut stage);
        match how {
            "direct" => stage.ack(target, nonce),
            "relayed" => stage.say(helpers[0], &[relayed(nonce, target, 1)]),
            _ => {
                let (id, _) = dialed(&stage).unwrap();
                stage.stream(id, StreamEvent::Connected);
                let ack = Ack { nonce, digest: Digest::default(), payload: b"" };
                stage.reply(id, &[Message::Ack(ack)], true);
            }
        }
        assert_eq!(stage.node.health(), 2, "{how}");
        let last = stage.events.iter().rev().find_map(|event| match event {
            EventKind::Health { score } => Some(*score),
            _ => None,
        });
        assert_eq!(last, Some(2), "{how}");
    }
}

#[test]
fn memberlist_10_a_nack_counts_once_per_helper_and_from_helpers_only() {
    let mut stage = silent(6);
    let (target, nonce, helpers) = time_out(&mut stage);
    let stranger = (1..=6).find(|nth| *nth != target && !helpers.contains(nth)).unwrap();
    for from in [helpers[0], helpers[0], stranger] {
        stage.say(from, &[nack(nonce)]);
    }
    stage.say(helpers[1], &[nack(nonce ^ 1)]);
    stage.run_until(Timer::ProbeDeadline);
    assert_eq!((stage.node.stats().nacks, stage.node.health()), (1, 2));
}

#[test]
fn memberlist_10_a_nack_does_not_end_the_probe() {
    let mut stage = silent(2);
    let (target, nonce, helpers) = time_out(&mut stage);
    stage.say(helpers[0], &[nack(nonce)]);
    stage.ack(target, nonce);
    assert_eq!(stage.node.stats().probes_acked, 1);
}

#[test]
fn memberlist_9_step_6_a_stream_is_tried_in_parallel() {
    let mut stage = silent(4);
    let (target, nonce, _) = time_out(&mut stage);
    let (id, to) = dialed(&stage).expect("a stream");
    assert_eq!(to, target);
    stage.stream(id, StreamEvent::Connected);
    let (messages, last) = stage.written(id);
    assert!(matches!(messages[..], [Message::Ping(Ping { nonce: asked, .. })] if asked == nonce));
    assert!(last);
    let ack = Ack { nonce, digest: Digest::default(), payload: b"" };
    stage.reply(id, &[Message::Ack(ack)], true);
    assert_eq!(stage.ended(id), Some(true));
    assert_eq!(stage.node.stats().probes_saved_by_stream, 1);
    let lost = EventKind::PacketsLost { member: crate::Name::new(name(target)).unwrap() };
    assert!(stage.events.contains(&lost));
    stage.run(999 * MILLI);
    assert_eq!(stage.node.stats().probes_failed, 0);
}

#[test]
fn p1_a_streams_answer_counts_only_with_nonce_and_target() {
    for wrong_nonce in [false, true] {
        let mut stage = silent(4);
        let (target, nonce, _) = time_out(&mut stage);
        let (id, _) = dialed(&stage).unwrap();
        stage.stream(id, StreamEvent::Connected);
        if !wrong_nonce {
            stage.handled_by(id, if target == 1 { 2 } else { 1 });
        }
        let nonce = nonce ^ u64::from(wrong_nonce);
        let ack = Ack { nonce, digest: Digest::default(), payload: b"" };
        stage.reply(id, &[Message::Ack(ack)], true);
        assert_eq!(stage.node.stats().probes_saved_by_stream, 0);
        stage.run_until(Timer::ProbeDeadline);
        assert_eq!(stage.state(target), Some(State::Suspect));
    }
}

#[test]
fn memberlist_9_step_6_a_failed_stream_is_no_verdict() {
    let mut stage = silent(4);
    let (target, nonce, _) = time_out(&mut stage);
    let (id, _) = dialed(&stage).unwrap();
    stage.stream(id, StreamEvent::Failed);
    assert_eq!((stage.state(target), stage.node.stats().probes_failed), (Some(State::Alive), 0));
    stage.ack(target, nonce);
    assert_eq!(stage.node.stats().probes_acked, 1);
}

#[test]
fn memberlist_9_the_stream_of_a_probe_ends_with_it() {
    for acked in [false, true] {
        let mut stage = silent(4);
        let (target, nonce, _) = time_out(&mut stage);
        let (id, _) = dialed(&stage).unwrap();
        if acked {
            stage.ack(target, nonce);
        } else {
            stage.run_until(Timer::ProbeDeadline);
        }
        assert_eq!(stage.ended(id), Some(false));
        assert!(stage.node.streams.is_empty());
    }
}

struct NoStreams;

impl Policy for NoStreams {
    fn stream_ping(&self, name: &str) -> bool {
        name != "p1"
    }
}

#[test]
fn memberlist_9_step_6_streams_can_be_switched_off_for_all_or_for_one() {
    let mut stage = Stage::lan(2, |options| options.stream_pings = false);
    stage.answering = false;
    time_out(&mut stage);
    assert_eq!(dialed(&stage), None);

    let mut stage = Stage::lan(2, |options| options.policy = Arc::new(NoStreams));
    stage.answering = false;
    for _ in 0..4 {
        let (target, nonce, _) = time_out(&mut stage);
        assert_eq!(dialed(&stage).is_some(), target != 1, "p{target}");
        stage.ack(target, nonce);
    }
}
