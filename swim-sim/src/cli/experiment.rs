//! `swim-sim experiment`: what the papers measured, measured again.

use std::{
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use swim_sim::{
    experiment::{
        EXPERIMENTS, find,
        plan::{Plan, Scale, Watch},
        sheet::sheet,
        table,
    },
    near,
};

use super::{
    exploring::ExperimentArgs,
    failure::Failure,
    output::{again, print},
    progress::Progress,
};

/// Runs an experiment and prints what came of it.
pub(crate) fn experiment(args: &ExperimentArgs) -> Result<ExitCode, Failure> {
    let Some(experiment) = find(&args.id) else {
        let hint = near::hint(&args.id, EXPERIMENTS.iter().map(|experiment| experiment.id));
        let what = format!("there is no experiment {:?}{hint}", args.id);
        return Err(Failure::Usage(format!("{what}; see `swim-sim list experiments`")));
    };
    args.output.check(None, &[])?;
    let plan = Plan {
        // Whoever says which repetitions wants all cells of them.
        scale: if args.full || args.seeds.is_some() { Scale::Full } else { Scale::Quick },
        seeds: args.seeds.clone(),
        threads: thread::available_parallelism().map_or(1, usize::from),
        watch: Some(watch()),
    };
    let outcome = (experiment.run)(&plan);
    args.output.write(|| sheet(experiment, &outcome, &again()).html(), || table::runs(&outcome))?;
    if args.output.json {
        print(&(table::json(&outcome) + "\n"))?;
    } else {
        print(&format!("{}: {}\n{}\n\n", experiment.id, experiment.title, experiment.source))?;
        print(&table::table(&outcome))?;
    }
    // Missed bars and bands are findings, and the run is what was asked for, unless they were to
    // stop somebody.
    let stops = args.strict && !(outcome.is_faithful() && outcome.meets_bars());
    Ok(if stops { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Shows how far each batch of runs is.
fn watch() -> Watch {
    let batch: Mutex<Option<(Progress, usize)>> = Mutex::new(None);
    Watch(Arc::new(move |_, all| {
        let mut batch = batch.lock().unwrap_or_else(PoisonError::into_inner);
        let (progress, left) = batch.get_or_insert_with(|| (Progress::of_runs(all), all));
        progress.add(1);
        *left -= 1;
        if *left == 0 {
            progress.finish();
            *batch = None;
        }
    }))
}
