//! Reading msgpack as Go's codec does: the old raw family and the new one, maps or arrays for
//! structs, any order, unknown keys skipped. Without recursion, whatever the nesting.

use crate::reject::Reject;

/// What stands at the start of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// How many bytes the item itself has, all of its payload included, its children not.
    pub(crate) len: usize,
    /// How many of those are its payload, at the end.
    pub(crate) payload: usize,
    /// How many items follow that belong to it.
    pub(crate) children: u64,
}

/// The shape of the first item; `None` if its head is not there as a whole.
pub(crate) fn shape(bytes: &[u8]) -> Result<Option<Shape>, Reject> {
    let Some(&code) = bytes.first() else { return Ok(None) };
    let low = |mask: u8| u64::from(code & mask);
    // How many bytes say a length, how long the payload is without it, children per length.
    let (length_len, fixed, counts) = match code {
        0x00..=0x7F | 0xE0..=0xFF | 0xC0 | 0xC2 | 0xC3 => (0, 0, 0),
        0x80..=0x8F => return Ok(Some(Shape { len: 1, payload: 0, children: 2 * low(0x0F) })),
        0x90..=0x9F => return Ok(Some(Shape { len: 1, payload: 0, children: low(0x0F) })),
        0xA0..=0xBF => (0, usize::from(code & 0x1F), 0),
        0xC1 => return Err(Reject::Malformed),
        0xC4 | 0xD9 => (1, 0, 0),
        0xC5 | 0xDA => (2, 0, 0),
        0xC6 | 0xDB => (4, 0, 0),
        0xC7 => (1, 1, 0),
        0xC8 => (2, 1, 0),
        0xC9 => (4, 1, 0),
        0xCC | 0xD0 => (0, 1, 0),
        0xCD | 0xD1 | 0xD4 => (0, 2, 0),
        0xCA | 0xCE | 0xD2 => (0, 4, 0),
        0xCB | 0xCF | 0xD3 => (0, 8, 0),
        0xD5 => (0, 3, 0),
        0xD6 => (0, 5, 0),
        0xD7 => (0, 9, 0),
        0xD8 => (0, 17, 0),
        0xDC => (2, 0, 1),
        0xDD => (4, 0, 1),
        0xDE => (2, 0, 2),
        0xDF => (4, 0, 2),
    };
    let Some(length) = bytes.get(1..1 + length_len) else { return Ok(None) };
    let length = length.iter().fold(0_u64, |length, &byte| length << 8 | u64::from(byte));
    if counts > 0 {
        return Ok(Some(Shape { len: 1 + length_len, payload: 0, children: counts * length }));
    }
    // Beyond the word is beyond the input too: the same refusal on every machine. (W4)
    let payload = usize::try_from(length).unwrap_or(usize::MAX).saturating_add(fixed);
    let len = payload.saturating_add(1 + length_len);
    Ok(Some(Shape { len, payload, children: 0 }))
}

/// Takes items from the front of a slice.
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

    /// A struct: a map with the names of its fields as keys, an array in the order of `names`, or
    /// nothing. `set` takes the value of a field, which may come more than once.
    pub(crate) fn fields(
        &mut self,
        names: &[&str],
        mut set: impl FnMut(usize, &mut Self) -> Result<(), Reject>,
    ) -> Result<(), Reject> {
        let code = *self.rest.first().ok_or(Reject::Malformed)?;
        match code {
            0xC0 => self.skip(),
            0x80..=0x8F | 0xDE | 0xDF => {
                for _ in 0..self.open()? / 2 {
                    let key = self.bytes()?.unwrap_or_default();
                    match names.iter().position(|name| name.as_bytes() == key) {
                        Some(field) => set(field, self)?,
                        None => self.skip()?,
                    }
                }
                Ok(())
            }
            0x90..=0x9F | 0xDC | 0xDD => {
                for field in 0..self.open()? {
                    match usize::try_from(field).ok().filter(|&field| field < names.len()) {
                        Some(field) => set(field, self)?,
                        None => self.skip()?,
                    }
                }
                Ok(())
            }
            _ => Err(Reject::Malformed),
        }
    }

    /// A number from 0 to `max`, which is in the range of an i64; zero for nothing.
    pub(crate) fn number(&mut self, max: u64) -> Result<u64, Reject> {
        let value = u64::try_from(self.signed()?).map_err(|_| Reject::Malformed)?;
        if value <= max { Ok(value) } else { Err(Reject::Malformed) }
    }

    /// A number of 32 bits.
    pub(crate) fn u32(&mut self) -> Result<u32, Reject> {
        let value = self.number(u64::from(u32::MAX))?;
        u32::try_from(value).map_err(|_| Reject::Malformed)
    }

    /// A number of 16 bits.
    pub(crate) fn u16(&mut self) -> Result<u16, Reject> {
        let value = self.number(u64::from(u16::MAX))?;
        u16::try_from(value).map_err(|_| Reject::Malformed)
    }

    /// A number with a sign, of which one of 64 bits without may come out negative, as in Go.
    pub(crate) fn signed(&mut self) -> Result<i64, Reject> {
        let (code, payload) = self.item()?;
        let big = payload.iter().fold(0_u64, |value, &byte| value << 8 | u64::from(byte));
        Ok(match code {
            0x00..=0x7F => i64::from(code),
            0xE0..=0xFF => i64::from(code.cast_signed()),
            0xC0 => 0,
            0xCC..=0xCF => big.cast_signed(),
            0xD0..=0xD3 => {
                let unused = 64 - 8 * payload.len();
                big.cast_signed() << unused >> unused
            }
            _ => return Err(Reject::Malformed),
        })
    }

    /// Yes or no; no for nothing.
    pub(crate) fn flag(&mut self) -> Result<bool, Reject> {
        match self.item()?.0 {
            0xC0 | 0xC2 | 0x00 => Ok(false),
            0xC3 | 0x01 => Ok(true),
            _ => Err(Reject::Malformed),
        }
    }

    /// Bytes or a text in any form; `None` for nothing. Lists of numbers are made into bytes
    /// before. See `lists.rs`.
    pub(crate) fn bytes(&mut self) -> Result<Option<&'a [u8]>, Reject> {
        let code = *self.rest.first().ok_or(Reject::Malformed)?;
        match code {
            0xC0 => self.skip().map(|()| None),
            0xA0..=0xBF | 0xC4..=0xC6 | 0xD9..=0xDB => Ok(Some(self.item()?.1)),
            _ => Err(Reject::Malformed),
        }
    }

    /// Passes over one value, whatever it is.
    pub(crate) fn skip(&mut self) -> Result<(), Reject> {
        let mut pending = 1_u64;
        while pending > 0 {
            // Each item has a byte at least, so that the input bounds the loop. (W3)
            let shape = shape(self.rest)?.ok_or(Reject::Malformed)?;
            self.rest = self.rest.get(shape.len..).ok_or(Reject::Malformed)?;
            pending = (pending - 1).saturating_add(shape.children);
        }
        Ok(())
    }

    /// The head of a map or an array: how many items it has.
    pub(crate) fn open(&mut self) -> Result<u64, Reject> {
        let shape = shape(self.rest)?.ok_or(Reject::Malformed)?;
        self.rest = self.rest.get(shape.len..).ok_or(Reject::Malformed)?;
        Ok(shape.children)
    }

    /// An item without children: its code and its payload.
    fn item(&mut self) -> Result<(u8, &'a [u8]), Reject> {
        let shape = shape(self.rest)?.ok_or(Reject::Malformed)?;
        let (item, rest) = self.rest.split_at_checked(shape.len).ok_or(Reject::Malformed)?;
        self.rest = rest;
        Ok((item[0], &item[shape.len - shape.payload..]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_in_any_form_and_are_checked_against_their_range() {
        let cases: [(&[u8], Option<u32>); 14] = [
            (&[0x05], Some(5)),
            (&[0xCC, 0xC8], Some(200)),
            (&[0xCD, 1, 0x2C], Some(300)),
            (&[0xCE, 0xFF, 0xFF, 0xFF, 0xFF], Some(u32::MAX)),
            (&[0xCF, 0, 0, 0, 0, 0, 0, 0, 7], Some(7)),
            (&[0xD0, 0x7F], Some(127)),
            (&[0xD1, 0, 0xC8], Some(200)),
            (&[0xC0], Some(0)),
            (&[0xFF], None),
            (&[0xD0, 0x80], None),
            (&[0xCF, 0, 0, 0, 1, 0, 0, 0, 0], None),
            (&[0xCF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], None),
            (&[0xCB, 0x3F, 0xF0, 0, 0, 0, 0, 0, 0], None),
            (&[0xA1, b'1'], None),
        ];
        for (bytes, expected) in cases {
            assert_eq!(Reader::new(bytes).u32().ok(), expected, "{bytes:x?}");
        }
        assert_eq!(Reader::new(&[0xD1, 0xFF, 0xFE]).signed(), Ok(-2));
        assert_eq!(Reader::new(&[0xCF; 9]).signed().map(|value| value < 0), Ok(true));
    }

    #[test]
    fn bytes_come_in_any_form() {
        type Case<'a> = (&'a [u8], Result<Option<&'a [u8]>, Reject>);
        let cases: [Case<'_>; 9] = [
            (&[0xA1, b'x'], Ok(Some(b"x"))),
            (&[0xD9, 1, b'x'], Ok(Some(b"x"))),
            (&[0xDA, 0, 1, b'x'], Ok(Some(b"x"))),
            (&[0xC4, 1, b'x'], Ok(Some(b"x"))),
            (&[0x93, 1, 0x62, 0x63], Err(Reject::Malformed)),
            (&[0xC0], Ok(None)),
            (&[0x01], Err(Reject::Malformed)),
            (&[0xA2, b'x'], Err(Reject::Malformed)),
            (&[0xDB, 0xFF, 0xFF, 0xFF, 0xFF, b'x'], Err(Reject::Malformed)),
        ];
        for (bytes, expected) in cases {
            assert_eq!(Reader::new(bytes).bytes(), expected, "{bytes:x?}");
        }
    }

    #[test]
    fn long_lists_and_maps_say_how_many_items_follow() {
        for (bytes, len, children) in [
            (&[0xDC, 1, 2][..], 3, 0x102),
            (&[0xDD, 0, 0, 1, 2], 5, 0x102),
            (&[0xDE, 1, 2], 3, 2 * 0x102),
            (&[0xDF, 0, 0, 1, 2], 5, 2 * 0x102),
        ] {
            let expected = Shape { len, payload: 0, children };
            assert_eq!(shape(bytes), Ok(Some(expected)), "{bytes:x?}");
            assert_eq!(shape(&bytes[..len - 1]), Ok(None));
        }
    }

    #[test]
    fn what_a_list_has_beyond_the_fields_is_passed_over() {
        let mut seen = [None; 2];
        let mut from = Reader::new(&[0x94, 5, 6, 7, 8, 0xC3]);
        let read = from.fields(&["a", "b"], |field, from| {
            assert_eq!(seen[field], None, "{field}");
            seen[field] = Some(from.number(9)?);
            Ok(())
        });
        assert_eq!((read, seen, from.flag()), (Ok(()), [Some(5), Some(6)], Ok(true)));
    }

    #[test]
    fn w3_what_is_skipped_may_be_nested_as_deep_as_it_likes() {
        let mut deep = alloc::vec![0x91; 60_000];
        deep.push(0xC0);
        let mut from = Reader::new(&deep);
        assert_eq!(from.skip(), Ok(()));
        assert!(from.rest().is_empty());
        assert_eq!(Reader::new(&deep[..60_000]).skip(), Err(Reject::Malformed));
        // Two lengths of 2^32 multiplied by two are no reason to go round for ever.
        assert_eq!(Reader::new(&[0xDF; 10]).skip(), Err(Reject::Malformed));
    }
}
