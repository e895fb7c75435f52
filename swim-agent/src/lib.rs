//! `swim`: cluster membership from the command line. A library only so that what the program reads
//! can be given to a fuzzer: see [`untrusted`].

use std::{
    env,
    io::{self, Write},
    process::ExitCode,
};

use crate::{args::Invocation, failure::Failure};

mod agent;
mod args;
mod change;
mod clock;
mod control;
mod decode;
mod detail;
mod failure;
mod help;
mod join;
mod keys;
mod line;
mod log;
mod pace;
mod panics;
mod printer;
mod reader;
mod report;
mod seed;
mod signals;
mod sink;
mod start;
mod text;
pub mod untrusted;

/// Runs what the command line of this process asks for; its exit status.
#[must_use]
pub fn main() -> ExitCode {
    let result = match args::parse(env::args_os().skip(1)) {
        Ok(Invocation::Agent(args)) => agent::run(*args),
        Ok(Invocation::Decode(args)) => decode::run(&args),
        Ok(Invocation::Keygen { bits }) => keygen(bits),
        Ok(Invocation::Print(text)) => print(text),
        Err(failure) => Err(failure),
    };
    result.unwrap_or_else(|failure| {
        // Not `eprintln`, which panics when nobody reads.
        let _ = writeln!(io::stderr(), "swim: {failure}");
        ExitCode::from(failure.status())
    })
}

fn keygen(bits: usize) -> Result<ExitCode, Failure> {
    let key = keys::generate(bits)?;
    print(&format!("{}\n", key.to_base64()))
}

fn print(text: &str) -> Result<ExitCode, Failure> {
    let mut stdout = io::stdout();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // Whoever closes the pipe has read enough, as `head` does.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::Runtime(format!("cannot print: {error}")))
        }
        Ok(()) | Err(_) => Ok(ExitCode::SUCCESS),
    }
}
