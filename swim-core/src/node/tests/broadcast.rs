//! The application's broadcasts: told to all, once each, and never starved by membership news.

use std::{format, string::String, time::Duration, vec, vec::Vec};

use bytes::Bytes;

use super::{
    puppet::nth_at,
    stage::Stage,
    words::{has_left, is_alive},
};
use crate::{
    error::SendError,
    event::EventKind,
    io::Timer,
    name::named,
    wire::{Broadcast, BroadcastSummary, Digest, Message, Ping},
};

const GOSSIP: Duration = Duration::from_millis(200);
const SECOND: Duration = Duration::from_secs(1);

fn issued(id: u64, age_millis: u32) -> Message<'static> {
    let payload = b"hello";
    Message::Broadcast(Broadcast { origin: named("p1"), life: 1, id, age_millis, payload })
}

/// Who was sent the node's own broadcast of this number.
fn told(stage: &Stage, wanted: u64) -> Vec<usize> {
    let has = |message: &Message<'_>| match message {
        Message::Broadcast(broadcast) => (broadcast.origin, broadcast.id) == (named("n"), wanted),
        _ => false,
    };
    let packets = stage.sent.iter().filter(|sent| sent.messages.iter().any(has));
    packets.map(|sent| nth_at(sent.to)).collect()
}

fn reported(stage: &Stage) -> Vec<(u64, u32)> {
    let reported = stage.events.iter().filter_map(|event| match event {
        EventKind::BroadcastSent { id, sends } => Some((*id, *sends)),
        _ => None,
    });
    reported.collect()
}

#[test]
fn a_broadcast_goes_to_distinct_members_and_is_reported_when_it_went_out() {
    let mut stage = Stage::with(8, |_| {});
    let first = stage.call(|node, now| node.broadcast(now, "one".into()));
    let second = stage.call(|node, now| node.broadcast(now, "two".into()));
    assert_eq!((first, second), (Ok(1), Ok(2)));
    stage.settle_and_keep();
    for id in [1, 2] {
        let mut told = told(&stage, id);
        assert_eq!(told.len(), 4);
        told.sort_unstable();
        told.dedup();
        assert_eq!(told.len(), 4, "distinct");
        assert!(reported(&stage).contains(&(id, 4)));
    }
    assert!(stage.payloads().is_empty(), "not to ourselves");
    assert_eq!(stage.node.stats().broadcasts_sent, 2);
}

#[test]
fn a_broadcast_to_nobody_is_over_at_once() {
    let mut stage = Stage::new(|_| {});
    stage.call(|node, now| node.broadcast(now, "hello".into())).unwrap();
    stage.run(SECOND);
    assert_eq!(reported(&stage), [(1, 0)]);
    assert!(stage.sent.is_empty());
}

#[test]
fn a_broadcast_is_reported_when_its_last_hearer_is_gone() {
    let mut stage = Stage::with(3, |options| options.gossip_nodes = 1);
    stage.call(|node, now| node.broadcast(now, "hello".into())).unwrap();
    while told(&stage, 1).len() < 2 {
        stage.run(GOSSIP);
    }
    let left = (1..=3).find(|nth| !told(&stage, 1).contains(nth)).unwrap();
    stage.say(left, &[has_left(left, 1, 1)]);
    stage.run(10 * SECOND);
    assert_eq!(reported(&stage), [(1, 2)]);
    assert_ne!(stage.timer.map(|(_, why)| why), Some(Timer::Gossip));
}

#[test]
fn a_broadcast_is_reported_when_the_node_leaves_before_it_went_out() {
    let mut stage = Stage::with(30, |options| options.gossip_nodes = 1);
    stage.call(|node, now| node.broadcast(now, "hello".into())).unwrap();
    stage.call(|node, now| node.update_meta(now, "x".into())).unwrap();
    stage.call(|node, now| node.leave(now, Duration::ZERO)).unwrap();
    stage.run(SECOND);
    assert!(stage.node.has_left());
    assert_eq!(reported(&stage).len(), 1, "whoever waits for it must not wait for ever");
    let updated = |event: &EventKind| matches!(event, EventKind::UpdateSent { .. });
    assert!(stage.events.iter().any(updated), "nor for the update");
}

#[test]
fn e4_a_broadcast_is_delivered_once_and_passed_on() {
    let mut stage = Stage::with(4, |_| {});
    stage.say(2, &[issued(7, 100)]);
    stage.say(3, &[issued(7, 90), issued(7, 100)]);
    stage.say(3, &[issued(8, 100)]);
    assert_eq!(stage.payloads(), ["hello", "hello"]);
    let stats = stage.node.stats();
    assert_eq!((stats.broadcasts_delivered, stats.broadcasts_repeated), (2, 2));
    stage.settle_and_keep();
    let to_4 = stage.told(4).filter(|message| matches!(message, Message::Broadcast(_))).count();
    assert_eq!(to_4, 2);
    assert!(reported(&stage).is_empty(), "only our own are reported");
}

#[test]
fn e4_nobody_delivers_an_old_broadcast() {
    let mut stage = Stage::with(2, |_| {});
    stage.say(1, &[issued(1, 30_001), issued(2, u32::MAX)]);
    assert!(stage.payloads().is_empty());
    assert_eq!(stage.node.stats().broadcasts_stale, 2);
    stage.say(1, &[issued(3, 30_000)]);
    assert_eq!(stage.payloads(), ["hello"]);
}

#[test]
fn e4_the_age_travels_with_it() {
    let mut stage = Stage::with(3, |options| options.gossip_nodes = 1);
    stage.say(1, &[is_alive(1, 1, 2)]);
    stage.clear();
    stage.say(1, &[issued(1, 1000)]);
    stage.settle_and_keep();
    let age = |message: &Message<'_>| match message {
        Message::Broadcast(broadcast) => Some(broadcast.age_millis),
        _ => None,
    };
    let told = stage.sent.iter().filter_map(|sent| {
        let age = sent.messages.iter().find_map(age)?;
        Some((sent.at, age))
    });
    let told: Vec<_> = told.collect();
    assert!(told.len() >= 2);
    let (start, first) = told[0];
    for (at, age) in told {
        let waited = u32::try_from(at.saturating_since(start).as_millis()).unwrap();
        assert_eq!(age, first + waited);
        assert!((1000..2000).contains(&age));
    }
}

#[test]
fn a_broadcast_of_ours_that_comes_back_is_not_delivered() {
    let mut stage = Stage::with(3, |_| {});
    stage.call(|node, now| node.broadcast(now, "mine".into())).unwrap();
    let own = Broadcast { origin: named("n"), life: 5, id: 1, age_millis: 3, payload: b"mine" };
    stage.say(2, &[Message::Broadcast(own)]);
    assert!(stage.payloads().is_empty());
}

/// Numbers can be foreseen: who uses up a member's next ones keeps none of its words from others,
/// nor its own word from itself.
#[test]
fn x4_who_uses_up_anothers_numbers_keeps_none_of_its_broadcasts_away() {
    let theirs = |id, payload| {
        Message::Broadcast(Broadcast { origin: named("p1"), life: 1, id, age_millis: 3, payload })
    };
    let mut stage = Stage::with(3, |_| {});
    stage.say(2, &[theirs(7, b"forged")]);
    stage.say(1, &[theirs(7, b"true"), theirs(7, b"true")]);
    assert_eq!(stage.payloads(), ["forged", "true"]);
    // Foretold to the letter, ours gets a number of its own.
    let ours = Broadcast { origin: named("n"), life: 5, id: 1, age_millis: 3, payload: b"mine" };
    stage.say(2, &[Message::Broadcast(ours)]);
    assert_eq!(stage.call(|node, now| node.broadcast(now, "mine".into())), Ok(2));
    assert_eq!(stage.call(|node, now| node.broadcast(now, "mine".into())), Ok(3));
}

#[test]
fn a_broadcast_must_fit_into_a_packet() {
    for (packet_len_max, name) in [(1400, "n"), (576, "n"), (9216, "n")] {
        let mut stage = Stage::new(|options| {
            options.packet_len_max = packet_len_max;
            options.name = name.into();
        });
        stage.introduce(1);
        let huge = Bytes::from(vec![7; 20_000]);
        let refused = stage.call(|node, now| node.broadcast(now, huge));
        let Err(SendError::TooLarge { len: 20_000, max }) = refused else { panic!("{refused:?}") };
        let over = Bytes::from(vec![7; max + 1]);
        let refused = stage.call(|node, now| node.broadcast(now, over));
        assert_eq!(refused, Err(SendError::TooLarge { len: max + 1, max }));
        let largest = Bytes::from(vec![7; max]);
        assert_eq!(
            stage.call(|node, now| node.broadcast(now, largest)),
            Ok(1),
            "errors take no id"
        );
        stage.settle_and_keep();
        assert_eq!(told(&stage, 1), [1]);
        assert!(max > packet_len_max - 100, "{max} of {packet_len_max}");
    }
}

/// A node with ten thousand claims to tell, and one broadcast.
fn in_a_storm(payload: Bytes) -> Stage {
    let mut stage = Stage::new(|_| {});
    stage.audited = false;
    (1..=20).for_each(|nth| stage.introduce(nth));
    stage.settle();
    let newcomers: Vec<usize> = (1_000..11_000).collect();
    for chunk in newcomers.chunks(100) {
        let claims: Vec<_> = chunk.iter().map(|&nth| is_alive(nth, 1, 1)).collect();
        stage.say(1, &claims);
    }
    stage.clear();
    stage.call(|node, now| node.broadcast(now, payload)).unwrap();
    stage
}

#[test]
fn q21_ten_thousand_claims_do_not_starve_a_broadcast() {
    let mut stage = in_a_storm("a few words".into());
    stage.run(2 * SECOND);
    assert_eq!(reported(&stage), [(1, 20)]);
    let claims = stage.claims_to_any().len();
    assert!(claims > 500, "nor does it starve them: {claims}");
}

#[test]
fn q21_ten_thousand_claims_do_not_starve_a_broadcast_that_fills_a_packet() {
    let mut stage = in_a_storm(Bytes::from(vec![7; 1200]));
    stage.run(2 * SECOND);
    assert_eq!(reported(&stage), [(1, 20)]);
    let claims = stage.claims_to_any().len();
    assert!(claims > 0, "nor does it starve them");
}

#[test]
fn a_broadcast_that_does_not_fit_beside_our_own_name_is_not_tried_for_ever() {
    let mut stage = Stage::new(|options| {
        options.name = "n".repeat(128);
        options.packet_len_max = 1232;
    });
    (1..=3).for_each(|nth| stage.introduce(nth));
    stage.settle();
    let payload: &'static [u8] = std::boxed::Box::leak(vec![7_u8; 1150].into());
    let broadcast = Broadcast { origin: named("p1"), life: 1, id: 1, age_millis: 0, payload };
    stage.say(1, &[Message::Broadcast(broadcast)]);
    assert_eq!(stage.node.stats().broadcasts_delivered, 1);
    stage.run(5 * SECOND);
    assert_ne!(stage.timer.map(|(_, why)| why), Some(Timer::Gossip));
}

#[test]
fn what_a_peers_summary_lacks_is_sent_to_it() {
    let mut stage = Stage::with(3, |options| options.repair = true);
    for word in ["one", "two"] {
        stage.call(|node, now| node.broadcast(now, word.into())).unwrap();
    }
    stage.settle();
    let summary = BroadcastSummary { reply: false, hashes: &[] };
    stage.say(2, &[Message::BroadcastSummary(summary)]);
    let ids = stage.told(2).filter_map(|message| match message {
        Message::Broadcast(broadcast) => Some(format!("{} {}", broadcast.origin, broadcast.id)),
        _ => None,
    });
    assert_eq!(ids.collect::<Vec<String>>(), ["n 1", "n 2"]);
}

#[test]
fn a_ping_from_who_misses_a_broadcast_is_answered_with_a_summary() {
    let mut stage = Stage::with(3, |options| options.repair = true);
    stage.call(|node, now| node.broadcast(now, "one".into())).unwrap();
    stage.settle();
    stage.sleep(SECOND);
    let view = Digest { members: 0, broadcasts: 0, settled: false };
    stage.say(2, &[Message::Ping(Ping { nonce: 1, digest: view })]);
    let summaries = |stage: &Stage| {
        stage.told(2).filter(|message| matches!(message, Message::BroadcastSummary(_))).count()
    };
    assert_eq!(summaries(&stage), 1);
    stage.say(2, &[Message::Ping(Ping { nonce: 2, digest: view })]);
    assert_eq!(summaries(&stage), 1, "not with every ping");
}
