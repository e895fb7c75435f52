//! Tables of a TOML file, read strictly: whatever is not understood is refused with its name and
//! its line, and never skipped. A test that was written with a typo must not pass for that.

use std::{fmt, time::Duration};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{near, span};

/// What is wrong with a file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there, and what would be right.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl std::error::Error for Fault {}

/// A table, of which every key must be asked for.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    /// What it is called in messages.
    what: String,
    line: usize,
    entries: Vec<(&'a str, Value<'a>)>,
    known: Vec<&'static str>,
}

/// One value and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value<'a> {
    text: &'a str,
    key: &'a str,
    /// Its line, from 1.
    pub(crate) line: usize,
    value: &'a DeValue<'a>,
}

impl<'a> Table<'a> {
    /// A whole file that was parsed from `text`.
    pub(crate) fn new(text: &'a str, table: &'a DeTable<'a>) -> Self {
        Self::at(text, table, "a scenario".into(), 1)
    }

    fn at(text: &'a str, table: &'a DeTable<'a>, what: String, line: usize) -> Self {
        let entry = |(key, value): (&'a Spanned<_>, &'a Spanned<DeValue<'a>>)| {
            let name: &'a std::borrow::Cow<'a, str> = key.get_ref();
            let line = line_of(text, key.span().start);
            (name.as_ref(), Value { text, key: name, line, value: value.get_ref() })
        };
        let entries = table.iter().map(entry).collect();
        Self { what, line, entries, known: Vec::new() }
    }

    /// Where it begins.
    pub(crate) const fn line(&self) -> usize {
        self.line
    }

    /// Takes out the value of a key.
    pub(crate) fn take(&mut self, key: &'static str) -> Option<Value<'a>> {
        self.known.push(key);
        let place = self.entries.iter().position(|(name, _)| *name == key)?;
        Some(self.entries.remove(place).1)
    }

    /// Takes out the value of a key that has to be there.
    pub(crate) fn need(&mut self, key: &'static str) -> Result<Value<'a>, Fault> {
        let fault = Fault { line: self.line, what: format!("{} needs `{key}`", self.what) };
        self.take(key).ok_or(fault)
    }

    /// Everything that was not taken out is one too many.
    pub(crate) fn end(self) -> Result<(), Fault> {
        let Some((key, value)) = self.entries.first() else { return Ok(()) };
        let hint = near::hint(key, self.known.iter().copied());
        let what = format!(
            "{} has no key `{key}`{hint}; it has {}",
            self.what,
            near::list(self.known.iter().copied())
        );
        Err(Fault { line: value.line, what })
    }

    /// It is called that in messages from now on.
    pub(crate) fn is_called(&mut self, what: String) {
        self.what = what;
    }
}

impl<'a> Value<'a> {
    /// A fault at this value.
    pub(crate) fn fault(&self, what: impl fmt::Display) -> Fault {
        Fault { line: self.line, what: format!("`{}`: {what}", self.key) }
    }

    fn is_no(&self, expected: &str) -> Fault {
        let written = match self.value {
            DeValue::String(text) => format!("{text:?}"),
            DeValue::Integer(number) => number.as_str().into(),
            DeValue::Float(number) => number.as_str().into(),
            other => format!("this {}", other.type_str()),
        };
        self.fault(format!("{written} is not {expected}"))
    }

    /// A text.
    pub(crate) fn text(&self) -> Result<&'a str, Fault> {
        match self.value {
            DeValue::String(text) => Ok(text.as_ref()),
            _ => Err(self.is_no("a text in quotes")),
        }
    }

    /// Whether it is a text; then, which.
    pub(crate) fn as_text(&self) -> Option<&'a str> {
        self.value.as_str()
    }

    /// `true` or `false`.
    pub(crate) fn flag(&self) -> Result<bool, Fault> {
        self.value.as_bool().ok_or_else(|| self.is_no("true or false"))
    }

    /// A whole number.
    pub(crate) fn whole(&self) -> Result<i64, Fault> {
        let number = self.value.as_integer();
        let number = number.and_then(|it| i64::from_str_radix(it.as_str(), it.radix()).ok());
        number.ok_or_else(|| self.is_no("a whole number"))
    }

    /// A whole number that is not negative.
    pub(crate) fn count(&self) -> Result<u64, Fault> {
        u64::try_from(self.whole()?).map_err(|_| self.is_no("zero or more"))
    }

    /// A span of time, as `"200ms"`.
    pub(crate) fn span(&self) -> Result<Duration, Fault> {
        let Some(text) = self.value.as_str() else {
            return Err(self.is_no("a span of time: write \"200ms\", \"5s\" or \"2m\""));
        };
        span::parse(text).map_err(|error| self.fault(error))
    }

    /// A share between 0 and 1: `0.05` or `"5%"`.
    pub(crate) fn share(&self) -> Result<f64, Fault> {
        let share = match self.value {
            DeValue::Float(number) => number.as_str().parse().ok(),
            DeValue::Integer(number) => number.as_str().parse().ok(),
            DeValue::String(text) => parse_share(text),
            _ => None,
        };
        let share = share.filter(|share| (0.0..=1.0).contains(share));
        share.ok_or_else(|| self.is_no("a share: write \"5%\", or 0.05; at most all"))
    }

    /// The values of a list, or the one value if it is no list.
    pub(crate) fn each(&self) -> Vec<Self> {
        let Some(list) = self.value.as_array() else { return vec![*self] };
        let at = |value: &'a Spanned<DeValue<'a>>| Self {
            line: line_of(self.text, value.span().start),
            value: value.get_ref(),
            ..*self
        };
        list.iter().map(at).collect()
    }

    /// Whether it is a list.
    pub(crate) fn is_list(&self) -> bool {
        self.value.is_array()
    }

    /// A table.
    pub(crate) fn table(&self, what: &str) -> Result<Table<'a>, Fault> {
        let table = self.value.as_table().ok_or_else(|| self.is_no("a table"))?;
        Ok(Table::at(self.text, table, what.into(), self.line))
    }
}

/// A share as people write it, `5%` or `0.05`; whether it is one at all is for the caller to see.
#[must_use]
pub fn parse_share(text: &str) -> Option<f64> {
    match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().ok().map(|percent| percent / 100.0),
        None => text.trim().parse().ok(),
    }
}

/// The line of a place in the text, from 1.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    1 + text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count()
}
