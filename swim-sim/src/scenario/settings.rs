//! The settings of nodes that a scenario or a command line may change, under the names that they
//! have in [`Options`].

use std::{fmt, time::Duration};

use swim_core::Options;

use crate::{near, span};

use super::fields::{Fault, Table};

/// A setting and its value.
#[derive(Clone, Copy, Debug)]
pub struct Assignment {
    /// Which.
    pub setting: &'static Setting,
    /// To what.
    pub to: Given,
}

/// One field of [`Options`].
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub takes: Takes,
    set: fn(&mut Options, Given),
}

/// What a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// A span of time.
    Span,
    /// A span of time, or `never`.
    SpanOrNever,
    /// A whole number.
    Count,
    /// `true` or `false`.
    Flag,
}

/// A value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// A span of time.
    Span(Duration),
    /// No time at all.
    Never,
    /// A whole number.
    Count(u64),
    /// Yes or no.
    Flag(bool),
}

impl Assignment {
    /// Changes the options.
    pub fn apply(&self, options: &mut Options) {
        (self.setting.set)(options, self.to);
    }
}

impl fmt::Display for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = ", self.setting.name)?;
        match self.to {
            Given::Span(span) => write!(f, "{}", humantime::format_duration(span)),
            Given::Never => f.write_str("never"),
            Given::Count(count) => write!(f, "{count}"),
            Given::Flag(flag) => write!(f, "{flag}"),
        }
    }
}

impl Takes {
    /// What a value looks like, for people.
    #[must_use]
    pub const fn example(self) -> &'static str {
        match self {
            Self::Span => "\"200ms\"",
            Self::SpanOrNever => "\"200ms\" or \"never\"",
            Self::Count => "3",
            Self::Flag => "true or false",
        }
    }
}

/// Reads a table of settings.
pub(crate) fn read(mut table: Table<'_>) -> Result<Vec<Assignment>, Fault> {
    let mut assignments = Vec::new();
    for setting in SETTINGS {
        let Some(value) = table.take(setting.name) else { continue };
        let to = match setting.takes {
            Takes::Span => Given::Span(value.span()?),
            Takes::SpanOrNever if value.as_text() == Some("never") => Given::Never,
            Takes::SpanOrNever => Given::Span(value.span()?),
            Takes::Count => Given::Count(value.count()?),
            Takes::Flag => Given::Flag(value.flag()?),
        };
        assignments.push(Assignment { setting, to });
    }
    table.end()?;
    Ok(assignments)
}

/// Reads `name=value`, as on a command line.
///
/// # Errors
///
/// What is wrong with it.
pub fn parse(text: &str) -> Result<Assignment, String> {
    let Some((name, value)) = text.split_once('=') else {
        return Err(format!("{text:?} sets nothing: write gossip_nodes=4"));
    };
    let (name, value) = (name.trim(), value.trim());
    let Some(setting) = SETTINGS.iter().find(|setting| setting.name == name) else {
        let hint = near::hint(name, SETTINGS.iter().map(|setting| setting.name));
        return Err(format!("there is no setting {name:?}{hint}; see `swim-sim list settings`"));
    };
    let wrong = || format!("{name}: {value:?} is not {}", setting.takes.example());
    let to = match setting.takes {
        Takes::SpanOrNever if value == "never" => Given::Never,
        Takes::Span | Takes::SpanOrNever => Given::Span(span::parse(value)?),
        Takes::Count => Given::Count(value.parse().map_err(|_| wrong())?),
        Takes::Flag => Given::Flag(value.parse().map_err(|_| wrong())?),
    };
    Ok(Assignment { setting, to })
}

macro_rules! settings {
    ($($name:ident: $kind:ident,)*) => { &[$(settings!(@ $name $kind)),*] };
    (@ $name:ident span) => {
        settings!(# $name Span, |options, to| if let Given::Span(to) = to { options.$name = to; })
    };
    (@ $name:ident span_or_never) => {
        settings!(# $name SpanOrNever, |options, to| {
            options.$name = if let Given::Span(to) = to { Some(to) } else { None };
        })
    };
    (@ $name:ident size) => {
        settings!(# $name Count, |options, to| if let Given::Count(to) = to {
            options.$name = usize::try_from(to).unwrap_or(usize::MAX);
        })
    };
    (@ $name:ident number) => {
        settings!(# $name Count, |options, to| if let Given::Count(to) = to {
            options.$name = u32::try_from(to).unwrap_or(u32::MAX);
        })
    };
    (@ $name:ident flag) => {
        settings!(# $name Flag, |options, to| if let Given::Flag(to) = to { options.$name = to; })
    };
    (# $name:ident $takes:ident, $set:expr) => {
        Setting { name: stringify!($name), takes: Takes::$takes, set: $set }
    };
}

/// Every setting that can be changed. The rest of [`Options`] is who a node is, or needs code.
pub const SETTINGS: &[Setting] = settings! {
    probe_interval: span,
    probe_timeout: span,
    indirect_probes: size,
    stream_pings: flag,
    health_max: number,
    suspicion_mult: number,
    suspicion_max_mult: number,
    gossip_interval: span,
    gossip_nodes: size,
    gossip_to_dead: span,
    retransmit_mult: number,
    push_pull_interval: span,
    repair: flag,
    reap_after: span,
    reclaim_after: span_or_never,
    reconnect_interval: span,
    remember_for: span,
    stream_timeout: span,
    packet_len_max: size,
    members_max: size,
    streams_max: size,
    streams_per_addr_max: size,
    state_len_max: size,
    message_len_max: size,
    broadcast_lifetime: span,
    report_probes: flag,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_from_a_command_line() {
        let mut options = Options::lan("a", ([127, 0, 0, 1], 1).into());
        for text in ["gossip_nodes=7", "probe_interval = 2s", "repair=false", "reclaim_after=never"]
        {
            parse(text).unwrap().apply(&mut options);
        }
        assert_eq!((options.gossip_nodes, options.repair), (7, false));
        assert_eq!(options.probe_interval, Duration::from_secs(2));
        assert_eq!(options.reclaim_after, None);
        let cases = [
            ("gossip_node=7", "did you mean `gossip_nodes`?"),
            ("gossip_nodes=x", "\"x\" is not 3"),
            ("gossip_nodes", "sets nothing"),
            ("probe_interval=1", "write 200ms"),
        ];
        for (text, expected) in cases {
            let error = parse(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
