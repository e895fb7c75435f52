//! Applications of every kind: those that send much, those that rotate keys, those that ask for
//! what they can't have; and processes that don't belong to the cluster.

use std::{fmt::Debug, net::SocketAddr, time::Duration};

use bytes::Bytes;
use swim_core::{Keyring, Options};

use crate::{
    action::{Intruder, Rotation, Way},
    host,
    machine::Machine,
    network::HostId,
};

use super::{World, commanding::JOIN_TIMEOUT, stolen::key};

impl<M: Machine> World<M> {
    /// Sends something; returns whether the node took it. A refusal is counted.
    pub(super) fn say(&mut self, id: HostId, to: HostId, way: Way, len: usize) -> bool {
        let to = self.name_of(to);
        let payload = Bytes::from(vec![self.now.as_nanos() as u8; len]);
        let refused = self.call(id, |machine, now| {
            let node = machine.node_mut();
            match way {
                Way::Packet => refusal("send", node.send_best_effort(now, &to, &payload)),
                Way::Stream => refusal("send", node.send_reliable(now, &to, payload)),
                Way::Ping => refusal("send", node.ping(now, &to)),
                Way::Broadcast => refusal("send", node.broadcast(now, payload)),
                Way::Meta => refusal("update", node.update_meta(now, payload)),
                Way::State => refusal("send", node.set_local_state(payload)),
                Way::Ack => refusal("send", node.set_ack_payload(payload)),
            }
        });
        self.count(refused.clone());
        refused.is_none()
    }

    /// Carries out a step of a rotation; returns whether the node took it. A refusal is counted.
    pub(super) fn rotate(&mut self, id: HostId, number: u8, step: Rotation) -> bool {
        let key = key(number);
        let refused = self.call(id, |machine, now| {
            let node = machine.node_mut();
            match step {
                Rotation::Add => refusal("keyring", node.add_key(now, key)),
                Rotation::Use => refusal("keyring", node.use_key(now, key.id())),
                Rotation::Remove => refusal("keyring", node.remove_key(now, key.id())),
            }
        });
        self.count(refused.clone());
        refused.is_none()
    }

    /// Asks a node for all that it must refuse, and counts the refusals. Some of it only fails
    /// in certain states of the node; a join that does begin is no harm.
    pub(super) fn misuse(&mut self, id: HostId) -> bool {
        let own = self.name_of(id);
        let addr = self.addr_of(id);
        let refused = self.call(id, |machine, now| {
            let node = machine.node_mut();
            let many = vec![addr; swim_core::limits::SEEDS_MAX + 1];
            let long = Bytes::from(vec![0; 1 << 17]);
            let mut refused = Vec::new();
            // First, because a join brings back a node that has left.
            if node.is_leaving() || node.has_left() {
                refused.push(refusal("leave", node.leave(now, JOIN_TIMEOUT)));
            }
            refused.extend([
                refusal("join", node.join(now, &[], JOIN_TIMEOUT)),
                refusal("join", node.join(now, &many, JOIN_TIMEOUT)),
                refusal("send", node.broadcast(now, long.clone())),
                refusal("send", node.send_best_effort(now, "nobody", b"")),
                refusal("send", node.ping(now, &own)),
                refusal("update", node.update_meta(now, long)),
                refusal("remove", node.remove(now, "nobody")),
                refusal("remove", node.remove(now, &own)),
            ]);
            // Until there are too many; nobody has that address.
            let joins = swim_core::limits::JOINS_MAX + 1;
            let (nowhere, moment) = (host::addr(NOBODY), Duration::from_millis(1));
            refused.extend((0..joins).map(|_| refusal("join", node.join(now, &[nowhere], moment))));
            let other = node.members().find(|m| *m.name != *own && m.state.is_live());
            if let Some(other) = other {
                refused.push(refusal("remove", node.remove(now, &other.name)));
            }
            let primary = node.keyring().map_or_else(|| key(0).id(), |ring| ring.primary().id());
            refused.push(refusal("keyring", node.remove_key(now, primary)));
            refused.push(refusal("keyring", node.use_key(now, key(255).id())));
            refused
        });
        for one in refused {
            self.count(one);
        }
        true
    }

    /// Starts a process that does not belong to the cluster.
    pub(super) fn intrude(
        &mut self,
        id: HostId,
        fault: Intruder,
        seeds: &[HostId],
        options: &dyn Fn(HostId, &mut Options),
    ) -> bool {
        if self.is_running(id) {
            return false;
        }
        let name = match fault {
            Intruder::Name { of } => self.name_of(of),
            _ => host::name(id),
        };
        self.start(id, |own| {
            let life = own.life;
            options(id, own);
            own.life = life;
            own.name = name;
            match fault {
                Intruder::Label => own.label = "elsewhere".into(),
                Intruder::Plaintext if own.keyring.is_some() => own.keyring = None,
                Intruder::Plaintext | Intruder::Key => own.keyring = Some(Keyring::new(key(254))),
                Intruder::Source => {
                    own.allow = None;
                    own.addr = SocketAddr::from(([192, 168, 0, id as u8], own.addr.port()));
                }
                Intruder::Name { .. } => {}
            }
        });
        let seeds: Vec<HostId> = seeds.iter().copied().filter(|seed| *seed != id).collect();
        if !seeds.is_empty() {
            self.join(id, &seeds);
        }
        true
    }

    fn count(&mut self, refused: Option<String>) {
        if let Some(error) = refused {
            *self.tally.refused.entry(error).or_default() += 1;
        }
    }
}

/// No host has this number.
const NOBODY: HostId = 100_000;

/// What kind of refusal a result is: `send too-large`, without its values.
fn refusal<T, E: Debug>(what: &str, result: Result<T, E>) -> Option<String> {
    let error = format!("{:?}", result.err()?);
    let variant = error.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    Some(format!("{what}: {variant}"))
}
