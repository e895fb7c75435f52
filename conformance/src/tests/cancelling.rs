//! Futures that are polled once and dropped, again and again: nothing is lost, nothing stays.

use std::time::Duration;

use swim_driver::surface::{EventKind, Notice};

use crate::{
    nodes::{cluster, event, is_free, quick, start},
    platform::Platform,
    waiting::{GENEROUS, poll_once, soon, until, within, yield_now},
};

pub async fn no_event_is_lost_between_dropped_reads<P: Platform>() {
    let (a, mut events) = start(quick::<P>("a")).await;
    let mut seen = Vec::new();
    for n in 0..200_u32 {
        if n % 2 == 0 {
            a.broadcast(n.to_string()).await.unwrap();
        }
        if n % 3 == 0 {
            yield_now().await;
        }
        if let Some(Some(Notice::Event(event))) = poll_once(events.next()) {
            seen.push(event.seq);
        }
    }
    while let Some(Notice::Event(event)) = events.try_next() {
        seen.push(event.seq);
    }
    let expected: Vec<_> = (0..a.snapshot().next_seq).collect();
    assert_eq!(seen, expected);
}

pub async fn commands_run_though_their_futures_are_dropped<P: Platform>() {
    let nodes = cluster::<P>(2).await;
    let (a, b) = (&nodes[0].0, &nodes[1].0);
    for n in 0..50_u8 {
        // Where the node runs on another thread, a future may be done at its first poll.
        let _sooner = poll_once(a.update_meta(vec![n]));
        let _sooner = poll_once(a.broadcast("x"));
        let _sooner = poll_once(a.send_best_effort("b", "x"));
        let _sooner = poll_once(a.ping("b"));
        let _sooner = poll_once(a.stats());
        let _sooner = poll_once(a.stopped());
        if n % 16 == 0 {
            let _sooner = poll_once(a.send_reliable("b", "x"));
            yield_now().await;
        }
    }
    until::<P>("the last one counts", || b.member("a").unwrap().meta.as_bytes() == [49]).await;
    assert_eq!(a.stats().await.unwrap().broadcasts_sent, 50);
    soon::<P, _>("it answers", a.ping("b")).await.unwrap();
}

pub async fn a_dropped_join_is_cancelled<P: Platform>() {
    let (a, mut events) = start(quick::<P>("a")).await;
    // Accepts and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let seed = silent.local_addr().unwrap().to_string();
    for round in 0..200 {
        let join = a.join([seed.clone(), "localhost:1".into()]);
        let polled_for = Duration::from_micros(round * 20);
        assert!(within::<P, _>(polled_for, join).await.is_none());
    }
    for _ in 0..50 {
        let _sooner = poll_once(a.join([seed.clone()]));
    }
    // More joins than a node takes at once have begun, so those that were dropped are gone.
    let mut begun = 0;
    while let Some(notice) = within::<P, _>(Duration::from_millis(50), events.next()).await {
        if let Some(Notice::Event(event)) = notice
            && let EventKind::JoinFinished { .. } = event.kind
        {
            begun += 1;
        }
    }
    assert!(begun >= 50, "{begun}");
    let (b, _events) = start(quick::<P>("b")).await;
    a.join([b.addr().to_string()]).await.unwrap();
}

pub async fn a_dropped_leave_goes_on<P: Platform>() {
    let mut nodes = cluster::<P>(2).await;
    let _sooner = poll_once(nodes[0].0.leave(GENEROUS));
    event::<P, _>(&mut nodes[0].1, "it has left", |kind| {
        matches!(kind, EventKind::LeaveFinished { .. }).then_some(())
    })
    .await;
    until::<P>("the other knows", || nodes[1].0.members().len() == 1).await;
}

pub async fn a_dropped_shutdown_goes_on<P: Platform>() {
    let (a, _events) = start(quick::<P>("a")).await;
    let _sooner = poll_once(a.shutdown());
    soon::<P, _>("it stops", a.stopped()).await;
    assert!(is_free(a.addr()));
}

pub async fn a_future_that_was_never_polled_does_nothing<P: Platform>() {
    let (a, _events) = start(quick::<P>("a")).await;
    drop(a.shutdown());
    drop(a.leave(GENEROUS));
    drop(a.join(["localhost"]));
    drop(a.update_meta("x"));
    drop(quick::<P>("b").start());
    assert!(a.is_running());
    assert!(a.member("a").unwrap().meta.is_empty());
}
