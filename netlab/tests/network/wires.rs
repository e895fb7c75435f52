//! Interfaces that go down, and wires that carry less than they should.

use swim_netlab::clock::time_of_day;

use crate::harness::{SOON, cluster, finish, settled, wait_all_told};

#[test]
#[ignore = "needs root, ip and nft"]
fn an_interface_goes_down_and_up_again() {
    let mut cluster = cluster(5, &SOON);
    let (others, down) = ([0, 1, 2, 3], [4]);
    let since = time_of_day();
    cluster.set_up(4, false).unwrap();
    wait_all_told(&mut cluster, (&others, &down), "member-failed", since);
    wait_all_told(&mut cluster, (&down, &others), "member-failed", since);
    cluster.set_up(4, true).unwrap();
    let account = finish(cluster, &[]);
    assert_eq!(account.record.failures.len(), 8);
}

#[test]
#[ignore = "needs root, ip and nft"]
fn what_is_too_long_for_a_wire_goes_another_way() {
    let mut cluster = cluster(6, &[]);
    let limit = settled(&cluster.setup().options(), 6);
    cluster.lab().set_mtu(5, 900).unwrap();
    // Two such claims are longer than that in one packet, and there are six: whoever says them all
    // together to the host is not heard.
    for round in 0..10 {
        for host in 0..6 {
            let meta = format!("meta {round}{}", "x".repeat(450));
            cluster.node(host).unwrap().order(&meta).unwrap();
        }
        cluster.wait_agreement(limit).unwrap();
        if cluster.lab().too_long(5).unwrap() > 0 {
            break;
        }
    }
    assert!(cluster.lab().too_long(5).unwrap() > 0, "all packets were short enough");
    let account = finish(cluster, &[]);
    assert_eq!(account.record.failures, []);
}
