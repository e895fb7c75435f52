//! Every number of memberlist's format, and every bound of ours, with its reason.

/// The longest datagram looked at: memberlist's read buffer.
pub(crate) const PACKET_LEN_MAX: usize = 65_536;

/// The most parts of a compound message: their number is one byte.
pub(crate) const PARTS_MAX: usize = 255;

/// What stands before the parts of a compound message: its type and their number.
pub(crate) const COMPOUND_HEAD_LEN: usize = 2;

/// What each part costs beside itself: its length in two bytes.
pub(crate) const COMPOUND_PART_LEN: usize = 2;

/// What a packet becomes at most when it is inflated. A packet of 31 KB inflates to 40 MiB in the
/// best case, in most of a second; so far, in a few milliseconds. What correct peers send inflates
/// to less than the longest datagram, of which this is four: they fill a packet and then compress
/// it. (O6)
pub(crate) const PACKET_INFLATED_MAX: usize = 256 << 10;

/// How often what is compressed may clear the decoder's table: once for so many bytes of it.
/// A table takes 5,405 bytes of codes, and an encoder clears it when it is full. Whoever clears it
/// before each literal makes the decoder begin anew every two bytes, nine million times in a
/// stream. (X12)
pub(crate) const CLEAR_SPAN: usize = 1024;

/// So many times more often: the first code of all clears, and small messages are no harm.
pub(crate) const CLEARS_SPARE: usize = 4;

/// What an envelope on a stream has at most, as in Go; so that what is sent has no more either.
pub(crate) const SEALED_LEN_MAX: usize = 20 << 20;

/// What a stream's message has at most, plain or inflated: the most that Go sends of the
/// application's in one piece, and room for the head and for a table of some hundred lines. (O6)
pub(crate) const STREAM_LEN_MAX: usize = SEALED_LEN_MAX + (64 << 10);

/// The longest a message to us may be before it is opened: a label, the head of an envelope, and
/// the envelope.
pub(crate) const INCOMING_MAX: usize = 2 + 255 + SEALED_HEAD_LEN + STREAM_LEN_MAX;

/// What all streams of a node hold at most of messages that are not there as a whole, or not handed
/// on as a whole: three of the longest. The many streams that may be open, each with one of those,
/// would be gigabytes, for anybody who can connect. Counted is what came; the memory set aside for
/// it may be twice that, as vectors grow. (M1)
pub(crate) const INBOUND_MAX: usize = 3 * STREAM_LEN_MAX + (4 << 20);

/// The most entries a table may announce: memberlist's `maxPushPullNodes`.
pub(crate) const ENTRIES_MAX: i64 = 1 << 20;

/// The most bytes of application state or of a reliable message: memberlist's limit for each.
pub(crate) const TRANSFER_MAX: i64 = 20 << 20;

/// Entries of a table handed on at once, so that a table of any size costs little beside itself.
pub(crate) const ENTRIES_PER_BATCH: usize = 256;

/// Bytes of application state or of a reliable message handed on at once.
pub(crate) const PIECE_LEN: usize = 64 * 1024;

/// Packets with less than this are not compressed: LZW gains nothing on so little, and each try
/// costs tens of kilobytes of memory.
pub(crate) const COMPRESS_LEN_MIN: usize = 64;

/// The length of AES-GCM's nonce.
pub(crate) const NONCE_LEN: usize = 12;

/// The length of AES-GCM's tag.
pub(crate) const TAG_LEN: usize = 16;

/// The block that version 0 of the envelope pads to.
pub(crate) const BLOCK_LEN: usize = 16;

/// What version 1 of the envelope adds: version, nonce, tag.
pub(crate) const ENVELOPE_LEN: usize = 1 + NONCE_LEN + TAG_LEN;

/// What version 0 adds at most: a whole block more.
pub(crate) const ENVELOPE_LEN_V0: usize = ENVELOPE_LEN + BLOCK_LEN;

/// What stands before the envelope on a stream: the type and the length.
pub(crate) const SEALED_HEAD_LEN: usize = 1 + 4;

/// The length of the checksum's header: the type and the CRC-32.
pub(crate) const CHECKSUM_LEN: usize = 1 + 4;

/// What stands before a label: the type and the length.
pub(crate) const LABEL_HEAD_LEN: usize = 2;

/// Nonces remembered to recognise replays, ... (O5)
pub(crate) const NONCES_MAX: usize = 65_536;

/// ... and for how many seconds, where there is a clock. (O5)
pub(crate) const NONCE_AGE_MAX: u32 = 60;

/// From so many envelopes of all members on under one key, it is time for another, ... (O5)
pub(crate) const SEALED_WARN: u64 = 1 << 31;

/// ... and from so many on it is high time: NIST SP 800-38D, 8.3. (O5)
pub(crate) const SEALED_MAX: u64 = 1 << 32;

/// The versions in a claim: lowest, highest and present one of the protocol, then of the
/// application.
pub(crate) const VERSIONS_LEN: usize = 6;

/// From this version on, as the highest that a node understands, it checks checksums.
pub(crate) const CHECKSUM_SINCE: u8 = 5;

/// In this version envelopes are of version 0; in all later ones of version 1.
pub(crate) const PADDED_PROTOCOL: u8 = 1;
