//! What applications and operators do.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use swim_core::{Instant, Node};

use crate::{host, machine::Machine, network::HostId, step::Moment};

use super::World;

impl<M: Machine> World<M> {
    /// Runs a command on the machine of a host and carries out what follows. The command gets the
    /// host's own time.
    ///
    /// # Panics
    ///
    /// If nothing runs there.
    pub fn call<R>(&mut self, id: HostId, command: impl FnOnce(&mut M, Instant) -> R) -> R {
        self.call_as(id, &Moment::Command, command)
    }

    /// Lets a node join the nodes on these hosts.
    ///
    /// # Panics
    ///
    /// If nothing runs there, or the node may not join.
    pub fn join(&mut self, id: HostId, seeds: &[HostId]) {
        let seeds: Vec<SocketAddr> = seeds.iter().map(|&seed| self.addr_of(seed)).collect();
        self.call(id, |machine, now| machine.node_mut().join(now, &seeds, JOIN_TIMEOUT))
            .unwrap_or_else(|error| panic!("host {id}: {error}"));
    }

    /// Lets a node leave; the process goes on running until it is crashed.
    ///
    /// # Panics
    ///
    /// If nothing runs there, or the node is leaving or has left.
    pub fn leave(&mut self, id: HostId) {
        self.call_as(id, &Moment::Leave, |machine, now| {
            machine.node_mut().leave(now, LEAVE_TIMEOUT)
        })
        .unwrap_or_else(|error| panic!("host {id}: {error}"));
    }

    /// An operator on host `id` declares a dead member gone. Returns whether the node agreed.
    pub fn remove(&mut self, id: HostId, subject: HostId) -> bool {
        let Some(member) = self.node(id).member(&self.name_of(subject)) else { return false };
        let moment = Moment::Remove { name: member.name.to_string(), life: member.stamp.life };
        self.call_as(id, &moment, |machine, now| machine.node_mut().remove(now, &member.name))
            .is_ok()
    }

    /// Broadcasts something that tells when it was sent, so that the tally can tell how long it
    /// took. Returns whether the node took it.
    pub fn shout(&mut self, id: HostId) -> bool {
        let payload = Bytes::copy_from_slice(&self.now.as_nanos().to_le_bytes());
        self.call(id, |machine, now| machine.node_mut().broadcast(now, payload)).is_ok()
    }

    /// Changes a node's metadata to something that tells when it was changed, so that the tally can
    /// tell how long it took. Returns whether the node took it.
    pub fn update(&mut self, id: HostId) -> bool {
        let meta = Bytes::copy_from_slice(&self.now.as_nanos().to_le_bytes());
        self.call(id, |machine, now| machine.node_mut().update_meta(now, meta)).is_ok()
    }

    /// The node on a host.
    ///
    /// # Panics
    ///
    /// If nothing runs there.
    #[must_use]
    pub fn node(&self, id: HostId) -> &Node {
        self.machine(id).node()
    }

    /// The machine on a host.
    ///
    /// # Panics
    ///
    /// If nothing runs there.
    #[must_use]
    pub fn machine(&self, id: HostId) -> &M {
        self.hosts[id].machine().expect("asked of a host on which something runs")
    }

    /// Where a host is reached, or would be.
    #[must_use]
    pub fn addr_of(&self, id: HostId) -> SocketAddr {
        self.hosts.get(id).map_or_else(|| host::addr(id), |host| host.addr)
    }

    /// What the node on a host is called, or would be.
    #[must_use]
    pub fn name_of(&self, id: HostId) -> String {
        let machine = self.hosts.get(id).and_then(host::Host::machine);
        machine.map_or_else(|| host::name(id), |machine| machine.node().name().to_string())
    }

    fn call_as<R>(
        &mut self,
        id: HostId,
        moment: &Moment,
        command: impl FnOnce(&mut M, Instant) -> R,
    ) -> R {
        let local = self.hosts[id].clock.local(self.now);
        let process = self.hosts[id].process.as_mut();
        let process = process.expect("asked of a host on which something runs");
        let result = command(&mut process.machine, local);
        if let Some(trace) = &mut self.trace {
            trace.command(self.now, id);
        }
        self.drain(id, moment);
        result
    }
}

/// How long a join may take that the world starts.
pub(super) const JOIN_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a leave may take that the world starts.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(5);
