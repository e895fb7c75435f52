//! What the program reads that others may have written. Whatever it is, it is taken or refused with
//! a reason; a fuzzer asks for that here. (X13, X19, X20)

use std::ffi::OsString;

use swim_tokio::{Dialect, Keyring};

use crate::{args, control, decode, keys};

/// The keys of a keyring file.
///
/// # Errors
///
/// What is wrong with it, quoting nothing of it.
pub fn keyring_file(text: &str) -> Result<Keyring, String> {
    keys::parse(text)
}

/// Whether a command line without the program's name is one.
///
/// # Errors
///
/// What is wrong with it.
pub fn command_line(args: impl IntoIterator<Item = OsString>) -> Result<(), String> {
    args::parse(args).map(|_| ()).map_err(|failure| failure.to_string())
}

/// Which of the commands on standard input are some, and what is wrong with the others.
pub fn commands(input: &[u8]) -> impl Iterator<Item = Result<(), String>> {
    control::commands(input).map(|command| command.map(|_| ()))
}

/// The lines that `swim decode` prints of a capture; none if `file` is no pcap file.
///
/// # Errors
///
/// What to do with a capture that can't be read here.
pub fn capture(file: &[u8], dialect: Dialect) -> Result<Option<Vec<u8>>, String> {
    decode::lines_of(file, dialect)
}
