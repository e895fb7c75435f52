//! The bytes of a stream, into the explainer and into a node that accepted it, or that dialed it
//! and is answered: nothing panics, and how they are cut into pieces changes nothing. (W3)

use swim_core::{Dialect, Event, EventKind, Glimpse, Input, Node, Output, StreamEvent, StreamId};

use crate::{
    again,
    cluster_of::{Cluster, PEERS, drain},
    errand::{Asked, Errand, connect, dialed},
    mend::{self, Way},
    packet::finish,
    script::Script,
};

/// A stream in the native dialect. The first byte says which cluster it reaches, from whom, whether
/// it is an answer and to what, and whether its checksums are put right before; the next [`CUTS`]
/// say how it is cut.
///
/// # Panics
///
/// When something doesn't hold.
pub fn native_stream(data: &[u8]) {
    pour(&Stream::read(Dialect::Native, data));
}

/// A stream in memberlist's dialect, likewise; there are no checksums to put right.
///
/// # Panics
///
/// When something doesn't hold.
pub fn memberlist_stream(data: &[u8]) {
    pour(&Stream::read(Cluster::memberlist(0).dialect, data));
}

/// What an input of these targets is for.
pub(crate) struct Stream<'a> {
    pub(crate) cluster: Cluster,
    /// What it answers, if it does.
    pub(crate) errand: Option<Errand>,
    /// Who speaks.
    pub(crate) from: usize,
    cuts: &'a [u8],
    pub(crate) bytes: Vec<u8>,
}

impl<'a> Stream<'a> {
    pub(crate) fn read(dialect: Dialect, data: &'a [u8]) -> Self {
        let mut script = Script::new(data);
        let (choice, cuts) = (script.byte(), script.piece(CUTS));
        let cluster = match dialect {
            Dialect::Native => Cluster::native(choice & CLUSTER),
            Dialect::Memberlist(_) => Cluster::memberlist(choice & CLUSTER),
        };
        let errand = errand(choice);
        let mut bytes = script.rest().to_vec();
        if choice & MENDED != 0 && cluster.has_checksums() {
            let way = if errand.is_some() { Way::Answered } else { Way::Asked };
            bytes = mend::stream(&bytes, cluster.label().as_str(), way, 0);
        }
        let from = usize::from(choice & SENDER) / SENDER_STEP % (PEERS + 2);
        Self { cluster, errand, from, cuts, bytes }
    }

    /// What is fed, one after the other: an answer, and that to the question asked again.
    pub(crate) fn halves(&self) -> [&[u8]; 2] {
        if self.cluster.dialect == Dialect::Native && self.errand.is_some() {
            mend::halves(&self.bytes)
        } else {
            [&self.bytes, &[]]
        }
    }

    /// What is understood of it is written the same.
    fn write_again(&self, half: &[u8]) {
        let is_request = self.errand.is_none();
        let explain = |bytes: &[u8]| {
            let (request, answer) = if is_request { (bytes, &[][..]) } else { (&[][..], bytes) };
            let said = self.cluster.inspector().stream(request, answer);
            if is_request { said.request } else { said.answer }
        };
        again::hold(self.cluster, half, explain, |bytes| {
            self.cluster.inspector().rewrite_stream(bytes, is_request)
        });
    }

    /// The node that it reaches.
    fn begin(&self) -> Option<Asked> {
        if let Some(errand) = self.errand {
            return Asked::new(self.cluster, errand, self.from);
        }
        Some(Asked::accepted(self.cluster, self.from))
    }
}

/// What the first byte of an input says that it answers.
const fn errand(choice: u8) -> Option<Errand> {
    match choice & ANSWERED {
        EXCHANGE => Some(Errand::Exchange),
        DELIVERY => Some(Errand::Delivery),
        ANSWERED => Some(Errand::Ping),
        _ => None,
    }
}

fn pour(stream: &Stream<'_>) {
    let (mut inspector, bytes) = (stream.cluster.inspector(), &stream.bytes[..]);
    let said = inspector.stream(bytes, &[]);
    assert!(said.request.len() <= bytes.len(), "W3: more frames than bytes");
    assert!(inspector.stream(&[], bytes).answer.len() <= bytes.len(), "W3: more frames than bytes");

    let halves = stream.halves();
    for half in halves {
        stream.write_again(half);
    }
    let (Some(mut whole), Some(mut pieces)) = (stream.begin(), stream.begin()) else { return };
    let in_one = came(&mut whole, halves.map(|half| vec![half]));
    let in_many = came(&mut pieces, halves.map(|half| cut(half, stream.cuts)));
    assert_eq!(in_one, in_many, "what came of a stream depends on how it was cut");
    let (mut whole, mut pieces) = (whole.node, pieces.node);
    let left = |node: &Node| {
        let members = node.members().collect::<Vec<_>>();
        let suspicions = node.audit_suspicions().collect::<Vec<_>>();
        (Glimpse::of(node, &node.audit()), members, node.local(), format!("{suspicions:?}"))
    };
    assert_eq!(left(&whole), left(&pieces), "so does what is left of it");
    assert_eq!(whole.stats().rejects, pieces.stats().rejects, "so does why it was refused");
    finish(&mut whole);
    finish(&mut pieces);
}

/// What a node made of a stream: what it told, what it wrote, and how the stream ended.
#[derive(Debug, Default, PartialEq)]
struct Made {
    told: Vec<EventKind>,
    written: Vec<u8>,
    ends: Vec<&'static str>,
    /// The stream on which it asks again, and has not spoken yet.
    again: Option<StreamId>,
}

fn came(there: &mut Asked, halves: [Vec<&[u8]>; 2]) -> Made {
    let mut made = Made::default();
    for half in halves {
        for piece in half {
            made.handle(there, StreamEvent::Chunk(piece));
        }
        if let Some(again) = made.again.take() {
            there.id = again;
            made.written.extend(connect(&mut there.node, there.now, again));
        }
    }
    for event in [StreamEvent::Drained, StreamEvent::Finished, StreamEvent::Failed] {
        made.handle(there, event);
    }
    made
}

impl Made {
    fn handle(&mut self, there: &mut Asked, event: StreamEvent<'_>) {
        let Asked { node, now, id, .. } = there;
        node.handle(*now, Input::Stream { id: *id, event });
        self.take(*id, drain(node));
    }

    fn take(&mut self, stream: StreamId, outputs: Vec<Output<Event>>) {
        self.again = dialed(&outputs).map(|(id, _)| id).or(self.again);
        for output in outputs {
            match output {
                Output::Event(event) => self.told.push(event.kind),
                Output::Write { id, data } if id == stream => self.written.extend(data),
                Output::Close { id } if id == stream => self.ends.push("closed"),
                Output::Abort { id } if id == stream => self.ends.push("aborted"),
                _ => {}
            }
        }
    }
}

/// The bytes in pieces as long as `cuts` say, over and over. A cut of zero is an empty piece.
fn cut<'a>(bytes: &'a [u8], cuts: &[u8]) -> Vec<&'a [u8]> {
    let mut lens = cuts.iter().map(|&len| usize::from(len)).cycle();
    let is_endless = cuts.iter().all(|&len| len == 0);
    let (mut pieces, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() && !is_endless {
        let len = lens.next().unwrap_or(1).min(rest.len());
        let (piece, behind) = rest.split_at(len);
        pieces.push(piece);
        rest = behind;
    }
    if is_endless {
        pieces.extend(bytes.chunks(1));
    }
    pieces
}

/// The bytes after the first that say how a stream is cut.
pub const CUTS: usize = 4;

/// The bits of the first byte that choose the cluster.
const CLUSTER: u8 = 0x03;

/// Those that choose whom a stream comes from.
const SENDER: u8 = 0x1c;

const SENDER_STEP: usize = 4;

/// Those that choose what is answered; none of them, that it is asked.
const ANSWERED: u8 = 0x60;
const EXCHANGE: u8 = 0x20;
const DELIVERY: u8 = 0x40;

/// The one by which checksums are put right.
const MENDED: u8 = 0x80;
