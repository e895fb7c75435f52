//! From a TOML file to a scenario.

use std::{fmt::Write as _, time::Duration};

use serde_json::{Map, Value as Json, json};
use swim_core::Profile;
use toml::de::DeTable;

use crate::{
    action::{Action, LinkChange, Timed},
    belief::Belief,
    near,
    network::HostId,
};

use super::{
    expect::Expectation,
    fields::{Fault, Table, Value, line_of},
    hosts::{self, HOSTS_MAX},
    length::{check_length, check_not_empty, needed_length},
    plan::{Beginning, Expected, Scenario},
    settings,
    verbs::{ACTIONS, ASSERTIONS, Field, Kind, LINK, RESTART, Verb, WIRE},
    wire::{self, Wire},
};

impl Scenario {
    /// Reads the text of a file.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, with its line.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        read(text)
    }
}

/// Reads a scenario.
fn read(text: &str) -> Result<Scenario, Fault> {
    let parsed = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        Fault { line, what: error.message().to_owned() }
    })?;
    let mut table = Table::new(text, parsed.get_ref());
    let title = table.take("title").map_or(Ok("scenario"), |it| it.text())?.to_owned();
    let about = table.take("about").map_or(Ok(""), |it| it.text())?.trim().to_owned();
    let nodes = nodes(&mut table)?;
    let begin = table.take("begin").map_or(Ok(Beginning::Acquainted), beginning)?;
    let profile = table.take("profile").map_or(Ok(Profile::Lan), profile)?;
    let (settings, settings_line) = match table.take("settings") {
        Some(value) => (settings::read(value.table("`settings`")?)?, value.line),
        None => (Vec::new(), 1),
    };
    let wire = match table.take("wire") {
        Some(value) => wire(&value)?,
        None => Wire::default(),
    };
    let network = match table.take("network") {
        Some(value) => network(value.table("`network`")?)?,
        None => LinkChange::default(),
    };
    let mut reader = Reader { nodes, named: Vec::new() };
    let mut actions = Vec::new();
    for value in table.take("do").map_or_else(Vec::new, |it| it.each()) {
        actions.extend(reader.actions(value.table("an action")?)?);
        if actions.len() > ACTIONS_MAX {
            return Err(value.fault(format!("these are more than {ACTIONS_MAX} actions in all")));
        }
    }
    // What is written first is done first when the times are equal.
    actions.sort_by_key(|timed| timed.at);
    let mut expected = Vec::new();
    for value in table.take("expect").map_or_else(Vec::new, |it| it.each()) {
        expected.push(reader.expectation(value.table("an assertion")?)?);
    }
    let length = table.take("length");
    let length = match length {
        Some(value) => check_length(value, &actions, &expected)?,
        None => needed_length(&actions, &expected)?,
    };
    table.end()?;
    let scenario = Scenario {
        title,
        about,
        nodes,
        begin,
        profile,
        settings,
        wire,
        network,
        actions,
        expected,
        length,
    };
    reader.check_hosts(&scenario)?;
    let what = scenario.check_settings();
    what.map_err(|what| Fault { line: settings_line, what: format!("settings: {what}") })?;
    Ok(scenario)
}

fn nodes(table: &mut Table<'_>) -> Result<usize, Fault> {
    let value = table.need("nodes")?;
    let nodes = value.count()? as usize;
    if nodes == 0 || nodes > HOSTS_MAX {
        return Err(value.fault(format!("a cluster has 1 to {HOSTS_MAX} nodes, not {nodes}")));
    }
    Ok(nodes)
}

fn beginning(value: Value<'_>) -> Result<Beginning, Fault> {
    match value.text()? {
        "acquainted" => Ok(Beginning::Acquainted),
        "cold" => Ok(Beginning::Cold),
        "empty" => Ok(Beginning::Empty),
        other => Err(value.fault(format!(
            "{other:?} is no beginning: acquainted (all know each other), cold (all start at once \
             and join) or empty (nothing runs)"
        ))),
    }
}

fn profile(value: Value<'_>) -> Result<Profile, Fault> {
    value.text()?.parse().map_err(|error| value.fault(error))
}

fn wire(value: &Value<'_>) -> Result<Wire, Fault> {
    let mut table = value.table("`wire`")?;
    let map = fields(&mut table, WIRE, 0)?;
    table.end()?;
    let wire = Wire::of(&map);
    wire.check().map_err(|what| value.fault(what))?;
    Ok(wire)
}

fn network(mut table: Table<'_>) -> Result<LinkChange, Fault> {
    let map = fields(&mut table, LINK, 0)?;
    table.end()?;
    Ok(from_json(map))
}

struct Reader {
    nodes: usize,
    /// Hosts that were named, each with its line.
    named: Vec<(HostId, usize)>,
}

impl Reader {
    /// One table under `do`: one action or several.
    fn actions(&mut self, mut table: Table<'_>) -> Result<Vec<Timed>, Fault> {
        let line = table.line();
        let verb = verb(table.need("do")?, "action", ACTIONS)?;
        table.is_called(format!("`{}`", verb.name));
        let at = table.need("at")?.span()?;
        let every = table.take("every").map(|it| it.span()).transpose()?;
        let times =
            table.take("times").map(|it| it.count().map(|times| (it, times))).transpose()?;
        let spread = table.take("spread").map_or(Ok(Duration::ZERO), |it| it.span())?;
        let times = match (every, times) {
            (Some(_), None) => {
                let what = format!("`{}` with `every` needs `times`", verb.name);
                return Err(Fault { line, what });
            }
            (_, Some((value, times))) if times == 0 || times > REPEATS_MAX => {
                return Err(value.fault(format!("must be 1 to {REPEATS_MAX}")));
            }
            (_, times) => times.map_or(1, |(_, times)| times),
        };
        let map = fields(&mut table, verb.fields, self.nodes)?;
        table.end()?;
        let hosts = map.get("host").map_or(1, |host| list(host).len());
        if hosts.saturating_mul(times as usize) > ACTIONS_MAX {
            let what = format!("`{}` is done more than {ACTIONS_MAX} times", verb.name);
            return Err(Fault { line, what });
        }
        let mut timed = Vec::new();
        for nth in 0..times as u32 {
            let at = at + every.unwrap_or_default() * nth;
            self.one(verb, &map, at, spread, &mut timed);
        }
        self.named.extend(timed.iter().flat_map(|it| hosts_of(&it.action)).map(|it| (it, line)));
        Ok(timed)
    }

    /// An action at one time, on each of its hosts.
    fn one(
        &self,
        verb: &Verb,
        map: &Map<String, Json>,
        at: Duration,
        spread: Duration,
        timed: &mut Vec<Timed>,
    ) {
        let each = verb.fields.iter().any(|field| field.kind == Kind::EachHost);
        let hosts = if each { list(&map["host"]) } else { vec![0] };
        for (nth, host) in (0..).zip(hosts) {
            let at = at + spread * nth;
            let mut map = map.clone();
            if each {
                map.insert("host".into(), json!(host));
            }
            let takes_seeds = verb.fields.iter().any(|field| field.name == "seeds");
            if takes_seeds {
                let seeds = map.get("seeds").map_or_else(|| vec![0, 1, 2], list);
                let usable = |seed: &HostId| *seed != host && *seed < HOSTS_MAX;
                let seeds: Vec<_> = seeds.into_iter().filter(usable).collect();
                map.insert("seeds".into(), json!(seeds));
            }
            if verb.name == RESTART {
                let down = map.remove("down");
                let down = down.map_or(Duration::from_secs(1), |it| from_text(&it));
                timed.push(Timed { at, action: Action::Crash { host } });
                map.insert("do".into(), json!("start"));
                timed.push(Timed { at: at + down, action: from_json(map) });
            } else {
                map.insert("do".into(), json!(verb.name));
                timed.push(Timed { at, action: from_json(map) });
            }
        }
    }

    /// One table under `expect`.
    fn expectation(&mut self, mut table: Table<'_>) -> Result<Expected, Fault> {
        let line = table.line();
        let verb = verb(table.need("that")?, "assertion", ASSERTIONS)?;
        table.is_called(format!("`{}`", verb.name));
        let mut map = fields(&mut table, verb.fields, self.nodes)?;
        table.end()?;
        map.insert("that".into(), json!(verb.name));
        let what: Expectation = from_json(map);
        check_not_empty(&what).map_err(|what| Fault { line, what })?;
        self.named.extend(what.hosts().into_iter().map(|host| (host, line)));
        Ok(Expected { line, what })
    }

    /// Every host that is named exists from the beginning or is started.
    fn check_hosts(&self, scenario: &Scenario) -> Result<(), Fault> {
        let starts = |host: HostId| {
            scenario.actions.iter().any(|timed| match &timed.action {
                Action::Start { host: started, .. } => *started == host,
                _ => false,
            })
        };
        let unknown = self.named.iter().find(|(host, _)| *host >= self.nodes && !starts(*host));
        let Some((host, line)) = unknown else { return Ok(()) };
        let mut what = format!("there is no host {host}: hosts are 0 to {}", self.nodes - 1);
        let _ = write!(what, "; a further one needs an action `start`");
        Err(Fault { line: *line, what })
    }
}

/// The action or assertion of that name.
fn verb(value: Value<'_>, what: &str, known: &'static [Verb]) -> Result<&'static Verb, Fault> {
    let name = value.text()?;
    known.iter().find(|verb| verb.name == name).ok_or_else(|| {
        let names = || known.iter().map(|verb| verb.name);
        let (hint, list) = (near::hint(name, names()), near::list(names()));
        value.fault(format!("there is no {what} `{name}`{hint}; there are {list}"))
    })
}

/// The values of these fields, in the form that serde reads.
fn fields(
    table: &mut Table<'_>,
    fields: &'static [Field],
    nodes: usize,
) -> Result<Map<String, Json>, Fault> {
    let mut map = Map::new();
    for field in fields {
        let value = if field.is_optional {
            let Some(value) = table.take(field.name) else { continue };
            value
        } else {
            table.need(field.name)?
        };
        map.insert(field.name.into(), json_of(value, field.kind, nodes)?);
    }
    Ok(map)
}

fn json_of(value: Value<'_>, kind: Kind, nodes: usize) -> Result<Json, Fault> {
    let span = |value: Value<'_>| value.span().map(text_of);
    Ok(match kind {
        Kind::EachHost | Kind::Hosts => json!(hosts::read(value, nodes)?),
        Kind::Host => json!(hosts::read_one(value)?),
        Kind::Groups => {
            let groups = value.each().into_iter().map(|group| hosts::read(group, nodes));
            json!(groups.collect::<Result<Vec<_>, _>>()?)
        }
        Kind::Span => json!(span(value)?),
        Kind::Spans if !value.is_list() => json!([span(value)?, span(value)?]),
        Kind::Spans => match value.each()[..] {
            [least, most] if least.span()? <= most.span()? => json!([span(least)?, span(most)?]),
            _ => return Err(value.fault("write the shortest and the longest: [\"5ms\", \"20ms\"]")),
        },
        Kind::Share => json!(value.share()?),
        Kind::Count => json!(value.count()?),
        Kind::Whole => {
            let number = value.whole()?;
            if number.abs() > DRIFT_MAX {
                return Err(value.fault(format!("must be -{DRIFT_MAX} to {DRIFT_MAX}")));
            }
            json!(number)
        }
        Kind::Rate => json!(rate(value)?),
        Kind::Flag => json!(value.flag()?),
        Kind::Text => json!(value.text()?),
        Kind::Dialect => {
            let name = value.text()?;
            wire::dialect(name).map_err(|what| value.fault(what))?;
            json!(name)
        }
        Kind::Belief => {
            let text = value.text()?;
            if !Belief::NAMES.contains(&text) {
                let names = near::list(Belief::NAMES.into_iter());
                return Err(value.fault(format!("{text:?} is not one of {names}")));
            }
            json!(text)
        }
    })
}

/// Bytes a second: `2000`, `"2 KB/s"`, `"2 KiB/s"`.
fn rate(value: Value<'_>) -> Result<u64, Fault> {
    let Some(text) = value.as_text() else { return value.count() };
    let number = text.trim_end_matches("/s").trim();
    let units = [("KiB", 1024.0), ("MiB", 1_048_576.0), ("KB", 1e3), ("MB", 1e6), ("B", 1.0)];
    let unit = units.iter().find_map(|(unit, by)| Some((number.strip_suffix(unit)?, by)));
    let parsed = unit.and_then(|(number, by)| Some(number.trim().parse::<f64>().ok()? * by));
    let rate = parsed.filter(|rate| (0.0..1e15).contains(rate)).map(|rate| rate as u64);
    rate.ok_or_else(|| value.fault(format!("{text:?} is no rate: write \"2 KB/s\" or 2000")))
}

/// The hosts that an action names.
fn hosts_of(action: &Action) -> Vec<HostId> {
    match serde_json::to_value(action) {
        Ok(Json::Object(map)) => {
            let keys = ["host", "subject", "seeds", "from", "to", "groups"];
            keys.iter().filter_map(|key| map.get(*key)).flat_map(list).collect()
        }
        _ => Vec::new(),
    }
}

fn list(json: &Json) -> Vec<HostId> {
    match json {
        Json::Array(values) => values.iter().flat_map(list).collect(),
        other => other.as_u64().map(|host| host as HostId).into_iter().collect(),
    }
}

fn text_of(span: Duration) -> String {
    humantime::format_duration(span).to_string()
}

fn from_text(json: &Json) -> Duration {
    let span = json.as_str().and_then(|text| humantime::parse_duration(text).ok());
    span.expect("a span that was read and written again")
}

/// A test holds the table of fields against what serde reads.
fn from_json<T: serde::de::DeserializeOwned>(map: Map<String, Json>) -> T {
    serde_json::from_value(Json::Object(map)).expect("the table of fields says what serde reads")
}

/// More than this is a loop for a program.
const REPEATS_MAX: u64 = 100_000;

/// More than this is a run that never ends.
const ACTIONS_MAX: usize = 1_000_000;

/// A clock that is wrong by half stands for every broken one.
const DRIFT_MAX: i64 = 500_000;
