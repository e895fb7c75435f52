//! Packets and tables in the name of members by those who are none: who knows no key (A0), one that
//! was removed (A2), or the one in use (A3). All of them know names, stamps and addresses, and say
//! what is true but for the lie. Those on the way, who drop, delay and replay (A1), are faults of
//! links and the business of `replaying`.

use bytes::Bytes;
use swim_core::{
    Dialect, Incarnation, Keyring, LIFE_MAX, Line, Meta, Name, Stamp, State, limits::LIFE_JUMP_MAX,
};

use crate::{
    chance::{Chance, Purpose},
    host,
    machine::Machine,
    malice::{Flaw, Forged, Forger, Lie, Says, Tale},
    network::HostId,
};

use super::{Due, World, stolen::key};

/// What somebody writes.
enum Letter {
    Packet(Bytes),
    Table(Vec<Bytes>),
}

impl<M: Machine> World<M> {
    /// Somebody sends a host a lie in the name of another's node. Returns whether he could: both
    /// must run, and he must know what he is said to know.
    pub(super) fn forge(
        &mut self,
        id: HostId,
        from: HostId,
        lie: &Lie,
        by: Forger,
        victim: Option<HostId>,
    ) -> bool {
        let takes_part = |&host: &HostId| self.is_running(host) && !self.node(host).has_left();
        let is_own = from == lie.about && matches!(lie.says, Says::Suspect | Says::Dead);
        if ![id, from].iter().all(takes_part) || id == from || is_own {
            return false;
        }
        if self.is_beyond_answer(id, lie) {
            return false;
        }
        if lie.says == Says::Theft && !self.numbers_what_it_seals(from) {
            return false;
        }
        let is_recorded = lie.says == Says::Recorded;
        let keys =
            if is_recorded { Some((None, Some(Flaw::Recorded))) } else { self.keys_of(id, by) };
        let Some((keyring, mut flaw)) = keys else { return false };
        if matches!(lie.says, Says::Trap(_)) {
            flaw = flaw.or(Some(Flaw::Noise));
        }
        let tales = self.tales(id, lie);
        let letter = match is_recorded {
            true => self.recorded(lie.ahead).map(Letter::Packet),
            false => Some(self.write_lie(id, from, lie, &tales, keyring)),
        };
        let Some(letter) = letter else { return false };
        self.tally.forged[by as usize] += u64::from(!is_recorded);
        let dialect = self.node(id).audit_options().dialect;
        // Who sends a recording again needs no key.
        let who = if is_recorded { String::new() } else { format!(" by {}", by.name()) };
        for what in what_is_told(lie, &letter, victim) {
            self.tally.did(dialect, &format!("told {what}{who}"), 1);
        }
        let source = self.addr_of(victim.unwrap_or(from));
        let packet = match &letter {
            Letter::Packet(data) => Some(data.clone()),
            Letter::Table(_) => None,
        };
        let (at, posing) = (self.now, victim.map(|_| (self.known_name(from), source)));
        let victim = victim.filter(|victim| !self.is_running(*victim)).map(|_| source);
        let forged = Forged { host: id, at, posing, packet, victim, tales, flaw };
        for checker in &mut self.checkers {
            checker.forged(&forged);
        }
        match letter {
            Letter::Packet(data) => {
                self.queue.push(self.now, Due::Packet { to: id, from: source, data });
            }
            Letter::Table(frames) => self.intrude_stream(from, id, frames, true, flaw),
        }
        true
    }

    /// Whether this is what nobody could answer: without a clock, whoever has never heard of a
    /// member believes any life of it, and no other node believes one that is more than a jump
    /// ahead. (SECURITY.md, "What the shared key does not prove")
    fn is_beyond_answer(&self, id: HostId, lie: &Lie) -> bool {
        let node = self.node(id);
        lie.lives > LIFE_JUMP_MAX
            && node.audit_unix_time().is_none()
            && node.member(&self.known_name(lie.about)).is_none()
    }

    fn numbers_what_it_seals(&self, id: HostId) -> bool {
        let node = self.node(id);
        node.keyring().is_some() && node.audit_options().dialect == Dialect::Native
    }

    /// What is said to a node, of each of those it is said of.
    pub(super) fn tales(&self, id: HostId, lie: &Lie) -> Vec<Tale> {
        let dialect = self.node(id).audit_options().dialect;
        let Some(state) = lie.says.state() else { return Vec::new() };
        let tale = |about: HostId| {
            let is_alive = state == State::Alive;
            let profile = (is_alive || lie.table).then(|| match lie.says {
                Says::At(elsewhere) => (self.addr_of(elsewhere), slander(about)),
                Says::Alive => (self.addr_of(about), slander(about)),
                _ => (self.addr_of(about), self.known_meta(about)),
            });
            Tale {
                name: self.known_name(about),
                stamp: ahead(self.known_stamp(about), lie, dialect),
                state,
                profile,
                kind: lie.kind(),
            }
        };
        (lie.about..=lie.about + lie.more).map(tale).collect()
    }

    fn write_lie(
        &mut self,
        id: HostId,
        from: HostId,
        lie: &Lie,
        tales: &[Tale],
        keyring: Option<Keyring>,
    ) -> Letter {
        // No two draw the same nonces. (X3)
        let nth = self.tally.forged.iter().sum();
        let seed = Chance::of(self.seed, Purpose::Forgery, nth).seed();
        let (name, stamp) = (self.known_name(from), self.node(from).stamp());
        let mut forger = self.node(id).forger(name.clone(), stamp, keyring, seed);
        let receiver = self.known_name(id);
        if lie.says == Says::Theft {
            let ahead = u32::try_from(lie.ahead).unwrap_or(u32::MAX);
            forger = forger.using_up(self.node(from), ahead);
            if lie.table {
                return Letter::Table(forger.table(&receiver, &[], 0, &[]));
            }
        }
        if let Says::Trap(trap) = lie.says {
            let data = forger.trap(&receiver, trap.into());
            return match self.node(id).audit_options().dialect {
                Dialect::Native => Letter::Table(vec![data]),
                Dialect::Memberlist(_) => Letter::Packet(data),
            };
        }
        let lines: Vec<Line<'_>> = tales.iter().filter_map(line).collect();
        if lie.table && !lines.is_empty() {
            let state = swim_core::bomb(lie.bloat);
            let state_len = u32::try_from(lie.bloat).expect("less than a node takes");
            return Letter::Table(forger.table(&receiver, &lines, state_len, &state));
        }
        let said: Vec<swim_core::Lie<'_>> = match lie.says {
            Says::Ping | Says::Theft => vec![swim_core::Lie::Ping { nonce: nth }],
            Says::Help => {
                let (target, addr) = (&self.known_name(lie.about), self.addr_of(lie.about));
                let help = swim_core::Lie::Help { nonce: nth, target, addr };
                return Letter::Packet(forger.packet(&receiver, &[help]));
            }
            _ => tales.iter().map(|tale| claim(tale, &name)).collect(),
        };
        Letter::Packet(forger.packet(&receiver, &said))
    }

    /// What he seals with, and what betrays him to this host; `None` if there is no such thing.
    pub(super) fn keys_of(
        &self,
        id: HostId,
        by: Forger,
    ) -> Option<(Option<Keyring>, Option<Flaw>)> {
        let ring = self.node(id).keyring();
        match by {
            Forger::Outsider => ring.map(|_| (None, Some(Flaw::Open))),
            Forger::Former => {
                let ring = ring?;
                let primary = (1..=KEYS).find(|&n| key(n).id() == ring.primary().id())?;
                let removed = (1..primary).map(key).find(|key| ring.key(key.id()).is_none())?;
                let flaw = Flaw::Key(removed.id());
                Some((Some(Keyring::new(removed)), Some(flaw)))
            }
            Forger::Insider => Some((ring.map(|ring| Keyring::new(ring.primary().clone())), None)),
        }
    }

    /// What the node on a host is called, or would be.
    pub(super) fn known_name(&self, id: HostId) -> Name {
        match self.is_running(id) {
            true => self.node(id).local().name,
            false => Name::new(&host::name(id)).expect("a letter and a number are a name"),
        }
    }

    fn known_meta(&self, id: HostId) -> Meta {
        if self.is_running(id) { self.node(id).local().meta } else { Meta::default() }
    }

    /// Under which stamp the node on a host speaks, or spoke in the life that it began last, or
    /// would if there were one.
    fn known_stamp(&self, id: HostId) -> Stamp {
        let last = self.hosts.get(id).filter(|host| host.starts > 0).map(|host| host.life);
        match self.is_running(id) {
            true => self.node(id).stamp(),
            false => Stamp::first(last.unwrap_or_else(|| host::life(self.now))),
        }
    }
}

/// The words in counters for something that is told.
fn what_is_told(lie: &Lie, letter: &Letter, victim: Option<HostId>) -> Vec<&'static str> {
    let is_recorded = lie.says == Says::Recorded;
    let is_table = matches!(letter, Letter::Table(_)) && !matches!(lie.says, Says::Trap(_));
    let len = match letter {
        Letter::Packet(data) => data.len(),
        Letter::Table(frames) => frames.iter().map(Bytes::len).sum(),
    };
    let words = [
        (true, lie.kind()),
        (is_table && lie.bloat == 0, "table"),
        (is_table && lie.bloat > 0, "bloat"),
        (is_table && len * BOMB < lie.bloat, "bomb"),
        (victim.is_some() && !is_recorded, "reflection"),
    ];
    words.into_iter().filter(|(is_so, _)| *is_so).map(|(_, word)| word).collect()
}

/// What a tale is in a table, if it can stand in one.
fn line(tale: &Tale) -> Option<Line<'_>> {
    let (addr, meta) = tale.profile.as_ref()?;
    let (name, stamp, state) = (&tale.name, tale.stamp, tale.state);
    Some(Line { name, stamp, addr: *addr, meta: meta.as_bytes(), state })
}

/// What a tale is in a packet.
pub(super) fn claim<'a>(tale: &'a Tale, from: &'a Name) -> swim_core::Lie<'a> {
    use swim_core::Lie;
    let (about, stamp) = (&tale.name, tale.stamp);
    match tale.state {
        State::Alive => Lie::Alive(line(tale).expect("who lives is told of with a profile")),
        State::Suspect => Lie::Suspect { about, stamp, from },
        State::Dead => Lie::Dead { about, stamp, from },
        State::Left => Lie::Left { about, stamp },
    }
}

/// What a member is said to say of itself, which it never does.
fn slander(about: HostId) -> Meta {
    Meta::new(format!("never said by {about}").into_bytes()).expect("it is short")
}

/// What a member speaks under later, if it has to refute so often, or starts so much later. In
/// memberlist's dialect there are no lives, and who goes as far as its numbers go does what nobody
/// can answer: that is no lie to be tried with others. (X7)
fn ahead(stamp: Stamp, lie: &Lie, dialect: Dialect) -> Stamp {
    let Incarnation(incarnation) = stamp.incarnation;
    match dialect {
        Dialect::Native => {
            let life = stamp.life.0.saturating_add(lie.lives).min(LIFE_MAX);
            Stamp::new(life, incarnation.saturating_add(lie.ahead))
        }
        Dialect::Memberlist(_) => Stamp::new(0, incarnation + lie.ahead.min(NUMBERS_AHEAD_MAX)),
    }
}

/// In memberlist's dialect nobody speaks of more incarnations to come: enough of them are left for
/// all the lies of a run.
const NUMBERS_AHEAD_MAX: u64 = 1 << 20;

/// Rotations don't get further than this key.
const KEYS: u8 = 16;

/// What becomes more than so many times as long when it is inflated is a bomb.
const BOMB: usize = 10;
