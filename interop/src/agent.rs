//! An agent of HashiCorp's Serf as a process: a node of memberlist with an application on top.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::{
    peer::is_complaint,
    tape::{Tape, until},
};

/// An agent; when this is dropped, it is killed.
#[derive(Debug)]
pub struct Agent {
    /// Its name in the cluster.
    pub name: String,
    /// Where the others reach it.
    pub addr: SocketAddr,
    /// How `serf` is run where the agent is.
    words: Vec<OsString>,
    rpc: SocketAddr,
    child: Child,
    tape: Tape,
}

/// What is missing here of what agents need; `None` if nothing is.
#[must_use]
pub fn missing() -> Option<&'static str> {
    let found = Command::new("serf").arg("version").output();
    found.is_err().then_some("the command `serf` (Debian: serf)")
}

impl Agent {
    /// Runs `serf`, by a command that has no arguments of it yet, and waits until it listens at
    /// `addr`, and at `rpc` for those who ask it.
    ///
    /// # Panics
    ///
    /// When it does not come up.
    #[must_use]
    pub fn start(
        mut command: Command,
        name: &str,
        [addr, rpc]: [SocketAddr; 2],
        flags: &[String],
    ) -> Self {
        let program = [command.get_program()].into_iter();
        let words = program.chain(command.get_args()).map(ToOwned::to_owned).collect();
        command.args(["agent", "-profile=local", "-log-level=info", "-node", name]);
        command.args([format!("-bind={addr}"), format!("-rpc-addr={rpc}")]).args(flags);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let tape = Tape::record(child.stdout.take().expect("it was asked for"));
        let mut agent = Self { name: name.into(), addr, words, rpc, child, tape };
        until(&format!("{name} is up"), || {
            let is_over = matches!(agent.child.try_wait(), Ok(Some(_)));
            assert!(!is_over, "{name} has ended: {}", agent.log().join("\n"));
            if agent.members().contains_key(name) { Ok(()) } else { Err(agent.log().join("\n")) }
        });
        agent
    }

    /// What one of Serf's commands says that is sent to this agent.
    ///
    /// # Panics
    ///
    /// When it can't be run.
    #[must_use]
    pub fn ask(&self, words: &[&str]) -> String {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).arg(words[0]).arg(format!("-rpc-addr={}", self.rpc));
        let output = command.args(&words[1..]).output().expect("HashiCorp's serf");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Where each member is that it lists, and in which state: `alive`, `leaving`, `left` or
    /// `failed`.
    #[must_use]
    pub fn members(&self) -> BTreeMap<String, (SocketAddr, String)> {
        let said = self.ask(&["members", "-format=json"]);
        let said: Value = serde_json::from_str(&said).unwrap_or_default();
        let rows = said["members"].as_array().into_iter().flatten();
        let text = |row: &Value, field: &str| row[field].as_str().expect("a text").to_owned();
        let row = |row: &Value| {
            let addr = text(row, "addr").parse().expect("an address");
            (text(row, "name"), (addr, text(row, "status")))
        };
        rows.map(row).collect()
    }

    /// What it has logged so far.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        let lines = self.tape.lines();
        lines.iter().map(|line| line.as_str().unwrap_or_default().to_owned()).collect()
    }

    /// What it complained of.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        let mut log = self.log();
        log.retain(|line| [" [WARN] ", " [ERR] ", " [ERROR] "].iter().any(|it| line.contains(it)));
        log.retain(|line| is_complaint(line));
        log
    }
}

impl Drop for Agent {
    /// SIGKILL: no goodbye.
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
