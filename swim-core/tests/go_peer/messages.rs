//! Messages, and checksums over all that is sent.

use std::time::Duration;

use swim_core::{DeliveryError, EventKind, Input, StreamEvent};

use crate::stage::{PING, PUSH_PULL, Stage, go, hex};

#[test]
fn a_reliable_message_is_done_when_its_last_byte_went_out() {
    let finished = |stage: &mut Stage| -> Vec<_> {
        let is_over = |kind: &EventKind| match kind {
            EventKind::SendFinished { result, .. } => Some(*result),
            _ => None,
        };
        let all = stage.events.iter().filter_map(is_over).collect();
        stage.events.clear();
        all
    };
    // What the driver says after the bytes were handed to it, and what has come of the message.
    let ends: [(&[StreamEvent<'_>], _); 4] = [
        (&[StreamEvent::Drained], Ok(())),
        (&[StreamEvent::Finished, StreamEvent::Drained], Ok(())),
        (&[StreamEvent::Failed], Err(DeliveryError::Unconfirmed)),
        (&[StreamEvent::Finished, StreamEvent::Failed], Err(DeliveryError::Unconfirmed)),
    ];
    let mut stage = Stage::joined();
    for (events, result) in ends {
        (stage.writes, stage.closed) = (Vec::new(), false);
        stage.node.send_reliable(stage.now, "node-a", "hi".into()).expect("it is a member");
        stage.drain();
        let id = stage.dialed.expect("a stream of ours");
        stage.handle(Input::Stream { id, event: StreamEvent::Connected });
        assert_eq!(hex(&stage.writes), "0881aa557365724d73674c656e026869");
        for &event in events {
            assert_eq!((finished(&mut stage), stage.closed), (vec![], false), "{event:?}");
            stage.handle(Input::Stream { id, event });
        }
        assert_eq!((finished(&mut stage), stage.closed), (vec![result], result.is_ok()));
    }
    // A reader that takes nothing.
    stage.node.send_reliable(stage.now, "node-a", "hi".into()).expect("it is a member");
    stage.drain();
    let id = stage.dialed.expect("a stream of ours");
    stage.handle(Input::Stream { id, event: StreamEvent::Connected });
    stage.run(Duration::from_secs(11));
    assert_eq!(finished(&mut stage), [Err(DeliveryError::Unconfirmed)]);
}

#[test]
fn its_messages_reach_the_application() {
    let mut stage = Stage::joined();
    stage.packet(go(), "086869");
    stage.stream("0881aa557365724d73674c656e026869");
    let messages: Vec<_> = stage
        .events
        .iter()
        .filter_map(|kind| match kind {
            EventKind::Message { from, payload, reliable, .. } => {
                Some((from.as_str(), &payload[..], *reliable))
            }
            _ => None,
        })
        .collect();
    assert_eq!(messages, [("node-a", &b"hi"[..], false), ("10.1.2.3:40000", b"hi", true)]);
    assert!(stage.writes.is_empty() && stage.closed, "nobody waits for an answer");
    // Go tells its application nothing of an empty one.
    stage.events.clear();
    stage.stream("0881aa557365724d73674c656e00");
    let words = stage.events.iter().filter_map(|kind| match kind {
        EventKind::Message { payload, reliable, .. } => Some((payload.len(), *reliable)),
        _ => None,
    });
    assert_eq!(words.collect::<Vec<_>>(), [(0, true)]);
}

/// CRCs go to those that are known to check them, and only to those.
#[test]
fn checksums_go_to_those_that_know_them() {
    let mut stage = Stage::joined();
    stage.packet(go(), PING);
    assert!(stage.sent().iter().all(|sent| sent.starts_with("0c")), "{:?}", stage.sent());
    let mut stage = Stage::new();
    stage.stream(&PUSH_PULL.replace("a6010502000000", "a6010402000000"));
    stage.packet(go(), PING);
    assert!(!stage.sent().is_empty());
    assert!(stage.sent().iter().all(|sent| !sent.starts_with("0c")), "{:?}", stage.sent());
}
