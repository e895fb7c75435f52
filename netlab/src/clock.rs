//! Time: that of day, in which nodes say when something happened, and waiting.

use std::{
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// The time of day, since 1970. Every process of the machine has the same.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this crate is about real time")]
pub fn time_of_day() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
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
        ];
        for (text, millis) in cases {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)), "{text}");
        }
        assert_eq!(parse("2024-12-31 23:59:59"), None);
        assert_eq!(parse("0000-01-01T00:00:00.000Z"), None);
    }
}
