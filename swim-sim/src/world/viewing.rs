//! What the world looks like from outside.

use swim_core::{State, Stats};

use crate::{agreement::Truth, host::Host, machine::Machine, network::HostId};

use super::World;

impl<M: Machine> World<M> {
    /// The hosts on which something runs.
    pub fn running(&self) -> impl Iterator<Item = HostId> + '_ {
        let running = |(id, host): (HostId, &Host<M>)| host.is_running().then_some(id);
        self.hosts.iter().enumerate().filter_map(running)
    }

    /// The hosts whose node runs and has not left.
    pub fn taking_part(&self) -> impl Iterator<Item = HostId> + '_ {
        self.running().filter(|&id| !self.node(id).has_left())
    }

    /// Whether something runs on a host.
    #[must_use]
    pub fn is_running(&self, id: HostId) -> bool {
        self.hosts.get(id).is_some_and(Host::is_running)
    }

    /// What the node on `observer` believes of the one on `subject`.
    #[must_use]
    pub fn view(&self, observer: HostId, subject: HostId) -> Option<State> {
        let name = self.name_of(subject);
        self.node(observer).member(&name).map(|member| member.state)
    }

    /// Whether all nodes that take part count each other as alive and nobody else as live. Costs
    /// nothing, but looks at numbers only; see [`World::agree`].
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        self.crowd.unsettled == 0
    }

    /// How many nodes take part.
    #[must_use]
    pub const fn members(&self) -> usize {
        self.crowd.members
    }

    /// L1: whether all nodes that take part know each other as alive, under the stamps they speak
    /// under and with what they say about themselves, and count nobody else as live.
    #[must_use]
    pub fn agree(&self) -> bool {
        self.is_settled() && self.agree_among(&self.taking_part().collect::<Vec<_>>())
    }

    /// L1 for some of the nodes: what they believe of each other is true. What they believe of
    /// others is not looked at.
    #[must_use]
    pub fn agree_among(&self, ids: &[HostId]) -> bool {
        let truth = Truth::of(ids.iter().map(|&id| self.node(id).local()));
        ids.iter().all(|&observer| truth.is_known_from(self.node(observer).members()))
    }

    /// What keeps the nodes from agreeing, for messages: at most a few lines.
    #[must_use]
    pub fn disagreements(&self) -> String {
        let mut found = Vec::new();
        for observer in self.taking_part() {
            for subject in self.taking_part() {
                let own = self.node(subject).local();
                let seen = self.node(observer).member(&own.name);
                if let Some(member) = seen.as_ref().filter(|member| member.meta != own.meta) {
                    let (one, other) = (member.meta.as_bytes().len(), own.meta.as_bytes().len());
                    found.push(format!(
                        "host {observer} sees {} {} with metadata of {one} bytes, not {other}",
                        own.name, member.stamp
                    ));
                }
                let seen = seen.map(|member| (member.state, member.stamp, member.addr));
                if seen != Some((State::Alive, own.stamp, own.addr)) {
                    let seen = seen.map_or("nobody".into(), |(state, stamp, addr)| {
                        format!("{state} {stamp} at {addr}")
                    });
                    found
                        .push(format!("host {observer} sees {} {} as {seen}", own.name, own.stamp));
                }
            }
            let (live, all) = (self.node(observer).counts().live(), self.crowd.members);
            if live != all {
                found.push(format!("host {observer} counts {live} live members of {all}"));
            }
            let suspects = self.node(observer).counts().suspect;
            if suspects > 0 {
                found.push(format!("host {observer} suspects {suspects}"));
            }
            if found.len() > LINES_MAX {
                break;
            }
        }
        found.truncate(LINES_MAX);
        found.join("\n")
    }

    /// The sum of a counter over all running nodes.
    pub fn sum(&self, counter: impl Fn(&Stats) -> u64) -> u64 {
        self.running().map(|id| counter(self.node(id).stats())).sum()
    }
}

/// Nobody reads more lines than this of what is wrong.
const LINES_MAX: usize = 12;
