//! Who has no key changes nothing, whatever comes over the streams that he opens.

use crate::step::{Moment, Step};

use super::{checker::Checker, forgeries::is_flawed, refusals::told};

/// X2, X4, X12 and X18 for streams: what is noise, or not sealed, or sealed with a former key, or
/// was recorded, changes nothing, in whatever pieces it comes, and nothing is told of it but that
/// it is refused. That it takes only so much is M1's.
#[derive(Debug, Default)]
pub struct Strangers {
    looks: u64,
}

impl Checker for Strangers {
    fn id(&self) -> &'static str {
        "X2-streams"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        let Moment::Stream { flaw: Some(flaw) } = *step.moment else { return Ok(()) };
        let Some(then) = step.before.filter(|then| !step.after.is_woken_since(then)) else {
            return Ok(());
        };
        if !is_flawed(step.node, flaw) {
            return Ok(());
        }
        self.looks += 1;
        let (after, changes) = (step.after, step.transitions);
        if !after.is_like_but_for_streams(then) || !changes.is_empty() {
            return Err(format!(
                "X2: a stream with {flaw:?} changed {then:?} to {after:?}, {changes:?}"
            ));
        }
        match told(step, then) {
            Some(event) => Err(format!("X2: a stream with {flaw:?} is told of as {event:?}")),
            None => Ok(()),
        }
    }

    fn looks(&self) -> u64 {
        self.looks
    }
}
