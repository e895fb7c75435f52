//! A service registry: who offers a service, for a load balancer to choose from.
//!
//! A member that offers something says so in its metadata. Whoever is interested in a service gets
//! an event for each endpoint that comes, changes, begins to drain, or goes; it goes when its
//! member has failed or left. A suspected member stays: it may be its accuser who is ill.

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
};

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

/// Where work for a service can be sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The member's address, with the port of its offer.
    pub addr: SocketAddr,
    /// What it offers.
    pub offer: Offer,
}

/// What a load balancer wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// There is a new endpoint.
    Added(Name, Endpoint),
    /// It has another address or weight, or takes work again.
    Changed(Name, Endpoint),
    /// It takes no new work, whether it was there before or not.
    Draining(Name, Endpoint),
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
    /// What live members say; not those that offer nothing, or something else.
    heard: BTreeMap<Name, Result<Endpoint, MetaProblem>>,
    changes: VecDeque<Change>,
}

impl Registry {
    /// Follows the offers of this service.
    pub fn new(mirror: Mirror, service: impl Into<String>) -> Self {
        let (heard, changes) = (BTreeMap::new(), VecDeque::new());
        Self { mirror, service: service.into(), heard, changes }
    }

    /// Those that take work, with the names of their members.
    pub fn targets(&self) -> impl Iterator<Item = (&Name, &Endpoint)> {
        let endpoints =
            self.heard.iter().filter_map(|(name, heard)| Some((name, heard.as_ref().ok()?)));
        endpoints.filter(|(_, endpoint)| !endpoint.offer.is_draining)
    }

    /// Waits for the next change; `None` once the node has stopped. Cancel safe.
    pub async fn next(&mut self) -> Option<Change> {
        loop {
            if let Some(change) = self.changes.pop_front() {
                return Some(change);
            }
            match self.mirror.next().await? {
                Seen::Member(_, member) => self.look_at(&member),
                Seen::Anew { members, .. } => {
                    let is_gone = |name: &Name| members.iter().all(|member| member.name != *name);
                    let gone = self.heard.keys().filter(|name| is_gone(name)).cloned();
                    gone.collect::<Vec<_>>().iter().for_each(|name| self.remove(name));
                    members.iter().for_each(|member| self.look_at(member));
                }
                Seen::Other(_) => {}
            }
        }
    }

    /// Most events say nothing new: a suspicion, for one, is about what is known already.
    fn look_at(&mut self, member: &Member) {
        let heard = match decode::<Offer>(&member.meta) {
            _ if !member.state.is_live() => return self.remove(&member.name),
            Ok(offer) if offer.service == self.service => {
                Ok(Endpoint { addr: SocketAddr::new(member.addr.ip(), offer.port), offer })
            }
            Ok(_) | Err(MetaProblem::Empty) => return self.remove(&member.name),
            Err(problem) => Err(problem),
        };
        let name = member.name.clone();
        let former = self.heard.insert(name.clone(), heard.clone());
        if former.as_ref() == Some(&heard) {
            return;
        }
        self.changes.push_back(match heard {
            Ok(endpoint) if endpoint.offer.is_draining => Change::Draining(name, endpoint),
            Ok(endpoint) if matches!(former, Some(Ok(_))) => Change::Changed(name, endpoint),
            Ok(endpoint) => Change::Added(name, endpoint),
            Err(problem) => Change::Unreadable(name, problem),
        });
    }

    fn remove(&mut self, name: &Name) {
        if let Some(Ok(_)) = self.heard.remove(name) {
            self.changes.push_back(Change::Removed(name.clone()));
        }
    }
}
