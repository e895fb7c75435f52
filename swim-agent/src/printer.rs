//! Stdout: lines in the chosen format, each written at once unless the reader is slow.

use std::io;

use crate::{
    args::Format,
    line::Line,
    sink::{Notices, Sink},
};

/// Prints lines. Clones print to the same stdout.
#[derive(Clone)]
pub(crate) struct Printer {
    format: Format,
    sink: Sink,
}

impl Printer {
    /// Prints to stdout from now on.
    ///
    /// # Errors
    ///
    /// When the thread of the sink cannot be had.
    pub(crate) fn to_stdout(format: Format) -> io::Result<Self> {
        let lost: fn(u64) -> String = match format {
            Format::Text => |missed| lost(missed).format(Format::Text),
            Format::Json => |missed| lost(missed).format(Format::Json),
        };
        let broken = |error: &io::Error| {
            tracing::warn!(%error, "nobody reads stdout any more: events are no longer printed");
        };
        Ok(Self { format, sink: Sink::spawn("stdout", io::stdout(), Notices { lost, broken })? })
    }

    /// Prints `line` without ever waiting for the reader.
    pub(crate) fn print(&self, line: &Line) {
        self.sink.push(&line.format(self.format));
    }

    /// The buffer behind, to wait for at the end.
    pub(crate) fn sink(&self) -> &Sink {
        &self.sink
    }
}

/// The line that stands where events are missing.
pub(crate) fn lost(missed: u64) -> Line {
    Line::event("events-lost").with("missed", missed)
}
