//! Whole tables: learnt from gossip, and exchanged over streams.

use swim_core::{Bytes, Node, StreamId};

use super::{
    Dice, Work,
    nodes::{
        START, SUBJECT, accept, addr, dial, drain, extra, hear, member_of, node, options, written,
    },
    traffic::{self, NEWS, first_words},
};

/// A node that knows nobody is told of all others by gossip, 30 claims a packet.
pub struct Told {
    n: usize,
    packets: Vec<(usize, Bytes)>,
    pub told: Option<Node>,
}

impl Told {
    /// Of `n` members, itself included.
    pub fn new(n: usize) -> Self {
        let order = Dice::new(5).shuffled(1..n);
        let packet = |numbers: &[usize]| {
            let carrier = order[0];
            (carrier, traffic::gossip_with(carrier, &first_words(numbers)))
        };
        // The carrier is told of by another.
        let (carrier, others) = order.split_at(1);
        let first = (order[1], traffic::gossip_with(order[1], &first_words(carrier)));
        let packets = others.chunks(NEWS).map(packet);
        Self { n, packets: std::iter::once(first).chain(packets).collect(), told: None }
    }
}

impl Work for Told {
    type Input = Node;

    fn prepare(&mut self) -> Node {
        self.told = None;
        node(options(SUBJECT, false))
    }

    fn run(&mut self, mut subject: Node) {
        for (from, data) in &self.packets {
            traffic::hand(&mut subject, START, *from, data);
            drain(&mut subject);
        }
        self.told = Some(subject);
    }

    fn check(&self, _times: u64) {
        let told = self.told.as_ref().expect("it was told");
        assert_eq!((told.counts().alive, told.stats().rejected()), (self.n, 0));
    }
}

/// The other side of an exchange.
const PEER: usize = 1;

/// A node is asked for its table, and builds it.
pub struct Built {
    pub subject: Node,
    asker: usize,
    question: Vec<Bytes>,
    /// How many bytes the last answer had, and how many it would have had uncompressed.
    pub answer_len: usize,
    pub plain_len: usize,
}

impl Built {
    /// Of a node among `n` members.
    pub fn new(n: usize) -> Self {
        Self::by(member_of(options(SUBJECT, false), n, 1), PEER)
    }

    fn by(subject: Node, asker: usize) -> Self {
        let mut asking = extra(asker, false);
        let out = dial(&mut asking, subject.local().addr);
        Self { subject, asker, question: written(&mut asking, out), answer_len: 0, plain_len: 0 }
    }

    fn answer(&mut self, id: StreamId) -> Vec<Bytes> {
        hear(&mut self.subject, id, &self.question)
    }
}

impl Work for Built {
    type Input = StreamId;

    fn prepare(&mut self) -> StreamId {
        accept(&mut self.subject, addr(self.asker))
    }

    fn run(&mut self, id: StreamId) {
        let answer = self.answer(id);
        self.answer_len = answer.iter().map(Bytes::len).sum();
        self.plain_len = answer.iter().map(plain_len).sum();
    }

    fn check(&self, times: u64) {
        // One exchange taught the subject what it knows.
        assert_eq!(self.subject.stats().exchanges, times + 1);
        assert!(self.answer_len > 5 * self.subject.counts().alive, "{} bytes", self.answer_len);
    }
}

/// A node has asked for a table and merges the answer.
pub struct Merged {
    n: usize,
    answer: Vec<Bytes>,
    /// How many members the node knows beforehand, and the node.
    knows: usize,
    pub subject: Node,
}

impl Merged {
    /// Merges a table of `n` members into one of the same members in another order.
    pub fn when_known(n: usize) -> Self {
        Self::new(n, n)
    }

    /// Merges a table of `n` members into an empty one.
    pub fn when_empty(n: usize) -> Self {
        Self::new(n, 1)
    }

    fn new(n: usize, knows: usize) -> Self {
        let mut built = Built::by(member_of(options(PEER, false), n, 6), SUBJECT);
        let id = built.prepare();
        let answer = built.answer(id);
        Self { n, answer, knows, subject: member_of(options(SUBJECT, false), knows, 1) }
    }
}

impl Work for Merged {
    type Input = StreamId;

    fn prepare(&mut self) -> StreamId {
        if self.knows == 1 {
            self.subject = member_of(options(SUBJECT, false), 1, 1);
        }
        let id = dial(&mut self.subject, addr(PEER));
        written(&mut self.subject, id);
        id
    }

    fn run(&mut self, id: StreamId) {
        hear(&mut self.subject, id, &self.answer);
    }

    fn check(&self, times: u64) {
        // One exchange taught the subject what it knew beforehand, if it knew anything.
        let exchanges = if self.knows == 1 { 1 } else { times + 1 };
        let stats = self.subject.stats();
        assert_eq!((stats.exchanges, stats.rejected()), (exchanges, 0));
        assert_eq!(self.subject.counts().alive, self.n);
    }
}

/// The length that a frame without a key has before compression. `docs/wire.md`: length 4, header
/// 10 with the flags in its second byte, and if compressed the length of the body in 4.
fn plain_len(frame: &Bytes) -> usize {
    const COMPRESSED: u8 = 0x08;
    const HEAD: usize = 4 + 10;
    if frame[5] & COMPRESSED == 0 {
        return frame.len();
    }
    let len = frame[HEAD..].first_chunk().expect("a compressed body says its length");
    HEAD + u32::from_le_bytes(*len) as usize
}
