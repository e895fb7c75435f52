//! Networks that fall apart.

use std::thread;

use swim_netlab::{
    Faults,
    clock::{time_of_day, wait},
};

use crate::harness::{
    SOON, cluster, detection, finish, suspicion_min, wait_all_told, wait_counted,
};

#[test]
#[ignore = "needs root, ip and nft"]
fn a_short_partition_makes_suspects_and_no_failure() {
    // Suspicions take sixteen seconds at least: time to mend, even where others use the machine.
    let mut cluster = cluster(6, &["suspicion_mult=32"]);
    let options = cluster.setup().options();
    let began = time_of_day();
    cluster.change_network(|faults| faults.partition(&[vec![0, 1, 2], vec![3, 4, 5]])).unwrap();
    let is_felt = || (cluster.count_told("member-suspect", began) > 0).then_some(());
    wait(detection(&options, 6), is_felt).unwrap();
    cluster.change_network(Faults::mend).unwrap();
    let took = time_of_day().saturating_sub(began);
    assert!(took < suspicion_min(&options, 6), "this machine is too slow for this test: {took:?}");
    let account = finish(cluster, &[]);
    assert_eq!(account.record.failures, []);
}

#[test]
#[ignore = "needs root, ip and nft"]
fn halves_that_have_forgotten_each_other_find_together_again() {
    let mut cluster = cluster(6, &SOON);
    let began = time_of_day();
    let (few, many) = ([0, 1], [2, 3, 4, 5]);
    cluster.change_network(|faults| faults.partition(&[few.into(), many.into()])).unwrap();
    for event in ["member-failed", "member-reap"] {
        wait_all_told(&mut cluster, (&few, &many), event, began);
        wait_all_told(&mut cluster, (&many, &few), event, began);
    }
    // Streams that were dialed before may still get through. They must not heal what memory should.
    let end_of_streams = cluster.setup().options().stream_timeout * 4;
    thread::sleep(end_of_streams);
    cluster.change_network(Faults::mend).unwrap();
    let account = finish(cluster, &[]);
    assert_eq!(account.record.failures.len(), 2 * few.len() * many.len());
}

#[test]
#[ignore = "needs root, ip and nft"]
fn where_only_one_direction_is_cut_helpers_save_all() {
    let mut cluster = cluster(6, &["suspicion_max_mult=2"]);
    cluster.change_network(|faults| faults.cut(&[0], &[1, 2])).unwrap();
    for host in [0, 1, 2] {
        wait_counted(&mut cluster, host, "probes_saved_by_relay", 1);
    }
    // Longer than the longest suspicion: whoever will be failed for it has been.
    let options = cluster.setup().options();
    thread::sleep(suspicion_min(&options, 6) * options.suspicion_max_mult * 2);
    assert!(cluster.lab().dropped().unwrap() > 0);
    cluster.change_network(Faults::mend).unwrap();
    let account = finish(cluster, &[]);
    assert_eq!(account.record.failures, []);
}
