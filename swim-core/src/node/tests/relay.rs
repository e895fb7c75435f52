//! Pings on behalf of others: what a helper does, and what it refuses. SWIM 3.1: "ping-req";
//! memberlist net.go: `handleIndirectPing`.

use std::{time::Duration, vec::Vec};

use super::{
    stage::Stage,
    words::{NODE, addr, alive, name},
};
use crate::{
    limits::{RELAYS_BURST, RELAYS_MAX, RELAYS_PER_SECOND},
    name::named,
    reject::Reject,
    stamp::Stamp,
    wire::{Alive, Claim, IndirectPing, Message, Nack, RelayedAck},
};

const MILLI: Duration = Duration::from_millis(1);
const NONCE: u64 = 0xABCD;

fn ask(target: usize) -> Message<'static> {
    ask_at(target, target)
}

/// Asks for one that the requester knows at the address of another.
fn ask_at(target: usize, at: usize) -> Message<'static> {
    let target = named(name(target));
    Message::IndirectPing(IndirectPing {
        nonce: NONCE,
        target: Some(target),
        addr: addr(at),
        nack: true,
    })
}

fn nacks(stage: &Stage, nth: usize) -> usize {
    let nack = Message::Nack(Nack { nonce: NONCE });
    stage.told(nth).filter(|message| **message == nack).count()
}

fn pings(stage: &Stage) -> usize {
    let messages = stage.sent.iter().flat_map(|sent| &sent.messages);
    messages.filter(|message| matches!(message, Message::Ping(_))).count()
}

fn answers(stage: &Stage, nth: usize) -> Vec<(&'static str, Stamp)> {
    let answers = stage.told(nth).filter_map(|message| match message {
        Message::RelayedAck(RelayedAck { nonce: NONCE, target, stamp }) => {
            Some((target.as_str(), *stamp))
        }
        _ => None,
    });
    answers.collect()
}

#[test]
fn memberlist_3_2_a_helper_pings_the_target_and_passes_the_ack_on() {
    let mut stage = Stage::with(3, |_| {});
    stage.say(1, &[ask(2)]);
    let nonce = stage.pinged(2).expect("a ping");
    assert_ne!(nonce, NONCE, "with a nonce of its own");
    assert!(answers(&stage, 1).is_empty());
    stage.speaks_under(2, 1, 4);
    stage.ack(2, nonce);
    assert_eq!(answers(&stage, 1), [("p2", Stamp::new(1, 4))], "and the stamp it spoke under");
    assert_eq!(stage.node.stats().relayed, 1);
    stage.run(Duration::from_secs(100));
    assert_eq!(nacks(&stage, 1), 0);
}

#[test]
fn x6_the_address_comes_from_our_own_table() {
    let mut stage = Stage::with(3, |_| {});
    stage.fail(3, (1, 1), 2);
    stage.say(2, &[Message::Claim(Claim::Alive(Alive { addr: addr(33), ..alive(3, 2, 1) }))]);
    stage.clear();
    stage.say(1, &[ask_at(3, 33)]);
    let to = stage.sent.iter().map(|sent| sent.to);
    assert_eq!(to.collect::<Vec<_>>(), [addr(33)]);
}

#[test]
fn x9_a_helper_that_knows_another_of_that_name_does_not_vouch() {
    // Else who has taken an impostor for the holder would never find out that the impostor died.
    let mut stage = Stage::with(3, |_| {});
    stage.say(1, &[ask_at(2, 22)]);
    assert_eq!(pings(&stage), 0);
    assert_eq!((stage.node.stats().relays_refused, nacks(&stage, 1)), (1, 1));
}

#[test]
fn x6_nobody_is_pinged_who_is_not_in_the_table() {
    let mut stage = Stage::with(2, |_| {});
    stage.say(1, &[ask(9)]);
    stage.say(1, &[ask(NODE)]);
    assert_eq!(pings(&stage), 0);
    assert_eq!(stage.node.stats().relays_refused, 2);
    assert_eq!(nacks(&stage, 1), 2, "the requester learns at once that nothing will come");
}

#[test]
fn x6_strangers_are_not_helped() {
    let mut stage = Stage::with(2, |_| {});
    stage.say(9, &[ask(2)]);
    stage.say_from(addr(50), 1, &[ask(2)]);
    assert!(stage.sent.is_empty());
    assert_eq!(stage.node.stats().rejected_for(Reject::Stranger), 2);
}

#[test]
fn q8_the_nack_goes_out_well_before_the_requesters_deadline() {
    let mut stage = Stage::with(3, |_| {});
    stage.say(1, &[ask(2)]);
    stage.run(249 * MILLI);
    assert_eq!(nacks(&stage, 1), 0);
    stage.run(MILLI);
    assert_eq!(nacks(&stage, 1), 1);
    stage.run(Duration::from_secs(100));
    assert_eq!(nacks(&stage, 1), 1, "once");
}

#[test]
fn q8_a_late_ack_is_still_passed_on_once() {
    let mut stage = Stage::with(3, |_| {});
    stage.say(1, &[ask(2)]);
    let nonce = stage.pinged(2).unwrap();
    stage.run(700 * MILLI);
    assert_eq!(nacks(&stage, 1), 1);
    stage.ack(2, nonce);
    stage.ack(2, nonce);
    assert_eq!(answers(&stage, 1).len(), 1);
}

#[test]
fn p1_a_relay_waits_for_its_target_and_its_own_nonce() {
    let mut stage = Stage::with(3, |_| {});
    stage.say(1, &[ask(2)]);
    let nonce = stage.pinged(2).unwrap();
    stage.ack(3, nonce);
    stage.ack(2, NONCE);
    stage.ack(1, nonce);
    assert!(answers(&stage, 1).is_empty());
    stage.ack(2, nonce);
    assert_eq!(answers(&stage, 1).len(), 1);
}

#[test]
fn m1_a_relay_is_given_up_in_the_end() {
    let mut stage = Stage::lan(3, |options| options.health_max = 1);
    stage.answering = false;
    stage.say(1, &[ask(2)]);
    let nonce = stage.pinged(2).unwrap();
    stage.answering = true;
    stage.run(Duration::from_millis(250) + Duration::from_secs(2));
    stage.ack(2, nonce);
    assert!(answers(&stage, 1).is_empty(), "nobody waits for it: the worst probe takes 2 s");
    assert_eq!(stage.node.stats().relayed, 0);
}

#[test]
fn x6_one_requester_gets_so_much_help_and_no_more() {
    let mut stage = Stage::with(4, |_| {});
    (0..100).for_each(|_| stage.say(1, &[ask(2)]));
    assert_eq!(pings(&stage) as u64, RELAYS_BURST);
    assert_eq!(stage.node.stats().relays_refused, 100 - RELAYS_BURST);
    stage.clear();
    stage.say(3, &[ask(2)]);
    assert_eq!(pings(&stage), 1, "others have budgets of their own");
    stage.sleep(Duration::from_secs(1));
    stage.clear();
    (0..100).for_each(|_| stage.say(1, &[ask(4)]));
    assert_eq!(pings(&stage) as u64, RELAYS_PER_SECOND);
}

#[test]
fn x6_so_many_are_helped_at_a_time_and_no_more() {
    let mut stage = Stage::with(20, |_| {});
    stage.clear();
    for nth in 1..=19 {
        (0..RELAYS_BURST).for_each(|_| stage.say(nth, &[ask(20)]));
    }
    assert_eq!(pings(&stage), RELAYS_MAX);
}

#[test]
fn x6_a_relay_ends_with_the_membership_of_who_asked_for_it() {
    let mut stage = Stage::with(3, |options| options.reap_after = MILLI);
    stage.say(1, &[ask(2)]);
    let nonce = stage.pinged(2).unwrap();
    stage.fail(1, (1, 1), 3);
    stage.run(2 * MILLI);
    stage.introduce(9);
    stage.clear();
    stage.ack(2, nonce);
    stage.run(Duration::from_secs(100));
    assert!(answers(&stage, 9).is_empty() && nacks(&stage, 9) == 0, "not to its successor");
}
