//! The log on stderr: one line per record, `TIME LEVEL message key=value ..`.
//!
//! A subscriber of our own, because a line per record is all that is needed, and because it must
//! write through a [`Sink`]: a log that nobody reads must not stop the protocol either.

use std::{
    fmt::{self, Write},
    io,
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    span,
    subscriber::{Interest, set_global_default},
};

use crate::{
    clock::Timestamp,
    sink::{Notices, Sink},
    text::{Escaped, Quoted},
};

/// Sends what is logged from now on, up to `level`, to stderr. The sink is for waiting at the end.
///
/// # Errors
///
/// When the thread of the sink cannot be had.
pub(crate) fn init(level: LevelFilter) -> io::Result<Sink> {
    let notices = Notices {
        lost: |count| format!("{}  WARN log lines were lost count={count}", Timestamp::now()),
        broken: |_| (), // There is nobody left to tell.
    };
    let sink = Sink::spawn("log", io::stderr(), notices)?;
    set_global_default(Log { level, sink: sink.clone() }).map_err(io::Error::other)?;
    Ok(sink)
}

struct Log {
    level: LevelFilter,
    sink: Sink,
}

impl Subscriber for Log {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.enabled(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= self.level
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        let level = event.metadata().level();
        let Line { message, fields } = line;
        self.sink.push(&format!("{} {level:>5} {message}{fields}", Timestamp::now()));
    }

    // Spans are never enabled.
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// The text of a record: its message first, then its fields in their order.
#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format_args!("{value:?}"));
    }
}

impl Line {
    fn add(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let value = &beginning(value);
        let _infallible = if field.name() == "message" {
            write!(self.message, "{}", Escaped(value))
        } else {
            write!(self.fields, " {}={}", field.name(), Quoted(value))
        };
    }
}

/// The text of `value` up to its limit. What formats it is stopped there: with the level debug, an
/// event is a value, and a message in it may have 16 MiB. (X11)
fn beginning(value: fmt::Arguments<'_>) -> String {
    let mut beginning = Beginning::default();
    match beginning.write_fmt(value) {
        Ok(()) => beginning.0,
        Err(fmt::Error) => beginning.0 + "..",
    }
}

/// Takes what fits, and then no more.
#[derive(Default)]
struct Beginning(String);

impl Write for Beginning {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = VALUE_LEN_MAX - self.0.len();
        if text.len() <= room {
            self.0.push_str(text);
            return Ok(());
        }
        let fitting = text.char_indices().map(|(at, c)| at + c.len_utf8());
        self.0.push_str(&text[..fitting.take_while(|end| *end <= room).last().unwrap_or(0)]);
        Err(fmt::Error)
    }
}

/// More than anybody reads of one value, and than what an operator has to know takes.
const VALUE_LEN_MAX: usize = 4 << 10;

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn x11_a_value_is_written_so_far_and_no_further() {
        struct Endless;
        impl fmt::Debug for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                loop {
                    f.write_str("\u{e4}bc")?;
                }
            }
        }
        let cut = beginning(format_args!("{Endless:?}"));
        assert_eq!(cut, "\u{e4}bc".repeat(VALUE_LEN_MAX / 4) + "..");
        let longest = "x".repeat(VALUE_LEN_MAX);
        assert_eq!(beginning(format_args!("{longest}")), longest);
        assert_eq!(beginning(format_args!("{longest}x")), format!("{longest}.."));
        assert_eq!(beginning(format_args!("x{}", "\u{e4}".repeat(3_000))).len(), VALUE_LEN_MAX + 1);
    }

    #[test]
    fn a_record_is_one_line_up_to_the_level() {
        let written = Shared::default();
        let notices = Notices { lost: |_| String::new(), broken: |_| () };
        let sink = Sink::spawn("test", written.clone(), notices).unwrap();
        let log = Log { level: LevelFilter::INFO, sink: sink.clone() };
        tracing::subscriber::with_default(log, || {
            tracing::info!(node = %"a\nb", seeds = 3, reason = "two words", "started \u{1b}[1m");
            tracing::debug!("not said");
            tracing::error!(plain = "x", "broken");
        });
        sink.flush(std::time::Duration::from_secs(10));
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<&str> = text.lines().map(|line| line.split_once(' ').unwrap().1).collect();
        let expected = [
            r#" INFO started \u{1b}[1m node="a\nb" seeds=3 reason="two words""#,
            "ERROR broken plain=x",
        ];
        assert_eq!(lines, expected);
    }
}
