//! Flags and their values, one after the other, and what is wrong with them.
//!
//! Read by hand on top of a tokenizer. A parser that generates all this from types would take a
//! tenth of the memory that a running agent is allowed, for what is done once at its start.

use std::{ffi::OsString, fmt::Display, mem, str::FromStr};

use lexopt::{
    Arg::{Long, Short, Value},
    Parser,
};
use zeroize::Zeroizing;

use crate::failure::Failure;

/// A command and the flags it knows.
pub(crate) struct Grammar {
    pub(crate) name: &'static str,
    pub(crate) flags: &'static [&'static str],
    /// Those that may be given more than once.
    pub(crate) repeatable: &'static [&'static str],
}

/// Reads flags and their values.
pub(crate) struct Reader {
    parser: Parser,
    command: &'static Grammar,
    given: Vec<&'static str>,
}

/// What stands on a command line.
pub(crate) enum Token {
    /// A flag that the command knows, without dashes.
    Flag(&'static str),
    /// Anything else.
    Word(String),
}

impl Reader {
    /// Reads `args`, which belong to `command`.
    pub(crate) fn new(args: impl IntoIterator<Item = OsString>, command: &'static Grammar) -> Self {
        Self { parser: Parser::from_args(args), command, given: Vec::new() }
    }

    /// The same for the rest of the line, which belongs to `command`.
    pub(crate) fn of(self, command: &'static Grammar) -> Self {
        Self { command, ..self }
    }

    /// What comes next.
    pub(crate) fn next(&mut self) -> Result<Option<Token>, Failure> {
        let command = self.command;
        let written = match self.parser.next().map_err(|error| wrong(command, error))? {
            None => return Ok(None),
            Some(Value(word)) => {
                let word = word.into_string().map_err(|_| wrong(command, "a word is no UTF-8"))?;
                return Ok(Some(Token::Word(word)));
            }
            Some(Short('h')) => "help".into(),
            Some(Short('V')) => "version".into(),
            Some(Short(letter)) => format!("-{letter}"),
            Some(Long(name)) => name.to_owned(),
        };
        let Some(flag) = command.flags.iter().copied().find(|flag| *flag == written) else {
            return Err(unknown(command, "flag", &written, command.flags));
        };
        if self.given.contains(&flag) && !command.repeatable.contains(&flag) {
            return Err(wrong(command, format!("--{flag} is given twice")));
        }
        self.given.push(flag);
        Ok(Some(Token::Flag(flag)))
    }

    /// The next flag, where there may be nothing else.
    pub(crate) fn next_flag(&mut self) -> Result<Option<&'static str>, Failure> {
        match self.next()? {
            None => Ok(None),
            Some(Token::Flag(flag)) => Ok(Some(flag)),
            // Not quoted: it may be a key whose flag was forgotten.
            Some(Token::Word(_)) => {
                let after =
                    self.given.last().map_or(String::new(), |flag| format!(" after --{flag}"));
                Err(wrong(self.command, format!("there is a word too many{after}")))
            }
        }
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

    /// The value of `flag` as text.
    pub(crate) fn text(&mut self, flag: &str) -> Result<String, Failure> {
        let value = self.value(flag)?.into_string();
        value.map_err(|_| wrong(self.command, format!("the value of --{flag} is no UTF-8")))
    }

    /// What it means is found out where the interfaces are known; nothing means nothing.
    pub(crate) fn address(&mut self, flag: &str) -> Result<String, Failure> {
        let text = self.text(flag)?;
        if text.trim().is_empty() {
            return Err(wrong(self.command, format!("--{flag} needs an address")));
        }
        Ok(text)
    }

    /// The value of `flag` as what it stands for.
    pub(crate) fn parsed<T: FromStr<Err: Display>>(&mut self, flag: &str) -> Result<T, Failure> {
        self.read(flag, str::parse)
    }

    /// The same, read by `read`.
    pub(crate) fn read<T, E: Display>(
        &mut self,
        flag: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, Failure> {
        let text = self.text(flag)?;
        read(&text).map_err(|error| wrong(self.command, format!("--{flag} {text:?}: {error}")))
    }

    /// The same of what nobody else may see: it is not quoted, and wiped once it was read. (X17)
    pub(crate) fn secret<T, E: Display>(
        &mut self,
        flag: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, Failure> {
        let text = Zeroizing::new(self.text(flag)?);
        read(&text).map_err(|error| wrong(self.command, format!("--{flag}: {error}")))
    }

    /// The first of `flags` that was given.
    pub(crate) fn given_of(&self, flags: &[&str]) -> Option<&'static str> {
        self.given.iter().copied().find(|flag| flags.contains(flag))
    }

    /// The value of `flag`, which is one of `choices`.
    pub(crate) fn chosen<T: Copy>(
        &mut self,
        flag: &str,
        choices: &[(&str, T)],
    ) -> Result<T, Failure> {
        let text = self.text(flag)?;
        let chosen = choices.iter().find(|(name, _)| name.eq_ignore_ascii_case(&text));
        let names = || choices.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        chosen.map(|(_, value)| *value).ok_or_else(|| {
            wrong(self.command, format!("--{flag} {text:?}: expected one of {}", names()))
        })
    }
}

/// A command line that can't be followed, and where the command is explained.
pub(crate) fn wrong(command: &Grammar, what: impl Display) -> Failure {
    let topic = command.name.replacen("swim", "swim help", 1).replace("help help", "help");
    Failure::Usage(format!("{what}; see `{topic}`"))
}

/// A word or a flag that there is not, and what comes close to it.
pub(crate) fn unknown(command: &Grammar, what: &str, written: &str, known: &[&str]) -> Failure {
    let dashes = if what == "flag" { "--" } else { "" };
    let shown =
        if written.starts_with('-') { written.into() } else { format!("{dashes}{written}") };
    let closest = known.iter().map(|known| (distance(written, known), known)).min();
    let hint = match closest {
        // Of three letters one may be wrong, and two at most.
        Some((distance, closest)) if distance <= (written.len().max(closest.len()) / 3).min(2) => {
            format!("; did you mean {dashes}{closest}?")
        }
        _ => String::new(),
    };
    wrong(command, format!("there is no {what} {shown:?}{hint}"))
}

/// How many letters must be added, taken away or changed to turn `a` into `b` (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, from) in (1..).zip(a.chars()) {
        let mut diagonal = mem::replace(&mut row[0], i);
        for (j, to) in (1..).zip(b.chars()) {
            let changed = diagonal + usize::from(from != to);
            diagonal = row[j];
            row[j] = changed.min(diagonal + 1).min(row[j - 1] + 1);
        }
    }
    row[row.len() - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_letters() {
        for (a, b, expected) in
            [("", "", 0), ("bind", "bnd", 1), ("agent", "agnet", 2), ("", "ab", 2)]
        {
            assert_eq!((distance(a, b), distance(b, a)), (expected, expected), "{a} {b}");
        }
    }
}
