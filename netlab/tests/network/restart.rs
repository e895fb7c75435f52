//! Nodes that come back: as soon as they can, or elsewhere.

use swim_netlab::clock::time_of_day;

use crate::harness::{SOON, cluster, finish, settled, wait_all_told};

#[test]
#[ignore = "needs root, ip and nft"]
fn a_whole_cluster_is_restarted_one_by_one() {
    let mut cluster = cluster(6, &[]);
    let limit = settled(&cluster.setup().options(), 6);
    for host in 0..6_usize {
        if host.is_multiple_of(2) {
            cluster.leave(host).unwrap();
        } else {
            cluster.crash(host).unwrap();
        }
        cluster.start(host).unwrap();
        cluster.wait_agreement(limit).unwrap();
    }
    let account = finish(cluster, &[]);
    let is_left = |failure: &&swim_sim::record::Failure| failure.subject.is_multiple_of(2);
    assert_eq!(account.record.failures.iter().find(is_left), None, "who left did not fail");
}

#[test]
#[ignore = "needs root, ip and nft"]
fn hosts_get_other_addresses() {
    let mut cluster = cluster(6, &SOON);
    // Nobody is told: the node listens on, where nobody reaches it.
    let moved = time_of_day();
    cluster.move_host(5).unwrap();
    wait_all_told(&mut cluster, (&[0, 1, 2, 3, 4], &[5]), "member-failed", moved);
    assert!(cluster.node(5).unwrap().is_running());
    cluster.crash(5).unwrap();
    cluster.start(5).unwrap();
    // As it should be done.
    cluster.leave(4).unwrap();
    cluster.move_host(4).unwrap();
    cluster.start(4).unwrap();
    // A seed comes back elsewhere while the others still count on it where it was.
    cluster.crash(0).unwrap();
    cluster.move_host(0).unwrap();
    cluster.start(0).unwrap();
    let account = finish(cluster, &[]);
    assert!(account.record.failures.iter().all(|it| it.observer == 5 || it.subject != 4));
}
