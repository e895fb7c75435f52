//! Which promise is broken where nodes don't agree in time.
//!
//! A pair of nodes disagrees for a reason, and each reason has a promise of its own: they gave each
//! other up and don't meet again (L5), a node began a new life that the other does not take note of
//! (L9), an accusation is not refuted though the two are in touch (L4). What is left is news that
//! did not get round (L1).

use swim_core::{Member, Node, Stamp, State};

use crate::{network::HostId, world::World};

/// Somebody accused who runs and can be reached: by whom, whom, and under which stamp.
pub(super) type Accusation = (HostId, HostId, Stamp);

/// Those of the core who take someone for live who does not run. (L2)
pub(super) fn undead(world: &World<Node>, core: usize) -> Vec<String> {
    let runs = |member: &Member| {
        world
            .running()
            .any(|id| world.addr_of(id) == member.addr && *world.node(id).name() == *member.name)
    };
    let of = |id: HostId| {
        let ghosts = world.node(id).members().filter(|it| it.state.is_live() && !runs(it));
        ghosts.map(move |it| format!("{} died, and is {} for host {id}", it.name, it.state))
    };
    world.taking_part().filter(|&id| id < core).flat_map(of).take(LINES_MAX).collect()
}

/// All who are accused wrongly by somebody whom they take for live themselves.
pub(super) fn accusations(world: &World<Node>, core: usize) -> Vec<Accusation> {
    let of = |(observer, subject): (HostId, HostId)| {
        let own = world.node(subject).local();
        let seen = world.node(observer).member(&own.name)?;
        let is_accused = matches!(seen.state, State::Suspect | State::Dead)
            && seen.addr == own.addr
            && seen.stamp.life == own.stamp.life;
        (is_accused && is_live(world, subject, observer)).then_some((observer, subject, seen.stamp))
    };
    pairs(world, core).filter_map(of).collect()
}

/// The promise that is broken, and how.
pub(super) fn blame(world: &World<Node>, core: usize) -> (&'static str, String) {
    let mut found: Vec<(&'static str, String)> =
        pairs(world, core).filter_map(|(one, other)| reason(world, one, other)).collect();
    // News that does not get round is what a split looks like to those who look on.
    found.sort_by_key(|(id, _)| ["L9", "L4", "L5", "L1"].iter().position(|other| other == id));
    let id = found.first().map_or("L1", |(id, _)| *id);
    let lines = found.iter().filter(|(other, _)| *other == id).take(LINES_MAX);
    let lines: Vec<&str> = lines.map(|(_, line)| line.as_str()).collect();
    if lines.is_empty() { (id, world.disagreements()) } else { (id, lines.join("\n")) }
}

/// Why one does not see the other as it is, if it does not.
fn reason(world: &World<Node>, one: HostId, other: HostId) -> Option<(&'static str, String)> {
    let own = world.node(other).local();
    let seen = world.node(one).member(&own.name);
    let says = |text: &str| format!("host {one} {text} host {other}, which is {}", own.stamp);
    let Some(seen) = seen.filter(|seen| seen.addr == own.addr) else {
        let is_met = is_live(world, other, one);
        return Some((if is_met { "L1" } else { "L5" }, says("does not know")));
    };
    let is_true = seen.stamp == own.stamp && seen.meta == own.meta;
    if seen.state == State::Alive && is_true {
        return None;
    }
    let is_met = seen.state.is_live() || is_live(world, other, one);
    let id = match seen.state {
        _ if !is_met => "L5",
        _ if seen.stamp.life < own.stamp.life => "L9",
        State::Suspect | State::Dead => "L4",
        State::Alive | State::Left => "L1",
    };
    let what = format!("sees as {} {}", seen.state, seen.stamp);
    Some((id, says(&what)))
}

/// Whether one takes the other for live.
fn is_live(world: &World<Node>, one: HostId, other: HostId) -> bool {
    world.view(one, other).is_some_and(State::is_live)
}

fn pairs(world: &World<Node>, core: usize) -> impl Iterator<Item = (HostId, HostId)> {
    let part: Vec<HostId> = world.taking_part().filter(|&id| id < core).collect();
    let others = part.clone();
    part.into_iter().flat_map(move |one| {
        let others = others.clone().into_iter();
        others.filter(move |&other| other != one).map(move |other| (one, other))
    })
}

/// Nobody reads more lines than this of what is wrong.
const LINES_MAX: usize = 12;
