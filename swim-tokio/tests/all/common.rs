//! What the tests need: nodes on loopback, and waiting that ends.

use std::{future::Future, net::SocketAddr, time::Duration};

use swim_tokio::{Builder, EventKind, Events, Handle, MemberChange, Notice};

/// Far longer than anything here takes on a machine that is not broken.
pub(crate) const GENEROUS: Duration = Duration::from_secs(30);

/// A node on loopback with a port of its own, quick to notice things.
pub(crate) fn quick(name: &str) -> Builder {
    Builder::local(name).bind("127.0.0.1:0").options(|options| {
        options.probe_interval = Duration::from_millis(200);
        options.probe_timeout = Duration::from_millis(100);
        options.gossip_interval = Duration::from_millis(20);
    })
}

pub(crate) async fn start(builder: Builder) -> (Handle, Events) {
    builder.start().await.unwrap()
}

/// Nodes named a, b, c .., all joined through the first.
pub(crate) async fn cluster(len: u8) -> Vec<(Handle, Events)> {
    let mut nodes = Vec::new();
    for index in 0..len {
        nodes.push(start(quick(&char::from(b'a' + index).to_string())).await);
        if index > 0 {
            join(&nodes[usize::from(index)].0, &nodes[0].0).await;
        }
    }
    for (handle, _) in &nodes {
        until("all know each other", || handle.members().len() == usize::from(len)).await;
    }
    nodes
}

pub(crate) async fn join(handle: &Handle, seed: &Handle) {
    handle.join([seed.addr().to_string()]).await.unwrap();
}

/// The future's value, or a failed test instead of one that hangs.
pub(crate) async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    match tokio::time::timeout(GENEROUS, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited too long until {what}"),
    }
}

pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    soon(what, async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}

/// The next event for which `pick` has a value.
pub(crate) async fn event<T>(
    events: &mut Events,
    what: &str,
    mut pick: impl FnMut(EventKind) -> Option<T>,
) -> T {
    soon(what, async {
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
pub(crate) async fn change(events: &mut Events, name: &str, wanted: MemberChange) {
    let what = format!("{name} {wanted}");
    event(events, &what, |kind| match kind {
        EventKind::Member { change, member } if member.name == name && change == wanted => Some(()),
        _ => None,
    })
    .await;
}

/// Whether both protocols can have this address again.
pub(crate) fn is_free(addr: SocketAddr) -> bool {
    std::net::UdpSocket::bind(addr).is_ok() && std::net::TcpListener::bind(addr).is_ok()
}
