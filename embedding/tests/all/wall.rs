//! The clock on the wall, which sealed packets go by, is set while a node runs.

use std::{net::SocketAddr, thread, time::Duration};

use embedding::ground::{self, Clock, Ports};
use swim_core::{Key, Keyring, State};

use super::host::{GENEROUS, Host, Kind, quick};

/// A node with a key; one that was told a time on a wall whose clock shows another by now.
fn start(kind: Kind, name: &str, told: Option<u64>, seeds: &[SocketAddr]) -> Host {
    let ports = Ports::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let (clock, mut options) = (Clock::start(), quick(name, ports.addr));
    options.keyring = Some(Keyring::new(Key::new(&[3; 32]).unwrap()));
    let mut node = ground::node(options, clock).unwrap();
    if let Some(secs) = told {
        node.set_unix_time(clock.now(), Duration::from_secs(secs));
    }
    if !seeds.is_empty() {
        node.join(clock.now(), seeds, GENEROUS).unwrap();
    }
    Host::run(kind, node, clock, ports)
}

#[test]
fn a_node_with_a_key_hears_others_after_its_clock_was_set() {
    for kind in [Kind::Blocking, Kind::Readiness] {
        for told in [1_000_000_000, 4_000_000_000] {
            let host = start(kind, "host", Some(told), &[]);
            let meets = |attempt| {
                // A seed is tried once, so others try until it has noticed.
                let name = format!("friend-{attempt}");
                let friend = start(Kind::Blocking, &name, None, &[host.addr]);
                (0..100).any(|_| {
                    thread::sleep(Duration::from_millis(10));
                    friend.members().get("host") == Some(&State::Alive)
                })
            };
            assert!((0..30).any(meets), "{kind:?} believes {told}");
        }
    }
}
