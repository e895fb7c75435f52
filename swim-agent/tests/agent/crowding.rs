//! Strangers who open streams only to keep them: members go on to exchange theirs. On loopback no
//! address has a share, so that one stranger can take all. (X11)

use std::{
    io::{self, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use swim_tokio::{Options, Profile};

use crate::harness::{Agent, KEY, LONG, cluster, comes_true, machine, wait_complete};

#[test]
#[ignore = "takes a minute; the checks run it beside others"]
fn x11_who_holds_streams_open_from_one_address_keeps_nobody_out() {
    let _machine = machine();
    let args = ["--encrypt", KEY];
    let mut agents = cluster(3, &args);
    wait_complete(&agents, LONG);
    let seed = agents[0].addr.clone();
    let (files, resident) = (agents[0].files(), agents[0].resident());

    let crowd = Crowd::gather(seed.parse().unwrap());
    let streams_max = Options::preset(Profile::Lan, "any", seed.parse().unwrap()).streams_max;
    comes_true("all are taken", || agents[0].files() >= files + streams_max);
    for nth in 0..4 {
        let name = format!("late{nth}");
        let mut late = Agent::start(&name, &[&args[..], &["--join", &seed]].concat());
        late.wait_log("joined the cluster", LONG);
        comes_true("it learnt of all", || late.live() == 4);
        late.tell("leave");
        assert!(late.exit(LONG).success());
        for agent in &agents {
            agent.wait_event(0, "member-leave", &name, LONG);
        }
        thread::sleep(Duration::from_secs(3)); // A turn of those who wait for bytes.
    }
    // Beside those that are served there are those that are closing, and those in between.
    let (most, open) = (files + streams_max + CLOSING_MAX + 32, agents[0].files());
    assert!(open <= most, "{open} descriptors, and {files} before");
    let grown = agents[0].resident().saturating_sub(resident);
    assert!(grown < 8_192, "{grown} KiB more than before");
    let turned_away = agents[0].counter("streams_refused") + agents[0].counter("streams_given_up");
    assert!(turned_away > 0, "all had room");
    drop(crowd);

    comes_true("all are free again", || agents[0].files() <= files + 4);
    for agent in &mut agents {
        assert_eq!(agent.nodes_of("member-failed"), [""; 0], "as seen by {}", agent.name);
        comes_true("it holds all for alive", || agent.live() == 3);
    }
}

/// Twice as many streams as an agent takes, each opened again when it is closed: a third says
/// nothing, a third says a byte each second, and a third says nonsense and never reads.
struct Crowd {
    is_over: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Crowd {
    fn gather(to: SocketAddr) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&is_over);
        let thread = thread::spawn(move || {
            let mut streams: Vec<_> = (0..CROWD).map(|_| None).collect();
            for round in 0.. {
                for (nth, place) in streams.iter_mut().enumerate() {
                    if place.as_ref().is_none_or(is_closed) {
                        *place = open(to, nth % 3 == 2).ok();
                    }
                    if let (Some(stream), 1, 0) = (place, nth % 3, round % ROUNDS_A_SECOND) {
                        let _closed = stream.write_all(&[1]);
                    }
                }
                if stop.load(Relaxed) {
                    return;
                }
                thread::sleep(Duration::from_secs(1) / ROUNDS_A_SECOND);
            }
        });
        Self { is_over, thread: Some(thread) }
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.is_over.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn open(to: SocketAddr, says_nonsense: bool) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect_timeout(&to, Duration::from_secs(1))?;
    if says_nonsense {
        stream.write_all(&[7; 10_000])?;
    }
    stream.set_nonblocking(true)?;
    Ok(stream)
}

fn is_closed(stream: &TcpStream) -> bool {
    match stream.peek(&mut [0]) {
        Ok(len) => len == 0,
        Err(error) => error.kind() != io::ErrorKind::WouldBlock,
    }
}

const CROWD: usize = 250;
const ROUNDS_A_SECOND: u32 = 10;

/// As many streams as the driver lets close in their own time.
const CLOSING_MAX: usize = 128;
