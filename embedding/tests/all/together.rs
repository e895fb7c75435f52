//! All loops in one cluster with a node on tokio: all see all, and the others see one fail.

use std::{net::SocketAddr, time::Duration};

use swim_core::State;
use swim_tokio::{Builder, Handle};

use super::host::{GENEROUS, Host, Kind};

/// Nodes on each loop, and one on tokio, whose name is `tokio`.
struct Cluster {
    runtime: tokio::runtime::Runtime,
    handle: Handle,
    hosts: Vec<(&'static str, Host)>,
}

impl Cluster {
    /// All join through the `seed`th of tokio, blocking, readiness, bare.
    fn start(seed: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let kinds = [Kind::Blocking, Kind::Readiness, Kind::Bare];
        let names = ["blocking", "readiness", "bare"];
        let mut first = None;
        let mut hosts = Vec::new();
        if seed > 0 {
            let host = Host::start(kinds[seed - 1], names[seed - 1], &[]);
            first = Some(host.addr);
            hosts.push((names[seed - 1], host));
        }
        let handle = runtime.block_on(tokio_node(first));
        let seed_addr = first.unwrap_or(handle.addr());
        for (kind, name) in kinds.into_iter().zip(names) {
            if hosts.iter().all(|(other, _)| *other != name) {
                hosts.push((name, Host::start(kind, name, &[seed_addr])));
            }
        }
        Self { runtime, handle, hosts }
    }

    /// Waits until everybody who lives sees every one of `names` as `state`.
    fn until_all_see(&self, names: &[&str], state: State, except: &str) {
        let is_seen = |name: &str| {
            let there = self.handle.member(name).is_some_and(|member| member.state == state);
            let here = self.hosts.iter().filter(|(host, _)| *host != except);
            (except == "tokio" || there)
                && here.into_iter().all(|(_, host)| host.members().get(name) == Some(&state))
        };
        self.runtime.block_on(async {
            let waiting = async {
                while !names.iter().all(|name| is_seen(name)) {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            if tokio::time::timeout(GENEROUS, waiting).await.is_err() {
                let views = self.hosts.iter().map(|(name, host)| (name, host.members()));
                panic!(
                    "not all see {names:?} as {state}: {:?}, tokio {:?}",
                    views.collect::<Vec<_>>(),
                    self.handle.all_members()
                );
            }
        });
    }
}

async fn tokio_node(seed: Option<SocketAddr>) -> Handle {
    let builder = Builder::local("tokio").bind("127.0.0.1:0").options(|options| {
        let quick = super::host::quick("tokio", options.addr);
        options.probe_interval = quick.probe_interval;
        options.probe_timeout = quick.probe_timeout;
        options.gossip_interval = quick.gossip_interval;
    });
    let (handle, _) = builder.start().await.unwrap();
    if let Some(seed) = seed {
        handle.join_within([seed.to_string()], GENEROUS).await.unwrap();
    }
    handle
}

const ALL: [&str; 4] = ["tokio", "blocking", "readiness", "bare"];

#[test]
fn all_see_all_and_see_one_fail_whoever_it_is() {
    for (seed, victim) in ["bare", "tokio", "blocking", "readiness"].into_iter().enumerate() {
        let mut cluster = Cluster::start(seed);
        cluster.until_all_see(&ALL, State::Alive, "");
        match cluster.hosts.iter_mut().find(|(name, _)| *name == victim) {
            Some((_, host)) => host.kill(),
            None => drop(cluster.runtime.block_on(cluster.handle.shutdown())),
        }
        cluster.until_all_see(&[victim], State::Dead, victim);
    }
}

#[test]
fn reliable_messages_reach_every_loop() {
    let cluster = Cluster::start(0);
    cluster.until_all_see(&ALL, State::Alive, "");
    for name in &ALL[1..] {
        // Long enough not to fit into any buffer on the way.
        let payload = vec![7; 3 << 20];
        let sending = cluster.handle.send_reliable(name, payload);
        let sent =
            cluster.runtime.block_on(async { tokio::time::timeout(GENEROUS, sending).await });
        sent.unwrap().unwrap();
    }
}
