//! The open streams of a loop that sleeps elsewhere: each has two threads that may block as long as
//! they like, one that writes and one that reads. Streams are rare (a join, an exchange of tables
//! now and then), so this costs little.
//!
//! What the threads have to say goes into a channel, and an empty datagram to ourselves wakes the
//! loop. Anybody can send an empty datagram: it wakes the loop for nothing, and that is all.

use std::{
    collections::{BTreeMap, VecDeque},
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream, UdpSocket},
    sync::{Arc, Weak, mpsc},
    thread,
    time::Duration,
};

use swim_core::{Bytes, Input, Instant, Node, StreamEvent, StreamId};

use crate::links::{LINGER, LINGERING_MAX};

/// What the threads say.
pub(crate) enum Said {
    Accepted(io::Result<(TcpStream, SocketAddr)>),
    Connected(StreamId, Weak<TcpStream>),
    Chunk(StreamId, Vec<u8>),
    /// One more piece of what was to be written went out.
    Wrote(StreamId),
    Event(StreamId, StreamEvent<'static>),
}

/// How they say it.
#[derive(Clone)]
pub(crate) struct Teller {
    pub(crate) sender: mpsc::SyncSender<Said>,
    pub(crate) bell: Arc<UdpSocket>,
    pub(crate) addr: SocketAddr,
}

impl Teller {
    /// Whether anybody still wants to know. If the bell is lost, others have rung it.
    pub(crate) fn tell(&self, said: Said) -> bool {
        let is_heard = self.sender.send(said).is_ok();
        drop(self.bell.send_to(&[], self.addr));
        is_heard
    }
}

/// The streams. Their threads have the connections: those close when both threads have ended.
pub(crate) struct Streams {
    /// Those that the node uses.
    open: BTreeMap<StreamId, Open>,
    /// Those that the node has closed and forgotten, and until when the peer may close as well.
    closed: VecDeque<(Instant, Weak<TcpStream>)>,
    accepted: u64,
    teller: Teller,
}

struct Open {
    /// What is to be written.
    pieces: mpsc::Sender<Bytes>,
    /// How many pieces are on their way.
    unsent: usize,
    /// The connection once there is one.
    stream: Weak<TcpStream>,
}

impl Streams {
    pub(crate) fn new(teller: Teller) -> Self {
        Self { open: BTreeMap::new(), closed: VecDeque::new(), accepted: 0, teller }
    }

    /// Tells the node what a thread said.
    pub(crate) fn hear(&mut self, said: Said, node: &mut Node, now: Instant) {
        let mut tell = |id, event| node.handle(now, Input::Stream { id, event });
        match said {
            Said::Accepted(Ok((stream, from))) => {
                let (id, stream) = (StreamId::accepted(self.accepted), Arc::new(stream));
                self.accepted += 1;
                let (pieces, unsent) = mpsc::channel();
                self.open.insert(id, Open { pieces, unsent: 0, stream: Arc::downgrade(&stream) });
                let teller = self.teller.clone();
                thread::spawn(move || serve(id, &stream, unsent, &teller));
                tell(id, StreamEvent::Accepted { from });
            }
            Said::Connected(id, stream) => match self.open.get_mut(&id) {
                Some(open) => {
                    open.stream = stream;
                    tell(id, StreamEvent::Connected);
                }
                None => cut(&stream), // It was aborted meanwhile.
            },
            Said::Chunk(id, bytes) => tell(id, StreamEvent::Chunk(&bytes)),
            Said::Wrote(id) if self.wrote(id) => tell(id, StreamEvent::Drained),
            Said::Wrote(_) | Said::Accepted(Err(_)) => {}
            Said::Event(id, event) => tell(id, event),
        }
    }

    /// Takes note that a piece went out; whether it was the last of all that was written, of which
    /// the thread may not even have known.
    fn wrote(&mut self, id: StreamId) -> bool {
        let Some(open) = self.open.get_mut(&id) else { return false };
        open.unsent -= 1;
        open.unsent == 0
    }

    pub(crate) fn dial(&mut self, id: StreamId, to: SocketAddr) {
        let ((pieces, unsent), teller) = (mpsc::channel(), self.teller.clone());
        self.open.insert(id, Open { pieces, unsent: 0, stream: Weak::new() });
        thread::spawn(move || match TcpStream::connect_timeout(&to, PATIENCE).map(Arc::new) {
            Ok(stream) => {
                teller.tell(Said::Connected(id, Arc::downgrade(&stream)));
                serve(id, &stream, unsent, &teller);
            }
            Err(_) => drop(teller.tell(Said::Event(id, StreamEvent::Failed))),
        });
    }

    pub(crate) fn write(&mut self, id: StreamId, data: Bytes) {
        if let Some(open) = self.open.get_mut(&id) {
            open.unsent += 1;
            drop(open.pieces.send(data)); // If the writer is gone, it has said that it failed.
        }
    }

    /// What was written still goes out, and the peer is given time to close as well.
    pub(crate) fn close(&mut self, id: StreamId, now: Instant) {
        if let Some(Open { stream, .. }) = self.open.remove(&id) {
            self.closed.push_back((now + LINGER, stream));
        }
    }

    pub(crate) fn abort(&mut self, id: StreamId) {
        if let Some(Open { stream, .. }) = self.open.remove(&id) {
            cut(&stream);
        }
    }

    /// When to call [`Streams::tidy`] at the latest.
    pub(crate) fn due_at(&self) -> Option<Instant> {
        self.closed.front().map(|(at, _)| *at)
    }

    /// Cuts those that have been closed for too long, and the eldest of too many: the node no
    /// longer counts them, so a peer could keep any number of threads by saying a byte at times.
    pub(crate) fn tidy(&mut self, now: Instant) {
        self.closed.retain(|(_, stream)| stream.strong_count() > 0);
        while self.closed.len() > LINGERING_MAX || self.due_at().is_some_and(|at| now >= at) {
            self.closed.pop_front().iter().for_each(|(_, stream)| cut(stream));
        }
    }
}

/// Whatever the threads wait for, they wait no longer.
impl Drop for Streams {
    fn drop(&mut self) {
        self.open.values().for_each(|open| cut(&open.stream));
        self.closed.iter().for_each(|(_, stream)| cut(stream));
    }
}

/// Makes both threads end, wherever they are.
fn cut(stream: &Weak<TcpStream>) {
    if let Some(stream) = stream.upgrade() {
        drop(stream.shutdown(Shutdown::Both));
    }
}

/// Writes until the node closes the stream; a thread beside it reads until the peer does. Who waits
/// for too long is cut: by the node as long as it uses the stream, and then by `Streams::tidy`.
fn serve(id: StreamId, stream: &Arc<TcpStream>, unsent: mpsc::Receiver<Bytes>, teller: &Teller) {
    let (read_from, reading) = (Arc::clone(stream), teller.clone());
    thread::spawn(move || read(id, &read_from, &reading));
    for data in unsent {
        if (&**stream).write_all(&data).is_err() {
            teller.tell(Said::Event(id, StreamEvent::Failed));
            return;
        }
        teller.tell(Said::Wrote(id));
    }
    drop(stream.shutdown(Shutdown::Write));
}

fn read(id: StreamId, mut stream: &TcpStream, teller: &Teller) {
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

/// Longer than the node waits for a connection, which it then aborts.
const PATIENCE: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, sync::mpsc::sync_channel};

    use swim_core::Options;

    use super::*;

    /// What a peer notices when the threads of its stream have ended.
    fn until_cut(mut peer: &TcpStream) {
        for _ in 0..3_000 {
            if peer.write_all(b"x").is_err() {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("the stream is still there");
    }

    #[test]
    fn what_is_written_is_out_when_the_last_piece_is() {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let (addr, bell) = (tcp.local_addr().unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
        let (sender, reports) = sync_channel(1_000);
        let mut streams = Streams::new(Teller { sender, bell: Arc::new(bell), addr });
        let id = StreamId::accepted(0);
        streams.dial(id, addr);
        let _peer = tcp.accept().unwrap();
        let wrote = || loop {
            if let Said::Wrote(of) = reports.recv_timeout(PATIENCE).unwrap() {
                return of;
            }
        };
        let piece = Bytes::from_static(b"piece");
        streams.write(id, piece.clone());
        assert_eq!(wrote(), id);
        streams.write(id, piece.clone()); // Before the loop hears of the first.
        assert!(!streams.wrote(id));
        assert_eq!(wrote(), id);
        assert!(streams.wrote(id));
        (0..3).for_each(|_| streams.write(id, piece.clone()));
        assert_eq!([(); 3].map(|()| (wrote(), streams.wrote(id)).1), [false, false, true]);
    }

    #[test]
    fn those_that_linger_are_few_and_have_little_time() {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let (addr, bell) = (tcp.local_addr().unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
        let (now, config) = (Instant::ORIGIN, Options::local("a", addr).build().unwrap());
        let mut node = Node::new(config, [7; 32], now);
        let (sender, _reports) = sync_channel(1_000);
        let mut streams = Streams::new(Teller { sender, bell: Arc::new(bell), addr });
        let mut peers = Vec::new();
        for number in 0..=LINGERING_MAX as u64 {
            peers.push(TcpStream::connect(addr).unwrap());
            streams.hear(Said::Accepted(tcp.accept()), &mut node, now);
            streams.close(StreamId::accepted(number), now);
        }
        streams.tidy(now);
        until_cut(&peers[0]);
        assert_eq!(streams.closed.len(), LINGERING_MAX);
        assert!(streams.closed.iter().all(|(_, stream)| stream.strong_count() > 0));
        assert_eq!(streams.due_at(), Some(now + LINGER));
        drop(peers.remove(1));
        while streams.closed.len() == LINGERING_MAX {
            streams.tidy(now); // Who closes too is let go.
        }
        streams.tidy(now + LINGER);
        assert!(streams.closed.is_empty());
        peers[1..].iter().for_each(until_cut);
    }
}
