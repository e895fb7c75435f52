//! The bare loop on a cable in memory, in virtual time: the same every time.

use std::{net::SocketAddr, time::Duration};

use embedding::{
    bare::Bare,
    cable::{Cable, End},
};
use swim_core::{Instant, Node, State};

use super::host::quick;

fn node(name: &str, addr: SocketAddr, cable: &Cable) -> Bare<End> {
    let config = quick(name, addr).build().unwrap();
    let seed = [name.as_bytes()[0]; 32];
    Bare::new(Node::new(config, seed, Instant::ORIGIN), cable.end(addr))
}

/// Lets all nodes run until `done`. Returns when that was. What comes in on the cable wakes nobody,
/// so nobody sleeps for longer than a millisecond.
fn run(nodes: &mut [Bare<End>], from: Instant, done: impl Fn(&[Bare<End>]) -> bool) -> Instant {
    let mut now = from;
    while !done(nodes) {
        let next = nodes.iter_mut().filter_map(|node| node.step(now, |_| ())).min();
        now = next.unwrap().clamp(now, now + Duration::from_millis(1));
        assert!(now < from + Duration::from_secs(60), "this takes too long");
    }
    now
}

#[test]
fn two_nodes_meet_on_a_cable_and_one_sees_the_other_fail() {
    let addrs = ["10.0.0.1:7946", "10.0.0.2:7946"].map(|addr| addr.parse().unwrap());
    let story = || {
        let cable = Cable::new();
        let mut nodes = [node("a", addrs[0], &cable), node("b", addrs[1], &cable)];
        nodes[1].node.join(Instant::ORIGIN, &addrs[..1], Duration::from_secs(10)).unwrap();
        let met_at = run(&mut nodes, Instant::ORIGIN, |nodes| {
            nodes.iter().all(|bare| bare.node.counts().alive == 2)
        });
        cable.unplug(addrs[1]);
        let failed_at = run(&mut nodes[..1], met_at, |nodes| {
            nodes[0].node.member("b").unwrap().state == State::Dead
        });
        (met_at, failed_at)
    };
    assert_eq!(story(), story(), "one run is like another");
    let (met_at, failed_at) = story();
    assert!(met_at < Instant::from_millis(100), "{met_at}");
    assert!(failed_at < met_at + Duration::from_secs(10), "{failed_at}");
}
