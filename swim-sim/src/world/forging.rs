//! Packets in the name of members by those who are none: who knows no key (A0), one that was
//! removed (A2), or the one in use (A3). All of them know names, stamps and addresses, and say what
//! is true but for the lie. Those on the way, who drop, delay and replay (A1), are faults of links
//! and the business of `replaying`.

use swim_core::{Forgery, Incarnation, Keyring, Name, Stamp};

use crate::{
    action::{Forger, Lie},
    chance::{Chance, Purpose},
    check::{Flaw, Forged},
    machine::Machine,
    network::HostId,
};

use super::{Due, World, stolen::key};

impl<M: Machine> World<M> {
    /// Somebody sends a host a lie in the name of another's node. Returns whether he could: all of
    /// them must run, and he must know what he is said to know.
    pub(super) fn forge(&mut self, id: HostId, from: HostId, lie: Lie, by: Forger) -> bool {
        let takes_part = |host| self.is_running(host) && !self.node(host).has_left();
        let all_run = [id, from, lie.about].into_iter().all(takes_part);
        if !all_run || id == from || from == lie.about {
            return false;
        }
        let Some((keyring, flaw)) = self.keys_of(id, by) else { return false };
        let forgery = Forgery {
            from: self.known_name(from),
            from_stamp: self.node(from).stamp(),
            about: self.known_name(lie.about),
            stamp: ahead(self.node(lie.about).stamp(), lie.ahead),
            is_dead: lie.dead,
        };
        // No two draw the same nonces. (X3)
        let nth = self.tally.forged.iter().sum();
        let seed = Chance::of(self.seed, Purpose::Forgery, nth).seed();
        let data = self.node(id).forge(&forgery, keyring, seed);
        self.tally.forged[by as usize] += 1;
        let forged = Forged { host: id, data: data.clone(), forgery, flaw };
        for checker in &mut self.checkers {
            checker.forged(&forged);
        }
        let from = self.addr_of(from);
        self.queue.push(self.now, Due::Packet { to: id, from, data });
        true
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

    fn known_name(&self, id: HostId) -> Name {
        self.node(id).local().name
    }
}

/// What a member speaks under later, if it has to refute so often.
fn ahead(stamp: Stamp, by: u64) -> Stamp {
    let Incarnation(incarnation) = stamp.incarnation;
    Stamp::new(stamp.life.0, incarnation.saturating_add(by))
}

/// Rotations don't get further than this key.
const KEYS: u8 = 16;
