//! The settings of nodes that a file or a command line may change, under the names that they have
//! in [`Options`]: one table, so that simulations and real nodes are set up alike.

use alloc::{format, string::String};
use core::{fmt, time::Duration};

use crate::config::Options;

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
    get: fn(&Options) -> Given,
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

impl Setting {
    /// The setting of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.name == name)
    }

    /// Reads a value as text. `span` reads a span of time: how people write one is not said here.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn read(
        &'static self,
        value: &str,
        span: impl FnOnce(&str) -> Result<Duration, String>,
    ) -> Result<Assignment, String> {
        let wrong = || format!("{}: {value:?} is not {}", self.name, self.takes.described());
        let to = match self.takes {
            Takes::SpanOrNever if value == "never" => Given::Never,
            Takes::Span | Takes::SpanOrNever => Given::Span(span(value)?),
            Takes::Count => Given::Count(value.parse().map_err(|_| wrong())?),
            Takes::Flag => Given::Flag(value.parse().map_err(|_| wrong())?),
        };
        Ok(Assignment { setting: self, to })
    }

    /// What it is in these options.
    #[must_use]
    pub fn value(&self, options: &Options) -> Given {
        (self.get)(options)
    }
}

impl fmt::Display for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.setting.name, self.to)
    }
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Span(span) if span.is_zero() => f.write_str("0s"),
            Self::Span(span) => write!(f, "{span:?}"),
            Self::Never => f.write_str("never"),
            Self::Count(count) => write!(f, "{count}"),
            Self::Flag(flag) => write!(f, "{flag}"),
        }
    }
}

impl Takes {
    /// What a value must be, for people.
    #[must_use]
    pub const fn described(self) -> &'static str {
        match self {
            Self::Span => "a span of time (e.g. 200ms)",
            Self::SpanOrNever => "a span of time (e.g. 200ms) or never",
            Self::Count => "a whole number (e.g. 3)",
            Self::Flag => "true or false",
        }
    }
}

macro_rules! settings {
    ($($name:ident: $kind:ident,)*) => { &[$(settings!(@ $name $kind)),*] };
    (@ $name:ident span) => {
        settings!(
            # $name Span,
            |options, to| if let Given::Span(to) = to { options.$name = to; },
            |options| Given::Span(options.$name)
        )
    };
    (@ $name:ident span_or_never) => {
        settings!(
            # $name SpanOrNever,
            |options, to| {
                options.$name = if let Given::Span(to) = to { Some(to) } else { None };
            },
            |options| options.$name.map_or(Given::Never, Given::Span)
        )
    };
    (@ $name:ident size) => {
        settings!(
            # $name Count,
            |options, to| if let Given::Count(to) = to {
                options.$name = usize::try_from(to).unwrap_or(usize::MAX);
            },
            |options| Given::Count(options.$name as u64)
        )
    };
    (@ $name:ident number) => {
        settings!(
            # $name Count,
            |options, to| if let Given::Count(to) = to {
                options.$name = u32::try_from(to).unwrap_or(u32::MAX);
            },
            |options| Given::Count(u64::from(options.$name))
        )
    };
    (@ $name:ident flag) => {
        settings!(
            # $name Flag,
            |options, to| if let Given::Flag(to) = to { options.$name = to; },
            |options| Given::Flag(options.$name)
        )
    };
    (# $name:ident $takes:ident, $set:expr, $get:expr) => {
        Setting { name: stringify!($name), takes: Takes::$takes, set: $set, get: $get }
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
    fn every_setting_can_be_set_and_read() {
        let span = |text: &str| match text {
            "2s" => Ok(Duration::from_secs(2)),
            _ => Err(String::from("no span")),
        };
        let read = |name: &str, value| Setting::named(name).unwrap().read(value, span);
        let mut options = Options::lan("a", ([127, 0, 0, 1], 1).into());
        for (name, value) in [
            ("gossip_nodes", "7"),
            ("probe_interval", "2s"),
            ("repair", "false"),
            ("reclaim_after", "never"),
        ] {
            let assignment = read(name, value).unwrap();
            assert_ne!(assignment.setting.value(&options), assignment.to);
            assignment.apply(&mut options);
            assert_eq!(assignment.setting.value(&options), assignment.to);
        }
        assert_eq!((options.gossip_nodes, options.repair), (7, false));
        assert_eq!(options.probe_interval, Duration::from_secs(2));
        assert_eq!(options.reclaim_after, None);
        let error = read("gossip_nodes", "x").unwrap_err();
        assert_eq!(error, "gossip_nodes: \"x\" is not a whole number (e.g. 3)");
        assert_eq!(read("probe_interval", "never").unwrap_err(), "no span");
        assert!(Setting::named("gossip_node").is_none());
    }
}
