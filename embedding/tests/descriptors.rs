//! A node that runs out of file descriptors takes streams again when there are some. A program of
//! its own, because it takes them from everything else in it.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::{
    fs::File,
    io::Read,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    ops::ControlFlow,
    thread,
    time::Duration,
};

use embedding::{
    blocking,
    ground::{self, Clock, Ports},
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use swim_core::Options;

/// A stream on which the node hears nothing, so that it gives it up after a second.
fn silent(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

#[test]
fn streams_are_taken_again_after_there_were_no_descriptors() {
    let ports = Ports::bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let (addr, clock) = (ports.addr, Clock::start());
    let node = ground::node(Options::local("a", addr), clock).unwrap();
    thread::spawn(move || blocking::run(node, clock, ports, |_, _| ControlFlow::Continue(())));
    assert_eq!(silent(addr).read(&mut [0]).unwrap(), 0, "it runs");

    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(64), ..limit }).unwrap();
    let mut taken = Vec::new();
    for _ in 0..50 {
        taken.extend(std::iter::repeat_with(|| File::open("/dev/null")).map_while(Result::ok));
        thread::sleep(Duration::from_millis(10)); // The threads of the first stream may have one.
    }
    drop(taken.pop());
    // This one gets the last. A thread that waits in `accept` may have one for the other end
    // already, but has none for the next stream.
    let last = silent(addr);
    last.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
    let _maybe_served = (&last).read(&mut [0]);

    drop(taken);
    assert_eq!(silent(addr).read(&mut [0]).unwrap(), 0, "it takes streams again");
}
