//! Packets and streams that no correct node wrote, for simulations and tests: what somebody says
//! who knows all that is needed for it, but for the right key perhaps. Only there with the feature
//! `simulation`. A node never calls this.

use alloc::{vec, vec::Vec};
use core::{fmt, net::SocketAddr};

use bytes::Bytes;
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng as _;

use super::{Node, PROTOCOL, wire_settings};
use crate::{
    config::Config,
    keyring::Keyring,
    member::{LeaveReason, State, VersionRange, Versions},
    name::{Name, NameRef},
    stamp::{LIFE_MAX, Life, Stamp},
    trap::{Trap, bomb},
    wire::{
        Accusation, Alive, Broadcast, Claim, Departure, Digest, Entry, ExchangeHead, IndirectPing,
        Message, PacketWriter, Ping, Receiver, Sender, Wire, WireSettings,
    },
};

impl Node {
    /// Somebody who writes to this node in the name of another, under this stamp, with what one
    /// needs who belongs to its cluster but for the right keys, perhaps. What it says is dated now.
    /// The seed must not have been used before with the same keys.
    #[must_use]
    pub fn forger(
        &self,
        name: Name,
        stamp: Stamp,
        keyring: Option<Keyring>,
        seed: [u8; 32],
    ) -> Forger {
        let settings = WireSettings {
            label: self.config.label(),
            keyring,
            own_name: &name,
            own_life: stamp.life,
            packet_len_max: self.config.packet_len_max,
            sessions_max: 1,
            state_len_max: 0,
            message_len_max: 0,
        };
        let (dialect, nonces) = (self.config.dialect, ChaCha8Rng::from_seed(seed));
        let wire = Wire::new(dialect, settings, self.config.addr, nonces);
        Forger { wire, name, stamp, wall: self.wall, is_native: dialect.is_native() }
    }
}

/// Somebody who writes as members do, and says whatever it likes.
pub struct Forger {
    wire: Wire,
    name: Name,
    stamp: Stamp,
    wall: Option<u32>,
    is_native: bool,
}

/// Something to say in a packet.
#[derive(Clone, Copy, Debug)]
pub enum Lie<'a> {
    /// That somebody lives and is like this.
    Alive(Line<'a>),
    /// That `from` could not reach somebody.
    Suspect {
        /// Whom.
        about: &'a Name,
        /// Under which stamp.
        stamp: Stamp,
        /// In whose name.
        from: &'a Name,
    },
    /// That `from` found that somebody died.
    Dead {
        /// Who.
        about: &'a Name,
        /// Under which stamp.
        stamp: Stamp,
        /// In whose name.
        from: &'a Name,
    },
    /// That somebody left.
    Left {
        /// Who.
        about: &'a Name,
        /// Under which stamp.
        stamp: Stamp,
    },
    /// What applications say to all. Only in the native dialect.
    Broadcast {
        /// Its number.
        id: u64,
        /// What it says.
        payload: &'a [u8],
    },
    /// A question.
    Ping {
        /// Its number.
        nonce: u64,
    },
    /// A request to ask somebody else.
    Help {
        /// The number of the question.
        nonce: u64,
        /// Whom.
        target: &'a Name,
        /// Where that is.
        addr: SocketAddr,
    },
}

/// A member as a table or a claim says that it is.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// What it is called.
    pub name: &'a Name,
    /// Under which stamp it says so.
    pub stamp: Stamp,
    /// Where it is.
    pub addr: SocketAddr,
    /// What it says of itself.
    pub meta: &'a [u8],
    /// What the table believes of it; a claim says that it is alive.
    pub state: State,
}

impl Forger {
    /// Which versions it says that members speak.
    #[must_use]
    pub fn versions() -> Versions {
        Versions { protocol: PROTOCOL, application: VersionRange::default() }
    }

    /// One who has all that a node of this configuration would have, and speaks under this stamp.
    /// The seed must not have been used before with the same keys.
    #[must_use]
    pub fn new(config: &Config, stamp: Stamp, seed: [u8; 32]) -> Self {
        let (name, nonces) = (config.name().clone(), ChaCha8Rng::from_seed(seed));
        let wire = Wire::new(config.dialect, wire_settings(config), config.addr, nonces);
        let wall = config.unix_time.and_then(|unix| u32::try_from(unix.as_secs()).ok());
        Self { wire, name, stamp, wall, is_native: config.dialect.is_native() }
    }

    /// Seals as this node does, but so far ahead of the numbers that it uses: it has none left then
    /// that anybody who hears this believes to be new.
    #[must_use]
    pub fn using_up(mut self, node: &Node, ahead: u32) -> Self {
        self.wire.use_up_sessions_of(&node.wire, ahead);
        self
    }

    /// A packet to `to` with as many of these as have room in it.
    pub fn packet(&mut self, to: &Name, lies: &[Lie<'_>]) -> Bytes {
        let sender = Sender { name: name(&self.name), stamp: self.stamp };
        let mut writer = self.wire.begin_packet(self.wall, sender, Some(receiver(to)));
        for lie in lies {
            if !push(&mut writer, &self.name, self.stamp, lie) {
                break;
            }
        }
        self.wire.finish_packet(writer)
    }

    /// What one writes to `to` who begins an exchange of tables: these lines, and application
    /// state of which less may come than is announced. Then it is not the end of what it says.
    pub fn table<'a>(
        &mut self,
        to: &Name,
        lines: &[Line<'a>],
        state_len: u32,
        state: &'a [u8],
    ) -> Vec<Bytes> {
        const PIECE_LEN: usize = 16 * 1024;
        let entries = u32::try_from(lines.len()).expect("as many as a table may have");
        let head = ExchangeHead { join: false, entries, state_len };
        let entries = lines.iter().map(|line| Message::Entry(entry(line)));
        let pieces = state.chunks(PIECE_LEN).map(Message::StatePiece);
        let messages = core::iter::once(Message::ExchangeHead(head)).chain(entries).chain(pieces);
        // In memberlist's dialect all of it is one message, which can only be cut off.
        let is_whole = state.len() == state_len as usize || !self.is_native;
        let mut channel = self.wire.dialer();
        let mut frames = Vec::new();
        let mut writer = self.begin_frame(to);
        for message in messages {
            if !writer.push(&message) {
                let full = core::mem::replace(&mut writer, self.begin_frame(to));
                frames.push(self.wire.finish_frame(full, &mut channel, false));
                writer.push(&message);
            }
        }
        frames.push(self.wire.finish_frame(writer, &mut channel, is_whole));
        frames
    }

    /// Something compressed that must not be inflated: natively what one writes to `to` who begins
    /// an exchange of tables, with application state and nothing else; in memberlist's dialect a
    /// packet of the application's.
    pub fn trap(&mut self, to: &Name, trap: Trap) -> Bytes {
        const STATE_LEN: usize = 16 * 1024;
        let state = match trap {
            Trap::Less | Trap::More => bomb(STATE_LEN),
            Trap::Dense => vec![0; STATE_LEN],
        };
        let mut writer = self.begin_frame(to);
        let head = ExchangeHead { join: false, entries: 0, state_len: STATE_LEN as u32 };
        for message in [Message::ExchangeHead(head), Message::StatePiece(&state)] {
            writer.push(&message);
        }
        self.wire.finish_trap(writer, trap)
    }

    fn begin_frame(&mut self, to: &Name) -> crate::wire::FrameWriter {
        let sender = Sender { name: name(&self.name), stamp: self.stamp };
        self.wire.begin_frame(self.wall, sender, Some(receiver(to)))
    }
}

impl fmt::Debug for Forger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forger").field("name", &self.name).finish_non_exhaustive()
    }
}

fn push(writer: &mut PacketWriter, own: &Name, own_stamp: Stamp, lie: &Lie<'_>) -> bool {
    let message = match *lie {
        Lie::Alive(line) => Message::Claim(Claim::Alive(alive(&line))),
        Lie::Suspect { about, stamp, from } => {
            let accusation = Accusation { name: name(about), stamp, from: name(from) };
            Message::Claim(Claim::Suspect(accusation))
        }
        Lie::Dead { about, stamp, from } => {
            let accusation = Accusation { name: name(about), stamp, from: name(from) };
            Message::Claim(Claim::Dead(accusation))
        }
        Lie::Left { about, stamp } => {
            let reason = LeaveReason::Graceful;
            Message::Claim(Claim::Left(Departure { name: name(about), stamp, reason }))
        }
        Lie::Broadcast { id, payload } => {
            let (origin, life) = (name(own), own_stamp.life.0);
            Message::Broadcast(Broadcast { origin, life, id, age_millis: 0, payload })
        }
        Lie::Ping { nonce } => Message::Ping(Ping { nonce, digest: Digest::default() }),
        Lie::Help { nonce, target, addr } => {
            let target = Some(name(target));
            Message::IndirectPing(IndirectPing { nonce, target, addr, nack: true })
        }
    };
    writer.push(&message)
}

fn entry<'a>(line: &Line<'a>) -> Entry<'a> {
    let (state, stamp, reason) = (line.state, line.stamp, LeaveReason::Graceful);
    Entry { alive: alive(line), state, stamp, reason }
}

fn alive<'a>(line: &Line<'a>) -> Alive<'a> {
    let Line { name: of, stamp, addr, meta, state: _ } = *line;
    let versions = Forger::versions();
    Alive { name: name(of), stamp, addr, mapped: false, versions, meta }
}

fn name(name: &Name) -> NameRef<'_> {
    NameRef::from_checked(name.as_str().as_bytes())
}

/// Somebody, in whichever life: a later one than its own is no reason to refuse.
fn receiver(to: &Name) -> Receiver<'_> {
    Receiver { name: name(to), life: Life(LIFE_MAX), protocol_max: 0 }
}
