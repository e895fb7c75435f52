//! What the agent says about what happens: events as lines on stdout, the rest in the log.

use std::sync::Arc;

use swim_tokio::{Event, EventKind, Handle, Member, MemberChange, Notice, Reject};
use tracing::{debug, error, info, warn};

use crate::{
    args::Shown,
    clock::Timestamp,
    detail::{self, about, changed, with_payload},
    line::Line,
    pace::{Pace, Topic},
    printer::{Printer, lost},
};

/// Reports notices in their order.
pub(crate) struct Reporter {
    handle: Handle,
    printer: Printer,
    shown: Shown,
    /// How often the log says what others cause.
    pace: Pace,
    /// This node, once it has said goodbye. The machine says so at once; for whoever reads the
    /// lines it has left when the others know, or could have known.
    leaving: Option<Arc<Member>>,
}

impl Reporter {
    /// Reports to `printer` what the node behind `handle` notices.
    pub(crate) fn new(handle: Handle, printer: Printer, shown: Shown) -> Self {
        Self { handle, printer, shown, pace: Pace::default(), leaving: None }
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
                Some(with_payload(line.with("id", *id), payload))
            }
            EventKind::Message { from, addr, payload, .. } => {
                let line = Line::event("message").with("node", &**from);
                Some(with_payload(line.with("addr", addr.to_string()), payload))
            }
            _ => None,
        }
    }

    fn log(&mut self, event: &Event) {
        let left_out = match self.topic(&event.kind) {
            None => None,
            Some((topic, times)) => match self.pace.admit(topic, event.at, times) {
                None => return,
                Some(left_out) => (left_out > 0).then_some(left_out),
            },
        };
        match &event.kind {
            EventKind::Member { change, member } => log_member(*change, member, left_out),
            EventKind::Conflict { holder, other_addr, .. } if self.is_own(holder) => {
                warn!(%other_addr, left_out, "another node has or claims this node's name");
            }
            EventKind::Rejected { reject, from, count } => {
                let (reason, hint) = (reject, hint(*reject));
                warn!(%reason, %from, count, left_out, "refused what was sent to this node{hint}");
            }
            EventKind::PacketsLost { member } => warn!(
                node = %member,
                left_out,
                "a member answers on TCP but not on UDP; check that nothing filters its packets"
            ),
            EventKind::Health { score: 0 } => {
                info!(left_out, "this node keeps up with the protocol again");
            }
            EventKind::Health { score } => {
                info!(score, left_out, "this node may be slow or cut off");
            }
            EventKind::KeyringChanged { primary } => info!(%primary, "the keyring changed"),
            EventKind::KeyWorn { key, sealed } => warn!(
                %key,
                sealed,
                "this key has sealed about so many messages; change it: from 2^32 on it is unsafe"
            ),
            EventKind::LifeRaised { stamp } => warn!(
                %stamp,
                left_out,
                "this node took a new life to refute an impossible claim about it"
            ),
            EventKind::Unbeatable { stamp } => error!(
                %stamp,
                left_out,
                "somebody says of this node what it can't outbid: members that believe it hold it \
                 for gone until they forget it; it can join again under another name (--node)"
            ),
            EventKind::LeaveFinished { confirmed, told, members } => {
                debug!(confirmed, told, members, "the leave is over");
            }
            _ => {}
        }
    }

    /// What the line of the log is about that an event has, if others can cause it as often as they
    /// like; and how often it happened.
    fn topic(&self, event: &EventKind) -> Option<(Topic, u64)> {
        let topic = match event {
            EventKind::Rejected { reject, count, .. } => {
                return Some((Topic::refused(*reject), *count));
            }
            EventKind::Member { change: MemberChange::Suspected, .. } => Topic::Suspected,
            EventKind::Member { change: MemberChange::Recovered, .. } => Topic::Recovered,
            EventKind::Conflict { holder, .. } if self.is_own(holder) => Topic::Conflict,
            EventKind::PacketsLost { .. } => Topic::PacketsLost,
            EventKind::Health { .. } => Topic::Health,
            EventKind::LifeRaised { .. } => Topic::LifeRaised,
            EventKind::Unbeatable { .. } => Topic::Unbeatable,
            _ => return None,
        };
        Some((topic, 1))
    }

    fn is_own(&self, member: &Member) -> bool {
        member.name == *self.handle.name()
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

fn log_member(change: MemberChange, member: &Member, left_out: Option<u64>) {
    let (node, addr) = (&member.name, member.addr);
    match change {
        MemberChange::Suspected => {
            info!(%node, %addr, left_out, "suspected: it does not answer");
        }
        MemberChange::Recovered => info!(%node, %addr, left_out, "no longer suspected"),
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
        Reject::NoRoom => ": too many send large messages or states at the same time",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use swim_tokio::{Builder, Instant, Life, Stamp};
    use tokio::sync::mpsc;
    use tracing::{Level, Metadata, Subscriber, span};

    use super::*;
    use crate::args::Format;

    /// Counts what is logged.
    struct Log(mpsc::UnboundedSender<Level>);

    impl Subscriber for Log {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            metadata.is_event() && metadata.target().starts_with("swim_agent::report")
        }
        fn event(&self, event: &tracing::Event<'_>) {
            let _ = self.0.send(*event.metadata().level());
        }
        fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
            span::Id::from_u64(1)
        }
        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
        fn enter(&self, _: &span::Id) {}
        fn exit(&self, _: &span::Id) {}
    }

    /// How many lines of the log a flood of the same event makes in an hour.
    fn logged(handle: &Handle, kind: &EventKind) -> usize {
        let printer = Printer::to_stdout(Format::Text).unwrap();
        let mut reporter = Reporter::new(handle.clone(), printer, Shown::Members);
        let (sender, mut lines) = mpsc::unbounded_channel();
        tracing::subscriber::with_default(Log(sender), || {
            for seq in 0..3_600 {
                let at = Instant::from_millis(1_000 * seq);
                reporter.log(&Event { seq, at, kind: kind.clone() });
            }
        });
        std::iter::from_fn(|| lines.try_recv().ok()).filter(|level| *level <= Level::INFO).count()
    }

    #[tokio::test]
    async fn x16_what_others_cause_is_logged_so_often_and_no_more() {
        let (handle, _events) = Builder::local("a").bind("127.0.0.1:0").start().await.unwrap();
        let own = handle.member("a").unwrap();
        let stamp = Stamp { life: Life(1), incarnation: own.stamp.incarnation };
        let (member, name) = (|| Arc::clone(&own), own.name.clone());
        let addr = own.addr;
        let conflict = EventKind::Conflict {
            holder: member(),
            other_addr: addr,
            other_stamp: stamp,
            other_meta: own.meta.clone(),
        };
        for (kind, expected) in [
            (EventKind::Rejected { reject: Reject::Decrypt, from: addr, count: 3 }, 6),
            (EventKind::Member { change: MemberChange::Suspected, member: member() }, 128 + 359),
            (EventKind::Member { change: MemberChange::Recovered, member: member() }, 128 + 359),
            (EventKind::PacketsLost { member: name }, 128 + 359),
            (EventKind::Health { score: 1 }, 128 + 359),
            (conflict, 8 + 5),
            (EventKind::LifeRaised { stamp }, 8 + 5),
            (EventKind::Unbeatable { stamp }, 8 + 5),
        ] {
            assert_eq!(logged(&handle, &kind), expected, "{kind:?}");
        }
    }
}
