//! Many packets at once, by those who hold no key, a former one, or the one in use: noise, what is
//! sealed for others, and lies one after the other. (A0, A2, A3)

use bytes::Bytes;
use swim_core::{Dialect, Keyring};

use crate::{
    chance::{Chance, Purpose},
    machine::Machine,
    malice::{Flaw, Flood, Forged, Forger, Lie, Says, Tale, Torrent},
    network::HostId,
};

use super::{Due, World, forging::claim, stolen::key};

/// One packet of many, and what it says of members.
type Drop = (Bytes, Vec<Tale>);

impl<M: Machine> World<M> {
    /// Somebody sends a host many packets from the address of another, and in its name. Returns
    /// whether he could: both must run, and he must know what he is said to know.
    pub(super) fn flood(&mut self, id: HostId, from: HostId, flood: &Flood) -> bool {
        let takes_part = |&host: &HostId| self.is_running(host) && !self.node(host).has_left();
        if ![id, from].iter().all(takes_part) || id == from {
            return false;
        }
        self.tally.floods += 1;
        let drops = match flood.of {
            Torrent::Noise | Torrent::Strange if !self.knows_noise(id) => None,
            Torrent::Noise => Some((self.noise(flood), Some(Flaw::Noise))),
            Torrent::Strange => {
                let key = key(STRANGE);
                let (flaw, ring) = (Flaw::Key(key.id()), Keyring::new(key));
                Some((self.lies(id, from, &QUESTION, flood.times, Some(ring)), Some(flaw)))
            }
            Torrent::Lies { lie, by } => self.told(id, from, &lie, by, flood.times),
        };
        let Some((drops, flaw)) = drops else { return false };
        let source = self.addr_of(from);
        for (data, tales) in drops {
            let (at, packet) = (self.now, Some(data.clone()));
            let forged = Forged { host: id, at, posing: None, packet, victim: None, tales, flaw };
            for checker in &mut self.checkers {
                checker.forged(&forged);
            }
            self.queue.push(at, Due::Packet { to: id, from: source, data });
        }
        let (dialect, times) = (self.node(id).audit_options().dialect, flood.times as u64);
        self.tally.did(dialect, &format!("flood with {}", word(flood.of)), times);
        if let Torrent::Lies { by, .. } = flood.of {
            self.tally.did(dialect, &format!("flood by {}", by.name()), times);
        }
        true
    }

    /// Bytes that mean nothing.
    fn noise(&self, flood: &Flood) -> Vec<Drop> {
        let mut luck = Chance::of(self.seed, Purpose::Replay, flood.word);
        let drops = (0..flood.times).map(|_| {
            let len = luck.below(NOISE_LEN_MAX);
            let data: Vec<u8> = (0..len).map(|_| luck.word() as u8).collect();
            (data.into(), Vec::new())
        });
        drops.collect()
    }

    /// Whether a node can tell what means nothing from what says little: in memberlist's dialect
    /// none can that has no key.
    fn knows_noise(&self, id: HostId) -> bool {
        let node = self.node(id);
        node.audit_options().dialect == Dialect::Native || node.keyring().is_some()
    }

    /// The same lie again and again; none that nobody would tell, or that can't be told at once.
    fn told(
        &self,
        id: HostId,
        from: HostId,
        lie: &Lie,
        by: Forger,
        times: usize,
    ) -> Option<(Vec<Drop>, Option<Flaw>)> {
        let is_question = lie.says == Says::Ping;
        let is_own = from == lie.about && !is_question;
        if is_own || (is_question && !self.is_prompt(id)) {
            return None;
        }
        let (ring, flaw) = self.keys_of(id, by)?;
        Some((self.lies(id, from, lie, times, ring), flaw))
    }

    /// So many packets with this lie.
    fn lies(
        &self,
        id: HostId,
        from: HostId,
        lie: &Lie,
        times: usize,
        ring: Option<Keyring>,
    ) -> Vec<Drop> {
        // No two draw the same nonces. (X3)
        let seed = Chance::of(self.seed, Purpose::Forgery, FLOODS + self.tally.floods).seed();
        let (name, receiver) = (self.known_name(from), self.known_name(id));
        let mut forger = self.node(id).forger(name.clone(), self.node(from).stamp(), ring, seed);
        let drop = |nth: usize| {
            let (round, turn) = (nth / (1 + lie.more), nth % (1 + lie.more));
            let ahead = lie.ahead + round as u64;
            let one = Lie { about: lie.about + turn, more: 0, ahead, ..*lie };
            let mut tales = self.tales(id, &one);
            tales.iter_mut().for_each(|tale| tale.kind = "flood");
            let question = swim_core::Lie::Ping { nonce: nth as u64 };
            let said = tales.first().map_or(question, |tale| claim(tale, &name));
            (forger.packet(&receiver, &[said]), tales)
        };
        (0..times).map(drop).collect()
    }

    /// Whether a host takes in at once all that comes at once. One that needs its time for each
    /// packet also answers one after the other, for as long as that goes on: nothing tells this
    /// from a storm. (P5)
    fn is_prompt(&self, id: HostId) -> bool {
        let (host, now) = (self.host(id), self.now);
        host.cpu.receive_cost.is_zero()
            && host.cpu.starved.is_none()
            && host.cpu.free_at.max(host.cpu.frozen_until).max(host.card.held_until) <= now
    }
}

/// The word for it in counters.
fn word(of: Torrent) -> String {
    match of {
        Torrent::Noise => "noise".into(),
        Torrent::Strange => "another key".into(),
        Torrent::Lies { lie, by } => format!("{} by {}", lie.kind(), by.name()),
    }
}

/// What those ask who have another key.
const QUESTION: Lie =
    Lie { about: 0, more: 0, says: Says::Ping, ahead: 0, lives: 0, table: false, bloat: 0 };

/// The key that nobody here has.
const STRANGE: u8 = 253;

/// Noise is shorter.
const NOISE_LEN_MAX: u64 = 600;

/// The numbers of what is forged begin here for floods: those of single lies don't get so far.
const FLOODS: u64 = 1 << 32;
