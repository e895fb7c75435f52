//! What the members of a cluster say of each other while something goes wrong: who removed whom and
//! when, who came back, and how many live members each counted.

use std::{cell::RefCell, net::SocketAddr, rc::Rc};

use swim_core::{EventKind, Instant, MemberChange};

use crate::{check::Checker, host, network::HostId, step::Step};

/// Writes down what it sees; finds nothing wrong.
#[derive(Debug)]
pub(super) struct Witness(Rc<RefCell<Log>>);

/// What was seen, in order.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// Changes of how many live members somebody counts.
    pub turns: Vec<Turn>,
    /// Members that somebody removed for having failed.
    pub removals: Vec<Mention>,
    /// Members that somebody took in, again or for the first time.
    pub returns: Vec<Mention>,
    /// How often somebody suspected somebody.
    pub suspicions: u64,
    /// When somebody did for the first time.
    pub first_suspicion: Option<Instant>,
}

/// From now on, somebody counts so many live members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// When.
    pub at: Instant,
    /// Who.
    pub observer: HostId,
    /// How many, itself included.
    pub live: usize,
}

/// Something that somebody told its application about another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mention {
    /// When.
    pub at: Instant,
    /// Who.
    pub observer: HostId,
    /// About whom.
    pub subject: HostId,
}

impl Witness {
    /// A witness, and what it will have seen.
    pub(super) fn new() -> (Self, Rc<RefCell<Log>>) {
        let log = Rc::default();
        (Self(Rc::clone(&log)), log)
    }
}

impl Checker for Witness {
    fn id(&self) -> &'static str {
        "witness"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        if !step.events.is_empty() {
            self.0.borrow_mut().write_down(step);
        }
        Ok(())
    }

    fn looks(&self) -> u64 {
        self.0.borrow().turns.len() as u64
    }
}

impl Log {
    fn write_down(&mut self, step: &Step<'_>) {
        let (at, observer) = (step.now, step.host);
        let mut is_turn = false;
        for event in step.events {
            let EventKind::Member { change, member } = &event.kind else { continue };
            let Some(mention) = mention(at, observer, member.addr) else { continue };
            match change {
                MemberChange::Failed => self.removals.push(mention),
                MemberChange::Joined => self.returns.push(mention),
                MemberChange::Suspected => {
                    self.suspicions += 1;
                    self.first_suspicion.get_or_insert(at);
                }
                MemberChange::Left
                | MemberChange::Updated
                | MemberChange::Recovered
                | MemberChange::Reaped => {}
            }
            is_turn |=
                matches!(change, MemberChange::Failed | MemberChange::Joined | MemberChange::Left);
        }
        if is_turn {
            self.turns.push(Turn { at, observer, live: step.node.counts().live() });
        }
    }
}

/// Strangers are nobody's host.
fn mention(at: Instant, observer: HostId, addr: SocketAddr) -> Option<Mention> {
    host::host_at(addr).map(|subject| Mention { at, observer, subject })
}
