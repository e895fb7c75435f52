//! `swim-sim list`: what there is, read from the very tables that the parser reads.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use swim_core::{Options, settings::SETTINGS};
use swim_sim::experiment::EXPERIMENTS;
use swim_sim::scenario::verbs::{ACTIONS, ASSERTIONS, Field, LINK, Verb, WHEN, WIRE};

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
        text.push_str(
            "Settings of nodes, in the table [settings] or with --set NAME=VALUE; \
             in the middle what each is in the profile \"lan\"\n",
        );
        let lan = lan();
        for setting in SETTINGS {
            let value = setting.value(&lan).to_string();
            let _ = writeln!(text, "  {:22}{value:12}{}", setting.name, setting.takes.described());
        }
        text.push_str("\nThe network, in the table [network]\n");
        fields(&mut text, LINK);
        text.push_str("\nThe bytes of the cluster, in the table [wire]\n");
        fields(&mut text, WIRE);
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

/// The same for programs: an object with a list for each topic.
pub(crate) fn json(topic: Topic) -> String {
    let lan = lan();
    let settings = SETTINGS.iter().map(|it| {
        let (name, takes, value) = (it.name, it.takes.described(), it.value(&lan).to_string());
        json!({ "name": name, "as": takes, "lan": value })
    });
    let experiments = EXPERIMENTS.iter().map(|it| {
        let (id, title, source, measures) = (it.id, it.title, it.source, it.measures);
        json!({ "id": id, "title": title, "source": source, "measures": measures })
    });
    let all = [
        (Topic::Actions, "when", fields_json(WHEN)),
        (Topic::Actions, "actions", verbs_json(ACTIONS)),
        (Topic::Assertions, "assertions", verbs_json(ASSERTIONS)),
        (Topic::Settings, "settings", settings.collect()),
        (Topic::Settings, "network", fields_json(LINK)),
        (Topic::Settings, "wire", fields_json(WIRE)),
        (Topic::Experiments, "experiments", experiments.collect()),
    ];
    let asked = all.into_iter().filter(|(of, ..)| topic == *of || topic == Topic::All);
    let map: Map<String, Value> = asked.map(|(_, name, list)| (name.to_owned(), list)).collect();
    format!("{:#}\n", Value::Object(map))
}

/// What a scenario begins with unless it says otherwise.
fn lan() -> Options {
    Options::lan("any", swim_sim::addr(0))
}

fn verbs_json(verbs: &[Verb]) -> Value {
    let of =
        |it: &Verb| json!({ "name": it.name, "about": it.about, "fields": fields_json(it.fields) });
    verbs.iter().map(of).collect()
}

fn fields_json(fields: &[Field]) -> Value {
    let of = |it: &Field| {
        let (name, about, example) = (it.name, it.about, it.kind.example());
        json!({ "name": name, "about": about, "as": example, "optional": it.is_optional })
    };
    fields.iter().map(of).collect()
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
