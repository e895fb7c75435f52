//! A loop on a plain thread, with nothing but `std::net`. It sleeps in one call: reading a
//! datagram, with a time limit that is the node's next deadline.
//!
//! Streams are rare (a join, an exchange of tables now and then), so each gets two threads that may
//! block as long as they like, one that reads and one that writes. What they have to say goes into
//! a channel, and an empty datagram to ourselves wakes the loop. Anybody can send an empty
//! datagram; it wakes the loop for nothing, and that is all it does.

use std::{
    collections::BTreeMap,
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket},
    ops::ControlFlow,
    sync::{
        Arc,
        mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    },
    thread,
    time::Duration,
};

use swim_core::{Bytes, Event, Input, Node, Output, StreamEvent, StreamId};

use crate::ground::{Clock, Ports};

/// Runs `node` until `look`, which sees it in every turn and with every event, has seen enough.
///
/// # Errors
///
/// The sockets break.
pub fn run(
    mut node: Node,
    clock: Clock,
    ports: Ports,
    mut look: impl FnMut(&Node, Option<&Event>) -> ControlFlow<()>,
) -> io::Result<()> {
    let Ports { udp, tcp, addr } = ports;
    let udp = Arc::new(udp);
    let (sender, reports) = sync_channel(REPORTS_MAX);
    let teller = Teller { sender, bell: Arc::clone(&udp), addr };
    let listening = teller.clone();
    thread::spawn(move || accept(&tcp, &listening));
    let mut streams = Streams { open: BTreeMap::new(), accepted: 0, teller };
    let (mut tick_at, mut buffer) = (clock.now(), vec![0; 65_536]);
    loop {
        let mut is_over = look(&node, None).is_break();
        while let Some(output) = node.poll_output() {
            match output {
                Output::SendPacket { to, data } => drop(udp.send_to(&data, to)), // Or it is lost.
                Output::ScheduleTimer { at, why: _ } => tick_at = at,
                Output::Event(event) => is_over |= look(&node, Some(&event)).is_break(),
                Output::Dial { id, to } => streams.dial(id, to),
                Output::Write { id, data } => streams.write(id, data),
                Output::Close { id } => drop(streams.open.remove(&id)), // The writer goes on alone.
                Output::Abort { id } => streams.abort(id),
            }
        }
        if is_over {
            drop((reports, streams)); // Nobody is told anything any more: so all threads end.
            drop(TcpStream::connect(addr)); // The one that listens has to notice.
            return Ok(());
        }
        let patience = tick_at.saturating_since(clock.now()).max(Duration::from_millis(1));
        udp.set_read_timeout(Some(patience))?;
        match udp.recv_from(&mut buffer) {
            Ok((0, _)) => {}
            Ok((len, from)) => {
                node.handle(clock.now(), Input::Packet { from, data: &buffer[..len] });
            }
            // The time is over, or it is about a datagram that could not be delivered.
            Err(_) => {}
        }
        reports.try_iter().take(REPORTS_MAX).for_each(|said| streams.hear(&said, &mut node, clock));
        if clock.now() >= tick_at {
            node.handle(clock.now(), Input::Tick);
        }
    }
}

/// What the threads of the streams say.
enum Said {
    Accepted(TcpStream, SocketAddr),
    Connected(StreamId, TcpStream),
    Chunk(StreamId, Vec<u8>),
    Event(StreamId, StreamEvent<'static>),
}

/// How they say it.
#[derive(Clone)]
struct Teller {
    sender: SyncSender<Said>,
    bell: Arc<UdpSocket>,
    addr: SocketAddr,
}

impl Teller {
    /// Whether anybody still wants to know. If the bell is lost, others have rung it.
    fn tell(&self, said: Said) -> bool {
        let is_heard = self.sender.send(said).is_ok();
        drop(self.bell.send_to(&[], self.addr));
        is_heard
    }
}

/// The streams that the node uses: what is to be written, and the connection once there is one.
struct Streams {
    open: BTreeMap<StreamId, (Sender<Bytes>, Option<TcpStream>)>,
    accepted: u64,
    teller: Teller,
}

impl Streams {
    fn hear(&mut self, said: &Said, node: &mut Node, clock: Clock) {
        let (id, event) = match said {
            Said::Accepted(stream, from) => {
                let id = StreamId::accepted(self.accepted);
                self.accepted += 1;
                let (Ok(served), Ok(kept)) = (stream.try_clone(), stream.try_clone()) else {
                    return;
                };
                let (sender, unsent) = channel();
                self.open.insert(id, (sender, Some(kept)));
                let teller = self.teller.clone();
                thread::spawn(move || serve(id, served, &unsent, &teller));
                (id, StreamEvent::Accepted { from: *from })
            }
            Said::Connected(id, stream) => {
                match self.open.get_mut(id) {
                    Some((_, kept)) => *kept = stream.try_clone().ok(),
                    None => drop(stream.shutdown(Shutdown::Both)), // It was aborted meanwhile.
                }
                (*id, StreamEvent::Connected)
            }
            Said::Chunk(id, bytes) => (*id, StreamEvent::Chunk(bytes)),
            Said::Event(id, event) => (*id, *event),
        };
        node.handle(clock.now(), Input::Stream { id, event });
    }

    fn dial(&mut self, id: StreamId, to: SocketAddr) {
        let (sender, unsent) = channel();
        self.open.insert(id, (sender, None));
        let teller = self.teller.clone();
        thread::spawn(move || match TcpStream::connect_timeout(&to, PATIENCE) {
            Ok(stream) => {
                let is_known =
                    stream.try_clone().is_ok_and(|s| teller.tell(Said::Connected(id, s)));
                if is_known {
                    serve(id, stream, &unsent, &teller);
                }
            }
            Err(_) => drop(teller.tell(Said::Event(id, StreamEvent::Failed))),
        });
    }

    fn write(&self, id: StreamId, data: Bytes) {
        if let Some((sender, _)) = self.open.get(&id) {
            drop(sender.send(data)); // If the writer is gone, it has said that the stream failed.
        }
    }

    fn abort(&mut self, id: StreamId) {
        if let Some((_, Some(stream))) = self.open.remove(&id) {
            drop(stream.shutdown(Shutdown::Both));
        }
    }
}

impl Drop for Streams {
    fn drop(&mut self) {
        while let Some((&id, _)) = self.open.first_key_value() {
            self.abort(id);
        }
    }
}

fn accept(tcp: &TcpListener, teller: &Teller) {
    while let Ok((stream, from)) = tcp.accept() {
        if !teller.tell(Said::Accepted(stream, from)) {
            return;
        }
    }
}

/// Writes until the node closes the stream; a thread beside it reads until the peer does.
fn serve(id: StreamId, mut stream: TcpStream, unsent: &Receiver<Bytes>, teller: &Teller) {
    let limits =
        [stream.set_read_timeout(Some(PATIENCE)), stream.set_write_timeout(Some(PATIENCE))];
    let (Ok(reader), true) = (stream.try_clone(), limits.iter().all(Result::is_ok)) else { return };
    let reading = teller.clone();
    thread::spawn(move || read(id, reader, &reading));
    while let Ok(first) = unsent.recv() {
        for data in [first].into_iter().chain(unsent.try_iter()) {
            if stream.write_all(&data).is_err() {
                teller.tell(Said::Event(id, StreamEvent::Failed));
                return;
            }
        }
        teller.tell(Said::Event(id, StreamEvent::Drained));
    }
    drop(stream.shutdown(Shutdown::Write));
}

fn read(id: StreamId, mut stream: TcpStream, teller: &Teller) {
    let mut buffer = vec![0; 16_384];
    loop {
        let said = match stream.read(&mut buffer) {
            Ok(0) => Said::Event(id, StreamEvent::Finished),
            Ok(len) => Said::Chunk(id, buffer[..len].to_vec()),
            Err(_) => Said::Event(id, StreamEvent::Failed),
        };
        let is_end = matches!(said, Said::Event(..));
        if !teller.tell(said) || is_end {
            return;
        }
    }
}

/// Longer than the node lets a stream stand still: it aborts first.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the streams have to say beyond this has to wait.
const REPORTS_MAX: usize = 64;
