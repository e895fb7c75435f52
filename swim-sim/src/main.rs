//! `swim-sim`: clusters in virtual time, from the command line.

use std::{
    env,
    io::{self, Write},
    process::ExitCode,
};

mod cli;

fn main() -> ExitCode {
    match cli::main(env::args_os().skip(1)) {
        Ok(code) => code,
        Err(failure) => {
            // Not `eprintln`, which panics when nobody reads.
            let _ = writeln!(io::stderr(), "swim-sim: {failure}");
            ExitCode::from(failure.status())
        }
    }
}
