//! Runtimes that end while a node runs on them.

use swim_driver::surface::{StopReason, Stopped};

use super::toy::Toy;
use crate::{
    nodes::{is_free, quick},
    platform::Platform,
    waiting::soon,
};

pub async fn a_runtime_that_ends_takes_the_node_with_it<P: Platform>() {
    let ended = std::thread::spawn(|| {
        P::brief(async |runtime| {
            let builder = quick::<P>("a").runtime(runtime);
            builder.start_machine(|_, _, _| Toy::default()).await.unwrap()
        })
    });
    let (a, mut events) = ended.join().unwrap();
    assert_eq!(soon::<P, _>("it has stopped", a.stopped()).await, StopReason::RuntimeEnded);
    assert!(!a.is_running());
    assert_eq!(a.call(|_, _| ()).await, Err(Stopped));
    assert_eq!(soon::<P, _>("the events end", events.next()).await, None);
    assert!(is_free(a.addr()));
}

pub async fn a_runtime_that_has_ended_starts_nothing_that_lasts<P: Platform>() {
    let ended = std::thread::spawn(|| P::brief(async |runtime| runtime)).join().unwrap();
    let Ok((a, _events)) = quick::<P>("a").runtime(ended).start().await else { return };
    soon::<P, _>("it has stopped", a.stopped()).await;
    assert!(is_free(a.addr()));
}
