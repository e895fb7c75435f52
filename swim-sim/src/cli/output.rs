//! Where results go: stdout and files.

use std::{
    env,
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::{failure::Failure, files, reader::Reader};

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

    /// Makes sure, before anything runs, that the files can be written, and that none of them is
    /// another one, or one that is read. `more` are further files, each with its flag.
    pub(crate) fn check(&self, read: Option<&Path>, more: &[(&str, &Path)]) -> Result<(), Failure> {
        let own = [("report", self.report.as_deref()), ("trace", self.trace.as_deref())];
        let own = own.into_iter().filter_map(|(flag, path)| Some((flag, path?)));
        let mut checked: Vec<(&str, &Path)> = Vec::new();
        for (flag, path) in own.chain(more.iter().copied()) {
            let shown = path.display();
            if read.is_some_and(|read| files::is_same(read, path)) {
                let what =
                    format!("--{flag} would write over {shown}, which is read: name another");
                return Err(Failure::Usage(what));
            }
            if let Some((other, _)) = checked.iter().find(|(_, it)| files::is_same(it, path)) {
                let what = format!("--{other} and --{flag} can't both write {shown}");
                return Err(Failure::Usage(what));
            }
            files::check(flag, path)?;
            checked.push((flag, path));
        }
        Ok(())
    }

    /// Writes what belongs into files, each part made only if it was asked for.
    pub(crate) fn write(
        &self,
        report: impl FnOnce() -> String,
        trace: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        if let Some(path) = &self.report {
            files::write(path, &report())?;
        }
        if let Some(path) = &self.trace {
            files::write(path, &trace())?;
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
