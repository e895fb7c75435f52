//! Rubbish from the network changes nothing but counters.

use std::{
    io::{
        ErrorKind::{BrokenPipe, ConnectionReset},
        Write,
    },
    net::{TcpStream, UdpSocket},
    thread,
    time::Duration,
};

use crate::harness::{Agent, KEY, LONG, cluster, comes_true, machine, wait_complete};

#[test]
fn garbage_changes_nothing_but_counters() {
    let _machine = machine();
    for args in [&["--profile", "local"][..], &["--profile", "local", "--encrypt", KEY]] {
        let mut agents = cluster(3, args);
        wait_complete(&agents, LONG);
        let members: Vec<_> = agents.iter_mut().map(Agent::members).collect();
        let printed_events: Vec<_> = agents.iter().map(events).collect();
        let refused = agents[0].counter("rejected");
        let streams = streams_taken(&mut agents[0]);

        // The system may drop datagrams before the agent sees them, where it has much else to do.
        comes_true("as many are refused as were thrown once", || {
            throw_datagrams(&agents[0].addr);
            agents[0].counter("rejected") - refused >= DATAGRAMS as u64
        });
        throw_streams(&agents[0].addr);
        thread::sleep(Duration::from_secs(4)); // A probe that was disturbed would be missed by now.

        let streams = streams_taken(&mut agents[0]) - streams;
        assert!(streams >= STREAMS as u64, "only {streams} streams arrived");
        for (n, agent) in agents.iter_mut().enumerate() {
            comes_true("the list is as it was", || agent.members() == members[n]);
            assert_eq!(events(agent), printed_events[n], "as seen by {}", agent.name);
        }
    }
}

const DATAGRAMS: usize = 10_000;
const STREAMS: usize = 100;

fn throw_datagrams(to: &str) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut noise = Noise(1);
    let mut bytes = [0; 1400];
    for n in 0..DATAGRAMS {
        let len = noise.next() as usize % bytes.len();
        bytes[..len].fill_with(|| noise.next() as u8);
        // Some look like ours at first.
        if n % 3 == 0 && len > 4 {
            bytes[..4].copy_from_slice(&[(n / 3) as u8, 0, 1, 0]);
        }
        let _ = socket.send_to(&bytes[..len], to);
        if n % 50 == 0 {
            thread::sleep(Duration::from_millis(5)); // So that most of it gets through.
        }
    }
}

fn throw_streams(to: &str) {
    let mut noise = Noise(2);
    for n in 0..STREAMS {
        let mut stream = TcpStream::connect(to).unwrap();
        let bytes: Vec<u8> = (0..noise.next() % 5_000).map(|_| noise.next() as u8).collect();
        // The agent may have refused the first bytes and closed before the last are written.
        if let Err(error) = stream.write_all(&bytes) {
            let kind = error.kind();
            assert!(matches!(kind, ConnectionReset | BrokenPipe), "{error}");
        }
        if n % 2 == 0 {
            thread::sleep(Duration::from_millis(10)); // The others break off at once.
        }
    }
}

fn streams_taken(agent: &mut Agent) -> u64 {
    agent.counter("streams_accepted") + agent.counter("streams_refused")
}

fn events(agent: &Agent) -> usize {
    agent.lines.look(|lines| lines.iter().filter(|line| !line["event"].is_null()).count())
}

/// Xorshift: noise that is the same in every run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
