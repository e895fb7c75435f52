//! `swim`: cluster membership from the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    swim_agent::main()
}
