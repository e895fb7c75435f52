//! One run of one choice, through all its phases.

use std::time::Duration;

use swim_core::{EventKind, MemberChange, Node, Options, State};

use crate::{history::History, network::HostId, scenario::configure, world::World};

use super::question::{Choice, Measurement, Question};

/// Runs a cluster with this choice and this luck.
///
/// # Errors
///
/// What is wrong with the settings.
pub fn measure(question: &Question, choice: &Choice, seed: u64) -> Result<Measurement, String> {
    let options = |_: HostId, options: &mut Options| set(question, choice, options);
    let mut sample = Options::lan(crate::host::name(0), crate::host::addr(0));
    options(0, &mut sample);
    sample.build().map_err(|error| error.to_string())?;
    let mut world: World<Node> = World::acquainted(question.nodes, seed, options);
    world.network.link = question.link;
    world.history = Some(History::default());
    world.run(SETTLE);
    let mut found = Measurement { idle: rate(&mut world, SPAN, |_, _| {}), ..Default::default() };

    let joiner = question.nodes;
    world.start(joiner, |own| options(joiner, own));
    world.join(joiner, &(0..question.nodes.min(3)).collect::<Vec<_>>());
    found.join = world.run_until(LIMIT, World::agree);

    let members = world.members();
    let every = SPAN / (question.broadcasts * SPAN.as_secs() as u32).max(1);
    world.tally.arrivals.clear();
    found.busy = rate(&mut world, every, |world, nth| {
        if question.broadcasts > 0 {
            // Another node each time; which one does not matter.
            world.shout(nth * 7 % members);
            found.due += members - 1;
        }
    });
    // The last ones need time to arrive.
    world.run(SETTLE);
    found.arrivals = world.tally.arrivals.clone();

    let victim = question.nodes / 2;
    let name = world.name_of(victim);
    let crashed_at = world.now;
    world.crash(victim);
    let sees = |world: &World, observer| {
        matches!(world.view(observer, victim), None | Some(State::Dead | State::Left))
    };
    let mut spent = Duration::ZERO;
    while found.everywhere.is_none() && spent < LIMIT {
        world.run(GLANCE);
        spent += GLANCE;
        let all = world.taking_part().count();
        let know = world.taking_part().filter(|observer| sees(&world, *observer)).count();
        if know > 0 {
            found.first.get_or_insert(spent);
        }
        found.everywhere = (know == all).then_some(spent);
    }
    let entries = world.history.iter().flat_map(History::entries);
    found.false_failures = entries
        .filter(|entry| match &entry.event.kind {
            EventKind::Member { change: MemberChange::Failed, member } => {
                *member.name != *name || entry.at < crashed_at
            }
            _ => false,
        })
        .count() as u64;
    Ok(found)
}

fn set(question: &Question, choice: &Choice, options: &mut Options) {
    configure(options, question.profile, &question.settings, &question.wire);
    options.gossip_interval = choice.gossip_interval;
    options.gossip_nodes = choice.gossip_nodes;
    // The pings of a round must end within it, in the preset's proportion.
    if options.probe_interval != choice.probe_interval {
        let share = options.probe_timeout.as_nanos() * choice.probe_interval.as_nanos()
            / options.probe_interval.as_nanos().max(1);
        options.probe_timeout = Duration::from_nanos(u64::try_from(share).unwrap_or(u64::MAX));
        options.probe_interval = choice.probe_interval;
    }
}

/// Bytes a second that a node sends on average for a while, with something done now and then.
fn rate(world: &mut World, every: Duration, mut act: impl FnMut(&mut World, usize)) -> f64 {
    let sent = |world: &World| world.tally.packet_bytes_sent + world.tally.stream_bytes_sent;
    let before = sent(world);
    let end = world.now + SPAN;
    let mut nth = 0;
    while world.now < end {
        act(world, nth);
        world.run_to(end.min(world.now + every));
        nth += 1;
    }
    (sent(world) - before) as f64 / SPAN.as_secs_f64() / world.members().max(1) as f64
}

/// What the beginning leaves behind has gone by after this.
const SETTLE: Duration = Duration::from_secs(5);

/// How long traffic is measured.
const SPAN: Duration = Duration::from_secs(30);

/// After this it is said that something did not happen.
const LIMIT: Duration = Duration::from_secs(120);

/// How exactly detection is measured.
const GLANCE: Duration = Duration::from_millis(10);
