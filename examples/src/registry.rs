//! A service registry: who offers a service, for a load balancer to choose from.
//!
//! A member that offers something says so in its metadata. Whoever is interested in a service gets
//! an event for each endpoint that comes, changes, begins to drain, or goes; it goes when its
//! member has failed or left. A suspected member stays: it may be its accuser who is ill.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use swim_driver::swim_core::{Member, Name};

use crate::{
    mirror::{Mirror, Seen},
    typed::{MetaProblem, Typed, decode},
};

/// What a member offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The name of the service.
    pub service: String,
    /// Where it is reached, on the member's address.
    pub port: u16,
    /// How much of the work it wants.
    pub weight: u16,
    /// Whether it wants no new work, because it is about to end.
    pub is_draining: bool,
}

impl Typed for Offer {
    const VERSION: u8 = 1;
}

/// What a load balancer wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// There is a new endpoint.
    Added(Name, Offer),
    /// It has another port or weight, or takes work again.
    Changed(Name, Offer),
    /// It takes no new work.
    Draining(Name),
    /// It is gone.
    Removed(Name),
    /// A member says something about itself that is no offer: its endpoint, if it had one, is gone.
    Unreadable(Name, MetaProblem),
}

/// The endpoints of one service.
#[derive(Debug)]
pub struct Registry {
    mirror: Mirror,
    service: String,
    offers: BTreeMap<Name, Offer>,
    changes: VecDeque<Change>,
}

impl Registry {
    /// Follows the offers of this service.
    pub fn new(mirror: Mirror, service: impl Into<String>) -> Self {
        let (offers, changes) = (BTreeMap::new(), VecDeque::new());
        Self { mirror, service: service.into(), offers, changes }
    }

    /// Those that take work, with the names of their members.
    pub fn targets(&self) -> impl Iterator<Item = (&Name, &Offer)> {
        self.offers.iter().filter(|(_, offer)| !offer.is_draining)
    }

    /// Waits for the next change; `None` once the node has stopped. Cancel safe.
    pub async fn next(&mut self) -> Option<Change> {
        loop {
            if let Some(change) = self.changes.pop_front() {
                return Some(change);
            }
            match self.mirror.next().await? {
                Seen::Member(_, member) => self.look_at(&member),
                Seen::Anew(members) => {
                    let is_gone = |name: &Name| members.iter().all(|member| member.name != *name);
                    let gone = self.offers.keys().filter(|name| is_gone(name)).cloned();
                    gone.collect::<Vec<_>>().iter().for_each(|name| self.remove(name));
                    members.iter().for_each(|member| self.look_at(member));
                }
                Seen::Other(_) => {}
            }
        }
    }

    fn look_at(&mut self, member: &Member) {
        if !member.state.is_live() {
            return self.remove(&member.name);
        }
        match decode::<Offer>(&member.meta) {
            Ok(offer) if offer.service == self.service => self.put(&member.name, offer),
            Ok(_) | Err(MetaProblem::Empty) => self.remove(&member.name),
            Err(problem) => {
                self.offers.remove(&member.name);
                self.changes.push_back(Change::Unreadable(member.name.clone(), problem));
            }
        }
    }

    fn put(&mut self, name: &Name, offer: Offer) {
        let (is_draining, new) = (offer.is_draining, offer.clone());
        let change = match self.offers.insert(name.clone(), offer) {
            Some(former) if former == new => return,
            Some(former) if is_draining && !former.is_draining => Change::Draining(name.clone()),
            Some(_) => Change::Changed(name.clone(), new),
            None => Change::Added(name.clone(), new),
        };
        self.changes.push_back(change);
    }

    fn remove(&mut self, name: &Name) {
        if self.offers.remove(name).is_some() {
            self.changes.push_back(Change::Removed(name.clone()));
        }
    }
}
