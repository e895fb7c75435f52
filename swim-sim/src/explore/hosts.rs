//! What goes wrong on hosts in a run.

use std::time::Duration;

use crate::{
    action::{Action, Intruder},
    chance::Chance,
    network::HostId,
};

use super::{
    class::Class,
    draw::{Draw, SECOND},
};

/// What one kind contributes.
pub(super) fn draw(class: Class, draw: &mut Draw<'_>) {
    match class {
        Class::Crash => crash(draw, false),
        Class::Amnesia => crash(draw, true),
        Class::Pause => {
            for_some(draw, 10, |chance, host| Action::Freeze { host, span: pause(chance) });
        }
        Class::Hold => {
            for_some(draw, 10, |chance, host| Action::Hold { host, span: pause(chance) });
        }
        Class::Starvation => for_some(draw, 20, |chance, host| Action::Starve {
            host,
            runs: SECOND / 100 + chance.span(SECOND / 5),
            stands: chance.span(SECOND * 8),
            span: chance.span(SECOND * 60),
        }),
        Class::Slow => draw.windows(|draw, from, until| {
            let host = draw.host();
            let cost = draw.chance.span(SECOND / 20);
            draw.add(from, Action::Slow { host, cost });
            draw.add(until, Action::Slow { host, cost: Duration::ZERO });
        }),
        Class::Drift | Class::Jump | Class::JumpBack | Class::SetClock => clocks(class, draw),
        Class::SendQueue => draw.windows(|draw, from, until| {
            let (host, bandwidth) = (draw.host(), 200 + draw.chance.below(5_000));
            let send_queue_max = 1_000 + draw.chance.below(5_000);
            let ends = |bandwidth, send_queue_max| Action::Ends {
                host,
                loss_sent: 0.0,
                loss_received: 0.0,
                bandwidth,
                send_queue_max,
            };
            draw.add(from, ends(bandwidth, send_queue_max));
            draw.add(until, ends(0, 0));
        }),
        Class::Unreachable => {
            for _ in 0..draw.times(20) {
                let (at, host) = (draw.moment(), draw.host());
                let nobody = NOBODY + draw.host();
                let seeds = vec![nobody, draw.host()];
                draw.add(at, Action::Join { host, seeds });
            }
        }
        Class::Conflict => conflict(draw),
        Class::Intruders => intruders(draw),
        Class::Visitors => visitors(draw),
        Class::Garbage => {
            for _ in 0..draw.times(2) {
                let (at, host, from) = (draw.moment(), draw.host(), draw.host());
                // Some of it from where nobody is allowed to be.
                let from = if draw.chance.hits(0.3) { FORBIDDEN } else { from };
                let word = draw.chance.word();
                let most = draw.chance.pick(&[40, 1_400, 12_000]);
                let len = draw.chance.below(most) as usize;
                draw.add(at, Action::Garbage { host, from, word, len });
            }
        }
        _ => {}
    }
}

/// Hosts from here on are no part of the cluster.
pub(super) const GUESTS: HostId = 100;

/// Nothing ever runs on hosts from here on.
pub(super) const NOBODY: HostId = 1_000;

/// Whoever is here has an address that nobody allows.
const OUTSIDE: HostId = GUESTS + 10;

/// This host has an address that is not in 10.0.0.0/9.
pub(super) const FORBIDDEN: HostId = 1 << 23;

/// Whether a node on this host is one more than there should be.
pub(super) const fn is_visitor(host: HostId) -> bool {
    GUESTS <= host && host < OUTSIDE
}

/// Whether nobody is ever on this host.
pub(super) const fn is_nobody(host: HostId) -> bool {
    host >= NOBODY
}

fn pause(chance: &mut Chance) -> Duration {
    let most = chance.pick(&[1, 5, 40]);
    chance.span(SECOND * most)
}

/// Something that befalls single hosts, about once in so many seconds.
fn for_some(draw: &mut Draw<'_>, every: u64, mut act: impl FnMut(&mut Chance, HostId) -> Action) {
    for _ in 0..draw.times(every) {
        let (at, host) = (draw.moment(), draw.host());
        let action = act(draw.chance, host);
        draw.add(at, action);
    }
}

/// Processes end, one or all; most start again, at once or later.
fn crash(draw: &mut Draw<'_>, forgetful: bool) {
    let is_total = draw.chance.hits(0.1);
    let crashes = if is_total { draw.size as u64 } else { draw.times(10) };
    let mut at = draw.moment();
    for nth in 0..crashes {
        let host = if is_total { nth as HostId } else { draw.host() };
        if !is_total {
            at = draw.moment();
        }
        draw.add(at, Action::Crash { host });
        let most = draw.chance.pick(&[1, 5, 60]);
        let again = at + draw.chance.span(SECOND * most);
        let seeds: Vec<HostId> =
            (0..draw.chance.below(4)).map(|_| draw.host()).filter(|&seed| seed != host).collect();
        if draw.chance.hits(0.85) {
            draw.add(again, Action::Start { host, seeds, forgetful });
        }
    }
}

/// Somebody takes the name of another, while that one runs or does not.
fn conflict(draw: &mut Draw<'_>) {
    for nth in 0..1 + draw.chance.below(2) as HostId {
        let (host, of, at) = (GUESTS + 20 + nth, draw.host(), draw.moment());
        let seeds = vec![draw.host(), draw.host()];
        draw.add(at, Action::Intrude { host, fault: Intruder::Name { of }, seeds });
        let until = at + draw.chance.span(SECOND * 40);
        draw.add(until, Action::Crash { host });
    }
}

/// Those from elsewhere, each of whom is kept out for another reason.
fn intruders(draw: &mut Draw<'_>) {
    let faults = [Intruder::Label, Intruder::Plaintext, Intruder::Key, Intruder::Source];
    for (nth, fault) in faults.into_iter().rev().enumerate() {
        let (host, at) = (OUTSIDE + nth, draw.moment());
        let seeds = vec![draw.host(), draw.host()];
        if draw.chance.hits(0.7) {
            draw.add(at, Action::Intrude { host, fault, seeds });
        }
    }
}

/// What goes wrong with clocks.
fn clocks(class: Class, draw: &mut Draw<'_>) {
    match class {
        Class::Drift => for_some(draw, 20, |chance, host| Action::Drift {
            host,
            ppm: chance.below(1_001) as i64 - 500,
        }),
        // Whose clock is off by more than five minutes, his sealed packets are stale. (X4)
        Class::Jump => for_some(draw, 20, |chance, host| {
            let most = chance.pick(&[1, 10, 60, 600]);
            Action::Jump { host, span: chance.span(SECOND * most), back: false }
        }),
        Class::JumpBack => for_some(draw, 20, |chance, host| {
            let most = chance.pick(&[1, 10, 60]);
            Action::Jump { host, span: chance.span(SECOND * most), back: true }
        }),
        Class::SetClock => for_some(draw, 20, |chance, host| {
            let most = chance.pick(&[1, 60, 600]);
            let span = chance.span(SECOND * most);
            Action::SetClock { host, span, back: chance.hits(0.7) }
        }),
        _ => {}
    }
}

/// More nodes, which come and end without a word.
fn visitors(draw: &mut Draw<'_>) {
    for nth in 0..2 + draw.chance.below(4) as HostId {
        let (host, at) = (GUESTS + nth, draw.moment());
        let seeds = vec![draw.host(), draw.host()];
        draw.add(at, Action::Start { host, seeds, forgetful: false });
        let until = at + draw.chance.span(SECOND * 40);
        draw.add(until, Action::Crash { host });
    }
}
