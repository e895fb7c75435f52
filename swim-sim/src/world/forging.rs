//! Packets and tables in the name of members by those who are none: who knows no key (A0), one that
//! was removed (A2), or the one in use (A3). All of them know names, stamps and addresses, and say
//! what is true but for the lie. Those on the way, who drop, delay and replay (A1), are faults of
//! links and the business of `replaying`.

use bytes::Bytes;
use swim_core::{Incarnation, Keyring, LIFE_MAX, Line, Meta, Name, Stamp, State};

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
        let is_recorded = lie.says == Says::Recorded;
        let keys =
            if is_recorded { Some((None, Some(Flaw::Recorded))) } else { self.keys_of(id, by) };
        let Some((keyring, flaw)) = keys else { return false };
        let tales = self.tales(lie);
        let letter = match is_recorded {
            true => self.recorded(lie.ahead).map(Letter::Packet),
            false => Some(self.write_lie(id, from, lie, &tales, keyring)),
        };
        let Some(letter) = letter else { return false };
        let kind = if lie.more > 0 { "crowd" } else { lie.says.kind() };
        self.tally.forged[by as usize] += u64::from(!is_recorded);
        // Who sends a recording again needs no key.
        self.tally.did(match is_recorded {
            true => format!("told {kind}"),
            false => format!("told {kind} by {}", by.name()),
        });
        if matches!(letter, Letter::Table(_)) {
            self.tally.did(format!("told table by {}", by.name()));
        }
        let source = self.addr_of(victim.unwrap_or(from));
        let packet = match &letter {
            Letter::Packet(data) => Some(data.clone()),
            Letter::Table(_) => None,
        };
        let victim = victim.filter(|victim| !self.is_running(*victim)).map(|_| source);
        let forged = Forged { host: id, packet, victim, tales, flaw };
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

    /// What is said, of each of those it is said of.
    fn tales(&self, lie: &Lie) -> Vec<Tale> {
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
                stamp: ahead(self.known_stamp(about), lie.ahead, lie.lives),
                state,
                profile,
                kind: if lie.more > 0 { "crowd" } else { lie.says.kind() },
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
        let lines: Vec<Line<'_>> = tales.iter().filter_map(line).collect();
        if lie.table && !lines.is_empty() {
            return Letter::Table(forger.table(&receiver, &lines, 0, &[]));
        }
        let said: Vec<swim_core::Lie<'_>> = match lie.says {
            Says::Ping => vec![swim_core::Lie::Ping { nonce: nth }],
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
    fn keys_of(&self, id: HostId, by: Forger) -> Option<(Option<Keyring>, Option<Flaw>)> {
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
    fn known_name(&self, id: HostId) -> Name {
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

/// What a tale is in a table, if it can stand in one.
fn line(tale: &Tale) -> Option<Line<'_>> {
    let (addr, meta) = tale.profile.as_ref()?;
    let (name, stamp, state) = (&tale.name, tale.stamp, tale.state);
    Some(Line { name, stamp, addr: *addr, meta: meta.as_bytes(), state })
}

/// What a tale is in a packet.
fn claim<'a>(tale: &'a Tale, from: &'a Name) -> swim_core::Lie<'a> {
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

/// What a member speaks under later, if it has to refute so often, or starts so much later.
fn ahead(stamp: Stamp, incarnations: u64, lives: u64) -> Stamp {
    let Incarnation(incarnation) = stamp.incarnation;
    let life = stamp.life.0.saturating_add(lives).min(LIFE_MAX);
    Stamp::new(life, incarnation.saturating_add(incarnations))
}

/// Rotations don't get further than this key.
const KEYS: u8 = 16;
