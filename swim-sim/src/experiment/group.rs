//! Our core as the group of the SWIM paper: a protocol period of 2 s and one helper, everything
//! else as we ship it, real nodes in a world. (DSN 2002, 5; experiments.md 1.2)

use std::time::Duration;

use swim_core::{MemberChange, Node, Options};

use super::trial::RECEIVE_COST;
use crate::{
    chance::{Chance, Purpose},
    network::HostId,
    reference::{joining::Joining, swim2002::Load},
    world::World,
};

/// How a crash was found, in periods after it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Detection {
    /// When the first packet came that nobody received: the ping of who will find it.
    pub(super) pinged: f64,
    /// When anybody first suspected it, which is when the first probe failed.
    pub(super) suspected: f64,
}

/// One of so many members crashes; its timers and theirs began at random.
pub(super) fn crash(n: usize, seed: u64) -> Detection {
    let mut world = acquainted(n, seed);
    let subject = Chance::of(seed, Purpose::Subjects, n as u64).below(n as u64) as HostId;
    world.crash(subject);
    let crashed_at = world.now;
    let unheard = world.tally.packets_unheard;
    // Each member comes back to another within 2n - 3 of its periods. (P2)
    let limit = PERIOD * u32::try_from(2 * n).expect("groups are small");
    let mut until = |done: &dyn Fn(&World) -> bool| {
        world.run_until(limit, done).expect("each member probes each other again and again");
        world.now.saturating_since(crashed_at).as_secs_f64() / PERIOD.as_secs_f64()
    };
    Detection {
        pinged: until(&|world| world.tally.packets_unheard > unheard),
        suspected: until(&|world| world.tally.changes(MemberChange::Suspected) > 0),
    }
}

/// What members send and receive over so many periods in which nothing happens, and what each
/// sends on streams in one, in bytes.
pub(super) fn idle(n: usize, periods: u32, seed: u64) -> (Load, f64) {
    let mut world = acquainted(n, seed);
    let counted = |world: &World| -> Vec<u64> {
        let stats = (0..n).map(|host| world.node(host).stats());
        stats.map(|stats| stats.packets_sent + stats.packets_received).collect()
    };
    let (before, on_streams) = (counted(&world), world.tally.stream_bytes_sent);
    world.run(PERIOD * periods);
    let messages = counted(&world).into_iter().zip(before).map(|(after, before)| after - before);
    let load = Load::of(&messages.collect::<Vec<_>>(), u64::from(periods));
    let on_streams = world.tally.stream_bytes_sent - on_streams;
    (load, on_streams as f64 / n as f64 / f64::from(periods))
}

/// What the first process saw while others joined it.
#[derive(Clone, Debug)]
pub(super) struct Joined {
    /// The group's size at the end of each second.
    pub(super) sizes: Vec<usize>,
    /// Fail events, at any member. Nobody fails, so that all of them are false.
    pub(super) failed: u64,
}

/// Processes start and join the first, one after the other, while each loses packets that reach it.
/// Streams are the later for it, as their lost packets are sent again.
pub(super) fn join(joining: &Joining, stream_pings: bool, seed: u64) -> Joined {
    let span = |seconds: f64| Duration::try_from_secs_f64(seconds).expect("it is a short time");
    let mut world: World<Node> = World::new(seed);
    let begun_at = world.now;
    let starts_at = |process: usize| begun_at + span(joining.every * process as f64);
    let mut started = 0;
    let mut sizes = Vec::new();
    for second in 1..=joining.seconds as u64 {
        let end = begun_at + Duration::from_secs(second);
        while started < joining.processes && starts_at(started) < end {
            world.run_to(starts_at(started));
            world.start(started, |options| {
                as_published(options, span(joining.period));
                options.stream_pings = stream_pings;
            });
            world.host_mut(started).cpu.receive_cost = RECEIVE_COST;
            world.network.ends_mut(started).loss_received = joining.loss;
            if started > 0 {
                world.join(started, &[0]);
            }
            started += 1;
        }
        world.run_to(end);
        sizes.push(world.node(0).counts().live());
    }
    Joined { sizes, failed: world.tally.changes(MemberChange::Failed) }
}

/// Members that know each other, after a calm.
fn acquainted(n: usize, seed: u64) -> World<Node> {
    let mut world = World::acquainted(n, seed, |_, options| as_published(options, PERIOD));
    for host in 0..n {
        world.host_mut(host).cpu.receive_cost = RECEIVE_COST;
    }
    world.run(CALM);
    world
}

fn as_published(options: &mut Options, period: Duration) {
    options.probe_interval = period;
    options.indirect_probes = 1;
}

/// The protocol period T' of the paper.
const PERIOD: Duration = Duration::from_secs(2);

/// Time before anything is measured.
const CALM: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sw1_a_probe_fails_one_period_after_its_ping() {
        for seed in 1..=20 {
            let Detection { pinged, suspected } = crash(8, seed);
            assert!(pinged > 0.0 && pinged < 13.0, "{pinged}");
            assert!((suspected - pinged - 1.0).abs() < 0.001, "{pinged} {suspected}");
        }
    }

    #[test]
    fn sw3_who_idles_sends_a_ping_and_an_ack() {
        let (load, _) = idle(16, 40, 1);
        assert!((load.mean - 2.0).abs() < 0.01, "{load:?}");
        assert!(load.least >= 1.0 && load.least < load.mean && load.most > load.mean, "{load:?}");
    }

    #[test]
    fn sw4_loss_is_felt_and_nobody_is_lost() {
        let joining = Joining { processes: 5, seconds: 40.0, ..Joining::PUBLISHED };
        let joined = join(&joining, true, 1);
        assert_eq!((joined.sizes.len(), joined.sizes[3], joined.sizes[39]), (40, 1, 5));
        let deaf = join(&Joining { loss: 0.9, ..joining }, false, 1);
        assert!(deaf.sizes[39] < 5 && joined.failed == 0, "{deaf:?} {joined:?}");
    }
}
