//! A log with a column for each node: what it came to believe, one line per moment.

use std::fmt::Write as _;

use crate::{
    belief::Belief,
    record::{Change, Mark, Process, Record},
    scenario::hosts,
};

/// More columns than this fit on no terminal.
pub const COLUMNS_MAX: usize = 40;

/// The log of a run; `None` if it has more nodes than [`COLUMNS_MAX`].
///
/// In the column of a node stands whom it has come to believe what: `+3` alive, `?3` suspect, `x3`
/// failed, `-3` left, `.3` forgotten; `UP` and `DOWN` for its own process. What was done to the
/// world has a line of its own.
#[must_use]
pub fn columns(record: &Record) -> Option<String> {
    if record.hosts > COLUMNS_MAX {
        return None;
    }
    let mut text = format!("{:>10}", "seconds");
    for host in 0..record.hosts {
        let _ = write!(text, " {:>WIDTH$}", format!("n{host}"));
    }
    text.push('\n');
    let mut events: Vec<(u128, Event<'_>)> = Vec::new();
    events.extend(record.marks.iter().map(|it| (it.at.as_nanos(), Event::Mark(it))));
    events.extend(record.processes.iter().map(|it| (it.at.as_nanos(), Event::Process(it))));
    let changes = record.changes.iter().filter(|it| !it.at.is_zero() && it.observer != it.subject);
    events.extend(changes.map(|it| (it.at.as_nanos(), Event::Change(it))));
    events.sort_by_key(|(at, _)| *at);
    for (at, event) in events {
        let _ = write!(text, "{:>10.4}", at as f64 / 1e9);
        let (host, cell) = match event {
            Event::Mark(mark) => {
                let hosts = hosts::write(&mark.hosts);
                let _ = writeln!(text, " == {} {hosts}", mark.what);
                continue;
            }
            Event::Process(it) => (it.host, if it.is_up { "UP" } else { "DOWN" }.to_owned()),
            Event::Change(it) => (it.observer, format!("{}{}", sign(it.to), it.subject)),
        };
        let line: String = (0..record.hosts).fold(String::new(), |mut line, column| {
            let cell = if column == host { cell.as_str() } else { "·" };
            let _ = write!(line, " {cell:>WIDTH$}");
            line
        });
        text.push_str(line.trim_end());
        text.push('\n');
    }
    Some(text)
}

enum Event<'a> {
    Mark(&'a Mark),
    Process(&'a Process),
    Change(&'a Change),
}

const fn sign(belief: Belief) -> char {
    match belief {
        Belief::Unknown => '.',
        Belief::Alive => '+',
        Belief::Suspect => '?',
        Belief::Dead => 'x',
        Belief::Left => '-',
    }
}

const WIDTH: usize = 4;
