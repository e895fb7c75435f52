//! The loop with a machine that does what it is told and remembers what it heard.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use swim_driver::surface::{Bytes, Notice, Output, StopReason, Stopped, StreamId, Timer};

use super::toy::{Heard, dialed, heard, output, piece, toy};
use crate::{
    nodes::is_free,
    platform::Platform,
    waiting::{both, soon, yield_now},
};

pub async fn large_transfers_arrive_whole_in_bounded_chunks<P: Platform>() {
    let (a, b) = (toy::<P>("a").await, toy::<P>("b").await);
    let (id, to) = (dialed(0), b.0.addr());
    a.0.call(move |toy, _| {
        toy.pieces.insert(id, 64);
        toy.outputs.push_back(Output::Dial { id, to });
    })
    .await
    .unwrap();
    let got =
        heard::<P>(&b, StreamId::accepted(1), "all is there", |heard| heard.is_finished).await;
    assert_eq!(got.bytes.len(), 64 * 64 * 1024);
    assert!(got.bytes.chunks(64 * 1024).zip((0..64).rev()).all(|(chunk, n)| chunk == piece(n)));
    assert!(got.chunk_len_max <= 16 * 1024);
    let sent = heard::<P>(&a, id, "it is heard", |heard| heard.drained == 64).await;
    assert!(sent.is_connected && !sent.is_failed);
}

pub async fn what_was_written_before_a_close_arrives_though_nobody_reads_the_answer<P: Platform>() {
    let (a, b) = (toy::<P>("a").await, toy::<P>("b").await);
    let (id, to) = (dialed(0), b.0.addr());
    a.0.call(move |toy, _| {
        // Everything at once, before the connection is there.
        toy.outputs.extend([
            Output::Dial { id, to },
            Output::Write { id, data: vec![1; 3_000_000].into() },
            Output::Write { id, data: Bytes::new() },
            Output::Write { id, data: vec![2; 10].into() },
            Output::Close { id },
        ]);
    })
    .await
    .unwrap();
    let other = StreamId::accepted(1);
    heard::<P>(&b, other, "it is accepted", |heard| heard.from.is_some()).await;
    output(&b, Output::Write { id: other, data: vec![3; 3_000_000].into() }).await;
    let got = heard::<P>(&b, other, "all is there", |heard| heard.is_finished).await;
    assert_eq!(got.bytes.len(), 3_000_010);
    assert_eq!(got.bytes[2_999_999..3_000_001], [1, 2]);
    heard::<P>(&b, other, "the answer is read and thrown away", |heard| heard.drained == 1).await;
    let streams = a.0.call(|toy, _| toy.streams.clone()).await.unwrap();
    assert_eq!(streams, BTreeMap::new(), "a machine hears no more of what it closed");
}

pub async fn an_aborted_stream_fails_for_the_peer<P: Platform>() {
    let (a, b) = (toy::<P>("a").await, toy::<P>("b").await);
    let (id, to) = (dialed(0), b.0.addr());
    output(&a, Output::Dial { id, to }).await;
    heard::<P>(&a, id, "it is connected", |heard| heard.is_connected).await;
    output(&a, Output::Abort { id }).await;
    let got = heard::<P>(&b, StreamId::accepted(1), "it is over", |heard| heard.is_failed).await;
    assert!(!got.is_finished, "nothing that looks like an end");
}

pub async fn dials_fail_or_are_given_up<P: Platform>() {
    let a = toy::<P>("a").await;
    let nobody = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    output(&a, Output::Dial { id: dialed(0), to: nobody }).await;
    heard::<P>(&a, dialed(0), "the dial failed", |heard| heard.is_failed).await;
    // Nobody answers there (RFC 5737), so only the abort can end it; or it fails at once here.
    let black_hole = "192.0.2.1:9".parse().unwrap();
    output(&a, Output::Dial { id: dialed(1), to: black_hole }).await;
    output(&a, Output::Abort { id: dialed(1) }).await;
    soon::<P, _>("the tasks are over", a.0.shutdown()).await;
}

pub async fn packets_go_both_ways_and_errors_are_counted<P: Platform>() {
    let (a, b) = (toy::<P>("a").await, toy::<P>("b").await);
    output(&a, Output::SendPacket { to: b.0.addr(), data: vec![7; 9_000].into() }).await;
    let too_long = vec![0; 70_000].into();
    output(&a, Output::SendPacket { to: b.0.addr(), data: too_long }).await;
    let other_family = "[::1]:9".parse().unwrap();
    output(&a, Output::SendPacket { to: other_family, data: Bytes::from_static(b"x") }).await;
    // Nobody receives there, and some systems say so afterwards, instead of the next packet.
    let nobody = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for _ in 0..10 {
        output(&a, Output::SendPacket { to: nobody, data: Bytes::from_static(b"x") }).await;
    }
    let packets = soon::<P, _>("the packet is there", async {
        loop {
            let packets = b.0.call(|toy, _| toy.packets.clone()).await.unwrap();
            if !packets.is_empty() {
                return packets;
            }
            P::sleep(Duration::from_millis(2)).await;
        }
    });
    assert_eq!(packets.await, [(a.0.addr(), vec![7; 9_000])]);
    output(&b, Output::SendPacket { to: a.0.addr(), data: Bytes::from_static(b"y") }).await;
    soon::<P, _>("the answer is there", async {
        while a.0.call(|toy, _| toy.packets.is_empty()).await.unwrap() {
            P::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
    assert_eq!(a.0.io_stats().sends_failed, 2);
    assert!(a.0.is_running());
}

pub async fn the_newest_timer_replaces_the_earlier_and_never_fires_early<P: Platform>() {
    let (a, _) = toy::<P>("a").await;
    let second = Duration::from_secs(1);
    let at = a
        .call(move |toy, now| {
            let at = now + Duration::from_millis(30);
            for at in [now, now + 3600 * second, at] {
                toy.outputs.push_back(Output::ScheduleTimer { at, why: Timer::Gossip });
            }
            at
        })
        .await
        .unwrap();
    let ticks = soon::<P, _>("the timer fires", async {
        loop {
            let ticks = a.call(|toy, _| toy.ticks.clone()).await.unwrap();
            if !ticks.is_empty() {
                return ticks;
            }
            P::sleep(Duration::from_millis(2)).await;
        }
    });
    let ticks = ticks.await;
    assert!(ticks[0] >= at, "{} is before {at}", ticks[0]);
    P::sleep(Duration::from_millis(50)).await;
    assert_eq!(a.call(|toy, _| toy.ticks.len()).await.unwrap(), 1, "once, and never again");
}

pub async fn requests_end_with_their_event<P: Platform>() {
    let (a, mut events) = toy::<P>("a").await;
    let first = a.request(|toy, _| {
        toy.happen();
        Ok::<_, ()>(0)
    });
    assert_eq!(first.await, Ok(Ok(0)));
    let refused = a.request(|_, _| Err::<u64, _>("no"));
    assert_eq!(refused.await, Ok(Err("no")));
    assert_eq!(events.try_next(), Some(Notice::Event(0)));
    assert_eq!(a.snapshot().next_seq, 1);
}

pub async fn a_panic_stops_everything_and_leaves_nobody_waiting<P: Platform>() {
    let ((a, mut events), b) = (toy::<P>("a").await, toy::<P>("b").await);
    a.call(|toy, _| {
        toy.panics_on_packet = true;
        toy.happen();
    })
    .await
    .unwrap();
    let waiting = P::spawn({
        let a = a.clone();
        async move { a.request(|_, _| Ok::<_, ()>(99)).await }
    });
    yield_now().await;
    output(&b, Output::SendPacket { to: a.addr(), data: Bytes::from_static(b"x") }).await;
    assert_eq!(soon::<P, _>("it stops", a.stopped()).await, StopReason::Panicked);
    assert!(!a.is_running());
    assert_eq!(soon::<P, _>("the call ends", waiting).await, Err(Stopped));
    assert_eq!(a.call(|_, _| ()).await, Err(Stopped));
    assert_eq!(events.next().await, Some(Notice::Event(0)), "what happened before is kept");
    assert_eq!(events.next().await, None);
    assert!(is_free(a.addr()));
    assert!(b.0.is_running(), "a panic stays within its node");
}

pub async fn a_command_that_panics_stops_the_node<P: Platform>() {
    let (a, _) = toy::<P>("a").await;
    let called = a.call(|_, _| panic!("as it was told"));
    assert_eq!(soon::<P, _>("the call ends", called).await, Err(Stopped));
    assert_eq!(soon::<P, _>("it stops", a.stopped()).await, StopReason::Panicked);
}

pub async fn a_shutdown_ends_open_streams_and_frees_the_port<P: Platform>() {
    let (a, b) = (toy::<P>("a").await, toy::<P>("b").await);
    let (to, addr) = (b.0.addr(), a.0.addr());
    for nth in 0..20 {
        output(&a, Output::Dial { id: dialed(nth), to }).await;
        output(&a, Output::Write { id: dialed(nth), data: vec![0; 100_000].into() }).await;
    }
    for nth in 0..20 {
        heard::<P>(&b, StreamId::accepted(nth + 1), "all are open", |heard| heard.from.is_some())
            .await;
    }
    let other = a.0.clone();
    let (first, second) =
        both(soon::<P, _>("it stops", a.0.shutdown()), soon::<P, _>("it stops", other.shutdown()))
            .await;
    assert_eq!((first, second), (StopReason::Shutdown, StopReason::Shutdown));
    assert!(is_free(addr));
    for nth in 0..20 {
        let is_over = |heard: &Heard| heard.is_failed || heard.is_finished;
        heard::<P>(&b, StreamId::accepted(nth + 1), "all are over", is_over).await;
    }
}

pub async fn a_last_answer_goes_out_though_the_node_shuts_down<P: Platform>() {
    let (a, b) = (toy::<P>("a").await, toy::<P>("b").await);
    let (id, to) = (dialed(0), b.0.addr());
    output(&a, Output::Dial { id, to }).await;
    let other = StreamId::accepted(1);
    heard::<P>(&b, other, "it is accepted", |heard| heard.from.is_some()).await;
    b.0.call(move |toy, _| {
        toy.outputs.push_back(Output::Write { id: other, data: Bytes::from_static(b"bye") });
        toy.outputs.push_back(Output::Close { id: other });
    })
    .await
    .unwrap();
    soon::<P, _>("it stops", b.0.shutdown()).await;
    let got =
        heard::<P>(&a, id, "the peer is gone", |heard| heard.is_finished || heard.is_failed).await;
    assert_eq!(got.bytes, b"bye");
}

pub async fn many_streams_at_once_are_all_served<P: Platform>() {
    let (a, b) = (toy::<P>("a").await, toy::<P>("b").await);
    let to = b.0.addr();
    for nth in 0..100 {
        output(&a, Output::Dial { id: dialed(nth), to }).await;
        output(&a, Output::Write { id: dialed(nth), data: vec![1; 10_000].into() }).await;
        output(&a, Output::Close { id: dialed(nth) }).await;
    }
    for nth in 0..100 {
        let id = StreamId::accepted(nth + 1);
        let got =
            heard::<P>(&b, id, "all is there", |heard| heard.is_finished || heard.is_failed).await;
        assert_eq!(got.bytes.len(), 10_000);
        output(&b, Output::Close { id }).await;
    }
    let members: Vec<Arc<()>> = b.0.members();
    assert!(members.is_empty());
}
