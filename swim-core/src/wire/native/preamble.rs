//! The start of every body: which minor version is spoken, when, to whom, and by whom.

use core::num::NonZeroU32;

use siphasher::sip::SipHasher13;

use super::codec::{Reader, Writer};
use crate::{
    name::NameRef,
    reject::Reject,
    stamp::Life,
    wire::message::{Receiver, Sender},
};

/// What a body begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Preamble<'a> {
    /// The minor version that the sender speaks.
    pub(crate) protocol: u8,
    /// The sender's clock in unix seconds, where it has one.
    pub(crate) time: Option<NonZeroU32>,
    /// Whom it is for; without it, for whoever reads it.
    pub(crate) to: Option<Addressee>,
    pub(crate) sender: Sender<'a>,
}

/// Whom something is for, as it travels. The life tells a receiver that has started anew what was
/// recorded before. (X4)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Addressee {
    pub(crate) name: NameHash,
    pub(crate) life: Life,
}

/// Four bytes that stand for the name of the receiver. Packets are short and names are long; two
/// names of a cluster seldom share them, and if they do, a diverted packet is merely accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NameHash(NonZeroU32);

/// The length of what stands before the receiver's life: protocol, time, receiver.
const FIXED_LEN: usize = 1 + 4 + 4;

impl<'a> Preamble<'a> {
    /// Reads a preamble and leaves the parts after it.
    pub(crate) fn read(from: &mut Reader<'a>) -> Result<Self, Reject> {
        let protocol = from.byte()?;
        if protocol == 0 {
            return Err(Reject::Malformed); // No version has this number.
        }
        Ok(Self {
            protocol,
            time: NonZeroU32::new(from.fixed_u32()?),
            to: Addressee::read(from)?,
            sender: Sender { name: from.name()?, stamp: from.stamp()? },
        })
    }

    /// Writes it.
    pub(crate) fn put(&self, to: &mut Writer<'_>) {
        to.byte(self.protocol);
        to.fixed_u32(self.time.map_or(0, NonZeroU32::get));
        match self.to {
            Some(Addressee { name, life }) => {
                to.fixed_u32(name.get());
                to.varint(life.0);
            }
            None => to.fixed_u32(0),
        }
        to.name(self.sender.name);
        to.stamp(self.sender.stamp);
    }

    /// The most bytes it takes with a sender's name of this length.
    pub(crate) const fn len_max(name_len: usize) -> usize {
        FIXED_LEN + varint_len(name_len) + name_len + 3 * STAMP_NUMBER_LEN_MAX
    }
}

/// Lives and incarnations have 48 bits, which take seven bytes of seven bits.
const STAMP_NUMBER_LEN_MAX: usize = 7;

/// The length of a name's length: one byte up to 127, then two.
const fn varint_len(name_len: usize) -> usize {
    if name_len < 128 { 1 } else { 2 }
}

impl Addressee {
    pub(crate) fn of(receiver: Receiver<'_>) -> Self {
        Self { name: NameHash::of(receiver.name), life: receiver.life }
    }

    fn read(from: &mut Reader<'_>) -> Result<Option<Self>, Reject> {
        let Some(hash) = NonZeroU32::new(from.fixed_u32()?) else { return Ok(None) };
        Ok(Some(Self { name: NameHash(hash), life: from.life()? }))
    }
}

impl NameHash {
    /// SipHash-1-3 of the name under the all-zero key, its halves folded together. Zero, which
    /// means whoever, becomes one.
    pub(crate) fn of(name: NameRef<'_>) -> Self {
        let hash = SipHasher13::new().hash(name.as_bytes());
        let folded = (hash ^ (hash >> 32)) & u64::from(u32::MAX);
        let folded = u32::try_from(folded).expect("the upper half was cut off");
        Self(NonZeroU32::new(folded).unwrap_or(NonZeroU32::MIN))
    }

    /// The hash as it travels.
    pub(super) const fn get(self) -> u32 {
        self.0.get()
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;
    use crate::{
        name::named,
        stamp::{INCARNATION_MAX, LIFE_MAX, Stamp},
    };

    #[test]
    fn w1_the_longest_preamble_is_as_long_as_is_promised() {
        let name = String::from_iter(['x'; 128]);
        for name_len in [1, 127, 128] {
            let to = Receiver { name: named("bob"), life: Life(LIFE_MAX), protocol_max: 0 };
            let stamp = Stamp::new(LIFE_MAX, INCARNATION_MAX);
            let preamble = Preamble {
                protocol: u8::MAX,
                time: Some(NonZeroU32::MAX),
                to: Some(Addressee::of(to)),
                sender: Sender { name: named(&name[..name_len]), stamp },
            };
            let mut to = Writer::counting();
            preamble.put(&mut to);
            assert_eq!(to.len(), Preamble::len_max(name_len), "{name_len}");
        }
    }
}
