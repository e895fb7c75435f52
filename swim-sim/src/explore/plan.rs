//! What is to happen in one run, as data: drawn from a seed, written to a file, made smaller.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    action::{Action, LinkChange, Span, Timed},
    chance::{Chance, Purpose},
    network::HostId,
    span,
};

use super::{
    class::{Class, Mask},
    faults,
    limits::Limits,
    settings::Settings,
};

/// One run: its settings, and everything that is done to the world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Plan {
    /// What it is kept for, if it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// The seed all luck of the world comes from.
    pub seed: u64,
    /// How long things go wrong; then everything is mended.
    #[serde(with = "span")]
    pub chaos: Duration,
    /// How the run goes on afterwards.
    pub mode: Mode,
    /// The kinds of faults that take part, for the record.
    #[serde(default)]
    pub classes: Vec<String>,
    /// The time in which all must agree once everything is mended, if it is to be less than what
    /// the settings allow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agree_within: Option<Span>,
    /// The settings.
    pub settings: Settings,
    /// What is done, in order of time. Starts are part of it.
    #[serde(default)]
    pub actions: Vec<Timed>,
    /// What goes wrong on those that don't belong to the core, for ever, once all else is mended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lasting: Vec<Timed>,
}

/// What a run consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Mode {
    /// Everything goes wrong, then nothing: all must agree.
    Calm,
    /// Nothing goes wrong at all, but for what applications do.
    Pure,
    /// Settings are sensible, and no more goes wrong than happens on any network: nobody may be
    /// failed. (L3)
    Mild,
    /// Everything goes wrong, then only on some nodes, for ever: the others must agree.
    Frozen {
        /// The hosts below this number must agree.
        core: usize,
    },
}

impl Plan {
    /// The plan of a seed. Kinds that the mask hides are drawn and left out, so that nothing else
    /// changes. (D4)
    #[must_use]
    pub fn draw(seed: u64, mask: Mask, limits: &Limits) -> Self {
        let mut settings = Settings::draw(seed, mask, limits);
        let chance = &mut Chance::of(seed, Purpose::Faults, 0);
        let most = limits.chaos_max.max(MILLISECOND * 1_000);
        let chaos = most / 6 + chance.span(most * 5 / 6);
        let mode = match chance.below(10) {
            0 => Mode::Pure,
            3 => Mode::Mild,
            1 | 2 if settings.size >= 3 => {
                let sick = 1 + chance.below(settings.size as u64 / 3) as usize;
                Mode::Frozen { core: settings.size - sick }
            }
            _ => Mode::Calm,
        };
        let mut actions = starts(seed, &settings);
        if mode == Mode::Mild {
            settings.make_sensible();
            actions.push(everyday(seed, &settings));
        }
        // What must hold among the sick is asked in full of settings that bear them. (L6)
        let is_for_the_sick = Chance::of(seed, Purpose::Faults, BEARING).hits(0.5);
        if matches!(mode, Mode::Frozen { .. }) && is_for_the_sick {
            settings.make_sensible();
        }
        let mut classes = Vec::new();
        for &class in Class::ALL {
            let chance = &mut Chance::of(seed, Purpose::Faults, 1 + class as u64);
            let drawn = faults::draw(class, chance, &settings, chaos);
            let is_off = mask.hides(class)
                || (mode.is_peaceful() && !faults::is_work(class))
                || (class == Class::Flips && settings.takes_changed_packets());
            if !is_off && (!drawn.is_empty() || settings.takes_part(class)) {
                classes.push(class.name().to_owned());
                actions.extend(drawn);
            }
        }
        actions.sort_by_key(|timed| timed.at);
        let lasting = match mode {
            Mode::Frozen { core } => faults::lasting(seed, mask, core..settings.size),
            Mode::Calm | Mode::Pure | Mode::Mild => Vec::new(),
        };
        let (about, agree_within) = (String::new(), None);
        Self { about, seed, chaos, mode, classes, agree_within, settings, actions, lasting }
    }

    /// Reads a plan from TOML.
    ///
    /// # Errors
    ///
    /// What is wrong with the text, and where.
    pub fn from_toml(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    /// The plan as JSON, which [`Plan::from_json`] reads.
    ///
    /// # Panics
    ///
    /// Never: a plan has nothing that JSON can't say.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a plan can be written as JSON")
    }

    /// Reads a plan from JSON.
    ///
    /// # Errors
    ///
    /// What is wrong with the text, and where.
    pub fn from_json(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// The hosts that belong to the core: all of the cluster, unless some are to stay sick.
    #[must_use]
    pub const fn core(&self) -> usize {
        match self.mode {
            Mode::Frozen { core } => core,
            Mode::Calm | Mode::Pure | Mode::Mild => self.settings.size,
        }
    }
}

impl Mode {
    /// Its name, as in a plan.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Pure => "pure",
            Self::Mild => "mild",
            Self::Frozen { .. } => "frozen",
        }
    }

    /// Whether nothing goes wrong that anybody would be failed for.
    #[must_use]
    pub const fn is_peaceful(self) -> bool {
        matches!(self, Self::Pure | Self::Mild)
    }
}

/// Invariants, L3: up to 5 % of the packets are lost, and they take up to a quarter of the probe
/// interval.
fn everyday(seed: u64, settings: &Settings) -> Timed {
    let chance = &mut Chance::of(seed, Purpose::Faults, EVERYDAY);
    let most = chance.span(settings.probe_interval / 4);
    let change = LinkChange {
        loss: Some(chance.below(51) as f64 / 1_000.0),
        latency: Some((Span(most / 4), Span(most))),
        ..LinkChange::default()
    };
    Timed { at: Duration::ZERO, action: Action::Links { change } }
}

/// Every node starts within the first seconds and asks one or two that started before.
fn starts(seed: u64, settings: &Settings) -> Vec<Timed> {
    let start = |host: HostId| {
        // A stream of its own, so that another node more changes nobody's. (D4)
        let chance = &mut Chance::of(seed, Purpose::Workload, host as u64);
        let at = if host == 0 { Duration::ZERO } else { chance.span(MILLISECOND * 3_000) };
        let seeds = match host {
            0 => Vec::new(),
            _ => vec![0, chance.below(host as u64) as HostId],
        };
        Timed { at, action: Action::Start { host, seeds, forgetful: false } }
    };
    (0..settings.size).map(start).collect()
}

/// The stream of luck of what goes wrong on any network; those below are the kinds'.
const EVERYDAY: u64 = 1 << 32;

/// The stream of luck of whether settings are made for the sick.
const BEARING: u64 = (1 << 32) + 1;

const MILLISECOND: Duration = Duration::from_millis(1);
