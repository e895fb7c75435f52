//! What a process has written so far, line by line, with waiting.

use std::{
    io::{BufRead, BufReader, Read},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use crate::clock;

/// The lines of one pipe, as they were read.
#[derive(Debug)]
pub struct Tape<T> {
    shared: Arc<(Mutex<Lines<T>>, Condvar)>,
}

#[derive(Debug)]
struct Lines<T> {
    lines: Vec<T>,
    is_over: bool,
}

impl<T: Send + 'static> Tape<T> {
    /// Reads `pipe` to its end in a thread of its own.
    pub(crate) fn record(pipe: impl Read + Send + 'static, parse: fn(String) -> T) -> Self {
        let lines = Lines { lines: Vec::new(), is_over: false };
        let shared = Arc::new((Mutex::new(lines), Condvar::new()));
        let (tape, writer) = (Self { shared: Arc::clone(&shared) }, Self { shared });
        thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                let line = parse(line);
                writer.lines().lines.push(line);
                writer.shared.1.notify_all();
            }
            writer.lines().is_over = true;
            writer.shared.1.notify_all();
        });
        tape
    }

    /// Looks at the lines until `find` finds something in them, `limit` has passed, or there will
    /// be no more.
    pub(crate) fn wait<F>(
        &self,
        limit: Duration,
        mut find: impl FnMut(&[T]) -> Option<F>,
    ) -> Option<F> {
        let deadline = clock::now() + limit;
        let mut lines = self.lines();
        loop {
            let found = find(&lines.lines);
            let left = deadline.saturating_duration_since(clock::now());
            if found.is_some() || left.is_zero() || lines.is_over {
                return found;
            }
            let woken = self.shared.1.wait_timeout(lines, left);
            lines = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until there will be no more lines.
    pub(crate) fn wait_over(&self, limit: Duration) {
        self.wait(limit, |_| None::<()>);
    }

    /// Looks at the lines of this moment.
    pub fn look<F>(&self, look: impl FnOnce(&[T]) -> F) -> F {
        look(&self.lines().lines)
    }

    fn lines(&self) -> MutexGuard<'_, Lines<T>> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
