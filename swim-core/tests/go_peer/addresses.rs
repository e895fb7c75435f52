//! Who is where, in which form, and who else claims to be.

use std::{net::SocketAddr, time::Duration};

use swim_core::EventKind;

use crate::stage::{
    PUSH_PULL, Stage, VSN, alive, go, hex, own_claim, seq_of_ping, table_of, verdict,
};

/// Its address is all by which a sender is known: who only claims to be there, too, must not hide
/// the one that is.
#[test]
fn a_second_name_at_its_address_hides_nobody() {
    let mut stage = Stage::joined();
    stage.packet(go(), &alive("node-x", "0a010203", "01", VSN));
    let mut acked = [false; 2];
    for _ in 0..40 {
        stage.packets.clear();
        stage.run(Duration::from_millis(500));
        for (node, acked) in ["node-a", "node-x"].iter().zip(&mut acked) {
            if let Some(seq) = seq_of_ping(&stage, node) {
                let before = stage.node.stats().probes_acked;
                stage.packet(go(), &format!("0282a75061796c6f6164c0a55365714e6f{seq}"));
                *acked |= stage.node.stats().probes_acked > before;
            }
        }
    }
    assert_eq!(acked, [true; 2], "whichever was asked, is who answers from there");
    let name = |stage: &Stage| stage.node.member_at(go()).expect("somebody").name.to_string();
    assert_eq!(name(&stage), "node-a", "who was there first");
    let left = |node: &str| {
        let node = hex(node.as_bytes());
        format!("0583a446726f6da6{node}ab496e6361726e6174696f6e7fa44e6f6465a6{node}")
    };
    stage.packet(go(), &left("node-a"));
    assert_eq!(name(&stage), "node-x", "who lives");
    stage.packet(go(), &alive("node-a", "0a010203", "cc80", VSN));
    assert_eq!(name(&stage), "node-x");
    stage.packet(go(), &left("node-x"));
    assert_eq!(name(&stage), "node-a");
}

/// Go compares addresses as bytes: one that came in sixteen is told on so, and used in four.
#[test]
fn an_address_of_four_bytes_in_sixteen_is_quoted_as_it_came() {
    let mut stage = Stage::joined();
    let mapped = "a441646472b000000000000000000000ffff0a010205";
    let alive = format!(
        "0486{mapped}ab496e6361726e6174696f6e01a44d657461c0a44e6f6465a66e6f64652d63a4506f7274cd1f0a\
         a356736ea6010502000000"
    );
    stage.packet(go(), &alive);
    let member = stage.node.member("node-c").expect("it is in");
    assert_eq!(member.addr, SocketAddr::from(([10, 1, 2, 5], 7946)));
    stage.run(Duration::from_secs(2));
    let to_c = stage.packets.iter().filter(|(to, _)| *to == member.addr).count();
    assert!(to_c > 0, "it is probed where it is");
    stage.writes.clear();
    stage.stream(PUSH_PULL);
    assert!(hex(&stage.writes).contains(mapped), "{}", hex(&stage.writes));
    // Again in the other form: the same address, no conflict.
    stage.packet(go(), &alive.replace(mapped, "a441646472a40a010205"));
    assert_eq!(stage.node.stats().conflicts, 0);
}

/// What `node-b` was in the table of others before ours came, in sixteen bytes.
#[test]
fn it_takes_the_form_of_its_address_from_who_was_here_before() {
    let four = "a441646472a40a010204";
    let sixteen = "a441646472b000000000000000000000ffff0a010204";
    let table = |incarnation: &str, state| {
        table_of("node-b", "0a010204", incarnation, state).replace(four, sixteen)
    };
    let claim = own_claim(5).replace(four, sixteen);
    // Alive, suspect, dead in a table, alive in a packet, under a higher incarnation or our own.
    for (said, next) in [("05", 6), ("01", 2)] {
        for state in 0..=2 {
            let mut stage = Stage::new();
            stage.stream(&table(said, state));
            assert_eq!(stage.node.stamp().incarnation.0, next, "{said} {state}");
            assert!(hex(&stage.writes).contains(sixteen), "{}", hex(&stage.writes));
            assert!(!hex(&stage.writes).contains(four));
            stage.stream(PUSH_PULL);
            stage.run(Duration::from_secs(1));
            let expected = own_claim(next as u8).replace(four, sixteen);
            assert!(stage.has_sent(&expected), "{:?}", stage.sent());
            assert_eq!(stage.node.stats().conflicts, 0);
        }
    }
    let mut stage = Stage::joined();
    stage.packet(go(), &claim);
    stage.run(Duration::from_secs(1));
    assert!(stage.has_sent(&own_claim(6).replace(four, sixteen)), "{:?}", stage.sent());
    // What is older than our own word, or of another address, changes nothing.
    stage.packet(go(), &own_claim(5));
    stage.stream(&table_of("node-b", "0a010204", "05", 2));
    stage.stream(&table_of("node-b", "0a010205", "09", 2));
    stage.packet(go(), &verdict(3, "node-a", "09"));
    stage.run(Duration::from_secs(1));
    assert!(stage.has_sent(&own_claim(10).replace(four, sixteen)), "{:?}", stage.sent());
    // And back, if that is what others hold.
    stage.packet(go(), &own_claim(11));
    stage.run(Duration::from_secs(1));
    assert!(stage.has_sent(&own_claim(12)), "{:?}", stage.sent());
    let member = stage.node.local();
    assert_eq!(member.addr, SocketAddr::from(([10, 1, 2, 4], 7946)));
}

#[test]
fn o8_who_claims_a_name_from_where_it_is_makes_a_conflict() {
    // The claim that `node-a` is alive elsewhere, under the incarnation it has where it is.
    let claim = "0486a441646472a40a010209ab496e6361726e6174696f6e01a44d657461c0a44e6f6465a66e6f6465\
                 2d61a4506f7274cd1f0aa356736ea6010502000000";
    let mut stage = Stage::joined();
    let is_conflict = |kind: &&EventKind| matches!(kind, EventKind::Conflict { .. });
    stage.packet(SocketAddr::from(([10, 1, 2, 8], 7946)), claim);
    assert_eq!(stage.events.iter().find(is_conflict), None, "others may tell what is outdated");
    let elsewhere = SocketAddr::from(([10, 1, 2, 9], 7946));
    stage.packet(elsewhere, claim);
    let Some(EventKind::Conflict { holder, other_addr, .. }) =
        stage.events.iter().find(is_conflict)
    else {
        panic!("{:?}", stage.events)
    };
    assert_eq!((holder.addr, *other_addr), (go(), elsewhere));
    assert!(!stage.node.has_left(), "whoever is right, nobody ends for it");
}
