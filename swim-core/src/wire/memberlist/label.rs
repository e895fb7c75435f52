//! The outermost layer: which cluster a packet or a stream belongs to. memberlist label.go.

use alloc::vec::Vec;

use super::{leaf::Kind, limits::LABEL_HEAD_LEN};
use crate::reject::Reject;

/// What is expected before everything else.
#[derive(Clone, Debug)]
pub(crate) struct Labelling {
    pub(crate) label: Vec<u8>,
    /// Somebody before us takes labels off: one that is still there is too many.
    pub(crate) is_stripped: bool,
}

impl Labelling {
    /// How many bytes of the start are the label's; `None` if more must come to tell.
    pub(crate) fn measure(&self, bytes: &[u8]) -> Result<Option<usize>, Reject> {
        let Some(&first) = bytes.first() else { return Ok(None) };
        if first != Kind::Label as u8 {
            let is_missing = !self.is_stripped && !self.label.is_empty();
            return if is_missing { Err(Reject::Label) } else { Ok(Some(0)) };
        }
        let Some(&len) = bytes.get(1) else { return Ok(None) };
        let end = LABEL_HEAD_LEN + usize::from(len);
        if len == 0 || self.is_stripped {
            return Err(Reject::Label);
        }
        let Some(label) = bytes.get(LABEL_HEAD_LEN..end) else { return Ok(None) };
        if label == self.label { Ok(Some(end)) } else { Err(Reject::Label) }
    }

    /// How many bytes it adds to what is sent.
    pub(crate) fn overhead(&self) -> usize {
        if self.label.is_empty() { 0 } else { LABEL_HEAD_LEN + self.label.len() }
    }

    /// Writes the label, if there is one.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        if let (false, Ok(len)) = (self.label.is_empty(), u8::try_from(self.label.len())) {
            out.extend_from_slice(&[Kind::Label as u8, len]);
            out.extend_from_slice(&self.label);
        }
    }
}
