//! Keys that are changed while the cluster runs.

use std::{thread, time::Duration};

use swim_netlab::{Setup, clock::time_of_day};

use crate::{
    harness::{detection, finish, setup, started},
    runtimes::both,
};

#[test]
#[ignore = "needs root, ip and nft"]
fn keys_are_rotated_while_packets_are_lost() {
    let key = Some(OLD.into());
    let stream_timeout = "stream_timeout=1s";
    let mut cluster = started(Setup { key, programs: both(), ..setup(5, &[stream_timeout]) });
    for host in 0..5 {
        cluster.lose(host, 200, 0).unwrap();
    }
    for step in [format!("add {NEW}"), format!("use {NEW}"), format!("remove {OLD}")] {
        for host in 0..5 {
            cluster.node(host).unwrap().order(&format!("keys {step}")).unwrap();
        }
        // What was sealed before the step is on its way no longer: a stream takes three times its
        // timeout, and what closes it a little more.
        thread::sleep(Duration::from_secs(5));
    }
    let since = time_of_day();
    let id = cluster.node(0).unwrap().order("keys list").unwrap()["ids"].clone();
    assert!(id.as_str().is_some_and(|ids| !ids.contains(' ')), "{id} is not one key");
    cluster.node(0).unwrap().order("broadcast sealed anew").unwrap();
    let limit = detection(&cluster.setup().options(), 5);
    cluster.wait_told(&[1, 2, 3, 4], "user", (0, since), limit).unwrap();
    assert!(cluster.lab().dropped().unwrap() > 0);
    for host in 0..5 {
        cluster.lose(host, 0, 0).unwrap();
        let node = cluster.node(host).unwrap();
        assert_eq!(node.order("keys list").unwrap()["ids"], id);
        assert_eq!(node.count("rejected").unwrap(), 0, "{}", node.story());
    }
    // Who comes with the new key is let in.
    cluster.set_key(NEW);
    cluster.crash(4).unwrap();
    cluster.start(4).unwrap();
    finish(cluster, &[]);
}

/// 32 bytes each.
const OLD: &str = "b2xkIGtleSBvbGQga2V5IG9sZCBrZXkgb2xkIGtleSE=";
const NEW: &str = "bmV3IGtleSBuZXcga2V5IG5ldyBrZXkgbmV3IGtleSE=";
