//! Sealing and opening, by a node and by the bare cipher.

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{AeadInOut, inout::InOutBuf},
};
use swim_core::{Bytes, Node};

use super::{
    Work,
    nodes::{START, SUBJECT, drain, member_of, name, options, packet_from},
    traffic,
};

/// The length of the packets, header and tag included.
const PACKET_LEN: usize = 1_200;
/// The lengths of what a seal does not encrypt.
const HEADER_LEN: usize = 22;
const TAG_LEN: usize = 16;
/// Who the packets go to, or come from.
const PEER: usize = 1;

/// A node that sends packets of 1,200 bytes, sealed or not.
pub struct Sends {
    subject: Node,
    peer: String,
    payload: Vec<u8>,
}

impl Sends {
    pub fn new(sealed: bool) -> Self {
        let mut subject = member_of(options(SUBJECT, sealed), 10, 1);
        let payload = payload_for(&mut subject, &name(PEER));
        Self { subject, peer: name(PEER), payload }
    }
}

impl Work for Sends {
    type Input = ();

    fn prepare(&mut self) {}

    fn run(&mut self, (): ()) {
        let sent = self.subject.send_best_effort(START, &self.peer, &self.payload);
        sent.expect("the payload fits");
        drain(&mut self.subject);
    }

    fn check(&self, times: u64) {
        // One more was sent to measure its length.
        assert_eq!(self.subject.stats().packets_sent, times + 1);
    }
}

/// A node that gets packets of 1,200 bytes, sealed or not.
pub struct Receives {
    subject: Node,
    peer: Node,
    payload: Vec<u8>,
}

impl Receives {
    pub fn new(sealed: bool) -> Self {
        let mut peer = traffic::acquaintance(PEER, sealed);
        let payload = payload_for(&mut peer, &name(SUBJECT));
        Self { subject: member_of(options(SUBJECT, sealed), 10, 1), peer, payload }
    }
}

impl Work for Receives {
    type Input = Bytes;

    fn prepare(&mut self) -> Bytes {
        let sent = self.peer.send_best_effort(START, &name(SUBJECT), &self.payload);
        sent.expect("the payload fits");
        packet_from(&mut self.peer)
    }

    fn run(&mut self, data: Bytes) {
        traffic::hand(&mut self.subject, START, PEER, &data);
        drain(&mut self.subject);
    }

    fn check(&self, times: u64) {
        let stats = self.subject.stats();
        assert_eq!((stats.packets_received, stats.rejected()), (times, 0));
        assert_eq!(stats.bytes_received, times * PACKET_LEN as u64);
    }
}

/// The payload that makes a packet of exactly [`PACKET_LEN`].
fn payload_for(node: &mut Node, to: &str) -> Vec<u8> {
    let guess = noise(1_000);
    node.send_best_effort(START, to, &guess).expect("the payload fits");
    let len = packet_from(node).len();
    noise(guess.len() + PACKET_LEN - len)
}

/// Bytes that no compression makes shorter.
fn noise(len: usize) -> Vec<u8> {
    let next = |state: &u64| Some(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    let states = std::iter::successors(Some(1), next);
    states.skip(1).map(|state| state.to_be_bytes()[0]).take(len).collect()
}

/// The bare cipher on as many bytes.
pub struct Bare {
    cipher: Aes256Gcm,
    header: [u8; HEADER_LEN],
    body: Vec<u8>,
    sealed: Vec<u8>,
    tag: [u8; TAG_LEN],
    opens: bool,
}

impl Bare {
    pub fn sealing() -> Self {
        Self::new(false)
    }

    pub fn opening() -> Self {
        Self::new(true)
    }

    fn new(opens: bool) -> Self {
        let mut bare = Self {
            cipher: Aes256Gcm::new(&[7; 32].into()),
            header: [1; HEADER_LEN],
            body: vec![b'x'; PACKET_LEN - HEADER_LEN - TAG_LEN],
            sealed: Vec::new(),
            tag: [0; TAG_LEN],
            opens,
        };
        bare.seal();
        bare.sealed.clone_from(&bare.body);
        bare
    }

    fn seal(&mut self) {
        let body = InOutBuf::from(&mut self.body[..]);
        let tag = self.cipher.encrypt_inout_detached(&NONCE.into(), &self.header, body);
        self.tag = tag.expect("a short body").into();
    }

    fn open(&mut self) {
        let (tag, nonce) = ((&self.tag).into(), &NONCE.into());
        let body = InOutBuf::new(&self.sealed, &mut self.body).expect("of one length");
        let opened = self.cipher.decrypt_inout_detached(nonce, &self.header, body, tag);
        opened.expect("the tag is right");
    }
}

const NONCE: [u8; 12] = [9; 12];

impl Work for Bare {
    type Input = ();

    fn prepare(&mut self) {}

    fn run(&mut self, (): ()) {
        if self.opens {
            self.open();
        } else {
            self.seal();
        }
        std::hint::black_box(&self.body);
    }

    fn check(&self, _times: u64) {}
}
