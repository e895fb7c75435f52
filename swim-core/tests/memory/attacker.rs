//! Who sends to the subject: strangers, those who listen and repeat, those with another key, and an
//! insider who has the key and says whatever costs most.

use std::{net::SocketAddr, time::Duration};

use swim_core::{
    Bytes, Config, Dialect, Forger, Instant, Key, Keyring, Lie, Life, Line, META_LEN_MAX, Member,
    MemberlistOptions, NAME_LEN_MAX, Name, Options, Stamp, State,
};

use crate::bed::Dice;

/// The wall clock when everything begins, at the origin of time.
const UNIX_TIME: Duration = Duration::from_secs(1_760_000_000);
/// Where the insider is.
pub(crate) const INSIDER: &str = "10.9.9.9:7946";

/// What nodes of the attacked cluster speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Native,
    Memberlist,
}

impl Wire {
    pub(crate) fn dialect(self) -> Dialect {
        match self {
            Self::Native => Dialect::Native,
            Self::Memberlist => Dialect::Memberlist(MemberlistOptions::default()),
        }
    }

    pub(crate) fn stamp(self, incarnation: u64) -> Stamp {
        let life = if self == Self::Native { UNIX_TIME.as_millis() as u64 } else { 0 };
        Stamp::new(life, incarnation)
    }

    /// How a node of the cluster is set up, with this key.
    pub(crate) fn options(self, name: &str, addr: &str, key: u8) -> Options {
        let mut options = Options::lan(name, addr.parse().expect("an address"));
        options.dialect = self.dialect();
        options.life = Life(UNIX_TIME.as_millis() as u64);
        options.unix_time = Some(UNIX_TIME);
        options.keyring = Some(Keyring::new(Key::new(&[key; 16]).expect("16 bytes")));
        options
    }
}

/// The insider, and what it knows of the cluster.
pub(crate) struct Attacker {
    wire: Wire,
    subject: Name,
    pub(crate) addr: SocketAddr,
    forger: Forger,
    forgers: u64,
    /// As many names as members were made up.
    pub(crate) names: u64,
    /// The members of the subject, as they were when it last looked.
    known: Vec<Name>,
    meta: Vec<u8>,
    /// Does not compress.
    noise: Vec<u8>,
}

impl Attacker {
    pub(crate) fn new(wire: Wire) -> Self {
        Self {
            wire,
            subject: Name::new("subject").expect("a name"),
            addr: INSIDER.parse().expect("an address"),
            forger: forger(wire, 7, 0, Instant::ORIGIN),
            forgers: 1,
            names: 0,
            known: Vec::new(),
            meta: vec![b'm'; META_LEN_MAX],
            noise: (0..64 << 10).scan(Dice::new(5), |dice, _| Some(dice.number() as u8)).collect(),
        }
    }

    /// Speaks on under a new session, and under a stamp that refutes whatever was said of it.
    pub(crate) fn renew(&mut self, now: Instant) {
        self.forger = forger(self.wire, 7, self.forgers, now);
        self.forgers += 1;
    }

    /// Says of itself that it lives, in a packet.
    pub(crate) fn introduction(&mut self) -> Bytes {
        let name = Name::new("insider").expect("a name");
        let line = Line {
            name: &name,
            stamp: self.wire.stamp(self.forgers),
            addr: self.addr,
            meta: &[],
            state: State::Alive,
        };
        self.forger.packet(&self.subject, &[Lie::Alive(line)])
    }

    pub(crate) fn say(&mut self, lies: &[Lie<'_>]) -> Bytes {
        self.forger.packet(&self.subject, lies)
    }

    /// A packet of an insider who wants to cost memory: of one kind or the other.
    pub(crate) fn hostile(&mut self, dice: &mut Dice) -> Bytes {
        let stamp = self.wire.stamp(1 + dice.below(3) as u64);
        let (known, other) = (self.some_name(dice), self.some_name(dice));
        let elsewhere = addr_of(dice.below(1 << 20) as u64);
        let (kind, number) = (dice.below(8), dice.number());
        let fresh = match kind {
            0..=2 => self.fresh_name(),
            _ => known.clone(),
        };
        let meta = &self.meta[..dice.below(self.meta.len() + 1)];
        let alive =
            Lie::Alive(Line { name: &fresh, stamp, addr: elsewhere, meta, state: State::Alive });
        let lies = match kind {
            // Ever new names; names that are others' already, elsewhere.
            0..=3 => [alive, Lie::Suspect { about: &other, stamp, from: &known }],
            4 => [
                Lie::Suspect { about: &fresh, stamp, from: &other },
                Lie::Dead { about: &other, stamp, from: &fresh },
            ],
            5 => [Lie::Left { about: &fresh, stamp }, Lie::Ping { nonce: number & 0xFFFF_FFFF }],
            6 if self.wire == Wire::Native => {
                let payload = &self.meta[..];
                let broadcast = |id| Lie::Broadcast { id, payload };
                [broadcast(number), broadcast(number ^ 1)]
            }
            _ => [
                Lie::Help { nonce: number & 0xFFFF_FFFF, target: &other, addr: elsewhere },
                Lie::Left { about: &other, stamp },
            ],
        };
        self.forger.packet(&self.subject, &lies)
    }

    /// A name that nobody had before, as long as a name can be.
    pub(crate) fn fresh_name(&mut self) -> Name {
        self.names += 1;
        name_of(self.names)
    }

    /// A table of made up members that say as much as they can, all of them at one address. One
    /// half of a stream, in one piece.
    pub(crate) fn table(
        &mut self,
        numbers: std::ops::Range<u64>,
        believed: State,
        state: &[u8],
    ) -> Vec<u8> {
        let names: Vec<Name> = numbers.map(name_of).collect();
        let (stamp, meta) = (self.wire.stamp(1), &self.meta[..]);
        let addr = "[fd00::1]:7946".parse().expect("an address");
        let line = |name| Line { name, stamp, addr, meta, state: believed };
        let lines: Vec<Line<'_>> = names.iter().map(line).collect();
        let state_len = u32::try_from(state.len()).expect("fits");
        self.forger.table(&self.subject, &lines, state_len, state).concat()
    }

    /// A table with so many lines about one member, each newer than the one before and unlike it.
    pub(crate) fn changes(&mut self, lines: u64) -> Vec<u8> {
        self.forgers += 1;
        let first = self.forgers << 20;
        let (name, addr) = (name_of(1), addr_of(1));
        let line = |nth| {
            let (stamp, meta) = (self.wire.stamp(1 + nth), [&b"a"[..], b"b"][nth as usize % 2]);
            Line { name: &name, stamp, addr, meta, state: State::Alive }
        };
        let lines: Vec<Line<'_>> = (first..first + lines).map(line).collect();
        self.forger.table(&self.subject, &lines, 0, &[]).concat()
    }

    /// The beginning of a table with a state of which only a part comes.
    pub(crate) fn stalled_state(&mut self, announced: usize, state: &[u8]) -> Vec<u8> {
        let announced = u32::try_from(announced).expect("fits");
        let mut bytes = self.forger.table(&self.subject, &[], announced, state).concat();
        if self.wire == Wire::Memberlist {
            bytes.truncate(bytes.len() - 1); // It is one message, which never ends.
        }
        bytes
    }

    /// A frame that lacks its end: natively nearly the longest there is, and as much in
    /// memberlist's dialect.
    pub(crate) fn unfinished(&mut self) -> Vec<u8> {
        const LEN: u32 = 64 * 1024;
        if self.wire == Wire::Memberlist {
            return self.stalled_state(LEN as usize, &self.noise.clone());
        }
        let mut frame = vec![0; LEN as usize];
        frame[..4].copy_from_slice(&LEN.to_le_bytes());
        frame
    }

    /// An insider knows whom the subject knows.
    pub(crate) fn learn(&mut self, members: impl Iterator<Item = Member>) {
        self.known.clear();
        self.known.extend(members.map(|member| member.name));
    }

    /// Mostly of a member, otherwise one that nobody has any more.
    fn some_name(&self, dice: &mut Dice) -> Name {
        match dice.below(8) {
            0 => name_of(1 + dice.below(self.names.max(1) as usize) as u64),
            _ => self.known[dice.below(self.known.len())].clone(),
        }
    }
}

/// Packets under a key that the cluster doesn't have.
pub(crate) fn foreign(wire: Wire, count: usize) -> Vec<Bytes> {
    let mut forger = forger(wire, 8, 0, Instant::ORIGIN);
    let subject = Name::new("subject").expect("a name");
    (0..count).map(|nth| forger.packet(&subject, &[Lie::Ping { nonce: nth as u64 }])).collect()
}

fn forger(wire: Wire, key: u8, nth: u64, now: Instant) -> Forger {
    let mut options = wire.options("insider", INSIDER, key);
    options.unix_time = Some(UNIX_TIME + Duration::from_nanos(now.as_nanos()));
    // It writes packets as long as anybody takes.
    options.packet_len_max = swim_core::limits::PACKET_LEN_MAX;
    let config: Config = options.build().expect("good options");
    let mut seed = [key; 32];
    seed[..8].copy_from_slice(&nth.to_le_bytes());
    Forger::new(&config, wire.stamp(1 + nth), seed)
}

pub(crate) fn name_of(number: u64) -> Name {
    Name::new(&format!("{number:0>NAME_LEN_MAX$}")).expect("digits are a name")
}

fn addr_of(number: u64) -> SocketAddr {
    let [.., a, b, c] = number.to_be_bytes();
    SocketAddr::from(([11, a, b, c], 7946))
}
