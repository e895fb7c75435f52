//! L3: packets lost are no failures: not with 5 % of them for hours, not with 30 % for minutes.

use std::time::Duration;

use crate::support::{MINUTE, SECOND, World, preset};
use swim_core::{MemberChange, Profile};

#[test]
fn l3_five_percent_for_twenty_minutes_at_128_members() {
    five_percent_at_128_members(20 * MINUTE);
}

#[test]
#[ignore = "takes minutes; for the night"]
fn l3_five_percent_for_a_day_at_128_members() {
    five_percent_at_128_members(24 * 60 * MINUTE);
}

fn five_percent_at_128_members(span: Duration) {
    let mut world = World::acquainted(128, 1, |_| {});
    world.network.loss = 50;
    world.run(span);
    report(&world);
    assert_eq!(world.count(MemberChange::Failed), 0);
    recovers(&mut world);
}

#[test]
fn l3_twenty_and_thirty_percent_at_100_members() {
    for profile in [Profile::Lan, Profile::Local] {
        for (loss, seed) in [(200, 1), (200, 2), (300, 1), (300, 2)] {
            let mut world = World::acquainted(100, seed, preset(profile));
            world.network.loss = loss;
            world.run(5 * MINUTE);
            print!("{profile}, {}% loss: ", loss / 10);
            report(&world);
            assert_eq!(world.count(MemberChange::Failed), 0);
            recovers(&mut world);
        }
    }
}

/// L4: a falsely suspected member says so and is believed before anybody fails it, even where
/// streams don't help.
#[test]
fn l4_twenty_percent_without_stream_pings() {
    let mut world = World::acquainted(100, 1, |options| options.stream_pings = false);
    world.network.loss = 200;
    world.run(5 * MINUTE);
    report(&world);
    assert!(world.count(MemberChange::Suspected) > 100, "there was something to refute");
    assert_eq!(world.count(MemberChange::Failed), 0);
    recovers(&mut world);
}

fn report(world: &World) {
    println!(
        "{} probes, {} saved by helpers, {} by streams, {} failed; {} suspected, {} failed; \
         {} repairs",
        world.sum(|stats| stats.probes),
        world.sum(|stats| stats.probes_saved_by_relay),
        world.sum(|stats| stats.probes_saved_by_stream),
        world.sum(|stats| stats.probes_failed),
        world.count(MemberChange::Suspected),
        world.count(MemberChange::Failed),
        world.sum(|stats| stats.repairs),
    );
}

fn recovers(world: &mut World) {
    world.network.heal();
    world.run_until(30 * SECOND, "all to agree", World::agree);
}
