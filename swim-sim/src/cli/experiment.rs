//! `swim-sim experiment`: what the papers measured, measured again.

use std::{process::ExitCode, thread};

use swim_sim::{
    experiment::{
        EXPERIMENTS, find,
        plan::{Plan, Scale},
        sheet::sheet,
        table,
    },
    near,
};

use super::{
    exploring::ExperimentArgs,
    failure::Failure,
    output::{again, print},
};

/// Runs an experiment and prints what came of it.
pub(crate) fn experiment(args: &ExperimentArgs) -> Result<ExitCode, Failure> {
    let Some(experiment) = find(&args.id) else {
        let hint = near::hint(&args.id, EXPERIMENTS.iter().map(|experiment| experiment.id));
        let what = format!("there is no experiment {:?}{hint}", args.id);
        return Err(Failure::Usage(format!("{what}; see `swim-sim list experiments`")));
    };
    let plan = Plan {
        scale: if args.full { Scale::Full } else { Scale::Quick },
        seeds: args.seeds.clone(),
        threads: thread::available_parallelism().map_or(1, usize::from),
    };
    let outcome = (experiment.run)(&plan);
    args.output.write(|| sheet(experiment, &outcome, &again()).html(), || table::runs(&outcome))?;
    if args.output.json {
        print(&(table::json(&outcome) + "\n"))?;
    } else {
        print(&format!("{}: {}\n{}\n\n", experiment.id, experiment.title, experiment.source))?;
        print(&table::table(&outcome))?;
    }
    Ok(if outcome.is_faithful() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
