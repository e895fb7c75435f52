//! The loop, written once for every runtime and every machine.
//!
//! One turn: compare the clocks, tick if it is time, then commands, then what streams report, then
//! packets, then new streams; a bounded number of each, so that none starves the others. After
//! every single input all that the machine wants is done before the next one. A turn that hits a
//! bound asks for another at once; otherwise the loop sleeps until something comes in or the
//! machine's timer expires.

use core::{
    future::poll_fn,
    net::SocketAddr,
    ops::ControlFlow,
    task::{Context, Poll, ready},
    time::Duration,
};
use std::{io, net::UdpSocket, sync::Arc};

use swim_core::{Input, Instant, Output, StreamEvent, StreamId};

use crate::{
    alarm::Alarm,
    backoff::Backoff,
    buffer,
    clock::WallClock,
    contained::contained,
    link::{Doing, Report},
    machine::Machine,
    remote::{Desk, Identity, LoopEnd, Shared, StopReason, Turn},
    runtime::{Runtime, Udp},
    seldom::Seldom,
    streams::Streams,
    trace::trace,
};

/// A machine with all it needs to live. Fields are dropped in this order.
pub(crate) struct Driver<R: Runtime, M: Machine> {
    runtime: R,
    machine: M,
    desk: Desk<M>,
    alarm: Alarm<R::Timer>,
    wall: WallClock,
    udp: R::Udp,
    sender: UdpSocket,
    receiving: Backoff<R::Timer>,
    streams: Streams<R>,
    accept_failures: Seldom,
    end: LoopEnd<M>,
}

/// The pieces of a [`Driver`].
pub(crate) struct Parts<R: Runtime, M: Machine> {
    pub(crate) runtime: R,
    pub(crate) machine: M,
    pub(crate) wall: WallClock,
    pub(crate) udp: R::Udp,
    /// The same socket, for sending.
    pub(crate) sender: UdpSocket,
    pub(crate) listener: R::Listener,
    /// How long a stream that was told to close may still take.
    pub(crate) close_timeout: Duration,
    pub(crate) shared: Arc<Shared<M>>,
}

impl<R: Runtime, M: Machine> Driver<R, M> {
    pub(crate) fn new(parts: Parts<R, M>) -> Box<Self> {
        let Parts { runtime, listener, close_timeout, shared, .. } = parts;
        let mut driver = Box::new(Self {
            streams: Streams::new(runtime.clone(), shared.clock, listener, close_timeout),
            runtime,
            machine: parts.machine,
            desk: Desk::new(),
            alarm: Alarm::new(),
            wall: parts.wall,
            udp: parts.udp,
            sender: parts.sender,
            receiving: Backoff::new(),
            accept_failures: Seldom::default(),
            end: LoopEnd { shared },
        });
        driver.drain(); // So that the members are there before the first caller looks.
        driver
    }

    /// Runs until it is stopped. Whatever ends it, nobody is left waiting. A panic ends it as well,
    /// instead of half a node living on; it does not spread to those who share the runtime. Boxed,
    /// because a future has room for what it is given twice.
    pub(crate) async fn run(mut self: Box<Self>) {
        let Identity { name, addr, bound_addr } = &self.shared().identity;
        trace!(debug, "started", name = name, addr = addr, bound_addr = bound_addr);
        if poll_fn(|cx| contained(|| self.turn(cx))).await.is_none() {
            trace!(error, "panicked, and stopped", name = self.shared().identity.name);
            self.shared().stop(StopReason::Panicked);
        }
        poll_fn(|cx| self.streams.poll_stop(cx)).await;
        trace!(debug, "stopped", name = self.shared().identity.name);
    }

    /// One turn. Ready when the loop is to stop.
    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.keep_time();
        self.tick();
        let commands = repeat(COMMANDS_PER_TURN, || self.poll_command(cx));
        if self.shared().commands.is_closed() {
            return Poll::Ready(());
        }
        let reports = repeat(REPORTS_PER_TURN, || self.poll_report(cx));
        let packets = repeat(PACKETS_PER_TURN, || self.poll_packet(cx));
        let accepts = repeat(ACCEPTS_PER_TURN, || self.poll_accept(cx));
        let clock = self.shared().clock;
        let is_due = self.alarm.poll_due(cx, &self.runtime, clock).is_ready();
        if commands || reports || packets || accepts || is_due {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// Tells the machine what time it is on the wall, if that is news. Before all else: what comes
    /// first after a suspension would be judged by the former time.
    fn keep_time(&mut self) {
        let now = self.now();
        if let Some(unix_time) = self.wall.step(now) {
            trace!(info, "the wall clock was set", unix_secs = unix_time.as_secs());
            self.shared().tally.clock_steps.count();
            self.machine.set_unix_time(now, unix_time);
            self.drain();
        }
    }

    /// Tells the machine that its time has come, if it has.
    fn tick(&mut self) {
        let now = self.now();
        if self.alarm.take_due(now) {
            self.handle(Input::Tick);
        }
    }

    fn poll_command(&mut self, cx: &Context<'_>) -> Poll<()> {
        let Poll::Ready(Some(command)) = self.end.shared.commands.poll_take(cx) else {
            return Poll::Pending;
        };
        let now = self.now();
        command(&mut Turn { machine: &mut self.machine, now, desk: &mut self.desk });
        self.drain();
        Poll::Ready(())
    }

    fn poll_report(&mut self, cx: &Context<'_>) -> Poll<()> {
        self.streams.poll_report(cx).map(|(id, report)| match report {
            Report::Connected => self.stream(id, StreamEvent::Connected),
            Report::Chunk(chunk) => {
                self.stream(id, StreamEvent::Chunk(&chunk));
                self.streams.read_on(id);
            }
            Report::Drained => self.stream(id, StreamEvent::Drained),
            Report::Finished => self.stream(id, StreamEvent::Finished),
            Report::Broken { doing, error } => self.note_broken(id, doing, &error),
            Report::Ended => self.stream(id, StreamEvent::Failed),
        })
    }

    fn poll_packet(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        ready!(self.receiving.poll_ready(cx));
        let received = buffer::lend(|buffer| {
            let received = self.udp.poll_recv_from(cx, buffer);
            received.map_ok(|(len, from)| {
                self.receiving.succeeded();
                self.handle(Input::Packet { from, data: &buffer[..len] });
            })
        });
        match ready!(received) {
            Ok(()) => {}
            Err(error) => {
                trace!(debug, "receiving failed", error = error);
                self.shared().tally.receives_failed.count();
                if !is_about_one_datagram(&error) {
                    let clock = self.shared().clock;
                    self.receiving.failed(&self.runtime, clock);
                }
            }
        }
        Poll::Ready(())
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match ready!(self.streams.poll_accept(cx)) {
            Ok((id, stream, from)) => {
                self.streams.accept(id, stream);
                self.stream(id, StreamEvent::Accepted { from });
            }
            Err(error) => {
                self.shared().tally.accepts_failed.count();
                let now = self.now();
                if let Some(count) = self.accept_failures.count(now) {
                    trace!(warn, "accepting a stream failed", error = error, count = count);
                }
            }
        }
        Poll::Ready(())
    }

    /// The machine learns of it with the end of the stream; why is for people.
    fn note_broken(&self, id: StreamId, doing: Doing, error: &io::Error) {
        trace!(debug, "a stream broke", stream = id, doing = doing, error = error);
        let tally = &self.shared().tally;
        match doing {
            Doing::Dialing(_) => tally.dials_failed.count(),
            Doing::Reading | Doing::Writing => tally.streams_broken.count(),
        }
    }

    fn stream(&mut self, id: StreamId, event: StreamEvent<'_>) {
        self.handle(Input::Stream { id, event });
    }

    fn handle(&mut self, input: Input<'_>) {
        let now = self.now();
        self.machine.handle(now, input);
        self.drain();
    }

    /// Does all that the machine wants done.
    fn drain(&mut self) {
        while let Some(output) = self.machine.poll_output() {
            match output {
                Output::SendPacket { to, data } => self.send(to, &data),
                Output::Dial { id, to } => self.streams.dial(id, to),
                Output::Write { id, data } => self.streams.write(id, data),
                Output::Close { id } => self.streams.close(id),
                Output::Abort { id } => self.streams.abort(id),
                Output::ScheduleTimer { at, why } => {
                    trace!(trace, "next tick", at = at, why = format_args!("{why:?}"));
                    self.alarm.set(at);
                }
                Output::Event(event) => self.publish(event),
            }
        }
    }

    /// Sends a datagram now or never: SWIM lives with loss, and a queue here would only make what
    /// is in it late.
    fn send(&self, to: SocketAddr, data: &[u8]) {
        let Err(error) = self.sender.send_to(data, to) else { return };
        let tally = &self.shared().tally;
        if is_for_want_of_room(&error) {
            tally.sends_blocked.count();
        } else {
            tally.sends_failed.count();
        }
        trace!(debug, "sending failed", to = to, len = data.len(), error = error);
    }

    /// First the members, then those who wait for this very event, then everybody.
    fn publish(&mut self, event: M::Event) {
        trace!(debug, "event", event = format_args!("{event:?}"));
        let shared = &self.end.shared;
        shared.view.fold(&event);
        self.desk.serve(&event);
        let bytes = M::payload_len(&event);
        if !shared.events.push(event, bytes) {
            shared.tally.events_missed.count();
        }
    }

    fn now(&self) -> Instant {
        self.shared().clock.now()
    }

    fn shared(&self) -> &Shared<M> {
        &self.end.shared
    }
}

/// Does `step` until there is nothing to do, but no more than `times`. Whether it hit that bound.
fn repeat(times: usize, mut step: impl FnMut() -> Poll<()>) -> bool {
    let done = (0..times).try_for_each(|_| match step() {
        Poll::Ready(()) => ControlFlow::Continue(()),
        Poll::Pending => ControlFlow::Break(()),
    });
    done.is_continue()
}

/// Whether an error when receiving says something of one datagram only, mostly that an earlier one
/// could not be delivered, so that the next may be received at once.
fn is_about_one_datagram(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::ConnectionReset
            | Kind::ConnectionRefused
            | Kind::HostUnreachable
            | Kind::NetworkUnreachable
            | Kind::Interrupted
    )
}

/// Whether a datagram was not sent because a queue is full, and not because of what it is or where
/// it goes. There is no kind of error for a full queue of a network interface.
fn is_for_want_of_room(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock || error.raw_os_error() == Some(ENOBUFS)
}

/// What a full queue is called by Windows (`WSAENOBUFS`), by Linux, and by the BSDs and macOS.
const ENOBUFS: i32 = if cfg!(windows) {
    10_055
} else if cfg!(any(target_os = "linux", target_os = "android")) {
    105
} else {
    55
};

/// Enough to keep up with a burst, few enough that a probe's deadline is not missed.
const PACKETS_PER_TURN: usize = 64;

/// A command may cost as much as a packet.
const COMMANDS_PER_TURN: usize = 64;

/// A chunk of a table costs more than a packet.
const REPORTS_PER_TURN: usize = 32;

/// Peers that connect in a burst can wait in the listener's backlog.
const ACCEPTS_PER_TURN: usize = 16;

#[cfg(test)]
mod tests {
    use std::{collections::VecDeque, net::TcpListener};

    use swim_core::{Node, Options, Profile};

    use super::*;
    use crate::{
        clock::Clock,
        events::{Capacity, Events},
        testing::{Still, context},
    };

    /// A driver that receives these, one after the other.
    fn driver(received: Vec<io::Result<Vec<u8>>>) -> Box<Driver<Still, Node>> {
        let runtime =
            Still { packets: Arc::new(VecDeque::from(received).into()), ..Still::default() };
        let (clock, addr) = (Clock::start(), SocketAddr::from(([127, 0, 0, 1], 7946)));
        let config = Options::preset(Profile::Local, "a", addr).build().unwrap();
        let identity = Identity { name: config.name().clone(), addr, bound_addr: addr };
        let socket = || UdpSocket::bind("127.0.0.1:0").unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Driver::new(Parts {
            sender: socket(),
            udp: runtime.udp(socket()).unwrap(),
            listener: runtime.listener(listener).unwrap(),
            runtime,
            machine: Node::new(config, [1; 32], clock.now()),
            wall: WallClock::start(clock.now()),
            close_timeout: Duration::from_secs(1),
            shared: Arc::new(Shared::new(
                identity,
                clock,
                Events::channel(Capacity { events: 16, bytes: 0 }).0,
            )),
        })
    }

    /// How many packets came through so far, and how many errors were counted.
    fn got(driver: &Driver<Still, Node>) -> (u64, u64) {
        let packets = driver.machine.stats().packets_received;
        (packets, driver.shared().tally.read().receives_failed)
    }

    #[test]
    fn what_became_of_earlier_datagrams_does_not_hold_up_the_next() {
        let refused = (0..10).map(|_| Err(io::ErrorKind::ConnectionRefused.into()));
        let mut driver = driver(refused.chain([Ok(b"a packet".into())]).collect());
        assert!(driver.turn(&mut context()).is_pending());
        assert_eq!(got(&driver), (1, 10), "all in one turn");
    }

    #[test]
    fn an_error_that_may_last_is_waited_for() {
        let lasting = || Err(io::ErrorKind::OutOfMemory.into());
        let mut driver = driver(vec![lasting(), lasting(), Ok(b"a packet".into())]);
        // A pause after each: a timer of the runtime expires when it is asked for the second time.
        for expected in [(0, 1), (0, 2), (1, 2)] {
            assert!(driver.turn(&mut context()).is_pending());
            assert_eq!(got(&driver), expected);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn errors_are_what_linux_means_by_them() {
        let of = io::Error::from_raw_os_error;
        let [eagain, enobufs, eintr] = [11, 105, 4].map(of);
        let [econnrefused, econnreset, ehostunreach, enetunreach] = [111, 104, 113, 101].map(of);
        let [emsgsize, eperm, einval, ebadf, enomem] = [90, 1, 22, 9, 12].map(of);
        for error in [&eagain, &enobufs] {
            assert!(is_for_want_of_room(error), "{error}");
        }
        for error in [&econnrefused, &ehostunreach, &enetunreach, &emsgsize, &eperm, &einval] {
            assert!(!is_for_want_of_room(error), "{error}");
        }
        for error in [&econnrefused, &econnreset, &ehostunreach, &enetunreach, &eintr] {
            assert!(is_about_one_datagram(error), "{error}");
        }
        for error in [&enobufs, &enomem, &ebadf, &eperm] {
            assert!(!is_about_one_datagram(error), "{error}");
        }
    }
}
