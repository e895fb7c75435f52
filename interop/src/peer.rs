//! A peer as a process: one of ours or one of Go's, spoken to in the same words.

use std::{
    collections::BTreeMap,
    io::Write,
    mem,
    net::SocketAddr,
    process::{Child, ChildStdin, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::tape::{Tape, until};

/// Whose program a peer runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// HashiCorp's library.
    Go,
    /// Ours.
    Swim,
}

/// What a peer holds of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Where it is reached.
    pub addr: SocketAddr,
    /// `alive`, `suspect`, `dead` or `left`.
    pub state: String,
    /// What it says about itself.
    pub meta: String,
    /// Its incarnation.
    pub incarnation: u64,
    /// The version of memberlist's protocol that it speaks.
    pub protocol: u64,
}

/// A process; when this is dropped, it is killed.
#[derive(Debug)]
pub struct Peer {
    /// Its name in the cluster.
    pub name: String,
    /// Whose program it is.
    pub kind: Kind,
    /// Where the others reach it.
    pub addr: SocketAddr,
    /// How many peers of its cluster were started before it.
    pub number: usize,
    child: Child,
    stdin: ChildStdin,
    tape: Tape,
}

impl Peer {
    /// Runs the command and waits until the peer listens.
    ///
    /// # Panics
    ///
    /// When it does not come up.
    #[must_use]
    pub fn start(mut command: Command, kind: Kind, name: &str, number: usize) -> Self {
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdin = child.stdin.take().expect("it was asked for");
        let tape = Tape::record(child.stdout.take().expect("it was asked for"));
        let up = until(&format!("{name} is up"), || {
            assert!(!matches!(child.try_wait(), Ok(Some(_))), "{name} has ended: {command:?}");
            let lines = tape.lines();
            let up = lines.iter().find(|line| line["event"] == "up").cloned();
            up.ok_or_else(|| format!("{lines:?}"))
        });
        let addr = up["addr"].as_str().and_then(|addr| addr.parse().ok()).expect("an address");
        Self { name: name.into(), kind, addr, number, child, stdin, tape }
    }

    /// Gives a command and returns the answer.
    ///
    /// # Panics
    ///
    /// When there is none in time, or it is an error.
    pub fn ask(&mut self, command: &str) -> Value {
        let answers = |line: &&Value| line["event"] == "answer";
        let before = self.tape.lines().iter().filter(answers).count();
        writeln!(self.stdin, "{command}").unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let answer = until(&format!("{} answers {command:?}", self.name), || {
            let mut lines = self.tape.lines();
            let answer = lines.iter_mut().filter(|line| answers(&&**line)).nth(before);
            // Its place on the tape is all that is asked for again; it may be long.
            answer
                .map(|line| mem::replace(line, json!({ "event": "answer" })))
                .ok_or_else(|| said(&self.name, &lines))
        });
        assert_eq!(answer["error"], Value::Null, "{} was told {command:?}", self.name);
        answer
    }

    /// What it holds of every member that it knows of, by name.
    pub fn members(&mut self) -> BTreeMap<String, Row> {
        let answer = self.ask("members");
        let rows = answer["members"].as_array().expect("a list of members");
        let text = |row: &Value, field: &str| row[field].as_str().expect("a text").to_owned();
        let row = |row: &Value| Row {
            addr: text(row, "addr").parse().expect("an address"),
            state: text(row, "state"),
            meta: text(row, "meta"),
            incarnation: row["incarnation"].as_u64().expect("a number"),
            protocol: row["protocol"].as_u64().expect("a number"),
        };
        rows.iter().map(|member| (text(member, "name"), row(member))).collect()
    }

    /// How many lines it has printed.
    #[must_use]
    pub fn mark(&self) -> usize {
        self.tape.lines().len()
    }

    /// The first line since `mark` that is such a one.
    pub fn find(&self, mark: usize, is_it: impl Fn(&Value) -> bool) -> Option<Value> {
        self.tape.lines()[mark..].iter().find(|line| is_it(line)).cloned()
    }

    /// All such lines.
    pub fn all(&self, is_it: impl Fn(&Value) -> bool) -> Vec<Value> {
        self.tape.lines().iter().filter(|line| is_it(line)).cloned().collect()
    }

    /// Waits for such a line.
    ///
    /// # Panics
    ///
    /// When there is none in time.
    pub fn wait(&self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let what = format!("{}: {what}", self.name);
        until(&what, || self.find(0, &is_it).ok_or_else(|| said(&self.name, &self.tape.lines())))
    }

    /// Waits until there are so many such lines.
    ///
    /// # Panics
    ///
    /// When there are not in time.
    pub fn wait_for(&self, count: usize, what: &str, is_it: impl Fn(&Value) -> bool) {
        until(&format!("{}: {count} {what}", self.name), || {
            let found = self.all(&is_it).len();
            if found == count { Ok(()) } else { Err(format!("{found} are there")) }
        });
    }

    /// Waits for the message `text`.
    ///
    /// # Panics
    ///
    /// When it does not come in time.
    pub fn wait_message(&self, text: &str) -> Value {
        self.wait(text, |line| line["event"] == "message" && line["text"] == text)
    }

    /// Lets it stand still.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// What it complained of: all that ours refused, and all that Go's logged that something is
    /// wrong, but for what is harmless.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        let lines = self.tape.lines();
        let logs = lines.iter().filter(|line| line["event"] == "log");
        let texts = logs.map(|line| line["text"].as_str().unwrap_or_default().to_owned());
        texts.filter(|text| self.kind == Kind::Swim || is_complaint(text)).collect()
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        // The child was not waited for, so the id is still its own.
        kill_process(pid.expect("a process has an id"), signal).expect("a child takes signals");
    }
}

/// The last lines of a peer, for messages of failed tests.
fn said(name: &str, lines: &[Value]) -> String {
    let last: Vec<_> = lines.iter().rev().take(12).rev().map(Value::to_string).collect();
    format!("{name} said last:\n{}", last.join("\n"))
}

impl Drop for Peer {
    /// SIGKILL: no goodbye.
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Whether a warning of Go's library may be about what was sent to it.
pub(crate) fn is_complaint(text: &str) -> bool {
    !HARMLESS.iter().any(|parts| parts.iter().all(|part| text.contains(part)))
}

/// What stands in those that are not, all of it in one line. Whatever else is worth a warning to
/// Go's library is a complaint.
const HARMLESS: [&[&str]; 6] = [
    // Somebody missed it for a moment, which is a test's own affair.
    &["Refuting a suspect message"],
    // An ack was late, for want of a turn, and that of the ping on a stream in time, or late, too.
    // Whom either makes a suspect is a test's own affair; what can't be read is said otherwise.
    &["Was able to connect to", "but other probes failed"],
    &["Failed fallback ping", "i/o timeout"],
    // Whoever pinged it on a stream waited no longer.
    &["Failed to send ack", "connection reset by peer"],
    &["Failed to send ack", "broken pipe"],
    // Somebody is back under the name of a dead one, before the name is free.
    &["Conflicting address for", "Old state: 2"],
];
