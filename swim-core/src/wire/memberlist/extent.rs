//! Where a stream's message ends. Nothing says how long it is, so that its items are counted as
//! they come, each looked at once.

use super::{
    leaf::Kind,
    limits::STREAM_LEN_MAX,
    push_pull::{Head, read_delivery},
    unpack::{Reader, shape},
};
use crate::reject::Reject;

/// The bounds on what comes in on streams.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inbound {
    /// The most bytes of application state in a table.
    pub(crate) state_len_max: usize,
    /// The most bytes of a reliable message.
    pub(crate) message_len_max: usize,
}

/// How far into a message somebody has looked.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Extent {
    stage: Stage,
    /// So many bytes are known to belong to it.
    len: usize,
    /// Items still to come of the value that is being passed over.
    pending: u64,
    /// Values still to come.
    values: u32,
    /// Bytes still to come behind them.
    raw: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Kind,
    First(Kind),
    Values,
    Raw,
    Whole,
}

impl Extent {
    /// Looks on, at all that has come so far; true when the message is there as a whole.
    pub(crate) fn advance(&mut self, bytes: &[u8], inbound: &Inbound) -> Result<bool, Reject> {
        loop {
            match self.stage {
                Stage::Kind => {
                    let Some(&byte) = bytes.first() else { return Ok(false) };
                    let kind = Kind::of(byte).ok_or(Reject::Malformed)?;
                    if !may_be_streamed(kind) {
                        return Err(Reject::Misplaced);
                    }
                    (self.stage, self.len, self.pending) = (Stage::First(kind), 1, 1);
                }
                Stage::First(kind) => {
                    if !self.pass(bytes)? {
                        return Ok(false);
                    }
                    let mut first = Reader::new(&bytes[1..self.len]);
                    match kind {
                        Kind::PushPull => {
                            let head = Head::read(&mut first)?;
                            (self.values, self.raw) = (head.nodes, head.state_len);
                            refuse_above(inbound.state_len_max, self.raw)?;
                        }
                        Kind::User => {
                            self.raw = read_delivery(&mut first)?;
                            refuse_above(inbound.message_len_max, self.raw)?;
                        }
                        _ => {}
                    }
                    self.stage = Stage::Values;
                }
                Stage::Values if self.pending == 0 && self.values == 0 => self.stage = Stage::Raw,
                Stage::Values => {
                    if self.pending == 0 {
                        (self.pending, self.values) = (1, self.values - 1);
                    }
                    if !self.pass(bytes)? {
                        return Ok(false);
                    }
                }
                Stage::Raw => {
                    let end = self.len + self.raw as usize;
                    if end > STREAM_LEN_MAX {
                        return Err(Reject::Oversize);
                    }
                    if bytes.len() < end {
                        return Ok(false);
                    }
                    (self.stage, self.len) = (Stage::Whole, end);
                }
                Stage::Whole => return Ok(true),
            }
        }
    }

    /// How many bytes the message has, once it is whole.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Passes over a value; true when all of it is there.
    fn pass(&mut self, bytes: &[u8]) -> Result<bool, Reject> {
        while self.pending > 0 {
            let Some(shape) = shape(&bytes[self.len..])? else { return Ok(false) };
            let end = self.len.saturating_add(shape.len);
            if end > STREAM_LEN_MAX {
                return Err(Reject::Oversize);
            }
            if end > bytes.len() {
                return Ok(false);
            }
            self.len = end;
            self.pending = (self.pending - 1).saturating_add(shape.children);
        }
        Ok(true)
    }
}

/// Nothing is kept of what would be refused when it is there.
fn refuse_above(max: usize, len: u32) -> Result<(), Reject> {
    if len as usize > max { Err(Reject::Oversize) } else { Ok(()) }
}

/// Which messages stand in streams for themselves.
fn may_be_streamed(kind: Kind) -> bool {
    match kind {
        Kind::Ping | Kind::Ack | Kind::PushPull | Kind::User | Kind::Compress | Kind::Error => true,
        Kind::IndirectPing
        | Kind::Suspect
        | Kind::Alive
        | Kind::Dead
        | Kind::Compound
        | Kind::Encrypt
        | Kind::Nack
        | Kind::HasCrc
        | Kind::Label => false,
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    /// What becomes of a message that begins like this and may be so long.
    fn advance(start: &[u8]) -> Result<bool, Reject> {
        let inbound = Inbound { state_len_max: STREAM_LEN_MAX, message_len_max: STREAM_LEN_MAX };
        Extent::default().advance(start, &inbound)
    }

    /// A text of this length, of which nothing is there but its head.
    fn text(len: usize) -> [u8; 5] {
        let [a, b, c, d] = u32::try_from(len).unwrap().to_be_bytes();
        [0xDB, a, b, c, d]
    }

    #[test]
    fn o6_x11_a_value_ends_within_the_longest_message() {
        let ping = |len| [&[Kind::Ping as u8], &text(len)[..]].concat();
        assert_eq!(advance(&ping(STREAM_LEN_MAX - 6)), Ok(false));
        assert_eq!(advance(&ping(STREAM_LEN_MAX - 5)), Err(Reject::Oversize));
    }

    #[test]
    fn o6_x11_so_does_the_state_behind_a_table() {
        let state_len = 20 << 20;
        let table = |len: usize| {
            let mut out = Vec::from([Kind::PushPull as u8]);
            Head { nodes: 1, state_len, join: false }.put(&mut out);
            let value_len = len - out.len() - 5;
            out.extend_from_slice(&text(value_len));
            out.resize(len, b'x');
            out
        };
        let longest = STREAM_LEN_MAX - state_len as usize;
        assert_eq!(advance(&table(longest)), Ok(false));
        assert_eq!(advance(&table(longest + 1)), Err(Reject::Oversize));
    }
}
