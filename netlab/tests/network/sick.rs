//! Nodes that are sick, not dead: they must not take it out on the healthy.

use std::{thread, time::Duration};

use swim_netlab::{Faults, clock::time_of_day};

use crate::harness::{cluster, finish, suspicion_min, wait_all_told, wait_counted};

#[test]
#[ignore = "needs root, ip and nft"]
fn who_stands_still_again_and_again_fails_nobody() {
    let mut cluster = cluster(6, &[]);
    // A node sees that it slept when it is late by three probe intervals: the first time, and not
    // every time.
    for millis in [2_500, 1_000, 1_400, 2_500, 1_000, 1_400] {
        cluster.freeze(SICK).unwrap();
        thread::sleep(Duration::from_millis(millis));
        cluster.thaw(SICK).unwrap();
        thread::sleep(Duration::from_millis(500));
    }
    assert!(cluster.node(SICK).unwrap().count("pauses").unwrap() > 0, "it slept and saw nothing");
    finish(cluster, &[SICK]);
}

#[test]
#[ignore = "needs root, ip and nft"]
fn who_hears_less_than_half_fails_nobody() {
    let mut cluster = cluster(6, &[]);
    cluster.lose(SICK, 0, 600).unwrap();
    thread::sleep(Duration::from_secs(15));
    assert!(cluster.lab().dropped().unwrap() > 0);
    let ways = ["probes_saved_by_relay", "probes_saved_by_stream", "probes_failed"];
    let sick = cluster.node(SICK).unwrap();
    let lost: u64 = ways.iter().map(|way| sick.count(way).unwrap()).sum();
    assert!(lost > 0, "it heard every answer to its pings");
    cluster.lose(SICK, 0, 0).unwrap();
    finish(cluster, &[SICK]);
}

#[test]
#[ignore = "needs root, ip and nft"]
fn who_fell_asleep_over_a_suspicion_listens_before_it_judges() {
    // Each suspicion takes eight seconds, whatever others say.
    let mut cluster = cluster(6, &["suspicion_mult=16", "suspicion_max_mult=1"]);
    let options = cluster.setup().options();
    let healthy = Vec::from_iter((0..6).filter(|host| *host != SICK));
    let began = time_of_day();
    cluster.change_network(|faults| faults.cut(&healthy, &[SICK])).unwrap();
    wait_counted(&mut cluster, SICK, "suspicions", 1);
    cluster.freeze(SICK).unwrap();
    cluster.change_network(Faults::mend).unwrap();
    let took = time_of_day().saturating_sub(began);
    assert!(took < suspicion_min(&options, 6), "this machine is too slow for this test: {took:?}");
    // When it wakes, the suspicion should have ended long ago, and the answers lie unread.
    thread::sleep(suspicion_min(&options, 6) * 3 / 2);
    cluster.thaw(SICK).unwrap();
    finish(cluster, &[SICK]);
}

#[test]
#[ignore = "needs root, ip and nft"]
fn p7_who_slept_until_all_had_buried_it_blames_nobody_when_it_wakes() {
    let mut cluster = cluster(6, &["suspicion_max_mult=2"]);
    let began = time_of_day();
    cluster.freeze(SICK).unwrap();
    let others = Vec::from_iter((0..6).filter(|host| *host != SICK));
    thread::sleep(Duration::from_secs(20));
    wait_all_told(&mut cluster, (&others, &[SICK]), "member-failed", began);
    cluster.thaw(SICK).unwrap();
    let account = finish(cluster, &[]);
    assert!(account.record.failures.iter().all(|failure| failure.subject == SICK));
    assert_eq!(account.record.failures.len(), others.len(), "each has failed it, once");
}

/// Who is sick. Whether the others fail it does not matter.
const SICK: usize = 5;
