//! What may be done to a world, as data: for scenarios, for random faults, and for making a failing
//! run smaller.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use swim_core::{Life, Options};

use crate::{
    machine::Machine,
    network::{HostId, Latency, Link},
    span,
    world::World,
};

/// One thing done to a world. An action that makes no sense at its time (a crash of what does not
/// run) does nothing, so that leaving one out of a list leaves the others valid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do", deny_unknown_fields)]
pub enum Action {
    /// A process starts and joins these hosts.
    Start {
        /// Where.
        host: HostId,
        /// Whom it asks; none: it waits to be asked.
        seeds: Vec<HostId>,
        /// Whether it knows in which lives it ran before. One that does not begins with life 1.
        #[serde(default)]
        forgetful: bool,
    },
    /// A process ends without a word.
    Crash {
        /// Where.
        host: HostId,
    },
    /// A node leaves; its process stays.
    Leave {
        /// Which.
        host: HostId,
    },
    /// A node joins others, also after it left.
    Join {
        /// Which.
        host: HostId,
        /// Whom it asks.
        seeds: Vec<HostId>,
    },
    /// An operator on `host` declares the node of `subject` gone.
    Remove {
        /// Where.
        host: HostId,
        /// Whose node.
        subject: HostId,
    },
    /// A node changes its metadata.
    Update {
        /// Which.
        host: HostId,
    },
    /// A node broadcasts something.
    Broadcast {
        /// Which.
        host: HostId,
    },
    /// Nothing runs on a host for a while; what arrives waits.
    Freeze {
        /// Where.
        host: HostId,
        /// For how long.
        #[serde(with = "span")]
        span: Duration,
    },
    /// All that a host sends, and all sent to it, comes only when this is over.
    Hold {
        /// Where.
        host: HostId,
        /// For how long.
        #[serde(with = "span")]
        span: Duration,
    },
    /// A host gets the processor for a moment now and then.
    Starve {
        /// Where.
        host: HostId,
        /// For how long at a time.
        #[serde(with = "span")]
        runs: Duration,
        /// For how long not, in between.
        #[serde(with = "span")]
        stands: Duration,
        /// For how long in all.
        #[serde(with = "span")]
        span: Duration,
    },
    /// A host needs so long for every packet.
    Slow {
        /// Where.
        host: HostId,
        /// How long.
        #[serde(with = "span")]
        cost: Duration,
    },
    /// A host's clock runs fast, or slow if negative.
    Drift {
        /// Where.
        host: HostId,
        /// By how many parts in a million.
        ppm: i64,
    },
    /// A host's clock jumps forward.
    Jump {
        /// Where.
        host: HostId,
        /// By how much.
        #[serde(with = "span")]
        span: Duration,
    },
    /// Hosts reach only those of their own group; those that no group names are one more.
    Partition {
        /// The groups.
        groups: Vec<Vec<HostId>>,
    },
    /// Nothing passes from any of the first to any of the others. The way back stays open.
    Cut {
        /// From whom.
        from: Vec<HostId>,
        /// To whom.
        to: Vec<HostId>,
    },
    /// The same, but streams do pass.
    CutPackets {
        /// From whom.
        from: Vec<HostId>,
        /// To whom.
        to: Vec<HostId>,
    },
    /// What is sent from one to the other comes only when this is over.
    Clog {
        /// From whom.
        from: HostId,
        /// To whom.
        to: HostId,
        /// For how long.
        #[serde(with = "span")]
        span: Duration,
    },
    /// Cuts, partitions and clogs end.
    Mend,
    /// Everything that is wrong with the network ends.
    Heal,
    /// All links change their character.
    Links {
        /// What is to change.
        #[serde(flatten)]
        change: LinkChange,
    },
    /// One direction between two hosts gets a character of its own.
    Link {
        /// From whom.
        from: HostId,
        /// To whom.
        to: HostId,
        /// What is different there.
        #[serde(flatten)]
        change: LinkChange,
    },
    /// A host's own side of its links.
    Ends {
        /// Which host.
        host: HostId,
        /// The share of what it sends that is lost.
        #[serde(default)]
        loss_sent: f64,
        /// The share of what is sent to it that is lost.
        #[serde(default)]
        loss_received: f64,
        /// How many bytes leave it a second; 0 for any number.
        #[serde(default)]
        bandwidth: u64,
        /// How many bytes may wait to be sent; 0 for any number.
        #[serde(default)]
        send_queue_max: u64,
    },
}

/// What is to change about a link.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LinkChange {
    /// The shortest and the longest delay.
    pub latency: Option<(Span, Span)>,
    /// The share of packets lost.
    pub loss: Option<f64>,
    /// The share of packets that come twice.
    pub duplicates: Option<f64>,
    /// The share of packets that come late.
    pub reordered: Option<f64>,
    /// By how much at most.
    pub reordered_by: Option<Span>,
    /// The share of packets with a flipped bit.
    pub flipped: Option<f64>,
    /// The share of packets that lose their end.
    pub truncated: Option<f64>,
    /// The longest packet that passes.
    pub mtu: Option<usize>,
    /// The share of pieces of streams at which they break.
    pub stream_resets: Option<f64>,
    /// The share of pieces of streams after which nothing comes.
    pub stream_stalls: Option<f64>,
}

/// A span that can stand in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(#[serde(with = "span")] pub Duration);

/// An action and its time after the start of the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timed {
    /// When.
    #[serde(with = "span")]
    pub at: Duration,
    /// What.
    #[serde(flatten)]
    pub action: Action,
}

impl LinkChange {
    /// The link with this changed.
    #[must_use]
    pub fn apply(&self, link: Link) -> Link {
        let latency = |(least, most): (Span, Span)| Latency::Uniform(least.0, most.0.max(least.0));
        Link {
            latency: self.latency.map_or(link.latency, latency),
            loss: self.loss.unwrap_or(link.loss),
            duplicates: self.duplicates.unwrap_or(link.duplicates),
            reordered: self.reordered.unwrap_or(link.reordered),
            reordered_by: self.reordered_by.map_or(link.reordered_by, |span| span.0),
            flipped: self.flipped.unwrap_or(link.flipped),
            truncated: self.truncated.unwrap_or(link.truncated),
            mtu: self.mtu.unwrap_or(link.mtu),
            stream_resets: self.stream_resets.unwrap_or(link.stream_resets),
            stream_stalls: self.stream_stalls.unwrap_or(link.stream_stalls),
        }
    }
}

impl<M: Machine> World<M> {
    /// Does it, if it makes sense now; returns whether it did. `options` gives the settings of a
    /// host on which something is started.
    pub fn act(&mut self, action: &Action, options: &dyn Fn(HostId, &mut Options)) -> bool {
        match action {
            Action::Start { host, seeds, forgetful } => {
                if self.is_running(*host) {
                    return false;
                }
                self.start(*host, |own| {
                    let life = own.life;
                    options(*host, own);
                    own.life = if *forgetful { Life(1) } else { life };
                });
                let seeds: Vec<HostId> =
                    seeds.iter().copied().filter(|seed| seed != host).collect();
                if !seeds.is_empty() {
                    self.join(*host, &seeds);
                }
                true
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
            Action::Jump { host, span } => self.if_running(*host, |world| world.jump(*host, *span)),
            network => self.act_on_network(network),
        }
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
