//! The header: everything a receiver must know before it can trust anything.
//!
//! What can be refused by looking at fixed places is refused here, before any hash or cipher runs:
//! another version, another cluster, a packet sealed for somebody with a key or without one. (X2)

use super::limits::{HEADER_LEN_PLAIN, HEADER_LEN_SEALED, VERSION};
use crate::{keyring::KeyId, reject::Reject};

/// The header of a packet or frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) flags: Flags,
    pub(crate) label_id: u32,
    pub(crate) guard: Guard,
}

/// What guards the body against change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    Checksum(u32),
    Seal { key_id: KeyId, nonce: Nonce },
}

/// What a receiver expects of every header.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    pub(crate) stream: bool,
    pub(crate) label_id: u32,
    pub(crate) sealed: bool,
}

impl Header {
    /// Reads and checks the header at the start of `bytes`.
    pub(crate) fn read(bytes: &[u8], expected: &Expected) -> Result<Self, Reject> {
        match bytes.first() {
            None => return Err(Reject::Truncated),
            Some(&version) if version != VERSION => return Err(Reject::Version),
            Some(_) => {}
        }
        let (prefix, rest) = bytes.split_first_chunk::<6>().ok_or(Reject::Truncated)?;
        let [_, flags, label_id @ ..] = *prefix;
        let flags = Flags::read(flags, expected.stream)?;
        let label_id = u32::from_le_bytes(label_id);
        if label_id != expected.label_id {
            return Err(Reject::Label);
        }
        let guard = match (flags.sealed(), expected.sealed) {
            (false, true) => return Err(Reject::Plaintext),
            (true, false) => return Err(Reject::Sealed),
            (true, true) => {
                let (key_id, rest) = rest.split_first_chunk().ok_or(Reject::Truncated)?;
                let nonce = rest.first_chunk().ok_or(Reject::Truncated)?;
                Guard::Seal { key_id: KeyId(u32::from_le_bytes(*key_id)), nonce: Nonce(*nonce) }
            }
            (false, false) => {
                let checksum = rest.first_chunk().ok_or(Reject::Truncated)?;
                Guard::Checksum(u32::from_le_bytes(*checksum))
            }
        };
        Ok(Self { flags, label_id, guard })
    }

    /// Writes the header to the start of `out`, which has room for it.
    pub(crate) fn write(&self, out: &mut [u8]) {
        out[0] = VERSION;
        out[1] = self.flags.0;
        out[2..6].copy_from_slice(&self.label_id.to_le_bytes());
        match self.guard {
            Guard::Checksum(checksum) => out[6..10].copy_from_slice(&checksum.to_le_bytes()),
            Guard::Seal { key_id, nonce } => {
                out[6..10].copy_from_slice(&key_id.0.to_le_bytes());
                out[10..22].copy_from_slice(&nonce.0);
            }
        }
    }

    /// The nonce, if the body is sealed.
    pub(crate) const fn nonce(&self) -> Option<Nonce> {
        match self.guard {
            Guard::Checksum(_) => None,
            Guard::Seal { nonce, .. } => Some(nonce),
        }
    }

    /// Its length on the wire.
    pub(crate) const fn len(&self) -> usize {
        header_len(self.flags.sealed())
    }
}

/// The length of a header on the wire.
pub(crate) const fn header_len(sealed: bool) -> usize {
    if sealed { HEADER_LEN_SEALED } else { HEADER_LEN_PLAIN }
}

/// The flags of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flags(u8);

impl Flags {
    const SEALED: u8 = 1;
    const STREAM: u8 = 1 << 1;
    const LAST: u8 = 1 << 2;
    const COMPRESSED: u8 = 1 << 3;

    /// Of a packet.
    pub(crate) const fn packet(sealed: bool) -> Self {
        Self(if sealed { Self::SEALED } else { 0 })
    }

    /// Of a stream frame.
    pub(crate) const fn frame(sealed: bool, last: bool, compressed: bool) -> Self {
        let last = if last { Self::LAST } else { 0 };
        let compressed = if compressed { Self::COMPRESSED } else { 0 };
        Self(Self::packet(sealed).0 | Self::STREAM | last | compressed)
    }

    /// Whether the body is encrypted and authenticated.
    pub(crate) const fn sealed(self) -> bool {
        self.0 & Self::SEALED != 0
    }

    /// Whether this frame ends its sender's half of the stream.
    pub(crate) const fn last(self) -> bool {
        self.0 & Self::LAST != 0
    }

    /// Whether the frame's body is compressed.
    pub(crate) const fn compressed(self) -> bool {
        self.0 & Self::COMPRESSED != 0
    }

    /// Frames and packets can't be taken for each other, and packets are never compressed. (X12)
    const fn read(flags: u8, stream: bool) -> Result<Self, Reject> {
        let of_stream = Self::LAST | Self::COMPRESSED;
        let (required, allowed) = if stream {
            (Self::STREAM, Self::SEALED | Self::STREAM | of_stream)
        } else {
            (0, Self::SEALED)
        };
        if flags & required != required || flags & !allowed != 0 {
            return Err(Reject::Flags);
        }
        Ok(Self(flags))
    }
}

/// What must never be used twice with one key: the sender's session and a counter within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Nonce(pub(crate) [u8; 12]);

impl Nonce {
    pub(crate) fn new(session: SessionId, counter: u32) -> Self {
        let mut nonce = [0; 12];
        nonce[..8].copy_from_slice(&session.0);
        nonce[8..].copy_from_slice(&counter.to_le_bytes());
        Self(nonce)
    }

    pub(crate) fn session(&self) -> SessionId {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        SessionId([a, b, c, d, e, f, g, h])
    }

    pub(crate) fn counter(&self) -> u32 {
        let [.., a, b, c, d] = self.0;
        u32::from_le_bytes([a, b, c, d])
    }
}

/// Eight random bytes that a sender drew when it began to count from zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SessionId(pub(crate) [u8; 8]);

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Expected = Expected { stream: false, label_id: 7, sealed: false };

    fn header(flags: Flags) -> Header {
        let guard = if flags.sealed() {
            Guard::Seal { key_id: KeyId(9), nonce: Nonce::new(SessionId([1; 8]), 0x0403_0201) }
        } else {
            Guard::Checksum(0xDDCC_BBAA)
        };
        Header { flags, label_id: 7, guard }
    }

    #[test]
    fn w2_headers_survive_the_wire_for_every_flag() {
        for bits in 0..16_u8 {
            let [sealed, stream, last, compressed] = [1, 2, 4, 8].map(|bit| bits & bit != 0);
            let flags =
                if stream { Flags::frame(sealed, last, compressed) } else { Flags::packet(sealed) };
            let mut bytes = [0; HEADER_LEN_SEALED];
            header(flags).write(&mut bytes);
            let expected = Expected { stream, sealed, ..PLAIN };
            let bytes = &bytes[..header(flags).len()];
            assert_eq!(Header::read(bytes, &expected), Ok(header(flags)));
            for len in 0..bytes.len() {
                assert_eq!(Header::read(&bytes[..len], &expected), Err(Reject::Truncated));
            }
        }
    }

    #[test]
    fn x2_what_a_glance_can_refuse_is_refused_by_it() {
        let mut plain = [0; HEADER_LEN_SEALED];
        header(Flags::packet(false)).write(&mut plain);
        let read = |change: fn(&mut [u8; 22]), expected: Expected| {
            let mut bytes = plain;
            change(&mut bytes);
            Header::read(&bytes, &expected).err()
        };
        assert_eq!(read(|_| {}, PLAIN), None);
        assert_eq!(read(|bytes| bytes[0] = 0x82, PLAIN), Some(Reject::Version));
        for flags in (2..=255).filter(|flags| *flags != 1) {
            let mut bytes = plain;
            bytes[1] = flags;
            assert_eq!(Header::read(&bytes, &PLAIN), Err(Reject::Flags), "{flags:#b}");
        }
        assert_eq!(read(|bytes| bytes[2] = 8, PLAIN), Some(Reject::Label));
        assert_eq!(read(|bytes| bytes[1] = 1, PLAIN), Some(Reject::Sealed));
        assert_eq!(read(|_| {}, Expected { sealed: true, ..PLAIN }), Some(Reject::Plaintext));
        assert_eq!(read(|_| {}, Expected { stream: true, ..PLAIN }), Some(Reject::Flags));
    }

    #[test]
    fn a_nonce_is_the_session_and_the_counter() {
        let nonce = Nonce::new(SessionId([1, 2, 3, 4, 5, 6, 7, 8]), 0x0C0B_0A09);
        assert_eq!(nonce.0, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
        assert_eq!(nonce.session(), SessionId([1, 2, 3, 4, 5, 6, 7, 8]));
        assert_eq!(nonce.counter(), 0x0C0B_0A09);
    }

    /// Every first two bytes, for every kind of receiver: what is taken is written the same. (W2)
    #[test]
    fn c3_w2_every_header_that_is_taken_has_one_form() {
        let mut taken = 0;
        for expected in [(false, false), (false, true), (true, false), (true, true)] {
            let (stream, sealed) = expected;
            let expected = Expected { stream, label_id: 0x0403_0201, sealed };
            for [version, flags] in (0..=u16::MAX).map(u16::to_le_bytes) {
                let mut bytes: [u8; HEADER_LEN_SEALED] =
                    core::array::from_fn(|at| (at as u8).wrapping_sub(1));
                (bytes[0], bytes[1]) = (version, flags);
                let Ok(header) = Header::read(&bytes, &expected) else { continue };
                let mut again = [0; HEADER_LEN_SEALED];
                header.write(&mut again);
                assert_eq!(again[..header.len()], bytes[..header.len()]);
                let short = Header::read(&bytes[..header.len() - 1], &expected);
                assert_eq!(short, Err(Reject::Truncated));
                taken += 1;
            }
        }
        // Packets plain and sealed; frames that end or not, are compressed or not.
        assert_eq!(taken, 2 + 2 * 4);
    }
}
