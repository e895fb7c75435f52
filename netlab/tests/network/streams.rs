//! Streams: whoever opens more than one address may have is refused the rest, and keeps nobody out.
//! On loopback no address has a share, so this needs hosts of their own.

use std::{
    io,
    net::{SocketAddrV4, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use rustix::process::setpriority_process;
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
    let mut cluster = Cluster::new(setup(ATTACKER + 1, &[])).unwrap();
    let options = cluster.setup().options();
    let (share, limit) = (options.streams_per_addr_max, settled(&options, ATTACKER + 1));
    assert!(share < CROWD && CROWD < options.streams_max, "{share} is what limits the crowd");
    (0..MEMBERS).for_each(|host| cluster.start(host).unwrap());
    cluster.wait_agreement(limit).unwrap();
    let began = time_of_day();

    let refused =
        |cluster: &mut Cluster, host| cluster.node(host).unwrap().count("streams_refused").unwrap();
    let victim = SocketAddrV4::new(cluster.lab().addr(VICTIM), PORT);
    let crowd = cluster.lab().spawn(ATTACKER, move || {
        let mut streams = Vec::new();
        for _ in 0..CROWD {
            match open(victim) {
                // It was refused before this end had looked.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
                opened => streams.push(opened?),
            }
        }
        let held = || streams.iter().filter(|stream| !is_closed(stream)).count();
        Ok(wait(limit, || (held() <= share).then(held)))
    });
    assert_eq!(crowd.unwrap().join().unwrap().unwrap(), Some(share), "so many are left");
    assert_eq!(refused(&mut cluster, VICTIM), (CROWD - share) as u64);

    let crowd = Crowd::gather(&cluster);
    for host in 0..MEMBERS {
        wait_counted(&mut cluster, host, "streams_refused", 4 * CROWD as u64);
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
        let before = refused(&mut cluster, host);
        wait_counted(&mut cluster, host, "streams_refused", before + CROWD as u64);
    }
    drop(crowd);
    cluster.wait_agreement(limit).unwrap();
    assert_eq!(cluster.count_told("member-failed", began), 0);
}

/// As many streams to each member, opened again as often as they are closed. It takes the time that
/// others leave it: hosts have processors of their own elsewhere.
struct Crowd {
    is_over: Arc<AtomicBool>,
    coming: Option<thread::JoinHandle<io::Result<()>>>,
}

impl Crowd {
    fn gather(cluster: &Cluster) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&is_over);
        let members: Vec<_> = (0..MEMBERS).map(|host| cluster.lab().addr(host)).collect();
        let coming = cluster.lab().spawn(ATTACKER, move || {
            setpriority_process(None, 19)?; // Of this thread alone.
            let all = members.into_iter().flat_map(|to| (0..CROWD).map(move |_| (to, None)));
            let mut places: Vec<_> = all.collect();
            while !stop.load(Relaxed) {
                for (to, place) in &mut places {
                    if place.as_ref().is_none_or(is_closed) {
                        *place = open(SocketAddrV4::new(*to, PORT)).ok();
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

fn open(to: SocketAddrV4) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&to.into(), Duration::from_secs(1))?;
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
