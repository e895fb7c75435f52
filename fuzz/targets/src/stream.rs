//! The bytes of a stream, into the explainer and into a node that accepted it: nothing panics, and
//! how they are cut into pieces changes nothing. (W3)

use swim_core::{Event, EventKind, Glimpse, Input, Node, Output, StreamEvent, StreamId};
use swim_sim::addr;

use crate::{
    cluster_of::{BEGINNING, Cluster, FREE_STREAM, PEERS, drain},
    mend,
    packet::finish,
    script::Script,
};

/// A stream in the native dialect. The first byte says which cluster it reaches, from whom, and
/// whether its checksums are put right before; the next [`CUTS`] say how it is cut.
///
/// # Panics
///
/// When something doesn't hold.
pub fn native_stream(data: &[u8]) {
    let (cluster, choice, cuts, stream) = read_native(data);
    pour(cluster, choice, cuts, &stream);
}

/// What an input is for: the cluster, the choice that it makes, the cuts, and the stream.
pub(crate) fn read_native(data: &[u8]) -> (Cluster, u8, &[u8], Vec<u8>) {
    let mut script = Script::new(data);
    let (choice, cuts) = (script.byte(), script.piece(CUTS));
    let cluster = Cluster::native(choice & CLUSTER);
    let stream = match choice & MENDED {
        0 => script.rest().to_vec(),
        _ => mend::stream(script.rest(), cluster.label().as_str()),
    };
    (cluster, choice, cuts, stream)
}

/// A stream in memberlist's dialect. The first byte says which cluster it reaches, and from whom;
/// the next [`CUTS`] say how it is cut.
///
/// # Panics
///
/// When something doesn't hold.
pub fn memberlist_stream(data: &[u8]) {
    let (cluster, choice, cuts, stream) = read_memberlist(data);
    pour(cluster, choice, cuts, stream);
}

/// What an input is for: the cluster, the choice that it makes, the cuts, and the stream.
pub(crate) fn read_memberlist(data: &[u8]) -> (Cluster, u8, &[u8], &[u8]) {
    let mut script = Script::new(data);
    let (choice, cuts) = (script.byte(), script.piece(CUTS));
    (Cluster::memberlist(choice & CLUSTER), choice, cuts, script.rest())
}

fn pour(cluster: Cluster, choice: u8, cuts: &[u8], bytes: &[u8]) {
    let mut inspector = cluster.inspector();
    let said = inspector.stream(bytes, &[]);
    assert!(said.request.len() <= bytes.len(), "W3: more frames than bytes");
    assert!(inspector.stream(&[], bytes).answer.len() <= bytes.len(), "W3: more frames than bytes");

    let from = usize::from(choice & SENDER) / SENDER_STEP % (PEERS + 2);
    let (mut whole, mut pieces) = (cluster.acquainted(), cluster.acquainted());
    let in_one = came(&mut whole, from, &[bytes]);
    let in_many = came(&mut pieces, from, &cut(bytes, cuts));
    assert_eq!(in_one, in_many, "what came of a stream depends on how it was cut");
    assert_eq!(Glimpse::of(&whole), Glimpse::of(&pieces), "so does what is left of it");
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
}

fn came(node: &mut Node, from: usize, pieces: &[&[u8]]) -> Made {
    let id = StreamId::accepted(FREE_STREAM);
    let mut made = Made::default();
    let mut handle = |event| {
        node.handle(BEGINNING, Input::Stream { id, event });
        made.take(id, drain(node));
    };
    handle(StreamEvent::Accepted { from: addr(from) });
    for &piece in pieces {
        handle(StreamEvent::Chunk(piece));
    }
    handle(StreamEvent::Drained);
    handle(StreamEvent::Finished);
    handle(StreamEvent::Failed);
    made
}

impl Made {
    fn take(&mut self, stream: StreamId, outputs: Vec<Output<Event>>) {
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

/// The one by which checksums are put right.
const MENDED: u8 = 0x80;
