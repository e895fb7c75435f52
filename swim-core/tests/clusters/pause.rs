//! P7: a node that was stopped blames nobody for what it did not hear meanwhile, and if it was
//! stopped for less than a suspicion takes, nobody fails it.

use crate::support::{Id, MILLISECOND, MINUTE, SECOND, World};
use swim_core::{MemberChange, Options};

const SIZE: usize = 10;
const STOPPED: Id = 6;

/// At 10 members a suspicion takes 4 s at least.
#[test]
fn p7_three_seconds_are_noticed_by_nobody() {
    for seed in 1..=5 {
        let mut world = World::cluster(SIZE, seed, |_| {});
        for _ in 0..10 {
            world.pause(STOPPED, 3 * SECOND);
            world.run(10 * SECOND);
        }
        assert_eq!(world.count(MemberChange::Failed), 0, "seed {seed}");
        assert!(world.agree(), "{}", world.disagreements());
        world.check_mirrors();
    }
}

/// It was failed, wakes, hears so with the first packet, says otherwise, and blames nobody.
#[test]
fn p7_after_a_minute_it_is_back_at_once_and_blames_nobody() {
    for seed in 1..=5 {
        let mut world = World::cluster(SIZE, seed, |options| {
            options.reap_after = 10 * MINUTE;
        });
        world.pause(STOPPED, MINUTE);
        world.run(MINUTE - MILLISECOND);
        let failed = world.count(MemberChange::Failed);
        assert_eq!(failed, SIZE as u64 - 1, "seed {seed}");
        let took = world.run_until(MINUTE, "all to welcome it", World::agree);
        println!("back {took:?} after waking");
        assert!(took <= 5 * SECOND, "seed {seed}: {took:?}");
        world.run(MINUTE);
        assert_eq!(world.count(MemberChange::Failed), failed, "it blames others, seed {seed}");
        world.check_mirrors();
    }
}

/// A whole machine with many nodes on it slept, as a laptop does.
#[test]
fn p7_all_sleep_at_once() {
    for seed in 1..=5 {
        let mut world = World::cluster(SIZE, seed, |_| {});
        for id in 0..SIZE {
            world.pause(id, 60 * MINUTE);
        }
        world.run(60 * MINUTE);
        world.run(MINUTE);
        assert_eq!(world.count(MemberChange::Failed), 0, "seed {seed}");
        assert!(world.sum(|stats| stats.pauses) >= SIZE as u64);
        assert!(world.agree(), "{}", world.disagreements());
    }
}

/// It slept while a suspicion of its own ran: what it did not hear meanwhile is no proof.
#[test]
fn p7_a_suspicion_starts_anew_after_a_pause() {
    for seed in 1..=5 {
        let mut world = World::cluster(3, seed, |_| {});
        world.network.partition(&[0], &[1, 2]);
        let suspects = |w: &World| w.node(0).counts().suspect > 0;
        world.run_until(MINUTE, "0 to suspect somebody", suspects);
        world.pause(0, MINUTE);
        world.run(MINUTE - MILLISECOND);
        world.network.heal();
        world.run(SECOND);
        assert_eq!(world.host(0).count(MemberChange::Failed), 0, "seed {seed}: at waking");
    }
}

/// A clock that goes back is taken to stand still.
#[test]
fn p7_time_does_not_go_back() {
    let mut world = World::cluster(3, 1, |_| {});
    let past = swim_core::Instant::from_millis(5);
    world.call(1, |node, _| node.handle(past, swim_core::Input::Tick));
    world.run(MINUTE);
    assert!(world.agree());
    let times: Vec<_> = world.host(1).events.iter().map(|event| event.at).collect();
    assert!(times.is_sorted(), "events carry growing times");
}

/// P5: ticks that nobody asked for do nothing, however often they come.
#[test]
fn p5_early_ticks_change_nothing() {
    let lan = |_: &mut Options| {};
    let trace = |extra: u32| {
        let mut world = World::new(4);
        world.trace = Some(0);
        world.start_all(4, lan);
        for _ in 0..100 {
            world.run(77 * MILLISECOND);
            for id in 0..4 {
                for _ in 0..extra {
                    world.call(id, |node, now| node.handle(now, swim_core::Input::Tick));
                }
            }
        }
        world.sum(|stats| stats.packets_sent + stats.probes + stats.gossip_rounds)
    };
    assert_eq!(trace(0), trace(3));
}
