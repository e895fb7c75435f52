//! Small clusters over real sockets: joining, failing, leaving, telling each other things.

use std::time::Duration;

use swim_driver::surface::{
    Candidate, Counts, Error, EventKind, JoinError, JoinFailed, LeaveError, LeaveFailed,
    MemberChange, Policy, Refused, SeedOutcome, SeedResult, SendError, State, StopReason,
};

use crate::{
    nodes::{change, cluster, event, has_ipv6, is_free, join, quick, start},
    platform::Platform,
    waiting::{GENEROUS, both, soon, until},
};

pub async fn two_nodes_find_each_other<P: Platform>() {
    let (a, mut events) = start(quick::<P>("a")).await;
    let (b, _) = start(quick::<P>("b").meta("blue")).await;
    assert_eq!(a.members().len(), 1, "a node knows itself before it is started");
    let joined = b.join([a.addr().to_string()]).await.unwrap();
    assert_eq!(joined.contacted, 1);
    let SeedResult::Tried { addr, outcome } = &joined.seeds[0].result else { panic!("{joined:?}") };
    assert_eq!(*addr, a.addr());
    assert_eq!(*outcome, SeedOutcome::Joined { name: a.name().clone() });
    assert_eq!(b.members().len(), 2);
    change::<P>(&mut events, "b", MemberChange::Joined).await;
    let seen = a.member("b").unwrap();
    assert_eq!((seen.addr, seen.state), (b.addr(), State::Alive));
    assert_eq!(seen.meta.as_bytes(), b"blue");
    assert!(a.now() >= seen.since);
    let names: Vec<_> = a.members().iter().map(|member| member.name.to_string()).collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(a.counts(), Counts { alive: 2, ..Counts::default() });
    assert_eq!(a.health().await, Ok(0));
    assert!(b.stats().await.unwrap().streams_dialed >= 1);
}

pub async fn a_crash_is_a_failure_for_the_others<P: Platform>() {
    let mut nodes = cluster::<P>(3).await;
    let (c, _events) = nodes.pop().unwrap();
    drop(c);
    for (handle, events) in &mut nodes {
        change::<P>(events, "c", MemberChange::Failed).await;
        assert_eq!(handle.member("c").unwrap().state, State::Dead);
        assert_eq!(handle.members().len(), 2);
        assert_eq!(handle.all_members().len(), 3);
    }
    nodes[0].0.remove("c").await.unwrap();
    change::<P>(&mut nodes[1].1, "c", MemberChange::Left).await;
    assert!(matches!(nodes[0].0.remove("b").await, Err(Error::Remove(_))));
}

pub async fn a_leave_is_heard_and_ends_in_silence<P: Platform>() {
    let mut nodes = cluster::<P>(3).await;
    let (c, mut c_events) = nodes.pop().unwrap();
    let (first, second) = both(c.leave(GENEROUS), c.leave(GENEROUS)).await;
    let left = first.unwrap();
    // Whoever asks again waits for the same, unless it is over before the node hears of that.
    if second != Err(LeaveFailed::Refused(LeaveError::Left)) {
        assert_eq!(second, Ok(left));
    }
    assert!(left.confirmed >= 1 && left.told >= left.confirmed, "{left:?}");
    for (_, events) in &mut nodes {
        change::<P>(events, "c", MemberChange::Left).await;
    }
    event::<P, _>(&mut c_events, "it hears of it too", |kind| {
        matches!(kind, EventKind::LeaveFinished { .. }).then_some(())
    })
    .await;
    assert_eq!(c.leave(GENEROUS).await, Err(LeaveFailed::Refused(LeaveError::Left)));
    assert_eq!(c.broadcast("x").await, Err(Error::Send(SendError::Left)));
    // And back again.
    join(&c, &nodes[0].0).await;
    change::<P>(&mut nodes[1].1, "c", MemberChange::Joined).await;
}

pub async fn metadata_and_broadcasts_reach_everybody<P: Platform>() {
    let mut nodes = cluster::<P>(3).await;
    let stamp = nodes[0].0.update_meta("green").await.unwrap();
    let id = nodes[0].0.broadcast("to all").await.unwrap();
    for (handle, events) in &mut nodes[1..] {
        let heard = event::<P, _>(events, "the broadcast arrives", |kind| match kind {
            EventKind::Broadcast { origin, id, payload, .. } => Some((origin, id, payload)),
            _ => None,
        });
        assert_eq!(heard.await, ("a".parse().unwrap(), id, "to all".into()));
        until::<P>("the metadata arrives", || handle.member("a").unwrap().stamp == stamp).await;
        assert_eq!(handle.member("a").unwrap().meta.as_bytes(), b"green");
    }
    assert!(matches!(nodes[0].0.update_meta(vec![0; 513]).await, Err(Error::Update(_))));
    assert!(matches!(
        nodes[0].0.broadcast(vec![0; 10_000]).await,
        Err(Error::Send(SendError::TooLarge { .. }))
    ));
}

pub async fn messages_of_both_kinds_and_pings_reach_one_member<P: Platform>() {
    let mut nodes = cluster::<P>(2).await;
    let (b, mut events) = nodes.pop().unwrap();
    let (a, _) = nodes.pop().unwrap();
    let large = vec![7; 1_000_000];
    soon::<P, _>("it is confirmed", a.send_reliable("b", large.clone())).await.unwrap();
    a.send_best_effort("b", "quick").await.unwrap();
    let mut heard = Vec::new();
    while heard.len() < 2 {
        let message = event::<P, _>(&mut events, "a message arrives", |kind| match kind {
            EventKind::Message { from, payload, reliable, .. } => Some((from, payload, reliable)),
            _ => None,
        });
        let (from, payload, reliable) = message.await;
        assert_eq!(from, *a.name());
        heard.push((reliable, payload));
    }
    heard.sort();
    assert_eq!(heard, [(false, "quick".into()), (true, large.into())]);
    b.set_ack_payload("hello").await.unwrap();
    let pong = soon::<P, _>("it answers", a.ping("b")).await.unwrap();
    assert_eq!(pong.payload, "hello");
    assert!(pong.rtt < GENEROUS);
    b.set_local_state("state").await.unwrap();
    let unknown = Err(Error::Send(SendError::UnknownMember));
    assert_eq!(a.send_best_effort("x", "").await, unknown);
    assert_eq!(a.send_reliable("x", "").await, unknown);
    assert_eq!(a.ping("x").await.map(|_| ()), unknown);
}

pub async fn a_ping_without_answer_and_a_message_to_nobody_say_so<P: Platform>() {
    let mut nodes = cluster::<P>(2).await;
    let (b, _events) = nodes.pop().unwrap();
    let (a, _) = nodes.pop().unwrap();
    b.shutdown().await;
    let (pong, sent) =
        both(soon::<P, _>("it gives up", a.ping("b")), a.send_reliable("b", "x")).await;
    assert_eq!(pong, Err(Error::NoAnswer));
    assert!(matches!(sent, Err(Error::Delivery(_))), "{sent:?}");
}

pub async fn names_are_seeds_and_bad_seeds_say_why<P: Platform>() {
    let (a, _events) = start(quick::<P>("a")).await;
    let (b, _events) = start(quick::<P>("b")).await;
    let seed = format!("localhost:{}", a.addr().port());
    let joined = b.join(["[::1]:1".to_owned(), seed, "bad:port".to_owned()]).await.unwrap();
    assert_eq!((joined.contacted, joined.seeds.len()), (1, 3));
    let (c, _events) = start(quick::<P>("c")).await;
    let failed = c.join(["bad:port", "::1"]).await.unwrap_err();
    let message = failed.to_string();
    assert!(message.contains("bad:port") && message.contains("bound to IPv4"), "{message}");
    let nobody: [&str; 0] = [];
    assert_eq!(c.join(nobody).await, Err(JoinFailed::Refused(JoinError::NoSeeds)));
    let nowhere = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    let failed = c.join([nowhere.clone()]).await.unwrap_err();
    assert!(failed.to_string().contains("could not be reached"), "{failed}");
    assert!(c.is_running());
}

pub async fn a_node_alone_with_itself_as_seed_has_joined<P: Platform>() {
    let (a, _events) = start(quick::<P>("a")).await;
    let joined = a.join([a.addr().to_string()]).await.unwrap();
    assert_eq!(joined.contacted, 0);
}

pub async fn ipv6_works_like_ipv4<P: Platform>() {
    if !has_ipv6() {
        return;
    }
    let (a, _events) = start(quick::<P>("a").bind("[::1]:0")).await;
    let (b, _events) = start(quick::<P>("b").bind("[::1]:0")).await;
    assert!(a.addr().is_ipv6() && a.addr() == a.bound_addr());
    join(&b, &a).await;
    until::<P>("both know each other", || a.members().len() == 2).await;
    soon::<P, _>("it answers", a.ping("b")).await.unwrap();
}

pub async fn dropping_the_last_handle_stops_the_node<P: Platform>() {
    let (a, mut events) = start(quick::<P>("a")).await;
    let (addr, other) = (a.addr(), a.clone());
    drop(a);
    assert!(other.is_running());
    assert_eq!(other.call(|node, _| node.name().to_string()).await.unwrap(), "a");
    drop(other);
    soon::<P, _>("the events end", async { while events.next().await.is_some() {} }).await;
    assert!(is_free(addr));
}

pub async fn a_shutdown_ends_what_is_under_way<P: Platform>() {
    let mut nodes = cluster::<P>(2).await;
    let (b, _events) = nodes.pop().unwrap();
    let (a, mut events) = nodes.pop().unwrap();
    b.shutdown().await;
    let calls: Vec<_> = (0..20)
        .map(|n| {
            let a = a.clone();
            P::spawn(async move {
                match n % 4 {
                    0 => a.ping("b").await.err(),
                    1 => a.send_reliable("b", vec![0; 100_000]).await.err(),
                    2 => a.leave(GENEROUS).await.err().map(|_| Error::Stopped),
                    _ => a.stats().await.err(),
                }
            })
        })
        .collect();
    P::sleep(Duration::from_millis(5)).await;
    assert_eq!(soon::<P, _>("it stops", a.shutdown()).await, StopReason::Shutdown);
    assert!(is_free(a.addr()));
    assert_eq!(soon::<P, _>("again", a.shutdown()).await, StopReason::Shutdown);
    for call in calls {
        // A few were done before.
        let _ended = soon::<P, _>("the call ends", call).await;
    }
    assert_eq!(a.stats().await, Err(Error::Stopped));
    assert_eq!(a.join(["127.0.0.1:1"]).await, Err(JoinFailed::Stopped));
    assert_eq!(a.leave(GENEROUS).await, Err(LeaveFailed::Stopped));
    soon::<P, _>("the events end", async { while events.next().await.is_some() {} }).await;
    assert!(!a.is_running());
    assert_eq!(a.all_members().len(), 2, "what was known can still be read");
}

pub async fn many_tasks_call_at_once<P: Platform>() {
    let (a, _events) = start(quick::<P>("a")).await;
    let calls: Vec<_> = (0..64)
        .map(|n: u64| {
            let a = a.clone();
            P::spawn(async move {
                let mut sum = 0;
                for _ in 0..100 {
                    sum += a.call(move |_, _| n).await.unwrap();
                    assert_eq!(a.members().len(), 1);
                }
                sum
            })
        })
        .collect();
    for (n, call) in (0..).zip(calls) {
        assert_eq!(soon::<P, _>("all is done", call).await, n * 100);
    }
}

struct Panics;

impl Policy for Panics {
    fn admit_member(&self, candidate: &Candidate<'_>) -> Result<(), Refused> {
        panic!("as it was told, because of {}", candidate.name)
    }
}

pub async fn a_policy_that_panics_stops_its_node_alone<P: Platform>() {
    let (a, mut events) = start(quick::<P>("a").policy(Panics)).await;
    let (b, _events) = start(quick::<P>("b")).await;
    let _failed = soon::<P, _>("the join ends", b.join([a.addr().to_string()])).await;
    assert_eq!(soon::<P, _>("it stops", a.stopped()).await, StopReason::Panicked);
    assert_eq!(a.stats().await.map(|_| ()), Err(Error::Stopped));
    soon::<P, _>("the events end", async { while events.next().await.is_some() {} }).await;
    assert!(is_free(a.addr()));
    assert!(b.is_running());
}
