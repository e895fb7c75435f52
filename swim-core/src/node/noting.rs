//! Keeping what was heard, where it is asked for. Only there with the feature `simulation`.

use alloc::{string::String, vec::Vec};

use super::{Node, membership::Source};
use crate::{
    hearsay::{Heard, Hearsay, Said},
    name::{Meta, NameRef},
    table::MemberIndex,
    wire::{Alive, Claim, Entry},
};

impl Node {
    /// Keeps what is heard from now on, until it is taken.
    pub fn keep_hearsay(&mut self) {
        self.heard.get_or_insert_default();
    }

    /// What was heard since it was last taken.
    pub fn take_hearsay(&mut self) -> Vec<Heard> {
        self.heard.as_mut().map(core::mem::take).unwrap_or_default()
    }

    /// Keeps something heard.
    pub(super) fn note(&mut self, what: impl FnOnce(&Self) -> Hearsay) {
        if self.heard.is_some() {
            let (at, unix_millis, what) = (self.now, self.unix_millis(), what(self));
            self.heard.get_or_insert_default().push(Heard { at, unix_millis, what });
        }
    }

    /// Keeps something about a member.
    pub(super) fn note_of(&mut self, index: MemberIndex, what: impl FnOnce(String) -> Hearsay) {
        self.note(|node| what(text(node.table.get(index).name())));
    }

    /// Keeps a claim.
    pub(super) fn note_claim(&mut self, claim: &Claim<'_>, source: Source) {
        self.note(|node| match claim {
            Claim::Alive(alive) => Hearsay::Alive(said(alive)),
            Claim::Suspect(accusation) | Claim::Dead(accusation) => Hearsay::Accused {
                name: text(accusation.name),
                stamp: accusation.stamp,
                from: text(accusation.from),
                carrier: source.carrier.map(|carrier| text(node.table.get(carrier).name())),
                dead: matches!(claim, Claim::Dead(_)),
            },
            Claim::Left(departure) => {
                Hearsay::Left { name: text(departure.name), stamp: departure.stamp }
            }
        });
    }

    /// Keeps a line of a peer's table.
    pub(super) fn note_entry(&mut self, entry: &Entry<'_>, source: Source) {
        self.note(|node| Hearsay::Entry {
            said: said(&entry.alive),
            state: entry.state,
            stamp: entry.stamp,
            first_hand: source.first_hand,
            in_person: source.in_person,
            outlived: node.remembered.outlived(entry.alive.name.as_str(), entry.stamp),
            carrier: source.carrier.map(|carrier| text(node.table.get(carrier).name())),
        });
    }
}

fn said(alive: &Alive<'_>) -> Said {
    Said {
        name: text(alive.name),
        stamp: alive.stamp,
        addr: alive.addr,
        meta: Meta::from_checked(alive.meta),
        versions: alive.versions,
    }
}

fn text(name: NameRef<'_>) -> String {
    String::from(name.as_str())
}
