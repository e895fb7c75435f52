//! Two native packets or frames that are both taken and say the same are the same: every value has
//! one encoding. (W2) What they say is told by the explainer, which leaves nothing out.

use swim_core::inspect::{Explanation, Inspector};

use crate::{
    cluster_of::Cluster,
    mend::{self, Way},
    packet::weight,
    script::Script,
};

/// A part of a packet or a frame and the same part with a piece of it replaced. The first bytes are
/// the kind of the message, with a bit set that stands for a frame, where the piece begins, how
/// long it is, and how long the new one; then come the new one and the part.
///
/// # Panics
///
/// When two of them say the same.
pub fn one_encoding(data: &[u8]) {
    let mut script = Script::new(data);
    let (kind, at) = (script.byte(), usize::from(script.byte()));
    let (removed, added) = (script.below(PIECE_MAX), script.below(PIECE_MAX));
    let piece = script.piece(added);
    let part = script.rest();
    let at = at.min(part.len());
    let behind = part.get(at + removed..).unwrap_or_default();
    let other = [&part[..at], piece, behind].concat();
    if other == part {
        return;
    }
    let mut inspector = Cluster::native(0).inspector();
    let (Some(one), Some(two)) =
        (said(&mut inspector, kind, part), said(&mut inspector, kind, &other))
    else {
        return;
    };
    assert_ne!(one, two, "W2: {part:02x?} and {other:02x?} say the same");
}

/// What a packet or a frame with one part says, without its checksum, if it is one that a node
/// takes.
fn said(inspector: &mut Inspector, kind: u8, part: &[u8]) -> Option<Explanation> {
    let len = u16::try_from(part.len()).ok()?.to_le_bytes();
    let (kind, flags) = (kind & !FRAME, if kind & FRAME == 0 { 0 } else { OF_LAST_FRAME });
    let head = [&[0x81, flags], &[0; 8][..]].concat();
    let packet = [&head, &PREAMBLE[..], &[kind], &len, part].concat();
    let mut said = if flags == 0 {
        inspector.packet(&mend::packet(&packet, ""))
    } else {
        let len = (packet.len() as u32).to_le_bytes();
        let stream = mend::stream(&[&len, &packet[..]].concat(), "", Way::Asked, 0);
        inspector.stream(&stream, &[]).request.pop()?
    };
    assert!(weight(&said) > 0, "there is a header at least");
    said.layers.clear();
    (said.is_understood() && !said.messages.is_empty()).then_some(said)
}

/// Behind the header, which is mended: protocol 1, no time, no receiver, a sender `p` of the first
/// life and incarnation.
const PREAMBLE: [u8; 13] = [1, 0, 0, 0, 0, 0, 0, 0, 0, 1, b'p', 1, 1];

/// The flags of a frame behind which nothing comes.
const OF_LAST_FRAME: u8 = 1 << 1 | 1 << 2;

/// The bit of a kind that stands for a frame.
const FRAME: u8 = 0x80;

/// A piece has fewer bytes than this.
const PIECE_MAX: usize = 16;
