//! Joining, tables, claims, refutations and leaving.

use std::{net::SocketAddr, time::Duration};

use swim_core::{EventKind, MemberChange, Reject, State};

use crate::stage::{PUSH_PULL, Stage, go, hex, own_claim, table_of, verdict};

#[test]
fn it_joins_and_gets_our_table() {
    let mut stage = Stage::new();
    stage.stream(PUSH_PULL);
    let member = stage.node.member("node-a").expect("it is in");
    assert_eq!((member.addr, member.state), (go(), State::Alive));
    assert_eq!((member.versions.protocol.max, member.stamp.incarnation.0), (5, 1));
    assert!(stage.closed);
    let table = hex(&stage.writes);
    assert!(
        table.starts_with("0683a44a6f696ec3a54e6f64657302ac5573657253746174654c656e00"),
        "{table}"
    );
    let ours = "a44e616d65a66e6f64652d62a4506f7274cd1f0aa5537461746500a356736ea6010502000000";
    assert!(table.contains(ours) && table.contains("a441646472a40a010204"), "{table}");
    let is_state = |kind: &EventKind| match kind {
        EventKind::RemoteState { state, join, .. } => *join && &state[..] == b"us",
        _ => false,
    };
    assert!(stage.events.iter().any(is_state));
}

#[test]
fn what_it_says_of_us_is_refuted() {
    let mut stage = Stage::joined();
    stage.packet(go(), &verdict(3, "node-a", "01"));
    stage.run(Duration::from_secs(1));
    assert_eq!(stage.node.stamp().incarnation.0, 2);
    assert!(stage.has_sent(&own_claim(2)), "{:?}", stage.sent());
    // By one who is not known where it is, too: packets don't say who sends them.
    let elsewhere = SocketAddr::from(([10, 1, 2, 9], 7946));
    stage.packet(elsewhere, &verdict(5, "node-c", "7f"));
    assert_eq!(stage.node.stamp().incarnation.0, 128);
    stage.packet(go(), &verdict(5, "node-b", "cc80"));
    assert_eq!(stage.node.stamp().incarnation.0, 129, "that we left is no more true");
}

#[test]
fn o3_what_cannot_be_outbid_raises_an_alarm_once_and_wraps_nothing() {
    let mut stage = Stage::joined();
    stage.packet(go(), &verdict(3, "node-a", "ce7ffffffe"));
    assert_eq!(stage.node.stamp().incarnation.0, (1 << 31) - 1, "the highest there is");
    for incarnation in ["ce7fffffff", "ceffffffff", "ceffffffff", "ce80000000"] {
        stage.packet(go(), &verdict(5, "node-a", incarnation));
        assert_eq!(stage.node.stamp().incarnation.0, (1 << 31) - 1);
    }
    assert_eq!(stage.node.stats().rejected_for(Reject::Implausible), 4);
    let alarms = stage.events.iter().filter(|kind| matches!(kind, EventKind::Unbeatable { .. }));
    assert_eq!(alarms.count(), 2);
    assert_eq!(stage.node.stats().unbeatable, 4);
    assert_eq!(stage.node.local().state, State::Alive);
    // Of others it is not believed either.
    let alive = "0486a441646472a40a010203ab496e6361726e6174696f6ece80000000a44d657461c0a44e6f6465\
     a66e\
                 6f64652d61a4506f7274cd1f0aa356736ea6010502000000";
    stage.packet(go(), alive);
    assert_eq!(stage.node.member("node-a").map(|member| member.stamp.incarnation.0), Some(1));
}

/// A line of its table that is not of a living member says nothing but that.
#[test]
fn who_is_not_alive_in_its_table_is_not_made_alive_by_it() {
    let mut stage = Stage::joined();
    for state in 1..=3 {
        stage.stream(&table_of("node-c", "0a010205", "01", state));
        assert_eq!(stage.node.member("node-c"), None, "nobody is met as {state}");
    }
    stage.stream(&table_of("node-c", "0a010205", "00", 0));
    assert_eq!(stage.node.member("node-c"), None, "no node says 0");
    assert_eq!(stage.node.stats().rejected_for(Reject::Implausible), 1);
    stage.stream(&table_of("node-c", "0a010205", "01", 0));
    let member = stage.node.member("node-c").expect("it is in");
    // In doubt, and under a later incarnation; where it is, only a living one's line can say.
    stage.stream(&table_of("node-c", "0a010207", "05", 2));
    let doubted = stage.node.member("node-c").expect("it is in");
    assert_eq!((doubted.state, doubted.addr), (State::Suspect, member.addr));
    assert_eq!(doubted.stamp.incarnation.0, 5);
    assert_eq!(stage.node.stats().conflicts, 0);
    stage.stream(&table_of("node-c", "0a010205", "05", 3));
    assert_eq!(stage.node.member("node-c").map(|member| member.state), Some(State::Left));
    // The name is free, but not for one that is gone.
    stage.events.clear();
    for state in 1..=3 {
        stage.stream(&table_of("node-c", "0a010207", "05", state));
    }
    let member = stage.node.member("node-c").expect("it is known");
    assert_eq!((member.state, member.addr), (State::Left, doubted.addr));
    assert!(stage.events.iter().all(|kind| !matches!(kind, EventKind::Member { .. })));
}

/// Of others as of us: what nobody can have is refused, and that is counted.
#[test]
fn an_implausible_line_of_a_table_is_counted_whoever_it_is_about() {
    let mut stage = Stage::joined();
    for (nth, node) in ["node-a", "node-b"].into_iter().enumerate() {
        stage.stream(&table_of(node, "0a010203", "ce80000000", 2));
        let stats = stage.node.stats();
        assert_eq!(stats.rejected_for(Reject::Implausible), nth as u64 + 1, "{node}");
        assert_eq!(stats.unbeatable, nth as u64, "only what is said of us can't be outbid by us");
    }
    assert_eq!(stage.node.member("node-a").map(|member| member.state), Some(State::Alive));
}

#[test]
fn it_leaves_and_returns() {
    let mut stage = Stage::joined();
    let left = "0583a446726f6da66e6f64652d61ab496e6361726e6174696f6e01a44e6f6465a66e6f64652d61";
    stage.packet(go(), left);
    assert_eq!(stage.node.member("node-a").map(|member| member.state), Some(State::Left));
    let alive = |incarnation: &str, meta: &str| {
        format!(
            "0486a441646472a40a010203ab496e6361726e617469\
             6f6e{incarnation}a44d657461{meta}a44e6f6465\
             a66e6f64652d61a4506f7274cd1f0aa356736ea6010502000000"
        )
    };
    stage.packet(go(), &alive("01", "c0"));
    assert_eq!(stage.node.member("node-a").map(|member| member.state), Some(State::Left));
    stage.packet(go(), &alive("ccc8", "a16d"));
    let member = stage.node.member("node-a").expect("it is back");
    assert_eq!((member.state, &member.meta[..]), (State::Alive, &b"m"[..]));
    let changes = stage.events.iter().filter_map(|kind| match kind {
        EventKind::Member { change, member } if member.name.as_str() == "node-a" => Some(*change),
        _ => None,
    });
    let word: Vec<MemberChange> = changes.collect();
    assert_eq!(word, [MemberChange::Joined, MemberChange::Left, MemberChange::Joined]);
}
