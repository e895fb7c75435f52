//! Nodes on loopback, and what to wait for in their events.

use std::{net::SocketAddr, time::Duration};

use swim_driver::{
    Builder, Runtime,
    surface::{EventKind, Events, Handle, MemberChange, Notice},
};

use crate::{
    platform::Platform,
    waiting::{soon, until},
};

/// A node on loopback with a port of its own, quick to notice things.
pub(crate) fn quick<P: Platform>(name: &str) -> Builder<P::Runtime> {
    Builder::local(name).bind("127.0.0.1:0").options(|options| {
        options.probe_interval = Duration::from_millis(200);
        options.probe_timeout = Duration::from_millis(100);
        options.gossip_interval = Duration::from_millis(20);
    })
}

pub(crate) async fn start<R: Runtime>(builder: Builder<R>) -> (Handle, Events) {
    builder.start().await.expect("a node on loopback starts and joins")
}

/// Nodes named a, b, c .., all joined through the first.
pub(crate) async fn cluster<P: Platform>(len: u8) -> Vec<(Handle, Events)> {
    let mut nodes = Vec::new();
    for index in 0..len {
        nodes.push(start(quick::<P>(&char::from(b'a' + index).to_string())).await);
        if index > 0 {
            join(&nodes[usize::from(index)].0, &nodes[0].0).await;
        }
    }
    for (handle, _) in &nodes {
        until::<P>("all know each other", || handle.members().len() == usize::from(len)).await;
    }
    nodes
}

pub(crate) async fn join(handle: &Handle, seed: &Handle) {
    handle.join([seed.addr().to_string()]).await.expect("a node on loopback starts and joins");
}

/// The next event for which `pick` has a value.
pub(crate) async fn event<P: Platform, T>(
    events: &mut Events,
    what: &str,
    mut pick: impl FnMut(EventKind) -> Option<T>,
) -> T {
    soon::<P, _>(what, async {
        loop {
            match events.next().await.expect("the node runs") {
                Notice::Event(event) => {
                    if let Some(value) = pick(event.kind) {
                        return value;
                    }
                }
                Notice::Lagged { missed } => panic!("{missed} events are missing"),
            }
        }
    })
    .await
}

/// Waits for a change of a member.
pub(crate) async fn change<P: Platform>(events: &mut Events, name: &str, wanted: MemberChange) {
    let what = format!("{name} {wanted}");
    event::<P, _>(events, &what, |kind| match kind {
        EventKind::Member { change, member } if member.name == name && change == wanted => Some(()),
        _ => None,
    })
    .await;
}

/// Whether this machine has IPv6 on loopback. Some containers have not, which is said aloud; where
/// the project itself is tested, it must be there.
pub(crate) fn has_ipv6() -> bool {
    let Err(error) = std::net::UdpSocket::bind("[::1]:0") else { return true };
    #[expect(clippy::disallowed_methods, reason = "a test may ask where it runs")]
    let is_required = std::env::var_os("CI").is_some();
    assert!(!is_required, "[::1] can't be bound: {error}");
    eprintln!("SKIPPED: [::1] can't be bound, so IPv6 is not tested: {error}");
    false
}

/// Whether both protocols can have this address again.
pub(crate) fn is_free(addr: SocketAddr) -> bool {
    std::net::UdpSocket::bind(addr).is_ok() && std::net::TcpListener::bind(addr).is_ok()
}
