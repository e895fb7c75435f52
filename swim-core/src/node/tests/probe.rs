//! Probes: who is pinged, what counts as an answer, and what follows when none comes. SWIM 3.1 and
//! 4.3; memberlist state.go: `probe`, `probeNode`.

use std::{collections::BTreeMap, time::Duration, vec::Vec};

use bytes::Bytes;

use super::{
    stage::Stage,
    words::{addr, has_left, is_alive, is_suspect, name},
};
use crate::{
    event::EventKind,
    io::Timer,
    member::State,
    wire::{Ack, Claim, Digest, Message},
};

const SECOND: Duration = Duration::from_secs(1);

/// `n` members that don't answer, and no streams to try.
fn silent(n: usize) -> Stage {
    let mut stage = Stage::lan(n, |options| options.stream_pings = false);
    stage.answering = false;
    stage
}

#[test]
fn p2_every_round_probes_each_member_once_and_nobody_else() {
    let mut stage = Stage::lan(9, |_| {});
    stage.fail(9, (1, 1), 1);
    stage.say(1, &[has_left(8, 1, 1)]);
    stage.settle();
    let probed: Vec<usize> = (0..70).map(|_| stage.run_to_probe().0).collect();
    let is_round = |probed: &[usize]| {
        let mut round = probed.to_vec();
        round.sort_unstable();
        round == [1, 2, 3, 4, 5, 6, 7]
    };
    // The first round began while members came and went.
    let aligned = (0..7).any(|offset| probed[offset..].chunks_exact(7).all(is_round));
    assert!(aligned, "{probed:?}");
}

#[test]
fn p2_at_most_two_rounds_lie_between_two_probes_of_one_member() {
    let mut stage = Stage::lan(6, |_| {});
    let mut last = BTreeMap::new();
    for step in 0..200 {
        let (nth, _) = stage.run_to_probe();
        if let Some(before) = last.insert(nth, step) {
            assert!(step - before < 2 * 6, "p{nth} at {before} and at {step}");
        }
    }
}

#[test]
fn q17_a_lone_peer_is_probed_every_interval() {
    let mut stage = Stage::lan(1, |_| {});
    let probes = stage.node.stats().probes;
    stage.run(60 * SECOND);
    assert_eq!(stage.node.stats().probes - probes, 60);
}

#[test]
fn memberlist_9_a_node_alone_probes_nobody() {
    let mut stage = Stage::lan(0, |_| {});
    stage.run(10 * SECOND);
    assert_eq!(stage.node.stats().probes, 0);
    assert!(stage.sent.is_empty());
}

#[test]
fn memberlist_9_an_ack_in_time_ends_the_probe() {
    let mut stage = silent(5);
    let (target, nonce) = stage.run_to_probe();
    stage.run(Duration::from_millis(499));
    stage.clear();
    stage.ack(target, nonce);
    assert_eq!(stage.node.stats().probes_acked, 1);
    stage.run(Duration::from_millis(500));
    assert!(stage.sent.is_empty(), "no helper is asked");
    assert_eq!((stage.node.stats().probes_failed, stage.state(target)), (0, Some(State::Alive)));
}

#[test]
fn memberlist_9_step_7_a_late_ack_before_the_deadline_counts() {
    let mut stage = silent(5);
    let (target, nonce) = stage.run_to_probe();
    stage.run(Duration::from_millis(999));
    stage.ack(target, nonce);
    let stats = stage.node.stats();
    assert_eq!((stats.probes_acked, stats.probes_failed), (1, 0));
}

#[test]
fn p1_only_the_ack_of_the_target_with_the_nonce_counts() {
    let mut stage = silent(5);
    let (target, nonce) = stage.run_to_probe();
    let other = if target == 1 { 2 } else { 1 };
    let ack = |nonce| Message::Ack(Ack { nonce, digest: Digest::default(), payload: b"" });
    stage.settle();
    let before = stage.essence();
    stage.say(other, &[ack(nonce)]);
    stage.say(target, &[ack(nonce ^ 1)]);
    stage.say(target, &[ack(0)]);
    stage.say_from(addr(77), target, &[ack(nonce)]);
    stage.say(77, &[ack(nonce)]);
    assert_eq!(stage.essence(), before);
    assert_eq!(stage.node.stats().acks_unexpected, 5);
    stage.ack(target, nonce);
    assert_eq!(stage.node.stats().probes_acked, 1);
}

#[test]
fn p1_a_probe_ends_once_and_what_comes_later_changes_nothing() {
    let mut stage = silent(5);
    let (target, nonce) = stage.run_to_probe();
    stage.ack(target, nonce);
    stage.settle();
    let before = stage.essence();
    stage.ack(target, nonce);
    assert_eq!(stage.essence(), before, "the same ack again");
    assert_eq!(stage.node.stats().acks_unexpected, 1);

    let (target, nonce) = stage.run_to_probe();
    stage.run_until(Timer::ProbeDeadline);
    assert_eq!(stage.state(target), Some(State::Suspect));
    let before = stage.essence();
    stage.ack(target, nonce);
    assert_eq!(stage.essence(), before, "an ack after the deadline, under the stamp in doubt");
    let stats = stage.node.stats();
    assert_eq!((stats.probes_acked, stats.probes_failed), (1, 1));
}

#[test]
fn memberlist_9_step_9_a_failed_probe_accuses_under_our_name() {
    let mut stage = silent(1);
    let (target, _) = stage.run_to_probe();
    let begun = stage.now;
    stage.run_until(Timer::ProbeDeadline);
    assert_eq!(stage.now.saturating_since(begun), SECOND);
    assert_eq!(stage.changes(), ["p1 suspected"]);
    assert_eq!((stage.node.stats().probes_failed, stage.node.health()), (1, 1));
    stage.settle_and_keep();
    assert!(stage.claims_to(target).contains(&"suspect p1 1.1 by n".into()));
}

#[test]
fn memberlist_9_a_probe_accuses_what_it_knew_when_it_began() {
    let mut stage = silent(3);
    let (target, _) = stage.run_to_probe();
    stage.say(if target == 1 { 2 } else { 1 }, &[is_alive(target, 1, 2)]);
    stage.run_until(Timer::ProbeDeadline);
    assert_eq!(stage.node.stats().probes_failed, 1);
    assert_eq!(stage.state(target), Some(State::Alive), "somebody heard of it meanwhile");
}

#[test]
fn memberlist_9_a_target_that_is_gone_is_no_longer_waited_for() {
    for goodbye in [false, true] {
        let mut stage = silent(3);
        let (target, nonce) = stage.run_to_probe();
        let other = if target == 1 { 2 } else { 1 };
        let asked_at = stage.now;
        if goodbye {
            stage.say(other, &[has_left(target, 1, 1)]);
        } else {
            stage.fail(target, (1, 1), other);
        }
        assert!(stage.node.probe.is_none());
        stage.clear();
        stage.ack(target, nonce);
        stage.run((asked_at + Duration::from_millis(999)).saturating_since(stage.now));
        assert_eq!((stage.node.stats().probes_failed, stage.node.health()), (0, 0));
        assert_eq!(stage.node.stats().probes_acked, 0);
    }
}

#[test]
fn memberlist_9_step_3_a_suspect_that_is_probed_is_told_so() {
    let mut stage = Stage::lan(2, |_| {});
    stage.run_to_probe();
    stage.run_to_probe();
    assert!(stage.claims_to(1).is_empty() && stage.claims_to(2).is_empty());
    stage.say(2, &[is_suspect(1, (1, 1), 2)]);
    stage.settle();
    while stage.run_to_probe().0 != 1 {}
    let with_ping = stage
        .sent
        .iter()
        .find(|sent| sent.messages.iter().any(|message| matches!(message, Message::Ping(_))));
    let doubted = with_ping.unwrap().messages.iter().any(
        |message| matches!(message, Message::Claim(Claim::Suspect(doubt)) if doubt.name == "p1"),
    );
    assert!(doubted, "in the very packet that asks");
}

#[test]
fn lifeguard_buddy_any_answer_to_a_suspect_tells_it_so() {
    let mut stage = Stage::with(2, |_| {});
    stage.say(2, &[is_suspect(1, (1, 1), 2)]);
    stage.settle();
    let ping = crate::wire::Ping { nonce: 7, digest: Digest::default() };
    stage.say(1, &[Message::Ping(ping)]);
    assert_eq!(stage.claims_to(1), ["suspect p1 1.1 by n"]);
    stage.fail(1, (1, 1), 2);
    stage.settle();
    stage.say(1, &[Message::Ping(ping)]);
    assert_eq!(stage.claims_to(1), ["dead p1 1.1 by n"], "the dead as well");
}

#[test]
fn any_packet_of_a_member_refutes_by_its_senders_stamp() {
    let mut stage = Stage::with(3, |_| {});
    stage.say(2, &[is_suspect(1, (1, 1), 2)]);
    stage.say(1, &[Message::Direct(b"hello")]);
    assert_eq!(stage.belief(1), "suspect 1.1", "it does not know yet");
    stage.speaks_under(1, 1, 2);
    stage.say_from(addr(9), 1, &[Message::Direct(b"hello")]);
    assert_eq!(stage.belief(1), "suspect 1.1", "anybody could have sent that");
    stage.say(1, &[Message::Direct(b"hello")]);
    assert_eq!(stage.belief(1), "alive 1.2");
    stage.fail(1, (1, 2), 2);
    stage.speaks_under(1, 1, 3);
    stage.say(1, &[Message::Direct(b"hello")]);
    assert_eq!(stage.belief(1), "alive 1.3");
}

#[test]
fn memberlist_9_answers_are_reported_when_asked_for() {
    let mut stage = Stage::lan(1, |options| options.report_probes = true);
    stage.answering = false;
    let (target, nonce) = stage.run_to_probe();
    stage.clear();
    stage.run(Duration::from_millis(30));
    let ack = Ack { nonce, digest: Digest::default(), payload: b"load=3" };
    stage.say(target, &[Message::Ack(ack)]);
    let pong = stage.events.iter().find_map(|event| match event {
        EventKind::Probed { member, pong } if *member == *name(target) => Some(pong.clone()),
        _ => None,
    });
    let pong = pong.expect("an event");
    assert_eq!((pong.rtt, pong.payload), (Duration::from_millis(30), Bytes::from("load=3")));
}

#[test]
fn memberlist_10_ill_health_stretches_timeout_deadline_and_interval() {
    let mut stage = silent(5);
    stage.call(|node, _| node.change_health(3));
    stage.run_to_probe();
    let begun = stage.now;
    stage.run_until(Timer::ProbeTimeout);
    assert_eq!(stage.now.saturating_since(begun), 2 * SECOND);
    stage.run_until(Timer::ProbeDeadline);
    assert_eq!(stage.now.saturating_since(begun), 4 * SECOND);
    let stats = stage.node.stats();
    assert_eq!((stats.probes_failed, stats.probes_degraded), (1, 2), "the next began with it");
}
