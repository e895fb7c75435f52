//! Spans of time as people write them: `200ms`, `1.5s` is `1s 500ms`, `2m`.

use std::time::Duration;

use serde::{Deserialize as _, Deserializer, Serialize, Serializer, de};

/// Writes a span. For `#[serde(with = "span")]`.
///
/// # Errors
///
/// Those of the format.
pub fn serialize<S: Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    humantime::format_duration(*span).to_string().serialize(serializer)
}

/// Reads a span.
///
/// # Errors
///
/// If it is no span; the message says what one looks like.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).map_err(de::Error::custom)
}

/// Reads a span.
///
/// # Errors
///
/// What is wrong with the text.
pub fn parse(text: &str) -> Result<Duration, String> {
    let span = humantime::parse_duration(text)
        .map_err(|error| format!("'{text}' is no span of time ({error}): write 200ms, 5s or 2m"))?;
    if span > swim_core::DURATION_MAX {
        return Err(format!("'{text}' is longer than ten years"));
    }
    Ok(span)
}

/// A span that was measured, for people: with three digits or so, as `6.027s` or `12.3ms`.
#[must_use]
pub fn short(span: Duration) -> String {
    let seconds = span.as_secs_f64();
    match span.as_micros() {
        0 if span.is_zero() => "0s".into(),
        0 => format!("{}ns", span.as_nanos()),
        1..1_000 => format!("{}us", span.as_micros()),
        1_000..1_000_000 => {
            format!("{:.3}", seconds * 1e3).trim_end_matches('0').trim_end_matches('.').to_owned()
                + "ms"
        }
        _ => format!("{seconds:.3}").trim_end_matches('0').trim_end_matches('.').to_owned() + "s",
    }
}
