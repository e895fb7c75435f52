//! A setting changed on the command line: `NAME=VALUE`, with the names that the library has.

use std::{str::FromStr, time::Duration};

use swim_tokio::{
    Options,
    settings::{Assignment, SETTINGS, Setting},
};

/// What a profile has otherwise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change(Assignment);

impl Change {
    /// Changes the options.
    pub(crate) fn apply(&self, options: &mut Options) {
        self.0.apply(options);
    }
}

impl FromStr for Change {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or("write NAME=VALUE, as reap_after=1h")?;
        let (name, value) = (name.trim(), value.trim());
        let known = || SETTINGS.iter().map(|setting| setting.name).collect::<Vec<_>>().join(", ");
        let setting = Setting::named(name)
            .ok_or_else(|| format!("there is no such setting; there are {}", known()))?;
        setting.read(value, span).map(Self)
    }
}

impl PartialEq for Change {
    fn eq(&self, other: &Self) -> bool {
        (self.0.setting.name, self.0.to) == (other.0.setting.name, other.0.to)
    }
}

impl Eq for Change {}

/// A number and its unit.
fn span(text: &str) -> Result<Duration, String> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let millis = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, millis)| *millis);
    let span = number
        .parse::<u64>()
        .ok()
        .zip(millis)
        .and_then(|(number, millis)| number.checked_mul(millis).map(Duration::from_millis));
    let span = span.ok_or("write a span of time as 200ms, 5s, 2m or 1h")?;
    if span > swim_tokio::DURATION_MAX {
        return Err("that is longer than ten years".into());
    }
    Ok(span)
}

const UNITS: [(&str, u64); 4] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_read() {
        let mut options = Options::lan("a", ([127, 0, 0, 1], 1).into());
        for text in ["reap_after=90s", "reclaim_after = never", "gossip_nodes=5", "repair=false"] {
            text.parse::<Change>().unwrap().apply(&mut options);
        }
        assert_eq!(options.reap_after, Duration::from_secs(90));
        assert_eq!((options.reclaim_after, options.gossip_nodes), (None, 5));
        assert!(!options.repair);
    }

    #[test]
    fn mistakes_are_named() {
        let cases = [
            ("reap_after", "write NAME=VALUE"),
            ("reap=1s", "there are probe_interval, "),
            ("reap_after=5", "200ms, 5s"),
            ("reap_after=s", "200ms, 5s"),
            ("reap_after=99999999999999999999s", "200ms, 5s"),
            ("reap_after=999999h", "ten years"),
            ("gossip_nodes=-1", "is not a whole number"),
        ];
        for (text, expected) in cases {
            let error = text.parse::<Change>().unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
