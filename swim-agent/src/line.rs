//! A line on stdout: what it says, and the two ways it is written.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::{args::Format, clock::Timestamp, text::Quoted};

/// One line of output: an event, or the answer to a command.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    time: Timestamp,
    kind: Kind,
    name: Cow<'static, str>,
    fields: Vec<(Cow<'static, str>, Value)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Event,
    Answer,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// Words.
    Text(String),
    /// A count.
    Number(u64),
    /// Yes or no.
    Flag(bool),
    /// Somebody else's bytes: shown as text where they are, else in base64 under `KEY_base64`.
    Bytes(Vec<u8>),
}

impl Line {
    /// Something that happened just now.
    pub(crate) fn event(name: &'static str) -> Self {
        Self::new(Kind::Event, name.into())
    }

    /// An answer to a command.
    pub(crate) fn answer(name: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Answer, name.into())
    }

    /// The same for something that happened at another time.
    pub(crate) fn at(mut self, time: Timestamp) -> Self {
        self.time = time;
        self
    }

    /// With a further field. `node` and `addr` stand first in text, so they are given first.
    pub(crate) fn with(
        mut self,
        key: impl Into<Cow<'static, str>>,
        value: impl Into<Value>,
    ) -> Self {
        self.fields.push((key.into(), value.into()));
        self
    }

    /// The line as it is written, without its end.
    pub(crate) fn format(&self, format: Format) -> String {
        match format {
            Format::Text => self.to_text(),
            Format::Json => serde_json::to_string(self)
                .expect("a map with text keys and plain values is always JSON"),
        }
    }

    fn new(kind: Kind, name: Cow<'static, str>) -> Self {
        Self { time: Timestamp::now(), kind, name, fields: Vec::new() }
    }

    fn to_text(&self) -> String {
        let mut text = self.time.to_string();
        if self.kind == Kind::Answer {
            text.push_str(" answer");
        }
        text.push(' ');
        text.push_str(&self.name);
        for (key, value) in &self.fields {
            let (suffix, value) = value.to_text();
            match &**key {
                "node" | "addr" => text.push_str(&format!(" {}", Quoted(&value))),
                _ => text.push_str(&format!(" {key}{suffix}={}", Quoted(&value))),
            }
        }
        text
    }
}

impl Serialize for Line {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("time", &self.time.to_string())?;
        let kind = match self.kind {
            Kind::Event => "event",
            Kind::Answer => "answer",
        };
        map.serialize_entry(kind, &self.name)?;
        for (key, value) in &self.fields {
            match value {
                Value::Number(number) => map.serialize_entry(key, number)?,
                Value::Flag(flag) => map.serialize_entry(key, flag)?,
                Value::Text(_) | Value::Bytes(_) => {
                    let (suffix, text) = value.to_text();
                    map.serialize_entry(&format!("{key}{suffix}"), &text)?;
                }
            }
        }
        map.end()
    }
}

impl Value {
    /// What to add to the key, and the text.
    fn to_text(&self) -> (&'static str, Cow<'_, str>) {
        match self {
            Self::Text(text) => ("", text.into()),
            Self::Number(number) => ("", number.to_string().into()),
            Self::Flag(flag) => ("", flag.to_string().into()),
            Self::Bytes(bytes) => match str::from_utf8(bytes) {
                Ok(text) => ("", text.into()),
                Err(_) => ("_base64", STANDARD.encode(bytes).into()),
            },
        }
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Number(number as u64)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without_time(line: &Line, format: Format) -> String {
        line.format(format).replace(&line.time.to_string(), "T")
    }

    #[test]
    fn a_line_says_the_same_both_ways() {
        let join = Line::event("member-join")
            .with("node", "a b")
            .with("addr", "[::1]:7946")
            .with("seq", 3_u64)
            .with("meta", &b"x\n\"y\""[..]);
        let answer = Line::answer("broadcast").with("ok", true).with("raw", &[0xff, 0][..]);
        let cases = [
            (
                &join,
                r#"T member-join "a b" [::1]:7946 seq=3 meta="x\n\"y\"""#,
                concat!(
                    r#"{"time":"T","event":"member-join","node":"a b","addr":"[::1]:7946","#,
                    r#""seq":3,"meta":"x\n\"y\""}"#
                ),
            ),
            (
                &answer,
                r#"T answer broadcast ok=true raw_base64="/wA=""#,
                r#"{"time":"T","answer":"broadcast","ok":true,"raw_base64":"/wA="}"#,
            ),
        ];
        for (line, text, json) in cases {
            assert_eq!(without_time(line, Format::Text), text);
            assert_eq!(without_time(line, Format::Json), json);
        }
    }
}
