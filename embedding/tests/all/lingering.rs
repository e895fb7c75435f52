//! Peers that get their answer and then say a little for ever keep nothing of a node.

use std::{
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::Duration,
};

use super::{
    asker::Asker,
    host::{GENEROUS, Host, Kind},
};

/// A connection on which all was answered, but which this side does not close.
fn answered(host: &Host) -> TcpStream {
    let mut stream = TcpStream::connect(host.addr).unwrap();
    stream.set_read_timeout(Some(GENEROUS)).unwrap();
    stream.write_all(&Asker::new(host.addr).question).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(!answer.is_empty());
    stream
}

#[test]
fn a_peer_that_never_ends_is_cut_off() {
    let kinds = [Kind::Blocking, Kind::Readiness, Kind::Bare];
    let hosts = kinds.map(|kind| Host::start(kind, "a", &[]));
    let mut streams = hosts.iter().map(answered).collect::<Vec<_>>();
    let mut turns = 0;
    while !streams.is_empty() {
        turns += 1;
        assert!(turns < 1_500, "{streams:?} are still there");
        thread::sleep(Duration::from_millis(20));
        streams.retain_mut(|stream| stream.write_all(b"x").is_ok());
    }
}
