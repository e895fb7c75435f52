//! Every number of the native format that is a choice, and why it was chosen so.

/// The major version, the first byte of everything. The high bit sets it apart from memberlist,
/// whose first bytes are message kinds below 15 or the label's 244.
pub(crate) const VERSION: u8 = 0x81;

/// The minor version this code speaks. A higher one may add kinds of messages, and fields at the
/// end of known ones.
pub(crate) const PROTOCOL: u8 = 1;

/// The most messages in one packet. A claim has at least 25 bytes, so this binds only for jumbo
/// frames, where it bounds the work one packet can cause.
pub(crate) const PARTS_PER_PACKET_MAX: u32 = 255;

/// The most messages in one stream frame. An entry with a short name has 40 bytes, so a full frame
/// holds some 1,600; this bounds the memory that a frame of empty messages can take.
pub(crate) const PARTS_PER_FRAME_MAX: u32 = 4096;

/// The most bytes of a frame before compression. Each frame is authenticated and applied on its
/// own, so this is what a stream can make its receiver hold. (X11)
pub(crate) const FRAME_BODY_LEN_MAX: usize = 64 * 1024;

/// The most bytes of a frame on the wire, without the length before it.
pub(crate) const STREAM_FRAME_LEN_MAX: usize = HEADER_LEN_SEALED + FRAME_BODY_LEN_MAX + TAG_LEN;

/// The length of a header with a checksum: version, flags, label id, checksum.
pub(crate) const HEADER_LEN_PLAIN: usize = 1 + 1 + 4 + 4;

/// The length of a sealed header: version, flags, label id, key id, session, counter.
pub(crate) const HEADER_LEN_SEALED: usize = 1 + 1 + 4 + 4 + 8 + 4;

/// The length of the authentication tag: the full one of GCM.
pub(crate) const TAG_LEN: usize = 16;

/// How far apart, in seconds, the sender's clock at sealing and the receiver's clock at opening may
/// be. Clocks are this wrong only where nobody minds them, and a recorded packet is worthless after
/// it. (X4)
pub(crate) const PACKET_AGE_MAX: u32 = 300;

/// How far behind the newest packet of a session one may arrive and still be told from a replay.
/// UDP reorders by tens of packets, so this is generous; it costs 128 bytes per session.
pub(crate) const WINDOW_LEN: u32 = 1024;

/// Sets of derived cipher contexts, chosen by a byte of the session.
pub(crate) const CONTEXT_SETS: usize = 64;

/// How many contexts a set holds, one kilobyte each, allocated as they come. A packet whose context
/// is not there costs a microsecond more. With one each, two of ten peers shared a set every other
/// time; that five of twenty peers share one is rare, and what a thousand peers cost is bounded.
pub(crate) const CONTEXTS_PER_SET: usize = 4;

/// Frames with less than this are not compressed: there is nothing to gain.
pub(crate) const COMPRESS_LEN_MIN: usize = 256;

/// The most a frame may grow when decompressed. LZ4 reaches 255; with 64 the memory a peer can make
/// us take stays in proportion to what it sent. (W3, X12)
pub(crate) const COMPRESSION_RATIO_MAX: usize = 64;
