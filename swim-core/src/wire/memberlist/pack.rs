//! Writing msgpack as Go's codec does, byte for byte: one form for each value.

use alloc::vec::Vec;

/// Puts items to the end of a vector.
#[derive(Debug)]
pub(crate) struct Packer<'o> {
    out: &'o mut Vec<u8>,
}

impl<'o> Packer<'o> {
    pub(crate) const fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out }
    }

    /// The head of a map with up to 15 fields, which must follow in the order of their names.
    pub(crate) fn map(&mut self, fields: usize) {
        debug_assert!(fields < 16);
        self.out.push(0x80 | fields as u8);
    }

    /// A field with an unsigned number, in the unsigned family.
    pub(crate) fn number(&mut self, name: &str, value: u32) {
        self.raw(name.as_bytes());
        match value {
            0..=0x7F => self.out.push(value as u8),
            0x80..=0xFF => self.out.extend_from_slice(&[0xCC, value as u8]),
            0x100..=0xFFFF => {
                self.out.push(0xCD);
                self.out.extend_from_slice(&(value as u16).to_be_bytes());
            }
            _ => {
                self.out.push(0xCE);
                self.out.extend_from_slice(&value.to_be_bytes());
            }
        }
    }

    /// A field with a number that could be negative, in the signed family: 200 is `d1 00 c8`.
    pub(crate) fn signed(&mut self, name: &str, value: u32) {
        self.raw(name.as_bytes());
        if value <= 0x7F {
            self.out.push(value as u8);
        } else if let Ok(value) = i16::try_from(value) {
            self.out.push(0xD1);
            self.out.extend_from_slice(&value.to_be_bytes());
        } else if let Ok(value) = i32::try_from(value) {
            self.out.push(0xD2);
            self.out.extend_from_slice(&value.to_be_bytes());
        } else {
            self.out.push(0xD3);
            self.out.extend_from_slice(&i64::from(value).to_be_bytes());
        }
    }

    pub(crate) fn flag(&mut self, name: &str, value: bool) {
        self.raw(name.as_bytes());
        self.out.push(if value { 0xC3 } else { 0xC2 });
    }

    pub(crate) fn bytes(&mut self, name: &str, value: &[u8]) {
        self.raw(name.as_bytes());
        self.raw(value);
    }

    /// A field that Go knows both empty and absent.
    pub(crate) fn maybe_bytes(&mut self, name: &str, value: Option<&[u8]>) {
        self.raw(name.as_bytes());
        match value {
            Some(value) => self.raw(value),
            None => self.out.push(0xC0),
        }
    }

    /// Bytes or a text in the old raw family.
    pub(crate) fn raw(&mut self, value: &[u8]) {
        let len = value.len();
        if len < 32 {
            self.out.push(0xA0 | len as u8);
        } else if let Ok(len) = u16::try_from(len) {
            self.out.push(0xDA);
            self.out.extend_from_slice(&len.to_be_bytes());
        } else {
            let len = u32::try_from(len).expect("nothing is written that has 4 GiB");
            self.out.push(0xDB);
            self.out.extend_from_slice(&len.to_be_bytes());
        }
        self.out.extend_from_slice(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_length_and_sign_has_the_form_that_go_gives_it() {
        let put = |put: &dyn Fn(&mut Packer<'_>)| {
            let mut out = Vec::new();
            put(&mut Packer::new(&mut out));
            out[2..].to_vec() // Behind the name.
        };
        for (value, bytes) in [
            (127, &[0x7F][..]),
            (128, &[0xCC, 0x80]),
            (300, &[0xCD, 1, 0x2C]),
            (70_000, &[0xCE, 0, 1, 0x11, 0x70]),
        ] {
            assert_eq!(put(&|to| to.number("n", value)), bytes, "{value}");
        }
        for (value, bytes) in [
            (127, &[0x7F][..]),
            (128, &[0xD1, 0, 0x80]),
            (70_000, &[0xD2, 0, 1, 0x11, 0x70]),
            (u32::MAX, &[0xD3, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]),
        ] {
            assert_eq!(put(&|to| to.signed("n", value)), bytes, "{value}");
        }
        for (len, head) in [
            (31, &[0xBF][..]),
            (32, &[0xDA, 0, 32]),
            (65_535, &[0xDA, 0xFF, 0xFF]),
            (65_536, &[0xDB, 0, 1, 0, 0]),
        ] {
            let text = alloc::vec![b'x'; len];
            assert_eq!(put(&|to| to.bytes("n", &text))[..head.len()], *head, "{len}");
        }
        assert_eq!(put(&|to| to.maybe_bytes("n", None)), [0xC0]);
        assert_eq!(put(&|to| to.maybe_bytes("n", Some(b""))), [0xA0]);
    }
}
