//! How the node speaks up when others say of it what it knows better. SWIM 4.2: "refutation";
//! memberlist state.go: `refute`.

use std::{format, time::Duration, vec::Vec};

use super::{
    stage::Stage,
    words::{NODE, addr, alive, entry, has_left, is_alive, is_dead, is_suspect, name},
};
use crate::{
    event::EventKind,
    io::Timer,
    member::{LeaveReason, State},
    name::named,
    stamp::{INCARNATION_MAX, Stamp},
    wire::{Alive, Digest, Entry, ExchangeHead, Message, Ping},
};

const SECOND: Duration = Duration::from_secs(1);

/// A node whose life is its own: it has a clock.
fn dated() -> Stage {
    Stage::with(2, |options| options.unix_time = Some(Duration::from_secs(1_700_000_000)))
}

#[test]
fn s3_memberlist_7_4_a_refutation_takes_the_smallest_stamp_above_both() {
    for (accused, stamp) in [
        ((5, 1), "5.2"),
        ((5, 41), "5.42"),
        ((5, INCARNATION_MAX), "6.1"),
        ((5, INCARNATION_MAX - 1), "5.281474976710655"),
    ] {
        for claim in [is_suspect(NODE, accused, 1), is_dead(NODE, accused, 1)] {
            let mut stage = dated();
            stage.say(1, &[claim]);
            assert_eq!(stage.belief(NODE), format!("alive {stamp}"), "{claim:?}");
            assert_eq!(stage.node.stats().refutations, 1);
            assert_eq!(stage.node.health(), 1);
        }
    }
}

#[test]
fn s5_a_life_that_another_lived_is_left_to_him() {
    for (accused, stamp) in [((6, 0), "7.1"), ((6, 3), "7.1"), ((9, INCARNATION_MAX), "10.1")] {
        for claim in [is_suspect(NODE, accused, 1), is_dead(NODE, accused, 1)] {
            for mut stage in [dated(), Stage::with(2, |_| {})] {
                stage.say(1, &[claim]);
                assert_eq!(stage.belief(NODE), format!("alive {stamp}"), "{claim:?}");
                let raised = |event: &&EventKind| matches!(event, EventKind::LifeRaised { .. });
                assert_eq!(stage.events.iter().filter(raised).count(), 1);
            }
        }
    }
}

#[test]
fn s5_without_a_clock_our_life_may_have_been_a_former_selfs() {
    for (claim, stamp) in [
        (is_suspect(NODE, (5, 1), 1), "5.2"),
        (is_dead(NODE, (5, 1), 1), "5.2"),
        (is_suspect(NODE, (5, 41), 1), "6.1"),
        (is_dead(NODE, (5, INCARNATION_MAX), 1), "6.1"),
        (is_alive(NODE, 5, 2), "6.1"),
    ] {
        let mut stage = Stage::with(2, |_| {});
        stage.say(1, &[claim]);
        assert_eq!(stage.belief(NODE), format!("alive {stamp}"), "{claim:?}");
    }
}

#[test]
fn memberlist_7_4_a_stale_accusation_is_not_answered() {
    let mut stage = Stage::with(2, |_| {});
    stage.say(1, &[is_suspect(NODE, (5, 0), 1), is_dead(NODE, (4, 9), 1), has_left(NODE, 4, 9)]);
    assert_eq!(stage.belief(NODE), "alive 5.1");
    assert_eq!((stage.node.stats().refutations, stage.node.health()), (0, 0));
    assert!(stage.node.claims.is_empty());
}

#[test]
fn memberlist_7_4_each_new_accusation_is_refuted_again() {
    let mut stage = Stage::with(2, |_| {});
    for incarnation in 1..=20 {
        stage.say(1, &[is_suspect(NODE, (5, incarnation), 1)]);
        assert_eq!(stage.belief(NODE), format!("alive 5.{}", incarnation + 1));
    }
    assert_eq!(stage.node.health(), 7, "P4: no further");
}

#[test]
fn s7_a_goodbye_in_our_name_is_outbid_by_a_new_life() {
    for (claim, stamp) in [
        (has_left(NODE, 5, 1), "6.1"),
        (has_left(NODE, 5, 0), "6.1"),
        (has_left(NODE, 8, 3), "9.1"),
    ] {
        let mut stage = Stage::with(2, |_| {});
        stage.say(1, &[claim]);
        assert_eq!(stage.belief(NODE), format!("alive {stamp}"));
        let raised = |event: &EventKind| matches!(event, EventKind::LifeRaised { .. });
        assert_eq!(stage.events.iter().filter(|event| raised(event)).count(), 1);
        assert_eq!(stage.claims_to(2), [format!("alive n {stamp}")]);
    }
}

#[test]
fn a_refutation_goes_out_at_once_and_not_with_the_next_round() {
    let mut stage = Stage::with(3, |_| {});
    stage.say(1, &[is_alive(1, 1, 2)]);
    stage.clear();
    let now = stage.now;
    assert_eq!(stage.node.gossiped_at, Some(now), "the last round was just now");
    stage.say(1, &[is_suspect(NODE, (5, 1), 1)]);
    let sent = stage.sent.iter().filter(|sent| sent.at == now).count();
    assert!(sent >= 3, "a round to three, not {sent}");
    assert!(stage.claims_to(2).contains(&"alive n 5.2".into()));
    assert!(stage.claims_to(3).contains(&"alive n 5.2".into()));
}

/// Each accusation is refuted; but who makes thousands gets no thousands of rounds for them.
#[test]
fn x6_refutations_go_out_at_the_pace_of_fresh_news() {
    for gossip_interval in [Duration::from_millis(200), Duration::ZERO] {
        let mut stage = Stage::new(|options| options.gossip_interval = gossip_interval);
        (1..=3).for_each(|nth| stage.introduce(nth));
        stage.sleep(Duration::from_secs(9));
        stage.clear();
        let pace = stage.node.gossip_pace() / 8;
        let began = stage.now;
        for incarnation in 1..=1_000 {
            stage.say(1, &[is_suspect(NODE, (5, incarnation), 1)]);
        }
        assert_eq!(stage.node.stats().refutations, 1_000);
        let rounds = stage.node.stats().gossip_rounds;
        stage.run(pace);
        let sent: Vec<_> = stage.sent.iter().filter(|sent| sent.at < began + pace).collect();
        assert!((1..=6).contains(&sent.len()), "{} packets for 1,000 accusations", sent.len());
        assert_eq!(stage.node.stats().gossip_rounds, rounds + 1, "the last word goes out, too");
        assert!(stage.claims_to_any().contains(&"alive n 5.1001".into()));
    }
}

#[test]
fn a_refutation_goes_out_even_without_rounds_of_gossip() {
    let mut stage = Stage::new(|options| options.gossip_interval = Duration::ZERO);
    stage.introduce(1);
    stage.introduce(2);
    stage.clear();
    stage.say(1, &[is_suspect(NODE, (5, 1), 1)]);
    assert!(stage.sent.iter().any(|sent| sent.sender.incarnation.0 == 2));
    assert!(stage.timer.is_none_or(|(_, why)| why != Timer::Gossip));
}

#[test]
fn x8_l5_two_that_hold_each_other_for_dead_exchange_tables() {
    let mut stage = Stage::with(3, |_| {});
    stage.fail(1, (1, 1), 2);
    stage.settle();
    let streams = stage.links.len();
    stage.say(1, &[is_dead(NODE, (5, 1), 1)]);
    assert_eq!(stage.belief(NODE), "alive 5.1", "it may not hear us");
    assert_eq!(stage.links.len(), streams + 1, "but perhaps it does");
    stage.say(1, &[is_dead(NODE, (5, 1), 1)]);
    assert_eq!(stage.links.len(), streams + 1, "which is not asked each time");
    // Over a stream it hears us, whoever of the two began.
    let id = stage.accept(1);
    let head = ExchangeHead { join: false, entries: 1, state_len: 0 };
    let head = Message::ExchangeHead(head);
    stage.reply(id, &[head, entry(alive(NODE, 5, 1), State::Dead)], true);
    assert_eq!(stage.belief(NODE), "alive 5.2");
}

/// What its packets show to all, nobody could pass on: only the claim says what the node is.
#[test]
fn a_refutation_rides_on_every_packet_until_a_probe_that_carried_it_is_answered() {
    let mut stage = Stage::with(9, |_| {});
    stage.say(1, &[is_suspect(NODE, (5, 1), 1)]);
    stage.settle();
    let says_it = |stage: &Stage, nth: usize| {
        stage.claims_to(nth).iter().filter(|claim| *claim == "alive n 5.2").count()
    };
    let ping = || Message::Ping(Ping { nonce: 1, digest: Digest::default() });
    for _ in 0..5 {
        stage.clear();
        stage.say(2, &[ping()]);
        assert_eq!(says_it(&stage, 2), 1, "with the ack");
        stage.clear();
        let (nth, _) = stage.run_to_probe();
        assert_eq!(says_it(&stage, nth), 1, "with the ping");
    }
    stage.clear();
    let (nth, nonce) = stage.run_to_probe();
    assert_eq!(says_it(&stage, nth), 1);
    stage.ack(nth, nonce);
    stage.clear();
    stage.say(2, &[ping()]);
    let (nth, _) = stage.run_to_probe();
    assert_eq!((says_it(&stage, 2), says_it(&stage, nth)), (0, 0), "it was heard");
}

/// Whoever hears nothing must not bring itself back for ever where it was buried and forgotten.
#[test]
fn l6_who_is_never_answered_stops_introducing_itself() {
    let mut stage = Stage::with(30, |options| options.suspicion_mult = 32);
    stage.say(1, &[is_suspect(NODE, (5, 1), 1)]);
    stage.settle();
    let failed = |stage: &Stage| stage.node.stats().probes_failed;
    while stage.node.unheard.own().is_some() {
        stage.run_until(Timer::ProbeDeadline);
        assert!(failed(&stage) < 40, "it hopes for ever");
    }
    // The first ones need not carry it: it is gossiped meanwhile.
    assert!(failed(&stage) >= 8, "{}", failed(&stage));
}

/// Whoever loses most of what it sends probes seldom, but answers as often as others.
#[test]
fn l6_an_accusation_rides_on_acks_until_somebody_has_heard_it() {
    let mut stage = Stage::with(9, |options| options.suspicion_mult = 32);
    let (accused, _) = stage.run_to_probe();
    stage.run_until(Timer::ProbeDeadline);
    stage.settle();
    let accusation = format!("suspect p{accused} 1.1 by n");
    let teller = if accused == 2 { 3 } else { 2 };
    let ping = || Message::Ping(Ping { nonce: 1, digest: Digest::default() });
    for _ in 0..20 {
        stage.clear();
        stage.say(teller, &[ping()]);
        assert!(stage.claims_to(teller).contains(&accusation), "{:?}", stage.claims_to(teller));
    }
    let (nth, nonce) = loop {
        let (nth, nonce) = stage.run_to_probe();
        if nth != accused {
            break (nth, nonce);
        }
    };
    stage.ack(nth, nonce);
    stage.clear();
    stage.say(teller, &[ping()]);
    assert!(!stage.claims_to(teller).contains(&accusation), "it was heard");
}

#[test]
fn a_refutation_that_comes_back_was_heard() {
    let mut stage = Stage::with(3, |_| {});
    stage.say(1, &[is_suspect(NODE, (5, 1), 1)]);
    stage.settle();
    assert!(stage.node.unheard.own().is_some());
    stage.say(2, &[is_alive(NODE, 5, 1)]);
    assert!(stage.node.unheard.own().is_some(), "that is what we said before");
    stage.say(2, &[is_alive(NODE, 5, 2)]);
    assert!(stage.node.unheard.own().is_none());
}

#[test]
fn every_packet_after_a_refutation_carries_the_new_stamp() {
    let mut stage = dated();
    stage.say(1, &[is_dead(NODE, (5, 7), 1)]);
    stage.clear();
    stage.call(|node, now| node.ping(now, name(2))).unwrap();
    assert!(stage.sent.iter().all(|sent| sent.sender.incarnation.0 == 8));
}

#[test]
fn memberlist_12_3_an_accusation_in_a_table_is_refuted_like_any_other() {
    for state in [State::Suspect, State::Dead, State::Left] {
        let mut stage = Stage::with(2, |_| {});
        let id = stage.accept(1);
        let head = ExchangeHead { join: false, entries: 1, state_len: 0 };
        let head = Message::ExchangeHead(head);
        stage.reply(id, &[head, entry(alive(NODE, 5, 1), state)], true);
        let (messages, _) = stage.written(id);
        let own = messages.iter().find_map(|message| match message {
            Message::Entry(entry) if entry.alive.name == "n" => Some(*entry),
            _ => None,
        });
        let own = own.expect("the answer has the node itself");
        assert_eq!((own.state, own.stamp), (State::Alive, stage.node.stamp()));
        assert!(stage.node.stamp() > Stamp::new(5, 1), "{state}");
    }
}

#[test]
fn health_recovers_from_refuting_as_probes_succeed() {
    let mut stage = Stage::lan(3, |_| {});
    stage.say(1, &[is_suspect(NODE, (5, 1), 1)]);
    stage.say(1, &[is_suspect(NODE, (5, 2), 1)]);
    assert_eq!(stage.node.health(), 2);
    stage.run(10 * SECOND);
    assert_eq!(stage.node.health(), 0);
}

#[test]
fn a_table_that_has_more_of_us_than_we_said_is_outbid() {
    // Belief, its address, and what the node then says of itself.
    let table =
        [((5, 9), NODE, "alive 5.10"), ((5, 1), NODE, "alive 5.1"), ((5, 9), 9, "alive 5.1")];
    for ((life, incarnation), at, expected) in table {
        let mut stage = dated();
        let id = stage.accept(1);
        let head = ExchangeHead { join: false, entries: 1, state_len: 0 };
        let said = Alive { addr: addr(at), ..alive(NODE, 5, 1) };
        let (state, stamp) = (State::Alive, Stamp::new(life, incarnation));
        let entry = Entry { alive: said, state, stamp, reason: LeaveReason::Graceful };
        stage.reply(id, &[Message::ExchangeHead(head), Message::Entry(entry)], true);
        assert_eq!(stage.belief(NODE), expected);
    }
}

/// What it accused others of while it was held for dead, nobody listened to and nobody refuted.
#[test]
fn l6_who_was_held_for_dead_gives_those_it_suspects_their_time_anew() {
    const MOMENT: Duration = Duration::from_millis(10);
    let is_waiting = |stage: &Stage, nth: usize| {
        let index = stage.node.table.find(named(name(nth))).unwrap();
        stage.node.claims.is_waiting(index)
    };
    for (says, is_anew) in [(is_dead(NODE, (5, 1), 1), true), (is_suspect(NODE, (5, 1), 1), false)]
    {
        let mut stage = Stage::with(9, |_| {});
        stage.fail(4, (1, 1), 2);
        stage.say(2, &[is_suspect(3, (1, 1), 2)]);
        let due = |stage: &Stage| stage.node.suspicions.values().next().unwrap().deadline();
        let (began, old) = (stage.now, due(&stage));
        stage.run(MOMENT);
        stage.clear();
        assert!(is_waiting(&stage, 4));
        stage.say(1, &[says]);
        assert_eq!(due(&stage) == old + MOMENT, is_anew);
        assert_eq!(due(&stage) == old, !is_anew);
        assert_eq!(stage.now, began + MOMENT);
        assert!(!is_anew || !is_waiting(&stage, 4), "its verdict is no longer passed on");
        let accusation = "suspect p3 1.1 by p3".into();
        let is_told = (1..=9).any(|nth| stage.claims_to(nth).contains(&accusation));
        assert_eq!(is_told, is_anew);
        assert_eq!(stage.state(4), Some(State::Dead), "what it believes is another matter");
    }
}
