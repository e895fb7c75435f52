//! The program: what it was asked to do is read in `args`, and done in the file of that name.

use std::{ffi::OsString, process::ExitCode};

use args::Invocation;
use failure::Failure;
use output::print;

mod args;
mod clock;
mod experiment;
mod explore;
mod exploring;
mod failure;
mod files;
mod help;
mod list;
mod output;
mod parallel;
mod progress;
mod reader;
mod run;
mod seeds;
mod tune;

/// Does what these arguments ask for.
pub(crate) fn main(args: impl IntoIterator<Item = OsString>) -> Result<ExitCode, Failure> {
    match args::parse(args)? {
        Invocation::Run(args) => run::run(&args),
        Invocation::Tune(args) => tune::tune(&args),
        Invocation::Explore(args) => explore::explore(&args),
        Invocation::Replay(args) => explore::replay(&args),
        Invocation::Experiment(args) => experiment::experiment(&args),
        Invocation::List(topic, json) => {
            let text = if json { list::json(topic) } else { list::list(topic) };
            print(&text).map(|()| ExitCode::SUCCESS)
        }
        Invocation::Print(text) => print(text).map(|()| ExitCode::SUCCESS),
    }
}
