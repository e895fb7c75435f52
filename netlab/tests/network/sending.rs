//! Nodes whose own system does not let them send.

use swim_netlab::{Cluster, clock::wait};
use swim_sim::network::HostId;

use crate::harness::{cluster, detection, finish, settled, wait_counted};

#[test]
#[ignore = "needs root, ip and nft"]
fn who_is_forbidden_to_send_packets_counts_it_and_lives_by_its_streams() {
    let mut cluster = cluster(6, &[]);
    // Each datagram is refused with an error (EPERM), as by a firewall on the host itself.
    let rules = "table inet wall { chain out { type filter hook output priority 0; \
                 ip protocol udp counter drop\n}\n}\n";
    cluster.lab().run(MUTE, &["nft", "-f", "-"], rules).unwrap();
    wait_counted(&mut cluster, MUTE, "sends_failed", 50);
    wait_counted(&mut cluster, MUTE, "probes_saved_by_stream", 1);
    assert!(cluster.node(MUTE).unwrap().is_running());
    cluster.lab().run(MUTE, &["nft", "-f", "-"], "delete table inet wall\n").unwrap();
    let account = finish(cluster, &[]);
    assert_eq!(account.record.failures, []);
}

#[test]
#[ignore = "needs root, ip, nft and tc"]
fn who_has_no_room_for_what_it_sends_counts_it_and_comes_back() {
    let mut cluster = cluster(6, &[]);
    // A kilobyte a second, and a queue that holds more than the socket may have under way: then
    // the system has no room (EAGAIN).
    let slow = ["tc", "qdisc", "add", "dev", "eth0", "root", "tbf", "rate", "8kbit"];
    let slow = [&slow[..], &["burst", "2000", "limit", "20mb"]].concat();
    cluster.lab().run(MUTE, &slow, "").unwrap();
    let limit = detection(&cluster.setup().options(), 6);
    let blocked = wait(limit, || {
        let node = cluster.node(MUTE).unwrap();
        let broadcast = format!("broadcast {}", "x".repeat(400));
        (0..20).for_each(|_| drop(node.order(&broadcast).unwrap()));
        (node.count("sends_blocked").unwrap() > 0).then_some(())
    });
    assert!(blocked.is_some(), "there was room for all: {}", story(&mut cluster, MUTE));
    cluster.lab().run(MUTE, &["tc", "qdisc", "del", "dev", "eth0", "root"], "").unwrap();
    // To the others it was gone, and they to it: that they agree again is what counts.
    let limit = settled(&cluster.setup().options(), 6);
    cluster.wait_agreement(limit).unwrap();
}

fn story(cluster: &mut Cluster, host: HostId) -> String {
    cluster.node(host).unwrap().story()
}

/// Who can't send.
const MUTE: HostId = 5;
