//! Nodes on loopback, on whichever runtime, and waiting that ends.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use examples::mirror::Mirror;
use swim_driver::{Builder, Handle, Runtime, Timer};

/// Far longer than anything here takes on a machine that is not broken.
const GENEROUS: Duration = Duration::from_secs(30);

/// A member that runs, and its events.
pub(crate) struct Member {
    pub(crate) handle: Handle,
    pub(crate) mirror: Mirror,
}

/// A cluster of these, all of which know each other.
pub(crate) async fn cluster<R: Runtime>(names: &[&str]) -> Vec<Member> {
    let mut members: Vec<Member> = Vec::new();
    for name in names {
        let member = start::<R>(name).await;
        if let Some(first) = members.first() {
            member.handle.join([first.handle.addr().to_string()]).await.unwrap();
        }
        members.push(member);
    }
    for member in &members {
        until::<R>("all know each other", || member.handle.counts().alive == names.len()).await;
    }
    members
}

pub(crate) async fn start<R: Runtime>(name: &str) -> Member {
    start_at::<R>(name, "127.0.0.1:0").await
}

pub(crate) async fn start_at<R: Runtime>(name: &str, addr: &str) -> Member {
    let builder = Builder::<R>::local(name).bind(addr).options(|options| {
        options.probe_interval = Duration::from_millis(200);
        options.probe_timeout = Duration::from_millis(100);
        options.gossip_interval = Duration::from_millis(20);
    });
    let (handle, events) = builder.start().await.unwrap();
    Member { mirror: Mirror::new(handle.clone(), events), handle }
}

/// The future's value, or a failed test instead of one that hangs.
pub(crate) async fn soon<R: Runtime, F: Future>(what: &str, future: F) -> F::Output {
    let (mut future, mut limit) = (pin!(future), pin!(sleep::<R>(GENEROUS)));
    poll_fn(|cx| {
        assert!(limit.as_mut().poll(cx).is_pending(), "waited too long until {what}");
        future.as_mut().poll(cx)
    })
    .await
}

pub(crate) async fn until<R: Runtime>(what: &str, mut is_so: impl FnMut() -> bool) {
    soon::<R, _>(what, async {
        while !is_so() {
            sleep::<R>(Duration::from_millis(2)).await;
        }
    })
    .await;
}

#[expect(clippy::disallowed_methods, reason = "a test waits in real time")]
pub(crate) async fn sleep<R: Runtime>(span: Duration) {
    let mut timer = R::current().unwrap().timer(std::time::Instant::now() + span);
    poll_fn(|cx| match timer.poll_expired(cx) {
        Poll::Ready(()) => Poll::Ready(()),
        Poll::Pending => Poll::Pending,
    })
    .await;
}

/// Makes a test on each runtime of a function that is generic over it.
macro_rules! on_every_runtime {
    ($($test:ident)*) => {
        mod on_tokio {
            $(#[test]
            fn $test() {
                let mut runtime = tokio::runtime::Builder::new_current_thread();
                let runtime = runtime.enable_all().build().unwrap();
                runtime.block_on(super::$test::<swim_tokio::Tokio>());
            })*
        }
        mod on_smol {
            $(#[test]
            fn $test() {
                smol::block_on(super::$test::<swim_smol::Smol>());
            })*
        }
    };
}
pub(crate) use on_every_runtime;
