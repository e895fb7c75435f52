//! `swim-sim list`: what there is, read from the very tables that the parser reads.

use std::fmt::Write as _;

use swim_core::settings::SETTINGS;
use swim_sim::experiment::EXPERIMENTS;
use swim_sim::scenario::verbs::{ACTIONS, ASSERTIONS, Field, LINK, Verb, WHEN};

/// What is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    All,
    Actions,
    Assertions,
    Settings,
    Experiments,
}

impl Topic {
    pub(crate) const NAMES: [(&'static str, Self); 4] = [
        ("actions", Self::Actions),
        ("assertions", Self::Assertions),
        ("settings", Self::Settings),
        ("experiments", Self::Experiments),
    ];
}

/// What there is of a topic.
pub(crate) fn list(topic: Topic) -> String {
    let mut text = String::new();
    let is_asked = |it: Topic| topic == it || topic == Topic::All;
    if is_asked(Topic::Actions) {
        text.push_str("Actions, each in a table [[do]] with these keys\n");
        fields(&mut text, WHEN);
        text.push_str("\nand `do`, which is one of\n");
        verbs(&mut text, ACTIONS);
        text.push('\n');
    }
    if is_asked(Topic::Assertions) {
        text.push_str("Assertions, each in a table [[expect]] with `that`, which is one of\n");
        verbs(&mut text, ASSERTIONS);
        text.push('\n');
    }
    if is_asked(Topic::Settings) {
        text.push_str("Settings of nodes, in the table [settings] or with --set NAME=VALUE\n");
        for setting in SETTINGS {
            let _ = writeln!(text, "  {:22}{}", setting.name, setting.takes.example());
        }
        text.push_str("\nThe network, in the table [network]\n");
        fields(&mut text, LINK);
        text.push('\n');
    }
    if is_asked(Topic::Experiments) {
        text.push_str("Experiments of the papers\n");
        for experiment in EXPERIMENTS {
            let _ = writeln!(text, "  {:6}{}", experiment.id, experiment.title);
        }
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn verbs(text: &mut String, verbs: &[Verb]) {
    for verb in verbs {
        let _ = writeln!(text, "\n  {}: {}", verb.name, verb.about);
        fields(text, verb.fields);
    }
}

fn fields(text: &mut String, fields: &[Field]) {
    for field in fields {
        let sign = if field.is_optional { "(may be left out)" } else { "" };
        let line =
            format!("    {:17} {} {sign}, as {}", field.name, field.about, field.kind.example());
        let _ = writeln!(text, "{}", line.replace(" ,", ","));
    }
}
