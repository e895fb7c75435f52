//! The command line: what `swim-sim` was asked to do.

use std::{ffi::OsString, ops::Range, path::PathBuf, time::Duration};

use swim_core::{Dialect, Profile};
use swim_sim::{
    network::{Latency, Link},
    scenario::{Assignment, Wire, parse_share, settings, wire},
    span,
    tune::{Goal, Question},
};

use super::{
    exploring::{self, ExperimentArgs, ExploreArgs, ReplayArgs},
    failure::Failure,
    help,
    list::Topic,
    output::Output,
    reader::{Grammar, Reader, Token, unknown, wrong},
    seeds::Seeds,
};

/// What was asked for.
#[derive(Debug)]
pub(crate) enum Invocation {
    /// Run a scenario.
    Run(RunArgs),
    /// Measure settings.
    Tune(Box<TuneArgs>),
    /// Draw faults at random.
    Explore(ExploreArgs),
    /// Repeat a run that was drawn.
    Replay(Box<ReplayArgs>),
    /// Run a published experiment.
    Experiment(ExperimentArgs),
    /// Say what there is, to people or to programs.
    List(Topic, bool),
    /// Print this text.
    Print(&'static str),
}

/// How a scenario is run. `swim-sim help run` explains each field under its name.
#[derive(Debug)]
pub(crate) struct RunArgs {
    pub(crate) file: PathBuf,
    pub(crate) seeds: Range<u64>,
    pub(crate) settings: Vec<Assignment>,
    pub(crate) output: Output,
}

/// What is measured. `swim-sim help tune` explains each field under its name.
#[derive(Debug)]
pub(crate) struct TuneArgs {
    pub(crate) question: Question,
    pub(crate) gossip_intervals: Vec<Duration>,
    pub(crate) gossip_nodes: Vec<usize>,
    /// That of the preset if empty.
    pub(crate) probe_intervals: Vec<Duration>,
    pub(crate) seeds: Range<u64>,
    pub(crate) goal: (&'static str, Goal),
    pub(crate) output: Output,
}

impl From<ExploreArgs> for Invocation {
    fn from(args: ExploreArgs) -> Self {
        Self::Explore(args)
    }
}

impl From<ReplayArgs> for Invocation {
    fn from(args: ReplayArgs) -> Self {
        Self::Replay(Box::new(args))
    }
}

impl From<ExperimentArgs> for Invocation {
    fn from(args: ExperimentArgs) -> Self {
        Self::Experiment(args)
    }
}

/// What was asked for, or else the help of the command.
fn or_help<T: Into<Invocation>>(text: &'static str) -> impl Fn(Option<T>) -> Invocation {
    move |args| args.map_or(Invocation::Print(text), Into::into)
}

/// Reads the arguments of the process, its own name left out.
///
/// # Errors
///
/// [`Failure::Usage`] says what can't be understood, and what comes close to it.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Invocation, Failure> {
    let mut reader = Reader::new(args, &SWIM_SIM);
    match reader.next()? {
        Some(Token::Word(word)) => match &*word.to_string_lossy() {
            "run" => run(reader.of(&RUN)),
            "tune" => tune(reader.of(&TUNE)),
            "explore" => exploring::explore(reader.of(&EXPLORE)).map(or_help(help::EXPLORE)),
            "replay" => exploring::replay(reader.of(&REPLAY)).map(or_help(help::REPLAY)),
            "experiment" => {
                exploring::experiment(reader.of(&EXPERIMENT)).map(or_help(help::EXPERIMENT))
            }
            "list" => list(reader.of(&LIST)),
            "help" => help(reader.of(&HELP)),
            other => Err(unknown(&SWIM_SIM, "command", other, &COMMANDS)),
        },
        Some(Token::Flag("version")) => Ok(Invocation::Print(VERSION)),
        Some(Token::Flag(_)) => Ok(Invocation::Print(help::SWIM_SIM)),
        None => Err(wrong(
            &SWIM_SIM,
            "say what to do: run, tune, explore, replay, experiment, list or help",
        )),
    }
}

fn run(mut reader: Reader) -> Result<Invocation, Failure> {
    let (mut file, mut seeds, mut settings) = (None, Seeds::default(), Vec::new());
    let mut output = Output::default();
    while let Some(token) = reader.next()? {
        match token {
            Token::Word(word) if file.is_none() => file = Some(PathBuf::from(word)),
            Token::Word(word) => return Err(wrong(&RUN, format!("{word:?} is a word too many"))),
            Token::Flag("set") => settings.push(reader.read("set", settings::parse)?),
            Token::Flag(flag @ ("seed" | "seeds")) => seeds.read(&mut reader, flag)?,
            Token::Flag(flag) if output.take(&mut reader, flag)? => {}
            Token::Flag(_) => return Ok(Invocation::Print(help::RUN)),
        }
    }
    let Some(file) = file else { return Err(wrong(&RUN, "say which scenario: a TOML file")) };
    let seeds = seeds.checked(&RUN)?;
    if seeds.end - seeds.start > 1 && output.trace.is_some() {
        return Err(wrong(&RUN, "--trace is of one run: give one --seed"));
    }
    if seeds.end - seeds.start > 1 && output.columns {
        return Err(wrong(&RUN, "--columns is of one run: give one --seed"));
    }
    if output.json && output.columns {
        return Err(wrong(&RUN, "--json and --columns can't be given both"));
    }
    Ok(Invocation::Run(RunArgs { file, seeds, settings, output }))
}

fn tune(mut reader: Reader) -> Result<Invocation, Failure> {
    let mut seeds = Seeds::default();
    let (mut latency, mut loss, mut broadcasts) = (None, 0.0, None);
    let mut args = TuneArgs::default();
    while let Some(token) = reader.next()? {
        let flag = match token {
            Token::Word(word) => return Err(wrong(&TUNE, format!("{word:?} is a word too many"))),
            Token::Flag(flag) => flag,
        };
        match flag {
            "nodes" => args.question.nodes = reader.read(flag, nodes)?,
            "latency" => latency = Some(reader.read(flag, span::parse)?),
            "loss" => loss = reader.read(flag, share)?,
            "profile" => args.question.profile = reader.chosen(flag, &PROFILES)?,
            "set" => args.question.settings.push(reader.read(flag, settings::parse)?),
            "dialect" => args.question.wire.dialect = reader.read(flag, wire::dialect)?,
            "encrypted" => args.question.wire.is_encrypted = true,
            "label" => args.question.wire.label = reader.text(flag)?,
            "broadcasts" => broadcasts = Some(reader.read(flag, broadcasts_of)?),
            "gossip-intervals" => args.gossip_intervals = reader.read(flag, spans)?,
            "gossip-nodes" => args.gossip_nodes = reader.read(flag, counts)?,
            "probe-intervals" => args.probe_intervals = reader.read(flag, spans)?,
            "goal" => args.goal = reader.chosen(flag, &GOALS)?,
            "seed" | "seeds" => seeds.read(&mut reader, flag)?,
            flag if args.output.take(&mut reader, flag)? => {}
            _ => return Ok(Invocation::Print(help::TUNE)),
        }
    }
    // As in a real network, some packets take longer than others.
    let latency = latency.map_or(Latency::LAN, |it| Latency::Uniform(it * 4 / 5, it * 6 / 5));
    args.question.link = Link { latency, loss, ..Link::LAN };
    args.seeds = seeds.checked_or(&TUNE, 0..10)?;
    // In memberlist's dialect nobody passes on a broadcast, so that it is no measure of anything.
    let usual = u32::from(args.question.wire.dialect == Dialect::Native);
    args.question.broadcasts = broadcasts.unwrap_or(usual);
    Ok(Invocation::Tune(Box::new(args)))
}

fn list(mut reader: Reader) -> Result<Invocation, Failure> {
    let (mut topic, mut json) = (Topic::All, false);
    while let Some(token) = reader.next()? {
        match token {
            Token::Word(word) => {
                let word = word.to_string_lossy();
                let found = Topic::NAMES.iter().find(|(name, _)| *name == word);
                let names: Vec<_> = Topic::NAMES.iter().map(|(name, _)| *name).collect();
                topic = found.ok_or_else(|| unknown(&LIST, "topic", &word, &names))?.1;
            }
            Token::Flag("json") => json = true,
            Token::Flag(_) => return Ok(Invocation::Print(help::LIST)),
        }
    }
    Ok(Invocation::List(topic, json))
}

fn help(mut reader: Reader) -> Result<Invocation, Failure> {
    let about = match reader.next()? {
        Some(Token::Word(word)) => match &*word.to_string_lossy() {
            "run" => help::RUN,
            "tune" => help::TUNE,
            "explore" => help::EXPLORE,
            "replay" => help::REPLAY,
            "experiment" => help::EXPERIMENT,
            "list" => help::LIST,
            "help" => help::SWIM_SIM,
            other => return Err(unknown(&HELP, "command", other, &COMMANDS)),
        },
        Some(Token::Flag(_)) | None => help::SWIM_SIM,
    };
    Ok(Invocation::Print(about))
}

fn nodes(text: &str) -> Result<usize, String> {
    let nodes = text.parse().ok().filter(|nodes| (2..=NODES_MAX).contains(nodes));
    nodes.ok_or_else(|| format!("expected 2 to {NODES_MAX}"))
}

fn broadcasts_of(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| *number <= BROADCASTS_MAX);
    number.ok_or_else(|| format!("expected 0 to {BROADCASTS_MAX} a second"))
}

fn share(text: &str) -> Result<f64, String> {
    let share = parse_share(text).filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "expected a share such as 1% or 0.01".into())
}

fn spans(text: &str) -> Result<Vec<Duration>, String> {
    text.split(',').map(|part| span::parse(part.trim())).collect()
}

fn counts(text: &str) -> Result<Vec<usize>, String> {
    let count = |part: &str| part.trim().parse().map_err(|_| "expected 2,3,4".to_owned());
    text.split(',').map(count).collect()
}

impl Default for TuneArgs {
    fn default() -> Self {
        let question = Question {
            nodes: 50,
            link: Link::LAN,
            profile: Profile::Lan,
            settings: Vec::new(),
            wire: Wire::default(),
            broadcasts: 1,
        };
        Self {
            question,
            gossip_intervals: [100, 200, 500].map(Duration::from_millis).to_vec(),
            gossip_nodes: vec![2, 3, 5],
            probe_intervals: Vec::new(),
            seeds: 0..10,
            goal: GOALS[2].1,
            output: Output::default(),
        }
    }
}

/// More than that takes hours.
const NODES_MAX: usize = 5_000;

/// More than that is not what broadcasts are for.
const BROADCASTS_MAX: u32 = 1_000;

const PROFILES: [(&str, Profile); 3] =
    [("lan", Profile::Lan), ("wan", Profile::Wan), ("local", Profile::Local)];
const GOALS: [(&str, (&str, Goal)); 3] = [
    ("fast", ("fast", Goal::Fast)),
    ("quiet", ("quiet", Goal::Quiet)),
    ("balanced", ("balanced", Goal::Balanced)),
];

const SWIM_SIM: Grammar = Grammar { name: "swim-sim", flags: &["help", "version"] };
const HELP: Grammar = Grammar { name: "swim-sim help", flags: &["help"] };
const LIST: Grammar = Grammar { name: "swim-sim list", flags: &["json", "help"] };
const RUN: Grammar = Grammar {
    name: "swim-sim run",
    flags: &["seed", "seeds", "set", "json", "columns", "report", "trace", "help"],
};
const TUNE: Grammar = Grammar {
    name: "swim-sim tune",
    flags: &[
        "nodes",
        "latency",
        "loss",
        "profile",
        "set",
        "dialect",
        "encrypted",
        "label",
        "broadcasts",
        "gossip-intervals",
        "gossip-nodes",
        "probe-intervals",
        "goal",
        "seed",
        "seeds",
        "json",
        "report",
        "trace",
        "help",
    ],
};
const EXPLORE: Grammar = Grammar {
    name: "swim-sim explore",
    flags: &[
        "seed",
        "seeds",
        "mask",
        "nodes-min",
        "nodes-max",
        "chaos-max",
        "json",
        "report",
        "trace",
        "help",
    ],
};
const REPLAY: Grammar = Grammar {
    name: "swim-sim replay",
    flags: &[
        "seed",
        "seeds",
        "mask",
        "nodes-min",
        "nodes-max",
        "chaos-max",
        "plan",
        "save",
        "shrink",
        "json",
        "columns",
        "report",
        "trace",
        "help",
    ],
};
const EXPERIMENT: Grammar = Grammar {
    name: "swim-sim experiment",
    flags: &["full", "strict", "seed", "seeds", "json", "report", "trace", "help"],
};
const COMMANDS: [&str; 7] = ["run", "tune", "explore", "replay", "experiment", "list", "help"];
const VERSION: &str = concat!("swim-sim ", env!("CARGO_PKG_VERSION"), "\n");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_is_explained() {
        for (grammar, text) in [
            (SWIM_SIM, help::SWIM_SIM),
            (RUN, help::RUN),
            (TUNE, help::TUNE),
            (EXPLORE, help::EXPLORE),
            (REPLAY, help::REPLAY),
            (EXPERIMENT, help::EXPERIMENT),
            (LIST, help::LIST),
            (HELP, help::SWIM_SIM),
        ] {
            let words: Vec<_> = text.split_whitespace().collect();
            for flag in grammar.flags {
                let shown = format!("--{flag}");
                assert!(words.contains(&&*shown), "{}: {shown}", grammar.name);
            }
            assert!(text.contains("Examples:"), "{}", grammar.name);
            assert!(text.lines().all(|line| line.chars().count() <= 100), "{}", grammar.name);
        }
        for command in COMMANDS {
            assert!(help::SWIM_SIM.contains(&format!("\n  {command} ")), "{command}");
        }
    }
}
