//! Streams: whoever opens more than one address may have is refused the rest, and keeps nobody
//! out; nor does who has many addresses. On loopback no address has a share, so this needs hosts of
//! their own.

use std::{
    io, iter,
    net::{Ipv4Addr, SocketAddrV4, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use rustix::process::setpriority_process;
use socket2::{Domain, Socket, Type};
use swim_netlab::{
    Cluster, PORT,
    clock::{time_of_day, wait},
};
use swim_sim::network::HostId;

use crate::harness::{settled, setup, wait_counted};

/// X11: of a crowd at one address exactly its share is let in, the rest is refused and counted; and
/// however often it comes again to all through whom others join, these get in.
#[test]
#[ignore = "needs root, ip and nft"]
fn x11_one_address_gets_its_share_of_streams_and_the_others_get_in() {
    let mut cluster = members();
    let options = cluster.setup().options();
    let (share, limit) = (options.streams_per_addr_max, settled(&options, ATTACKER + 1));
    assert!(share < CROWD && CROWD < options.streams_max, "{share} is what limits the crowd");
    let from = cluster.lab().addr(ATTACKER);
    let victim = SocketAddrV4::new(cluster.lab().addr(VICTIM), PORT);
    let crowd = cluster.lab().spawn(ATTACKER, move || {
        let mut streams = Vec::new();
        while streams.len() < CROWD {
            match open(from, victim) {
                Ok(stream) => streams.push(Some(stream)),
                // It was refused before this end had looked.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => streams.push(None),
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {}
                Err(error) => return Err(error),
            }
        }
        let held = || streams.iter().flatten().filter(|stream| !is_closed(stream)).count();
        Ok(wait(limit, || Some(held()).filter(|held| *held <= share)))
    });
    assert_eq!(crowd.unwrap().join().unwrap().unwrap(), Some(share), "so many are left");
    // One whose opening took too long may have been refused, too.
    assert!(count(&mut cluster, VICTIM, "streams_refused") >= (CROWD - share) as u64);
    others_get_in(cluster, &[from], CROWD, "streams_refused");
}

/// X11: a crowd of which each address has its share at most, and all together more streams than a
/// member takes, has those make room of which nobody has heard a word.
#[test]
#[ignore = "needs root, ip and nft"]
fn x11_who_holds_streams_open_from_many_addresses_keeps_nobody_out() {
    let cluster = members();
    let options = cluster.setup().options();
    let from = cluster.lab().add_addrs(ATTACKER, ADDRS).unwrap();
    let share = options.streams_per_addr_max;
    assert!(from.len() * share > options.streams_max, "they take all");
    others_get_in(cluster, &from, share, "streams_given_up");
}

/// Those through whom the others join.
fn members() -> Cluster {
    let mut cluster = Cluster::new(setup(ATTACKER + 1, &[])).unwrap();
    let limit = settled(&cluster.setup().options(), ATTACKER + 1);
    (0..MEMBERS).for_each(|host| cluster.start(host).unwrap());
    cluster.wait_agreement(limit).unwrap();
    cluster
}

/// While a crowd comes again and again, so many from each address, and `counter` tells of it.
fn others_get_in(mut cluster: Cluster, from: &[Ipv4Addr], each: usize, counter: &str) {
    let limit = settled(&cluster.setup().options(), ATTACKER + 1);
    let began = time_of_day();
    let crowd = Crowd::gather(&cluster, from, each);
    let turned_away = (from.len() * each) as u64;
    for host in 0..MEMBERS {
        wait_counted(&mut cluster, host, counter, turned_away);
    }
    for late in MEMBERS..ATTACKER {
        let at = time_of_day();
        cluster.start(late).unwrap();
        for host in 0..MEMBERS {
            cluster.wait_told(&[host], "member-join", (late, at), limit).unwrap();
        }
    }
    cluster.wait_agreement(limit).unwrap();
    for host in 0..MEMBERS {
        let before = count(&mut cluster, host, counter);
        wait_counted(&mut cluster, host, counter, before + turned_away / 4);
    }
    drop(crowd);
    cluster.wait_agreement(limit).unwrap();
    assert_eq!(cluster.count_told("member-failed", began), 0);
}

fn count(cluster: &mut Cluster, host: HostId, counter: &str) -> u64 {
    cluster.node(host).unwrap().count(counter).unwrap()
}

/// So many streams from each address to each member, opened again as often as they are closed. It
/// takes the time that others leave it: hosts have processors of their own elsewhere.
struct Crowd {
    is_over: Arc<AtomicBool>,
    coming: Option<thread::JoinHandle<io::Result<()>>>,
}

impl Crowd {
    fn gather(cluster: &Cluster, from: &[Ipv4Addr], each: usize) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&is_over);
        let to: Vec<_> =
            (0..MEMBERS).map(|host| SocketAddrV4::new(cluster.lab().addr(host), PORT)).collect();
        let ends = from.iter().flat_map(|from| to.iter().map(move |to| (*from, *to)));
        let ends: Vec<_> = ends.flat_map(|ends| iter::repeat_n(ends, each)).collect();
        let coming = cluster.lab().spawn(ATTACKER, move || {
            setpriority_process(None, 19)?; // Of this thread alone.
            let mut places: Vec<_> = ends.into_iter().map(|ends| (ends, None)).collect();
            while !stop.load(Relaxed) {
                for ((from, to), place) in &mut places {
                    if place.as_ref().is_none_or(is_closed) {
                        *place = open(*from, *to).ok();
                    }
                }
                thread::sleep(Duration::from_millis(100));
            }
            Ok(())
        });
        Self { is_over, coming: Some(coming.unwrap()) }
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.is_over.store(true, Relaxed);
        if let Some(coming) = self.coming.take() {
            let _ = coming.join();
        }
    }
}

fn open(from: Ipv4Addr, to: SocketAddrV4) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddrV4::new(from, 0).into())?;
    socket.connect_timeout(&to.into(), Duration::from_secs(1))?;
    let stream = TcpStream::from(socket);
    stream.set_nonblocking(true)?;
    Ok(stream)
}

fn is_closed(stream: &TcpStream) -> bool {
    match stream.peek(&mut [0]) {
        Ok(len) => len == 0,
        Err(error) => error.kind() != io::ErrorKind::WouldBlock,
    }
}

/// Those through whom all join.
const MEMBERS: usize = 3;
const VICTIM: HostId = 0;
/// It comes after two that join late.
const ATTACKER: HostId = MEMBERS + 2;
/// Many times the share of an address, and fewer than a node takes in all.
const CROWD: usize = 32;
/// Their shares are more than a node takes.
const ADDRS: u8 = 48;
