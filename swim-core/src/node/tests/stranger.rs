//! What somebody who is no member gets: an answer no longer than its question, to where it came
//! from, and no work done. (X6)

use std::{collections::BTreeMap, format, string::ToString, time::Duration, vec::Vec};

use bytes::Bytes;

use super::{
    stage::Stage,
    words::{addr, is_alive},
};
use crate::{
    event::{EventKind, Pong},
    keyring::{Key, Keyring},
    name::named,
    reject::Reject,
    stamp::Stamp,
    wire::{
        Ack, Broadcast, BroadcastSummary, Digest, IndirectPing, Message, Nack, Ping, RelayedAck,
    },
};

const SECOND: Duration = Duration::from_secs(1);

const PING: Message<'static> = Message::Ping(Ping {
    nonce: 0x1234,
    digest: Digest { members: 1, broadcasts: 2, settled: true },
});

#[test]
fn x6_a_stranger_is_answered_at_its_own_address_and_gets_nothing_else() {
    let mut stage = Stage::with(3, |options| options.repair = true);
    stage.node.set_ack_payload(Bytes::from("secret")).unwrap();
    stage.say(1, &[is_alive(1, 1, 2)]);
    stage.clear();
    let asked = stage.packet(9, &[PING]).len();
    stage.say(9, &[PING]);
    assert_eq!(stage.sent.len(), 1);
    let sent = &stage.sent[0];
    assert_eq!(sent.to, addr(9));
    assert!(sent.data.len() <= asked, "{} bytes for {asked}", sent.data.len());
    let nack = |message: &Message<'_>| matches!(message, Message::Nack(Nack { nonce: 0x1234 }));
    assert!(matches!(&sent.messages[..], [message] if nack(message)));
    assert!(stage.dials().is_empty(), "its digest is nobody's view");
    assert_eq!(stage.state(9), None);
}

#[test]
fn x6_a_member_at_another_address_is_a_stranger() {
    let mut stage = Stage::with(2, |_| {});
    stage.node.set_ack_payload(Bytes::from("secret")).unwrap();
    stage.speaks_under(1, 1, 9);
    stage.say_from(addr(44), 1, &[PING]);
    assert_eq!(stage.belief(1), "alive 1.1");
    assert_eq!((stage.sent.len(), stage.sent[0].to), (1, addr(44)));
    stage.clear();
    stage.say(1, &[PING]);
    assert!(stage.told(1).any(|m| matches!(m, Message::Ack(Ack { payload: b"secret", .. }))));
}

/// A key is no reason to say more: what was sealed once can be sent from any address, once.
#[test]
fn x6_no_answer_to_a_stranger_is_longer_than_its_question() {
    for keyring in [None, Some(Keyring::new(Key::generate([3; 32])))] {
        for name_len in [1, 2, 3, 4, 20, 100] {
            let mut stage = Stage::new(|options| {
                options.name = "n".repeat(name_len);
                options.keyring = keyring.clone();
            });
            stage.clear();
            for nth in [1, 9, 1_000, 100_000] {
                stage.sent.clear();
                let asked = stage.packet(nth, &[PING]);
                let withheld = stage.node.stats().answers_withheld;
                stage.raw(addr(nth), &asked);
                let withheld = stage.node.stats().answers_withheld - withheld;
                let answered: usize = stage.sent.iter().map(|sent| sent.data.len()).sum();
                assert!(answered <= asked.len(), "{answered} bytes for {}", asked.len());
                assert_eq!(withheld, u64::from(answered == 0), "what is not said is counted");
                assert!(name_len > 15 || answered > 0, "{name_len}: it must be told");
            }
        }
    }
}

#[test]
fn x6_nothing_a_stranger_says_makes_more_than_one_packet_of_its_size() {
    let stamp = Stamp::new(1, 1);
    let said = [
        PING,
        Message::Ack(Ack { nonce: 1, digest: Digest::default(), payload: b"" }),
        Message::IndirectPing(IndirectPing {
            nonce: 1,
            target: Some(named("p2")),
            addr: addr(2),
            nack: true,
        }),
        Message::RelayedAck(RelayedAck { nonce: 1, target: named("p2"), stamp }),
        Message::Nack(Nack { nonce: 1 }),
        Message::BroadcastSummary(BroadcastSummary { reply: true, hashes: &[1; 64] }),
        Message::BroadcastSummary(BroadcastSummary { reply: true, hashes: &[] }),
        Message::Direct(b"hello"),
    ];
    for message in said {
        let mut stage = Stage::with(3, |options| options.repair = true);
        stage.call(|node, now| node.broadcast(now, "something to tell".into())).unwrap();
        stage.settle();
        let asked = stage.packet(9, &[message]).len();
        stage.say(9, &[message]);
        let bytes: usize = stage.sent.iter().map(|sent| sent.data.len()).sum();
        assert!(stage.sent.len() <= 1 && bytes <= asked, "{message:?}");
        assert!(stage.dials().is_empty(), "{message:?}");
    }
}

#[test]
fn x6_strangers_requests_are_refused_and_counted() {
    let said: [Message<'_>; 4] = [
        Message::IndirectPing(IndirectPing {
            nonce: 1,
            target: Some(named("p2")),
            addr: addr(2),
            nack: true,
        }),
        Message::RelayedAck(RelayedAck { nonce: 1, target: named("p2"), stamp: Stamp::new(1, 1) }),
        Message::Nack(Nack { nonce: 1 }),
        Message::BroadcastSummary(BroadcastSummary { reply: true, hashes: &[] }),
    ];
    let mut stage = Stage::with(3, |_| {});
    let before = stage.essence();
    for message in said {
        stage.say(9, &[message]);
    }
    assert_eq!(stage.node.stats().rejected_for(Reject::Stranger), 4);
    assert_eq!(stage.essence(), before);
}

#[test]
fn x6_no_reply_goes_to_an_address_that_was_only_named() {
    let mut stage = Stage::with(3, |_| {});
    stage.say(9, &[is_alive(40, 1, 1), PING]);
    let mut sent: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for packet in &stage.sent {
        sent.entry(packet.to.to_string()).or_default().extend(&packet.messages);
    }
    let acked = sent.iter().filter(|(_, said)| said.iter().any(|m| matches!(m, Message::Nack(_))));
    let acked: Vec<_> = acked.map(|(to, _)| to.clone()).collect();
    assert_eq!(acked, [format!("{}", addr(9))]);
}

#[test]
fn a_strangers_broadcast_and_message_are_delivered() {
    let mut stage = Stage::with(1, |_| {});
    let broadcast =
        Broadcast { origin: named("p9"), life: 1, id: 4, age_millis: 5, payload: b"to all" };
    stage.say(9, &[Message::Broadcast(broadcast), Message::Direct(b"to you")]);
    assert_eq!(stage.node.stats().broadcasts_delivered, 1);
    assert_eq!(stage.payloads(), ["to all", "to you"]);
}

#[test]
fn a_nack_answers_the_pings_of_the_application() {
    let mut stage = Stage::with(2, |options| options.probe_interval = SECOND);
    let ping = stage.call(|node, now| node.ping(now, "p1")).unwrap();
    let (nonce, sent_at) = (stage.pinged(1).unwrap(), stage.now);
    stage.run(Duration::from_millis(20));
    stage.say(2, &[Message::Nack(Nack { nonce })]);
    let pongs = |stage: &Stage| {
        let pongs = stage.events.iter().filter_map(|event| match event {
            EventKind::PingFinished { ping, pong } => Some((*ping, pong.clone())),
            _ => None,
        });
        pongs.collect::<Vec<_>>()
    };
    assert_eq!(pongs(&stage), [], "only the one that was asked answers");
    stage.say(1, &[Message::Nack(Nack { nonce })]);
    let rtt = stage.now.saturating_since(sent_at);
    assert_eq!(pongs(&stage), [(ping, Some(Pong { rtt, payload: Bytes::new() }))]);
    assert_eq!(stage.dials().len(), 1, "it gets to know us");
}

#[test]
fn a_nack_confirms_a_leave_to_somebody_who_does_not_know_us() {
    let mut stage = Stage::with(1, |_| {});
    stage.call(|node, now| node.leave(now, SECOND)).unwrap();
    let nonce = stage.pinged(1).unwrap();
    stage.say(1, &[Message::Nack(Nack { nonce })]);
    assert!(stage.node.has_left() && stage.dials().is_empty());
    let confirmed = stage.events.iter().find_map(|event| match event {
        EventKind::LeaveFinished { confirmed, .. } => Some(*confirmed),
        _ => None,
    });
    assert_eq!(confirmed, Some(1));
}
