//! Values as bytes: postcard's encoding, written out, so that nothing of it is left to chance.
//!
//! Postcard is a good format, and the tests hold these two types against the crate of that name. As
//! a reader of hostile bytes the crate is too kind: it takes over-long numbers, and lengths as wide
//! as the machine's word. Here every value has exactly one encoding (W2), numbers and lengths mean
//! the same on every machine (W4), and there is nothing to nest or to loop over (W3). It also takes
//! half the time.

use crate::{
    name::NameRef,
    reject::Reject,
    stamp::{Incarnation, LIFE_MAX, Life, Stamp},
};

/// Takes values from the front of a slice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What has not been taken yet.
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Bytes whose number the format fixes.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Reject> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(Reject::Malformed)?;
        self.rest = rest;
        Ok(*array)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Reject> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    pub(crate) fn flag(&mut self) -> Result<bool, Reject> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Reject::Malformed),
        }
    }

    /// A number in its full width, little end first.
    pub(crate) fn fixed_u16(&mut self) -> Result<u16, Reject> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    /// A number in its full width, little end first.
    pub(crate) fn fixed_u32(&mut self) -> Result<u32, Reject> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// A number in its full width, little end first.
    pub(crate) fn fixed_u64(&mut self) -> Result<u64, Reject> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A number in as few bytes as it needs: seven bits in each, the lowest first, the high bit set
    /// in all but the last. A last byte of zero would be one byte too many.
    pub(crate) fn varint(&mut self) -> Result<u64, Reject> {
        let mut value = 0;
        for (at, &byte) in self.rest.iter().take(VARINT_LEN_MAX).enumerate() {
            value |= u64::from(byte & 0x7F) << (7 * at);
            if byte & 0x80 == 0 {
                let is_overlong = byte == 0 && at > 0;
                let is_too_large = byte > 1 && at == VARINT_LEN_MAX - 1;
                if is_overlong || is_too_large {
                    break;
                }
                self.rest = &self.rest[at + 1..];
                return Ok(value);
            }
        }
        Err(Reject::Malformed)
    }

    pub(crate) fn varint_u32(&mut self) -> Result<u32, Reject> {
        self.varint()?.try_into().map_err(|_| Reject::Malformed)
    }

    /// Bytes with their length before them.
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Reject> {
        // A length beyond the word is beyond the input too: the same refusal on every machine.
        let len = usize::try_from(self.varint()?).map_err(|_| Reject::Malformed)?;
        let (bytes, rest) = self.rest.split_at_checked(len).ok_or(Reject::Malformed)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// A member's name, or another text that must be as harmless as one. (X15)
    pub(crate) fn name(&mut self) -> Result<NameRef<'a>, Reject> {
        NameRef::new(self.bytes()?).ok_or(Reject::Text)
    }

    /// A life that a correct node can have. (X7)
    pub(crate) fn life(&mut self) -> Result<Life, Reject> {
        let life = self.varint()?;
        if life <= LIFE_MAX { Ok(Life(life)) } else { Err(Reject::Implausible) }
    }

    /// A stamp that a correct node can have. (X7)
    pub(crate) fn stamp(&mut self) -> Result<Stamp, Reject> {
        let stamp = Stamp { life: self.life()?, incarnation: Incarnation(self.varint()?) };
        if stamp.is_plausible() { Ok(stamp) } else { Err(Reject::Implausible) }
    }
}

/// Puts values to the front of a slice. What does not fit is counted but not written.
#[derive(Debug)]
pub(crate) struct Writer<'o> {
    room: &'o mut [u8],
    len: usize,
}

impl<'o> Writer<'o> {
    pub(crate) const fn new(room: &'o mut [u8]) -> Self {
        Self { room, len: 0 }
    }

    /// A writer that only counts.
    pub(crate) const fn counting() -> Self {
        Self { room: &mut [], len: 0 }
    }

    /// How many bytes were put, whether they fitted or not.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// How many bytes were written, or `None` if they did not all fit.
    pub(crate) fn finish(self) -> Option<usize> {
        (self.len <= self.room.len()).then_some(self.len)
    }

    pub(crate) fn array<const N: usize>(&mut self, bytes: [u8; N]) {
        self.raw(&bytes);
    }

    pub(crate) fn byte(&mut self, byte: u8) {
        self.array([byte]);
    }

    pub(crate) fn flag(&mut self, flag: bool) {
        self.byte(u8::from(flag));
    }

    pub(crate) fn fixed_u16(&mut self, value: u16) {
        self.array(value.to_le_bytes());
    }

    pub(crate) fn fixed_u32(&mut self, value: u32) {
        self.array(value.to_le_bytes());
    }

    pub(crate) fn fixed_u64(&mut self, value: u64) {
        self.array(value.to_le_bytes());
    }

    pub(crate) fn varint(&mut self, mut value: u64) {
        while value > 0x7F {
            let [low, ..] = value.to_le_bytes();
            self.byte(low | 0x80);
            value >>= 7;
        }
        let [low, ..] = value.to_le_bytes();
        self.byte(low);
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.varint(bytes.len() as u64);
        self.raw(bytes);
    }

    pub(crate) fn name(&mut self, name: NameRef<'_>) {
        self.bytes(name.as_bytes());
    }

    pub(crate) fn stamp(&mut self, stamp: Stamp) {
        self.varint(stamp.life.0);
        self.varint(stamp.incarnation.0);
    }

    #[inline]
    fn raw(&mut self, bytes: &[u8]) {
        let end = self.len + bytes.len();
        if let Some(room) = self.room.get_mut(self.len..end) {
            room.copy_from_slice(bytes);
        }
        self.len = end;
    }
}

/// 64 bits in groups of seven.
const VARINT_LEN_MAX: usize = 10;

#[cfg(test)]
mod tests {
    use alloc::{string::String, vec::Vec};

    use proptest::{collection, prelude::*};
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::name::named;

    /// One of everything, as the crate `postcard` sees it.
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Sample<'a> {
        number: u64,
        text: &'a str,
        flag: bool,
        #[serde(with = "postcard::fixint::le")]
        fixed: u32,
        #[serde(with = "serde_bytes")]
        bytes: &'a [u8],
        stamp: Stamp,
    }

    fn put(sample: &Sample<'_>, room: &mut [u8]) -> Option<usize> {
        let mut to = Writer::new(room);
        to.varint(sample.number);
        to.name(named(sample.text));
        to.flag(sample.flag);
        to.fixed_u32(sample.fixed);
        to.bytes(sample.bytes);
        to.stamp(sample.stamp);
        to.finish()
    }

    fn take<'a>(from: &mut Reader<'a>) -> Result<Sample<'a>, Reject> {
        Ok(Sample {
            number: from.varint()?,
            text: from.name()?.as_str(),
            flag: from.flag()?,
            fixed: from.fixed_u32()?,
            bytes: from.bytes()?,
            stamp: from.stamp()?,
        })
    }

    /// Numbers of every length, not only of the greatest.
    fn any_number() -> impl Strategy<Value = u64> {
        (any::<u64>(), 0_u32..64).prop_map(|(number, shift)| number >> shift)
    }

    proptest! {
        #[test]
        fn w2_the_bytes_are_those_of_postcard(
            number in any_number(),
            text in "[a-zä]{1,40}",
            flag: bool,
            fixed: u32,
            bytes in collection::vec(any::<u8>(), 0..200),
            life in any_number(),
            incarnation in any_number(),
        ) {
            let stamp = Stamp::new(life >> 16, incarnation >> 16);
            let sample = Sample { number, text: &text, flag, fixed, bytes: &bytes, stamp };
            let (mut ours, mut theirs) = ([0; 512], [0; 512]);
            let len = put(&sample, &mut ours).unwrap();
            let theirs = postcard::to_slice(&sample, &mut theirs).unwrap();
            prop_assert_eq!(&ours[..len], &*theirs);
            let mut from = Reader::new(theirs);
            prop_assert_eq!(take(&mut from), Ok(sample));
            prop_assert!(from.rest().is_empty());
            for room in 0..len {
                let sample = take(&mut Reader::new(theirs)).unwrap();
                prop_assert_eq!(put(&sample, &mut ours[..room]), None);
            }
        }

        /// What is read and written again gives the same bytes: there is no second encoding. And
        /// what is read here, postcard reads alike.
        #[test]
        fn w2_hostile_bytes_have_one_reading(bytes in collection::vec(
            prop_oneof![Just(0_u8), Just(1), Just(0x80), Just(0x81), Just(b'a'), any::<u8>()],
            0..40,
        )) {
            let mut from = Reader::new(&bytes);
            if let Ok(sample) = take(&mut from) {
                let used = bytes.len() - from.rest().len();
                let mut again = [0; 64];
                prop_assert_eq!(put(&sample, &mut again), Some(used));
                prop_assert_eq!(&again[..used], &bytes[..used]);
                prop_assert_eq!(postcard::from_bytes(&bytes), Ok(sample));
            }
        }
    }

    #[test]
    fn w2_only_the_shortest_number_is_accepted() {
        let cases: [(&[u8], Result<u64, Reject>); 9] = [
            (&[0], Ok(0)),
            (&[0x7F], Ok(127)),
            (&[0x80, 1], Ok(128)),
            (&[0xFF; 9], Err(Reject::Malformed)),
            (&[0x80, 0], Err(Reject::Malformed)),
            (&[0x81, 0x80, 0], Err(Reject::Malformed)),
            (&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1], Ok(u64::MAX)),
            (&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2], Err(Reject::Malformed)),
            (&[], Err(Reject::Malformed)),
        ];
        for (bytes, expected) in cases {
            assert_eq!(Reader::new(bytes).varint(), expected, "{bytes:?}");
        }
    }

    #[test]
    fn w4_a_length_means_the_same_in_32_bits() {
        for len in [1 << 32, (1 << 32) + 1, u64::MAX] {
            let mut bytes = [b'a'; 32];
            Writer::new(&mut bytes).varint(len);
            assert_eq!(Reader::new(&bytes).bytes(), Err(Reject::Malformed), "{len}");
        }
    }

    #[test]
    fn x7_x15_names_and_stamps_are_checked_as_they_are_read() {
        let long = String::from_iter(['x'; 129]);
        for text in ["", "a\n", long.as_str()] {
            let mut bytes = Vec::from([0; 200]);
            Writer::new(&mut bytes).name(named(text));
            assert_eq!(Reader::new(&bytes).name(), Err(Reject::Text), "{text:?}");
        }
        assert_eq!(Reader::new(&[1, 0xFF]).name(), Err(Reject::Text));
        for (life, incarnation) in [(1 << 48, 1), (1, 1 << 48)] {
            let mut bytes = [0; 20];
            Writer::new(&mut bytes).stamp(Stamp::new(life, incarnation));
            assert_eq!(Reader::new(&bytes).stamp(), Err(Reject::Implausible));
        }
    }

    /// All of one, two and three bytes, and around each further step: every number has one
    /// encoding, the shortest, and every other is refused. (W2)
    #[test]
    fn c3_w2_each_number_has_one_encoding_and_each_encoding_one_number() {
        let written = |value: u64| {
            let mut room = [0; VARINT_LEN_MAX];
            let mut to = Writer::new(&mut room);
            to.varint(value);
            let len = to.finish().expect("room for the longest");
            (room, len)
        };
        let steps = (3..10).flat_map(|at| [(1_u64 << (7 * at)) - 1, 1 << (7 * at)]);
        let few = 0..1_u64 << 16;
        for value in few.chain(steps).chain([u64::from(u32::MAX), u64::MAX - 1, u64::MAX]) {
            let (room, len) = written(value);
            let bits = 64 - value.max(1).leading_zeros() as usize;
            assert_eq!(len, bits.div_ceil(7), "{value}");
            let mut from = Reader::new(&room[..len]);
            assert_eq!(from.varint(), Ok(value));
            assert!(from.rest().is_empty());
            assert_eq!(Reader::new(&room[..len - 1]).varint(), Err(Reject::Malformed));
            let is_u32 = u32::try_from(value).map_err(|_| Reject::Malformed);
            assert_eq!(Reader::new(&room[..len]).varint_u32(), is_u32);
        }
        let mut accepted = 0;
        for bytes in 0..1_u32 << 24 {
            let bytes = bytes.to_le_bytes();
            let mut from = Reader::new(&bytes[..3]);
            if let Ok(value) = from.varint() {
                let used = 3 - from.rest().len();
                let (room, len) = written(value);
                assert_eq!(room[..len], bytes[..used], "{value} has another encoding, too");
                accepted += 1;
            }
        }
        // One byte and anything; two and anything, but not those that end in nothing; three.
        assert_eq!(accepted, (128 << 16) + ((128 * 127) << 8) + 128 * 128 * 127);
    }
}
