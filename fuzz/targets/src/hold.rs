//! What must hold of a node between any two inputs, as far as it can be seen from outside.

use swim_core::{Counts, Event, Instant, Member, Node, Output, State, Transition, limits};
use swim_sim::check::{self, Mirror};

/// What was seen of a node so far.
#[derive(Debug)]
pub(crate) struct Watch {
    mirror: Mirror,
    own: Option<Member>,
    /// What decided the digest when it was last looked at, and the digest.
    digest: Option<(Vec<Member>, u64, u64)>,
    /// The most members there were at once: claims about those that are gone may still wait.
    members: usize,
}

impl Watch {
    /// Watches a node from its beginning: `outputs` are its first.
    pub(crate) fn new(node: &mut Node, outputs: &[Output<Event>]) -> Self {
        let mut watch = Self { mirror: Mirror::of_new_node(), own: None, digest: None, members: 0 };
        watch.see(node, outputs);
        watch
    }

    /// Looks at the node after one input and all that came of it.
    pub(crate) fn see(&mut self, node: &mut Node, outputs: &[Output<Event>]) {
        for Transition { name, before, after } in node.audit_transitions() {
            if let (Some(before), Some(after)) = (before, after) {
                hold(check::is_legal_change(&name, before, after));
            }
        }
        for output in outputs {
            match output {
                Output::Event(event) => hold(self.mirror.take(event)),
                Output::SendPacket { data, .. } => {
                    let most = node.audit_options().packet_len_max;
                    assert!(data.len() <= most, "W1: a packet of {} bytes", data.len());
                }
                _ => {}
            }
        }
        hold(self.mirror.compare(node.members()));
        self.see_own(node);
        self.see_digest(node);
        see_counts(node);
        self.see_queues(node);
    }

    /// Looks at what a tick has left to wait for.
    pub(crate) fn see_tick(node: &Node, now: Instant) {
        let due = node.audit().next_due;
        assert!(due.is_none_or(|(at, _)| at > now), "P5: at {now} the next deadline is {due:?}");
    }

    fn see_own(&mut self, node: &Node) {
        let own = node.local();
        if !node.is_leaving() && !node.has_left() {
            assert_eq!(own.state, State::Alive, "S4: who runs is alive to itself");
        }
        assert_eq!(own.addr, node.audit_options().addr, "S4: at its own address");
        if let Some(old) = &self.own {
            assert!(old.stamp <= own.stamp, "S3: {} went back to {}", old.stamp, own.stamp);
        }
        self.own = Some(own);
    }

    /// The digest stays as it is while no claim is applied and no member changes, the node itself
    /// included.
    fn see_digest(&mut self, node: &Node) {
        let digest = node.audit().digest;
        let members: Vec<Member> = node.members().collect();
        let seen = (members, node.stats().claims_applied, digest);
        if let Some(old) = self.digest.replace(seen.clone())
            && (&old.0, old.1) == (&seen.0, seen.1)
        {
            assert_eq!(old.2, digest, "one table has one digest");
        }
    }

    fn see_queues(&mut self, node: &Node) {
        let (audit, options) = (node.audit(), node.audit_options());
        let counts = node.counts();
        self.members = self.members.max(counts.total());
        let claims = node.audit_claims();
        assert_eq!(claims.len, claims.linked, "P6: {claims:?}");
        if !node.has_left() {
            assert_eq!(audit.suspicions, counts.suspect, "P3: one suspicion per suspect");
        }
        for (what, len, most) in [
            ("claims", audit.claims, 2 * self.members + CLAIMS_SPARE),
            ("broadcasts", audit.broadcasts, limits::BROADCASTS_MAX),
            ("relays", audit.relays, limits::RELAYS_MAX),
            ("pings", audit.pings, limits::PINGS_MAX),
            ("joins", audit.joins.len(), limits::JOINS_MAX),
            ("accepted streams", audit.streams_accepted, options.streams_max),
            ("dialed streams", audit.streams_dialed, limits::STREAMS_DIALED_MAX),
            ("remembered members", audit.remembered, limits::REMEMBERED_MAX),
            ("members", counts.total(), options.members_max),
        ] {
            assert!(len <= most, "M1: {len} {what}, {most} at most");
        }
        assert!(node.health() <= options.health_max, "P4: health within its bounds");
    }
}

/// S10.
fn see_counts(node: &Node) {
    let count = |state| node.members().filter(|member| member.state == state).count();
    let recount = Counts {
        alive: count(State::Alive),
        suspect: count(State::Suspect),
        dead: count(State::Dead),
        left: count(State::Left),
    };
    assert_eq!(node.counts(), recount, "S10: counts are those of the table");
}

fn hold(result: Result<(), String>) {
    if let Err(what) = result {
        panic!("{what}");
    }
}

/// Claims that may wait beside two for each member.
const CLAIMS_SPARE: usize = 1024;
