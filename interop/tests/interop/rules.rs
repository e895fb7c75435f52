//! What a claim does to what is held of its subject, by Go's rules and by ours: in which they
//! differ, they differ on purpose.

use std::{net::SocketAddr, sync::OnceLock};

use swim_interop::{cluster::free_addr, peer::Row};

/// What is claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The subject says that it is there: at its first address, or at its second.
    Alive {
        /// Whether it is the second one.
        is_elsewhere: bool,
    },
    /// Somebody else can't reach it.
    Suspect,
    /// Somebody else waited in vain for it.
    Dead,
    /// It says goodbye.
    Left,
}

/// A claim about a subject.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim {
    pub(crate) subject: usize,
    pub(crate) kind: Kind,
    pub(crate) incarnation: u32,
    /// Who says it, where it is not the subject itself.
    pub(crate) accuser: usize,
}

impl Claim {
    /// What it says where it is a line of a table: that somebody is dead is there no more than
    /// doubt, the reader's own in Go's case.
    pub(crate) fn in_a_table(self) -> Self {
        let kind = if self.kind == Kind::Dead { Kind::Suspect } else { self.kind };
        Self { kind, ..self }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    Alive,
    Suspect,
    Dead,
    Left,
}

/// What is held of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) state: State,
    pub(crate) incarnation: u32,
    /// Under which incarnation it last spoke for itself.
    spoke: u32,
    is_elsewhere: bool,
}

/// Of the chapters of `docs/departures.md`, the ones by which claims are taken otherwise.
pub(crate) const DEPARTURES: [&str; 4] = ["65", "G14", "G25", "G29"];

/// memberlist state.go: `aliveNode`, `suspectNode`, `deadNode`.
pub(crate) fn by_go(held: Option<Held>, claim: Claim) -> Option<Held> {
    let Claim { kind, incarnation, .. } = claim;
    let Some(held) = held else {
        let Kind::Alive { is_elsewhere } = kind else { return None };
        // Whom nobody knew was dead, under incarnation 0.
        let state = if incarnation == 0 { State::Dead } else { State::Alive };
        return Some(Held { state, incarnation, spoke: incarnation, is_elsewhere });
    };
    let is_over = matches!(held.state, State::Dead | State::Left);
    let changes = match kind {
        Kind::Alive { is_elsewhere } if is_elsewhere != held.is_elsewhere => {
            held.state == State::Left
        }
        Kind::Alive { .. } => incarnation > held.incarnation,
        Kind::Suspect => incarnation >= held.incarnation && held.state == State::Alive,
        Kind::Dead | Kind::Left => incarnation >= held.incarnation && !is_over,
    };
    Some(if changes { applied(held, claim) } else { held })
}

/// The same by our rules, and the chapter in which is said why, where they are not Go's.
pub(crate) fn by_us(held: Option<Held>, claim: Claim) -> (Option<Held>, Option<&'static str>) {
    /// No answer to it would be within 31 bits.
    const BEYOND: u32 = (1 << 31) - 1;
    let go = by_go(held, claim);
    let Claim { kind, incarnation, .. } = claim;
    let is_claim_of_itself = matches!(kind, Kind::Alive { .. });
    if incarnation == 0 && is_claim_of_itself {
        return (held, (held != go).then_some("G25"));
    }
    if incarnation >= BEYOND && !(is_claim_of_itself && incarnation == BEYOND) {
        return (held, (held != go).then_some("G14"));
    }
    let Some(before) = held else { return (go, None) };
    let weight = |held: Held| (held.incarnation, held.state);
    let ours = match kind {
        Kind::Alive { is_elsewhere } if is_elsewhere != before.is_elsewhere => go,
        // News of the member beside what is said against it.
        Kind::Alive { .. } if incarnation > before.spoke && before.state == State::Suspect => {
            let after = applied(before, claim);
            let kept = Held { spoke: incarnation, ..before };
            Some(if weight(after) > weight(before) { after } else { kept })
        }
        Kind::Alive { .. } => go,
        Kind::Dead if before.state == State::Suspect && incarnation == before.incarnation => go,
        // Its subject had no time to answer.
        Kind::Dead if before.state <= State::Suspect || incarnation > before.incarnation => {
            let doubt = Claim { kind: Kind::Suspect, ..claim };
            let ours = Some(heavier(before, doubt));
            let is_verdict = by_go(held, claim) != held;
            return (ours, (ours != go).then_some(if is_verdict { "65" } else { "G29" }));
        }
        Kind::Dead => go,
        Kind::Suspect | Kind::Left => Some(heavier(before, claim)),
    };
    (ours, (ours != go).then_some("G29"))
}

/// What weighs more, by incarnation and then by state.
fn heavier(held: Held, claim: Claim) -> Held {
    let after = applied(held, claim);
    let is_news = (after.incarnation, after.state) > (held.incarnation, held.state);
    if is_news { after } else { held }
}

fn applied(held: Held, claim: Claim) -> Held {
    let incarnation = claim.incarnation;
    match claim.kind {
        Kind::Alive { is_elsewhere } => {
            Held { state: State::Alive, incarnation, spoke: incarnation, is_elsewhere }
        }
        Kind::Suspect => Held { state: State::Suspect, incarnation, ..held },
        Kind::Dead => Held { state: State::Dead, incarnation, ..held },
        Kind::Left => Held { state: State::Left, incarnation, ..held },
    }
}

impl Held {
    /// Somebody new.
    pub(crate) const ALIVE: Self =
        Self { state: State::Alive, incarnation: 1, spoke: 1, is_elsewhere: false };

    /// As peers tell it.
    pub(crate) fn row(self, subject: usize) -> Row {
        let state = match self.state {
            State::Alive => "alive",
            State::Suspect => "suspect",
            State::Dead => "dead",
            State::Left => "left",
        };
        Row {
            addr: addr(subject, self.is_elsewhere),
            state: state.into(),
            meta: meta(self.spoke),
            incarnation: self.incarnation.into(),
            protocol: protocol(self.spoke).into(),
        }
    }
}

/// What a subject says of itself under this incarnation.
pub(crate) fn meta(incarnation: u32) -> String {
    format!("m{}", incarnation % 1000)
}

/// The version of the protocol that it speaks then.
pub(crate) fn protocol(incarnation: u32) -> u8 {
    PROTOCOL + u8::try_from(incarnation % 4).expect("less than four")
}

/// The lowest version in which members have ports of their own.
pub(crate) const PROTOCOL: u8 = 2;

pub(crate) fn name(subject: usize) -> String {
    format!("s{subject}")
}

/// Where a subject says it is: a loopback address at which no other program listens, at a port that
/// is this run's alone.
pub(crate) fn addr(subject: usize, is_elsewhere: bool) -> SocketAddr {
    static PORTS: OnceLock<[u16; 2]> = OnceLock::new();
    let ports = PORTS.get_or_init(|| {
        let first = free_addr().expect("a port").port();
        [first, first ^ 1]
    });
    let [high, low] = u16::try_from(subject).expect("some thousands").to_be_bytes();
    SocketAddr::from(([127, 9, high, low], ports[usize::from(is_elsewhere)]))
}

/// What chance decides: a congruential generator, for the tests repeat.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        u32::try_from((self.0 >> 33) % u64::from(end)).unwrap()
    }
}
