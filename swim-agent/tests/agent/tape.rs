//! What a process has written so far, line by line, with waiting.

use std::{
    io::{BufRead, BufReader, Read},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// The lines of one pipe, as `parse` reads them. Clones share the lines.
pub(crate) struct Tape<T> {
    shared: Arc<(Mutex<Lines<T>>, Condvar)>,
}

struct Lines<T> {
    lines: Vec<T>,
    is_over: bool,
}

impl<T: Send + 'static> Tape<T> {
    /// Reads `pipe` to its end in a thread of its own.
    pub(crate) fn record(pipe: impl Read + Send + 'static, parse: fn(String) -> T) -> Self {
        let lines = Lines { lines: Vec::new(), is_over: false };
        let shared = Arc::new((Mutex::new(lines), Condvar::new()));
        let tape = Self { shared: Arc::clone(&shared) };
        thread::spawn(move || {
            let (lines, changed) = &*shared;
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                lines.lock().unwrap().lines.push(parse(line));
                changed.notify_all();
            }
            lines.lock().unwrap().is_over = true;
            changed.notify_all();
        });
        tape
    }

    /// Looks at the lines until `find` finds something in them or `limit` has passed.
    pub(crate) fn wait<F>(
        &self,
        limit: Duration,
        mut find: impl FnMut(&[T]) -> Option<F>,
    ) -> Option<F> {
        let deadline = now() + limit;
        let (lines, changed) = &*self.shared;
        let mut lines = lines.lock().unwrap();
        loop {
            let found = find(&lines.lines);
            let left = deadline.saturating_duration_since(now());
            if found.is_some() || left.is_zero() || lines.is_over {
                return found;
            }
            lines = changed.wait_timeout(lines, left).unwrap().0;
        }
    }

    /// Looks at the lines of this moment.
    pub(crate) fn look<F>(&self, look: impl FnOnce(&[T]) -> F) -> F {
        look(&self.shared.0.lock().unwrap().lines)
    }
}

/// A moment to measure from.
#[expect(clippy::disallowed_methods, reason = "these tests are about real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The time of day, to compare with what lines say.
#[expect(clippy::disallowed_methods, reason = "these tests are about real time")]
pub(crate) fn time_of_day() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// Reads `2025-01-31T23:59:59.123Z` as time since 1970.
pub(crate) fn parse_time(text: &str) -> Option<Duration> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    // Zeller's way: years begin in March, so that a leap day is the last of its year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day;
    let seconds = (days - 719_469) * 86_400
        + number(11, 13)? * 3_600
        + number(14, 16)? * 60
        + number(17, 19)?;
    (text.len() == 24 && text.ends_with('Z'))
        .then(|| Some(Duration::from_secs(seconds) + Duration::from_millis(number(20, 23)?)))?
}

#[test]
fn times_are_read_as_they_are_written() {
    let cases = [
        ("1970-01-01T00:00:00.000Z", 0),
        ("2000-02-29T00:00:00.001Z", 951_782_400_001),
        ("2024-12-31T23:59:59.001Z", 1_735_689_599_001),
    ];
    for (text, millis) in cases {
        assert_eq!(parse_time(text), Some(Duration::from_millis(millis)), "{text}");
    }
    assert_eq!(parse_time("2024-12-31 23:59:59"), None);
}
