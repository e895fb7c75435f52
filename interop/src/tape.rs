//! What a peer has printed so far, with waiting.

use std::{
    fmt::Display,
    io::{BufRead, BufReader, Read},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

/// The lines of one pipe, as they were read, each with the milliseconds since the first was
/// awaited.
#[derive(Debug)]
pub(crate) struct Tape {
    lines: Arc<Mutex<Vec<Value>>>,
}

impl Tape {
    /// Reads `pipe` to its end in a thread of its own.
    pub(crate) fn record(pipe: impl Read + Send + 'static) -> Self {
        let tape = Self { lines: Arc::default() };
        let lines = Arc::clone(&tape.lines);
        let began = now();
        thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                let mut parsed = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if let Value::Object(fields) = &mut parsed {
                    let millis = now().duration_since(began).as_millis();
                    fields.insert(
                        "at".into(),
                        Value::from(u64::try_from(millis).unwrap_or(u64::MAX)),
                    );
                }
                lines.lock().unwrap_or_else(PoisonError::into_inner).push(parsed);
            }
        });
        tape
    }

    /// The lines of this moment.
    pub(crate) fn lines(&self) -> MutexGuard<'_, Vec<Value>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks again and again until it is so.
///
/// # Panics
///
/// When it is not so in time: with `what` was waited for and what was seen instead.
pub fn until<T, E: Display>(what: &str, mut look: impl FnMut() -> Result<T, E>) -> T {
    let deadline = now() + PATIENCE;
    loop {
        match look() {
            Ok(found) => return found,
            Err(seen) if now() >= deadline => panic!("not in time: {what}; {seen}"),
            Err(_) => thread::sleep(PAUSE),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this crate is about real time")]
fn now() -> Instant {
    Instant::now()
}

/// Between two looks: short beside the shortest suspicion, also where one look asks many peers.
const PAUSE: Duration = Duration::from_millis(5);

/// Many times what anything takes on an idle machine.
const PATIENCE: Duration = Duration::from_secs(40);
