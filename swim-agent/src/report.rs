//! What the agent says about what happens: events as lines on stdout, the rest in the log.

use std::{sync::Arc, time::Duration};

use swim_tokio::{Event, EventKind, Handle, Instant, Member, MemberChange, Notice, Reject};
use tracing::{debug, error, info, warn};

use crate::{
    args::Shown,
    clock::Timestamp,
    detail::{self, about, changed},
    line::Line,
    printer::{Printer, lost},
};

/// Reports notices in their order.
pub(crate) struct Reporter {
    handle: Handle,
    printer: Printer,
    shown: Shown,
    /// When each kind of refusal was last logged.
    refused_at: [Option<Instant>; Reject::COUNT],
    /// This node, once it has said goodbye. The machine says so at once; for whoever reads the
    /// lines it has left when the others know, or could have known.
    leaving: Option<Arc<Member>>,
}

impl Reporter {
    /// Reports to `printer` what the node behind `handle` notices.
    pub(crate) fn new(handle: Handle, printer: Printer, shown: Shown) -> Self {
        Self { handle, printer, shown, refused_at: [None; Reject::COUNT], leaving: None }
    }

    /// Prints or logs `notice`.
    pub(crate) fn report(&mut self, notice: &Notice) {
        match notice {
            Notice::Event(event) => {
                if let Some(line) = self.line(event) {
                    // The event may have waited for us; its time is when it happened.
                    let age = self.handle.now().saturating_since(event.at);
                    self.printer.print(&line.at(Timestamp::ago(age)));
                }
                self.log(event);
            }
            Notice::Lagged { missed, .. } => self.printer.print(&lost(*missed)),
        }
    }

    /// The line of an event, if it is one that is shown.
    fn line(&mut self, event: &Event) -> Option<Line> {
        let line = match self.everyday_line(event) {
            Some(line) if self.shown == Shown::Members => line,
            Some(line) => detail::stamped(line, &event.kind),
            None if self.shown == Shown::All => detail::line(&event.kind),
            None => return None,
        };
        Some(line.with("seq", event.seq))
    }

    /// The line of an event that applications act on.
    fn everyday_line(&mut self, event: &Event) -> Option<Line> {
        match &event.kind {
            EventKind::Member { change: MemberChange::Left, member }
                if member.name == *self.handle.name() =>
            {
                self.leaving = Some(Arc::clone(member));
                None
            }
            EventKind::LeaveFinished { .. } => {
                Some(changed("member-leave", self.leaving.take().as_ref()?))
            }
            EventKind::Member { change, member } => Some(changed(member_event(*change)?, member)),
            EventKind::Conflict { holder, other_addr, .. } => {
                let line = about(Line::event("name-conflict"), holder);
                Some(line.with("other_addr", other_addr.to_string()))
            }
            EventKind::Broadcast { origin, id, payload, .. } => {
                let line = Line::event("user").with("node", &**origin);
                let line = match self.handle.member(origin) {
                    Some(member) => line.with("addr", member.addr.to_string()),
                    None => line, // Its news travelled faster than itself.
                };
                Some(line.with("id", *id).with("payload", &payload[..]))
            }
            EventKind::Message { from, addr, payload, .. } => {
                let line = Line::event("message").with("node", &**from);
                Some(line.with("addr", addr.to_string()).with("payload", &payload[..]))
            }
            _ => None,
        }
    }

    fn log(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Member { change, member } => log_member(*change, member),
            EventKind::Conflict { holder, other_addr, .. }
                if holder.name == *self.handle.name() =>
            {
                warn!(%other_addr, "another node has or claims this node's name");
            }
            EventKind::Rejected { reject, from, count } => {
                self.log_refusal(event.at, *reject, from, *count);
            }
            EventKind::PacketsLost { member } => warn!(
                node = %member,
                "a member answers on TCP but not on UDP; check that nothing filters its packets"
            ),
            EventKind::Health { score: 0 } => info!("this node keeps up with the protocol again"),
            EventKind::Health { score } => info!(score, "this node may be slow or cut off"),
            EventKind::KeyringChanged { primary } => info!(%primary, "the keyring changed"),
            EventKind::KeyWorn { key, sealed } => warn!(
                %key,
                sealed,
                "this key has sealed about so many messages; change it: from 2^32 on it is unsafe"
            ),
            EventKind::LifeRaised { stamp } => {
                warn!(%stamp, "this node took a new life to refute an impossible claim about it");
            }
            EventKind::Unbeatable { stamp } => error!(
                %stamp,
                "somebody says of this node what it can't outbid: members that believe it hold it \
                 for gone until they forget it; it can join again under another name (--node)"
            ),
            EventKind::LeaveFinished { confirmed, told, members } => {
                debug!(confirmed, told, members, "the leave is over");
            }
            _ => {}
        }
    }

    /// A neighbour with the wrong key may knock all day long: once per reason is enough to act on,
    /// and after some time somebody new may be looking.
    fn log_refusal(
        &mut self,
        at: Instant,
        reject: Reject,
        from: &impl std::fmt::Display,
        count: u64,
    ) {
        let Some(refused_at) = self.refused_at.get_mut(reject.index()) else { return };
        if refused_at.is_some_and(|last| at.saturating_since(last) < REFUSAL_LOG_INTERVAL) {
            debug!(reason = %reject, %from, count, "refused again");
            return;
        }
        *refused_at = Some(at);
        warn!(reason = %reject, %from, count, "refused what was sent to this node{}", hint(reject));
    }
}

/// Serf's name for a change, where it has one. A suspicion is not news to act on yet.
fn member_event(change: MemberChange) -> Option<&'static str> {
    match change {
        MemberChange::Joined => Some("member-join"),
        MemberChange::Updated => Some("member-update"),
        MemberChange::Failed => Some("member-failed"),
        MemberChange::Left => Some("member-leave"),
        MemberChange::Reaped => Some("member-reap"),
        MemberChange::Suspected | MemberChange::Recovered => None,
    }
}

fn log_member(change: MemberChange, member: &Member) {
    let (node, addr) = (&member.name, member.addr);
    match change {
        MemberChange::Suspected => info!(%node, %addr, "suspected: it does not answer"),
        MemberChange::Recovered => info!(%node, %addr, "no longer suspected"),
        MemberChange::Joined
        | MemberChange::Updated
        | MemberChange::Failed
        | MemberChange::Left
        | MemberChange::Reaped => debug!(%node, %addr, %change, "member changed"),
    }
}

/// What a person should look at, where there is something.
fn hint(reject: Reject) -> &'static str {
    match reject {
        Reject::Version => ": the sender speaks another dialect, or another version of it",
        Reject::Label => ": the sender has another label",
        Reject::Plaintext => ": the sender has no key",
        Reject::Sealed => ": the sender has a key, and this node has none",
        Reject::UnknownKey => ": the sender has a key that this node does not have",
        Reject::Stale => ": the clock of the sender or of this node is wrong",
        Reject::TableFull => ": there are more members than this node may know",
        _ => "",
    }
}

/// How long the same kind of refusal is not logged again.
const REFUSAL_LOG_INTERVAL: Duration = Duration::from_secs(10 * 60);
