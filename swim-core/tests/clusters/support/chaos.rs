//! Chance decides the settings, and then what goes wrong.

use std::time::Duration;

use swim_core::{Bytes, Key, Keyring, Life, Options, Profile, State, Stats};

use super::{Id, MILLISECOND, SECOND, World, network::Chance, preset};

/// The settings of one run; a few differ from node to node.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) size: usize,
    pub(crate) base: Options,
}

impl Settings {
    pub(crate) fn draw(chance: &mut Chance) -> Self {
        let size = 3 + chance.below(9) as usize;
        let mut o = Options::lan("unused", super::addr(0));
        preset(chance.pick(&[Profile::Lan, Profile::Local]))(&mut o);
        let pace = chance.pick(&[1, 2, 5]);
        o.probe_interval = SECOND / pace;
        o.probe_timeout = o.probe_interval / chance.pick(&[2, 3, 5]);
        o.gossip_interval = chance.pick(&[20, 100, 200, 500]) * MILLISECOND;
        o.gossip_nodes = chance.pick(&[0, 1, 2, 3, 3, 3]);
        o.indirect_probes = chance.pick(&[0, 1, 3, 3]);
        o.stream_pings = chance.hits(700);
        o.health_max = chance.pick(&[0, 1, 7, 7]);
        o.suspicion_mult = chance.pick(&[1, 2, 3, 4, 4]);
        o.suspicion_max_mult = chance.pick(&[1, 2, 6]);
        o.retransmit_mult = chance.pick(&[1, 2, 4]);
        o.repair = chance.hits(800);
        o.push_pull_interval = chance.pick(&[0, 5, 15, 30]) * SECOND;
        if !o.repair && o.push_pull_interval.is_zero() {
            o.push_pull_interval = 10 * SECOND; // One of the two must find what gossip misses.
        }
        o.reap_after = chance.pick(&[1, 10, 30]) * SECOND;
        o.gossip_to_dead = chance.pick(&[0, 10, 30]) * SECOND;
        o.reclaim_after = chance.pick(&[None, Some(Duration::ZERO), Some(10 * SECOND)]);
        o.reconnect_interval = chance.pick(&[3, 10, 30]) * SECOND;
        o.stream_timeout = chance.pick(&[1, 3, 10]) * SECOND;
        o.packet_len_max = chance.pick(&[576, 1_232, 1_400]);
        o.broadcast_lifetime = chance.pick(&[5, 30]) * SECOND;
        o.keyring = chance.hits(300).then(|| Keyring::new(Key::generate([1; 32])));
        o.unix_time = chance.hits(500).then(|| Duration::from_secs(1_800_000_000));
        o.label = chance.pick(&["", "a"]).into();
        Self { size, base: o }
    }

    /// Gives a node its settings.
    pub(crate) fn apply(&self, chance: &mut Chance, now: swim_core::Instant, o: &mut Options) {
        let own = (o.name.clone(), o.addr, o.life);
        *o = self.base.clone();
        (o.name, o.addr, o.life) = own;
        if chance.hits(200) {
            o.packet_len_max = chance.pick(&[576, 1_232, 9_216]);
            o.probe_interval *= 2;
        }
        // All wall clocks agree; lives count on from the same time.
        let since = now.saturating_since(swim_core::Instant::ORIGIN);
        if let Some(unix) = &mut o.unix_time {
            *unix += since;
        }
    }

    /// Invariants, section 0: within this time all agree again once every fault is off. On top come
    /// the time for a stream to end, and for those that were lost for good: one of them is drawn
    /// per try, and the right one of n is drawn within 12 n tries but for six times in a million.
    pub(crate) fn converges_within(&self) -> Duration {
        let o = &self.base;
        let m = self.size as u32 - 1;
        let interval = o.probe_interval * 2;
        let longest = interval * o.suspicion_mult * o.suspicion_max_mult * 2;
        let dissemination = o.gossip_interval * 4 * 4 + o.push_pull_interval;
        longest * 2
            + interval * (2 * m - 1) * (1 + o.health_max)
            + o.push_pull_interval
            + dissemination
            + o.reconnect_interval * 12 * self.size as u32
            + o.stream_timeout * 3
    }
}

/// What was tried, and what the nodes that are gone had counted.
#[derive(Clone, Default)]
pub(crate) struct Tried {
    pub(crate) crashes: u64,
    pub(crate) restarts: u64,
    pub(crate) older_lives: u64,
    pub(crate) pauses: u64,
    pub(crate) leaves: u64,
    pub(crate) returns: u64,
    pub(crate) removals: u64,
    pub(crate) updates: u64,
    pub(crate) broadcasts: u64,
    pub(crate) messages: u64,
    pub(crate) cuts: u64,
    pub(crate) replays: u64,
    pub(crate) stats: Vec<Stats>,
}

/// Lets one random thing happen.
pub(crate) fn act(world: &mut World, settings: &Settings, chance: &mut Chance, tried: &mut Tried) {
    let size = settings.size as u64;
    let id = chance.below(size) as Id;
    let other = (id + 1 + chance.below(size - 1) as Id) % settings.size;
    let what = chance.below(100);
    match (what, world.is_running(id)) {
        (0..8, true) if world.taking_part().len() > 2 => {
            tried.crashes += 1;
            tried.stats.push(world.node(id).stats().clone());
            world.crash(id);
        }
        (0..50, false) => start(world, settings, chance, tried, id),
        (8..14, true) => {
            tried.pauses += 1;
            let most = chance.pick(&[1, 5, 40]) * SECOND;
            world.pause(id, chance.span(most));
        }
        (14..18, true) if may_act(world, id) && world.taking_part().len() > 2 => {
            tried.leaves += 1;
            world.leave(id);
        }
        (18..22, true) if world.node(id).has_left() && is_awake(world, id) => {
            tried.returns += 1;
            world.join(id, &[other]);
        }
        (22..32, true) if may_act(world, id) => {
            tried.updates += 1;
            let meta = filler(chance, 300);
            world.call(id, |node, now| node.update_meta(now, meta)).expect("short enough");
        }
        (32..45, true) if may_act(world, id) => {
            tried.broadcasts += 1;
            let payload = filler(chance, 400);
            world.call(id, |node, now| node.broadcast(now, payload)).expect("short enough");
        }
        (45..50, true) if may_act(world, id) => {
            let (payload, short) = (filler(chance, 100_000), filler(chance, 400));
            let to = super::name(other);
            let sent = world.call(id, |node, now| {
                let sent = node.send_best_effort(now, &to, &short).is_ok();
                sent | node.ping(now, &to).is_ok() | node.send_reliable(now, &to, payload).is_ok()
            });
            tried.messages += u64::from(sent);
            let state = filler(chance, 100_000);
            world.call(id, |node, _| node.set_local_state(state)).expect("short enough");
        }
        (50..55, true) if may_act(world, id) && world.view(id, other) == Some(State::Dead) => {
            tried.removals += 1;
            let member = world.member(id, other).expect("it is dead there");
            world.safety.may_be_left(&member.name, member.stamp.life);
            world.call(id, |node, now| node.remove(now, &member.name)).expect("it is dead");
        }
        (55..63, _) => {
            tried.cuts += 1;
            cut(world, settings.size, chance);
        }
        (63..72, _) => world.network.heal(),
        (72..90, _) => disturb(world, chance),
        (90.., true) if is_guarded(settings) && may_act(world, id) => {
            replay(world, chance, tried, id);
        }
        _ => {}
    }
}

/// Starts a node, mostly with a newer life, joining some of those that run.
pub(crate) fn start(
    world: &mut World,
    settings: &Settings,
    chance: &mut Chance,
    tried: &mut Tried,
    id: Id,
) {
    tried.restarts += 1;
    let seeds: Vec<Id> = world.running().into_iter().filter(|_| chance.hits(600)).collect();
    // No life is used twice.
    const LIFE: u64 = 1_000_000;
    let is_older = chance.hits(150);
    tried.older_lives += u64::from(is_older);
    let number = tried.restarts;
    let life = Life(if is_older { LIFE - number } else { LIFE + 1_000 * number });
    let now = world.now;
    world.start(id, |options| {
        settings.apply(chance, now, options);
        options.life = life;
    });
    if !seeds.is_empty() {
        world.join(id, &seeds);
    }
}

/// Whether replays must change nothing: without a clock, a receiver that was restarted can't tell.
fn is_guarded(settings: &Settings) -> bool {
    settings.base.keyring.is_some() && settings.base.unix_time.is_some()
}

/// A node that is stopped carries out no commands either.
/// So many bytes at most.
fn filler(chance: &mut Chance, most: u64) -> Bytes {
    Bytes::from(vec![chance.below(256) as u8; chance.below(most + 1) as usize])
}

fn may_act(world: &World, id: Id) -> bool {
    let node = world.node(id);
    is_awake(world, id) && !node.has_left() && !node.is_leaving()
}

fn is_awake(world: &World, id: Id) -> bool {
    world.host(id).paused_for(world.now).is_zero()
}

fn cut(world: &mut World, size: usize, chance: &mut Chance) {
    let (one, other): (Vec<Id>, Vec<Id>) = (0..size).partition(|_| chance.hits(400));
    match chance.below(4) {
        0 => world.network.partition(&one, &other),
        1 => {
            let pairs = one.iter().flat_map(|&a| other.iter().map(move |&b| (a, b)));
            world.network.cuts.extend(pairs);
        }
        2 => {
            let id = chance.below(size as u64) as Id;
            world.network.deafen(id, 0..size);
        }
        _ => {
            let id = chance.below(size as u64) as Id;
            world.network.silence(id, 0..size);
        }
    }
}

fn disturb(world: &mut World, chance: &mut Chance) {
    let network = &mut world.network;
    match chance.below(5) {
        0 => network.loss = chance.pick(&[0, 20, 100, 300]),
        1 => network.doubles = chance.pick(&[0, 150]),
        2 => network.stragglers = (chance.pick(&[0, 100, 300]), chance.span(5 * SECOND)),
        3 => network.damage = chance.pick(&[0, 20]),
        _ => {
            let most = chance.pick(&[1, 20, 150]) * MILLISECOND;
            network.latency.1 = network.latency.0 + chance.span(most);
        }
    }
}

/// A1: somebody on the path sends again what was sent before, from anywhere to anywhere.
fn replay(world: &mut World, chance: &mut Chance, tried: &mut Tried, id: Id) {
    for _ in 0..5 {
        let capture = world.capture.as_deref().unwrap_or_default();
        if capture.is_empty() {
            return;
        }
        let (from, _, data) = capture[chance.below(capture.len() as u64) as usize].clone();
        tried.replays += 1;
        world.inject(id, super::addr(from), &data);
    }
}
