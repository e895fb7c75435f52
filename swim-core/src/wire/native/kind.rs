//! The number of each kind of message, and where it may stand.

use crate::wire::message::{Claim, Message};

/// A kind of message that this version knows. Numbers are never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Ping = 1,
    Ack = 2,
    IndirectPing = 3,
    RelayedAck = 4,
    Nack = 5,
    Alive = 6,
    Suspect = 7,
    Dead = 8,
    Left = 9,
    Broadcast = 10,
    BroadcastSummary = 11,
    Direct = 12,
    ExchangeHead = 32,
    Entry = 33,
    StatePiece = 34,
    DeliveryHead = 35,
    DeliveryPiece = 36,
    Delivered = 37,
    Refused = 38,
    Readdress = 39,
}

/// What a message travels in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Packet,
    Frame,
}

impl Kind {
    /// All kinds, by number.
    pub(crate) const ALL: [Self; 20] = [
        Self::Ping,
        Self::Ack,
        Self::IndirectPing,
        Self::RelayedAck,
        Self::Nack,
        Self::Alive,
        Self::Suspect,
        Self::Dead,
        Self::Left,
        Self::Broadcast,
        Self::BroadcastSummary,
        Self::Direct,
        Self::ExchangeHead,
        Self::Entry,
        Self::StatePiece,
        Self::DeliveryHead,
        Self::DeliveryPiece,
        Self::Delivered,
        Self::Refused,
        Self::Readdress,
    ];

    pub(crate) const fn of(message: &Message<'_>) -> Self {
        match message {
            Message::Ping(_) => Self::Ping,
            Message::Ack(_) => Self::Ack,
            Message::IndirectPing(_) => Self::IndirectPing,
            Message::RelayedAck(_) => Self::RelayedAck,
            Message::Nack(_) => Self::Nack,
            Message::Claim(Claim::Alive(_)) => Self::Alive,
            Message::Claim(Claim::Suspect(_)) => Self::Suspect,
            Message::Claim(Claim::Dead(_)) => Self::Dead,
            Message::Claim(Claim::Left(_)) => Self::Left,
            Message::Broadcast(_) => Self::Broadcast,
            Message::BroadcastSummary(_) => Self::BroadcastSummary,
            Message::Direct(_) => Self::Direct,
            Message::ExchangeHead(_) => Self::ExchangeHead,
            Message::Entry(_) => Self::Entry,
            Message::StatePiece(_) => Self::StatePiece,
            Message::DeliveryHead(_) => Self::DeliveryHead,
            Message::DeliveryPiece(_) => Self::DeliveryPiece,
            Message::Delivered => Self::Delivered,
            Message::Refused(_) => Self::Refused,
            Message::Readdress => Self::Readdress,
        }
    }

    /// The kind with this number, if this version knows one.
    pub(crate) const fn from_byte(byte: u8) -> Option<Self> {
        let at = match byte {
            1..=12 => byte - 1,
            32..=39 => byte - 32 + 12,
            _ => return None,
        };
        Some(Self::ALL[at as usize])
    }

    /// Its number.
    pub(crate) const fn byte(self) -> u8 {
        self as u8
    }

    /// Whether it makes its receiver send something, to the sender or to somebody else. One packet
    /// may do so only once. (X6)
    pub(crate) const fn is_probe(self) -> bool {
        matches!(self, Self::Ping | Self::IndirectPing | Self::BroadcastSummary)
    }

    /// Whether it may stand there.
    pub(crate) const fn belongs_in(self, place: Place) -> bool {
        match self {
            Self::Ping | Self::Ack => true,
            Self::IndirectPing
            | Self::RelayedAck
            | Self::Nack
            | Self::Alive
            | Self::Suspect
            | Self::Dead
            | Self::Left
            | Self::Broadcast
            | Self::BroadcastSummary
            | Self::Direct => matches!(place, Place::Packet),
            Self::ExchangeHead
            | Self::Entry
            | Self::StatePiece
            | Self::DeliveryHead
            | Self::DeliveryPiece
            | Self::Delivered
            | Self::Refused
            | Self::Readdress => matches!(place, Place::Frame),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w5_every_number_is_one_kind_or_unknown() {
        for byte in 0..=255 {
            let kind = Kind::ALL.into_iter().find(|kind| kind.byte() == byte);
            assert_eq!(Kind::from_byte(byte), kind);
        }
    }
}
