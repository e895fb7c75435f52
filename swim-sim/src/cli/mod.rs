//! The program: what it was asked to do is read in `args`, and done in the file of that name.

use std::{
    ffi::OsString,
    fs,
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use args::Invocation;
use failure::Failure;

mod args;
mod clock;
mod failure;
mod help;
mod list;
mod parallel;
mod progress;
mod reader;
mod run;
mod tune;

/// Does what these arguments ask for.
pub(crate) fn main(args: impl IntoIterator<Item = OsString>) -> Result<ExitCode, Failure> {
    match args::parse(args)? {
        Invocation::Run(args) => run::run(&args),
        Invocation::Tune(args) => tune::tune(&args),
        Invocation::List(topic) => print(&list::list(topic)).map(|()| ExitCode::SUCCESS),
        Invocation::Print(text) => print(text).map(|()| ExitCode::SUCCESS),
    }
}

/// Prints to stdout.
fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // Whoever closes the pipe has read enough, as `head` does.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::Runtime(format!("cannot print: {error}")))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes a file, whole or not at all as far as that is in our hands.
fn write_file(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text)
        .map_err(|error| Failure::Runtime(format!("cannot write {}: {error}", path.display())))
}
