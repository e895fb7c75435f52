//! A network interface that is not there: a cable in memory between the nodes of one program. For
//! tests on a desk, and for the firmware, which has both ends of it.
//!
//! Connections are pairs of byte queues of a fixed size, like those of a small TCP stack.

use alloc::{collections::VecDeque, rc::Rc, vec::Vec};
use core::{cell::RefCell, net::SocketAddr};

use crate::{
    bare::Nic,
    links::{Attempt, Connection},
};

/// The cable. Clones are the same one.
#[derive(Clone, Default)]
pub struct Cable(Rc<RefCell<Wires>>);

#[derive(Default)]
struct Wires {
    packets: VecDeque<(SocketAddr, SocketAddr, Vec<u8>)>,
    dialed: VecDeque<(SocketAddr, SocketAddr, Plug)>,
    unplugged: Vec<SocketAddr>,
}

impl Cable {
    /// A new one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An end of the cable with an address.
    #[must_use]
    pub fn end(&self, addr: SocketAddr) -> End {
        End { cable: self.clone(), addr }
    }

    /// Nothing comes from this address or goes there any more.
    pub fn unplug(&self, addr: SocketAddr) {
        self.0.borrow_mut().unplugged.push(addr);
    }
}

/// One end of a cable.
pub struct End {
    cable: Cable,
    addr: SocketAddr,
}

impl Nic for End {
    type Connection = Plug;

    fn receive(&mut self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        let packets = &mut self.cable.0.borrow_mut().packets;
        let place = packets.iter().position(|(to, ..)| *to == self.addr)?;
        let (_, from, data) = packets.remove(place)?;
        let len = data.len().min(buffer.len());
        buffer[..len].copy_from_slice(&data[..len]);
        Some((len, from))
    }

    fn send(&mut self, to: SocketAddr, data: &[u8]) {
        let wires = &mut self.cable.0.borrow_mut();
        let is_plugged = [to, self.addr].iter().all(|addr| !wires.unplugged.contains(addr));
        if is_plugged && wires.packets.len() < PACKETS_MAX {
            wires.packets.push_back((to, self.addr, data.to_vec()));
        }
    }

    fn accept(&mut self) -> Option<(Plug, SocketAddr)> {
        let dialed = &mut self.cable.0.borrow_mut().dialed;
        let place = dialed.iter().position(|(to, ..)| *to == self.addr)?;
        let (_, from, plug) = dialed.remove(place)?;
        Some((plug, from))
    }

    fn dial(&mut self, to: SocketAddr) -> Option<Plug> {
        let wires = &mut self.cable.0.borrow_mut();
        if wires.unplugged.contains(&to) {
            return None;
        }
        let (there, back) = (Pipe::default(), Pipe::default());
        let far = Plug { incoming: there.clone(), outgoing: back.clone() };
        wires.dialed.push_back((to, self.addr, far));
        Some(Plug { incoming: back, outgoing: there })
    }
}

/// One side of a connection.
pub struct Plug {
    incoming: Pipe,
    outgoing: Pipe,
}

type Pipe = Rc<RefCell<Bytes>>;

#[derive(Default)]
struct Bytes {
    queue: VecDeque<u8>,
    is_finished: bool,
    is_cut: bool,
}

impl Connection for Plug {
    fn open(&mut self) -> Attempt<()> {
        if self.incoming.borrow().is_cut { Attempt::Broken } else { Attempt::Done(()) }
    }

    fn read(&mut self, buffer: &mut [u8]) -> Attempt<usize> {
        let pipe = &mut self.incoming.borrow_mut();
        let len = buffer.len().min(pipe.queue.len());
        for (place, byte) in buffer.iter_mut().zip(pipe.queue.drain(..len)) {
            *place = byte;
        }
        match len {
            0 if pipe.is_cut => Attempt::Broken,
            0 if !pipe.is_finished => Attempt::Later,
            len => Attempt::Done(len),
        }
    }

    fn write(&mut self, data: &[u8]) -> Attempt<usize> {
        let pipe = &mut self.outgoing.borrow_mut();
        let len = data.len().min(PIPE_LEN - pipe.queue.len());
        pipe.queue.extend(&data[..len]);
        match len {
            _ if pipe.is_cut => Attempt::Broken,
            0 => Attempt::Later,
            len => Attempt::Done(len),
        }
    }

    fn finish(&mut self) {
        self.outgoing.borrow_mut().is_finished = true;
    }
}

impl Drop for Plug {
    fn drop(&mut self) {
        let outgoing = &mut self.outgoing.borrow_mut();
        outgoing.is_cut |= !outgoing.is_finished;
        self.incoming.borrow_mut().is_cut = true;
    }
}

/// Packets under way beyond this are lost.
const PACKETS_MAX: usize = 16;

/// As much as a small TCP stack buffers.
const PIPE_LEN: usize = 2_048;
