//! Several messages in one: their number, their lengths, and then all of them.

use alloc::vec::Vec;

use super::leaf::Kind;
use crate::reject::Reject;

/// The parts of a compound message, behind its type.
#[derive(Clone, Debug)]
pub(crate) struct Parts<'a> {
    lengths: &'a [[u8; 2]],
    rest: &'a [u8],
}

impl<'a> Parts<'a> {
    /// Reads the table of lengths, which must be there as a whole.
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, Reject> {
        let (&count, rest) = body.split_first().ok_or(Reject::Truncated)?;
        let table = 2 * usize::from(count);
        let (lengths, rest) = rest.split_at_checked(table).ok_or(Reject::Truncated)?;
        Ok(Self { lengths: lengths.as_chunks().0, rest })
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = Result<&'a [u8], Reject>;

    /// The next part. One that is not there as a whole is the last: nobody knows where the others
    /// would begin.
    fn next(&mut self) -> Option<Self::Item> {
        let (len, lengths) = self.lengths.split_first()?;
        let len = usize::from(u16::from_be_bytes(*len));
        let Some((part, rest)) = self.rest.split_at_checked(len) else {
            self.lengths = &[];
            return Some(Err(Reject::Truncated));
        };
        (self.lengths, self.rest) = (lengths, rest);
        Some(if part.is_empty() { Err(Reject::Malformed) } else { Ok(part) })
    }
}

/// Puts parts of these lengths together, one after the other in `parts`.
pub(crate) fn put(lengths: &[u16], parts: &[u8], out: &mut Vec<u8>) {
    let count = u8::try_from(lengths.len()).expect("a writer takes at most 255 parts");
    out.extend_from_slice(&[Kind::Compound as u8, count]);
    for len in lengths {
        out.extend_from_slice(&len.to_be_bytes());
    }
    out.extend_from_slice(parts);
}
