//! `swim-sim run`: a scenario, with one seed or many.

use std::{
    fs::{self, File},
    io::BufWriter,
    path::Path,
    process::ExitCode,
    time::Duration,
};

use swim_sim::{
    Trace, World, check, report,
    scenario::{Outcome, Scenario},
};

use super::{
    args::RunArgs,
    failure::Failure,
    output::{print, write_file},
    parallel,
    progress::Progress,
};

/// Runs a scenario and says what came of it.
pub(crate) fn run(args: &RunArgs) -> Result<ExitCode, Failure> {
    let scenario = read(args)?;
    let again = again(args);
    let seeds: Vec<u64> = args.seeds.clone().collect();
    let outcomes = match &args.output.trace {
        Some(path) => vec![traced(&scenario, args.seeds.start, path)?],
        None => all(&scenario, &seeds),
    };
    let is_passed = outcomes.iter().all(Outcome::is_passed);
    let shown = outcomes.iter().find(|outcome| !outcome.is_passed()).or(outcomes.first());
    if let (Some(path), Some(outcome)) = (&args.output.report, shown) {
        write_file(path, &report::html(outcome, &scenario.about, &again))?;
    }
    if args.output.json {
        print(&format!("{:#}\n", report::json(&scenario, &outcomes, &again)))?;
    } else {
        if let (true, Some(outcome)) = (args.output.columns, shown) {
            let most = report::COLUMNS_MAX;
            let columns = report::columns(&outcome.record).ok_or_else(|| {
                let hosts = outcome.record.hosts;
                Failure::Usage(format!("--columns has room for {most} nodes, not for {hosts}"))
            })?;
            print(&columns)?;
        }
        print(&report::text(&scenario, &outcomes, &again))?;
    }
    Ok(if is_passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read(args: &RunArgs) -> Result<Scenario, Failure> {
    let path = args.file.display();
    let text = fs::read_to_string(&args.file)
        .map_err(|error| Failure::Usage(format!("cannot read {path}: {error}")))?;
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
        let mut prepare = |world: &mut World| watch(world, Trace::new());
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
    let failed = |error: &dyn std::fmt::Display| {
        Failure::Runtime(format!("cannot write {}: {error}", path.display()))
    };
    let file = File::create(path).map_err(|error| failed(&error))?;
    let mut file = Some(BufWriter::new(file));
    let mut prepare = |world: &mut World| {
        watch(world, file.take().map_or_else(Trace::new, |file| Trace::to(Box::new(file))));
    };
    let outcome = scenario.run(seed, &mut prepare, &mut |_| {});
    match &outcome.trace_error {
        Some(error) => Err(failed(error)),
        None => Ok(outcome),
    }
}

/// Who looks at a world while it runs, in every run of the program.
fn watch(world: &mut World, trace: Trace) {
    world.trace = Some(trace);
    if world.hosts().len() <= CHECKED_MAX {
        check::all().into_iter().for_each(|checker| world.watch(checker));
    }
}

/// Checkers look at whole tables whenever one changes: in larger worlds that takes too long.
const CHECKED_MAX: usize = 64;
