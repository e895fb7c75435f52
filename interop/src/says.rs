//! What happens to a node, as the lines that `swim-peer` prints.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use swim_tokio::{EventKind, Member, MemberChange, Notice, Reject, Stats};

/// A notice as a line; `None` for what no test asks for.
pub(crate) fn line(notice: &Notice) -> Option<Value> {
    let Notice::Event(event) = notice else {
        return Some(json!({ "event": "log", "text": format!("{notice:?}") }));
    };
    Some(match &event.kind {
        EventKind::Member { change, member } => {
            let change = match change {
                // Go's library makes no difference between the two here.
                MemberChange::Failed | MemberChange::Left => "gone".into(),
                other => other.to_string(),
            };
            let mut line = row(member);
            line["event"] = "member".into();
            line["change"] = change.into();
            line
        }
        EventKind::Conflict { holder, other_addr, .. } => {
            json!({ "event": "conflict", "name": holder.name.as_str(), "other": other_addr })
        }
        EventKind::Message { from, payload, reliable, .. } => {
            let (from, text) = (from.as_str(), text(payload));
            json!({ "event": "message", "text": text, "from": from, "reliable": reliable })
        }
        EventKind::BroadcastSent { .. } => json!({ "event": "sent" }),
        EventKind::RemoteState { state, join, .. } => {
            json!({ "event": "state", "text": text(state), "join": join })
        }
        EventKind::Probed { member, pong } => {
            json!({ "event": "ping", "name": member.as_str(), "text": text(&pong.payload) })
        }
        EventKind::Rejected { .. } | EventKind::Unbeatable { .. } => {
            json!({ "event": "log", "text": format!("{:?}", event.kind) })
        }
        _ => return None,
    })
}

/// A member as a row of the answer to `members`.
pub(crate) fn row(member: &Member) -> Value {
    json!({
        "name": member.name.as_str(),
        "addr": member.addr,
        "meta": text(member.meta.as_bytes()),
        "state": member.state.to_string(),
        "incarnation": member.stamp.incarnation.0,
        "protocol": member.versions.protocol.current,
    })
}

/// The counters that tests ask for, and how many claims wait to be gossiped.
pub(crate) fn counters(stats: &Stats, queued: usize, health: u32) -> Value {
    let counts = Reject::ALL.map(|reject| (reject.name(), stats.rejected_for(reject)));
    let rejected: BTreeMap<_, _> = counts.into_iter().filter(|(_, count)| *count > 0).collect();
    json!({
        "queued": queued,
        "health": health,
        "rejected": rejected,
        "streams_failed": stats.streams_failed,
        "saved_by_relay": stats.probes_saved_by_relay,
        "saved_by_stream": stats.probes_saved_by_stream,
        "nacks": stats.nacks,
        "relayed": stats.relayed,
        "exchanges": stats.exchanges,
        "refutations": stats.refutations,
    })
}

fn text(bytes: impl AsRef<[u8]>) -> String {
    String::from_utf8_lossy(bytes.as_ref()).into_owned()
}
