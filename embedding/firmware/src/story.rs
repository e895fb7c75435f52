//! What the firmware does, on any machine: two nodes on one cable find each other, one changes what
//! it says about itself, one is unplugged, and the other finds out.

use core::{fmt, net::SocketAddr, time::Duration};

use embedding::{
    bare::Bare,
    cable::{Cable, End},
};
use swim_core::{Bytes, Event, EventKind, Instant, MemberChange, Node, Options};

/// The machine that the story happens on.
pub(crate) trait Board {
    /// The time since it was switched on.
    fn now(&mut self) -> Instant;
    /// Sleeps until `at`, or for a shorter time.
    fn sleep(&mut self, at: Instant);
    /// Says something to whoever watches.
    fn say(&mut self, words: fmt::Arguments<'_>);
}

/// Plays it. Whether all went as it should, within a limit.
pub(crate) fn play(board: &mut impl Board) -> bool {
    let (Ok(left), Ok(right)) = ("10.0.0.1:7946".parse(), "10.0.0.2:7946".parse()) else {
        return false;
    };
    let cable = Cable::new();
    let now = board.now();
    let (Some(mut a), Some(mut b)) = (node("a", left, now, &cable), node("b", right, now, &cable))
    else {
        board.say(format_args!("the options are wrong"));
        return false;
    };
    if b.node.join(now, &[left], LIMIT).is_err() {
        board.say(format_args!("the join was refused"));
        return false;
    }
    let mut seen = Seen::default();
    while board.now() < now + LIMIT {
        let at = board.now();
        let mut wake_at = a.step(at, |event| seen.note(board, "a", event));
        if !seen.is_cut {
            let other = b.step(at, |event| seen.note(board, "b", event));
            wake_at = wake_at.min(other);
        }
        if seen.joined == 2 && !seen.is_told {
            seen.is_told = a.node.update_meta(at, Bytes::from_static(b"21.5 C")).is_ok();
        } else if seen.updated && !seen.is_cut {
            seen.is_cut = true;
            cable.unplug(right);
            board.say(format_args!("b is unplugged"));
        } else if seen.failed {
            return true;
        } else if let Some(wake_at) = wake_at {
            board.sleep(wake_at);
        }
    }
    false
}

/// A node on its end of the cable. A real one takes its seed from the chip's random generator, and
/// its life from a counter in its flash that grows with every start.
fn node(name: &str, addr: SocketAddr, now: Instant, cable: &Cable) -> Option<Bare<End>> {
    let mut options = Options::local(name, addr);
    // There is little memory: whatever has a limit gets a small one.
    options.members_max = 32;
    options.streams_max = 2;
    options.streams_per_addr_max = 1;
    options.state_len_max = 1_024;
    options.message_len_max = 1_024;
    let mut seed = [0x5a; 32];
    seed[..name.len()].copy_from_slice(name.as_bytes());
    Some(Bare::new(Node::new(options.build().ok()?, seed, now), cable.end(addr)))
}

#[derive(Default)]
struct Seen {
    joined: usize,
    is_told: bool,
    updated: bool,
    is_cut: bool,
    failed: bool,
}

impl Seen {
    fn note(&mut self, board: &mut impl Board, who: &str, event: &Event) {
        let EventKind::Member { change, member } = &event.kind else { return };
        board
            .say(format_args!("{who} at {}: {} {change} {:?}", event.at, member.name, member.meta));
        if member.name == *who {
            return;
        }
        match change {
            MemberChange::Joined => self.joined += 1,
            MemberChange::Updated => self.updated = &member.meta[..] == b"21.5 C",
            MemberChange::Failed => self.failed = true,
            _ => {}
        }
    }
}

/// The whole story takes some ten seconds.
const LIMIT: Duration = Duration::from_secs(60);
