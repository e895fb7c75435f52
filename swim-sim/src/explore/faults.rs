//! What goes wrong in a run, each kind drawn from its own stream of luck. (D4)

use std::{ops::Range, time::Duration};

use crate::{
    action::{Action, LinkChange, Span, Timed},
    chance::{Chance, Purpose},
    network::HostId,
};

use super::{
    class::{Class, Mask},
    draw::{Draw, SECOND, share_to},
    hosts, malice,
    settings::Settings,
    work,
};

/// What one kind contributes to a run. How often kinds take part at all is part of the draw.
pub(super) fn draw(
    class: Class,
    chance: &mut Chance,
    settings: &Settings,
    chaos: Duration,
) -> Vec<Timed> {
    let is_on = chance.hits(share(class));
    let mut draw = Draw { chance, settings, chaos, size: settings.size, drawn: Vec::new() };
    match class {
        Class::Loss => draw.loss(),
        Class::Duplicates => draw.everywhere(|chance, on| LinkChange {
            duplicates: Some(on * share_to(chance, 0.15)),
            ..LinkChange::default()
        }),
        Class::Reordering => draw.everywhere(|chance, on| LinkChange {
            reordered: Some(on * share_to(chance, 0.5)),
            reordered_by: Some(Span(chance.span(SECOND * 5))),
            ..LinkChange::default()
        }),
        Class::Flips => draw.everywhere(|chance, on| LinkChange {
            flipped: Some(on * share_to(chance, 0.1)),
            ..LinkChange::default()
        }),
        Class::Truncation => draw.everywhere(|chance, on| LinkChange {
            truncated: Some(on * share_to(chance, 0.1)),
            ..LinkChange::default()
        }),
        Class::Mtu => draw.everywhere(|chance, on| LinkChange {
            mtu: Some(if on > 0.0 { 300 + chance.below(900) as usize } else { usize::MAX >> 1 }),
            ..LinkChange::default()
        }),
        Class::StreamReset => draw.everywhere(|chance, on| LinkChange {
            stream_resets: Some(on * share_to(chance, 0.5)),
            ..LinkChange::default()
        }),
        Class::StreamStall => draw.everywhere(|chance, on| LinkChange {
            stream_stalls: Some(on * share_to(chance, 0.3)),
            ..LinkChange::default()
        }),
        Class::Replay => draw.windows(|draw, from, until| {
            let share = share_to(draw.chance, 0.5);
            draw.add(from, Action::Replays { share });
            draw.add(until, Action::Replays { share: 0.0 });
        }),
        Class::Latency => draw.latency(),
        Class::Clog => draw.clog(),
        Class::Asymmetry => draw.windows(|draw, from, until| {
            let (some, others) = draw.split();
            draw.add(from, Action::Cut { from: some, to: others });
            draw.add(until, Action::Mend);
        }),
        Class::Firewall => draw.windows(|draw, from, until| {
            let (some, others) = draw.split();
            draw.add(from, Action::CutPackets { from: some, to: others });
            draw.add(until, Action::Mend);
        }),
        Class::Partition => draw.windows(|draw, from, until| {
            for cut in draw.partition() {
                draw.add(from, cut);
            }
            draw.add(until, Action::Mend);
        }),
        Class::Flapping => draw.flapping(),
        // These are settings.
        Class::Skew | Class::Versions | Class::Memberlist => {}
        class if is_malice(class) => malice::draw(class, &mut draw),
        class if is_work(class) => work::draw(class, &mut draw),
        class => hosts::draw(class, &mut draw),
    }
    if is_on { draw.drawn } else { Vec::new() }
}

/// Whether it is what applications and operators do, and not a fault.
pub(super) const fn is_work(class: Class) -> bool {
    matches!(
        class,
        Class::Broadcasts
            | Class::Updates
            | Class::Messages
            | Class::Leaves
            | Class::Removals
            | Class::Rotation
            | Class::Misuse
            | Class::Skew
            | Class::Versions
            | Class::Memberlist
    )
}

/// Whether it is what those do who mean harm.
const fn is_malice(class: Class) -> bool {
    matches!(
        class,
        Class::Outsiders
            | Class::FormerKeys
            | Class::Insiders
            | Class::Poison
            | Class::Hijacks
            | Class::Farewells
            | Class::Crowds
            | Class::Assaults
            | Class::Reflection
            | Class::Traps
            | Class::Flood
            | Class::Thefts
    )
}

/// In what share of the runs a kind takes part.
const fn share(class: Class) -> f64 {
    match class {
        Class::Crash | Class::Broadcasts | Class::Updates | Class::Messages => 0.6,
        Class::Loss | Class::Pause | Class::Leaves | Class::Partition => 0.4,
        // Of use only where keys are rotated too.
        Class::FormerKeys => 0.6,
        // Most of it is drawn in few of those only.
        Class::Flood => 0.6,
        Class::Conflict => 0.15,
        _ => 0.25,
    }
}

/// What goes wrong for ever on these hosts. What the mask hides is drawn and left out. (D4)
pub(super) fn lasting(seed: u64, mask: Mask, hosts: Range<HostId>) -> Vec<Timed> {
    let fault = |host: HostId| {
        let chance = &mut Chance::of(seed, Purpose::Subjects, host as u64);
        let ends = |loss_sent, loss_received| Action::Ends {
            host,
            loss_sent,
            loss_received,
            bandwidth: 0,
            send_queue_max: 0,
        };
        let (class, action) = match chance.below(6) {
            0 => (Class::Loss, ends(0.0, 1.0)),
            1 => (Class::Loss, ends(1.0, 0.0)),
            2 => (Class::Loss, ends(0.5, 0.5)),
            3 => {
                let (runs, stands) = (SECOND / 10, SECOND * (1 + chance.below(10) as u32));
                (Class::Starvation, Action::Starve { host, runs, stands, span: FOR_EVER })
            }
            4 => (Class::Slow, Action::Slow { host, cost: SECOND / 20 + chance.span(SECOND) }),
            _ => (Class::Pause, Action::Freeze { host, span: FOR_EVER }),
        };
        (!mask.hides(class)).then_some(Timed { at: Duration::ZERO, action })
    };
    hosts.filter_map(fault).collect()
}

/// Longer than any run.
const FOR_EVER: Duration = Duration::from_secs(86_400);
