//! Rounds of gossip: when they go out, to whom, and how often one claim is told. SWIM 4.1;
//! memberlist state.go: `gossip`; queue.go.

use std::{collections::BTreeMap, string::String, time::Duration, vec::Vec};

use super::{
    puppet::nth_at,
    stage::Stage,
    words::{self, addr, alive, has_left, is_alive, is_suspect},
};
use crate::{
    event::EventKind,
    io::Timer,
    wire::{Alive, Claim, Digest, Message, Ping},
};

const GOSSIP: Duration = Duration::from_millis(200);
const SECOND: Duration = Duration::from_secs(1);

/// Who was sent this claim, in order.
fn told(stage: &Stage, claim: &str) -> Vec<usize> {
    let packets = stage.sent.iter();
    let with_it =
        packets.filter(|sent| words::claims(sent.messages.iter().copied()).contains(&claim.into()));
    with_it.map(|sent| nth_at(sent.to)).collect()
}

#[test]
fn memberlist_11_1_without_news_there_are_no_rounds() {
    let mut stage = Stage::with(5, |_| {});
    let rounds = stage.node.stats().gossip_rounds;
    stage.answering = true;
    for _ in 0..1000 {
        assert_ne!(stage.timer.map(|(_, why)| why), Some(Timer::Gossip));
        if stage.timer.is_some() {
            stage.run_to_tick();
        }
    }
    assert_eq!(stage.node.stats().gossip_rounds, rounds);
}

#[test]
fn memberlist_11_1_fresh_news_goes_out_quickly_and_is_repeated_in_step() {
    let mut stage = Stage::with(9, |_| {});
    stage.run(SECOND);
    let start = stage.now;
    stage.say(1, &[is_alive(1, 1, 2)]);
    assert_eq!(stage.sent.len(), 3, "the first at once, to three members");
    stage.say(2, &[is_alive(2, 1, 2)]);
    assert_eq!(stage.sent.len(), 3, "the next one has to wait a little");
    assert_eq!(stage.timer, Some((start + GOSSIP / 8, Timer::Gossip)));
    stage.run_to_tick();
    assert_eq!(stage.sent.len(), 6);
    assert_eq!(stage.timer, Some((start + GOSSIP / 8 + GOSSIP, Timer::Gossip)), "then in step");
    let mut peers: Vec<usize> = stage.sent.iter().map(|sent| nth_at(sent.to)).collect();
    peers.sort_unstable();
    peers.dedup();
    assert!(peers.len() >= 5, "to different ones: {peers:?}");
}

#[test]
fn p6_one_claim_goes_to_distinct_members_and_at_most_so_often() {
    for (n, mult, limit) in [(8, 4, 4), (30, 4, 8), (30, 2, 4), (120, 4, 12)] {
        let mut stage = Stage::with(n, |options| options.retransmit_mult = mult);
        stage.say(1, &[is_alive(1, 1, 2)]);
        stage.settle_and_keep();
        let mut told = told(&stage, "alive p1 1.2");
        assert_eq!(told.len(), limit, "of {n} members");
        assert!(!told.contains(&1), "not back to whom it came from");
        told.sort_unstable();
        told.dedup();
        assert_eq!(told.len(), limit, "distinct");
    }
}

#[test]
fn p6_beyond_the_first_hundred_members_claims_still_end() {
    let mut stage = Stage::with(200, |options| options.members_max = 1000);
    stage.say(199, &[is_alive(199, 1, 2)]);
    stage.settle_and_keep();
    assert_eq!(told(&stage, "alive p199 1.2").len(), 12);
}

#[test]
fn p6_a_claim_that_everybody_has_is_not_told_again() {
    let mut stage = Stage::with(3, |_| {});
    stage.say(2, &[is_suspect(1, (1, 1), 2)]);
    stage.settle_and_keep();
    let mut told = told(&stage, "suspect p1 1.1 by p2");
    told.sort_unstable();
    assert!(told == [3] || told == [1, 3], "once each, and not to p2 who said it: {told:?}");
}

#[test]
fn p6_a_claim_heard_from_all_others_is_done() {
    let mut stage = Stage::with(2, |options| options.gossip_nodes = 1);
    stage.say(1, &[is_alive(1, 1, 2)]);
    let stamp = stage.call(|node, now| node.update_meta(now, "x".into())).unwrap();
    let own = Message::Claim(Claim::Alive(Alive { stamp, meta: b"x", ..alive(0, 5, 2) }));
    stage.say(1, &[own]);
    stage.say(2, &[own]);
    stage.run(10 * SECOND);
    let sent = |event: &EventKind| matches!(event, EventKind::UpdateSent { .. });
    assert!(stage.events.iter().any(sent), "both have it: there is nothing to wait for");
    assert_ne!(stage.timer.map(|(_, why)| why), Some(Timer::Gossip), "and nothing to tell");
}

#[test]
fn p6_a_claim_whose_last_hearer_is_gone_is_done() {
    let mut stage = Stage::with(3, |options| options.gossip_nodes = 1);
    stage.clear();
    stage.call(|node, now| node.update_meta(now, "x".into())).unwrap();
    while told(&stage, "alive n 5.2").len() < 2 {
        stage.run(GOSSIP);
    }
    let told = told(&stage, "alive n 5.2");
    let left = (1..=3).find(|nth| !told.contains(nth)).unwrap();
    stage.say(left, &[has_left(left, 1, 1)]);
    stage.run(10 * SECOND);
    let sent = |event: &EventKind| matches!(event, EventKind::UpdateSent { .. });
    assert!(stage.events.iter().any(sent), "everybody who is left has it");
    assert_ne!(stage.timer.map(|(_, why)| why), Some(Timer::Gossip));
}

#[test]
fn memberlist_11_1_the_dead_are_told_for_a_while_the_gone_never() {
    let mut stage = Stage::with(4, |options| options.reap_after = 1000 * SECOND);
    stage.fail(1, (1, 1), 3);
    stage.say(3, &[has_left(2, 1, 1)]);
    stage.settle();
    let mut incarnation = 2;
    let mut news = |stage: &mut Stage| {
        stage.say(3, &[is_alive(3, 1, incarnation)]);
        incarnation += 1;
        stage.settle_and_keep();
    };
    let start = stage.now;
    while stage.now < start + 29 * SECOND {
        news(&mut stage);
        stage.run(GOSSIP);
    }
    let to = |stage: &Stage, nth| stage.sent.iter().filter(|sent| sent.to == addr(nth)).count();
    assert!(to(&stage, 1) > 0, "it may live, and say so");
    assert!(
        stage.claims_to(1).contains(&"dead p1 1.1 by n".into()),
        "it is told what it should refute"
    );
    assert_eq!(to(&stage, 2), 0);
    stage.run(2 * SECOND);
    stage.clear();
    (0..100).for_each(|_| news(&mut stage));
    assert_eq!((to(&stage, 1), to(&stage, 2)), (0, 0));
}

#[test]
fn memberlist_5_1_pings_and_acks_carry_news() {
    for ack in [false, true] {
        let mut stage = Stage::new(|options| options.gossip_nodes = 0);
        stage.introduce(1);
        stage.introduce(2);
        stage.say(1, &[is_alive(1, 1, 2)]);
        stage.clear();
        if ack {
            let ping = Ping { nonce: 1, digest: Digest::default() };
            stage.say(2, &[Message::Ping(ping)]);
        } else {
            stage.call(|node, now| node.ping(now, "p2")).unwrap();
        }
        assert_eq!(stage.sent.len(), 1);
        assert!(stage.claims_to(2).contains(&"alive p1 1.2".into()));
        assert!(stage.sent[0].messages.len() > 1, "what it is for comes first");
        assert!(matches!(stage.sent[0].messages[0], Message::Ping(_) | Message::Ack(_)));
    }
}

#[test]
fn memberlist_11_1_gossip_turned_off_leaves_piggybacking() {
    for off in ["interval", "nodes"] {
        let mut stage = Stage::new(|options| match off {
            "interval" => options.gossip_interval = Duration::ZERO,
            _ => options.gossip_nodes = 0,
        });
        (1..=3).for_each(|nth| stage.introduce(nth));
        stage.say(1, &[is_alive(1, 1, 2)]);
        assert!(stage.sent.is_empty());
        assert_ne!(stage.timer.map(|(_, why)| why), Some(Timer::Gossip));
    }
}

#[test]
fn memberlist_11_2_what_was_sent_least_goes_first() {
    let mut stage = Stage::with(100, |options| {
        options.packet_len_max = 576;
        options.gossip_nodes = 1;
    });
    let news: Vec<Message<'_>> = (1..=60).map(|nth| is_alive(nth, 1, 2)).collect();
    stage.say(90, &news);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..1000 {
        for sent in stage.sent.drain(..) {
            for claim in words::claims(sent.messages.iter().copied()) {
                *counts.entry(claim).or_default() += 1;
            }
        }
        let all = counts.len() == 60;
        let (least, most) = (counts.values().min(), counts.values().max());
        assert!(all || most <= Some(&2), "some were sent {most:?} times, some never");
        if all && least >= Some(&2) {
            return;
        }
        stage.run(GOSSIP);
    }
    panic!("{counts:?}");
}

#[test]
fn q27_claims_that_fit_into_no_packet_block_nobody() {
    let big = [5_u8; 512];
    let mut stage = Stage::new(|options| options.packet_len_max = 576);
    for nth in 1..=3 {
        stage.introduce(nth);
    }
    stage.settle();
    for nth in 10..20 {
        let meta: &'static [u8] = std::boxed::Box::leak(big.into());
        stage.say(1, &[Message::Claim(Claim::Alive(Alive { meta, ..alive(nth, 1, 1) }))]);
    }
    stage.clear();
    stage.fail(10, (1, 1), 2);
    stage.say(2, &[is_alive(2, 1, 2)]);
    stage.run(5 * SECOND);
    assert!(stage.claims_to_any().contains(&"alive p2 1.2".into()));
    assert!(stage.claims_to_any().contains(&"dead p10 1.1 by p2".into()));
    stage.run(60 * SECOND);
    assert_ne!(stage.timer.map(|(_, why)| why), Some(Timer::Gossip), "they are not tried for ever");
}

#[test]
fn m3_after_everybody_died_no_rounds_go_on_for_nobody() {
    let mut stage = Stage::with(1, |options| options.reap_after = 86_400 * SECOND);
    stage.fail(1, (1, 1), 1);
    stage.run(60 * SECOND);
    stage.call(|node, now| node.update_meta(now, "alone".into())).unwrap();
    let rounds = stage.node.stats().gossip_rounds;
    stage.run(60 * SECOND);
    assert!(stage.node.stats().gossip_rounds <= rounds + 1, "there is nobody to tell");
    let sent = |event: &EventKind| matches!(event, EventKind::UpdateSent { .. });
    assert!(stage.events.iter().any(sent), "so the update is told to all there are");
}
