//! The streams of a loop that never blocks: whole answers, no idle turns, nobody who lingers for
//! good.

use std::{net::SocketAddr, time::Duration};

use embedding::{
    bare::{Bare, Nic},
    cable::{Cable, End, Plug},
    links::{Attempt, Connection, LINGER, LINGERING_MAX, Links},
};
use swim_core::{Bytes, Instant, Node, StreamId};

use super::{asker::Asker, host::quick};

const HERE: &str = "10.0.0.1:7946";
const THERE: &str = "10.0.0.2:7946";

/// Many times what the cable holds, and more than the node writes ahead.
const STATE_LEN: usize = 400_000;

fn here() -> SocketAddr {
    HERE.parse().unwrap()
}

fn node(state: Vec<u8>) -> Node {
    let mut options = quick("a", here());
    options.stream_timeout = Duration::from_secs(60);
    let mut node = Node::new(options.build().unwrap(), [7; 32], Instant::ORIGIN);
    node.set_local_state(state.into()).unwrap();
    node
}

/// A node, and a peer that has asked it for a long answer and will say nothing more.
fn asked() -> (Bare<End>, Asker, Plug) {
    let (cable, asker) = (Cable::new(), Asker::new(here()));
    let bare = Bare::new(node(vec![5; STATE_LEN]), cable.end(here()));
    let mut plug = cable.end(THERE.parse().unwrap()).dial(here()).unwrap();
    assert_eq!(plug.write(&asker.question), Attempt::Done(asker.question.len()));
    plug.finish();
    (bare, asker, plug)
}

#[test]
fn a_peer_that_has_said_all_and_reads_nothing_keeps_nobody_busy() {
    let (mut bare, _asker, _plug) = asked();
    let (mut now, mut busy) = (Instant::ORIGIN, 0);
    while now < Instant::from_millis(1_000) {
        if bare.step(now, |_| ()) == Some(now) {
            busy += 1;
            assert!(busy < 100, "it never sleeps");
        } else {
            now = now + Duration::from_millis(1);
        }
    }
}

#[test]
fn a_peer_that_has_said_all_gets_the_whole_answer() {
    let (mut bare, mut asker, mut plug) = asked();
    let (mut answer, mut buffer) = (Vec::new(), [0; 500]);
    for millis in 0.. {
        bare.step(Instant::from_millis(millis), |_| ());
        match plug.read(&mut buffer) {
            Attempt::Done(0) => break,
            Attempt::Done(len) => answer.extend_from_slice(&buffer[..len]),
            Attempt::Later => assert!(millis < 10_000, "{} bytes of an answer", answer.len()),
            Attempt::Broken => panic!("cut off after {} bytes", answer.len()),
        }
    }
    assert_eq!(asker.hear(&answer), Some(vec![5; STATE_LEN]));
}

/// A connection that takes one bite at a time, and says with a number that it takes no more.
struct Stingy {
    plug: Plug,
    is_full: bool,
}

impl Connection for Stingy {
    fn open(&mut self) -> Attempt<()> {
        self.plug.open()
    }

    fn read(&mut self, buffer: &mut [u8]) -> Attempt<usize> {
        self.is_full = false;
        self.plug.read(buffer)
    }

    fn write(&mut self, data: &[u8]) -> Attempt<usize> {
        let is_full = std::mem::replace(&mut self.is_full, true);
        if is_full { Attempt::Done(0) } else { self.plug.write(&data[..data.len().min(3)]) }
    }

    fn finish(&mut self) {
        self.plug.finish();
    }
}

#[test]
fn to_take_nothing_is_to_want_it_later() {
    let (cable, mut node) = (Cable::new(), node(Vec::new()));
    let (mut near, mut far) = (cable.end(here()), cable.end(THERE.parse().unwrap()));
    let mut plug = far.dial(here()).unwrap();
    let (accepted, _) = near.accept().unwrap();
    let (mut links, id) = (Links::default(), StreamId::accepted(0));
    links.add(id, Stingy { plug: accepted, is_full: false });
    links.write(id, Bytes::from_static(b"in small bites"));
    links.close(id, Instant::ORIGIN);
    for _ in 0..10 {
        links.advance(&mut node, Instant::ORIGIN, &mut [0; 16]);
    }
    let mut buffer = [0; 32];
    assert_eq!(plug.read(&mut buffer), Attempt::Done(14));
    assert_eq!(&buffer[..14], b"in small bites");
    assert_eq!(plug.read(&mut buffer), Attempt::Done(0));
}

#[test]
fn those_that_linger_are_few_and_have_little_time() {
    let (cable, mut node) = (Cable::new(), node(Vec::new()));
    let (mut near, mut far) = (cable.end(here()), cable.end(THERE.parse().unwrap()));
    let mut links = Links::default();
    let mut plugs = Vec::new();
    for number in 0..=LINGERING_MAX as u64 {
        plugs.push(far.dial(here()).unwrap());
        let id = StreamId::accepted(number);
        links.add(id, near.accept().unwrap().0);
        links.write(id, Bytes::from_static(b"bye"));
        links.close(id, Instant::ORIGIN);
    }
    assert_eq!(links.due_at(), Some(Instant::ORIGIN));
    links.advance(&mut node, Instant::ORIGIN, &mut [0; 16]);
    assert_eq!(links.connections().count(), LINGERING_MAX);
    for plug in &mut plugs {
        assert_eq!(plug.read(&mut [0; 16]), Attempt::Done(3), "all get what was written");
        assert_eq!(plug.read(&mut [0; 16]), Attempt::Done(0));
    }
    plugs[0].finish();
    links.advance(&mut node, Instant::ORIGIN, &mut [0; 16]);
    links.advance(&mut node, Instant::ORIGIN, &mut [0; 16]);
    assert_eq!(links.connections().count(), LINGERING_MAX - 1, "who closes too is let go");
    assert_eq!(links.due_at(), Some(Instant::ORIGIN + LINGER));
    links.advance(&mut node, Instant::ORIGIN + LINGER, &mut [0; 16]);
    assert_eq!(links.connections().count(), 0);
}
