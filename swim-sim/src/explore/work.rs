//! What applications and operators do in a run.

use crate::{
    action::{Action, Rotation, Way},
    network::HostId,
};

use super::{
    class::Class,
    draw::{Draw, SECOND},
    settings::FIRST_KEY,
};

/// What one kind contributes.
pub(super) fn draw(class: Class, draw: &mut Draw<'_>) {
    match class {
        Class::Broadcasts => {
            for _ in 0..draw.times(2) {
                let (at, host) = (draw.moment(), draw.host());
                let len = draw.chance.below(400) as usize;
                let is_timed = draw.chance.hits(0.5);
                let way = Way::Broadcast;
                draw.add(
                    at,
                    match is_timed {
                        true => Action::Broadcast { host },
                        false => Action::Send { host, to: host, way, len },
                    },
                );
            }
        }
        Class::Updates => {
            for _ in 0..draw.times(5) {
                let (at, host) = (draw.moment(), draw.host());
                let len = draw.chance.below(300) as usize;
                let is_timed = draw.chance.hits(0.5);
                draw.add(
                    at,
                    match is_timed {
                        true => Action::Update { host },
                        false => Action::Send { host, to: host, way: Way::Meta, len },
                    },
                );
            }
        }
        Class::Messages => messages(draw),
        Class::Leaves => leaves(draw),
        Class::Removals => {
            for _ in 0..draw.times(3) {
                let (at, host, subject) = (draw.moment(), draw.host(), draw.host());
                draw.add(at, Action::Remove { host, subject });
            }
        }
        Class::Rotation => rotations(draw),
        Class::Misuse => {
            for _ in 0..draw.times(20) {
                let (at, host) = (draw.moment(), draw.host());
                draw.add(at, Action::Misuse { host });
            }
        }
        _ => {}
    }
}

fn messages(draw: &mut Draw<'_>) {
    let ways =
        [Way::Packet, Way::Packet, Way::Stream, Way::Stream, Way::Ping, Way::State, Way::Ack];
    for _ in 0..draw.times(2) {
        let (at, host, to) = (draw.moment(), draw.host(), draw.host());
        let way = draw.chance.pick(&ways);
        let most = match way {
            Way::Stream | Way::State => 100_000,
            Way::Ack => 300,
            _ => 500,
        };
        let len = draw.chance.below(most) as usize;
        draw.add(at, Action::Send { host, to, way, len });
    }
}

fn leaves(draw: &mut Draw<'_>) {
    for _ in 0..draw.times(20) {
        let (at, host) = (draw.moment(), draw.host());
        draw.add(at, Action::Leave { host });
        let again = at + draw.chance.span(SECOND * 30);
        let seeds: Vec<HostId> = vec![draw.host(), draw.host()];
        match draw.chance.below(4) {
            0 | 1 => draw.add(again, Action::Join { host, seeds }),
            2 => {
                draw.add(again, Action::Crash { host });
                let later = again + draw.chance.span(SECOND * 10);
                draw.add(later, Action::Start { host, seeds, forgetful: false });
            }
            _ => {}
        }
    }
}

/// L10: each host takes each step of a rotation within two seconds.
fn rotations(draw: &mut Draw<'_>) {
    let is_sealed = draw.settings.is_sealed;
    let (mut at, mut old) = (draw.moment() / 2, FIRST_KEY);
    for _ in 0..1 + draw.chance.below(4) {
        let new = old + 1;
        for (key, step) in [(new, Rotation::Add), (new, Rotation::Use), (old, Rotation::Remove)] {
            for host in 0..draw.size {
                let when = at + draw.chance.span(SECOND * 2);
                if is_sealed {
                    draw.add(when, Action::Rotate { host, key, step });
                }
            }
            at += SECOND * 3;
        }
        old = new;
    }
    // More than a ring holds.
    if draw.chance.hits(0.2) {
        let host = draw.host();
        let when = draw.moment();
        for key in 50..60 {
            if is_sealed {
                draw.add(when, Action::Rotate { host, key, step: Rotation::Add });
                draw.add(when + SECOND, Action::Rotate { host, key, step: Rotation::Remove });
            }
        }
    }
}
