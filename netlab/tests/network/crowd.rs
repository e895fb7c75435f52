//! Many nodes.

use swim_netlab::clock::time_of_day;

use crate::harness::{cluster, finish, wait_all_told};

#[test]
#[ignore = "needs root, ip and nft"]
fn thirty_start_at_once_and_one_ends_and_one_leaves() {
    let mut cluster = cluster(30, &[]);
    let since = time_of_day();
    let all = Vec::from_iter(0..30);
    cluster.crash(29).unwrap();
    wait_all_told(&mut cluster, (&all[..29], &[29]), "member-failed", since);
    cluster.leave(28).unwrap();
    wait_all_told(&mut cluster, (&all[..28], &[28]), "member-leave", since);
    let account = finish(cluster, &[]);
    assert!(account.record.failures.iter().all(|failure| failure.subject == 29));
    assert_eq!(account.record.failures.len(), 29);
}
