//! Checksums put right, so that what was changed on purpose gets past them: a fuzzer finds no
//! CRC by chance, and everything behind it would stay untried.

/// What a plain native packet or frame begins with: version, flags, the label's hash, checksum.
const HEADER_LEN: usize = 10;

/// Where in the header the flags stand, and the one of a last frame.
const FLAGS_AT: usize = 1;
const LAST: u8 = 1 << 2;

/// Where in the header the checksum stands.
const CHECKSUM_AT: usize = 6;

/// The length of a frame's length.
const PREFIX_LEN: usize = 4;

/// What surrounds a frame: its direction, its number, and its binding, which is blank where
/// nothing is sealed.
const CONTEXT_LEN: usize = 1 + 4 + 12;

/// Which way the bytes of a stream go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// From the one who dialed.
    Asked,
    /// From the one who was dialed.
    Answered,
}

/// The packet with the version and the label that a receiver expects, and the checksum it needs.
pub(crate) fn packet(bytes: &[u8], label: &str) -> Vec<u8> {
    let mut packet = bytes.to_vec();
    mend(&mut packet, label, &[]);
    packet
}

/// The same for each frame of a stream that goes this way, of which `before` were there already;
/// its end, where it has no whole frame, stays as it is. What follows a last frame is mended as the
/// beginning of another stream: it may be that of one that asks again.
pub(crate) fn stream(bytes: &[u8], label: &str, way: Way, before: usize) -> Vec<u8> {
    let mut stream = bytes.to_vec();
    let (mut at, mut index) = (0, before as u32);
    while let Some(len) = frame_len(&stream[at..]) {
        let frame = &mut stream[at + PREFIX_LEN..at + len];
        if frame.len() < HEADER_LEN {
            break;
        }
        let mut context = [0; CONTEXT_LEN];
        context[0] = u8::from(way == Way::Answered);
        context[1..5].copy_from_slice(&index.to_le_bytes());
        mend(frame, label, &context);
        index = if is_last(frame) { 0 } else { index + 1 };
        at += len;
    }
    stream
}

/// The frames of a stream, and then what is there of one more.
pub(crate) fn frames(stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = stream;
    std::iter::from_fn(move || {
        let (frame, behind) = rest.split_at(frame_len(rest).unwrap_or(rest.len()));
        rest = behind;
        (!frame.is_empty()).then_some(frame)
    })
}

/// Whether a stream ends where a frame does.
pub(crate) fn is_whole(stream: &[u8]) -> bool {
    frames(stream).all(|frame| frame_len(frame).is_some())
}

/// A stream up to its last frame, and what is behind that.
pub(crate) fn halves(stream: &[u8]) -> [&[u8]; 2] {
    let ends = |frame: &&[u8]| frame.get(PREFIX_LEN..).is_some_and(is_last);
    let mut len = 0;
    for frame in frames(stream) {
        len += frame.len();
        if ends(&frame) {
            break;
        }
    }
    <[&[u8]; 2]>::from(stream.split_at(len))
}

/// How long the first frame of these bytes is with its length, if it is whole.
fn frame_len(bytes: &[u8]) -> Option<usize> {
    let prefix = bytes.first_chunk::<PREFIX_LEN>()?;
    let len = PREFIX_LEN + u32::from_le_bytes(*prefix) as usize;
    (len <= bytes.len()).then_some(len)
}

/// Whether a frame says that nothing follows it.
fn is_last(frame: &[u8]) -> bool {
    frame.get(FLAGS_AT).is_some_and(|flags| flags & LAST != 0)
}

fn mend(bytes: &mut [u8], label: &str, context: &[u8]) {
    let Some((header, body)) = bytes.split_first_chunk_mut::<HEADER_LEN>() else { return };
    header[0] = VERSION;
    header[CHECKSUM_AT..].fill(0);
    let mut sum = crc32fast::Hasher::new();
    for part in [&header[..], label.as_bytes(), context, body] {
        sum.update(part);
    }
    header[CHECKSUM_AT..].copy_from_slice(&sum.finalize().to_le_bytes());
}

const VERSION: u8 = 0x81;
