//! Processes that end without a word.

use swim_netlab::clock::time_of_day;

use crate::harness::{cluster, detection, finish};

#[test]
#[ignore = "needs root, ip and nft"]
fn a_crash_is_found_by_all_and_nobody_else_is_blamed() {
    let mut cluster = cluster(8, &[]);
    let crashed = time_of_day();
    cluster.crash(7).unwrap();
    let others: Vec<_> = (0..7).collect();
    let limit = detection(&cluster.setup().options(), 8);
    cluster.wait_told(&others, "member-failed", (7, crashed), limit).unwrap();
    cluster.start(7).unwrap();
    let account = finish(cluster, &[]);
    assert_eq!(account.record.failures.len(), 7);
}
