//! A panic ends the process, whichever thread or task it is in.
//!
//! Nobody waits for the task that prints events, for the one that joins, or for the thread that
//! reads commands: without one of them the agent would go on and look well, and do half of what it
//! is there for. What watches over it can start it anew, if it only ends.

use std::{panic, process, thread, time::Duration};

use crate::sink::Sink;

/// From now on, ends the process at the first panic, once it is logged and what was printed before
/// is written. (X13)
pub(crate) fn end_the_process(printed: Sink, log: Sink) {
    panic::set_hook(Box::new(move |panic| {
        // Whoever panics may hold what the log or the printer waits for.
        let watchdog = thread::Builder::new().spawn(|| {
            thread::sleep(PATIENCE);
            process::abort();
        });
        drop(watchdog);
        tracing::error!(%panic, "this is a bug in swim: the agent ends without having left");
        // Not by the usual way out of a panic: a log that nobody reads would keep us here.
        printed.flush(FLUSH_LIMIT);
        log.flush(FLUSH_LIMIT);
        process::exit(STATUS);
    }));
}

/// What Rust's programs exit with after a panic of their main thread.
const STATUS: i32 = 101;
/// How long a slow reader is waited for.
const FLUSH_LIMIT: Duration = Duration::from_secs(1);
/// How long the whole may take, both flushes and the log's line, before the process is cut off.
const PATIENCE: Duration = Duration::from_secs(4);

#[cfg(test)]
mod tests {
    use std::{
        env,
        ffi::OsString,
        future::pending,
        process::{Command, Output},
    };

    use tokio::runtime;
    use tracing::level_filters::LevelFilter;

    use super::*;
    use crate::{
        agent,
        args::{self, Format, Invocation},
        line::Line,
        log,
        printer::Printer,
    };

    #[test]
    fn x13_a_task_that_panics_ends_the_process() {
        ends("x13_a_task_that_panics_ends_the_process", || {
            let runtime = runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                tokio::spawn(async { panic!("on purpose") });
                pending::<()>().await;
            });
        });
    }

    #[test]
    fn x13_a_thread_that_panics_ends_the_process() {
        ends("x13_a_thread_that_panics_ends_the_process", || {
            thread::spawn(|| panic!("on purpose"));
            thread::sleep(Duration::from_secs(60));
        });
    }

    #[test]
    fn x13_a_panic_that_would_be_caught_ends_the_process() {
        ends("x13_a_panic_that_would_be_caught_ends_the_process", || {
            let caught = panic::catch_unwind(|| panic!("on purpose"));
            assert!(caught.is_err());
        });
    }

    /// The agent itself asks for that, before it does anything else.
    #[test]
    fn x13_a_panic_ends_the_agent() {
        let ended = alone("x13_a_panic_ends_the_agent", || {
            thread::spawn(|| {
                // Whatever panics before the agent has asked for that, only says so.
                for _ in 0..100 {
                    thread::sleep(Duration::from_millis(200));
                    thread::spawn(|| panic!("on purpose"));
                }
                process::exit(0); // It has gone on.
            });
            let words = ["agent", "--node", "a", "--bind", "127.0.0.1:0"].map(OsString::from);
            let Ok(Invocation::Agent(args)) = args::parse(words) else { panic!("a good line") };
            let _ = agent::run(*args);
        });
        let Some(Output { status, stderr, .. }) = ended else { return };
        let stderr = String::from_utf8_lossy(&stderr);
        assert_eq!(status.code(), Some(STATUS), "{stderr}");
        assert!(stderr.contains("ERROR this is a bug"), "{stderr}");
    }

    /// Starts the test `name` in a process of its own, in which it panics as the agent would.
    fn ends(name: &str, panics: impl FnOnce()) {
        let ended = alone(name, || {
            let log = log::init(LevelFilter::INFO).unwrap();
            let printer = Printer::to_stdout(Format::Json).unwrap();
            end_the_process(printer.sink().clone(), log);
            printer.print(&Line::event("the-last-word"));
            panics();
        });
        let Some(Output { status, stdout, stderr }) = ended else { return };
        let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        assert_eq!(status.code(), Some(STATUS), "{stdout}{stderr}");
        assert!(stdout.contains("the-last-word"), "{stdout}");
        assert!(
            stderr.contains("ERROR this is a bug") && stderr.contains("on purpose"),
            "{stderr}"
        );
    }

    /// What became of the process of its own in which the test `name` does this; nothing to the
    /// one that is it.
    #[expect(clippy::disallowed_methods, reason = "a test that starts itself again tells so")]
    fn alone(name: &str, does: impl FnOnce()) -> Option<Output> {
        if env::var_os(IS_ALONE).is_some() {
            does();
            return None;
        }
        let mut test = Command::new(env::current_exe().expect("it runs"));
        test.args(["--exact", &format!("panics::tests::{name}"), "--nocapture"]);
        Some(test.env(IS_ALONE, "1").output().expect("it can be started again"))
    }

    const IS_ALONE: &str = "SWIM_PANICS_ALONE";
}
