//! An address of a peer at which not everybody reaches it: datagrams pass through here.
//!
//! A peer that advertises this address can be cut off from some of the others without changing
//! anything of the machine. Streams are refused, or pass whoever they come from.

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// Passes datagrams on, and the answers back from the address they were sent to.
///
/// Its threads end with the program.
#[derive(Debug)]
pub struct Proxy {
    /// Where it listens.
    pub addr: SocketAddr,
    blocked: Arc<Mutex<Vec<SocketAddr>>>,
    dropped: Arc<AtomicUsize>,
}

impl Proxy {
    /// Starts one at `addr`, in front of `target`.
    ///
    /// # Errors
    ///
    /// When there is no socket for it.
    pub fn start(addr: SocketAddr, target: SocketAddr) -> io::Result<Self> {
        let front = Arc::new(UdpSocket::bind(addr)?);
        let proxy =
            Self { addr: front.local_addr()?, blocked: Arc::default(), dropped: Arc::default() };
        let (blocked, dropped) = (Arc::clone(&proxy.blocked), Arc::clone(&proxy.dropped));
        thread::spawn(move || {
            let mut backs = BTreeMap::new();
            let mut buffer = vec![0; DATAGRAM_LEN_MAX];
            while let Ok((len, source)) = front.recv_from(&mut buffer) {
                if blocked.lock().unwrap_or_else(PoisonError::into_inner).contains(&source) {
                    dropped.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                let back = backs
                    .entry(source)
                    .or_insert_with(|| answering(target, source, &front).expect("a socket more"));
                // What the target does not take is lost, as anywhere.
                drop(back.send(&buffer[..len]));
            }
        });
        Ok(proxy)
    }

    /// From now on streams to the target pass, too.
    ///
    /// # Errors
    ///
    /// When there is no socket for it.
    pub fn pass_streams(&self, target: SocketAddr) -> io::Result<()> {
        let front = TcpListener::bind(self.addr)?;
        thread::spawn(move || {
            for stream in front.incoming().map_while(Result::ok) {
                // Whom the target does not take is turned away, as if this were the target.
                let _ = TcpStream::connect(target).and_then(|back| join(&stream, &back));
            }
        });
        Ok(())
    }

    /// From now on no datagram passes that comes from this address.
    pub fn block(&self, source: SocketAddr) {
        self.blocked.lock().unwrap_or_else(PoisonError::into_inner).push(source);
    }

    /// How many datagrams did not pass.
    #[must_use]
    pub fn dropped(&self) -> usize {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// A socket that stands for `source` before the target, whose answers go back to it.
fn answering(
    target: SocketAddr,
    source: SocketAddr,
    front: &Arc<UdpSocket>,
) -> io::Result<Arc<UdpSocket>> {
    let back = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?);
    back.connect(target)?;
    let (answers, front) = (Arc::clone(&back), Arc::clone(front));
    thread::spawn(move || {
        let mut buffer = vec![0; DATAGRAM_LEN_MAX];
        loop {
            // An error is what the system says of a datagram that the target did not take.
            if let Ok(len) = answers.recv(&mut buffer) {
                drop(front.send_to(&buffer[..len], source));
            }
        }
    });
    Ok(back)
}

/// Carries what comes on either stream to the other one, each to its end.
fn join(one: &TcpStream, other: &TcpStream) -> io::Result<()> {
    for (from, to) in [(one, other), (other, one)] {
        let (mut from, mut to) = (from.try_clone()?, to.try_clone()?);
        thread::spawn(move || {
            // What breaks on one side ends on the other one.
            drop(io::copy(&mut from, &mut to));
            drop(to.shutdown(Shutdown::Write));
        });
    }
    Ok(())
}

/// The longest that UDP has.
const DATAGRAM_LEN_MAX: usize = 1 << 16;
