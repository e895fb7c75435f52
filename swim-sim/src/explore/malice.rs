//! What those do in a run who mean harm: who hold no key, a former one, or the one in use.

use std::time::Duration;

use swim_core::{INCARNATION_MAX, limits::LIFE_AHEAD_MILLIS, limits::LIFE_JUMP_MAX};

use crate::{
    action::Action,
    malice::{Assault, Flood, Forger, Lie, Payload, Says, Torrent, Trap},
    network::HostId,
};

use super::{
    class::Class,
    draw::{Draw, SECOND},
    hosts::NOBODY,
};

/// What one kind contributes.
pub(super) fn draw(class: Class, draw: &mut Draw<'_>) {
    match class {
        Class::Outsiders => accuse(draw, Forger::Outsider),
        Class::FormerKeys => accuse(draw, Forger::Former),
        Class::Insiders => accuse(draw, Forger::Insider),
        Class::Poison => tell(draw, |draw| {
            let about = draw.host();
            lie(about, Says::Alive)
        }),
        Class::Hijacks => {
            tell(draw, |draw| {
                let invented = draw.chance.hits(0.2);
                let about = if invented { INVENTED + draw.host() } else { draw.host() };
                lie(about, Says::At(elsewhere(draw)))
            });
            usurp(draw);
        }
        Class::Farewells => tell(draw, |draw| {
            let about = draw.host();
            lie(about, Says::Left)
        }),
        Class::Crowds => crowds(draw),
        Class::Assaults => assaults(draw),
        Class::Reflection => reflect(draw),
        Class::Traps => traps(draw),
        Class::Flood => floods(draw),
        Class::Thefts => thefts(draw),
        _ => {}
    }
}

/// So many nodes at most are invented in a run.
pub(super) fn invented(actions: impl Iterator<Item = Action>) -> usize {
    let told = |action: &Action| match action {
        Action::Forge { lie, by: Forger::Insider, .. } if lie.about >= INVENTED => lie.more + 1,
        _ => 0,
    };
    // Floods are all of the same.
    let (mut single, mut flooded) = (0, 0);
    for action in actions {
        single += told(&action);
        if let Action::Flood { flood: Flood { of: Torrent::Lies { lie, by }, .. }, .. } = action
            && lie.about >= INVENTED
            && by == Forger::Insider
        {
            flooded = flooded.max(lie.more + 1);
        }
    }
    single + flooded
}

/// To the last incarnation that is believed and about it, and to the last that there is. A member
/// begins with the first.
const FAR_AHEAD: [u64; 7] = [
    INCARNATION_MAX / 2,
    INCARNATION_MAX - 4,
    INCARNATION_MAX - 2,
    INCARNATION_MAX - 1,
    INCARNATION_MAX,
    INCARNATION_MAX + 1,
    u64::MAX,
];

/// Lives that a member may begin next, and the last that are believed with a clock and without one,
/// and about them.
const LIVES_AHEAD: [u64; 16] = [
    1,
    2,
    1_000,
    60_000,
    LIFE_AHEAD_MILLIS / 2 - 1_000,
    LIFE_AHEAD_MILLIS / 2 + 1_000,
    LIFE_AHEAD_MILLIS - 10_000,
    LIFE_AHEAD_MILLIS - 1,
    LIFE_AHEAD_MILLIS + 10_000,
    LIFE_JUMP_MAX / 2 - 1,
    LIFE_JUMP_MAX / 2,
    LIFE_JUMP_MAX / 2 + 1,
    LIFE_JUMP_MAX - 1,
    LIFE_JUMP_MAX,
    LIFE_JUMP_MAX + 1,
    u64::MAX,
];

/// How much state comes with a table: mostly none; more than nodes with room for little take, and
/// more than can be handed over in a moment.
const BLOATS: [usize; 6] = [0, 0, 0, 1, 5_000, 4 << 20];

/// Nodes of hosts from here on don't exist.
const INVENTED: HostId = 2_000;

/// Nothing runs on this host, and others speak in its name.
const VICTIM: HostId = 150;

const fn lie(about: HostId, says: Says) -> Lie {
    Lie { about, more: 0, says, ahead: 0, lives: 0, table: false, bloat: 0 }
}

/// Somebody accuses members in the name of others, mostly of what they can have done. Some lies are
/// such that a member could hardly answer them, or not at all, if they were believed. (X7)
fn accuse(draw: &mut Draw<'_>, by: Forger) {
    for _ in 0..draw.times(2) {
        let (at, host, from, about) = (draw.moment(), draw.host(), draw.host(), draw.host());
        let most = draw.chance.pick(&[1, 2, 1_000]);
        let near = draw.chance.below(most);
        let far = draw.chance.pick(&FAR_AHEAD);
        let ahead = if draw.chance.hits(0.2) { far } else { near };
        let says = if draw.chance.hits(0.5) { Says::Dead } else { Says::Suspect };
        let lie = Lie { ahead, ..lie(about, says) };
        draw.add(at, Action::Forge { host, from, lie, by, victim: None });
    }
}

/// Somebody tells one of the cluster of another what is not so, mostly with the key; in a packet or
/// as a table; under the stamp that the member has, the next, a later life, or as far as it goes.
fn tell(draw: &mut Draw<'_>, mut what: impl FnMut(&mut Draw<'_>) -> Lie) {
    for _ in 0..draw.times(5) {
        let (at, host, from) = (draw.moment(), draw.host(), draw.host());
        let lie = what(draw);
        let near = draw.chance.below(3);
        let far = draw.chance.pick(&FAR_AHEAD);
        let ahead = if draw.chance.hits(0.1) { far } else { near };
        let later = draw.chance.pick(&LIVES_AHEAD);
        let lives = if draw.chance.hits(0.4) { later } else { 0 };
        // The very last stamp that is believed can't be outbid: one of the two is near.
        let ahead = if lives > 0 { near } else { ahead };
        let table = draw.chance.hits(0.4);
        let by = draw.chance.pick(&BY);
        let bloat = draw.chance.pick(&BLOATS);
        let lie = Lie { ahead, lives, table, bloat: if table { bloat } else { 0 }, ..lie };
        draw.add(at, Action::Forge { host, from, lie, by, victim: None });
    }
}

/// Somebody says goodbye for a member, and that it lives elsewhere, all at once or a little later.
fn usurp(draw: &mut Draw<'_>) {
    for _ in 0..draw.times(10) {
        let (at, host, from, about) = (draw.moment(), draw.host(), draw.host(), draw.host());
        let place = elsewhere(draw);
        let lives = draw.chance.pick(&[1, 1, 2, 1_000]);
        let table = draw.chance.hits(0.4);
        let by = draw.chance.pick(&BY);
        // The whole life is over. A moment later the member may have begun the next.
        let goodbye = Lie { table: draw.chance.hits(0.2), ..lie(about, Says::Left) };
        draw.add(at, Action::Forge { host, from, lie: goodbye, by, victim: None });
        let pause = if draw.chance.hits(0.5) { Duration::ZERO } else { draw.chance.span(SECOND) };
        let lie = Lie { lives, table, ..lie(about, Says::At(place)) };
        draw.add(at + pause, Action::Forge { host, from, lie, by, victim: None });
    }
}

/// Where another member is, or nobody.
fn elsewhere(draw: &mut Draw<'_>) -> HostId {
    if draw.chance.hits(0.5) { draw.host() } else { NOBODY + draw.host() }
}

/// Somebody tells of many who don't exist, some of them more than once.
fn crowds(draw: &mut Draw<'_>) {
    for _ in 0..1 + draw.chance.below(3) {
        let (at, host, from) = (draw.moment(), draw.host(), draw.host());
        let about = INVENTED + 100 + draw.chance.below(20) as HostId;
        let more = 1 + draw.chance.below(CROWD_MAX) as usize;
        let table = draw.chance.hits(0.5);
        let lie = Lie { more, table, ..lie(about, Says::Alive) };
        let by = draw.chance.pick(&BY);
        draw.add(at, Action::Forge { host, from, lie, by, victim: None });
    }
}

/// Streams of those who have no key.
fn assaults(draw: &mut Draw<'_>) {
    for _ in 0..draw.times(8) {
        let (at, host) = (draw.moment(), draw.host());
        let len = draw.chance.below(5_000) as usize;
        let announced = draw.chance.pick(&[0, 9, 10, 60_000, 65_594, 1 << 20, u32::MAX]);
        let with = match draw.chance.below(6) {
            0 => Payload::Silence,
            1 => Payload::Noise(len),
            2 => Payload::Length(announced),
            _ => Payload::Recording,
        };
        let many = draw.chance.pick(&[20, 200]);
        let times = if draw.chance.hits(0.1) { many } else { 1 };
        let cut = draw.chance.pick(&[0, 0, 1, 7]);
        let (stalls, word) = (draw.chance.hits(0.3), draw.chance.word());
        // What is many is short, and each moment of it is looked at.
        let cut = if times > 1 { 0 } else { cut };
        draw.add(at, Action::Assault { host, assault: Assault { with, cut, stalls, times, word } });
    }
}

/// Packets in the name of somebody who is not here, to have the answers sent there. (X6)
fn reflect(draw: &mut Draw<'_>) {
    for _ in 0..draw.times(1) {
        let (at, host, from, about) = (draw.moment(), draw.host(), draw.host(), draw.host());
        let says = match draw.chance.below(6) {
            0 | 1 => Says::Ping,
            2 => Says::Help,
            3 => Says::Recorded,
            4 => Says::Alive,
            _ => Says::Suspect,
        };
        let lie = Lie { ahead: draw.chance.below(1_000), ..lie(about, says) };
        let by = draw.chance.pick(&BY);
        let victim = Some(VICTIM);
        draw.add(at, Action::Forge { host, from, lie, by, victim });
    }
}

/// Somebody seals as a member does, for all others at once: what it says itself is taken for old.
fn thefts(draw: &mut Draw<'_>) {
    for _ in 0..draw.times(10) {
        let (at, from) = (draw.moment(), draw.host());
        let ahead = draw.chance.pick(&[1_100, 5_000, u64::MAX]);
        for host in (0..draw.size).filter(|host| *host != from) {
            for table in [false, true] {
                let lie = Lie { ahead, table, ..lie(from, Says::Theft) };
                let by = Forger::Insider;
                draw.add(at, Action::Forge { host, from, lie, by, victim: None });
            }
        }
    }
}

/// Something that is compressed, and makes whoever inflates it pay for that if he believes it.
fn traps(draw: &mut Draw<'_>) {
    for _ in 0..draw.times(5) {
        let (at, host, from) = (draw.moment(), draw.host(), draw.host());
        let trap = draw.chance.pick(&[Trap::Less, Trap::More, Trap::Dense]);
        let (lie, by) = (lie(from, Says::Trap(trap)), draw.chance.pick(&BY));
        draw.add(at, Action::Forge { host, from, lie, by, victim: None });
    }
}

/// Up to some thousand packets within a second or two, now and then; and always some from those who
/// are refused, where there are any of them.
fn floods(draw: &mut Draw<'_>) {
    for by in [Forger::Former, Forger::Outsider] {
        let of = lies(draw, by);
        // Keys are changed in the course of a run.
        let at = draw.chaos / 2 + draw.chance.span(draw.chaos / 2);
        flood(draw, at, of, (3, 100));
    }
    if draw.chance.hits(0.6) {
        return;
    }
    for _ in 0..1 + draw.chance.below(3) {
        let of = match draw.chance.below(6) {
            0 => Torrent::Noise,
            1 => Torrent::Strange,
            _ => lies(draw, Forger::Insider),
        };
        let size = (draw.chance.pick(&[1, 3, 10]), draw.chance.pick(&[50, 200, 400]));
        let at = draw.moment();
        flood(draw, at, of, size);
    }
}

/// What packets are full of that say something.
fn lies(draw: &mut Draw<'_>, by: Forger) -> Torrent {
    let (about, says) = (draw.host(), draw.chance.pick(&[Says::Alive, Says::Suspect, Says::Dead]));
    let lie = match draw.chance.below(4) {
        0 => lie(about, Says::Ping),
        1 => Lie { more: FLOODED_MAX - 1, ..lie(FLOODED, Says::Alive) },
        _ => lie(about, says),
    };
    Torrent::Lies { lie, by }
}

/// So many bursts of so many packets each, in the name of somebody.
fn flood(draw: &mut Draw<'_>, at: Duration, of: Torrent, (bursts, times): (u32, usize)) {
    let (host, from) = (draw.host(), draw.host());
    let pause = draw.chance.span(SECOND / 5);
    for nth in 0..bursts {
        let mut flood = Flood { of, times, word: draw.chance.word() };
        if let Torrent::Lies { lie, .. } = &mut flood.of {
            lie.ahead = u64::from(nth) * times as u64;
        }
        draw.add(at + pause * nth, Action::Flood { host, from, flood });
    }
}

/// Mostly those who are believed.
const BY: [Forger; 6] = {
    use Forger::{Former, Insider, Outsider};
    [Insider, Insider, Insider, Insider, Former, Outsider]
};

/// So many are invented at once at most.
const CROWD_MAX: u64 = 12;

/// The nodes that floods invent are on hosts from here on, ...
const FLOODED: HostId = INVENTED + 200;

/// ... so many of them: with more, the time that it takes to find all of them dead is all that a
/// run consists of.
const FLOODED_MAX: usize = 40;
