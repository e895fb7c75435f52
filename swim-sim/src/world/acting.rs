//! Actions carried out.

use swim_core::{Instant, Life, Options, limits::LIFE_JUMP_MAX};

use crate::{action::Action, host, machine::Machine, network::HostId};

use super::World;

impl<M: Machine> World<M> {
    /// Does it, if it makes sense now; returns whether it did. `options` gives the settings of a
    /// host on which something is started.
    pub fn act(&mut self, action: &Action, options: &dyn Fn(HostId, &mut Options)) -> bool {
        match action {
            Action::Start { host, seeds, forgetful } => {
                !self.is_running(*host) && self.begin(*host, seeds, *forgetful, options)
            }
            Action::Crash { host } => self.if_running(*host, |world| world.crash(*host)),
            Action::Leave { host } => self.if_active(*host, |world| world.leave(*host)),
            Action::Join { host, seeds } if !seeds.is_empty() => {
                let may_join = self.is_awake(*host) && !self.node(*host).is_leaving();
                if may_join {
                    self.join(*host, seeds);
                }
                may_join
            }
            Action::Join { .. } => false,
            Action::Remove { host, subject } => {
                self.is_active(*host) && self.remove(*host, *subject)
            }
            Action::Update { host } => self.is_active(*host) && self.update(*host),
            Action::Broadcast { host } => self.is_active(*host) && self.shout(*host),
            Action::Freeze { host, span } => {
                self.if_running(*host, |world| world.freeze(*host, *span))
            }
            Action::Hold { host, span } => self.if_running(*host, |world| world.hold(*host, *span)),
            Action::Starve { host, runs, stands, span } => {
                self.if_running(*host, |world| world.starve(*host, *runs, *stands, *span))
            }
            Action::Slow { host, cost } => {
                self.if_running(*host, |world| world.host_mut(*host).cpu.receive_cost = *cost)
            }
            Action::Drift { host, ppm } => {
                self.if_running(*host, |world| world.drift(*host, *ppm * 1_000))
            }
            Action::Jump { host, span, back } => self.if_running(*host, |world| match back {
                true => world.jump_back(*host, *span),
                false => world.jump(*host, *span),
            }),
            Action::SetClock { host, span, back } => {
                self.is_awake(*host) && self.set_clock(*host, *span, *back)
            }
            Action::Garbage { host, from, word, len } => {
                self.if_running(*host, |world| world.throw(*host, *from, *word, *len))
            }
            Action::Send { host, to, way, len } => {
                self.is_awake(*host) && self.say(*host, *to, *way, *len)
            }
            Action::Misuse { host } => self.is_awake(*host) && self.misuse(*host),
            Action::Rotate { host, key, step } => {
                self.is_running(*host) && self.rotate(*host, *key, *step)
            }
            Action::Forge { host, from, lie, by, victim } => {
                self.forge(*host, *from, lie, *by, *victim)
            }
            Action::Assault { host, assault } => self.assault(*host, assault),
            Action::Flood { host, from, flood } => self.flood(*host, *from, flood),
            Action::Intrude { host, fault, seeds } => self.intrude(*host, *fault, seeds, options),
            Action::Replays { share } => {
                self.replays.share = *share;
                true
            }
            network => self.act_on_network(network),
        }
    }

    /// Starts a host's process, which joins.
    fn begin(
        &mut self,
        host: HostId,
        seeds: &[HostId],
        forgetful: bool,
        options: &dyn Fn(HostId, &mut Options),
    ) -> bool {
        let starts = self.hosts.get(host).map_or(0, |host| host.starts);
        // Its clock was set to before the world began: none of the others is in so small a life.
        let forgotten = Life(host::life(Instant::ORIGIN).0 + u64::from(starts) + 1);
        self.start(host, |own| {
            let life = own.life;
            options(host, own);
            // Nobody hears without a clock of lives so much larger than those that he knows, not
            // even of his own: whoever is told of such keeps them on disk. (X7)
            let is_far = own.unix_time.is_none() && life.0 > forgotten.0 + LIFE_JUMP_MAX / 2;
            // No life is used twice, or nobody could tell one run from the other.
            own.life = if forgetful && !is_far { forgotten } else { life };
        });
        let seeds: Vec<HostId> = seeds.iter().copied().filter(|seed| *seed != host).collect();
        if !seeds.is_empty() {
            self.join(host, &seeds);
        }
        true
    }

    fn act_on_network(&mut self, action: &Action) -> bool {
        let now = self.now;
        let network = &mut self.network;
        match action {
            Action::Partition { groups } => network.partition(groups),
            Action::Cut { from, to } => each(from, to, |a, b| network.cut(a, b)),
            Action::CutPackets { from, to } => each(from, to, |a, b| network.cut_packets(a, b)),
            Action::Clog { from, to, span } => network.clog(*from, *to, now + *span),
            Action::Mend => network.mend(),
            Action::Heal => network.heal(),
            Action::Links { change } => network.link = change.apply(network.link),
            Action::Link { from, to, change } => {
                let link = change.apply(*network.link(*from, *to));
                network.set_link(*from, *to, link);
            }
            Action::Ends { host, loss_sent, loss_received, bandwidth, send_queue_max } => {
                let ends = network.ends_mut(*host);
                ends.loss_sent = *loss_sent;
                ends.loss_received = *loss_received;
                ends.bandwidth = *bandwidth;
                if *host < self.hosts().len() {
                    self.host_mut(*host).card.send_queue_max = *send_queue_max;
                }
            }
            _ => unreachable!("`act` does what concerns hosts"),
        }
        true
    }

    /// Whether an application can ask anything of a host now.
    fn is_awake(&self, host: HostId) -> bool {
        self.is_running(host) && !self.host(host).is_frozen(self.now)
    }

    /// Whether the node on a host takes part and can be asked for something.
    fn is_active(&self, host: HostId) -> bool {
        self.is_awake(host) && !self.node(host).has_left() && !self.node(host).is_leaving()
    }

    fn if_running(&mut self, host: HostId, act: impl FnOnce(&mut Self)) -> bool {
        let is_running = self.is_running(host);
        if is_running {
            act(self);
        }
        is_running
    }

    fn if_active(&mut self, host: HostId, act: impl FnOnce(&mut Self)) -> bool {
        let is_active = self.is_active(host);
        if is_active {
            act(self);
        }
        is_active
    }
}

fn each(from: &[HostId], to: &[HostId], mut act: impl FnMut(HostId, HostId)) {
    for &a in from {
        for &b in to {
            if a != b {
                act(a, b);
            }
        }
    }
}
