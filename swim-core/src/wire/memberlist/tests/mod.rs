//! The whole dialect against real traffic, against vectors, and against whatever may come.

mod edges;
mod explain;
mod golden;
mod hostile;
mod outgoing;
mod samples;
mod streams;
mod vectors;

use rand_core::SeedableRng as _;

use super::*;
use crate::{
    keyring::Key,
    label::Label,
    member::{LeaveReason, State, VersionRange, Versions},
    name::named,
    stamp::Stamp,
    wire::message::{
        Accusation, Ack, Alive, Claim, DeliveryHead, Departure, Digest, Entry, IndirectPing, Nack,
        Ping,
    },
};

/// What a wire of the tests has.
struct Setup<'a> {
    name: &'a str,
    label: &'a str,
    keys: &'a [&'a [u8]],
    options: MemberlistOptions,
}

/// Nothing but a name: no label, no key, no compression.
const PLAIN: Setup<'static> = Setup {
    name: "node-b",
    label: "",
    keys: &[],
    options: MemberlistOptions {
        protocol: VersionRange { min: 1, max: 5, current: 2 },
        verify_incoming: true,
        verify_outgoing: true,
        accept_padded: false,
        compression: false,
        skip_inbound_label_check: false,
        bind_port: None,
    },
};

impl Setup<'_> {
    fn wire(&self) -> Memberlist {
        let label = Label::new(self.label).unwrap();
        let mut keys = self.keys.iter().map(|key| Key::new(key).unwrap());
        let keyring = keys.next().map(|primary| {
            keys.fold(Keyring::new(primary), |keyring, key| keyring.with(key).unwrap())
        });
        let settings = WireSettings {
            label: &label,
            keyring,
            own_name: self.name,
            own_life: crate::stamp::Life::NONE,
            packet_len_max: 1400,
            sessions_max: 0,
            state_len_max: 16 << 20,
            message_len_max: 16 << 20,
        };
        let addr = "10.1.2.3:7946".parse().unwrap();
        Memberlist::new(settings, addr, self.options, ChaCha8Rng::from_seed([7; 32]))
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let hex: Vec<u8> = hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let digits = hex.as_chunks::<2>().0;
    let byte = |pair: &[u8; 2]| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16);
    digits.iter().map(|pair| byte(pair).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> alloc::string::String {
    bytes.iter().map(|byte| alloc::format!("{byte:02x}")).collect()
}

/// What becomes of a packet: its messages, or why it is refused, it or the first part of it.
fn outcome(wire: &mut Memberlist, packet: &[u8]) -> Result<usize, Reject> {
    let mut scratch = Vec::new();
    let opened = wire.open_packet(None, packet, &mut scratch)?;
    match (opened.messages.len(), opened.refused.first()) {
        (0, Some(&reject)) => Err(reject),
        (count, _) => Ok(count),
    }
}
