//! The command lines of `explore`, `replay` and `experiment`.

use std::{
    ops::{Range, RangeInclusive},
    path::PathBuf,
    time::Duration,
};

use swim_sim::{
    explore::{Limits, Mask},
    span,
};

use super::{
    failure::Failure,
    output::Output,
    reader::{Grammar, Reader, Token, wrong},
    seeds::Seeds,
};

/// What is explored. `swim-sim help explore` explains each field under its name.
#[derive(Debug)]
pub(crate) struct ExploreArgs {
    pub(crate) seeds: Range<u64>,
    pub(crate) mask: Mask,
    pub(crate) limits: Limits,
    pub(crate) output: Output,
}

/// What is repeated. `swim-sim help replay` explains each field under its name.
#[derive(Debug)]
pub(crate) struct ReplayArgs {
    pub(crate) run: Drawn,
    pub(crate) save: Option<PathBuf>,
    pub(crate) shrink: bool,
    pub(crate) output: Output,
}

/// Where the plan of a run is from.
#[derive(Debug)]
pub(crate) enum Drawn {
    Seed(u64, Mask, Limits),
    File(PathBuf),
}

/// Which experiment. `swim-sim help experiment` explains each field under its name.
#[derive(Debug)]
pub(crate) struct ExperimentArgs {
    pub(crate) id: String,
    pub(crate) full: bool,
    pub(crate) strict: bool,
    pub(crate) seeds: Option<RangeInclusive<u64>>,
    pub(crate) output: Output,
}

/// Reads what follows `explore`; `None` if help was asked for.
pub(crate) fn explore(mut reader: Reader) -> Result<Option<ExploreArgs>, Failure> {
    let (mut seeds, mut mask, mut limits) = (Seeds::default(), Mask::default(), Limits::default());
    let mut output = Output::default();
    while let Some(token) = reader.next()? {
        match flag_of(&reader, token)? {
            flag @ ("seed" | "seeds") => seeds.read(&mut reader, flag)?,
            "help" => return Ok(None),
            flag if output.take(&mut reader, flag)? => {}
            flag => world(&mut reader, flag, &mut mask, &mut limits)?,
        }
    }
    let command = reader.command();
    let limits = checked(command, limits)?;
    Ok(Some(ExploreArgs { seeds: seeds.checked_or(command, 0..256)?, mask, limits, output }))
}

/// Reads what follows `replay`; `None` if help was asked for.
pub(crate) fn replay(mut reader: Reader) -> Result<Option<ReplayArgs>, Failure> {
    let (mut seeds, mut plan, mut save, mut shrink) = (Seeds::default(), None, None, false);
    let (mut mask, mut limits) = (Mask::default(), Limits::default());
    let mut output = Output::default();
    while let Some(token) = reader.next()? {
        match flag_of(&reader, token)? {
            "shrink" => shrink = true,
            flag @ ("seed" | "seeds") => seeds.read(&mut reader, flag)?,
            "plan" => plan = Some(PathBuf::from(reader.value("plan")?)),
            "save" => save = Some(PathBuf::from(reader.value("save")?)),
            "help" => return Ok(None),
            flag if output.take(&mut reader, flag)? => {}
            flag => world(&mut reader, flag, &mut mask, &mut limits)?,
        }
    }
    let command = reader.command();
    let limits = checked(command, limits)?;
    let shows = output.json || output.columns || output.report.is_some() || output.trace.is_some();
    if shrink && shows {
        return Err(wrong(
            command,
            "--shrink prints a plan and nothing else: replay that with --plan",
        ));
    }
    if output.json && output.columns {
        return Err(wrong(command, "--json and --columns can't be given both"));
    }
    // No seed is an empty range here.
    let seeds = seeds.checked_or(command, 0..0)?;
    if seeds.end - seeds.start > 1 {
        return Err(wrong(command, "a replay is of one run: give one --seed, or explore them"));
    }
    let seed = seeds.into_iter().next();
    let run = match (seed, plan) {
        (Some(seed), None) => Drawn::Seed(seed, mask, limits),
        (None, Some(file)) => Drawn::File(file),
        (Some(_), Some(_)) => return Err(wrong(command, "--seed and --plan can't be given both")),
        (None, None) => return Err(wrong(command, "say which run: --seed N or --plan FILE")),
    };
    Ok(Some(ReplayArgs { run, save, shrink, output }))
}

/// Reads what follows `experiment`; `None` if help was asked for.
pub(crate) fn experiment(mut reader: Reader) -> Result<Option<ExperimentArgs>, Failure> {
    let (mut id, mut seeds) = (None, Seeds::default());
    let (mut full, mut strict, mut has_seeds) = (false, false, false);
    let mut output = Output::default();
    while let Some(token) = reader.next()? {
        match token {
            Token::Word(word) if id.is_none() => id = Some(word.to_string_lossy().into_owned()),
            Token::Word(word) => {
                return Err(wrong(reader.command(), format!("{word:?} is a word too many")));
            }
            Token::Flag("full") => full = true,
            Token::Flag("strict") => strict = true,
            Token::Flag(flag @ ("seed" | "seeds")) => {
                seeds.read(&mut reader, flag)?;
                has_seeds = true;
            }
            Token::Flag(flag) if output.take(&mut reader, flag)? => {}
            Token::Flag(_) => return Ok(None),
        }
    }
    let command = reader.command();
    let Some(id) = id else {
        return Err(wrong(command, "say which; `swim-sim list experiments` names them"));
    };
    let seeds = seeds.checked(command)?;
    let seeds = has_seeds.then(|| seeds.start..=seeds.end - 1);
    Ok(Some(ExperimentArgs { id, full, strict, seeds, output }))
}

fn flag_of(reader: &Reader, token: Token) -> Result<&'static str, Failure> {
    match token {
        Token::Flag(flag) => Ok(flag),
        Token::Word(word) => Err(wrong(reader.command(), format!("{word:?} is a word too many"))),
    }
}

/// What decides a run beside its seed.
fn world(
    reader: &mut Reader,
    flag: &str,
    mask: &mut Mask,
    limits: &mut Limits,
) -> Result<(), Failure> {
    match flag {
        "mask" => *mask = reader.parsed(flag)?,
        "nodes-min" => limits.nodes_min = reader.read(flag, nodes)?,
        "nodes-max" => limits.nodes_max = reader.read(flag, nodes)?,
        _ => limits.chaos_max = reader.read(flag, chaos)?,
    }
    Ok(())
}

fn checked(command: &Grammar, limits: Limits) -> Result<Limits, Failure> {
    let Limits { nodes_min, nodes_max, .. } = limits;
    if nodes_min > nodes_max {
        let what = format!("--nodes-min {nodes_min} is above --nodes-max {nodes_max}");
        return Err(wrong(command, what));
    }
    Ok(limits)
}

fn nodes(text: &str) -> Result<usize, String> {
    let nodes = text.parse().ok().filter(|nodes| (1..=NODES_MAX).contains(nodes));
    nodes.ok_or_else(|| format!("expected 1 to {NODES_MAX}"))
}

fn chaos(text: &str) -> Result<Duration, String> {
    let span = span::parse(text)?;
    let least = Duration::from_secs(1);
    if span < least { Err("expected a second or more".into()) } else { Ok(span) }
}

/// Everybody is checked against everybody after every step: more of them take hours.
const NODES_MAX: usize = 256;
