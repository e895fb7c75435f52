//! Pings, acks, nacks and help.

use std::{net::SocketAddr, time::Duration};

use swim_core::{Bytes, EventKind, Input, Reject, StreamEvent};

use crate::stage::{
    PING, PUSH_PULL, Stage, VSN, alive, bytes, go, hex, own_claim, seq_of_ping, table_of, verdict,
};

#[test]
fn its_pings_are_answered_with_its_number() {
    let mut stage = Stage::joined();
    stage.packet(go(), PING);
    assert!(stage.has_sent("0282a75061796c6f6164c0a55365714e6f2a"), "{:?}", stage.sent());
    // With what the application attaches.
    stage.node.set_ack_payload(Bytes::from_static(b"hi")).expect("short");
    stage.packet(go(), PING);
    assert!(stage.has_sent("0282a75061796c6f6164a26869a55365714e6f2a"), "{:?}", stage.sent());
    // Not if another is meant.
    stage.packet(go(), "0082a44e6f6465a162a55365714e6fcd012c");
    assert_eq!(stage.node.stats().rejected_for(Reject::NotForUs), 1);
    assert!(!stage.has_sent("cd012c"));
    // Over a stream too.
    stage.stream(PING);
    assert_eq!(
        hex(&stage.writes),
        "0282a75061796c6f6164c0a55365714e6f2a",
        "as Go, without a payload"
    );
}

/// The answer goes to where the ping came from, whatever address stands in it.
#[test]
fn o4_a_stranger_is_answered_where_it_is() {
    let mut stage = Stage::new();
    let stranger = SocketAddr::from(([10, 9, 9, 9], 1_234));
    stage.packet(stranger, PING);
    let answers: Vec<_> = stage.packets.iter().map(|(to, data)| (*to, hex(data))).collect();
    assert_eq!(answers, [(stranger, "0282a75061796c6f6164c0a55365714e6f2a".to_owned())]);
}

/// A member that sends from another address than it listens at is answered there; but its acks
/// count from where it was asked only.
#[test]
fn a_member_is_answered_at_its_other_address_and_probed_at_its_own() {
    let mut stage = Stage::joined();
    let other = SocketAddr::from(([10, 1, 2, 9], 40_000));
    stage.packet(other, PING);
    let answers: Vec<_> = stage.packets.iter().map(|(to, data)| (*to, hex(data))).collect();
    assert_eq!(answers, [(other, "0282a75061796c6f6164c0a55365714e6f2a".to_owned())]);
    let seq = until_pinged(&mut stage);
    stage.packet(other, &format!("0282a75061796c6f6164c0a55365714e6f{seq}"));
    assert_eq!(stage.node.stats().probes_acked, 0);
    assert_eq!(stage.node.stats().acks_unexpected, 1);
}

/// Who announces version 3 is pinged over a stream when it does not answer, and nobody below.
#[test]
fn stream_pings_are_for_those_that_know_them() {
    for (vsn, is_dialed) in [("010302000000", true), ("010202000000", false)] {
        let mut stage = Stage::new();
        stage.stream(&PUSH_PULL.replace(VSN, vsn));
        stage.dialed = None;
        let seq = until_pinged(&mut stage);
        stage.run(Duration::from_millis(900));
        assert_eq!(stage.dialed.is_some(), is_dialed, "{vsn}");
        let Some(id) = stage.dialed else { continue };
        stage.writes.clear();
        stage.handle(Input::Stream { id, event: StreamEvent::Connected });
        let ping = format!("0085a44e6f6465a66e6f64652d61a55365714e6f{seq}");
        assert!(hex(&stage.writes).starts_with(&ping), "{}", hex(&stage.writes));
        let ack = bytes(&format!("0282a75061796c6f6164c0a55365714e6f{seq}"));
        stage.handle(Input::Stream { id, event: StreamEvent::Chunk(&ack) });
        assert_eq!(stage.node.stats().probes_saved_by_stream, 1);
    }
}

/// Waits for a ping of `node-a`, and returns its number as bytes.
fn until_pinged(stage: &mut Stage) -> String {
    for _ in 0..200 {
        stage.packets.clear();
        stage.run(Duration::from_millis(10));
        if let Some(seq) = seq_of_ping(stage, "node-a") {
            return seq;
        }
    }
    panic!("no ping within two seconds")
}

#[test]
fn it_is_probed_and_its_ack_counts() {
    let mut stage = Stage::joined();
    stage.run(Duration::from_secs(1));
    let ping = stage.sent().into_iter().find(|sent| sent.contains("0085a44e6f6465a66e6f64652d61"));
    let ping = ping.expect("a ping of node-a by name");
    let at = ping.find("a55365714e6f").expect("its number") + 12;
    let seq = if &ping[at..at + 2] == "ce" { &ping[at..at + 10] } else { &ping[at..at + 6] };
    assert!(ping.contains("aa536f7572636541646472a40a010204aa536f757263654e6f6465a66e6f64652d62"));
    let acked = stage.node.stats().probes_acked;
    let ack = format!("0282a75061796c6f6164c0a55365714e6f{seq}");
    let elsewhere = SocketAddr::from(([10, 1, 2, 9], 7946));
    stage.packet(elsewhere, &ack);
    assert_eq!(stage.node.stats().probes_acked, acked, "not from elsewhere");
    assert_eq!(stage.node.stats().acks_unexpected, 1);
    stage.packet(go(), &ack);
    assert_eq!(stage.node.stats().probes_acked, acked + 1);
    assert_eq!(stage.node.stats().acks_unexpected, 1);
    stage.packet(go(), &ack);
    assert_eq!(stage.node.stats().acks_unexpected, 2, "nobody waits for it any more");
}

/// Who has not heard of the leave yet is told when it asks, and does not come to suspect a node
/// that is there. With acks alone it would hold that for alive as long as it is.
#[test]
fn after_a_leave_its_pings_are_answered_with_the_leave_and_nothing_else_is() {
    const ACK: &str = "0282a75061796c6f6164c0a55365714e6f2a";
    const LEFT: &str = "0583a446726f6da66e6f64652d62ab496e6361726e6174696f6e01a44e6f6465a66e6f6465\
                        2d62";
    let both = Bytes::from(bytes(&format!("070200120027{ACK}{LEFT}")));
    let mut stage = Stage::joined();
    stage.node.set_ack_payload(Bytes::from_static(b"hi")).expect("short");
    stage.node.leave(stage.now, Duration::from_secs(5)).expect("it runs");
    stage.run(Duration::from_secs(60));
    let is_over = |kind: &EventKind| matches!(kind, EventKind::LeaveFinished { .. });
    assert!(stage.node.has_left() && stage.events.iter().any(is_over));
    // Whoever asks, the answer is not longer than the question: this one has no room for an ack,
    // which is for the next one then.
    let short = "0083a44e6f6465a66e6f64652d62a55365714e6f2aaa536f757263654e6f6465a66e6f64652d61";
    stage.packet(go(), short);
    assert_eq!(stage.sent(), [LEFT]);
    assert_eq!(stage.node.stats().answers_withheld, 1);
    stage.packet(go(), PING);
    assert_eq!(stage.packets, [(go(), both)], "the ack has no payload");
    // Who asks on does not believe it, and must not hear acks for ever; nor must a stranger.
    let elsewhere = SocketAddr::from(([10, 1, 2, 9], 7946));
    for from in [go(), elsewhere] {
        stage.packet(from, PING);
        assert_eq!(stage.packets, [(from, Bytes::from(bytes(LEFT)))]);
    }
    stage.packet(go(), "0082a44e6f6465a66e6f64652d62a55365714e6f2a");
    assert!(stage.packets.is_empty(), "no ack that would keep it alive");
    stage.events.clear();
    for packet in [verdict(3, "node-a", "01"), own_claim(9), "08786f".into()] {
        stage.packet(go(), &packet);
        assert!(stage.packets.is_empty() && stage.events.is_empty(), "{packet}");
    }
    stage.stream(&table_of("node-c", "0a010205", "01", 0));
    assert!(stage.node.member("node-c").is_none() && stage.events.is_empty());
    let before = stage.packets.len();
    stage.run(Duration::from_secs(10));
    assert_eq!(stage.packets.len(), before, "it says nothing by itself");
    assert_eq!(stage.node.stats().packets_after_leave, 8);
}

#[test]
fn it_asks_for_help_and_is_helped() {
    let mut stage = Stage::joined();
    let alive_c = "0486a441646472a40a010205ab496e6361726e6174696f6e01a44d657461c0a44e6f6465a66e6f\
     6465\
                   2d63a4506f7274cd1f0aa356736ea6010502000000";
    stage.packet(go(), alive_c);
    let target = SocketAddr::from(([10, 1, 2, 5], 7946));
    let request = |ip: &str| {
        format!(
            "0188a44e61636bc3a44e6f6465a66e6f64652d63a4506f7274cd1f0aa55365714e6f2aaa536f757263654\
             16464\
             72a40a010203aa536f757263654e6f6465a66e6f64652d61aa536f75726365506f7274cd1f0aa65461726\
             76574\
             a4{ip}"
        )
    };
    stage.packet(go(), &request("0a010205"));
    let (_, ping) = stage.packets.iter().find(|(to, _)| *to == target).expect("it is asked");
    let ping = hex(ping);
    let at = ping.find("a55365714e6f").expect("its number") + 12;
    let seq = ping[at..at + 10].to_owned();
    stage.packet(target, &format!("0282a75061796c6f6164c0a55365714e6f{seq}"));
    assert!(stage.has_sent("0282a75061796c6f6164c0a55365714e6f2a"), "{:?}", stage.sent());
    // Where nobody of that name is known to be, nothing is sent; the nack comes at once.
    stage.packet(go(), &request("0a090909"));
    assert!(stage.packets.iter().all(|(to, _)| *to == go()), "{:?}", stage.packets);
    assert!(stage.has_sent("0b81a55365714e6f2a"), "{:?}", stage.sent());
    // From a stranger it is no request at all.
    let before = stage.packets.len();
    stage.handle(Input::Packet {
        from: ([10, 9, 9, 9], 1).into(),
        data: &bytes(&request("0a010205")),
    });
    assert_eq!(stage.packets.len(), before);
    assert_eq!(stage.node.stats().rejected_for(Reject::Stranger), 1);
}

/// A peer of version 4 is asked for nacks, and one of version 3 is not, nor is it waited for.
#[test]
fn nacks_are_for_those_that_know_them() {
    for (vsn, nack) in [("010402000000", "c3"), ("010302000000", "c2")] {
        let mut stage = Stage::new();
        stage.stream(&PUSH_PULL.replace(VSN, vsn));
        stage.packet(go(), &alive("node-c", "0a010205", "01", VSN));
        let asks = format!("0188a44e61636b{nack}");
        for _ in 0..60 {
            stage.packets.clear();
            stage.run(Duration::from_millis(200));
            if let Some(seq) = seq_of_ping(&stage, "node-a") {
                stage.packet(go(), &format!("0282a75061796c6f6164c0a55365714e6f{seq}"));
            }
            if stage.has_sent(&asks) {
                break;
            }
        }
        assert!(stage.has_sent("a44e61636b"), "it is asked for help: {vsn}");
        assert!(stage.has_sent(&asks), "{vsn}");
    }
    // What the requester wants holds the other way round.
    let mut stage = Stage::joined();
    let request = |nack: &str| {
        format!(
            "0188a44e61636b{nack}a44e6f6465a66e6f64652d63a4506f7274cd1f0aa55365714e6f2aaa536f7572\
             636541646472a40a010203aa536f757263654e6f6465a66e6f64652d61aa536f75726365506f7274cd1f0a\
             a6546172676574a40a090909"
        )
    };
    stage.packet(go(), &request("c2"));
    assert!(!stage.has_sent("0b81a55365714e6f2a"), "{:?}", stage.sent());
    stage.packet(go(), &request("c3"));
    assert!(stage.has_sent("0b81a55365714e6f2a"), "{:?}", stage.sent());
    assert_eq!(stage.node.stats().relays_refused, 2);
}

/// Who asks for help for nobody in particular must not think less of itself for it.
#[test]
fn a_nack_is_due_also_where_no_target_is_named() {
    let mut stage = Stage::joined();
    for (nack, is_sent) in [("c3", true), ("c2", false)] {
        stage.packet(
            go(),
            &format!("0184a44e61636b{nack}a4506f7274cd1f0aa55365714e6f2aa6546172676574a40a010209"),
        );
        assert_eq!(stage.has_sent("0b81a55365714e6f2a"), is_sent);
    }
    assert_eq!(stage.node.stats().relays_refused, 2);
}
