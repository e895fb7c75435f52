//! Where results go: stdout and files.

use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::{failure::Failure, reader::Reader};

/// Where results go, as every command that has results lets one choose.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pub(crate) json: bool,
    pub(crate) columns: bool,
    pub(crate) report: Option<PathBuf>,
    pub(crate) trace: Option<PathBuf>,
}

impl Output {
    /// Takes a flag that is about output; returns whether it is.
    pub(crate) fn take(&mut self, reader: &mut Reader, flag: &str) -> Result<bool, Failure> {
        match flag {
            "json" => self.json = true,
            "columns" => self.columns = true,
            "report" => self.report = Some(reader.value(flag)?.into()),
            "trace" => self.trace = Some(reader.value(flag)?.into()),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Writes what belongs into files, each part made only if it was asked for.
    pub(crate) fn write(
        &self,
        report: impl FnOnce() -> String,
        trace: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        if let Some(path) = &self.report {
            write_file(path, &report())?;
        }
        if let Some(path) = &self.trace {
            write_file(path, &trace())?;
        }
        Ok(())
    }
}

/// The command line of this process, to be given again.
pub(crate) fn again() -> String {
    let words = env::args().skip(1).map(|word| {
        let is_plain = |it: char| it.is_ascii_alphanumeric() || "-_./=,:".contains(it);
        if word.chars().all(is_plain) { word } else { format!("'{}'", word.replace('\'', "'\\''")) }
    });
    words.fold("swim-sim".to_owned(), |line, word| line + " " + &word)
}

/// Prints to stdout.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
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
pub(crate) fn write_file(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text)
        .map_err(|error| Failure::Runtime(format!("cannot write {}: {error}", path.display())))
}
