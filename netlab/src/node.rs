//! A node: one process on one host, from its start to its end.

use std::{
    io::{self, Write},
    process::{Child, ChildStdin, Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use swim_core::{Life, Member};

use crate::{clock, lines, tape::Tape, usage::Usage};

/// A process, and what it printed.
#[derive(Debug)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// What it printed.
    pub lines: Tape<Value>,
    /// What it logged.
    pub log: Tape<String>,
    /// The lists of members it gave, each with the number of the event that would have come next.
    pub lists: Vec<(u64, Vec<Member>)>,
    child: Child,
    stdin: Option<ChildStdin>,
}

impl Node {
    /// Starts a process that will call itself `name`.
    ///
    /// # Errors
    ///
    /// When the system refuses it.
    pub fn start(name: &str, mut command: Command) -> io::Result<Self> {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let missing = || io::Error::other("a pipe that was asked for is missing");
        let stdout = child.stdout.take().ok_or_else(missing)?;
        let stderr = child.stderr.take().ok_or_else(missing)?;
        let lines =
            Tape::record(stdout, |line| serde_json::from_str(&line).unwrap_or(Value::String(line)));
        let log = Tape::record(stderr, |line| line);
        let stdin = child.stdin.take();
        Ok(Self { name: name.into(), lines, log, lists: Vec::new(), child, stdin })
    }

    /// The life that it has told of, with its own joining.
    #[must_use]
    pub fn life(&self) -> Option<Life> {
        let is_own = |line: &&Value| line["event"] == "member-join" && line["node"] == *self.name;
        self.lines.look(|lines| lines.iter().find(is_own)?["life"].as_u64().map(Life))
    }

    /// Asks something and waits for all lines of the answer.
    ///
    /// # Errors
    ///
    /// When there is no answer in time.
    pub fn ask(&mut self, command: &str) -> io::Result<Vec<Value>> {
        let from = self.lines.look(<[_]>::len);
        self.tell(command)?;
        let word = command.split(' ').next().unwrap_or_default();
        let answer = self.lines.wait(PATIENCE, |lines| {
            let new = lines.get(from..)?.iter();
            let answers: Vec<_> = new.filter(|line| !line["answer"].is_null()).collect();
            let end = answers.iter().position(|line| line["answer"] == word)?;
            Some(answers[..=end].iter().map(|line| (*line).clone()).collect())
        });
        answer.ok_or_else(|| io::Error::other(format!("{} gave no answer to {word}", self.name)))
    }

    /// Asks for something to be done.
    ///
    /// # Errors
    ///
    /// When it was not done, or there is no answer in time.
    pub fn order(&mut self, command: &str) -> io::Result<Value> {
        let answer = self.ask(command)?.pop().unwrap_or_default();
        match answer["ok"].as_bool() {
            Some(true) => Ok(answer),
            _ => Err(io::Error::other(format!("{}: {command}: {answer}", self.name))),
        }
    }

    /// The members it knows, of every state.
    ///
    /// # Errors
    ///
    /// When there is no answer in time, or none that can be understood.
    pub fn members(&mut self) -> io::Result<Vec<Member>> {
        let mut answers = self.ask("members")?;
        let end = answers.pop().unwrap_or_default();
        let members: Option<Vec<_>> = answers.iter().map(lines::member).collect();
        match (members, end["next_seq"].as_u64()) {
            (Some(members), Some(next)) => {
                self.lists.push((next, members.clone()));
                Ok(members)
            }
            _ => Err(io::Error::other(format!("{}: {answers:?} {end}", self.name))),
        }
    }

    /// One of its counters.
    ///
    /// # Errors
    ///
    /// When there is no answer in time, or no such counter.
    pub fn count(&mut self, counter: &str) -> io::Result<u64> {
        let counted = self.order("stats")?;
        let missing = || io::Error::other(format!("{} has no {counter}", self.name));
        counted[counter].as_u64().ok_or_else(missing)
    }

    /// Sends a signal.
    ///
    /// # Errors
    ///
    /// When the process has ended.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        Ok(kill_process(Pid::from_child(&self.child), signal)?)
    }

    /// What the process has used until now.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub fn usage(&self) -> io::Result<Usage> {
        Usage::of(self.child.id())
    }

    /// Whether the process runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends the process without a word.
    ///
    /// # Errors
    ///
    /// When the system refuses it.
    pub fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        // What it wrote before is still on its way.
        self.lines.wait_over(PATIENCE);
        Ok(())
    }

    /// Lets the node leave and its process end.
    ///
    /// # Errors
    ///
    /// When it does not end in time, or not well.
    pub fn leave(&mut self) -> io::Result<()> {
        self.tell("leave")?;
        let ended = clock::wait(PATIENCE, || self.child.try_wait().ok().flatten());
        self.lines.wait_over(PATIENCE);
        match ended {
            Some(status) if status.success() => Ok(()),
            ended => Err(io::Error::other(format!("{} did not leave: {ended:?}", self.name))),
        }
    }

    /// The last lines of what it printed and logged, for people.
    #[must_use]
    pub fn story(&self) -> String {
        let printed = self.lines.look(tail);
        let logged = self.log.look(tail);
        format!("printed by {}:\n{printed}logged:\n{logged}", self.name)
    }

    fn tell(&mut self, command: &str) -> io::Result<()> {
        let ended = || io::Error::other("there will be no more commands");
        writeln!(self.stdin.as_mut().ok_or_else(ended)?, "{command}")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn tail<T: std::fmt::Display>(lines: &[T]) -> String {
    let from = lines.len().saturating_sub(20);
    lines[from..].iter().map(|line| format!("  {line}\n")).collect()
}

/// How long one waits for what is promised without a time: the machine may have much to do.
const PATIENCE: Duration = Duration::from_secs(60);
