//! Lines on their way to stdout or stderr.
//!
//! Whoever reads our output may be slow, stopped or gone, and none of that may hold up the
//! protocol: a terminal paused with Ctrl-S, or a full disk, must not make the cluster believe that
//! this node has failed. So a line is only put into a buffer, and a thread of its own writes it.
//! When the buffer is full, lines are dropped and counted, and the reader is told how many it
//! missed. `push` never blocks.

use std::{
    io::{self, Write},
    mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

/// Where lines go. Clones share the buffer.
#[derive(Clone)]
pub(crate) struct Sink {
    shared: Arc<Shared>,
}

/// What a sink says on its own account.
#[derive(Clone, Copy)]
pub(crate) struct Notices {
    /// The line that stands where this many lines were dropped.
    pub(crate) lost: fn(u64) -> String,
    /// Called once when the reader is gone; what is pushed later is thrown away.
    pub(crate) broken: fn(&io::Error),
}

struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<u8>,
    lost: u64,
    writing: bool,
    broken: bool,
}

impl Sink {
    /// Starts the thread that writes to `target`.
    ///
    /// # Errors
    ///
    /// When there can be no further thread.
    pub(crate) fn spawn(
        name: &str,
        target: impl Write + Send + 'static,
        notices: Notices,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared { queue: Mutex::default(), changed: Condvar::new() });
        let sink = Self { shared: Arc::clone(&shared) };
        let writer = thread::Builder::new().name(name.into()).stack_size(STACK_LEN);
        writer.spawn(move || write_batches(&shared, target, notices))?;
        Ok(sink)
    }

    /// Queues `line`, which gets its line end here. Everything after a dropped line is dropped too
    /// until the buffer was taken, so that the notice stands where the gap is.
    pub(crate) fn push(&self, line: &str) {
        let mut queue = self.shared.lock();
        if queue.broken {
            return;
        }
        if queue.lost > 0 || queue.waiting.len() + line.len() >= BUFFER_LEN_MAX {
            queue.lost += 1;
            return;
        }
        queue.waiting.extend_from_slice(line.as_bytes());
        queue.waiting.push(b'\n');
        drop(queue);
        self.shared.changed.notify_all();
    }

    /// Waits until everything pushed so far is written, but no longer than `limit`.
    pub(crate) fn flush(&self, limit: Duration) {
        let queue = self.shared.lock();
        let is_busy = |queue: &mut Queue| !queue.broken && (queue.writing || queue.has_work());
        drop(self.shared.changed.wait_timeout_while(queue, limit, is_busy));
    }
}

impl Queue {
    fn has_work(&self) -> bool {
        !self.waiting.is_empty() || self.lost > 0
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for lines, moves them into `batch` and returns how many were dropped after them.
    fn take(&self, batch: &mut Vec<u8>) -> u64 {
        let queue = self.lock();
        let mut queue = self
            .changed
            .wait_while(queue, |queue| !queue.has_work())
            .unwrap_or_else(PoisonError::into_inner);
        mem::swap(&mut queue.waiting, batch);
        queue.writing = true;
        mem::take(&mut queue.lost)
    }

    fn done(&self, result: &io::Result<()>) {
        let mut queue = self.lock();
        queue.writing = false;
        if result.is_err() {
            *queue = Queue { broken: true, ..Queue::default() };
        }
        drop(queue);
        self.changed.notify_all();
    }
}

fn write_batches(shared: &Shared, mut target: impl Write, notices: Notices) {
    let mut batch = Vec::new();
    loop {
        let lost = shared.take(&mut batch);
        if lost > 0 {
            batch.extend_from_slice((notices.lost)(lost).as_bytes());
            batch.push(b'\n');
        }
        let result = write_patiently(&mut target, &batch);
        shared.done(&result);
        if let Err(error) = result {
            return (notices.broken)(&error);
        }
        batch.clear();
        batch.shrink_to(BUFFER_LEN_KEPT);
    }
}

/// Writes all of `bytes`, also where somebody made the descriptor we inherited non-blocking, or
/// where a disk is full for a while.
fn write_patiently(target: &mut impl Write, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match target.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(RETRY_AFTER),
            // Somebody will make room; the lines that are dropped until then are counted.
            Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                thread::sleep(RETRY_FULL_AFTER);
            }
            Err(error) => return Err(error),
        }
    }
    match target.flush() {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
        result => result,
    }
}

/// Enough for the joins of a cluster of a thousand; twice this is all that a stuck reader costs.
pub(crate) const BUFFER_LEN_MAX: usize = 256 << 10;
/// What a buffer keeps of its memory after a burst.
const BUFFER_LEN_KEPT: usize = 8 << 10;
/// How long a full non-blocking descriptor is left alone.
const RETRY_AFTER: Duration = Duration::from_millis(20);
/// How long a full disk is left alone.
const RETRY_FULL_AFTER: Duration = Duration::from_secs(1);
/// The writers do nothing deep.
const STACK_LEN: usize = 128 << 10;

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const NOTICES: Notices = Notices { lost: |count| format!("lost {count}"), broken: |_| () };
    const LONG: Duration = Duration::from_secs(10);

    /// A reader that takes a write only when it is told to, and hands on what it got.
    struct Slow {
        permits: mpsc::Receiver<io::Result<usize>>,
        written: mpsc::Sender<Vec<u8>>,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let len = self.permits.recv().unwrap_or(Ok(usize::MAX))?.min(bytes.len());
            let _ = self.written.send(bytes[..len].to_vec());
            Ok(len)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn slow() -> (Sink, mpsc::Sender<io::Result<usize>>, mpsc::Receiver<Vec<u8>>) {
        let (permit, permits) = mpsc::channel();
        let (sender, written) = mpsc::channel();
        let target = Slow { permits, written: sender };
        (Sink::spawn("test", target, NOTICES).unwrap(), permit, written)
    }

    fn text(written: &mpsc::Receiver<Vec<u8>>) -> String {
        String::from_utf8(written.try_iter().flatten().collect()).unwrap()
    }

    #[test]
    fn lines_arrive_in_order_over_short_and_refused_writes() {
        let (sink, permit, written) = slow();
        sink.push("one");
        for step in [Ok(2), Err(io::ErrorKind::WouldBlock), Err(io::ErrorKind::Interrupted)] {
            permit.send(step.map_err(Into::into)).unwrap();
        }
        drop(permit);
        sink.push("two");
        sink.flush(LONG);
        assert_eq!(text(&written), "one\ntwo\n");
    }

    #[test]
    fn a_stuck_reader_costs_lines_and_is_told_so() {
        let (sink, permit, written) = slow();
        let line = "x".repeat(BUFFER_LEN_MAX / 4);
        // One batch may already be with the writer, three lines fit behind it.
        for _ in 0..20 {
            sink.push(&line);
        }
        sink.flush(Duration::from_millis(1));
        drop(permit);
        sink.flush(LONG);
        sink.push("later");
        sink.flush(LONG);
        let text = text(&written);
        let mut lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.pop(), Some("later"));
        let lost: usize = lines.pop().unwrap().strip_prefix("lost ").unwrap().parse().unwrap();
        assert_eq!(lost + lines.len(), 20);
        assert!(lines.len() >= 3 && lines.iter().all(|got| *got == line));
    }

    #[test]
    fn a_disk_that_was_full_is_written_to_again() {
        let (sink, permit, written) = slow();
        sink.push("one");
        for step in [Err(io::ErrorKind::StorageFull), Ok(2), Err(io::ErrorKind::StorageFull)] {
            permit.send(step.map_err(Into::into)).unwrap();
        }
        drop(permit);
        sink.push("two");
        sink.flush(LONG);
        assert_eq!(text(&written), "one\ntwo\n");
    }

    #[test]
    fn a_reader_that_is_gone_stops_nobody() {
        let (sink, permit, _written) = slow();
        sink.push("one");
        permit.send(Err(io::ErrorKind::BrokenPipe.into())).unwrap();
        sink.flush(LONG);
        sink.push("two");
        sink.flush(LONG);
    }
}
