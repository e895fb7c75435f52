//! Time: that of day, in which nodes say when something happened, and waiting.

use std::{
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// The time of day, since 1970. Every process of the machine has the same. In whole milliseconds,
/// as nodes write it: what a node says later is never earlier.
#[must_use]
pub fn time_of_day() -> Duration {
    ago(Duration::ZERO)
}

/// The time of day that was so long ago.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this crate is about real time")]
pub fn ago(age: Duration) -> Duration {
    let exact = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let whole = exact.saturating_sub(age).as_millis();
    Duration::from_millis(u64::try_from(whole).unwrap_or(u64::MAX))
}

/// A moment to measure from.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this crate is about real time")]
pub fn now() -> Instant {
    Instant::now()
}

/// Looks again and again until there is something or `limit` has passed.
pub fn wait<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = now() + limit;
    loop {
        let found = look();
        if found.is_some() || now() >= deadline {
            return found;
        }
        thread::sleep(PAUSE);
    }
}

/// Reads `2025-01-31T23:59:59.123Z` as time since 1970.
#[must_use]
pub fn parse(text: &str) -> Option<Duration> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    // Zeller's way: years begin in March, so that a leap day is the last of its year.
    let (year, month) =
        if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day;
    let hours = days.checked_sub(719_469)? * 24 + number(11, 13)?;
    let seconds = hours * 3_600 + number(14, 16)? * 60 + number(17, 19)?;
    let is_whole = text.len() == 24 && text.ends_with('Z');
    is_whole.then_some(Duration::from_millis(seconds * 1_000 + number(20, 23)?))
}

/// Writes time since 1970 as [`parse`] reads it.
#[must_use]
pub fn write(time: Duration) -> String {
    // Zeller's way again: 400 years, which begin in March, have 146,097 days.
    let days = time.as_secs() / 86_400 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, month) = (day - (153 * month + 2) / 5 + 1, (month + 2) % 12 + 1);
    let year = era * 400 + year + u64::from(month <= 2);
    let (seconds, millis) = (time.as_secs() % 86_400, time.subsec_millis());
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// How long one waits before one looks again: nodes are not to be kept from their work.
const PAUSE: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written() {
        let cases = [
            ("1970-01-01T00:00:00.000Z", 0),
            ("2000-02-29T00:00:00.001Z", 951_782_400_001),
            ("2024-12-31T23:59:59.001Z", 1_735_689_599_001),
            ("2025-01-01T00:00:00.000Z", 1_735_689_600_000),
            ("2100-03-01T12:30:01.999Z", 4_107_587_401_999),
        ];
        for (text, millis) in cases {
            let time = Duration::from_millis(millis);
            assert_eq!((parse(text), write(time)), (Some(time), text.to_owned()));
        }
        assert_eq!(parse("2024-12-31 23:59:59"), None);
        assert_eq!(parse("0000-01-01T00:00:00.000Z"), None);
    }
}
