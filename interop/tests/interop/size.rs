//! The table of ten thousand members that Go's node and ours send: it says the same, and is as long
//! to the byte where nothing is compressed. `docs/performance.md` has the numbers.
//!
//! ```text
//! cargo test -p swim-interop --test interop -- --ignored --nocapture size
//! ```

use std::collections::BTreeSet;

use swim_core::{Dialect, Label, MemberlistOptions, inspect::Inspector};
use swim_interop::peer;

use crate::{
    claims::Courier,
    harness::{PLAIN, PLAIN_LOOSE, Variant, empty},
    rules::{Claim, Kind, name},
    samples::text,
};

/// With the node itself and a marker: ten thousand.
const TOLD: usize = 9_998;

/// From this one on, names have six letters. Each member has two bytes of metadata.
const FIRST: usize = 10_000;

/// Has no divisor in common with their number, and is about the golden section of it, so that each
/// is told once, and none after its neighbour.
const STRIDE: usize = 6_179;

/// The length of the whole answer to one who asks for the table, by Go's node and ours. What it
/// says of others is the same.
fn lengths(variant: Variant) -> [usize; 2] {
    let still =
        ["--set=probe_interval=1h", "--set=push_pull_interval=1h", "--set=stream_timeout=30s"];
    let mut cluster = empty(variant, &still);
    cluster.start(peer::Kind::Go, "judge", &[]);
    cluster.start(peer::Kind::Swim, "judge", &[]);
    let alive = Kind::Alive { is_elsewhere: false };
    let claim = |subject| Claim { subject, kind: alive, incarnation: 1, accuser: 0 };
    // In no order, as Go's node tells them anyway: what is in order compresses better.
    let told = (0..TOLD).map(|number| FIRST + number * STRIDE % TOLD);
    let claims: Vec<_> = told.map(claim).collect();
    let peers = &mut cluster.peers;
    let mut courier = Courier::new(FIRST + TOLD);
    let answers = [0, 1].map(|at| {
        courier.exchange(&mut peers[at], &claims);
        courier.exchange(&mut peers[at], &[])
    });
    let [go, ours] = answers.each_ref().map(|answer| others(answer));
    assert_eq!(go.len(), TOLD);
    assert_eq!(go.symmetric_difference(&ours).next(), None);
    let lengths = answers.map(|answer| answer.len());
    println!("{variant:?}: Go {}, ours {}", lengths[0], lengths[1]);
    lengths
}

/// What a table says of those of whom it was told, member by member: not of the marker, nor of the
/// one who sent it.
fn others(answer: &[u8]) -> BTreeSet<String> {
    let dialect = Dialect::Memberlist(MemberlistOptions::default());
    let mut inspector = Inspector::new(dialect, &Label::new("").unwrap(), None);
    let table = inspector.stream(b"", answer).answer.remove(0);
    assert!(table.is_understood(), "{:?}", table.messages.last());
    let own = ["judge".to_owned(), name(FIRST + TOLD)];
    let nodes =
        table.messages.iter().filter(|it| it.kind == "node" && !own.contains(&text(it, "node")));
    nodes.map(|it| format!("{:?}", it.fields)).collect()
}

#[test]
#[ignore = "needs Go and HashiCorp's memberlist"]
fn ten_thousand_members_are_as_long() {
    let [go, ours] = lengths(PLAIN_LOOSE);
    assert_eq!(go, ours);
    let [go_compressed, ours_compressed] = lengths(PLAIN);
    assert!(go_compressed < go / 4 && ours_compressed < ours / 4);
}
