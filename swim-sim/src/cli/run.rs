//! `swim-sim run`: a scenario, with one seed or many.

use std::{path::Path, process::ExitCode, time::Duration};

use swim_core::Dialect;
use swim_sim::{
    Trace, World, check, report,
    scenario::{Outcome, Scenario},
};

use super::{
    args::RunArgs,
    failure::Failure,
    files::{self, Part},
    output::print,
    parallel,
    progress::Progress,
};

/// Runs a scenario and says what came of it.
pub(crate) fn run(args: &RunArgs) -> Result<ExitCode, Failure> {
    let scenario = read(args)?;
    args.output.check(Some(&args.file), &[])?;
    if args.output.columns && scenario.nodes > report::COLUMNS_MAX {
        return Err(no_columns(scenario.nodes));
    }
    let again = again(args);
    let seeds: Vec<u64> = args.seeds.clone().collect();
    let outcomes = match &args.output.trace {
        Some(path) => vec![traced(&scenario, args.seeds.start, path)?],
        None => all(&scenario, &seeds),
    };
    let is_passed = outcomes.iter().all(Outcome::is_passed);
    let shown = outcomes.iter().find(|outcome| !outcome.is_passed()).or(outcomes.first());
    if let (Some(path), Some(outcome)) = (&args.output.report, shown) {
        files::write(path, &report::html(outcome, &scenario.about, &again))?;
    }
    if args.output.json {
        let mut report = report::json(&scenario, &outcomes, &again);
        report["checked_after_every_step"] = is_checked(&scenario).into();
        print(&format!("{report:#}\n"))?;
    } else {
        if let (true, Some(outcome)) = (args.output.columns, shown) {
            let columns = report::columns(&outcome.record);
            print(&columns.ok_or_else(|| no_columns(outcome.record.hosts))?)?;
        }
        print(&report::text(&scenario, &outcomes, &again))?;
        if !is_checked(&scenario) {
            let most = CHECKED_MAX;
            print(&format!("More than {most} nodes: only what is expected was checked.\n"))?;
        } else if scenario.wire.dialect != Dialect::Native {
            print("The reference model was not asked: it knows the native dialect only.\n")?;
        }
    }
    Ok(if is_passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read(args: &RunArgs) -> Result<Scenario, Failure> {
    let path = args.file.display();
    let text = files::read(&args.file)?;
    let mut scenario = Scenario::parse(&text)
        .map_err(|fault| Failure::Usage(format!("{path}:{}: {}", fault.line, fault.what)))?;
    scenario.settings.extend(&args.settings);
    scenario.check_settings().map_err(|what| Failure::Usage(format!("--set: {what}")))?;
    Ok(scenario)
}

/// The command that does the same again, but for the seed.
fn again(args: &RunArgs) -> String {
    let file = args.file.display();
    let settings = args.settings.iter().map(|it| format!(" --set '{it}'").replace(" = ", "="));
    format!("swim-sim run {file}{}", settings.collect::<String>())
}

fn all(scenario: &Scenario, seeds: &[u64]) -> Vec<Outcome> {
    let progress = Progress::of_time(seeds.len(), scenario.length);
    let outcomes = parallel::map(seeds, |seed| {
        let mut prepare = |world: &mut World| watch(world, scenario, Trace::new());
        let mut before = Duration::ZERO;
        scenario.run(*seed, &mut prepare, &mut |now| {
            progress.add_time(now.saturating_sub(before));
            before = now;
        })
    });
    progress.finish();
    outcomes
}

fn traced(scenario: &Scenario, seed: u64, path: &Path) -> Result<Outcome, Failure> {
    let (part, writer) = Part::create(path)?;
    let mut writer = Some(writer);
    let mut prepare = |world: &mut World| {
        let trace = writer.take().map_or_else(Trace::new, |file| Trace::to(Box::new(file)));
        watch(world, scenario, trace);
    };
    let progress = Progress::of_time(1, scenario.length);
    let mut before = Duration::ZERO;
    let outcome = scenario.run(seed, &mut prepare, &mut |now| {
        progress.add_time(now.saturating_sub(before));
        before = now;
    });
    progress.finish();
    part.finish()?;
    Ok(outcome)
}

/// What to say when there are too many nodes for columns.
pub(super) fn no_columns(nodes: usize) -> Failure {
    let most = report::COLUMNS_MAX;
    Failure::Usage(format!("--columns has room for {most} nodes, not for {nodes}"))
}

/// Who looks at a world while it runs, in every run of the program.
fn watch(world: &mut World, scenario: &Scenario, trace: Trace) {
    world.trace = Some(trace);
    if is_checked(scenario) {
        check::for_world(scenario.nodes, scenario.wire.dialect)
            .into_iter()
            .for_each(|checker| world.watch(checker));
    }
}

/// Whether all that must always hold is looked at after every step.
fn is_checked(scenario: &Scenario) -> bool {
    scenario.nodes <= CHECKED_MAX
}

/// Checkers look at whole tables whenever one changes: in larger worlds that takes too long.
const CHECKED_MAX: usize = 64;
