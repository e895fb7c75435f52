//! Nodes that are sick, not dead: they must not take it out on the healthy.

use std::{thread, time::Duration};

use crate::harness::{cluster, finish};

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
    cluster.lose(SICK, 0, 0).unwrap();
    finish(cluster, &[SICK]);
}

/// Who is sick. Whether the others fail it does not matter.
const SICK: usize = 5;
