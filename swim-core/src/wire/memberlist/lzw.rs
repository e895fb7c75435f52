//! Compression: LZW as Go's `compress/lzw` writes it, lowest bit first, eight bits a literal.
//!
//! LZW inflates a packet up to 1,300 times, so that the output is bounded while it grows. (O6, X12)

use alloc::vec::Vec;

use weezl::{BitOrder, LzwStatus, decode::Decoder, encode::Encoder};

use super::{
    leaf::Kind,
    limits::{CLEAR_SPAN, CLEARS_SPARE},
    lists,
    pack::Packer,
    unpack::Reader,
};
use crate::reject::Reject;

/// The only algorithm there is.
const ALGORITHM: u32 = 0;

/// Bits of a literal: whole bytes.
const LITERAL_BITS: u8 = 8;

/// By so much the output grows at a time.
const STEP: usize = 4096;

/// Inflates what the body of a compress message holds to at most `max` bytes.
pub(crate) fn open(body: &[u8], max: usize, out: &mut Vec<u8>) -> Result<(), Reject> {
    let (mut algorithm, mut compressed) = (0, &[][..]);
    let plain = lists::body(body);
    Reader::new(plain.as_deref().unwrap_or(body)).fields(&["Algo", "Buf"], |field, from| {
        match field {
            0 => algorithm = from.number(u64::from(u8::MAX))?,
            _ => compressed = from.bytes()?.unwrap_or_default(),
        }
        Ok(())
    })?;
    if algorithm != u64::from(ALGORITHM) {
        return Err(Reject::Compression);
    }
    inflate(compressed, max, out)
}

/// Puts `message` as a compress message to the end of `out`.
pub(crate) fn put(message: &[u8], out: &mut Vec<u8>) {
    put_deflated(&deflate(message), out);
}

/// Puts what was deflated as a compress message to the end of `out`.
pub(super) fn put_deflated(compressed: &[u8], out: &mut Vec<u8>) {
    out.push(Kind::Compress as u8);
    let mut to = Packer::new(out);
    to.map(2);
    to.number("Algo", ALGORITHM);
    to.bytes("Buf", compressed);
}

pub(super) fn deflate(message: &[u8]) -> Vec<u8> {
    Encoder::new(BitOrder::Lsb, LITERAL_BITS)
        .encode(message)
        .expect("every byte is a literal of eight bits")
}

fn inflate(input: &[u8], max: usize, out: &mut Vec<u8>) -> Result<(), Reject> {
    let mut inflation = Inflation::new(input, max, out);
    while !inflation.turn()? {}
    Ok(())
}

/// Something on its way through the decoder, which returns whenever it meets a clear code.
struct Inflation<'a> {
    decoder: Decoder,
    input: &'a [u8],
    max: usize,
    /// What came out so far, and zeros behind it for what comes next: cleared once, however often
    /// the decoder returns.
    out: &'a mut Vec<u8>,
    filled: usize,
    /// How often the decoder came back with room left.
    breaks: usize,
    /// How much was read.
    read: usize,
}

impl<'a> Inflation<'a> {
    fn new(input: &'a [u8], max: usize, out: &'a mut Vec<u8>) -> Self {
        let decoder = Decoder::new(BitOrder::Lsb, LITERAL_BITS);
        out.clear();
        Self { decoder, input, max, out, filled: 0, breaks: 0, read: 0 }
    }

    /// Goes on as far as the decoder does at a time; true at the end.
    fn turn(&mut self) -> Result<bool, Reject> {
        if self.filled == self.out.len() {
            // One byte more than allowed shows that it is too much.
            self.out.resize((self.filled + STEP).min(self.max.saturating_add(1)), 0);
        }
        let result = self.decoder.decode_bytes(self.input, &mut self.out[self.filled..]);
        self.input = &self.input[result.consumed_in..];
        self.read += result.consumed_in;
        self.filled += result.consumed_out;
        if self.filled > self.max {
            return Err(Reject::Compression);
        }
        match result.status {
            Ok(LzwStatus::Done) => {
                self.out.truncate(self.filled);
                Ok(true)
            }
            // With room left it comes back for a code that clears, for the end of its input, and
            // for a word that is longer than the room, of which the next turn fills all there is.
            Ok(LzwStatus::Ok) => {
                self.breaks += usize::from(self.filled < self.out.len());
                let words = self.filled / STEP;
                if self.breaks > CLEARS_SPARE + self.read / CLEAR_SPAN + words {
                    return Err(Reject::Compression);
                }
                Ok(false)
            }
            // Without its end it was cut off, as Go sees it too.
            Ok(LzwStatus::NoProgress) | Err(_) => Err(Reject::Compression),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of the pseudo-random sequence that the vectors of Go's encoder were made from.
    fn noise(len: usize) -> Vec<u8> {
        let mut x = 1_u32;
        let mut next = || {
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (x >> 24) as u8
        };
        (0..len).map(|_| next()).collect()
    }

    fn deflated(message: &[u8]) -> Vec<u8> {
        Encoder::new(BitOrder::Lsb, LITERAL_BITS).encode(message).unwrap()
    }

    #[test]
    fn the_bytes_are_those_of_go() {
        let cases: [(&[u8], &[u8]); 4] = [
            (b"", &[0x00, 0x03, 0x02]),
            (b"a", &[0x00, 0xC3, 0x04, 0x04]),
            (b"hello", &[0x00, 0xD1, 0x94, 0x61, 0xC3, 0xE6, 0x4D, 0x40]),
            (&[b'a'; 24], &[0x00, 0xC3, 0x08, 0x1C, 0x48, 0xB0, 0xA0, 0xC1, 0x81, 0x01, 0x01]),
        ];
        for (plain, compressed) in cases {
            assert_eq!(deflated(plain), compressed);
        }
        // Length and CRC-32 of what Go makes of the sequence; from 5,000 bytes on, where the table
        // has been full, of what this encoder makes of it.
        for (len, input_sum, compressed_len, compressed_sum) in [
            (256, 0x83E2_BACF, 290, 0x55F4_A429),
            (3000, 0x65DD_F76A, 4042, 0xB21E_E706),
            (5000, 0x65F0_8BC4, 6711, 0x42E0_A681),
            (20_000, 0xC714_DD18, 27_309, 0xC9B5_8BB5),
        ] {
            let plain = noise(len);
            let compressed = deflated(&plain);
            assert_eq!(crc32fast::hash(&plain), input_sum);
            assert_eq!(
                (compressed.len(), crc32fast::hash(&compressed)),
                (compressed_len, compressed_sum)
            );
            let mut out = Vec::new();
            assert_eq!(inflate(&compressed, len, &mut out), Ok(()));
            assert_eq!(out, plain);
            assert_eq!(inflate(&compressed, len - 1, &mut out), Err(Reject::Compression));
        }
    }

    #[test]
    fn o6_x12_a_bomb_is_stopped_at_the_limit() {
        let compressed = deflated(&alloc::vec![0; 4 << 20]);
        assert!(compressed.len() < 8 << 10);
        let mut out = Vec::new();
        assert_eq!(inflate(&compressed, 1 << 20, &mut out), Err(Reject::Compression));
        assert!(out.capacity() <= 2 << 20, "{}", out.capacity());
    }

    /// What stands for these codes, all of them of nine bits.
    fn nine_bits(codes: impl IntoIterator<Item = u16>) -> Vec<u8> {
        let (mut out, mut bits, mut count) = (Vec::new(), 0_u32, 0);
        for code in codes {
            bits |= u32::from(code) << count;
            count += 9;
            while count >= 8 {
                out.push(bits as u8);
                (bits, count) = (bits >> 8, count - 8);
            }
        }
        out.push(bits as u8);
        out
    }

    #[test]
    fn x12_codes_that_clear_too_often_are_refused() {
        const CLEAR: u16 = 256;
        const END: u16 = 257;
        // Nothing but such codes, such a code before each literal, and one before every hundred.
        for literals in [0, 1, 100] {
            let text = (0..literals).map(|at| at % 251);
            let codes = core::iter::once(CLEAR).chain(text).cycle();
            let bomb = nine_bits(codes.take(50_000));
            let (count, result) = turns(&bomb);
            assert_eq!(result, Err(Reject::Compression));
            assert!(count <= CLEARS_SPARE + 5, "{count} with {literals}");
        }
        // As many as are spared, and one more.
        for (clears, expected) in
            [(CLEARS_SPARE, Ok(())), (CLEARS_SPARE + 1, Err(Reject::Compression))]
        {
            let codes = core::iter::repeat_n(CLEAR, clears).chain([7, END]);
            assert_eq!(turns(&nine_bits(codes)).1, expected, "{clears}");
        }
        // A few too many are no harm: who starts anew for each part of what it says.
        let some = [CLEAR, CLEAR, 7, CLEAR, 8, END];
        assert_eq!(turns(&nine_bits(some)).1, Ok(()));
        // Those of an encoder stand after all that a table takes: at the start, and for as many
        // codes as there are numbers for.
        let plain = noise(200_000);
        let (count, result) = turns(&deflated(&plain));
        assert_eq!(result, Ok(()));
        assert!(count <= 2 + plain.len() / STEP + plain.len() / 3_800, "{count}");
    }

    /// An encoder need not begin with a code that clears, need not clear a table that is full, and
    /// what stands behind its end is nobody's.
    #[test]
    fn what_go_reads_is_read() {
        const END: u16 = 257;
        let mut out = Vec::new();
        let hello = || b"hello".iter().map(|&byte| u16::from(byte)).chain([END]);
        assert_eq!(inflate(&nine_bits(hello()), 99, &mut out), Ok(()));
        assert_eq!(out, b"hello");
        let behind = [&nine_bits(hello())[..], &[0xFF; 40]].concat();
        assert_eq!(inflate(&behind, 99, &mut out), Ok(()));
        assert_eq!(out, b"hello");
        // Literals only: each makes the table longer, and the codes wider, up to twelve bits.
        let plain = noise(10_000);
        let mut codes = Codes::default();
        plain.iter().for_each(|&byte| codes.put(byte.into()));
        codes.put(END);
        assert_eq!(inflate(&codes.finish(), 10_000, &mut out), Ok(()));
        assert!(out == plain);
    }

    /// Codes of an encoder that never clears its table.
    #[derive(Default)]
    struct Codes {
        out: Vec<u8>,
        bits: u32,
        count: u32,
        codes: u32,
    }

    impl Codes {
        fn put(&mut self, code: u16) {
            // After the first code each adds an entry, from 258 on; twelve bits are the widest.
            let entries = 257 + self.codes;
            let width = (32 - entries.leading_zeros()).clamp(9, 12);
            self.codes += 1;
            self.bits |= u32::from(code) << self.count;
            self.count += width;
            while self.count >= 8 {
                self.out.push(self.bits as u8);
                (self.bits, self.count) = (self.bits >> 8, self.count - 8);
            }
        }

        fn finish(mut self) -> Vec<u8> {
            self.out.push(self.bits as u8);
            self.out
        }
    }

    #[test]
    fn what_says_little_or_much_at_great_length_is_inflated() {
        for plain in [alloc::vec![0; 1 << 20], b"again and ".repeat(100_000), noise(1 << 20)] {
            let mut out = Vec::new();
            assert_eq!(inflate(&deflated(&plain), 1 << 20, &mut out), Ok(()));
            assert_eq!(out, plain);
        }
    }

    /// How often the decoder returned, and how it ended.
    fn turns(compressed: &[u8]) -> (usize, Result<(), Reject>) {
        let mut out = Vec::new();
        let mut inflation = Inflation::new(compressed, 256 << 10, &mut out);
        let mut count = 0;
        loop {
            count += 1;
            match inflation.turn() {
                Ok(true) => return (count, Ok(())),
                Ok(false) => {}
                Err(reject) => return (count, Err(reject)),
            }
        }
    }

    #[test]
    fn what_is_cut_off_or_of_another_algorithm_is_refused() {
        let compressed = deflated(b"hello hello hello");
        let mut out = Vec::new();
        for len in 0..compressed.len() - 1 {
            assert_eq!(inflate(&compressed[..len], 99, &mut out), Err(Reject::Compression));
        }
        let mut message = Vec::new();
        put(b"hello", &mut message);
        assert_eq!(open(&message[1..], 99, &mut out), Ok(()));
        assert_eq!(out, b"hello");
        let algorithm = message.windows(4).position(|bytes| bytes == b"Algo").unwrap() + 4;
        message[algorithm] = 1;
        assert_eq!(open(&message[1..], 99, &mut out), Err(Reject::Compression));
    }
}
