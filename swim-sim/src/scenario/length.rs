//! How long a run takes, and that there is time in it for what is expected.

use std::time::Duration;

use swim_core::DURATION_MAX;

use crate::action::Timed;

use super::{
    expect::{Expectation, end},
    fields::{Fault, Value},
    plan::Expected,
};

/// Reads how long a run takes, which must be long enough for all that is to be looked at.
pub(super) fn check_length(
    value: Value<'_>,
    actions: &[Timed],
    expected: &[Expected],
) -> Result<Duration, Fault> {
    let length = value.span()?;
    if length.is_zero() {
        return Err(value.fault("a run takes some time"));
    }
    for expected in expected {
        let until = looks_until(&expected.what).filter(|until| *until > length);
        let late = until.or_else(|| expected.what.range().map(|(from, _)| from));
        if let Some(late) = late.filter(|late| *late >= length) {
            let what = format!(
                "looks {} {}, but the run ends at {}: make `length` longer",
                if until.is_some() { "until" } else { "from" },
                text_of(late),
                text_of(length)
            );
            return Err(Fault { line: expected.line, what });
        }
    }
    if let Some(late) = actions.iter().find(|timed| timed.at > length) {
        return Err(value.fault(format!("an action comes later, at {}", text_of(late.at))));
    }
    Ok(length)
}

/// Until some time after the last thing that happens or is looked at.
pub(super) fn needed_length(actions: &[Timed], expected: &[Expected]) -> Result<Duration, Fault> {
    let acts = actions.iter().map(|timed| timed.at);
    let looks = expected.iter().filter_map(|it| looks_until(&it.what));
    // What is looked at from some time on needs some time after it.
    let begins = expected.iter().filter_map(|it| it.what.range()).map(|(from, _)| from);
    let last = acts.chain(looks).chain(begins).max().unwrap_or_default();
    if last > DURATION_MAX {
        let what = format!("the last thing comes at {}: no run takes ten years", text_of(last));
        return Err(Fault { line: 1, what });
    }
    Ok(last + AFTER)
}

/// When an assertion is looked at for the last time, if that is not the end.
fn looks_until(what: &Expectation) -> Option<Duration> {
    let window = what.window().map(|(at, within)| at + within);
    window.or_else(|| what.range().map(|(_, until)| until).filter(|until| *until < end()))
}

/// What holds whatever happens is no assertion.
pub(super) fn check_not_empty(what: &Expectation) -> Result<(), String> {
    match what {
        Expectation::BroadcastsDelivered { share, .. } if *share <= 0.0 => {
            Err("a `share` of nothing is always delivered: it must be more than 0".into())
        }
        _ => match what.range() {
            Some((from, until)) if from >= until => Err(format!(
                "there is no time from {} until {}: `until` must be later than `from`",
                text_of(from),
                text_of(until)
            )),
            _ => Ok(()),
        },
    }
}

fn text_of(span: Duration) -> String {
    humantime::format_duration(span).to_string()
}

/// So long a run goes on after the last thing of note.
const AFTER: Duration = Duration::from_secs(10);
