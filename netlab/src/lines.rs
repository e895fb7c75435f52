//! The lines that nodes print, as the events and members that they stand for, and back.
//!
//! The agent has a writer of its own, which knows nothing of this one: what is read here is what
//! the agent's users read. The writer here is for programs of this crate that are nodes too.

use std::time::Duration;

use serde_json::{Value, json};
use swim_core::{
    Bytes, Event, EventKind, Instant, LeaveReason, Life, Member, MemberChange, Meta, Name, Stamp,
    State, Versions,
};

use crate::clock;

/// An event, and the time of day at which it happened.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    /// When.
    pub at: Duration,
    /// What.
    pub event: Event,
}

/// The event that a line of the node `own` stands for; nothing if it is none. What is about neither
/// a member nor a broadcast stands as a number only.
///
/// # Errors
///
/// When it is an event and can't be understood.
pub(crate) fn event(line: &Value, own: &str) -> Result<Option<Told>, String> {
    let Some(name) = line["event"].as_str() else { return Ok(None) };
    let wrong = || format!("{own} printed {line}");
    let at = line["time"].as_str().and_then(clock::parse).ok_or_else(wrong)?;
    let seq = line["seq"].as_u64().ok_or_else(wrong)?;
    let change = match name {
        "member-join" => Some(MemberChange::Joined),
        "member-update" => Some(MemberChange::Updated),
        "member-suspect" => Some(MemberChange::Suspected),
        "member-recover" => Some(MemberChange::Recovered),
        "member-failed" => Some(MemberChange::Failed),
        "member-reap" => Some(MemberChange::Reaped),
        "member-leaving" => Some(MemberChange::Left),
        // Its own is the end of what `member-leaving` began.
        "member-leave" if line["node"] != own => Some(MemberChange::Left),
        _ => None,
    };
    let kind = match (change, name) {
        (Some(change), _) => {
            EventKind::Member { change, member: member(line).ok_or_else(wrong)?.into() }
        }
        (None, "user") => broadcast(line).ok_or_else(wrong)?,
        (None, _) => EventKind::Health { score: 0 },
    };
    Ok(Some(Told { at, event: Event { seq, at: Instant::ORIGIN, kind } }))
}

/// The member that a line is about. What no line says (the versions, and since when it is so on the
/// node's own clock) is the same for all.
pub(crate) fn member(line: &Value) -> Option<Member> {
    let state = match line["state"].as_str()? {
        "alive" => State::Alive,
        "suspect" => State::Suspect,
        "dead" => State::Dead,
        "left" => State::Left,
        _ => return None,
    };
    let reason = match line["reason"].as_str() {
        Some("graceful") => Some(LeaveReason::Graceful),
        Some("forced") => Some(LeaveReason::Forced),
        _ => None,
    };
    Some(Member {
        name: Name::new(line["node"].as_str()?).ok()?,
        addr: line["addr"].as_str()?.parse().ok()?,
        meta: Meta::new(line["meta"].as_str()?.to_owned()).ok()?,
        state,
        reason,
        stamp: Stamp::new(line["life"].as_u64()?, line["incarnation"].as_u64()?),
        versions: Versions::default(),
        since: Instant::ORIGIN,
    })
}

/// The line of an event of the node `own`, which happened at a time of day.
#[must_use]
pub fn of_event(event: &Event, own: &Name, at: Duration) -> Value {
    let mut line = match &event.kind {
        EventKind::Member { change, member } => {
            let mut line = of_member(member);
            line["event"] = match change {
                MemberChange::Joined => "member-join",
                MemberChange::Updated => "member-update",
                MemberChange::Suspected => "member-suspect",
                MemberChange::Recovered => "member-recover",
                MemberChange::Failed => "member-failed",
                MemberChange::Reaped => "member-reap",
                MemberChange::Left if member.name == *own => "member-leaving",
                MemberChange::Left => "member-leave",
            }
            .into();
            line
        }
        EventKind::Broadcast { origin, life, id, payload } => {
            let payload = String::from_utf8_lossy(payload);
            let (node, life) = (&**origin, life.0);
            json!({ "event": "user", "node": node, "life": life, "id": id, "payload": payload })
        }
        _ => json!({ "event": "other" }),
    };
    line["time"] = clock::write(at).into();
    line["seq"] = event.seq.into();
    line
}

/// The line of a member, who it is told by and why aside.
#[must_use]
pub fn of_member(member: &Member) -> Value {
    let mut line = json!({
        "node": &*member.name,
        "addr": member.addr.to_string(),
        "state": member.state.to_string(),
        "meta": String::from_utf8_lossy(member.meta.as_bytes()),
        "life": member.stamp.life.0,
        "incarnation": member.stamp.incarnation.0,
    });
    if let Some(reason) = member.reason {
        line["reason"] = reason.to_string().into();
    }
    line
}

fn broadcast(line: &Value) -> Option<EventKind> {
    Some(EventKind::Broadcast {
        origin: Name::new(line["node"].as_str()?).ok()?,
        life: Life(line["life"].as_u64()?),
        id: line["id"].as_u64()?,
        payload: Bytes::from(line["payload"].as_str()?.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<Told>, String> {
        event(&serde_json::from_str(text).unwrap(), "a")
    }

    #[test]
    fn lines_become_events_again() {
        let rest = r#""addr":"10.0.0.1:1","state":"left","meta":"x","life":7,"incarnation":2"#;
        let line = |name: &str, node: &str| {
            let time = r#""time":"1970-01-01T00:00:01.000Z""#;
            read(&format!(r#"{{{time},"event":"{name}","seq":5,"node":"{node}",{rest}}}"#))
        };
        let told = line("member-leave", "b").unwrap().unwrap();
        assert_eq!((told.at, told.event.seq), (Duration::from_secs(1), 5));
        let EventKind::Member { change: MemberChange::Left, member } = told.event.kind else {
            panic!("{:?}", told.event.kind);
        };
        assert_eq!((member.stamp, member.state), (Stamp::new(7, 2), State::Left));
        let own = line("member-leave", "a").unwrap().unwrap();
        assert!(!matches!(own.event.kind, EventKind::Member { .. }));
        let back = of_member(&member);
        assert_eq!(super::member(&back), Some((*member).clone()));
        let kind = EventKind::Member { change: MemberChange::Left, member };
        let event = Event { seq: 5, at: Instant::ORIGIN, kind };
        let written = of_event(&event, &Name::new("a").unwrap(), told.at);
        assert_eq!(super::event(&written, "a"), Ok(Some(Told { at: told.at, event })));
        assert!(matches!(read(r#"{"answer":"stats"}"#), Ok(None)));
        assert!(read(r#"{"event":"member-join","seq":1,"node":"b"}"#).is_err());
    }
}
