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

/// `line` with what somebody says, or, where that is too long for a line, with its length alone: a
/// part of it would be taken for all of it.
pub(crate) fn with_payload(line: Line, payload: &[u8]) -> Line {
    if payload.len() > PAYLOAD_SHOWN_MAX {
        line.with("payload_len", payload.len())
    } else {
        line.with("payload", payload)
    }
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

/// A message may have 16 MiB and more. To write that takes a quarter of a second of the thread that
/// probes are answered on, and no buffer takes the line: who holds the key could silence us so.
/// This much fits in whatever it is, though a byte may take six when it is escaped. (X11)
const PAYLOAD_SHOWN_MAX: usize = 32 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{args::Format, sink::BUFFER_LEN_MAX};

    #[test]
    fn x11_a_payload_is_shown_if_its_line_fits_into_a_buffer_whatever_it_is() {
        let from = || Line::event("message").with("node", "\"".repeat(128).as_str());
        for unit in ["\u{1b}", "\u{7f}", "\"", "\u{ad}", "\u{202e}", "\u{e0001}", "\0", "x"] {
            let longest = unit.repeat(PAYLOAD_SHOWN_MAX / unit.len());
            for format in [Format::Text, Format::Json] {
                let line = with_payload(from(), longest.as_bytes()).format(format);
                assert!(line.len() < BUFFER_LEN_MAX, "{unit:?} as {format:?}: {}", line.len());
                assert!(line.len() > longest.len() && !line.contains("payload_len"));
            }
        }
        let shown = with_payload(from(), &[0xff; PAYLOAD_SHOWN_MAX]).format(Format::Json);
        assert!(shown.contains(r#""payload_base64":"////"#));
        let told = with_payload(from(), &[0xff; PAYLOAD_SHOWN_MAX + 1]).format(Format::Json);
        assert!(told.ends_with(r#","payload_len":32769}"#), "{told}");
        assert!(!told.contains("payload_base64"), "{told}");
    }
}
