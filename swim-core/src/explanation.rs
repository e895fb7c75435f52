//! What a packet or a stream says, as people read it: layer by layer, field by field.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::net::SocketAddr;

use crate::{name::NameRef, reject::Reject, stamp::Stamp};

/// All there is to say about a packet, or about one frame of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    /// What is around the messages, from outside to inside, as far as it could be taken off.
    pub layers: Vec<Layer>,
    /// The messages, in the order of the wire.
    pub messages: Vec<Explained>,
    /// What was refused. In the native dialect a node does nothing at all with what has anything
    /// in it to refuse; in memberlist's it leaves out the messages that are wrong.
    pub refused: Vec<Refusal>,
}

/// Something around the messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Its name in snake case.
    pub name: &'static str,
    /// Where it begins, counted in bytes of what was captured; `None` where it came out of
    /// something that was compressed.
    pub at: Option<usize>,
    /// What stands in it.
    pub fields: Fields,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Its name in snake case; `unknown` for a kind of a later version, which nodes skip.
    pub kind: &'static str,
    /// Where it begins, as for [`Layer::at`].
    pub at: Option<usize>,
    /// What stands in it.
    pub fields: Fields,
}

/// Something a node would refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The layer that objects: the name of a [`Layer`], or `message`.
    pub layer: &'static str,
    /// Where the layer, or what is wrong with it, begins, as for [`Layer::at`].
    pub at: Option<usize>,
    /// Why.
    pub reject: Reject,
}

/// Names in snake case and values, in the order of the wire.
pub type Fields = Vec<(&'static str, Value)>;

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number.
    Number(u64),
    /// Yes or no.
    Flag(bool),
    /// A text, which may hold anything that UTF-8 can say: escape it before a terminal sees it.
    Text(String),
    /// Bytes that need not be a text.
    Bytes(Vec<u8>),
    /// Several numbers.
    Numbers(Vec<u64>),
}

impl Explanation {
    /// Whether a node with these keys and this label would take all of it.
    #[must_use]
    pub fn is_understood(&self) -> bool {
        self.refused.is_empty()
    }

    pub(crate) fn layer(&mut self, name: &'static str, at: Option<usize>, fields: Fields) {
        self.layers.push(Layer { name, at, fields });
    }

    pub(crate) fn message(&mut self, kind: &'static str, at: Option<usize>, fields: Fields) {
        self.messages.push(Explained { kind, at, fields });
    }
}

impl Refusal {
    pub(crate) fn new(layer: &'static str, at: impl Into<Option<usize>>, reject: Reject) -> Self {
        Self { layer, at: at.into(), reject }
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<u16> for Value {
    fn from(number: u16) -> Self {
        Self::Number(number.into())
    }
}

impl From<u8> for Value {
    fn from(number: u8) -> Self {
        Self::Number(number.into())
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Number(number as u64)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<NameRef<'_>> for Value {
    fn from(name: NameRef<'_>) -> Self {
        Self::Text(name.as_str().into())
    }
}

impl From<SocketAddr> for Value {
    fn from(addr: SocketAddr) -> Self {
        Self::Text(addr.to_string())
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl From<[u8; 3]> for Value {
    fn from(numbers: [u8; 3]) -> Self {
        Self::Numbers(numbers.map(u64::from).into())
    }
}

/// A stamp as two fields.
pub(crate) fn stamp(stamp: Stamp) -> [(&'static str, Value); 2] {
    [("life", stamp.life.0.into()), ("incarnation", stamp.incarnation.0.into())]
}

/// Bytes that are a name for something, as they stand on the wire.
pub(crate) fn hex(bytes: &[u8]) -> Value {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
}
