//! Packets that a node with a key refuses: what those can make it do who have no key.

use std::ops::Range;

use swim_core::{Bytes, Node};

use super::{
    Dice, Work,
    nodes::{START, SUBJECT, drain, member_of, options},
    seals::Receives,
    traffic,
};

/// Where in a header the key's number stands, and the sender's session.
const KEY_ID: Range<usize> = 6..10;
const SESSION: Range<usize> = 10..18;
/// Who the packets say that they are from.
const PEER: usize = 1;

/// A node that gets packets of one kind, and refuses every one.
pub struct Refused {
    subject: Node,
    dice: Dice,
    packet: Vec<u8>,
    /// What is different in each packet.
    noise: Range<usize>,
}

impl Refused {
    /// Noise: the first byte gives it away.
    pub fn noise() -> Self {
        let packet = recorded();
        let noise = 1..packet.len();
        Self::new(packet, noise).with(|packet| packet[0] = !packet[0])
    }

    /// Sealed with a key that the node does not have: the key's number gives it away.
    pub fn other_key() -> Self {
        let packet = recorded();
        let noise = SESSION.start..packet.len();
        Self::new(packet, noise).with(|packet| {
            packet[KEY_ID].iter_mut().for_each(|byte| *byte = !*byte);
        })
    }

    /// In the name of the node's own key, whose number everybody can read, and of a session that
    /// nobody has: a cipher is derived and the seal tried before it is known. There is nothing
    /// dearer.
    pub fn forged(len: usize) -> Self {
        let mut packet = recorded();
        packet.resize(len, 0);
        Self::new(packet, SESSION)
    }

    /// A packet that the node got before.
    pub fn replayed() -> Self {
        let mut work = Self::new(recorded(), 0..0);
        traffic::hand(&mut work.subject, START, PEER, &work.packet);
        drain(&mut work.subject);
        assert_eq!(work.subject.stats().rejected(), 0, "the first time it is none");
        work
    }

    fn new(packet: Vec<u8>, noise: Range<usize>) -> Self {
        Self {
            subject: member_of(options(SUBJECT, true), 10, 1),
            dice: Dice::new(5),
            packet,
            noise,
        }
    }

    fn with(mut self, change: impl FnOnce(&mut [u8])) -> Self {
        change(&mut self.packet);
        self
    }
}

impl Work for Refused {
    type Input = Bytes;

    fn prepare(&mut self) -> Bytes {
        let dice = &mut self.dice;
        self.packet[self.noise.clone()].fill_with(|| dice.below(256) as u8);
        Bytes::copy_from_slice(&self.packet)
    }

    fn run(&mut self, data: Bytes) {
        traffic::hand(&mut self.subject, START, PEER, &data);
        drain(&mut self.subject);
    }

    fn check(&self, times: u64) {
        assert_eq!(self.subject.stats().rejected(), times);
    }
}

/// A real packet of 1,200 bytes, from a member.
fn recorded() -> Vec<u8> {
    Receives::new(true).prepare().to_vec()
}
