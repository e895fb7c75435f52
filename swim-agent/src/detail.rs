//! Events as lines: members, and what only those need who mirror the members or watch over a node.

use swim_tokio::{EventKind, Member, MemberChange, Stamp};

use crate::line::Line;

/// The line of a change of `member`.
pub(crate) fn changed(event: &'static str, member: &Member) -> Line {
    let line = about(Line::event(event), member).with("state", member.state.to_string());
    let line = match member.reason {
        Some(reason) => line.with("reason", reason.to_string()),
        None => line,
    };
    line.with("meta", &member.meta[..])
}

/// `line` with who and where `member` is.
pub(crate) fn about(line: Line, member: &Member) -> Line {
    line.with("node", &*member.name).with("addr", member.addr.to_string())
}

/// The line of an event that is not for everyday use. Every event has one, so that their numbers
/// have no gaps.
pub(crate) fn line(event: &EventKind) -> Line {
    match event {
        EventKind::Member { change, member } => {
            with_stamp(changed(rare_change(*change), member), member.stamp)
        }
        EventKind::BroadcastSent { id, sends } => {
            Line::event("broadcast-sent").with("id", *id).with("sends", u64::from(*sends))
        }
        EventKind::UpdateSent { .. } => Line::event("update-sent"),
        EventKind::JoinFinished { .. } => Line::event("join-finished"),
        EventKind::LeaveFinished { .. } => Line::event("leave-finished"),
        EventKind::PingFinished { .. } => Line::event("ping-finished"),
        EventKind::SendFinished { .. } => Line::event("send-finished"),
        EventKind::Probed { member, pong } => Line::event("probed")
            .with("node", &**member)
            .with("rtt_us", u64::try_from(pong.rtt.as_micros()).unwrap_or(u64::MAX)),
        EventKind::PacketsLost { member } => Line::event("packets-lost").with("node", &**member),
        EventKind::Health { score } => Line::event("health").with("score", u64::from(*score)),
        EventKind::KeyringChanged { primary } => {
            Line::event("keyring-changed").with("primary", primary.to_string())
        }
        EventKind::KeyWorn { key, sealed } => {
            Line::event("key-worn").with("key", key.to_string()).with("sealed", *sealed)
        }
        EventKind::Rejected { reject, from, count } => Line::event("rejected")
            .with("reason", reject.to_string())
            .with("from", from.to_string())
            .with("count", *count),
        EventKind::LifeRaised { stamp } => with_stamp(Line::event("life-raised"), *stamp),
        EventKind::Unbeatable { stamp } => with_stamp(Line::event("unbeatable"), *stamp),
        _ => Line::event("other"),
    }
}

/// `line` with the stamp of the member that it is about, if it is about one.
pub(crate) fn stamped(line: Line, event: &EventKind) -> Line {
    match event {
        EventKind::Member { member, .. } => with_stamp(line, member.stamp),
        EventKind::Broadcast { life, .. } => line.with("life", life.0),
        _ => line,
    }
}

/// `line` with a stamp.
pub(crate) fn with_stamp(line: Line, stamp: Stamp) -> Line {
    line.with("life", stamp.life.0).with("incarnation", stamp.incarnation.0)
}

/// The name of a change that has no everyday line.
fn rare_change(change: MemberChange) -> &'static str {
    match change {
        MemberChange::Suspected => "member-suspect",
        MemberChange::Recovered => "member-recover",
        // Our own: it is over only when the others know, or could have known.
        MemberChange::Left => "member-leaving",
        MemberChange::Joined
        | MemberChange::Updated
        | MemberChange::Failed
        | MemberChange::Reaped => "member-changed",
    }
}
