//! One stream: a message in each direction, and what has come of the one to us.

use alloc::vec::Vec;

use super::{
    extent::{Extent, Inbound},
    label::Labelling,
    leaf::{Kind, Leaf, Ping},
    limits::{
        ENTRIES_PER_BATCH, INCOMING_MAX, PIECE_LEN, SEALED_HEAD_LEN, SEALED_LEN_MAX, STREAM_LEN_MAX,
    },
    lists, lzw,
    meaning::{self, Identity},
    push_pull::{Head, Node, read_delivery},
    seal::Sealing,
    unpack::Reader,
};
use crate::{
    name,
    reject::Reject,
    wire::{
        message::{DeliveryHead, ExchangeHead, Message, Refusal},
        opened::{Messages, Opened, Refusals, To},
    },
};

/// One end of a stream.
#[derive(Debug)]
pub(crate) struct Channel {
    is_dialer: bool,
    /// A label is written once, by the one who dialed.
    owes_label: bool,
    stage: Stage,
    /// What has come, then what it was opened to.
    incoming: Vec<u8>,
    extent: Extent,
    broken: Option<Reject>,
    /// Whether who dialed may be told why nothing came of it: not before it has shown the key,
    /// where all must be sealed, and never somebody of another cluster.
    may_be_told: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The label comes, if there is one.
    Label,
    /// The first byte tells whether the message is sealed.
    Opening,
    /// A message that is not sealed comes, until it ends.
    Plain,
    /// The message is there, and nothing of it was handed on.
    Whole,
    /// So many entries are left from here on, and after them so many bytes.
    Entries { left: u32, at: usize, raw: u32 },
    /// So many bytes are left from here on.
    Raw { left: u32, at: usize, is_state: bool },
    /// All was handed on.
    Over,
}

/// How the messages of streams are opened.
pub(super) struct Rules<'w> {
    pub(super) labelling: &'w Labelling,
    pub(super) sealing: Option<&'w mut Sealing>,
    /// Nothing is taken that is not sealed.
    pub(super) must_be_sealed: bool,
    pub(super) own: &'w Identity,
    pub(super) inbound: &'w Inbound,
}

impl Channel {
    /// The end that dialed.
    pub(crate) fn dialer() -> Self {
        Self::new(true)
    }

    /// The end that was dialed.
    pub(crate) fn listener() -> Self {
        Self::new(false)
    }

    /// Whether all of the peer's message was handed on.
    pub(crate) fn has_received_all(&self) -> bool {
        self.stage == Stage::Over
    }

    /// How many bytes of the peer's message are there and not handed on as a whole.
    pub(crate) fn held(&self) -> usize {
        self.incoming.len()
    }

    /// Whether the peer may be told why its message is refused.
    pub(crate) const fn may_be_told(&self) -> bool {
        self.may_be_told
    }

    /// Whether the next message to go must have the label before it; it need not again.
    pub(super) fn take_label(&mut self) -> bool {
        core::mem::take(&mut self.owes_label)
    }

    /// Takes what has come, and hands on the next messages once all of them are there. What comes
    /// after the message is ignored, as in Go.
    pub(super) fn open<'s>(
        &mut self,
        rules: &mut Rules<'_>,
        wall: Option<u32>,
        chunk: &mut &[u8],
        scratch: &'s mut Vec<u8>,
    ) -> Result<Option<Opened<'s>>, Reject> {
        if let Some(reject) = self.broken {
            return Err(reject);
        }
        let opened = self.take(rules, wall, core::mem::take(chunk)).and_then(|is_whole| {
            if is_whole { self.hand_on(rules.own, scratch) } else { Ok(None) }
        });
        if let Err(reject) = opened {
            self.broken = Some(reject);
            self.incoming = Vec::new();
        }
        opened
    }

    /// How many bytes are set aside for what comes.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        self.incoming.capacity()
    }

    fn new(is_dialer: bool) -> Self {
        Self {
            is_dialer,
            owes_label: is_dialer,
            stage: Stage::Label,
            incoming: Vec::new(),
            extent: Extent::default(),
            broken: None,
            may_be_told: false,
        }
    }

    /// Takes what has come; true when the message is there, opened and well formed as a whole.
    pub(super) fn take(
        &mut self,
        rules: &mut Rules<'_>,
        wall: Option<u32>,
        chunk: &[u8],
    ) -> Result<bool, Reject> {
        if !matches!(self.stage, Stage::Label | Stage::Opening | Stage::Plain) {
            return Ok(true);
        }
        if self.incoming.len() + chunk.len() > INCOMING_MAX {
            return Err(Reject::Oversize);
        }
        self.incoming.extend_from_slice(chunk);
        if self.stage == Stage::Label {
            // Answers have no label of their own.
            let len =
                if self.is_dialer { Some(0) } else { rules.labelling.measure(&self.incoming)? };
            let Some(len) = len else { return Ok(false) };
            self.incoming.drain(..len);
            self.may_be_told = !self.is_dialer && !rules.must_be_sealed;
            self.stage = Stage::Opening;
        }
        if self.stage == Stage::Opening {
            let Some(&first) = self.incoming.first() else { return Ok(false) };
            if first == Kind::Encrypt as u8 {
                return self.unseal(rules, wall);
            }
            if rules.must_be_sealed {
                return Err(Reject::Plaintext);
            }
            self.stage = Stage::Plain;
        }
        if !self.extent.advance(&self.incoming, rules.inbound)? {
            return Ok(false);
        }
        self.unpack(rules.inbound)?;
        Ok(true)
    }

    /// Opens a sealed message once all of it has come.
    fn unseal(&mut self, rules: &mut Rules<'_>, wall: Option<u32>) -> Result<bool, Reject> {
        let sealing = rules.sealing.as_deref_mut().ok_or(Reject::Sealed)?;
        let Some((head, rest)) = self.incoming.split_first_chunk::<SEALED_HEAD_LEN>() else {
            return Ok(false);
        };
        let [_, len @ ..] = *head;
        let len = usize::try_from(u32::from_be_bytes(len)).map_err(|_| Reject::Oversize)?;
        if len > SEALED_LEN_MAX {
            return Err(Reject::Oversize);
        }
        let Some(sealed) = rest.get(..len) else { return Ok(false) };
        let around = [head, &rules.labelling.label[..]].concat();
        let mut message = Vec::new();
        sealing.open(sealed, &around, wall, &mut message)?;
        self.may_be_told = !self.is_dialer;
        self.incoming = message;
        self.check_whole(rules.inbound)?;
        self.unpack(rules.inbound)?;
        Ok(true)
    }

    /// Inflates the message if it is compressed, and looks at each line of it.
    fn unpack(&mut self, inbound: &Inbound) -> Result<(), Reject> {
        self.incoming.truncate(self.extent.len());
        if self.incoming.first() == Some(&(Kind::Compress as u8)) {
            let mut message = Vec::new();
            lzw::open(&self.incoming[1..], STREAM_LEN_MAX, &mut message)?;
            self.incoming = message;
            self.extent = Extent::default();
            if self.incoming.first() == Some(&(Kind::Compress as u8)) {
                return Err(Reject::Misplaced);
            }
            self.check_whole(inbound)?;
            self.incoming.truncate(self.extent.len());
        }
        if self.check_values().is_err()
            && let Some(plain) = lists::streamed(&self.incoming)
        {
            self.incoming = plain;
        }
        self.check_values()?;
        self.stage = Stage::Whole;
        Ok(())
    }

    /// Looks at each value of a message that is not handed on at once.
    fn check_values(&self) -> Result<(), Reject> {
        let (&kind, body) = self.incoming.split_first().ok_or(Reject::Truncated)?;
        let mut from = Reader::new(body);
        match Kind::of(kind) {
            Some(Kind::PushPull) => {
                let head = Head::read(&mut from)?;
                for _ in 0..head.nodes {
                    Node::read(&mut from)?;
                }
            }
            Some(kind @ (Kind::Ping | Kind::Ack | Kind::Error)) => {
                Leaf::read(kind, body)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// What was opened must be there as a whole: nothing more will come.
    fn check_whole(&mut self, inbound: &Inbound) -> Result<(), Reject> {
        if self.extent.advance(&self.incoming, inbound)? { Ok(()) } else { Err(Reject::Truncated) }
    }

    /// Hands on the next messages of what is there.
    fn hand_on<'s>(
        &mut self,
        own: &Identity,
        scratch: &'s mut Vec<u8>,
    ) -> Result<Option<Opened<'s>>, Reject> {
        match self.stage {
            Stage::Entries { left, at, raw } => {
                let (messages, refused) = self.hand_on_entries([left, raw], at, own, scratch);
                Ok(Some(self.opened(messages, refused)))
            }
            Stage::Raw { left, at, is_state } => {
                let len = (left as usize).min(PIECE_LEN);
                copy(scratch, &self.incoming[at..at + len]);
                let left = left - len as u32;
                self.stage = rest_of_raw(left, at + len, is_state);
                let piece = &scratch[..];
                let piece = if is_state {
                    Message::StatePiece(piece)
                } else {
                    Message::DeliveryPiece(piece)
                };
                Ok(Some(self.opened(Messages::from_slice(&[piece]), Refusals::new())))
            }
            Stage::Whole => self.hand_on_first(own, scratch).map(Some),
            Stage::Label | Stage::Opening | Stage::Plain | Stage::Over => Ok(None),
        }
    }

    fn hand_on_first<'s>(
        &mut self,
        own: &Identity,
        scratch: &'s mut Vec<u8>,
    ) -> Result<Opened<'s>, Reject> {
        let (&kind, body) = self.incoming.split_first().ok_or(Reject::Malformed)?;
        let kind = Kind::of(kind).ok_or(Reject::Malformed)?;
        let mut from = Reader::new(body);
        let (mut messages, mut refused) = (Messages::new(), Refusals::new());
        match kind {
            Kind::PushPull => {
                let Head { nodes, state_len, join } = Head::read(&mut from)?;
                let at = self.incoming.len() - from.rest().len();
                let head = ExchangeHead { join, entries: nodes, state_len };
                (messages, refused) = self.hand_on_entries([nodes, state_len], at, own, scratch);
                messages.insert(0, Message::ExchangeHead(head));
            }
            Kind::User => {
                let len = read_delivery(&mut from)?;
                let at = self.incoming.len() - from.rest().len();
                messages.push(Message::DeliveryHead(DeliveryHead { len }));
                self.stage = rest_of_raw(len, at, false);
            }
            Kind::Ping => {
                let ping = meaning::ping_to(&Ping::read(&mut from)?, own)?;
                messages.push(Message::Ping(ping));
                self.stage = Stage::Over;
            }
            Kind::Ack | Kind::Error => {
                copy(scratch, body);
                messages.push(answer(kind, scratch)?);
                self.stage = Stage::Over;
            }
            Kind::IndirectPing
            | Kind::Suspect
            | Kind::Alive
            | Kind::Dead
            | Kind::Compound
            | Kind::Compress
            | Kind::Encrypt
            | Kind::Nack
            | Kind::HasCrc
            | Kind::Label => return Err(Reject::Misplaced),
        }
        Ok(self.opened(messages, refused))
    }

    /// Hands on as many of the `left` entries as make a batch, which stand from `at` on.
    fn hand_on_entries<'s>(
        &mut self,
        [left, raw]: [u32; 2],
        at: usize,
        own: &Identity,
        scratch: &'s mut Vec<u8>,
    ) -> (Messages<'s>, Refusals) {
        let rest = &self.incoming[at..];
        let mut from = Reader::new(rest);
        let mut count = 0;
        while count < left.min(ENTRIES_PER_BATCH as u32)
            && rest.len() - from.rest().len() < PIECE_LEN
            && from.skip().is_ok()
        {
            count += 1;
        }
        let len = rest.len() - from.rest().len();
        copy(scratch, &rest[..len]);
        let mut from = Reader::new(scratch);
        let (mut messages, mut refused) = (Messages::new(), Refusals::new());
        for _ in 0..count {
            match Node::read(&mut from).and_then(|node| meaning::entry(&node, own)) {
                Ok(entry) => messages.push(Message::Entry(entry)),
                Err(reject) => refused.push(reject),
            }
        }
        let (left, at) = (left - count, at + len);
        self.stage =
            if left > 0 { Stage::Entries { left, at, raw } } else { rest_of_raw(raw, at, true) };
        (messages, refused)
    }

    fn opened<'s>(&mut self, messages: Messages<'s>, refused: Refusals) -> Opened<'s> {
        let last = self.stage == Stage::Over;
        if last {
            self.incoming = Vec::new();
        }
        Opened { sender: None, to: To::Us, messages, unknown: 0, refused, last }
    }
}

/// An answer that is a single message.
fn answer(kind: Kind, body: &mut Vec<u8>) -> Result<Message<'_>, Reject> {
    if kind == Kind::Error {
        let Some(Leaf::Error(text)) = Leaf::read(kind, body)? else {
            return Err(Reject::Malformed);
        };
        // It goes to logs and to people. (X15)
        let text = name::cleaned(&alloc::string::String::from_utf8_lossy(text));
        copy(body, text.as_bytes());
        let text = core::str::from_utf8(body).map_err(|_| Reject::Text)?;
        return Ok(Message::Refused(Refusal { text }));
    }
    match Leaf::read(kind, body)? {
        Some(Leaf::Ack { seq, payload }) => Ok(Message::Ack(meaning::ack(seq, payload))),
        _ => Err(Reject::Misplaced),
    }
}

fn rest_of_raw(left: u32, at: usize, is_state: bool) -> Stage {
    if left > 0 { Stage::Raw { left, at, is_state } } else { Stage::Over }
}

fn copy(to: &mut Vec<u8>, bytes: &[u8]) {
    to.clear();
    to.extend_from_slice(bytes);
}
