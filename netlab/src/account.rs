//! What the nodes of a cluster told, judged by the rules and with the code of the simulator.

use swim_core::{EventKind, Life};
use swim_sim::{
    check::Mirror,
    network::HostId,
    record::{Record, Told},
};

use crate::{
    cluster::{Cluster, name},
    lines,
    node::Node,
};

/// What was told, and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// Who believed what of whom, and who was called failed, by time since the cluster began.
    pub record: Record,
    /// What breaks E1 to E4.
    pub faults: Vec<String>,
    /// How many events were looked at.
    pub events: usize,
    /// How many lists of members were compared with what the events say.
    pub lists: usize,
}

impl Account {
    /// Of all that was told until now.
    #[must_use]
    pub fn of(cluster: &Cluster) -> Self {
        let mut account = Self::default();
        account.record.hosts = cluster.runs().len();
        for (host, runs) in cluster.runs().iter().enumerate() {
            for node in runs {
                if let Err(fault) = account.take(cluster, host, node) {
                    account.faults.push(format!("{}: {fault}", node.name));
                }
            }
        }
        account.record.changes.sort_by_key(|change| change.at);
        account.record.failures.sort_by_key(|failure| failure.at);
        account
    }

    /// Follows one run event by event, and compares wherever the node listed its members.
    fn take(&mut self, cluster: &Cluster, host: HostId, node: &Node) -> Result<(), String> {
        let mut mirror = Mirror::of_new_node();
        let mut lists = node.lists.iter().peekable();
        let printed = node.lines.look(<[_]>::to_vec);
        for line in &printed {
            let Some(told) = lines::event(line, &node.name)? else { continue };
            mirror.take(&told.event)?;
            self.events += 1;
            if let EventKind::Member { change, member } = &told.event.kind
                && let Some(subject) = host_of(cluster, &member.name)
            {
                let is_false =
                    cluster.truth().was_well((host, subject), member.stamp.life, told.at, |run| {
                        life_of(cluster, subject, run)
                    });
                let at = told.at.saturating_sub(cluster.began());
                let (change, state) = (*change, member.state);
                self.record.take(Told { at, observer: host, subject, change, state }, is_false);
            }
            while let Some((_, members)) = lists.next_if(|(next, _)| Some(*next) == mirror.next()) {
                mirror.compare(members.iter().cloned())?;
                self.lists += 1;
            }
        }
        match lists.next() {
            None => Ok(()),
            Some((next, _)) => Err(format!("E3: a list follows event {next}, which never came")),
        }
    }
}

fn host_of(cluster: &Cluster, node: &str) -> Option<HostId> {
    (0..cluster.runs().len()).find(|host| name(*host) == node)
}

fn life_of(cluster: &Cluster, host: HostId, run: usize) -> Option<Life> {
    cluster.runs()[host].get(run)?.life()
}
