//! Reads flags and their values, and says what is wrong with them.

use std::{ffi::OsString, fmt::Display, str::FromStr};

use lexopt::{
    Arg::{Long, Short, Value},
    Parser,
};
use swim_sim::near;

use super::failure::Failure;

/// A command and the flags it knows.
pub(crate) struct Grammar {
    pub(crate) name: &'static str,
    pub(crate) flags: &'static [&'static str],
}

/// Reads the rest of a command line.
pub(crate) struct Reader {
    parser: Parser,
    command: &'static Grammar,
    given: Vec<&'static str>,
}

pub(crate) enum Token {
    /// A flag that the command knows, without dashes.
    Flag(&'static str),
    /// Anything else.
    Word(OsString),
}

impl Reader {
    pub(crate) fn new(args: impl IntoIterator<Item = OsString>, command: &'static Grammar) -> Self {
        Self { parser: Parser::from_args(args), command, given: Vec::new() }
    }

    /// The same for the rest of the line, which belongs to `command`.
    pub(crate) fn of(self, command: &'static Grammar) -> Self {
        Self { command, ..self }
    }

    /// The command whose flags are read.
    pub(crate) const fn command(&self) -> &'static Grammar {
        self.command
    }

    pub(crate) fn next(&mut self) -> Result<Option<Token>, Failure> {
        let written = match self.parser.next().map_err(|error| wrong(self.command, error))? {
            None => return Ok(None),
            Some(Value(word)) => return Ok(Some(Token::Word(word))),
            Some(Short('h')) => "help".into(),
            Some(Short('V')) => "version".into(),
            Some(Short(letter)) => format!("-{letter}"),
            Some(Long(name)) => name.to_owned(),
        };
        let flags = self.command.flags;
        let Some(flag) = flags.iter().copied().find(|flag| *flag == written) else {
            return Err(unknown(self.command, "flag", &written, flags));
        };
        if self.given.contains(&flag) && !REPEATABLE.contains(&flag) {
            return Err(wrong(self.command, format!("--{flag} is given twice")));
        }
        self.given.push(flag);
        Ok(Some(Token::Flag(flag)))
    }

    /// The value of `flag`. One that looks like a flag is more likely a value forgotten.
    pub(crate) fn value(&mut self, flag: &str) -> Result<OsString, Failure> {
        let value = match self.parser.optional_value() {
            Some(value) => Some(value),
            None => {
                let value = self.parser.value().ok();
                value.filter(|value| !value.as_encoded_bytes().starts_with(b"--"))
            }
        };
        value.ok_or_else(|| wrong(self.command, format!("--{flag} needs a value")))
    }

    pub(crate) fn text(&mut self, flag: &str) -> Result<String, Failure> {
        let value = self.value(flag)?.into_string();
        value.map_err(|_| wrong(self.command, format!("the value of --{flag} is no UTF-8")))
    }

    pub(crate) fn parsed<T: FromStr<Err: Display>>(&mut self, flag: &str) -> Result<T, Failure> {
        self.read(flag, str::parse)
    }

    pub(crate) fn read<T, E: Display>(
        &mut self,
        flag: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, Failure> {
        let text = self.text(flag)?;
        read(&text).map_err(|error| wrong(self.command, format!("--{flag} {text:?}: {error}")))
    }

    pub(crate) fn chosen<T: Copy>(
        &mut self,
        flag: &str,
        choices: &[(&'static str, T)],
    ) -> Result<T, Failure> {
        self.read(flag, |text| {
            let chosen = choices.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
            let names = || near::list(choices.iter().map(|(name, _)| *name));
            chosen.map(|(_, value)| *value).ok_or_else(|| format!("expected one of {}", names()))
        })
    }
}

/// What is wrong, and where help is.
pub(crate) fn wrong(command: &Grammar, what: impl Display) -> Failure {
    let topic = command.name.replacen("swim-sim", "swim-sim help", 1).replace("help help", "help");
    Failure::Usage(format!("{what}; see `{topic}`"))
}

pub(crate) fn unknown(
    command: &Grammar,
    what: &str,
    written: &str,
    known: &[&'static str],
) -> Failure {
    let dashes = if what == "flag" { "--" } else { "" };
    let shown =
        if written.starts_with('-') { written.into() } else { format!("{dashes}{written}") };
    let closest = near::closest(written, known.iter().copied());
    let hint = closest.map(|word| format!("; did you mean `{dashes}{word}`?")).unwrap_or_default();
    wrong(command, format!("there is no {what} {shown:?}{hint}"))
}

/// Flags that may be given more than once.
const REPEATABLE: [&str; 1] = ["set"];
