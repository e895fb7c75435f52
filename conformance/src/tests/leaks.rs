//! Nodes that come and go leave nothing behind in the process. Each case has a process of its own,
//! because it counts what the whole process has.

use std::{fs, io::Write, net::TcpStream, time::Duration};

use swim_driver::{
    Builder, Runtime,
    surface::{Dialect, MemberlistOptions, Sample},
};

use crate::{
    counted::Counted,
    heap,
    platform::Platform,
    waiting::{GENEROUS, soon, until, within},
};

fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

fn threads() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}

fn node<R: Runtime>(name: &str) -> Builder<R> {
    Builder::local(name).bind("127.0.0.1:0")
}

async fn come_and_go<P: Platform>() {
    let (a, _events) = node::<P::Runtime>("a").start().await.unwrap();
    let (b, _events) = node::<P::Runtime>("b").start().await.unwrap();
    b.join([format!("localhost:{}", a.addr().port())]).await.unwrap();
    a.send_reliable("b", vec![0; 100_000]).await.unwrap();
    for _ in 0..10 {
        let dropped = b.join([format!("localhost:{}", a.addr().port())]);
        let _dropped = within::<P, _>(Duration::from_micros(50), dropped).await;
        let _dropped = within::<P, _>(Duration::ZERO, a.send_reliable("b", "x")).await;
    }
    b.shutdown().await;
}

pub async fn files_and_threads_stay_as_they_are<P: Platform>() {
    for _ in 0..3 {
        come_and_go::<P>().await;
    }
    // The last handle of `a` was dropped without waiting, and so were threads that resolve names.
    let (mut files, mut threads_before) = (open_files(), threads());
    for _ in 0..100 {
        P::sleep(Duration::from_millis(10)).await;
        (files, threads_before) = (files.min(open_files()), threads_before.min(threads()));
    }
    for _ in 0..30 {
        come_and_go::<P>().await;
    }
    let what = format!("{files} files and {threads_before} threads are what is left");
    until::<P>(&what, || open_files() <= files && threads() <= threads_before).await;
}

/// Of a thousand members that came and went under one name, the one that stays knows the last. They
/// are at one address: the name of one that has left is free for another only after a while.
pub async fn a_thousand_joins_and_leaves_leave_nothing<P: Platform>() {
    let runtime = Counted::new(P::Runtime::current().unwrap());
    let node = |name| node(name).runtime(runtime.clone());
    let (a, mut events) = node("a").start().await.unwrap();
    let seed = a.addr().to_string();
    let (mut usual, mut addr) = (None, None);
    for round in 1..=1_000 {
        let b = node("b");
        let b = if let Some(addr) = &addr { b.bind(addr) } else { b };
        let (b, _events) = b.start().await.unwrap();
        addr.get_or_insert(b.addr().to_string());
        b.join([seed.clone()]).await.unwrap();
        b.leave(GENEROUS).await.unwrap();
        b.shutdown().await;
        while events.try_next().is_some() {}
        if round == 200 {
            until::<P>("only a is left", || runtime.alive() == 1).await;
            usual = Some((open_files(), threads(), heap::live()));
        }
    }
    let (files, threads_usual, bytes) = usual.unwrap();
    assert!(bytes > 0, "the allocator of this program does not count");
    let what = format!("1 task, {files} files, {threads_usual} threads and {bytes} bytes are left");
    until::<P>(&what, || {
        while events.try_next().is_some() {}
        runtime.alive() == 1
            && open_files() <= files
            && threads() <= threads_usual
            && heap::live() <= bytes + BYTES_MORE
    })
    .await;
    assert_eq!(a.members().len(), 1);
}

/// Each second a node has a probe of its own to send, an answer to hear, and a ping to answer. On a
/// machine that is busy with other things answers are late now and then, and more is done: the best
/// of some spans counts.
pub async fn idle_nodes_wake_up_for_protocol_timers_only<P: Platform>() {
    const SPAN: Duration = Duration::from_secs(5);
    let runtime = Counted::new(P::Runtime::current().unwrap());
    let node = |name| Builder::lan(name).bind("127.0.0.1:0").runtime(runtime.clone());
    let (a, _events) = node("a").start().await.unwrap();
    let (b, _events) = node("b").start().await.unwrap();
    b.join([a.addr().to_string()]).await.unwrap();
    P::sleep(SPAN).await;
    let mut best = usize::MAX;
    for _ in 0..6 {
        let before = runtime.turns();
        P::sleep(SPAN).await;
        best = best.min(runtime.turns() - before);
        if best <= 2 * 5 * TURNS_A_SECOND {
            break;
        }
    }
    assert!(best >= 2 * 5, "they probe each other once a second, but had {best} turns");
    assert!(best <= 2 * 5 * TURNS_A_SECOND, "{best} turns of two nodes in {SPAN:?}");
}

/// In memberlist's dialect an answer is written as a whole, and then the stream is closed: all that
/// is kept of it is what its reader has not read.
pub async fn m1_who_asks_for_tables_and_does_not_read_them_has_few_kept<P: Platform>() {
    const ASKED: usize = 60;
    let node = node::<P::Runtime>("a").options(|options| {
        let plain = MemberlistOptions { compression: false, ..MemberlistOptions::default() };
        options.dialect = Dialect::Memberlist(plain);
        options.stream_timeout = 3 * GENEROUS; // They wait for longer than we do.
    });
    let (a, _events) = node.start().await.unwrap();
    a.set_local_state(vec![7; ANSWER_LEN]).await.unwrap();
    let before = heap::live();
    let ask = |_| {
        let mut stream = TcpStream::connect(a.addr()).unwrap();
        stream.write_all(QUESTION).unwrap();
        stream
    };
    let _unread = Vec::from_iter((0..ASKED).map(ask));
    soon::<P, _>("all are answered", async {
        loop {
            let Sample { stats, queues, .. } = a.sample().await.unwrap();
            if stats.streams_accepted == ASKED as u64 && queues.streams_accepted == 0 {
                return;
            }
            P::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let kept = || usize::try_from(heap::live() - before).unwrap_or(0);
    until::<P>("no more is kept than may be", || kept() <= CLOSING_BYTES_MAX + ANSWER_LEN).await;
    assert!(kept() > CLOSING_BYTES_MAX / 2, "{} bytes: those that may do wait", kept());
}

/// A request for a table, without one: memberlist net.go, `pushPullMsg` and `pushPullHeader`.
const QUESTION: &[u8] = b"\x06\x83\xa5Nodes\0\xacUserStateLen\0\xa4Join\xc2";
const ANSWER_LEN: usize = 8 << 20;
/// As in the driver.
const CLOSING_BYTES_MAX: usize = 64 << 20;

/// The three that are needed. One that is not, as often as each of them, would make four.
const TURNS_A_SECOND: usize = 3;

/// What the heap may grow by in 800 rounds: 40 bytes a round, less than anything that could leak.
const BYTES_MORE: i64 = 32_000;
