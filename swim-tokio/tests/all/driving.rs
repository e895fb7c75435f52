//! The loop with a machine that does what it is told and remembers what it heard.

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use swim_tokio::{
    Bytes, Events, Input, Instant, Listing, Machine, Notice, Output, Remote, State, StopReason,
    Stopped, StreamEvent, StreamId, Timer,
};

use crate::common::{is_free, quick, soon};

/// A machine without a will of its own.
#[derive(Default)]
struct Toy {
    outputs: VecDeque<Output<u64>>,
    ticks: Vec<Instant>,
    packets: Vec<(SocketAddr, Vec<u8>)>,
    streams: BTreeMap<StreamId, Heard>,
    /// Pieces still to be written, one for each time the stream is drained.
    pieces: BTreeMap<StreamId, u32>,
    next_event: u64,
    panics_on_packet: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Heard {
    from: Option<SocketAddr>,
    is_connected: bool,
    bytes: Vec<u8>,
    chunk_len_max: usize,
    drained: u32,
    is_finished: bool,
    is_failed: bool,
}

impl Machine for Toy {
    type Event = u64;
    type Member = ();
    type Ticket = u64;

    fn handle(&mut self, now: Instant, input: Input<'_>) {
        match input {
            Input::Packet { from, data } => {
                assert!(!self.panics_on_packet, "as it was told");
                self.packets.push((from, data.to_vec()));
            }
            Input::Stream { id, event } => self.hear(id, event),
            Input::Tick => self.ticks.push(now),
        }
    }

    fn poll_output(&mut self) -> Option<Output<u64>> {
        self.outputs.pop_front()
    }

    fn set_unix_time(&mut self, _now: Instant, _unix_time: Duration) {}

    fn seq(event: &u64) -> u64 {
        *event
    }

    fn listing(_event: &u64) -> Option<Listing<()>> {
        None
    }

    fn ticket(event: &u64) -> Option<u64> {
        Some(*event)
    }

    fn state(_member: &()) -> State {
        State::Alive
    }
}

impl Toy {
    fn hear(&mut self, id: StreamId, event: StreamEvent<'_>) {
        let heard = self.streams.entry(id).or_default();
        match event {
            StreamEvent::Accepted { from } => heard.from = Some(from),
            StreamEvent::Connected => heard.is_connected = true,
            StreamEvent::Chunk(bytes) => {
                heard.bytes.extend(bytes);
                heard.chunk_len_max = heard.chunk_len_max.max(bytes.len());
            }
            StreamEvent::Drained => heard.drained += 1,
            StreamEvent::Finished => heard.is_finished = true,
            StreamEvent::Failed => heard.is_failed = true,
        }
        if matches!(event, StreamEvent::Connected | StreamEvent::Drained) {
            self.write_piece(id);
        }
    }

    fn write_piece(&mut self, id: StreamId) {
        let Some(left) = self.pieces.get_mut(&id) else { return };
        if *left == 0 {
            self.outputs.push_back(Output::Close { id });
            return;
        }
        *left -= 1;
        self.outputs.push_back(Output::Write { id, data: piece(*left) });
    }

    fn happen(&mut self) {
        self.outputs.push_back(Output::Event(self.next_event));
        self.next_event += 1;
    }
}

fn piece(n: u32) -> Bytes {
    let byte = u8::try_from(n % 251).unwrap();
    vec![byte; 64 * 1024].into()
}

type Running = (Remote<Toy>, Events<u64>);

async fn toy(name: &str) -> Running {
    quick(name).start_machine(|_, _, _| Toy::default()).await.unwrap()
}

async fn output(toy: &Running, output: Output<u64>) {
    toy.0.call(|toy, _| toy.outputs.push_back(output)).await.unwrap();
}

/// An id for a dial. The machine chooses those, so any will do that was not accepted.
fn dialed(nth: u64) -> StreamId {
    StreamId::accepted(1_000_000 + nth)
}

/// What the machine has heard, as soon as it is enough.
async fn heard(
    toy: &Running,
    id: StreamId,
    what: &str,
    is_enough: impl Fn(&Heard) -> bool,
) -> Heard {
    soon(what, async {
        loop {
            let heard = toy.0.call(move |toy, _| toy.streams.get(&id).cloned()).await.unwrap();
            match heard {
                Some(heard) if is_enough(&heard) => return heard,
                _ => tokio::time::sleep(Duration::from_millis(2)).await,
            }
        }
    })
    .await
}

#[tokio::test]
async fn large_transfers_arrive_whole_in_bounded_chunks() {
    let (a, b) = (toy("a").await, toy("b").await);
    let (id, to) = (dialed(0), b.0.addr());
    a.0.call(move |toy, _| {
        toy.pieces.insert(id, 64);
        toy.outputs.push_back(Output::Dial { id, to });
    })
    .await
    .unwrap();
    let got = heard(&b, StreamId::accepted(1), "all is there", |heard| heard.is_finished).await;
    assert_eq!(got.bytes.len(), 64 * 64 * 1024);
    assert!(got.bytes.chunks(64 * 1024).zip((0..64).rev()).all(|(chunk, n)| chunk == piece(n)));
    assert!(got.chunk_len_max <= 16 * 1024);
    let sent = heard(&a, id, "it is heard", |heard| heard.drained == 64).await;
    assert!(sent.is_connected && !sent.is_failed);
}

#[tokio::test]
async fn what_was_written_before_a_close_arrives_though_nobody_reads_the_answer() {
    let (a, b) = (toy("a").await, toy("b").await);
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
    heard(&b, other, "it is accepted", |heard| heard.from.is_some()).await;
    output(&b, Output::Write { id: other, data: vec![3; 3_000_000].into() }).await;
    let got = heard(&b, other, "all is there", |heard| heard.is_finished).await;
    assert_eq!(got.bytes.len(), 3_000_010);
    assert_eq!(got.bytes[2_999_999..3_000_001], [1, 2]);
    heard(&b, other, "the answer is read and thrown away", |heard| heard.drained == 1).await;
    let streams = a.0.call(|toy, _| toy.streams.clone()).await.unwrap();
    assert_eq!(streams, BTreeMap::new(), "a machine hears no more of what it closed");
}

#[tokio::test]
async fn an_aborted_stream_fails_for_the_peer() {
    let (a, b) = (toy("a").await, toy("b").await);
    let (id, to) = (dialed(0), b.0.addr());
    output(&a, Output::Dial { id, to }).await;
    heard(&a, id, "it is connected", |heard| heard.is_connected).await;
    output(&a, Output::Abort { id }).await;
    heard(&b, StreamId::accepted(1), "it is over", |heard| heard.is_failed || heard.is_finished)
        .await;
}

#[tokio::test]
async fn dials_fail_or_are_given_up() {
    let a = toy("a").await;
    let nobody = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    output(&a, Output::Dial { id: dialed(0), to: nobody }).await;
    heard(&a, dialed(0), "the dial failed", |heard| heard.is_failed).await;
    // Nobody answers there (RFC 5737), so only the abort can end it; or it fails at once here.
    let black_hole = "192.0.2.1:9".parse().unwrap();
    output(&a, Output::Dial { id: dialed(1), to: black_hole }).await;
    output(&a, Output::Abort { id: dialed(1) }).await;
    soon("the tasks are over", a.0.shutdown()).await;
}

#[tokio::test]
async fn packets_go_both_ways_and_errors_are_counted() {
    let (a, b) = (toy("a").await, toy("b").await);
    output(&a, Output::SendPacket { to: b.0.addr(), data: vec![7; 9_000].into() }).await;
    let too_long = vec![0; 70_000].into();
    output(&a, Output::SendPacket { to: b.0.addr(), data: too_long }).await;
    let other_family = "[::1]:9".parse().unwrap();
    output(&a, Output::SendPacket { to: other_family, data: Bytes::from_static(b"x") }).await;
    let packets = soon("the packet is there", async {
        loop {
            let packets = b.0.call(|toy, _| toy.packets.clone()).await.unwrap();
            if !packets.is_empty() {
                return packets;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    assert_eq!(packets.await, [(a.0.addr(), vec![7; 9_000])]);
    assert_eq!(a.0.io_stats().sends_failed, 2);
    assert!(a.0.is_running());
}

#[tokio::test]
async fn the_newest_timer_replaces_the_earlier_and_never_fires_early() {
    let (a, _) = toy("a").await;
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
    let ticks = soon("the timer fires", async {
        loop {
            let ticks = a.call(|toy, _| toy.ticks.clone()).await.unwrap();
            if !ticks.is_empty() {
                return ticks;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    let ticks = ticks.await;
    assert!(ticks[0] >= at, "{} is before {at}", ticks[0]);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(a.call(|toy, _| toy.ticks.len()).await.unwrap(), 1, "once, and never again");
}

#[tokio::test]
async fn requests_end_with_their_event() {
    let (a, mut events) = toy("a").await;
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

#[tokio::test]
async fn a_panic_stops_everything_and_leaves_nobody_waiting() {
    let ((a, mut events), b) = (toy("a").await, toy("b").await);
    a.call(|toy, _| {
        toy.panics_on_packet = true;
        toy.happen();
    })
    .await
    .unwrap();
    let waiting = tokio::spawn({
        let a = a.clone();
        async move { a.request(|_, _| Ok::<_, ()>(99)).await }
    });
    tokio::task::yield_now().await;
    output(&b, Output::SendPacket { to: a.addr(), data: Bytes::from_static(b"x") }).await;
    assert_eq!(soon("it stops", a.stopped()).await, StopReason::Panicked);
    assert!(!a.is_running());
    assert_eq!(soon("the call ends", waiting).await.unwrap(), Err(Stopped));
    assert_eq!(a.call(|_, _| ()).await, Err(Stopped));
    assert_eq!(events.next().await, Some(Notice::Event(0)), "what happened before is kept");
    assert_eq!(events.next().await, None);
    assert!(is_free(a.addr()));
    assert!(b.0.is_running(), "a panic stays within its node");
}

#[tokio::test]
async fn a_command_that_panics_stops_the_node() {
    let (a, _) = toy("a").await;
    let called = a.call(|_, _| panic!("as it was told"));
    assert_eq!(soon("the call ends", called).await, Err(Stopped));
    assert_eq!(soon("it stops", a.stopped()).await, StopReason::Panicked);
}

#[test]
fn a_runtime_that_ends_takes_the_node_with_it() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let first = runtime();
    let (a, mut events) = first.block_on(toy("a"));
    drop(first);
    assert!(!a.is_running());
    let addr = a.addr();
    runtime().block_on(async {
        assert_eq!(a.stopped().await, StopReason::RuntimeEnded);
        assert_eq!(a.call(|_, _| ()).await, Err(Stopped));
        assert_eq!(events.next().await, None);
    });
    assert!(is_free(addr));
}

#[tokio::test]
async fn a_shutdown_ends_open_streams_and_frees_the_port() {
    let (a, b) = (toy("a").await, toy("b").await);
    let (to, addr) = (b.0.addr(), a.0.addr());
    for nth in 0..20 {
        output(&a, Output::Dial { id: dialed(nth), to }).await;
        output(&a, Output::Write { id: dialed(nth), data: vec![0; 100_000].into() }).await;
    }
    for nth in 0..20 {
        heard(&b, StreamId::accepted(nth + 1), "all are open", |heard| heard.from.is_some()).await;
    }
    let other = a.0.clone();
    let (first, second) =
        tokio::join!(soon("it stops", a.0.shutdown()), soon("it stops", other.shutdown()));
    assert_eq!((first, second), (StopReason::Shutdown, StopReason::Shutdown));
    assert!(is_free(addr));
    for nth in 0..20 {
        let is_over = |heard: &Heard| heard.is_failed || heard.is_finished;
        heard(&b, StreamId::accepted(nth + 1), "all are over", is_over).await;
    }
}

#[tokio::test]
async fn a_last_answer_goes_out_though_the_node_shuts_down() {
    let (a, b) = (toy("a").await, toy("b").await);
    let (id, to) = (dialed(0), b.0.addr());
    output(&a, Output::Dial { id, to }).await;
    let other = StreamId::accepted(1);
    heard(&b, other, "it is accepted", |heard| heard.from.is_some()).await;
    b.0.call(move |toy, _| {
        toy.outputs.push_back(Output::Write { id: other, data: Bytes::from_static(b"bye") });
        toy.outputs.push_back(Output::Close { id: other });
    })
    .await
    .unwrap();
    soon("it stops", b.0.shutdown()).await;
    let got = heard(&a, id, "the peer is gone", |heard| heard.is_finished || heard.is_failed).await;
    assert_eq!(got.bytes, b"bye");
}

#[tokio::test]
async fn many_streams_at_once_are_all_served() {
    let (a, b) = (toy("a").await, toy("b").await);
    let to = b.0.addr();
    for nth in 0..100 {
        output(&a, Output::Dial { id: dialed(nth), to }).await;
        output(&a, Output::Write { id: dialed(nth), data: vec![1; 10_000].into() }).await;
        output(&a, Output::Close { id: dialed(nth) }).await;
    }
    for nth in 0..100 {
        let id = StreamId::accepted(nth + 1);
        let got = heard(&b, id, "all is there", |heard| heard.is_finished || heard.is_failed).await;
        assert_eq!(got.bytes.len(), 10_000);
        output(&b, Output::Close { id }).await;
    }
    let members: Vec<Arc<()>> = b.0.members();
    assert!(members.is_empty());
}
